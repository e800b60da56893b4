"""Unroll a converted network over time steps: layers see [T * B, ...], neurons see [T, B, ...].

What does not change over the steps (everything before the first neurons, if the image comes as a constant current) is
computed once, on [B, ...].
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from snnlab.converters.graph.graph import Graph, Node

AtNeuron = Callable[[str, Any, Tensor], Tensor]
"""(name, neuron, current [T, B, ...]) -> output [T, B, ...]"""


class Plan:
    """What changes over the steps in a network, and when its values are read for the last time.

    Args:
        graph: a converted network.
        coded: whether the image, too, comes as spikes, so that it changes.
    """

    def __init__(self, graph: Graph, coded: bool = False) -> None:
        self.graph, self.coded = graph, coded
        self.temporal = graph.temporal(coded)
        self.moving = [node for node in graph.nodes if node in self.temporal]
        self.still = [node for node in graph.nodes if node not in self.temporal]
        self.freed = graph.last_uses()

    def static(self, images: Tensor) -> dict[Node, Tensor]:
        """The values of all nodes that do not change over the steps, for images [B, ...]."""
        values = {} if self.coded else {self.graph.input: images}
        for node in self.still:
            values[node] = node.kind(*(values[other] for other in node.inputs))
        return values


class Unroll:
    """One batch of images on its way through a spiking network, for T steps; call `advance` node after node.

    Args:
        plan: of the network.
        static: what `Plan.static` gave for the images.
        T: steps to take.
        frames: what the image sends, [T, B, ...], if it is coded.
    """

    def __init__(self, plan: Plan, static: dict[Node, Tensor], T: int, frames: Tensor | None = None) -> None:
        self.plan, self.static, self.T = plan, static, T
        self.values: dict[Node, Tensor] = {}
        if frames is not None:
            self.values[plan.graph.input] = frames.flatten(0, 1)

    def advance(self, node: Node, at_neuron: AtNeuron) -> None:
        """Compute one node that changes over the steps; its inputs must have been computed."""
        if node.site:
            self.values[node] = at_neuron(node.name, node.kind, self.current(node)).flatten(0, 1)
        else:
            self.values[node] = self.compute(node)
        for other in self.plan.freed[node]:
            self.values.pop(other, None)

    def run(self, at_neuron: AtNeuron) -> Tensor:
        """All nodes; the output of every step, [T, B, ...]."""
        for node in self.plan.moving:
            self.advance(node, at_neuron)
        return self.values[self.plan.graph.result].unflatten(0, (self.T, -1))

    def compute(self, node: Node) -> Tensor:
        """What a node's kind makes of its inputs over all steps, [T * B, ...]."""
        return node.kind(*(self.value(other) for other in node.inputs))

    def current(self, node: Node) -> Tensor:
        """What reaches the neuron at a site, [T, B, ...]."""
        feed = node.inputs[0]
        if feed in self.plan.temporal:
            return self.values[feed].unflatten(0, (self.T, -1))
        still = self.static[feed]
        return still.expand(self.T, *still.shape)

    def value(self, node: Node) -> Tensor:
        """A node's value over all steps, [T * B, ...]."""
        if node in self.plan.temporal:
            return self.values[node]
        still = self.static[node]
        return still.expand(self.T, *still.shape).flatten(0, 1)


def channels_last(images: Tensor) -> Tensor:
    """The memory layout in which convolutions are fastest; everything after keeps it."""
    return images.contiguous(memory_format=torch.channels_last) if images.ndim == 4 else images
