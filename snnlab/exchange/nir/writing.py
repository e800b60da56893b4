"""A converted network as a NIR graph: the network as it runs, on its grid, node after node."""

import json
import os
from pathlib import Path
from typing import Any, NoReturn

import nir
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.conversion import SNN
from snnlab.converters.graph import evaluate, source
from snnlab.converters.graph.layers import DROPOUTS, POOL_CALLS, POOLS, SUMS
from snnlab.converters.grid import Exact, Rescale
from snnlab.exchange.nir.nodes import affine_node, array, conv_node, scale_node
from snnlab.neurons import IF, LIF

RESHAPES: set[Any] = {torch.flatten, torch.reshape, torch.squeeze, torch.unsqueeze}
RESHAPES |= {"flatten", "view", "reshape", "squeeze", "unsqueeze", "contiguous", "double"}
"""Calls that leave the values in their order: what comes out flat has been flattened."""

Feeds = dict[str, tuple[float, ...]]
"""A value as the NIR nodes whose outputs add up to it, each with the steps to whose multiples it is rounded."""


def to_nir(snn: SNN) -> nir.NIRGraph:
    """The converted network as a NIR graph; the conventions are in `snnlab.exchange`.

    Raises: ValueError that names the layer that NIR cannot say, what it is, what is allowed and what to do.
    """
    if snn.grid is None:
        raise ValueError(
            "the network was converted with exact=False, so its sums depend on their order and no other simulator "
            "can be held to its spikes: convert it with exact=True"
        )
    with torch.no_grad():
        return _Writer(snn).run()


def write_nir(snn: SNN, path: str | Path) -> None:
    """Write a converted network as a NIR file, whole or not at all, for `read_nir` or another simulator.

    Raises: as `to_nir`.
    """
    graph, path = to_nir(snn), Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        nir.write(str(scratch), graph)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


class _Writer:
    """One pass over the grid; `feeds` holds each value as a sum of NIR nodes."""

    def __init__(self, snn: SNN) -> None:
        assert snn.grid is not None
        self.snn, self.graph = snn, snn.grid
        self.nodes: dict[str, nir.NIRNode] = {}
        self.edges: list[tuple[str, str]] = []
        self.feeds: dict[fx.Node, Feeds] = {}
        self.values: dict[fx.Node, Any] = {}  # one image's, for the shapes
        self.scales: dict[str, float] = {}
        self.rounded: list[tuple[str, str, tuple[float, ...]]] = []

    def run(self) -> nir.NIRGraph:
        image = self.snn.example.to(next(self.graph.buffers()).device)
        for node in self.graph.graph.nodes:
            if node.op == "placeholder":
                self.values[node] = image
                self.nodes["input"] = nir.Input({"input": np.array(self.shape(node))})
                self.feeds[node] = {"input": ()}
            elif node.op == "output":
                shape = np.array(self.shape(source(node)))
                self.add(node, "output", nir.Output({"output": shape}))
            else:
                self.values[node] = evaluate(self.graph, node, self.values.__getitem__, _one_step)
                if isinstance(self.values[node], Tensor):
                    self.write(node)
        return nir.NIRGraph(self.nodes, self.edges, {"snnlab": json.dumps(self.about())})

    def about(self) -> dict[str, Any]:
        """What NIR cannot say of the whole, so that `read_nir` gives the same bits."""
        method = {"method": self.snn.method.name, "depends_on_T": self.snn.method.depends_on_T}
        run = {"T": self.snn.T, "largest": float(self.snn.example.amax()), "order": list(self.nodes)}
        return {"version": 1, **method, **run, "scales": self.scales, "rounded": self.rounded}

    def write(self, node: fx.Node) -> None:
        module = self.graph.module(node) if node.op == "call_module" else None
        if isinstance(module, IF):
            self.add(node, str(node.target), _neuron(str(node.target), module, self.shape(node)))
        elif isinstance(module, Exact):
            self.add(node, str(node.target), self.layer(node, module.layer))
        elif isinstance(module, Rescale):
            self.rescale(node, module)
        elif isinstance(module, POOLS) or node.target in POOL_CALLS:
            self.pool(node)
        elif node.target in SUMS:
            self.sum(node)
        elif isinstance(module, (nn.Identity, nn.Flatten, *DROPOUTS)) or node.target in RESHAPES:
            self.reshape(node, self.feeds[source(node)], self.shape(source(node)))
        else:
            self.refuse(
                node, "NIR has no node for it; use convolution, linear, average pooling, sums, flatten"
            )

    # --- nodes and edges -----------------------------------------------------------------------------------------

    def add(self, node: fx.Node, name: str, wanted: nir.NIRNode, feeds: Feeds | None = None) -> None:
        """Put a NIR node in place of a node of the grid; `feeds` are what enters it, if not the node's own."""
        feeds = self.feeds[source(node)] if feeds is None else feeds
        names = (name if k == 1 else f"{name}#{k}" for k in range(1, len(self.nodes) + 2))
        name = next(candidate for candidate in names if candidate not in self.nodes)
        self.nodes[name] = wanted
        for feed, steps in feeds.items():
            self.edges.append((feed, name))
            if steps:
                self.rounded.append((feed, name, steps))
        self.feeds[node] = {name: ()}

    def shape(self, node: fx.Node) -> tuple[int, ...]:
        """Of one image's value."""
        return tuple(self.values[node].shape[1:])

    def refuse(self, node: fx.Node, advice: str) -> NoReturn:
        name: Any = node.target
        if node.op == "call_module":
            layer = dict(self.snn.graph.named_modules()).get(name, self.graph.module(node))
            raise ValueError(f"layer {name!r} is {layer}: {advice}")
        name = name if isinstance(name, str) else getattr(name, "__name__", name)
        raise ValueError(f"{name}() in the network's forward ({node.name!r} in the graph): {advice}")

    # --- rules ---------------------------------------------------------------------------------------------------

    def layer(self, node: fx.Node, layer: nn.Module) -> nir.NIRNode:
        shape = self.shape(source(node))
        if isinstance(layer, nn.Linear) and len(shape) == 1:
            return affine_node(layer)
        if not isinstance(layer, nn.Conv2d) or len(shape) != 3:
            self.refuse(node, "NIR has nn.Conv2d on [C, H, W] and nn.Linear on [F]; use those and retrain")
        if layer.padding_mode != "zeros" or layer.kernel_size[0] != layer.kernel_size[1]:
            self.refuse(node, "NIR pads with zeros, and its kernels are square; use such a one and retrain")
        return conv_node(layer, *shape[1:])

    def rescale(self, node: fx.Node, rescale: Rescale) -> None:
        """Rounding alone is noted at the edges; a scaling is a node, also one of a sum that is rounded."""
        step: Any = rescale.step
        ratio: Any = rescale.ratio
        offset: Any = rescale.offset
        feeds = self.feeds[source(node)]
        if len(feeds) == 1 and offset is None and bool((ratio * step == 1).all()):
            self.feeds[node] = {name: (*steps, float(step)) for name, steps in feeds.items()}
            return
        wanted = scale_node(ratio * step, None if offset is None else offset * step, self.shape(node))
        if wanted is None:
            self.refuse(node, "NIR has no scale with an offset for each neuron; fold it into a layer")
        self.add(node, f"scale_{len(self.scales)}", wanted)
        self.scales[next(iter(self.feeds[node]))] = float(step)

    def pool(self, node: fx.Node) -> None:
        """The window that gives the same averages; found by trying, so that every spelling of a mean is known."""
        before, after = self.shape(source(node)), self.shape(node)
        module = self.graph.module(node) if node.op == "call_module" else None
        window = _window(node, module, before, after)
        probe = torch.rand(1, *before, dtype=torch.float64, device=self.values[node].device)
        wanted = evaluate(self.graph, node, lambda n: probe if n is source(node) else self.values[n])
        got = F.avg_pool2d(probe, *window) if window else wanted[:0]
        if got.numel() != wanted.numel() or not torch.allclose(got, wanted.view_as(got)):
            self.refuse(
                node,
                f"from {list(before)} to {list(after)} it is no nir.AvgPool2d, which averages whole windows of "
                "[C, H, W], all alike, with padding counted; use such a one and retrain",
            )
        name = node.name if module is None else str(node.target)
        self.add(node, name, nir.AvgPool2d(*map(np.array, window)))
        self.reshape(node, self.feeds[node], tuple(got.shape[1:]))

    def sum(self, node: fx.Node) -> None:
        a, b = node.all_input_nodes[0], node.all_input_nodes[-1]
        if self.feeds[a].keys() & self.feeds[b].keys() or self.shape(a) != self.shape(b):
            self.refuse(
                node,
                "in NIR a sum is several edges into one node, so both terms must have one shape and no part in "
                "common; write 2 * x in place of x + x",
            )
        self.feeds[node] = self.feeds[a] | self.feeds[b]

    def reshape(self, node: fx.Node, feeds: Feeds, before: tuple[int, ...]) -> None:
        after = self.shape(node)
        if before == after:
            self.feeds[node] = feeds
        elif len(after) == 1:
            name = node.name if node.op != "call_module" or node in self.feeds else str(node.target)
            flatten = nir.Flatten({"input": np.array(before)}, start_dim=0, end_dim=-1)
            self.add(node, name, flatten, feeds)
        else:
            self.refuse(
                node, f"it makes {list(after)} of {list(before)}, but NIR can only flatten all axes into one"
            )


def _one_step(_: str, neuron: nn.Module, current: Tensor) -> Tensor:
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


def _window(
    node: fx.Node, pool: nn.Module | None, before: tuple[int, ...], after: tuple[int, ...]
) -> tuple[Any, ...]:
    """Kernel, stride and padding that a pool may have, each (H, W); none if it is not over two axes."""
    if node.target is F.avg_pool2d:
        given: Any = (node.args[1:], {name: value for name, value in node.kwargs.items() if name != "input"})
        pool = nn.AvgPool2d(*given[0], **given[1])
    if isinstance(pool, nn.AvgPool2d):
        window = (pool.kernel_size, pool.stride, pool.padding)
        return tuple(value if isinstance(value, tuple) else (value, value) for value in window)
    if len(before) != 3:
        return ()
    left = after[1:] if len(after) == 3 else (1, 1)
    kernel = tuple(whole // part for whole, part in zip(before[1:], left, strict=True))
    return (kernel, kernel, (0, 0)) if min(kernel) > 0 else ()
