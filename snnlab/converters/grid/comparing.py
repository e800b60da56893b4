"""The network on its grid, held to the network."""

import copy
from typing import Any

import torch
from torch import Tensor

from snnlab.converters.graph import Graph, walk
from snnlab.converters.grid.building import build
from snnlab.converters.grid.precision import BITS, PRECISIONS, check_bits

TOLERANCE, COARSE = 1e-2, 1e-1
"""Of the largest current: by so much the grid may differ from the network, all its rounding together; with 8 bits."""


def on_grid(graph: Graph, example: Tensor, bits: int = BITS) -> Graph:
    """The converted network so that it computes exactly, in units of its thresholds.

    Args:
        graph: a traced network with neurons at its sites, activation units.
        example: an image's shape, [1, ...], filled with the largest value of the calibration images.
        bits: of a weight that meets spikes: 8, 15 or 24.
    Raises: ValueError for other bits, or if the grid computes something else than the network.
    """
    bits = check_bits(bits)
    grid = build(graph, example.abs(), PRECISIONS[bits])
    compare_both(graph, grid, example.abs(), TOLERANCE if bits > 8 else COARSE)
    grid.bits = bits
    return grid


def compare_both(graph: Graph, grid: Graph, example: Tensor, tolerance: float) -> None:
    """Feed both the same spikes at every site: what reaches each neuron, and the output, must be the same.

    No neuron decides anything, so what differs is the rounding, or a rule that is wrong.
    """
    draw = torch.Generator().manual_seed(0)
    images = example.double() * (
        2 * torch.rand(2, *example.shape[1:], generator=draw, dtype=torch.float64) - 1
    )
    wanted: dict[str, Tensor] = {}
    spikes: dict[str, Tensor] = {}
    neurons: dict[str, Any] = grid.sites

    def note(name: str, _: Any, current: Tensor) -> Tensor:
        wanted[name], neuron = current, neurons[name]
        spikes[name] = neuron.sends(torch.randint(neuron.least_spikes, 2, current.shape, generator=draw))
        return neuron.sent(spikes[name])

    def compare(name: str, neuron: Any, current: Tensor) -> Tensor:
        _same(repr(name), neuron.in_activation(current), wanted[name], tolerance)
        return spikes[name]

    with torch.inference_mode():
        expected = walk(copy.deepcopy(graph).double(), images, note)
        _same("the output", walk(grid, images, compare), expected, tolerance)


def _same(where: str, got: Tensor, wanted: Tensor, tolerance: float) -> None:
    allowed = tolerance * float(wanted.abs().amax()) + 1e-9
    if got.shape != wanted.shape or not float((got - wanted).abs().amax()) <= allowed:
        raise ValueError(
            f"on the grid {where} gets something else than in the network, which is a fault of this kit: please report "
            "it; convert(..., exact=False) does without the grid"
        )
