"""Segment: the layers between the last spikes and one neuron, as a function of the spikes that reach them.

A correction asks what the converted network feeds a neuron, changes a bias or trains a weight, and asks again; the
spikes that enter the segment stay as they are. Only one segment is computed at a time, a few images at a time.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, fx, nn

from snnlab.converters.graph import Graph, evaluate
from snnlab.converters.graph.layers import CONVS, POOLS, SUMS, is_max_pool
from snnlab.converters.graph.unroll import Unroll

Part = slice | Tensor
"""Some of the images: a slice, or whole numbers [n]."""

AFFINE = (*CONVS, nn.Linear)


class Segment:
    """What one neuron is fed, computed from the spikes of the neurons before it.

    Args:
        graph: a traced network, neurons at the sites before this one.
        node: the site.
        images: [N, ...].
        spikes: for each site that the segment reads, the output of its neuron, [T, N, ...].
        T: steps.
    """

    def __init__(
        self, graph: Graph, node: fx.Node, images: Tensor, spikes: Mapping[fx.Node, Tensor], T: int
    ) -> None:
        self.graph, self.node, self.images, self.T = graph, node, images, T
        inside, self.sources = between(node)
        self.nodes = [other for other in graph.graph.nodes if other in inside and other.op != "placeholder"]
        self.spikes = {site: spikes[site] for site in self.sources}

    def __call__(self, part: Part = slice(None)) -> Tensor:
        """The current of the neuron for some of the images, [T, n, ...]; gradients reach the layers' parameters."""
        unroll = Unroll(self.graph, {self.graph.input: self.images[part]}, self.T)
        for site, output in self.spikes.items():
            unroll.values[site] = output[:, part].flatten(0, 1)
        for node in self.nodes:
            if node.meta["temporal"]:
                unroll.values[node] = evaluate(self.graph, node, unroll.value)
            else:
                unroll.static[node] = evaluate(self.graph, node, unroll.static.__getitem__)
        return unroll.current(self.node)

    def of_one_image(self) -> list[Tensor]:
        """What reaches the segment in one step of one image: spikes, each [...]."""
        return [output[0, 0] for output in self.spikes.values()]

    @property
    def layers(self) -> dict[str, nn.Module]:
        """Every layer of the segment by name, in order."""
        called = (node for node in self.nodes if node.op == "call_module")
        return {str(node.target): self.graph.module(node) for node in called}

    @property
    def own(self) -> dict[str, nn.Module]:
        """The layers with weights that feed no other neuron: these may be changed."""
        mine = {str(node.target) for node in self.nodes if _feeds_only(node, self.node)}
        return {
            name: layer for name, layer in self.layers.items() if name in mine and isinstance(layer, AFFINE)
        }

    def shift(self, delta: Tensor) -> bool:
        """Add delta, one number or one a channel, to the current of every step, through a layer's bias.

        Returns: False if no layer of the segment can take it (a shortcut alone, one that feeds others too).
        """
        last = next((name for name in _last_layers(self.node, self.graph) if name in self.own), None)
        if last is None:
            return False
        layer = self.own[last]
        outputs = layer.weight.shape[0]  # type: ignore[index]
        if delta.numel() not in (1, outputs):
            return False
        bias = layer.bias if layer.bias is not None else torch.zeros(outputs, dtype=delta.dtype)
        layer.bias = nn.Parameter((bias + delta.reshape(-1)).detach(), requires_grad=False)  # type: ignore[operator]
        return True


def between(node: fx.Node) -> tuple[set[fx.Node], set[fx.Node]]:
    """The nodes that feed a site, back to the last sites and the images; and those sites."""
    inside: set[fx.Node] = set()
    sources: set[fx.Node] = set()
    waiting = list(node.all_input_nodes)
    while waiting:
        current = waiting.pop()
        if "site" in current.meta:
            sources.add(current)
        elif current not in inside:
            inside.add(current)
            waiting += current.all_input_nodes
    return inside, sources


def _feeds_only(node: fx.Node, site: fx.Node) -> bool:
    return all(
        user is site or ("site" not in user.meta and _feeds_only(user, site)) for user in node.users
    ) and bool(node.users)


def _last_layers(node: fx.Node, graph: Graph) -> Iterator[str]:
    """The layers whose bias reaches the site as it is: only sums, averages and maxima lie between."""
    for feed in node.all_input_nodes:
        module = graph.module(feed) if feed.op == "call_module" else None
        if isinstance(module, AFFINE):
            yield str(feed.target)
        elif (
            (isinstance(module, POOLS) and _unpadded(module))
            or feed.target in SUMS
            or is_max_pool(feed, module)
        ):
            yield from _last_layers(feed, graph)


def _unpadded(pool: nn.Module) -> bool:
    return getattr(pool, "padding", 0) in (0, (0, 0))
