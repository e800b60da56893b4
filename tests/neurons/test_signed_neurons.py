"""Neurons that take a spike back: identities for any input, an independent plain loop, and the leaky contrast."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from snnlab.activations import QCFS, QuantClip
from snnlab.converters.choices.potentials import offset_rule
from snnlab.converters.choices.site import Site
from snnlab.neurons import (
    IF,
    LIF,
    NEURONS,
    SNM,
    STBIF,
    BurstIF,
    CaLIF,
    HardResetCaLIF,
    SignedIF,
    State,
    ZeroThresholdIF,
)

LANES = 128  # cases in each example: with 100 examples more than 10,000
many = settings(max_examples=100, deadline=None)
seeds = st.integers(0, 2**31)
steps = st.sampled_from([1, 2, 3, 7, 16, 32])
shares = st.floats(0.0, 1.0)


def draw(seed: int, T: int) -> tuple[Tensor, Tensor, Tensor]:
    """Random currents [T, LANES], thresholds and initial potentials [LANES]."""
    generator = torch.Generator().manual_seed(seed)
    current = torch.randn(T, LANES, generator=generator, dtype=torch.float64)
    theta = 0.05 + 2 * torch.rand(LANES, generator=generator, dtype=torch.float64)
    return current, theta, 2 * torch.randn(LANES, generator=generator, dtype=torch.float64)


def conserving(theta: Tensor, v0: Tensor, leak: float, decay: float) -> list[IF]:
    """One neuron of each kind that resets by subtraction."""
    return [
        IF(theta, v0, leak),
        LIF(theta, v0, leak),
        SignedIF(theta, v0, negative=0.5, cap=3, decay=decay, leak=leak),
        CaLIF(theta, v0, decay, leak),
        *(kind(theta, v0) for kind in (SNM, ZeroThresholdIF, STBIF, BurstIF)),
    ]


@many
@given(seeds, steps, shares, shares)
def test_every_reset_by_subtraction_keeps_the_books(seed: int, T: int, leak: float, decay: float) -> None:
    """I1 and I2: theta * sum s = sum z + v0 - v[T] - (1 - leak) * sum_{t<T} v[t], whatever the spikes' signs."""
    current, theta, v0 = draw(seed, T)
    for neuron in conserving(theta, v0, leak, decay):
        output, state = neuron(current, potentials=(after := []))
        leaked = (1 - neuron.leak) * torch.stack([v0, *after[:-1]]).sum(0)
        assert torch.allclose(output.sum(0), current.sum(0) + v0 - state.v - leaked, rtol=0, atol=1e-11)
        assert torch.allclose(theta * state.count, output.sum(0), rtol=0, atol=1e-11)


@many
@given(seeds, steps, shares, st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([None, 1, 3]))
def test_no_neuron_takes_back_more_than_it_sent(
    seed: int, T: int, decay: float, negative: float, cap: int | None
) -> None:
    current, theta, v0 = draw(seed, T)
    neuron = SignedIF(theta, v0, negative=negative, decay=decay, cap=cap)
    net = (neuron(current)[0] / theta).cumsum(0).round()
    assert bool((net >= 0).all()) and (cap is None or bool((net <= cap).all()))


def test_without_the_gate_the_net_count_falls_below_zero() -> None:
    class Ungated(SNM):
        def gate(self, state: State) -> Tensor:
            return torch.ones_like(state.v, dtype=torch.bool)

    current, theta, v0 = draw(0, 16)
    assert bool((Ungated(theta, v0)(current)[1].count < 0).any())


def plain_loop(
    z: list[float], theta: float, v0: float, negative: float, cap: float
) -> tuple[list[int], float]:
    """SNM and its relatives, written once more from the papers, one number at a time."""
    v, sent, spikes = v0, 0, []
    for now in z:
        v += now
        if v >= theta and sent < cap:
            s = 1
        elif (v <= -negative * theta and v < 0) and sent > 0:
            s = -1
        else:
            s = 0
        v -= theta * s
        sent += s
        spikes.append(s)
    return spikes, v


@many
@given(seeds, steps)
def test_signed_neurons_equal_a_plain_loop(seed: int, T: int) -> None:
    current, theta, v0 = draw(seed, T)
    for neuron, negative, cap in (
        (SNM(theta, v0), 1.0, math.inf),
        (ZeroThresholdIF(theta, v0), 0.0, math.inf),
        (STBIF(theta, v0, cap=4), 0.0, 4),
    ):
        output, state = neuron(current)
        for lane in range(LANES):
            spikes, v = plain_loop(
                current[:, lane].tolist(), float(theta[lane]), float(v0[lane]), negative, cap
            )
            assert (output[:, lane] / theta[lane]).round().tolist() == spikes
            assert float(state.v[lane]) == v


@many
@given(seeds, steps)
def test_a_ca_lif_that_forgets_nothing_is_snm(seed: int, T: int) -> None:
    current, theta, v0 = draw(seed, T)
    ours, snm = CaLIF(theta, v0, decay=1.0)(current), SNM(theta, v0)(current)
    assert torch.equal(ours[0], snm[0]) and torch.equal(ours[1].v, snm[1].v)


def test_a_fading_gate_lets_some_spikes_stand() -> None:
    current, theta, v0 = draw(1, 32)
    fading, snm = CaLIF(theta, v0, decay=0.25)(current)[1], SNM(theta, v0)(current)[1]
    assert bool((fading.count != snm.count).any()) and float(fading.count.sum()) > float(snm.count.sum())


@many
@given(seeds, steps, st.floats(0.0, 0.999))
def test_once_the_input_has_ended_the_order_does_not_matter(seed: int, T: int, share: float) -> None:
    """Zero threshold: the net count settles at max(0, floor((sum z + v0) / theta)); ST-BIF's is cut at its cap."""
    current, theta, _ = draw(seed, T)
    v0 = share * theta
    total = ((current.sum(0) + v0) / theta).floor()
    sure = (
        (current.sum(0) + v0) / theta - total - 0.5
    ).abs() < 0.5 - 1e-9  # off the ties, where rounding decides
    silence = torch.zeros(3 * T + 8, LANES, dtype=torch.float64)
    count = ZeroThresholdIF(theta, v0)(torch.cat([current, silence]))[1].count
    needed = (
        current.clamp(min=0).sum(0) / theta < 3 * T
    )  # charge that may wait: at most one spike a step leaves
    assert torch.equal(count[sure & needed], total.clamp(min=0)[sure & needed])
    capped = STBIF(theta, v0, cap=4)(torch.cat([current, silence]))[1].count
    assert torch.equal(capped[sure & needed], total.clamp(0, 4)[sure & needed])


@many
@given(seeds, steps, st.sampled_from([0.0, 0.5]))
def test_constant_input_never_needs_a_spike_back(seed: int, T: int, share: float) -> None:
    """I3 holds for the signed neurons too: theta / T * clip(floor((T z + v0) / theta), 0, T)."""
    current, theta, _ = draw(seed, T)
    z, v0 = current[:1].expand(T, -1), share * theta
    charge = (T * z[0] + v0) / theta
    sure = (charge - charge.floor() - 0.5).abs() < 0.5 - 1e-9
    expected = charge.floor().clamp(0, T)
    for kind in (IF, SNM, ZeroThresholdIF, CaLIF):
        assert torch.equal(kind(theta, v0)(z)[1].count[sure], expected[sure])


@many
@given(seeds, steps, st.integers(1, 8))
def test_a_burst_of_m_is_m_times_the_steps(seed: int, T: int, m: int) -> None:
    """For constant input: clip(floor((T z + v0) / theta), 0, m T); and m = 1 is IF for any input."""
    current, theta, v0 = draw(seed, T)
    assert torch.equal(BurstIF(theta, v0, 1)(current)[0], IF(theta, v0)(current)[0])
    charge = T * current[0] / theta + 0.5
    sure = (charge - charge.floor() - 0.5).abs() < 0.5 - 1e-9
    output = BurstIF(theta, theta / 2, m)(current[:1].expand(T, -1))[0]
    expected = charge.floor().clamp(0, m * T)
    assert torch.equal((output.sum(0) / theta).round()[sure], expected[sure])


@many
@given(seeds, st.sampled_from([1, 2, 4, 8, 16]))
def test_a_shift_in_each_step_is_half_a_threshold_in_the_end(seed: int, T: int) -> None:
    """theta / (2 T) added in each step gives the count of v0 = theta / 2 after T steps, for constant input."""
    current, theta, _ = draw(seed, T)
    z = current[:1].expand(T, -1)
    charge = T * z[0] / theta + 0.5
    sure = (charge - charge.floor() - 0.5).abs() < 0.5 - 1e-9
    shifted, started = IF(theta)(z + theta / (2 * T))[1].count, IF(theta, theta / 2)(z)[1].count
    assert torch.equal(shifted[sure], started[sure])


def test_the_shift_arrives_late() -> None:
    z = torch.full((8, 1), 0.5, dtype=torch.float64)
    assert IF(v0=0.5)(z)[0][0] == 1 and IF()(z + 1 / 16)[0][0] == 0


def exact_share(kind: type[IF], T: int) -> float:
    """How many neurons give the count of their mean input, 50 synapses of both signs, Bernoulli spikes (I4)."""
    generator = torch.Generator().manual_seed(7)
    weights = torch.randn(50, 20_000, generator=generator, dtype=torch.float64) * 0.3
    rates = torch.rand(50, generator=generator, dtype=torch.float64)
    spikes = (torch.rand(T, 50, generator=generator, dtype=torch.float64) < rates).double()
    current = spikes @ weights
    expected = (current.sum(0) + 0.5).floor().clamp(0, T)
    return float(
        (kind(torch.tensor(1.0, dtype=torch.float64), 0.5)(current)[1].count == expected).double().mean()
    )


@pytest.mark.parametrize("T", [4, 16])
def test_uneven_input_is_heard_best_by_neurons_that_take_spikes_back(T: int) -> None:
    if_, snm, zero = (exact_share(kind, T) for kind in (IF, SNM, ZeroThresholdIF))
    assert if_ + 0.02 < snm < zero - 0.02 and if_ < 0.9


@pytest.mark.parametrize("T", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("activation", [QuantClip(8, 1.0), QCFS(8, 1.0)])
def test_the_offset_rule_meets_the_anns_own_rounding(T: int, activation: QuantClip) -> None:
    """I6: over inputs spread evenly, v0 of the rule leaves no mean error, and no more error than 0 or theta / 2."""
    z = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000 / 2 + 0.5  # whole bins
    site = Site("x", T, activation, z, threshold=torch.tensor(1.0, dtype=torch.float64))
    target = activation.double()(z).detach()

    def error(v0: float | Tensor) -> Tensor:
        return IF(site.threshold, v0)(z.expand(T, -1))[0].mean(0) - target

    ours = error(offset_rule(site))
    assert abs(float(ours.mean())) < 0.002
    for other in (0.0, 0.5):
        assert float(ours.abs().mean()) <= float(error(other).abs().mean()) + 1e-9


def test_the_offset_rules_numbers() -> None:
    theta = torch.tensor(2.0)
    for T, levels, expected in ((8, 8, 0.0), (2, 8, 0.75), (16, 8, -1.0)):
        assert float(offset_rule(Site("x", T, QuantClip(levels), theta, threshold=theta))) == expected
        assert float(offset_rule(Site("x", T, QCFS(levels), theta, threshold=theta))) == 1.0
    assert float(offset_rule(Site("x", 4, torch.nn.ReLU(), theta, threshold=theta))) == 1.0


@many
@given(st.floats(1.01, 20.0), st.floats(1.0, 12.0))
def test_the_hard_reset_ca_lif_has_a_logarithmic_curve(z: float, tau: float) -> None:
    """One spike every ceil(ln(1 - theta / z) / ln(1 - 1 / tau)) + 1 steps: the last one is the step it comes late."""
    current = torch.full((400, 1), z, dtype=torch.float64)
    output, _ = HardResetCaLIF(torch.tensor(1.0, dtype=torch.float64), tau=tau)(current)
    times = output[:, 0].nonzero().flatten()
    climb = 1.0 if tau == 1 else math.log(1 - 1 / z) / math.log(1 - 1 / tau)
    if abs(climb - round(climb)) > 1e-6 and len(times) > 2:
        assert set(times.diff().tolist()) == {max(math.ceil(climb), 1) + 1}


def test_the_hard_reset_ca_lif_is_silent_up_to_its_threshold() -> None:
    z = torch.tensor([0.5, 0.99, 1.0, 1.05], dtype=torch.float64).expand(500, 4)
    count = HardResetCaLIF(torch.tensor(1.0, dtype=torch.float64))(z)[1].count
    assert count[:3].tolist() == [0, 0, 0] and count[3] > 0


def test_calcium_clamps_the_hard_reset() -> None:
    z, potentials = torch.full((12, 1), 3.0, dtype=torch.float64), []
    neuron = HardResetCaLIF(torch.tensor(1.0, dtype=torch.float64), rest=-2.0)
    output, _ = neuron(z, potentials=potentials)
    at_spikes = [float(v) for v, o in zip(potentials, output, strict=True) if o]
    assert at_spikes[0] == -2.0 and set(at_spikes[1:]) == {0.0}
    lazy = HardResetCaLIF(torch.tensor(1.0, dtype=torch.float64))(z)[0]
    assert float(lazy.sum()) > float(output.sum())


@settings(max_examples=40, deadline=None)
@given(seeds, st.lists(st.integers(1, 5), min_size=1, max_size=6), st.sampled_from(sorted(NEURONS)))
def test_every_kind_runs_in_pieces_and_in_place(seed: int, pieces: list[int], kind: str) -> None:
    current, theta, v0 = draw(seed, sum(pieces))
    neuron = CaLIF(theta, v0, 0.75, 0.875) if kind == "ca_lif" else NEURONS[kind](theta, v0)
    whole, end = neuron(current, potentials=(slow := []))
    state, outputs, fast = None, [], []
    with torch.no_grad():
        for part in current.split(pieces):
            output, state = neuron(part, state, fast)
            outputs.append(output)
    assert torch.equal(torch.cat(outputs), whole) and torch.equal(torch.stack(fast), torch.stack(slow))
    assert torch.equal(state.v, end.v) and torch.equal(state.count, end.count)


@pytest.mark.parametrize("kind", sorted(set(NEURONS) - {"lif"}))
def test_gradients_reach_current_threshold_and_potential_also_of_silent_neurons(kind: str) -> None:
    """The surrogate is not masked: the closer to the threshold, the larger, spike or none."""
    current = torch.full((4, 2), 0.2, dtype=torch.float64).requires_grad_()  # nobody fires
    neuron = NEURONS[kind](torch.tensor(1.0, dtype=torch.float64))
    neuron.threshold.requires_grad_()
    neuron.v0.requires_grad_()
    output, _ = neuron(current)
    assert not output.any()
    output.sum().backward()
    assert current.grad is not None and float(current.grad.abs().sum()) > 0
    assert float(neuron.threshold.grad) != 0 and (kind == "ca_lif_hard_reset" or float(neuron.v0.grad) > 0)


@pytest.mark.parametrize("kind", sorted(NEURONS))
def test_in_other_units_the_spikes_are_the_same(kind: str) -> None:
    current, theta, v0 = draw(3, 12)
    neuron, unit = NEURONS[kind](theta, v0), torch.tensor(0.25, dtype=torch.float64)
    scaled = neuron.in_units_of(unit)
    assert torch.equal(scaled(current / unit)[0], neuron(current)[0] / unit)


BAD = [
    (SignedIF, {"negative": -1.0}, "negative = -1.*0 or more"),
    (SignedIF, {"negative": float("nan")}, "negative = nan"),
    (SignedIF, {"cap": 0}, "cap = 0.*1 or more"),
    (SignedIF, {"cap": 2.5}, "cap = 2.5.*whole"),
    (SignedIF, {"decay": 1.5}, r"decay = 1.5.*\[0, 1\]"),
    (CaLIF, {"decay": -0.1}, r"decay = -0.1.*\[0, 1\]"),
    (CaLIF, {"decay": float("nan")}, "decay = nan"),
    (CaLIF, {"leak": 2.0}, r"leak = 2.0.*\[0, 1\]"),
    (LIF, {"leak": -1.0}, r"leak = -1.0.*\[0, 1\]"),
    (STBIF, {"cap": -3}, "cap = -3"),
    (BurstIF, {"max_spikes": 0}, "max_spikes = 0.*1 or more"),
    (BurstIF, {"max_spikes": 1.5}, "max_spikes = 1.5.*whole"),
    (HardResetCaLIF, {"tau": 0.5}, "tau = 0.5.*1 or more"),
    (HardResetCaLIF, {"tau_c": float("nan")}, "tau_c = nan"),
    (HardResetCaLIF, {"rest": float("inf")}, "rest = inf.*finite"),
    *(
        (kind, {"threshold": bad}, "threshold")
        for kind in NEURONS.values()
        for bad in (0.0, -1.0, float("nan"))
    ),
    *((kind, {"v0": float("nan")}, "v0 = nan, but it must be a finite number") for kind in NEURONS.values()),
]


@pytest.mark.parametrize(("kind", "arguments", "message"), BAD)
def test_a_bad_parameter_is_named(kind: type[IF], arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**arguments)


@pytest.mark.parametrize("kind", sorted(NEURONS))
def test_bad_shapes_are_named(kind: str) -> None:
    with pytest.raises(ValueError, match="T >= 1"):
        NEURONS[kind]()(torch.zeros(0, 3))
    with pytest.raises(ValueError, match=r"v0 \[4\] must broadcast"):
        NEURONS[kind](1.0, torch.zeros(4))(torch.zeros(5, 2, 3))
