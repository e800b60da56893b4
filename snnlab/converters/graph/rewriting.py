"""What is rewritten in a graph once it is recorded: unused nodes, max pools, what a layer before can take in.

A maximum of spikes is not the spikes of the maximum. But the first neurons see the same current in every step, and
for an activation f that never falls

    max over the window of f(z)  =  f(max over the window of z),

so a max pool that follows the first neurons can come before them, where it sees a value that does not change over the
steps. That is the one max pool of a ResNet for ImageNet. Nothing is approximated, and fewer neurons are left.

References:
  1) Max pooling in conversion: Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.2.6
"""

from typing import Any

from torch import Tensor, nn

from snnlab.activations import LearnedRange
from snnlab.converters.graph.graph import Graph, Node
from snnlab.converters.graph.kinds import Max, Sum, Weighted
from snnlab.files.language import said

MONOTONE = (nn.ReLU, LearnedRange)
"""Activations that never fall, elementwise."""


def prune(graph: Graph) -> None:
    """Take out what the output does not need."""
    needed: set[Node] = set()
    waiting = [graph.result]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting += node.inputs
    graph.nodes = [node for node in graph.nodes if node in needed]
    graph.wire()


def move_max_pools(graph: Graph) -> None:
    """Move max pools before the first neurons; where one sees no spikes, `fate` says what became of it."""
    spiking: set[Node] = set()  # nodes that change over the steps
    for node in list(graph.nodes):
        if isinstance(node.kind, Max):
            before = node.inputs[0]
            if _is_first(before, spiking) and isinstance(before.kind, MONOTONE):
                _swap(graph, before, node)
                moved = said("moved before {layer}: exact there, since nothing spikes yet")
                node.fate = moved.format(layer=repr(before.name))
            elif before not in spiking:
                node.fate = said("kept: exact here, since nothing spikes yet")
        if node.site or not spiking.isdisjoint(node.inputs):
            spiking.add(node)


def _is_first(node: Node, spiking: set[Node]) -> bool:
    """Whether a node is an activation with no other before it that feeds one layer alone."""
    return node.site and len(node.readers) == 1 and spiking.isdisjoint(node.inputs)


def _swap(graph: Graph, activation: Node, pool: Node) -> None:
    """z -> activation -> pool becomes z -> pool -> activation."""
    for reader in pool.readers:
        reader.inputs = tuple(activation if other is pool else other for other in reader.inputs)
    pool.inputs, activation.inputs = activation.inputs, (pool,)
    if graph.result is pool:
        graph.result = activation
    graph.nodes.remove(activation)
    graph.nodes.insert(graph.nodes.index(pool) + 1, activation)
    graph.wire()


def fold_factors(graph: Graph) -> None:
    """Put into each layer the factor and offset of each channel that follow it: batch norms, for the most part."""
    for node in list(graph.nodes):
        layer = node.inputs[0] if len(node.inputs) == 1 else graph.input
        if not isinstance(node.kind, Sum) or not isinstance(layer.kind, Weighted) or len(layer.readers) > 1:
            continue
        offset: Any = node.kind.offset
        gain, shift = (
            None if v is None else _by_channel(layer.kind, v) for v in (node.kind.ratios[0], offset)
        )
        if gain is None or (shift is None and offset is not None):
            continue
        layer.kind = layer.kind.scaled(gain, shift)
        layer.folded = (*layer.folded, node.name)
        for reader in node.readers:
            reader.inputs = tuple(layer if other is node else other for other in reader.inputs)
        graph.result = layer if graph.result is node else graph.result
        graph.nodes.remove(node)
        graph.wire()


def _by_channel(layer: Weighted, value: Tensor) -> Tensor | None:
    """One number for each output channel, [O], if the value is that."""
    if value.numel() == 1:
        return value.reshape(1).expand(layer.outputs)
    axis = value.ndim - 1 if layer.channel == -1 else 0
    own = value.ndim == layer.weight.ndim - 1 or (layer.channel == -1 and value.ndim >= 1)
    return value.reshape(-1) if own and value.numel() == value.shape[axis] == layer.outputs else None
