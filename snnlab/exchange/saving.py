"""Spiking networks as files: what a conversion found, to be run again without converting again.

A file holds tensors and a few words (safetensors), nothing that could run. The network's code is not in it: to load,
hand in an ANN of the same class.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import training
from snnlab.converters.catalogue import find
from snnlab.converters.conversion import fates
from snnlab.converters.graph import ACTIVATIONS, Weighted, trace, walk
from snnlab.converters.grid import PRECISIONS, on_grid
from snnlab.converters.methods import Method
from snnlab.converters.snn import SNN
from snnlab.files import short
from snnlab.files.tensors import TensorFile
from snnlab.neurons import IF
from snnlab.neurons.door import door
from snnlab.neurons.settings import MOST_STEPS


@door
def save(snn: SNN, path: str | Path) -> None:
    """Write a converted network as safetensors: weights, thresholds, potentials; its method's name and T."""
    about = {"method": snn.method.name, "T": snn.T, "exact": snn.grid is not None, "bits": snn.bits}
    images = {"shape": list(snn.example.shape), "largest": float(snn.example.amax())}
    training.save_tensors(dict(snn.graph.tensors()), path, snn=json.dumps(about | images))


@door
@torch.no_grad()
def load(ann: nn.Module, path: str | Path, method: Method | None = None) -> SNN:
    """Read what `save` wrote; the network runs as it ran, bit for bit. ann is left as it is.

    Args:
        ann: a network of the class that was converted; its own weights do not matter.
        method: the one it was converted with, if it is neither of the catalogue nor registered.
    Raises: FileNotFoundError; ValueError for a damaged file, no spiking network, or one of another network or method.
    """
    file = _opened(path)
    try:
        about = _about(file.about["snn"])
        chosen = find(about["method"]) if method is None else method
        if chosen.name != about["method"]:
            raise ValueError(f"it was converted with {short(about['method'])}, not with {chosen.name!r}")
        return _read(ann, file, about, chosen)
    except (ValueError, RuntimeError, IndexError) as error:
        if str(file.path) in str(error):
            raise
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{file.path} cannot be read: {reason}; convert the network again, and save it"
        ) from None


def _read(ann: nn.Module, file: TensorFile, about: dict[str, Any], method: Method) -> SNN:
    example = torch.full(about["shape"], float(about["largest"]))
    graph = trace(ann, example, (*ACTIVATIONS, type(method.activation())))
    activations, held = graph.sites, file.read()
    for node in graph.nodes:
        if node.site and not {f"{node.name}.threshold", f"{node.name}.v0"} <= held.keys():
            raise ValueError(
                f"{file.path} is of another network: it has no neuron {short(node.name)}. Nothing was loaded"
            )
        if node.site:
            graph.put(node, _neuron(method, held[f"{node.name}.threshold"], held[f"{node.name}.v0"]))
        elif isinstance(node.kind, Weighted) and node.kind.bias is None and f"{node.name}.bias" in held:
            node.kind.bias = nn.Parameter(torch.zeros(node.kind.outputs), requires_grad=False)
    own = dict(graph.tensors())
    for name, value in training.load_tensors(file.path, own)[1].items():
        own[name].copy_(value)
    walk(
        graph, example, lambda _, neuron, current: neuron(current[None])[0][0]
    )  # whether all of it fits together
    grid = on_grid(graph, example, about["bits"]) if about["exact"] else None
    return SNN(graph, grid, method, about["T"], fates(ann, graph, activations), example)


def _neuron(method: Method, threshold: Tensor, v0: Tensor) -> IF:
    neuron = method.neuron(threshold, threshold / 2)
    neuron.v0 = v0
    return neuron


def _opened(path: str | Path) -> TensorFile:
    try:
        file = TensorFile.open(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}; convert the network, and save it") from None
    if "snn" not in file.about:
        raise ValueError(
            f"{file.path} holds no spiking network, but perhaps an ANN: snnlab.training.load reads those"
        )
    return file


def _about(text: str) -> dict[str, Any]:
    """What `save` said of the network. Raises: ValueError for an entry that is missing, strange or out of range."""
    try:
        about = {"bits": 24} | json.loads(text)  # what a file means that is older than the choice
        strange = about.keys() ^ ENTRIES.keys()
    except (ValueError, TypeError, RecursionError):
        raise ValueError(f"what it says of the network is {short(text)}") from None
    if strange:
        raise ValueError(f"the entry {short(min(strange))} is missing or unknown, perhaps of a newer snnlab")
    for name, (fits, allowed) in ENTRIES.items():
        if not fits(about[name]):
            raise ValueError(f"{name} = {short(about[name])}, but it must be {allowed}")
    return about


def _is_whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _is_shape(value: object) -> bool:
    return (
        isinstance(value, list)
        and value[:1] == [1]
        and all(_is_whole(side, MOST_VALUES) for side in value)
        and math.prod(value) <= MOST_VALUES
    )


MOST_VALUES = 2**26
"""In an image."""
ENTRIES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "method": (lambda value: isinstance(value, str), "a method's name"),
    "bits": (
        lambda value: value is None or (type(value) is int and value in PRECISIONS),
        "8, 15, 24 or null",
    ),
    "T": (lambda value: _is_whole(value, MOST_STEPS), f"a whole number of steps from 1 to {MOST_STEPS:,}"),
    "exact": (lambda value: isinstance(value, bool), "true or false"),
    "shape": (_is_shape, f"the shape of one image, [1, ...], of {MOST_VALUES:,} values at most"),
    "largest": (lambda value: type(value) in (int, float) and abs(value) < 1e30, "a finite number"),
}
"""What `save` says of a network, each with what it may be."""
