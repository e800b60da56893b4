"""Activations: values and gradients are the published closed forms, in float64, for any input off the ties."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab import networks
from snnlab.activations import (
    ACTIVATIONS_BY_NAME,
    QCFS,
    Clip,
    LearnedRange,
    NoisyQuantClip,
    QuantClip,
    RateNorm,
)
from snnlab.activations.learned import FLOOR
from snnlab.converters import graph

SEEDS = st.integers(0, 2**31)
THETAS = st.floats(0.01, 50.0)
LEVELS = st.integers(1, 32)
LEARNED = [name for name in ACTIVATIONS_BY_NAME if name != "relu"]


def inputs(seed: int, theta: float, levels: int = 1) -> Tensor:
    """Values below, inside and above [0, theta], float64, none of them on a step of the staircase."""
    z = torch.empty(257, dtype=torch.float64).uniform_(-1, 2, generator=torch.Generator().manual_seed(seed))
    steps = 2 * levels * z  # a step is at every half
    z = torch.where((steps - steps.round()).abs() < 1e-6, z + 1e-5, z)
    return (theta * z).requires_grad_()


def gradients(activation: nn.Module, z: Tensor, parameter: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """a, da/dz and da/dparameter, each for every element of z."""
    a = activation(z)
    dz = torch.autograd.grad(a.sum(), z, retain_graph=True)[0]
    each = torch.eye(len(z), dtype=z.dtype)
    dp = torch.autograd.grad(a, parameter, each, is_grads_batched=True)[0]
    return a.detach(), dz, dp


@settings(deadline=None, max_examples=40)
@given(SEEDS, THETAS)
def test_clip_has_the_gradients_of_pact(seed: int, theta: float) -> None:
    z, clip = inputs(seed, theta), Clip(theta).double()
    a, dz, dtheta = gradients(clip, z, clip.threshold)
    top = clip.theta.detach()
    assert torch.equal(a, z.detach().clamp(0, top.item()))
    assert torch.equal(dz, ((z > 0) & (z < top)).double())
    assert torch.equal(dtheta, (z >= top).double())


def test_clip_at_its_ends_follows_the_published_inequalities() -> None:
    clip, z = Clip(2.0).double(), torch.tensor([0.0, 2.0], dtype=torch.float64, requires_grad=True)
    a, dz, dtheta = gradients(clip, z, clip.threshold)
    assert a.tolist() == [0, 2] and dz.tolist() == [0, 0] and dtheta.tolist() == [0, 1]


@pytest.mark.parametrize("kind", [QuantClip, QCFS])
@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, theta=THETAS, levels=LEVELS)
def test_a_staircase_has_the_published_values_and_gradients(
    kind: type[QuantClip], seed: int, theta: float, levels: int
) -> None:
    z, stairs = inputs(seed, theta, levels), kind(levels, theta).double()
    a, dz, dtheta = gradients(stairs, z, stairs.threshold)
    top = stairs.theta.detach()
    inside, above = (z >= 0) & (z <= top), z > top
    q = ((levels * z / top + kind.shift).floor() / levels).clamp(0, 1).detach()
    torch.testing.assert_close(a, top * q, rtol=1e-13, atol=0)
    torch.testing.assert_close(dz, inside.double(), rtol=1e-12, atol=0)
    closed = torch.where(inside, q - z.detach() / top, above.double())
    torch.testing.assert_close(dtheta, closed, rtol=1e-9, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, theta=THETAS, levels=LEVELS, shift=st.sampled_from((0.0, 0.5)))
def test_a_staircase_has_the_gradients_that_autograd_finds_step_by_step(
    seed: int, theta: float, levels: int, shift: float
) -> None:
    z, kind = inputs(seed, theta, levels), QCFS if shift else QuantClip
    stairs, weight = kind(levels, theta).double(), torch.linspace(-1, 1, len(z), dtype=torch.float64)
    a = stairs(z)
    found = torch.autograd.grad(a @ weight, (z, stairs.threshold))
    q = levels * (z / stairs.theta).clamp(0, 1) + shift
    plain = stairs.theta * ((q.floor() - q).detach() + q) / levels
    torch.testing.assert_close(a, plain, rtol=1e-12, atol=1e-12)
    expected = torch.autograd.grad(plain @ weight, (z, stairs.threshold))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_a_staircase_at_its_ends_follows_the_published_inequalities() -> None:
    z = torch.tensor([0.0, 2.0], dtype=torch.float64, requires_grad=True)
    stairs = QCFS(4, 2.0).double()
    a, dz, dtheta = gradients(stairs, z, stairs.threshold)
    assert a.tolist() == [0, 2] and dz.tolist() == [0, 0] and dtheta.tolist() == [0, 1]


def test_values_that_round_up_to_the_top_keep_their_gradient() -> None:
    """The mask looks at the input: taken from the output, all at q = 1 would be taken for clipped ones."""
    stairs = QCFS(levels=4, threshold=1.0).double()
    z = torch.linspace(0.876, 0.999, 50, dtype=torch.float64, requires_grad=True)
    a, dz, dtheta = gradients(stairs, z, stairs.threshold)
    assert bool((a == 1).all()) and torch.equal(dz, torch.ones_like(dz))
    torch.testing.assert_close(dtheta, 1 - z.detach(), rtol=1e-12, atol=0)


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.floats(0.01, 5.0), LEVELS)
def test_qcfs_is_fake_quantisation_with_a_learned_step(seed: int, step: float, levels: int) -> None:
    """a = S clip(round(z / S), 0, L); da/dS = round(z / S) - z / S inside, L above (LSQ), and theta = L S."""
    z, stairs = inputs(seed, levels * step, levels), QCFS(levels, levels * step).double()
    a, _, dtheta = gradients(stairs, z, stairs.threshold)
    s, z = stairs.theta.detach() / levels, z.detach()
    torch.testing.assert_close(a, s * (z / s).round().clamp(0, levels), rtol=1e-12, atol=1e-15)
    inside, above = (z >= 0) & (z <= levels * s), z > levels * s
    lsq = torch.where(inside, (z / s).round() - z / s, levels * above.double())
    torch.testing.assert_close(levels * dtheta, lsq, rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(SEEDS, THETAS, st.floats(0.05, 0.99))
def test_rate_norm_clips_at_its_share_of_the_running_maximum(seed: int, largest: float, share: float) -> None:
    z, norm = inputs(seed, largest), RateNorm(largest, share).double().eval().requires_grad_()
    a, dz, dk = gradients(norm, z, norm.k)
    p, top = norm.share.detach(), norm.theta.detach()
    assert abs(float(p) - share) < 1e-6 and torch.equal(norm.threshold, norm.theta)
    torch.testing.assert_close(top, p * norm.running_max + 1e-6)
    assert torch.equal(a, z.detach().clamp(0, top.item())) and torch.equal(dz, ((z > 0) & (z < top)).double())
    torch.testing.assert_close(dk, (z >= top) * norm.running_max * p * (1 - p))


def test_the_running_maximum_moves_in_training_only_and_never_by_a_negative_value() -> None:
    norm = RateNorm(2.0, momentum=0.25)
    norm(torch.tensor([1.0, 6.0]))
    assert norm.running_max.item() == 3.0  # 2 + (6 - 2) / 4
    norm(torch.tensor([-1.0, -6.0]))
    assert norm.running_max.item() == 2.25
    norm.eval()(torch.tensor([100.0]))
    assert norm.running_max.item() == 2.25


def test_the_share_stands_still_while_the_weights_learn() -> None:
    assert not RateNorm().k.requires_grad and abs(RateNorm().share.item() - 1) < 1e-3


@settings(deadline=None, max_examples=30)
@given(SEEDS, LEVELS, st.floats(0, 1))
def test_noisy_rounding_keeps_a_share_of_the_values_and_repeats_with_its_seed(
    seed: int, levels: int, keep: float
) -> None:
    z = inputs(seed, 1.0, levels).detach()
    noisy, plain, clip = NoisyQuantClip(levels, 1.0, keep).double(), QCFS(levels, 1.0), Clip(1.0)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first = noisy(z)
        torch.manual_seed(seed)
        assert torch.equal(first, noisy(z))
    kept = torch.isclose(first, clip(z), rtol=1e-12, atol=0)
    assert bool((kept | (first == plain(z))).all())
    assert torch.equal(noisy.eval()(z), plain(z))


@settings(deadline=None, max_examples=40)
@given(SEEDS, THETAS, LEVELS, st.floats(0.1, 3), st.sampled_from((QuantClip, QCFS, NoisyQuantClip)))
def test_jitter_moves_values_by_so_many_levels_in_training_only(
    seed: int, theta: float, levels: int, jitter: float, kind: type[QuantClip]
) -> None:
    z, plain = inputs(seed, theta, levels).detach(), kind(levels, theta).double().eval()
    moved = kind(levels, theta, jitter=jitter).double()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        a = moved(z)
        torch.manual_seed(seed)
        assert torch.equal(a, moved(z))
    unit = theta / levels
    highest, lowest = plain(z + jitter * unit), plain(z - jitter * unit)
    room = 1e-9 + (unit if kind is NoisyQuantClip else 0)  # which keeps some values unrounded
    assert bool(((a <= highest + room) & (a >= lowest - room)).all())
    assert torch.equal(moved.eval()(z), plain(z))


def test_jitter_is_even_and_its_gradient_that_of_the_value_it_gave() -> None:
    stairs = QCFS(8, 8.0, jitter=1.0).double()
    z = torch.full((100,), 3.25, dtype=torch.float64, requires_grad=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        many = stairs(z.detach().expand(1000, -1)).flatten()
        a, dz, dtheta = gradients(stairs, z, stairs.threshold)
    shares = torch.bincount(many.long())[2:5].double() / len(many)  # u below -0.75, up to 0.25, above
    torch.testing.assert_close(shares, torch.tensor([0.125, 0.5, 0.375]).double(), rtol=0, atol=0.01)
    assert bool((dz == 1).all())
    torch.testing.assert_close(dtheta, (a - z).detach() / 8)


def test_one_value_in_ten_is_kept_unrounded() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        z = torch.rand(100_000)
        kept = NoisyQuantClip(4, 1.0)(z) == z
    assert abs(kept.double().mean().item() - 0.1) < 0.005


def test_a_kept_value_has_the_gradient_of_the_clip() -> None:
    z, noisy = inputs(0, 1.0), NoisyQuantClip(4, 1.0, keep=1.0).double()
    _, dz, dtheta = gradients(noisy, z, noisy.threshold)
    torch.testing.assert_close(dz, ((z > 0) & (z < 1)).double(), rtol=1e-12, atol=0)
    torch.testing.assert_close(dtheta, (z >= 1).double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", LEARNED)
def test_every_learned_range_has_a_positive_end_that_starts_where_told(name: str) -> None:
    activation = ACTIVATIONS_BY_NAME[name]()
    assert isinstance(activation, LearnedRange) and activation.theta.item() == pytest.approx(2.0, rel=1e-3)
    activation.start_at(0.7)
    assert activation.theta.item() == pytest.approx(0.7, rel=1e-4)
    activation.start_at(0.0)
    assert activation.theta.item() == pytest.approx(FLOOR, rel=1e-2)
    assert activation(torch.tensor([9.0])).item() == pytest.approx(activation.theta.item())
    assert "share" in repr(activation) or "threshold" in repr(activation)


@pytest.mark.parametrize("kind", [Clip, QuantClip, QCFS, NoisyQuantClip])
def test_a_threshold_driven_to_the_floor_comes_back(kind: Callable[[], LearnedRange]) -> None:
    activation = kind()
    with torch.no_grad():
        activation.threshold.fill_(1e-5)
    assert activation.theta.item() == pytest.approx(FLOOR)
    activation(torch.ones(3)).sum().backward()
    assert activation.threshold.grad is not None and activation.threshold.grad.item() == pytest.approx(3)


@pytest.mark.parametrize("name", ACTIVATIONS_BY_NAME)
def test_every_activation_trains_and_traces_in_a_network(name: str) -> None:
    ann, x = networks.resnet(ACTIVATIONS_BY_NAME[name]), torch.rand(4, 1, 8, 8)
    ann(x).sum().backward()
    traced = graph.trace(ann, x)
    assert len(traced.sites) == 7
    torch.testing.assert_close(graph.walk(traced, x), ann.eval()(x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Clip(0.0), "threshold = 0.0"),
        (lambda: QuantClip(8, float("nan")), "threshold = nan"),
        (lambda: QCFS(0), "levels = 0"),
        (lambda: QCFS(2.5), "levels = 2.5"),  # type: ignore[arg-type]
        (lambda: NoisyQuantClip(keep=1.5), "keep = 1.5"),
        (lambda: QCFS(jitter=-1.0), "jitter = -1.0"),
        (lambda: NoisyQuantClip(jitter=float("nan")), "jitter = nan"),
        (lambda: RateNorm(-1.0), "threshold = -1.0"),
        (lambda: RateNorm(share=1.0), "share = 1.0"),
        (lambda: RateNorm(momentum=0.0), "momentum = 0.0"),
    ],
)
def test_a_setting_out_of_range_is_named(make: Callable[[], nn.Module], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
