"""A network as plain data and base64 strings: what a page needs to compute the same numbers, to the last bit.

A layer on the grid has the weights round(W into / out / rows) rows, W the ANN's own in float32. Where that is so, and
the page has the ANN, it is sent `into`, `out` and `rows` alone: many methods then cost little more than one. Else it is
sent whole numbers, and the power of two for each channel. Every array goes as the smallest type that holds it.
"""

import base64
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from snnlab.activations import LearnedRange, QuantClip
from snnlab.converters.graph import Average, Graph, Move, Node, Sum, Weighted
from snnlab.converters.grid import Exact, Rescale
from snnlab.neurons import IF, NEURONS, CounterIF, SignedIF

KINDS = {kind: name for name, kind in NEURONS.items()} | {SignedIF: "snm", CounterIF: "if"}
"""Neurons that a page can step, by exact type; how else a signed one differs is in its settings."""


class Arrays:
    """Arrays as [type, base64], each once; `arrays(values)` gives the place of one, or a number that stands for all."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, str], int] = {}

    @property
    def packed(self) -> list[list[str]]:
        """All of them, in order of their places."""
        return [list(kept) for kept in self.places]

    def __call__(self, values: Tensor, like: tuple[int, ...] | None = None) -> dict[str, int] | float | None:
        """Values, one image's where `like` is its shape; None stands for infinity."""
        values = values.detach().cpu()
        if like is not None:
            values = values.expand(1, *like)[0] if values.ndim > len(like) else values.expand(like)
        flat = values.double().flatten().numpy()
        if flat.size and (flat == flat[0]).all():
            return float(flat[0]) if math.isfinite(flat[0]) else None
        kept = _smallest(flat)
        return {"at": self.places.setdefault(kept, len(self.places))}

    def whole(self, values: Tensor) -> dict[str, int]:
        """An array, even if all its values are the same."""
        kept = _smallest(values.detach().cpu().double().flatten().numpy())
        return {"at": self.places.setdefault(kept, len(self.places))}


def _smallest(flat: np.ndarray) -> tuple[str, str]:
    if np.isfinite(flat).all() and (flat == np.round(flat)).all():
        most = np.abs(flat).max(initial=0)
        for bits in (8, 16, 24, 32):
            if most < 2 ** (bits - 1):
                few = np.ascontiguousarray(flat.astype("<i4")).view(np.uint8).reshape(-1, 4)[:, : bits // 8]
                return f"i{bits}", base64.b64encode(few.tobytes()).decode()
    single = flat.astype("<f4")
    kind, held = ("f32", single) if (single.astype(float) == flat).all() else ("f64", flat.astype("<f8"))
    return kind, base64.b64encode(held.tobytes()).decode()


class Packer:
    """One network, an ANN's graph or a spiking network's grid, node after node.

    Args:
        arrays: where arrays go.
        ann: the graph whose float32 weights the page has, too; None for none.
    """

    def __init__(self, arrays: Arrays, ann: Graph | None = None) -> None:
        self.arrays = arrays
        self.own = {} if ann is None else {node.name: node.kind for node in ann.nodes}

    def __call__(self, graph: Graph, example: Tensor) -> dict[str, Any]:
        """Nodes in order, `inputs` and `result` by their numbers; 0 is the image, whose shape example [1, ...] has.

        Raises: ValueError that names what a page cannot compute.
        """
        numbers, nodes = {graph.input: 0}, []
        values, temporal = {graph.input: example}, graph.temporal()
        with torch.inference_mode():
            for node in graph.nodes:
                inputs = [values[other] for other in node.inputs]
                # of a neuron only the shape counts
                y = inputs[0] if isinstance(node.kind, IF) else node.kind(*inputs)
                said: dict[str, Any] = {
                    "name": node.name,
                    "shape": list(y.shape[1:]),
                    "moves": node in temporal,
                }
                said["inputs"] = [numbers[other] for other in node.inputs]
                nodes.append(said | self.kind(node, tuple(inputs[0].shape[1:]), tuple(y.shape[1:])))
                values[node], numbers[node] = y, len(nodes)
        return {"image": list(example.shape[1:]), "nodes": nodes, "result": numbers[graph.result]}

    def kind(self, node: Node, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, Any]:
        """What a node computes, from its first input's shape and its own."""
        kind: Any = node.kind
        if isinstance(kind, Exact):
            return geometry(kind.layer, before, after) | self.exact(node.name, kind)
        if isinstance(kind, Weighted):
            bias = 0.0 if kind.bias is None else self.arrays.whole(kind.bias)
            return geometry(kind, before, after) | {"weight": self.arrays.whole(kind.weight), "bias": bias}
        if isinstance(kind, Average):
            axes = [
                {"axis": axis - 1, "out": len(a), "shares": self.arrays.whole(a)}
                for axis, a in kind.shares.items()
            ]
            return {"kind": "average", "before": list(before), "axes": axes}
        if isinstance(kind, Rescale | Sum):
            return self.sum(kind, after)
        if isinstance(kind, Move):
            plain = kind.form == ("reshape",)
            return {"kind": "move", "index": None if plain else self.arrays.whole(kind.index)}
        return self.neuron(node, kind, after) if isinstance(kind, IF) else _activation(node)

    def exact(self, name: str, kind: Exact) -> dict[str, Any]:
        """Weights and bias of a layer on the grid; from the ANN's if they follow from those."""
        layer, origin = kind.layer, kind.origin
        own: Any = self.own.get(name)
        bias = 0.0 if layer.bias is None else self.arrays.whole(layer.bias)
        if origin is None:
            return {"weight": self.arrays.whole(layer.weight), "bias": bias}
        rows = layer.by_output(origin.rows)
        said = {"rows": self.arrays.whole(origin.rows.log2()), "bias": bias}
        if isinstance(own, Weighted) and own.weight.shape == layer.weight.shape:
            scaled = own.weight.double() * layer.by_input(origin.into) / layer.by_output(origin.out)
            if torch.equal(torch.round(scaled / rows) * rows, layer.weight.double()):
                units = {"into": self.arrays.whole(origin.into), "out": self.arrays.whole(origin.out)}
                return said | units | {"weight": self.arrays.whole(own.weight)}
        return said | {"weight": self.arrays.whole(layer.weight.double() / rows)}

    def sum(self, kind: Rescale | Sum, shape: tuple[int, ...]) -> dict[str, Any]:
        """Terms that are added up: each with its ratio, rounded to multiples of its step on the grid only."""
        terms: list[dict[str, Any]] = []
        for k in range(kind.terms):
            ratio = getattr(kind, f"ratio{k}")
            step = getattr(kind, f"step{k}", None)
            as_it_is = ratio is None or (step is None and bool((ratio == 1).all()))
            terms.append(
                {"ratio": None}
                if as_it_is
                else {
                    "ratio": self.arrays(ratio, shape),
                    "step": None if step is None else self.arrays(step, shape),
                }
            )
        given: Any = kind.offset
        offset = 0.0 if given is None else self.arrays(given, shape)
        return {"kind": "sum", "terms": terms, "offset": offset}

    def neuron(self, node: Node, neuron: Any, shape: tuple[int, ...]) -> dict[str, Any]:
        """Thresholds (None: never fires), initial potentials and settings."""
        if type(neuron) not in KINDS:
            ahead = (
                " looks ahead over all T steps, and the page takes step after step;"
                if neuron.looks_ahead
                else ""
            )
            known = ", ".join(kind.__name__ for kind in KINDS)
            raise ValueError(
                f"the neuron at {node.name!r} is {type(neuron).__name__}:{ahead} a page knows {known}: take one of "
                "these, or simulate(...) without a page"
            )
        settings = {"kind": KINDS[type(neuron)], "charge": isinstance(neuron, CounterIF)} | neuron.settings()
        if isinstance(neuron, SignedIF):  # in full: the type alone does not say it
            settings |= {
                "negative": neuron.negative,
                "cap": neuron.cap,
                "decay": neuron.decay,
                "leak": neuron.leak,
            }
        threshold, v0 = self.arrays(neuron.threshold, shape), self.arrays(neuron.v0, shape)
        return {"kind": "neuron", "neuron": settings, "threshold": threshold, "v0": v0}


def geometry(layer: Weighted, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, Any]:
    """Channels, places and windows of a layer; a linear one has places without windows, and its channels last."""
    said: dict[str, Any] = {"kind": "weighted", "groups": layer.groups, "transposed": layer.transposed}
    if layer.call == "linear":
        places = [math.prod(before[:-1])]
        said |= {"last": True, "channels": [before[-1], after[-1]], "places": [places, places]}
        return said | {"kernel": [1], "stride": [1], "padding": [0], "dilation": [1]}
    sides = len(before) - 1
    said |= {"last": False, "channels": [before[0], after[0]], "places": [list(before[1:]), list(after[1:])]}
    kernel, dilation = list(layer.weight.shape[2:]), _each(layer.options.get("dilation", 1), sides)
    padding = layer.options.get("padding", 0)
    if padding == "same":
        padding = [d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True)]
    padding = _each(0 if padding == "valid" else padding, sides)
    stride = _each(layer.options.get("stride", 1), sides)
    return said | {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}


def _each(given: Any, sides: int) -> list[int]:
    several = list(given) if isinstance(given, tuple | list) else [given]
    return several * sides if len(several) == 1 else several


def _activation(node: Node) -> dict[str, Any]:
    """An ANN's activation: clipped where `theta` is a number, in steps where `levels` is."""
    kind = node.kind
    if isinstance(kind, QuantClip):
        return {
            "kind": "activation",
            "theta": float(kind.theta),
            "levels": kind.levels,
            "shift": kind.shift,
        }
    if isinstance(kind, LearnedRange):
        return {"kind": "activation", "theta": float(kind.theta), "levels": None}
    if isinstance(kind, nn.ReLU):
        return {"kind": "activation", "theta": None, "levels": None}
    raise ValueError(
        f"{node.said}: a page computes convolutions, linear layers, averages, sums and moves, and ReLU, Clip, "
        "QuantClip, QCFS, RateNorm; not this. Take an average pool in its place and retrain, or simulate(...) "
        "without a page"
    )
