"""The transfer explorer: a neuron's staircase beside ReLU, and what clipping and rounding cost a layer."""

import math
from typing import Any

import torch
import traitlets
from torch import Tensor

from snnlab.explorers.host import Explorer, module
from snnlab.explorers.reach import Ranges, number
from snnlab.neurons.door import LARGEST, door

VALUES = 512
"""Numbers that the page holds at most, each for a group of activations of nearly the same size."""

RANGES: dict[str, tuple[float, float]] = {"T": (1, 128), "share": (0.0, 63 / 64), "levels": (0, 32)}
"""What a slider reaches, the same numbers as in transfer.js; the threshold's goes up to `top`."""


class Transfer(Explorer):
    """Mean output of an IF neuron for constant input, its two errors, and their sum over the threshold for a layer."""

    _esm = module("drawing.js", "transfer.js")
    title = "Clipping against quantisation"
    names = ("threshold", "T", "share", "levels", "values", "weights", "top")

    threshold = traitlets.Float(1.0).tag(sync=True)
    T = traitlets.Int(4).tag(sync=True)
    share = traitlets.Float(0.0).tag(sync=True)
    levels = traitlets.Int(0).tag(sync=True)
    values = traitlets.List(traitlets.Float()).tag(sync=True)
    weights = traitlets.List(traitlets.Float()).tag(sync=True)
    top = traitlets.Float(4.0).tag(sync=True)

    @traitlets.validate("threshold", *RANGES)
    def _in_range(self, proposal: Any) -> float:
        return number(proposal["trait"].name, proposal["value"], _ranges(self.top))


@door
def transfer(
    activations: Tensor | None = None,
    *,
    threshold: float | None = None,
    T: int = 4,
    share: float = 0.0,
    levels: int = 0,
) -> Transfer:
    """The explorer as a widget; `.html()` and `.save(path)` give it without a kernel.

    Args:
        activations: of one layer, any shape, 0 or more, at least one above 0; None takes an exponential tail, half of
            it zeros.
        threshold: above 0, at most the power of two above the largest activation; None takes the largest activation.
        T: steps, 1 to 128.
        share: of the threshold, at which the potential starts, 0 to 63/64.
        levels: L of the ANN's own rounding to the nearest, 0 to 32; 0 is ReLU.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    values, weights = _groups(_default() if activations is None else activations)
    top = 2.0 ** math.ceil(math.log2(values[-1]))
    chosen = {
        "threshold": values[-1] if threshold is None else threshold,
        "T": T,
        "share": share,
        "levels": levels,
    }
    for name, value in chosen.items():
        number(name, value, _ranges(top))
    widget = Transfer(values=values, weights=weights, top=top)
    for name, value in chosen.items():
        setattr(widget, name, value)
    return widget


def _ranges(top: float) -> Ranges:
    """What all sliders reach; the threshold's goes up to the largest activation."""
    return RANGES | {"threshold": (top / 512, top)}


def _default() -> Tensor:
    """Half zeros, half an exponential tail of mean 1/2."""
    middle = (torch.arange(256, dtype=torch.float64) + 0.5) / 256
    return torch.cat([torch.zeros(256, dtype=torch.float64), -0.5 * (1 - middle).log()])


def _groups(activations: Tensor) -> tuple[list[float], list[float]]:
    """At most VALUES means of groups of activations, in order, and how many are in each group.

    The zeros are one group. Of the rest half the groups are equally large, half grow with the distance from the
    largest activation, which is alone: few lie far out, and what they cost decides where a threshold is best.
    """
    if not isinstance(activations, Tensor) or activations.numel() == 0:
        given = list(activations.shape) if isinstance(activations, Tensor) else type(activations).__name__
        raise ValueError(f"activations is {given}, but it must be a tensor with one activation or more")
    flat = activations.detach().double().flatten().cpu()
    if not bool(((flat >= 0) & (flat <= LARGEST)).all()) or not bool((flat > 0).any()):
        raise ValueError(
            f"activations must be 0 to {LARGEST:g}, one of them above 0: hand in what a layer sends after its ReLU"
        )
    ordered = flat.sort().values
    if len(ordered) <= VALUES:
        return ordered.tolist(), [1.0] * len(ordered)
    zeros = int((ordered == 0).sum())
    n, half = len(ordered) - zeros, (VALUES - 2) // 2
    even = torch.linspace(0, n, half + 1, dtype=torch.float64)
    outer = n - torch.logspace(0, math.log10(n), half, dtype=torch.float64)
    edges = torch.cat([even, outer]).round().long().clamp(0, n).unique()  # 0 to n
    sums = torch.cat([ordered.new_zeros(1), ordered[zeros:].cumsum(0)])[edges].diff()
    values, weights = [(sums / edges.diff())[:-1], ordered[-1:]], edges.diff().double()
    none = ordered.new_zeros(min(zeros, 1))
    return torch.cat([none, *values]).tolist(), torch.cat([zeros + none, weights]).tolist()
