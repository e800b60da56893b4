"""Thresholds of the least squared error, found without drawing the stairs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab.converters.choices.site import Site
from snnlab.converters.choices.thresholds import mmse


def plain_mmse(groups: Tensor, T: int, shift: float, grid: int) -> tuple[Tensor, Tensor]:
    """Candidates and their mean squared errors [grid, G], each found by drawing its stairs."""
    most = groups.amax(1).clamp(min=1e-12)
    tried = torch.stack([most * (k / grid / T) for k in range(1, grid + 1)])  # the height of a step
    steps = tried.double()[..., None]
    stairs = (groups.double() / steps + shift).floor().clamp(0, T) * steps
    return tried * T, (stairs - groups.double()).square().mean(2)


@pytest.mark.parametrize("per", ["layer", "channel", "neuron"])
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    steps=st.sampled_from([1, 2, 5, 16, 33]),
    shift=st.sampled_from(
        [0.01, 0.25, 0.5, 0.99]
    ),  # with 0 the largest lies on the edge of the highest stair
    grid=st.sampled_from([2, 7, 60]),
)
def test_mmse_in_the_order_of_the_values_finds_what_stairs_drawn_one_by_one_find(
    per: str, seed: int, steps: int, shift: float, grid: int
) -> None:
    draw = torch.Generator().manual_seed(seed)
    target = torch.relu(torch.randn(6, 5, 5, 3, generator=draw)).permute(0, 3, 1, 2)  # channels last
    target = target * 10 ** torch.randint(-3, 3, (3, 1, 1), generator=draw)
    if seed % 3 == 0:
        target[:, 0] = 0.0  # a silent channel
    theta = mmse(per, shift, grid)(Site("x", steps, nn.ReLU(), target))  # type: ignore[arg-type]
    rows = {"layer": (0, -1), "channel": (1, 3), "neuron": (1, 75)}[per]
    axis, count = rows
    flat = target.reshape(1, -1) if per == "layer" else target.flatten(1) if per == "neuron" else target
    groups = flat if per == "layer" else flat.movedim(axis, 0).reshape(count, -1)
    tried, errors = plain_mmse(groups, steps, shift, grid)
    chosen = (tried == theta.reshape(1, -1)).double().argmax(0)
    silent = groups.amax(1) == 0
    assert bool((theta.reshape(-1)[silent] == 0).all())
    found, least = errors.gather(0, chosen[None])[0], errors.amin(0)
    assert bool(((tried == theta.reshape(1, -1)).any(0) | silent).all())
    as_good = found <= least * (1 + 1e-5) + 1e-12  # candidates that tie in five digits are
    assert bool(as_good[~silent].all())
