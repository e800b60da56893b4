"""Spiking networks as files: what a conversion found, to be run again without converting again.

A file holds tensors and a few words (safetensors), nothing that could run. The network's code is not in it: to load,
hand in an ANN of the same class.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import nn

from snnlab import training
from snnlab.converters.catalogue import find
from snnlab.converters.conversion import fates
from snnlab.converters.graph import ACTIVATIONS, Weighted, trace
from snnlab.converters.grid import on_grid
from snnlab.converters.methods import Method
from snnlab.converters.snn import SNN
from snnlab.neurons import IF


def save(snn: SNN, path: str | Path) -> None:
    """Write a converted network as safetensors: weights, thresholds, potentials; its method's name and T."""
    about = {"method": snn.method.name, "T": snn.T, "exact": snn.grid is not None, "bits": snn.bits}
    images = {"shape": list(snn.example.shape), "largest": float(snn.example.amax())}
    training.save_tensors(dict(snn.graph.tensors()), path, snn=json.dumps(about | images))


@torch.no_grad()
def load(ann: nn.Module, path: str | Path, method: Method | None = None) -> SNN:
    """Read what `save` wrote; the network runs as it ran, bit for bit. ann is left as it is.

    Args:
        ann: a network of the class that was converted; its own weights do not matter.
        method: the one it was converted with, if it is neither of the catalogue nor registered.
    Raises: FileNotFoundError; ValueError for a damaged file, no spiking network, or one of another network.
    """
    about = _about(Path(path))
    method = find(about["method"]) if method is None else method
    wanted = type(method.activation())
    example = torch.full(about["shape"], about["largest"])
    graph = trace(ann, example, (*ACTIVATIONS, wanted))
    activations = graph.sites
    with safe_open(Path(path), framework="pt") as file:
        held = set(file.keys())
        for node in graph.nodes:
            if node.site and f"{node.name}.threshold" not in held:
                raise ValueError(
                    f"{path} is of another network: it has no neuron {node.name!r}. Nothing was loaded"
                )
            if node.site:
                kept = (file.get_tensor(f"{node.name}.{key}") for key in ("threshold", "v0"))
                graph.put(node, _neuron(method, *kept))
            elif isinstance(node.kind, Weighted) and node.kind.bias is None and f"{node.name}.bias" in held:
                node.kind.bias = nn.Parameter(torch.zeros(node.kind.outputs), requires_grad=False)
    own = dict(graph.tensors())
    for name, value in training.load_tensors(path, own)[1].items():
        own[name].copy_(value)
    grid = (
        on_grid(graph, example, about.get("bits", 24)) if about["exact"] else None
    )  # 24: before it was a choice
    return SNN(graph, grid, method, about["T"], fates(ann, graph, activations), example)


def _neuron(method: Method, threshold: torch.Tensor, v0: torch.Tensor) -> IF:
    neuron = method.neuron(threshold, threshold / 2)
    neuron.v0 = v0
    return neuron


def _about(path: Path) -> dict[str, Any]:
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads((file.metadata() or {})["snn"])
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}; convert the network, and save it") from None
    except KeyError:
        raise ValueError(
            f"{path} holds no spiking network, but perhaps an ANN: snnlab.training.load reads those"
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever safetensors makes of a damaged file
        raise ValueError(
            f"{path} is damaged, or not a safetensors file ({error}): convert the network again, and save it"
        ) from None
