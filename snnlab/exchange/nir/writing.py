"""A converted network as a NIR graph: the network as it runs, on its grid, node after node."""

import io
from pathlib import Path
from typing import Any, NoReturn

import nir
import numpy as np
import torch
from torch import Tensor, nn

from snnlab import files
from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.graph import Average, Move, Node, Sum, Weighted
from snnlab.converters.grid import Exact, Rescale
from snnlab.converters.snn import SNN
from snnlab.exchange.nir.nodes import affine_node, array, average_node, conv_node, flatten_node, scale_node
from snnlab.exchange.nir.notes import VERSION, noted
from snnlab.neurons import IF, LIF
from snnlab.neurons.door import door

Feeds = dict[str, tuple[float, ...]]
"""A value as the NIR nodes whose outputs add up to it, each with the steps to whose multiples it is rounded."""


@door
def to_nir(snn: SNN) -> nir.NIRGraph:
    """The converted network as a NIR graph; the conventions are in `snnlab.exchange.nir`.

    Raises: ValueError that names the layer that NIR cannot say, what it is, what is allowed and what to do.
    """
    if snn.grid is None:
        raise ValueError(
            "the network was converted with exact=False, so its sums depend on their order and no other simulator "
            "can be held to its spikes: convert it with exact=True"
        )
    with torch.no_grad():
        return _Writer(snn).run()


@door
def write_nir(snn: SNN, path: str | Path) -> None:
    """Write a converted network as a NIR file, whole or not at all, for `read_nir` or another simulator.

    Raises: as `to_nir`.
    """
    content = io.BytesIO()
    nir.write(content, to_nir(snn))
    files.write(path, content.getvalue())


class _Writer:
    """One pass over the grid; `feeds` holds each value as a sum of NIR nodes."""

    def __init__(self, snn: SNN) -> None:
        assert snn.grid is not None
        self.snn, self.graph = snn, snn.grid
        self.nodes: dict[str, nir.NIRNode] = {}
        self.edges: list[tuple[str, str]] = []
        self.feeds: dict[Node, Feeds] = {}
        self.values: dict[Node, Tensor] = {}  # one image's, for the shapes
        self.scales: dict[str, float] = {}
        self.rounded: list[tuple[str, str, tuple[float, ...]]] = []

    def run(self) -> nir.NIRGraph:
        image = self.graph.input
        self.values[image] = self.snn.example.to(next(self.graph.buffers()).device)
        self.nodes["input"] = nir.Input({"input": np.array(self.shape(image))})
        self.feeds[image] = {"input": ()}
        for node in self.graph.nodes:
            inputs = [self.values[other] for other in node.inputs]
            self.values[node] = _one_step(node.kind, inputs[0]) if node.site else node.kind(*inputs)
            self.write(node)
        end = nir.Output({"output": np.array(self.shape(self.graph.result))})
        self.add(Node("output", nn.Identity(), (self.graph.result,)), "output", end)
        return noted(nir.NIRGraph(self.nodes, self.edges, {}), self.about())

    def about(self) -> dict[str, Any]:
        """What NIR cannot say of the whole, so that `read_nir` gives the same bits."""
        method = {"method": self.snn.method.name, "depends_on_T": self.snn.method.depends_on_T}
        run = {"T": self.snn.T, "largest": float(self.snn.example.amax()), "order": list(self.nodes)}
        return {"version": VERSION, **method, **run, "scales": self.scales, "rounded": self.rounded}

    def write(self, node: Node) -> None:
        kind = node.kind
        if isinstance(kind, IF):
            self.add(node, node.name, _neuron(node.name, kind, self.shape(node)))
        elif isinstance(kind, Exact):
            self.add(node, node.name, self.layer(node, kind.layer))
        elif isinstance(kind, Rescale):
            self.rescale(node, kind)
        elif isinstance(kind, Average):
            self.pool(node)
        elif isinstance(kind, Sum):
            self.sum(node, [self.feeds[other] for other in node.inputs])
        elif isinstance(kind, Move) and kind.form == ("reshape",):
            self.reshape(node)
        else:
            self.refuse(
                node, "NIR has no node for it; use convolution, linear, average pooling, sums, flatten"
            )

    # --- nodes and edges -----------------------------------------------------------------------------------------

    def add(self, node: Node, name: str, wanted: nir.NIRNode, feeds: Feeds | None = None) -> str:
        """Put a NIR node in place of a node of the grid, by that name or a like one; `feeds` enter it."""
        feeds = self.feeds[node.inputs[0]] if feeds is None else feeds
        name = name if _is_storable(name) else f"node_{len(self.nodes)}"
        names = (name if k == 1 else f"{name}#{k}" for k in range(1, len(self.nodes) + 2))
        name = next(candidate for candidate in names if candidate not in self.nodes)
        self.nodes[name] = wanted
        for feed, steps in feeds.items():
            self.edges.append((feed, name))
            if steps:
                self.rounded.append((feed, name, steps))
        self.feeds[node] = {name: ()}
        return name

    def shape(self, node: Node) -> tuple[int, ...]:
        """Of one image's value."""
        return tuple(self.values[node].shape[1:])

    def refuse(self, node: Node, advice: str) -> NoReturn:
        raise ValueError(f"{node.said}: {advice}")

    # --- rules ---------------------------------------------------------------------------------------------------

    def layer(self, node: Node, layer: Weighted) -> nir.NIRNode:
        shape = self.shape(node.inputs[0])
        if layer.call == "linear" and len(shape) == 1:
            return affine_node(layer)
        if layer.call != "conv2d" or len(shape) != 3:
            self.refuse(node, "NIR has nn.Conv2d on [C, H, W] and nn.Linear on [F]; use those and retrain")
        if layer.weight.shape[2] != layer.weight.shape[3]:
            self.refuse(node, "NIR pads with zeros, and its kernels are square; use such a one and retrain")
        return conv_node(layer, *shape[1:])

    def rescale(self, node: Node, rescale: Rescale) -> None:
        """Rounding alone is noted at the edges; a scaling is a node, also one of a sum that is rounded."""
        offset: Any = rescale.offset
        feeds = []
        for k, other in enumerate(node.inputs):
            ratio, step = rescale.term(k)
            if ratio is None:
                feeds.append(self.feeds[other])
                continue
            rounded = len(self.feeds[other]) == 1 and bool((ratio == self.divided(other)).all())
            if rounded and (offset is None or len(node.inputs) > 1):
                feeds.append({name: (*steps, float(step)) for name, steps in self.feeds[other].items()})
                continue
            wanted = scale_node(ratio, offset, self.shape(node))
            if wanted is None:
                self.refuse(node, "NIR has no scale with an offset for each neuron; fold it into a layer")
            name = self.add(node, f"scale_{len(self.scales)}", wanted, self.feeds[other])
            self.scales[name], offset = float(step), None
            feeds.append({name: ()})
        if offset is not None:
            self.refuse(node, "NIR has no offset alone; fold it into a layer")
        self.sum(node, feeds)

    def divided(self, node: Node) -> Tensor:
        """What a pool that only sums up must be multiplied with to be the average that it is written as; else 1."""
        own = self.own(node)
        if not isinstance(node.kind, Average) or own is None or node.kind.window == own.window:
            return torch.ones((), dtype=torch.float64)
        return 1 / node.kind(torch.ones_like(self.values[node.inputs[0]]).double()).amax()

    def own(self, node: Node) -> Any:
        """What the network has where its grid has a node."""
        return next((other.kind for other in self.snn.graph.nodes if other.name == node.name), None)

    def pool(self, node: Node) -> None:
        window = self.own(node).window
        if window is None or len(window) != 2:
            before, after = self.shape(node.inputs[0]), self.shape(node)
            self.refuse(
                node,
                f"from {list(before)} to {list(after)} it is no nir.AvgPool2d, which averages whole windows of "
                "[C, H, W], all alike, with padding counted; use such a one and retrain",
            )
        self.add(node, node.name, average_node(window, *self.shape(node.inputs[0])))

    def sum(self, node: Node, feeds: list[Feeds]) -> None:
        shapes = {self.shape(other) for other in node.inputs}
        if len(shapes) > 1 or len({name for feed in feeds for name in feed}) < sum(map(len, feeds)):
            self.refuse(
                node,
                "in NIR a sum is several edges into one node, so both terms must have one shape and no part in "
                "common; write 2 * x in place of x + x",
            )
        self.feeds[node] = {name: steps for feed in feeds for name, steps in feed.items()}

    def reshape(self, node: Node) -> None:
        before, after = self.shape(node.inputs[0]), self.shape(node)
        if before == after:
            self.feeds[node] = self.feeds[node.inputs[0]]
        elif len(after) == 1:
            self.add(node, node.name, flatten_node(before))
        else:
            self.refuse(
                node, f"it makes {list(after)} of {list(before)}, but NIR can only flatten all axes into one"
            )


def _is_storable(name: str) -> bool:
    """Whether HDF5 takes it for a name: there a stroke leads into a group, and a dot is the group itself."""
    plain = name.encode(errors="replace").decode() == name
    return plain and name not in ("", ".", "..") and not {"/", "\0"} & {*name}


def _one_step(neuron: nn.Module, current: Tensor) -> Tensor:
    return neuron(current[None])[0][0]


def _neuron(name: str, neuron: IF, shape: tuple[int, ...]) -> nir.IF:
    if type(neuron) not in (IF, LIF) or neuron.leak != 1.0:
        methods = ", ".join(method.name for method in CATALOGUE.values() if method.neuron is IF)
        raise ValueError(
            f"layer {name!r} is {type(neuron).__name__}({neuron.extra_repr()}): NIR has no such neuron, only one that "
            "adds up its input without a leak, fires at most once a step and is reset (IF); convert with a method "
            f"whose neurons are that: {methods}"
        )
    threshold, v0 = (array(value.expand(1, *shape)[0]) for value in (neuron.threshold, neuron.v0))
    start = {"v0": v0} if v0.any() else {}
    ones, zeros = np.ones_like(threshold), np.zeros_like(threshold)
    return nir.IF(ones, threshold, zeros, metadata={"reset": neuron.reset, **start})
