"""Unroll a converted network over time steps: layers see [T * B, ...], neurons see [T, B, ...].

What does not change over the steps (everything before the first neurons) is computed once, on [B, ...].
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, fx

from snnlab.converters.graph import Graph, evaluate, free, source
from snnlab.neurons import IF

AtNeuron = Callable[[str, IF, Tensor], Tensor]
"""(name, neuron, current [T, B, ...]) -> output [T, B, ...]"""


class Unroll:
    """One batch of images on its way through a spiking network, for T steps; call `advance` node after node.

    Args:
        graph: a converted network.
        static: what `static_values` gave for the images.
        T: steps to take.
    """

    def __init__(self, graph: Graph, static: dict[fx.Node, Any], T: int) -> None:
        self.graph, self.static, self.T = graph, static, T
        self.values: dict[fx.Node, Any] = {}

    def advance(self, node: fx.Node, at_neuron: AtNeuron) -> None:
        """Compute one node that changes over the steps; its inputs must have been computed."""
        if "site" in node.meta:
            name, neuron = str(node.target), self.graph.module(node)
            output = at_neuron(name, neuron, self.current(node))  # type: ignore[arg-type]
            self.values[node] = output.flatten(0, 1)
        else:
            self.values[node] = evaluate(self.graph, node, self.value)
        free(self.values, node)

    def current(self, node: fx.Node) -> Tensor:
        """What reaches the neuron at a site, [T, B, ...]."""
        feed = source(node)
        if feed.meta["temporal"]:
            return self.values[feed].unflatten(0, (self.T, -1))
        still = self.static[feed]
        return still.expand(self.T, *still.shape)

    def value(self, node: fx.Node) -> Any:
        """A node's value over all steps, [T * B, ...]; of a shape, the shape that has T * B."""
        if node.meta["temporal"]:
            return self.values[node]
        still = self.static[node]
        if isinstance(still, Tensor):
            return still.expand(self.T, *still.shape).flatten(0, 1)
        return evaluate(self.graph, node, self.value)


def static_values(graph: Graph, images: Tensor) -> dict[fx.Node, Any]:
    """The values of all nodes that do not change over the steps, for images [B, ...]."""
    values: dict[fx.Node, Any] = {graph.input: images}
    for node in graph.graph.nodes:
        if node.op not in ("placeholder", "output") and not node.meta["temporal"]:
            values[node] = evaluate(graph, node, values.__getitem__)
    return values


def temporal_nodes(graph: Graph) -> list[fx.Node]:
    """The nodes that change over the steps, in order."""
    return [node for node in graph.graph.nodes if node.meta["temporal"] and node.op != "output"]
