"""Segment: the layers between the last spikes and one neuron, as a function of the spikes that reach them.

A correction asks what the converted network feeds a neuron, changes a bias or trains a weight, and asks again; the
spikes that enter the segment stay as they are. Only one segment is computed at a time, a few images at a time.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

import torch
from torch import Tensor, nn

from snnlab.converters.choices.trains import Part, Train
from snnlab.converters.graph import Average, Graph, Max, Node, Sum, Weighted
from snnlab.converters.graph.unroll import Plan, Unroll


class Segment:
    """What one neuron is fed, computed from the spikes of the neurons before it.

    Args:
        graph: a traced network, neurons at the sites before this one.
        node: the site.
        images: [N, ...].
        spikes: for each site that the segment reads, what its neuron sent, [T, N, ...].
        T: steps.
    """

    def __init__(
        self, graph: Graph, node: Node, images: Tensor, spikes: Mapping[Node, Train], T: int
    ) -> None:
        self.graph, self.node, self.images, self.T = graph, node, images, T
        inside, self.sources = between(node)
        self.nodes = [other for other in graph.nodes if other in inside]
        self.spikes = {site: spikes[site] for site in self.sources}
        self.plan = Plan(graph)

    def __call__(self, part: Part = slice(None)) -> Tensor:
        """The current of the neuron for some of the images, [T, n, ...]; gradients reach the layers' parameters."""
        return self._current(part, {site: train[part] for site, train in self.spikes.items()}, self.T)

    def mean(self, part: Part = slice(None)) -> Tensor:
        """The current's mean over the steps, [n, ...]: every layer is affine, so that of the mean spikes."""
        return self._current(part, {site: rate[part].unsqueeze(0) for site, rate in self.rates.items()}, 1)[0]

    @cached_property
    def rates(self) -> dict[Node, Tensor]:
        """What the neurons before it send in the mean over the steps, [N, ...]."""
        return {site: train.mean() for site, train in self.spikes.items()}

    def _current(self, part: Part, spikes: Mapping[Node, Tensor], T: int) -> Tensor:
        unroll = Unroll(self.plan, {self.graph.input: self.images[part]}, T)
        for site, sent in spikes.items():
            unroll.values[site] = sent.flatten(0, 1)
        for node in self.nodes:
            if node in self.plan.temporal:
                unroll.values[node] = unroll.compute(node)
            else:
                unroll.static[node] = node.kind(*(unroll.static[other] for other in node.inputs))
        return unroll.current(self.node)

    def of_one_image(self) -> list[tuple[int, ...]]:
        """The shapes of what reaches the segment in one step of one image."""
        return [train.shape[2:] for train in self.spikes.values()]

    @property
    def layers(self) -> dict[str, nn.Module]:
        """Every layer of the segment by name, in order."""
        return {node.name: node.kind for node in self.nodes}

    @property
    def own(self) -> dict[str, Weighted]:
        """The layers with weights that feed no other neuron: these may be changed."""
        mine = (node for node in self.nodes if isinstance(node.kind, Weighted))
        return {node.name: node.kind for node in mine if _feeds_only(node, self.node)}  # type: ignore[misc]

    def shift(self, delta: Tensor) -> bool:
        """Add delta, one number or one a channel, to the current of every step, through a layer's bias.

        Returns: False if no layer of the segment can take it (a shortcut alone, one that feeds others too).
        """
        layer = next((self.own[node.name] for node in _last_layers(self.node) if node.name in self.own), None)
        if layer is None or delta.numel() not in (1, layer.outputs):
            return False
        bias = layer.bias if layer.bias is not None else torch.zeros(layer.outputs, dtype=delta.dtype)
        layer.bias = nn.Parameter((bias + delta.reshape(-1)).detach(), requires_grad=False)
        return True


def between(node: Node) -> tuple[set[Node], set[Node]]:
    """The nodes that feed a site, back to the last sites and the images; and those sites."""
    inside: set[Node] = set()
    sources: set[Node] = set()
    waiting = list(node.inputs)
    while waiting:
        current = waiting.pop()
        if current.site:
            sources.add(current)
        elif current not in inside:
            inside.add(current)
            waiting += current.inputs
    return inside, sources


def last_readers(graph: Graph) -> dict[Node, Node]:
    """For each site the last one whose segment reads its spikes."""
    return {source: node for node in graph.nodes if node.site for source in between(node)[1]}


def _feeds_only(node: Node, site: Node) -> bool:
    return bool(node.readers) and all(
        reader is site or (not reader.site and _feeds_only(reader, site)) for reader in node.readers
    )


def _last_layers(node: Node) -> Iterator[Node]:
    """The layers whose bias reaches the site as it is: only plain sums, whole averages and maxima lie between."""
    for k, feed in enumerate(node.inputs):
        if isinstance(node.kind, Sum) and not bool((node.kind.ratios[k] == 1).all()):
            continue
        if isinstance(feed.kind, Weighted):
            yield feed
        elif isinstance(feed.kind, Sum | Max) or (isinstance(feed.kind, Average) and feed.kind.whole):
            yield from _last_layers(feed)
