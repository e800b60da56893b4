"""Where a neuron's threshold comes from. Each rule maps a Site to a threshold in activation units.

References:
  1) Diehl et al. 2015, IJCNN: the largest activation
  2) Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.2.2: a high percentile
  3) Li et al. 2021, ICML (SNN Calibration): the least squared error
  4) Wang et al. 2022, IJCAI (SNM): one threshold a neuron
  5) Bu et al. 2025, CVPR (local threshold balancing)
"""

from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.activations import LearnedRange
from snnlab.converters.choices.site import Rule, Site, check_positive
from snnlab.neurons.door import door
from snnlab.neurons.settings import whole

Per = Literal["layer", "channel", "neuron"]


@door
def largest(site: Site) -> Tensor:
    """theta = max a: nothing is clipped, and one outlier makes every step theta / T coarse.    Diehl 2015"""
    return site.target.amax()


@door
def largest_per_neuron(site: Site) -> Tensor:
    """theta_i = max over images of a_i, a threshold for each neuron ("neuron-wise normalisation").   Wang 2022

    Shape [...], one batch axis fewer than the activation. It ties the network to one image size.
    """
    return site.target.amax(0)


@door
def percentile(p: float, per: Per = "layer") -> Rule:
    """theta = p-th percentile of the activations, zeros included.    Rueckauer 2017, section 2.2.2

    Args:
        p: percent, 0 < p <= 100; 99.9 is usual.
        per: one threshold a layer, a channel or a neuron.
    Raises: ValueError if p is outside, or per is none of these.
    """
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 < p <= 100:
        raise ValueError(f"p = {p!r}, but a percentile is a number in (0, 100]")
    _check_per(per)

    def rule(site: Site) -> Tensor:
        groups = _groups(site.target, per)
        values = np.percentile(groups.detach().cpu().numpy(), p, axis=1)
        return _broadcast(torch.from_numpy(values).to(site.target.dtype), site.target, per)

    rule.__doc__ = percentile.__doc__
    rule.__name__ = f"percentile({p})" if per == "layer" else f"percentile({p}, {per!r})"
    return rule


@door
def mmse(per: Per = "layer", shift: float = 0.5, grid: int = 60) -> Rule:
    """The threshold whose staircase of T steps is closest to the activations in the mean square.    Li 2021

        theta = argmin_V mean (a - V / T * clip(floor(a T / V + shift), 0, T))^2,   V = max a * k / grid

    Args:
        per: one threshold a layer, a channel or a neuron.
        shift: v0 / theta of the neuron that will stand there: 1/2 rounds to the nearest, 0 down.
        grid: candidates, >= 2.
    Raises: ValueError if an argument is out of range.
    """
    _check_per(per)
    if isinstance(shift, bool) or not isinstance(shift, int | float) or not 0 <= shift < 1:
        raise ValueError(f"shift = {shift!r}, but it is a share of the threshold, in [0, 1)")
    grid = whole(grid, "grid", 2)

    def rule(site: Site) -> Tensor:
        groups = _groups(site.target, per)
        most = groups.amax(1, keepdim=True).clamp(min=1e-12)
        best, least, error = most, torch.full_like(most, float("inf"), dtype=torch.float64), _Stairs(groups)
        for k in range(1, grid + 1):
            step = most * (k / grid / site.T)  # [G, 1]
            found = error(step, site.T, shift)
            best, least = torch.where(found < least, step * site.T, best), torch.minimum(found, least)
        best = best.masked_fill(groups.amax(1, keepdim=True) == 0, 0.0)  # silent: `convert` finds one
        return _broadcast(best[:, 0], site.target, per)

    rule.__doc__ = mmse.__doc__
    rule.__name__ = f"mmse({per!r})"
    return rule


class _Stairs:
    """How far stairs are from some values, [G, n], whatever their number: found in the values' order, not one by one.

    With N_j the values that reach level j, a >= (j - shift) step, and S_j their sum,

        sum (a - step level(a))^2 = sum a^2 + step^2 sum_j (2 j - 1) N_j - 2 step sum_j S_j
    """

    def __init__(self, groups: Tensor) -> None:
        self.ordered = torch.from_numpy(np.sort(groups.detach().cpu().contiguous().numpy(), axis=1))
        self.sums = F.pad(self.ordered.cumsum(1, dtype=torch.float64), (1, 0))  # [G, n + 1]

    def __call__(self, step: Tensor, T: int, shift: float) -> Tensor:
        """The squared error of T stairs of that height, [G, 1], less sum a^2, which is the same for all."""
        levels = torch.arange(1, T + 1, dtype=torch.float64)
        height = step.double()
        least = ((levels - shift) * height).to(step.dtype).contiguous()
        first = torch.searchsorted(self.ordered, least)  # [G, T]
        squares = (2 * levels - 1) * (self.ordered.shape[1] - first)
        sums = self.sums[:, -1:] - self.sums.gather(1, first)
        return (height * squares - 2 * sums).sum(1, keepdim=True) * height


@door
def balanced(per: Per = "channel", rate: float = 2.0, batch: int = 32, passes: int = 4) -> Rule:
    """Local threshold balancing: from 0 up, by what the threshold clips, batch after batch.       Bu 2025

        theta <- theta + rate * mean max(a - theta, 0)      a step down the gradient of the clipping loss

    Args:
        per: one threshold a layer, a channel or a neuron.
        rate: > 0. batch: images a step, >= 1. passes: over the calibration images, >= 1.
    Raises: ValueError if an argument is out of range.
    """
    _check_per(per)
    check_positive(rate=rate)
    batch, passes = whole(batch, "batch"), whole(passes, "passes")

    def rule(site: Site) -> Tensor:
        theta = torch.zeros_like(_groups(site.target[:1], per)[:, :1])
        for _ in range(passes):
            for part in site.target.split(batch):
                theta += rate * (_groups(part, per) - theta).clamp_(min=0).mean(1, keepdim=True)
        return _broadcast(theta[:, 0], site.target, per)

    rule.__doc__ = balanced.__doc__
    rule.__name__ = f"balanced({per!r})"
    return rule


@door
def trained(site: Site) -> Tensor:
    """theta = what the activation learned as its upper end.    Ho & Chang 2021, Bu et al. 2022

    Raises: ValueError for an activation that learns none.
    """
    if not isinstance(site.activation, LearnedRange):
        raise ValueError(
            f"site {site.name!r} has {site.activation}, which learns no upper end: take another threshold rule, or a "
            "network trained with Clip, QCFS, QuantClip or RateNorm"
        )
    return site.activation.theta.detach()


def _check_per(per: str) -> None:
    if per not in get_args(Per):
        raise ValueError(f"per = {per!r}, but it is one of {', '.join(map(repr, get_args(Per)))}")


def _groups(target: Tensor, per: Per) -> Tensor:
    """The activations [N, ...] that share a threshold, [groups, values]."""
    if per == "layer":
        return target.reshape(1, -1)
    return (target.transpose(0, 1) if per == "channel" else target.movedim(0, -1)).reshape(
        target.shape[1] if per == "channel" else target[0].numel(), -1
    )


def _broadcast(theta: Tensor, target: Tensor, per: Per) -> Tensor:
    """Thresholds [groups] in a shape that broadcasts against [N, ...]."""
    if per == "layer":
        return theta[0]
    return (
        theta.reshape(-1, *(1 for _ in target.shape[2:]))
        if per == "channel"
        else theta.reshape(target.shape[1:])
    )
