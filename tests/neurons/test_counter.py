"""The spike counter that is told of SNM: an independent plain loop, IF spike for spike, and what SNM has beside it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from snnlab import convert, datasets, networks, simulate
from snnlab.neurons import IF, NEURONS, SNM, CounterIF
from tests.neurons.test_signed_neurons import LANES, draw, many, seeds, steps

DATA = datasets.load("digits")
ONE = torch.tensor(1.0, dtype=torch.float64)


def counted(z: list[float], theta: float, v0: float) -> list[int]:
    """The rule as it is told, one number at a time: V(t) = V(0) + sum of the input - S(t - 1) * V_th."""
    spikes: list[int] = []
    for t in range(1, len(z) + 1):
        spikes.append(1 if v0 + sum(z[:t]) - sum(spikes) * theta >= theta else 0)
    return spikes


def quarters(seed: int, T: int) -> Tensor:
    """Random currents [T, LANES] on which every sum is exact, and the potential often on the threshold."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-6, 8, (T, LANES), generator=generator).double() / 4


@many
@given(seeds, steps)
def test_the_counter_is_the_rule_as_it_is_told(seed: int, T: int) -> None:
    current = quarters(seed, T)
    output = CounterIF(ONE, 0.5)(current)[0]
    assert output.T.tolist() == [counted(column, 1.0, 0.5) for column in current.T.tolist()]


@many
@given(seeds, steps)
def test_a_spike_counter_is_if_at_ties_too(seed: int, T: int) -> None:
    """Where nothing is rounded: the same spikes, count and potential, to the last bit."""
    current = quarters(seed, T)
    (output, state), (plain, end) = CounterIF(ONE, 0.5)(current), IF(ONE, 0.5)(current)
    assert torch.equal(output, plain) and torch.equal(state.v, end.v) and torch.equal(state.count, end.count)


@many
@given(seeds, steps)
def test_a_spike_counter_is_if_for_any_input(seed: int, T: int) -> None:
    """V[t] = v0 + sum z - theta S[t - 1] is what IF has before its reset; any threshold, any start."""
    current, theta, v0 = draw(seed, T)
    output, state = CounterIF(theta, v0)(current, potentials=(after := []))
    plain, _ = IF(theta, v0)(current, potentials=(expected := []))
    assert torch.equal(output, plain)
    torch.testing.assert_close(torch.stack(after), torch.stack(expected), rtol=0, atol=1e-11)
    torch.testing.assert_close(state.charge, v0 + current.sum(0), rtol=0, atol=1e-11)


@many
@given(seeds, steps)
def test_the_counter_keeps_the_books_and_never_goes_down(seed: int, T: int) -> None:
    """I1: theta S = sum z + v0 - v[T]; and no spike is ever taken back."""
    current, theta, v0 = draw(seed, T)
    output, state = CounterIF(theta, v0)(current)
    assert torch.allclose(theta * state.count, current.sum(0) + v0 - state.v, rtol=0, atol=1e-11)
    assert bool((output >= 0).all()) and torch.allclose(output.sum(0), theta * state.count, atol=1e-11)


@many
@given(seeds, steps)
def test_until_snm_takes_a_spike_back_it_is_the_counter(seed: int, T: int) -> None:
    """As long as SNM sends no -1 the two agree; with the first one SNM's count falls below."""
    current, theta, _ = draw(seed, T)
    told, snm = CounterIF(theta)(current)[0], SNM(theta)(current)[0]
    before = (snm < 0).cumsum(0) == 0
    assert torch.equal(told[before], snm[before])
    first = (snm < 0) & ((snm < 0).cumsum(0) == 1)
    assert bool((told.cumsum(0)[first] > snm.cumsum(0)[first]).all())


def test_what_came_early_stands_in_the_counter_and_is_taken_back_by_snm() -> None:
    early = torch.tensor([1.0] * 4 + [-1.0] * 4, dtype=torch.float64)[:, None]
    assert CounterIF(ONE, 0.5)(early)[0].flatten().tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    assert SNM(ONE, 0.5)(early)[0].flatten().tolist() == [1, 1, 1, 1, 0, -1, -1, -1]


@settings(max_examples=40, deadline=None)
@given(seeds, st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_the_counter_runs_in_pieces(seed: int, pieces: list[int]) -> None:
    current, theta, v0 = draw(seed, sum(pieces))
    neuron = CounterIF(theta, v0)
    whole, end = neuron(current)
    state, outputs = None, []
    for part in current.split(pieces):
        kept = None if state is None else [t.clone() for t in (state.v, state.count, state.charge)]
        output, following = neuron(part, state)
        if kept is not None:  # the state that was handed in is left as it was
            assert all(map(torch.equal, kept, (state.v, state.count, state.charge)))
        state = following
        outputs.append(output)
    assert torch.equal(torch.cat(outputs), whole) and torch.equal(state.charge, end.charge)


def test_its_gradients_are_ifs() -> None:
    current, theta, v0 = draw(4, 12)
    found = []
    for kind in (CounterIF, IF):
        neuron, z = kind(theta, v0), current.clone().requires_grad_()
        neuron.threshold.requires_grad_()
        neuron.v0.requires_grad_()
        (neuron(z)[0].mean(0) * theta.flip(0)).sum().backward()
        found.append((z.grad, neuron.threshold.grad, neuron.v0.grad))
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-9)


def test_in_other_units_its_spikes_are_the_same() -> None:
    current, theta, v0 = draw(3, 12)
    neuron, unit = CounterIF(theta, v0), torch.tensor(0.25, dtype=torch.float64)
    assert torch.equal(neuron.in_units_of(unit)(current / unit)[0], neuron(current)[0] / unit)


@pytest.mark.parametrize("wrong", [{"threshold": 0.0}, {"threshold": float("nan")}, {"v0": float("inf")}])
def test_a_bad_parameter_of_the_counter_is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CounterIF(**wrong)


@pytest.mark.parametrize("build", [networks.cnn, networks.resnet])
def test_snm_as_it_is_told_is_max_norm(build: type) -> None:
    """On a network: the logits and the spikes of MaxNorm to the last bit, and not those of SNM."""
    ann, images = build(shape=(1, 8, 8)).eval(), DATA.test.images[:32]
    runs = {}
    for name in ("snm_counter", "max_norm", "snm"):
        runs[name] = simulate(convert(ann, name, DATA.calibration[:64], 16, progress=False), images, 16)
    told, plain, snm = runs.values()
    assert torch.equal(told.logits, plain.logits) and told.firing_rate == plain.firing_rate
    assert not torch.equal(told.logits, snm.logits)


def test_the_explorers_kinds_are_left_alone() -> None:
    """It is IF: a menu with both would show the same curve twice."""
    assert CounterIF not in NEURONS.values()
