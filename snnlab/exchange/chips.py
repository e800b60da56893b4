"""Whether a converted network's numbers fit a neuromorphic chip: weights and potentials in bits, layer by layer.

On the grid (converters/grid/) every weight is a whole number of its output channel's step, a power of two, and so are
currents, potentials and thresholds. So what a chip must hold is known before anything runs there.

    bits of a weight     = 1 + ceil(log2(max |w| / step + 1))
    bits of a potential  = 1 + ceil(log2((|v0| + T * max |current|) / step + 1))        max: the grid's own bound

The limits of Loihi are those of Lava's model that is bit-accurate with its hardware (lava-nc/lava, commit 001dbd1:
`PyLifModelBitAcc` holds u and v in 24 bits with the sign, `Dense` a weight in 8). What a chip does beside, as decays,
delays, numbers of cores, is not looked at. Neither is the neuron's rule: Lava's LIF
fires at v > vth and resets to 0, so any other needs a program of one's own on Loihi 2. The first neurons, which hear
the image as a current of many bits, run outside.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from snnlab.converters.graph import Average, Move, Node, Sum
from snnlab.converters.grid import Exact, Rescale
from snnlab.converters.snn import SNN
from snnlab.neurons.door import door
from snnlab.neurons.settings import MOST_STEPS, whole

Chip = Literal["loihi2"]
LIMITS: dict[str, tuple[int, int]] = {"loihi2": (8, 24)}
"""Bits of a weight, and of a potential, both with the sign."""
COARSE = "convert(..., bits=8) puts the network on a coarser grid"


@dataclass(frozen=True)
class Row:
    """One layer or neuron.

    Attributes:
        name: the layer's. what: "weights" or "potentials".
        bits: that it needs, with the sign; None where it does not come onto the chip.
        limit: that the chip has.
        advice: what to do if they do not fit, or what is to be known.
    """

    name: str
    what: str
    bits: int | None
    limit: int
    advice: str

    @property
    def fits(self) -> bool:
        """Whether the chip holds it."""
        return self.bits is None or self.bits <= self.limit


@dataclass(frozen=True)
class Fits:
    """What `fits` found; true if all of it fits. Printed, it is a table."""

    chip: str
    T: int
    rows: tuple[Row, ...]

    def __bool__(self) -> bool:
        return all(row.fits for row in self.rows)

    def __str__(self) -> str:
        head = f"{'layer':<24}  {'':<10}  {'needs':>5}  {'has':>3}"
        lines = [
            f"{row.name:<24}  {row.what:<10}  {row.bits or '':>5}  {row.limit:>3}  "
            f"{'' if row.fits else 'does not fit: '}{row.advice}".rstrip()
            for row in self.rows
        ]
        verdict = "fits" if self else "does not fit"
        return "\n".join([f"{self.chip}, T = {self.T}: {verdict}; bits with the sign", head, *lines])


@door
def fits(snn: SNN, chip: Chip = "loihi2", T: int | None = None) -> Fits:
    """Whether the network's weights and potentials fit a chip, layer by layer, by the bounds of its grid.

    Args:
        chip: "loihi2": weights of 8 bits, potentials of 24.
        T: steps that it will run; None takes what it was converted for.
    Raises: ValueError for a network without a grid, or steps out of range.
    """
    T = whole(snn.T if T is None else T, "T", most=MOST_STEPS)
    if snn.grid is None:
        raise ValueError(
            "snn was converted with exact=False, so nothing of it is a whole number: convert it with exact=True"
        )
    moving, (weights, potentials) = snn.grid.temporal(), LIMITS[chip]
    rows = []
    for node in snn.grid.nodes:
        if node.site:
            rows.append(_neuron(node, moving, T, potentials))
        elif isinstance(node.kind, Exact):
            rows.append(_layer(snn, node, node in moving, weights))
        elif isinstance(node.kind, Rescale) and node in moving:
            rows += _rescaled(node, node.kind, weights)
        elif node in moving and not isinstance(node.kind, Average | Move | Sum):
            rows.append(Row(node.name, "weights", weights + 1, weights, "it is no sum with weights"))
    return Fits(chip, T, tuple(rows))


def _layer(snn: SNN, node: Node, moving: bool, limit: int) -> Row:
    layer: Any = node.kind.layer
    if not moving:
        return Row(node.name, "weights", None, limit, "reads the image: it is computed outside, once")
    axis = 1 if layer.transposed else 0
    bits = _bits(layer.weight.detach().movedim(axis, 0).flatten(1))
    between = "what comes in are sums of spikes, so its weights are finer: put a neuron before it"
    advice = "" if bits <= limit else COARSE if snn.bits != 8 else between
    return Row(node.name, "weights", bits, limit, advice)


def _rescaled(node: Node, kind: Rescale, limit: int) -> list[Row]:
    """The factors of a sum, where it has some."""
    found = []
    for k in range(kind.terms):
        ratio, step = kind.term(k)
        if ratio is None:
            continue
        bits = _signed(float((ratio / step).abs().amax()))
        if kind.whole:
            advice = (
                "" if bits <= limit else "a factor of a shortcut: train with equal thresholds on both sides"
            )
        else:
            bits, advice = max(bits, limit + 1), f"is rounded in each step, which no weight does: {COARSE}"
        found.append(Row(node.name, "weights", bits, limit, advice))
    return found


def _neuron(node: Node, moving: set[Node], T: int, limit: int) -> Row:
    neuron: Any = node.kind
    if moving.isdisjoint(node.inputs):
        told = "hear the image: they run outside, and their spikes come in"
        return Row(node.name, "potentials", None, limit, told)
    if neuron.room is None:
        return Row(node.name, "potentials", 64, limit, f"they are of float64 on this grid: {COARSE}")
    step, start = neuron.room / 2.0**24, float(neuron.v0.abs().amax())
    bits = _signed((start + T * neuron.most_current) / step)
    most = int((step * (2.0 ** (limit - 1) - 1) - start) / neuron.most_current)
    advice = "" if bits <= limit else f"with at most T = {most} they do" if most else COARSE
    return Row(node.name, "potentials", bits, limit, advice)


def _bits(rows: Tensor) -> int:
    """Bits of the weights of each output [O, n] as whole numbers of the largest power of two that divides them."""
    mantissa, exponent = np.frexp(rows.double().cpu().numpy())
    digits = np.ldexp(mantissa, 53).astype(np.int64)
    lowest = np.log2(np.maximum(np.abs(digits & -digits), 1))  # of the last digit that is not 0
    last = np.where(digits == 0, np.inf, exponent - 53 + lowest).min(1)
    step = np.exp2(np.where(np.isfinite(last), last, 0.0))
    return _signed(float((rows.double().abs().amax(1) / torch.from_numpy(step)).amax()))


def _signed(largest: float) -> int:
    """Bits of whole numbers up to this size, with the sign."""
    return 1 + math.ceil(math.log2(largest + 1))
