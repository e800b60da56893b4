"""How fine a grid is, what is known of a node's values on it, and how weights and shares are put on it."""

import copy
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from snnlab.converters.graph import Average, Weighted
from snnlab.converters.grid import planes

ANALOG_BITS = 28  # of analog values that a layer will sum up: an image, a mean over a window of 9
FINE_BITS = 40  # of analog values on their way to a neuron: a shortcut, a batch norm, a change of unit
SHARE_BITS = 12  # of an average's shares, if they are multiples of powers of two
FEW_BITS = 8  # of what comes in: up to here a layer's sums may fit float32
WEIGHT_BITS = 8  # left for its weights there, at least, however many inputs it sums up
EXACT_BITS = {torch.float32: 24, torch.float64: 53}
FINEST = 2.0**-15
"""Of a threshold: no finer multiples where `bits` is below 24, so that potentials of 512 thresholds fit float32."""


class Precision(NamedTuple):
    """How fine a grid is.

    Attributes:
        largest: a weight in multiples of its channel's step, where it meets spikes.
        sums: bits of sums over spikes.
        fine: bits of what reaches a neuron otherwise: an image's current, a shortcut.
    """

    largest: float
    sums: int
    fine: int

    @property
    def narrow(self) -> bool:
        """Whether what reaches a neuron fits float32."""
        return self.fine <= 24


PRECISIONS = {
    8: Precision(planes.ONE, 23, 23),
    15: Precision(planes.TWO, 23, 23),
    24: Precision(math.inf, 24, FINE_BITS),
}
BITS = 24


def check_bits(bits: int) -> int:
    """Bits of a weight that a grid can have. Raises: ValueError for others."""
    if isinstance(bits, bool) or not isinstance(bits, int) or bits not in PRECISIONS:
        raise ValueError(f"bits = {bits!r}, but a weight on the grid has 8, 15 or 24")
    return bits


class Span(NamedTuple):
    """What is known of a node's values for any image, [1, ...] float64: in activation units unit * value."""

    unit: Tensor
    step: Tensor  # a power of two of which every value is a multiple
    bound: Tensor  # no value is larger


def step_for(bound: Tensor, bits: int) -> Tensor:
    """The power of two of which `bound` is at most 2^bits multiples."""
    return torch.exp2(torch.ceil(torch.log2(bound.double().clamp(min=2.0**-60))) - bits)


class Sums(NamedTuple):
    """What the sums of a layer may be: their bits, their weights' largest multiple, the least step."""

    bits: int
    largest: float = math.inf
    finest: float = 0.0


def round_weights(layer: Weighted, step_in: float, bound: Tensor, sums: Sums) -> Tensor:
    """Round weights and bias so that every possible sum is as wanted; returns the sums' step, [O]."""
    largest = layer.bound(bound).movedim(layer.channel, 0).flatten(1).amax(1)
    step = step_for(largest * (1 + 2.0**-8), sums.bits)  # rounding up may add a little to the largest sum
    if sums.largest < math.inf:
        weights = layer.weight.movedim(int(layer.transposed), 0)
        if layer.transposed:
            weights = weights.reshape(layer.weight.shape[1], layer.groups, -1).transpose(0, 1)
        most = weights.reshape(layer.outputs, -1).abs().amax(1)
        step = torch.maximum(step, step_for(most * step_in / sums.largest, 0)).clamp(min=sums.finest)
    rows = layer.by_output(step / step_in)
    layer.weight.data = torch.round(layer.weight / rows) * rows
    if layer.bias is not None:
        layer.bias.data = torch.round(layer.bias / step) * step
    return step


def whole_shares(kind: Average, values: Tensor) -> tuple[Average, Tensor | None]:
    """An average of values [1, ...] in which no sum rounds, and what its result is yet to be multiplied with.

    If all shares are multiples of powers of two that is nothing (None). Else equal shares become 1, others are rounded.
    """
    shares = {axis: a.double() for axis, a in kind.shares.items()}
    if all(bits_of(a) <= SHARE_BITS for a in shares.values()):
        return copy.deepcopy(kind), None
    ratio = torch.ones_like(kind.bound(values.double()))
    for axis, a in shares.items():
        largest = a.amax(1, keepdim=True)
        if bool(((a == 0) | ((a - largest).abs() < 1e-6 * largest)).all()):
            shares[axis] = (a != 0).double()
            ratio = ratio * largest.reshape(-1, *(1 for _ in ratio.shape[axis + 1 :]))
        else:
            shares[axis] = torch.round(a * 2.0**20) / 2.0**20
    return Average(shares), one_number(ratio)


def bits_of(shares: Tensor) -> int:
    """k for shares that are multiples of 2^-k; more than SHARE_BITS if they are of no such power."""
    scaled = (shares.double() * 2.0**k for k in range(SHARE_BITS + 1))
    return next((k for k, a in enumerate(scaled) if bool((a == a.round()).all())), SHARE_BITS + 1)


def threshold_of(neuron: Any) -> Tensor:
    """The unit of a neuron: its threshold; of one that never fires, 1."""
    return torch.where(neuron.threshold.isfinite(), neuron.threshold, 1.0).double()


def one_number(values: Tensor) -> Tensor:
    """The value itself where all are the same: a product with a number is faster."""
    return values.flatten()[0].clone() if bool((values == values.flatten()[0]).all()) else values.clone()


def laid_out(values: Tensor) -> Tensor:
    """The same values as images lie in memory here, channels last."""
    return values.movedim(-3, -1).contiguous().movedim(-1, -3) if values.ndim > 2 else values


def first_along(unit: Tensor, axes: Sequence[int], like: Tensor) -> Tensor:
    """A unit that is the same along some axes, in the shape of what is left of them."""
    for axis in axes:
        unit = unit.narrow(axis, 0, 1)
    return unit.expand_as(like)
