"""The neuron: identities that hold for any input, and two other libraries as oracles."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from snnlab.neurons import IF, State

STEPS = (1, 2, 4, 8, 16, 32)
seeds = st.integers(0, 2**31)
thresholds = st.floats(0.05, 8.0)


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def double(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


@settings(max_examples=300, deadline=None)
@given(seeds, thresholds, st.floats(-4.0, 4.0), st.sampled_from(STEPS))
def test_soft_reset_conserves_charge(seed: int, theta: float, v0: float, T: int) -> None:
    """I1: theta * sum s = sum z + v0 - v[T], for any input."""
    current = normal(seed, T, 64)
    output, state = IF(double(theta), double(v0))(current)
    assert torch.allclose(output.sum(0), current.sum(0) + v0 - state.v, rtol=0, atol=1e-12)


@settings(max_examples=200, deadline=None)
@given(seeds, thresholds, st.floats(-2.0, 2.0), st.sampled_from(STEPS), st.floats(0.0, 1.0))
def test_a_leak_takes_its_share_of_the_charge(
    seed: int, theta: float, v0: float, T: int, leak: float
) -> None:
    """I2: theta * sum s = sum z + v0 - v[T] - (1 - leak) * sum_{t<T} v[t]."""
    current, potentials = normal(seed, T, 64), []
    output, state = IF(double(theta), double(v0), leak)(current, potentials=potentials)
    before = torch.stack([torch.full_like(state.v, v0), *potentials[:-1]]).sum(0)
    right = current.sum(0) + v0 - state.v - (1 - leak) * before
    assert torch.allclose(output.sum(0), right, rtol=0, atol=1e-11)


def closed_form(z: Tensor, theta: float, v0: float, T: int) -> Tensor:
    return theta / T * ((T * z + v0) / theta).floor().clamp(0, T)


@settings(max_examples=300, deadline=None)
@given(seeds, thresholds, st.floats(0.0, 0.999), st.sampled_from(STEPS))
def test_constant_input_gives_the_clipped_floor(seed: int, theta: float, share: float, T: int) -> None:
    """I3: phi = theta / T * clip(floor((T z + v0) / theta), 0, T) for 0 <= v0 < theta."""
    z = theta * normal(seed, 64)
    output, _ = IF(double(theta), double(share * theta))(z.expand(T, -1))
    assert torch.allclose(output.mean(0), closed_form(z, theta, share * theta, T), rtol=0, atol=1e-10)


@pytest.mark.parametrize("T", STEPS)
@pytest.mark.parametrize("v0", [0.0, 0.5])
def test_the_closed_form_holds_at_ties(T: int, v0: float) -> None:
    ties = torch.arange(-2 * 512, 2 * 512 + 1, dtype=torch.float64) / 512  # dyadic: every tie is exact
    for z in (ties, ties + 1e-5):  # 49,000 cases in all
        output, _ = IF(double(1.0), double(v0))(z.expand(T, -1))
        assert torch.equal(output.mean(0), closed_form(z, 1.0, v0, T))


def test_a_neuron_that_fires_only_above_the_threshold_breaks_the_closed_form() -> None:
    class Late(IF):
        def spikes(self, state: State) -> Tensor:
            return (state.v > self.threshold).to(self.threshold.dtype)

    z = torch.arange(-128, 129, dtype=torch.float64) / 64
    output, _ = Late(double(1.0))(z.expand(8, -1))
    assert not torch.equal(output.mean(0), closed_form(z, 1.0, 0.0, 8))


@settings(max_examples=100, deadline=None)
@given(seeds, st.lists(st.integers(1, 5), min_size=1, max_size=8), st.sampled_from(["subtract", "zero"]))
def test_a_run_in_pieces_is_the_run_in_one(seed: int, pieces: list[int], reset: str) -> None:
    neuron, current = IF(double(0.7), double(0.1), 0.9, reset), normal(seed, sum(pieces), 16)
    whole, end = neuron(current)
    state, outputs = None, []
    for part in current.split(pieces):
        output, state = neuron(part, state)
        outputs.append(output)
    assert torch.equal(torch.cat(outputs), whole)
    assert torch.equal(state.v, end.v) and torch.equal(state.count, end.count)


@settings(max_examples=100, deadline=None)
@given(seeds, st.sampled_from([1.0, 0.5]), st.sampled_from(["subtract", "zero"]))
def test_the_loop_in_place_is_the_loop_over_steps(seed: int, leak: float, reset: str) -> None:
    neuron, current = IF(double(0.7), double(0.1), leak, reset), normal(seed, 9, 2, 3, 4, 4)
    current = current.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (9, 2))
    slow, slow_end = neuron(current, potentials=(slow_v := []))
    with torch.no_grad():
        fast, fast_end = neuron(current, potentials=(fast_v := []))
        again, _ = neuron(current, neuron.start(current[0]))
    assert (
        torch.equal(fast, slow)
        and torch.equal(fast, again)
        and torch.equal(torch.stack(fast_v), torch.stack(slow_v))
    )
    assert torch.equal(fast_end.v, slow_end.v) and torch.equal(fast_end.count, slow_end.count)


@settings(max_examples=100, deadline=None)
@given(st.floats(0.01, 0.99), st.integers(1, 400))
def test_hard_reset_gives_only_rates_of_one_over_n(z: float, T: int) -> None:
    """Reset to zero, constant input: a spike every ceil(theta / z) steps."""
    numerator = round(z * 256)  # dyadic, so that no tie depends on rounding
    z = max(numerator, 1) / 256
    output, _ = IF(double(1.0), reset="zero")(double(z).expand(T, 1))
    assert float(output.sum()) == T // math.ceil(1 / z)


@pytest.mark.parametrize("leak", [0.5, 0.75, 0.9])
def test_a_leak_makes_a_dead_zone(leak: float) -> None:
    neuron = IF(double(1.0), leak=leak)
    edge = 1 - leak
    output, _ = neuron(torch.stack([double(edge * 0.99), double(edge * 1.05)]).expand(500, 2))
    assert output[:, 0].sum() == 0 and output[:, 1].sum() > 0


@settings(max_examples=60, deadline=None)
@given(seeds, thresholds, st.sampled_from([1, 7, 32]))
def test_spikes_equal_spikingjellys_if_node(seed: int, theta: float, T: int) -> None:
    from spikingjelly.activation_based import neuron as spikingjelly

    current, theirs = normal(seed, T, 200), spikingjelly.IFNode(v_threshold=theta, v_reset=None)
    expected = torch.stack([theirs(z) for z in current])
    assert torch.equal(IF(double(theta))(current)[0], theta * expected)


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(0, 64), st.sampled_from(["subtract", "zero"]))
def test_spikes_equal_snntorchs_leaky(seed: int, leak: int, reset: str) -> None:
    """Theirs fires only above the threshold and takes a second pending spike's charge away before it is fired:
    random currents below one threshold keep off both. Their leak is a float32: dyadic ones are equal."""
    import snntorch

    current = 2 * torch.rand(32, 200, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 1
    theirs = snntorch.Leaky(beta=leak / 64, reset_delay=False, reset_mechanism=reset)
    memory, expected = torch.zeros(200, dtype=torch.float64), []
    for z in current:
        spike, memory = theirs(z, memory)
        expected.append(spike)
    assert torch.equal(
        IF(double(1.0), leak=leak / 64, reset=reset)(current)[0], torch.stack(expected).double()
    )


def test_parameters_may_be_per_channel_and_the_state_stays_out_of_the_module() -> None:
    theta = torch.tensor([0.5, 1.0, 2.0]).reshape(3, 1, 1)
    neuron = IF(theta, theta / 2)
    before = {name: value.clone() for name, value in neuron.state_dict().items()}
    output, state = neuron(torch.rand(4, 2, 3, 5, 5))
    assert output.shape == (4, 2, 3, 5, 5) and state.v.dtype == torch.float64
    assert set(torch.unique(output[:, :, 0]).tolist()) <= {0.0, 0.5}
    assert all(torch.equal(before[name], value) for name, value in neuron.state_dict().items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": 0.0}, "threshold = 0.*greater than 0"),
        ({"threshold": -1.0}, "threshold = -1.*greater than 0"),
        ({"threshold": float("nan")}, "threshold = nan, but it must be a finite number"),
        ({"threshold": float("inf")}, "threshold = inf, but it must be a finite number"),
        ({"threshold": torch.tensor([1.0, -2.0])}, r"threshold = -2 to 1 \[2\].*greater than 0"),
        ({"threshold": "high"}, "threshold = 'high'.*number"),
        ({"v0": float("inf")}, "v0 = inf.*finite"),
        ({"leak": 1.5}, r"leak = 1.5.*\[0, 1\]"),
        ({"leak": float("nan")}, "leak = nan"),
        ({"reset": "hard"}, "reset = 'hard'.*'subtract', 'zero'"),
    ],
)
def test_a_bad_parameter_is_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        IF(**arguments)


def test_bad_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"current = a tensor \[3\] .* \[T, B, ...\] with T >= 1"):
        IF()(torch.zeros(3))
    with pytest.raises(ValueError, match=r"current = a tensor \[0, 3\] .*T >= 1"):
        IF()(torch.zeros(0, 3))
    with pytest.raises(ValueError, match=r"v0 \[4\] must broadcast to a current of shape \[2, 3\]"):
        IF(1.0, torch.zeros(4))(torch.zeros(5, 2, 3))
