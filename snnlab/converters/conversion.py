"""convert: a trained ANN becomes a spiking network, by the choices that a method declares."""

import copy
from typing import Any

import torch
from torch import Tensor, fx, nn

from snnlab.activations import QuantClip
from snnlab.converters.catalogue import find
from snnlab.converters.choices.segment import Segment, between
from snnlab.converters.choices.site import Site
from snnlab.converters.graph import ACTIVATIONS, Graph, evaluate, free, trace, walk
from snnlab.converters.graph.layers import DROPOUTS, SHAPE_QUERIES, describe
from snnlab.converters.grid import on_grid
from snnlab.converters.methods import Method
from snnlab.datasets import Split
from snnlab.neurons import IF
from snnlab.progress import progress_bar

THRESHOLD_FLOOR = 1e-3
"""Smallest threshold within a layer, relative to its largest: smaller ones would cost the grid its bits."""


class SNN(nn.Module):
    """A converted network: layers and neurons in activation units, and the same on the grid it runs on.

    Attributes:
        graph: the traced network with a neuron at each site, activation units.
        grid: the same network as the simulator computes it, exactly; None if exact=False.
        method, T: what it was converted with and for.
        rows: each layer of the ANN, what it was, what became of it.
        example: [1, ...], an image's shape, filled with the calibration images' largest value.
    """

    def __init__(
        self,
        graph: Graph,
        grid: Graph | None,
        method: Method,
        T: int,
        rows: list[tuple[str, ...]],
        example: Tensor,
    ) -> None:
        super().__init__()
        self.graph, self.grid, self.method, self.T = graph, grid, method, T
        self.rows, self.example = rows, example

    @property
    def latency(self) -> int:
        """Steps from the first input to the last output: T, and T more for each layer that looks ahead."""
        return self.T * (1 + sum(neuron.looks_ahead for neuron in self.sites.values()))

    @property
    def sites(self) -> dict[str, IF]:
        """The neurons by name, in order, activation units."""
        return self.graph.sites  # type: ignore[return-value]

    def summary(self) -> str:
        """A table: each layer of the ANN, and what became of it."""
        widths = [max(len(row[k]) for row in self.rows) for k in range(2)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in self.rows]
        title = (
            f"{self.method.name}: {self.method.title} ({self.method.paper}, {self.method.year}), T = {self.T}"
        )
        return "\n".join([title, "", *lines])


def convert(
    ann: nn.Module,
    method: str | Method,
    calibration: Tensor | Split,
    T: int,
    *,
    exact: bool = True,
    progress: bool = True,
) -> SNN:
    """A spiking network that computes what ann computes, as far as T steps can say it. ann is left as it is.

    Site after site, in the order of execution: threshold, initial potential, neuron, corrections; then the tuning, if
    the method has one. A rule sees what the ANN has there, and a correction also what the layers converted so far
    feed the neuron.

    Args:
        method: a name of the catalogue, or a Method.
        calibration: training images [N, ...], or a Split of them; never test images. A tuning needs their labels.
        T: steps that the network will run, >= 1; matters only to methods that depend on T.
        exact: put the network on a grid, so that it computes the same bits everywhere (grid.py).
        progress: show a progress bar.
    Raises: ValueError that names the layer or argument, what it is, what is allowed and what to do.
    """
    method, images = find(method), _images(calibration)
    if not isinstance(T, int) or T < 1:
        raise ValueError(f"T = {T!r}, but the number of steps must be a whole number, 1 or more")
    wanted = type(method.activation())
    graph = trace(copy.deepcopy(ann).cpu().float(), (*ACTIVATIONS, wanted))
    activations, before = graph.sites, copy.deepcopy(graph) if method.tuning else None
    _check_activations(activations, method, wanted)
    with torch.inference_mode():
        _check_traced(ann, graph, images, wanted)
    with torch.no_grad():
        _place_neurons(graph, images, method, T, progress)
        if method.tuning is not None and before is not None:
            method.tuning(graph, before, _labelled(calibration, method), T)
    rows, example = fates(ann, graph, activations), torch.full_like(images[:1], float(images.abs().amax()))
    return SNN(graph, on_grid(graph, example) if exact else None, method, T, rows, example)


def _images(calibration: Tensor | Split) -> Tensor:
    images = calibration.images if isinstance(calibration, Split) else calibration
    if not isinstance(images, Tensor) or images.ndim < 2 or len(images) < 1:
        given = list(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise ValueError(
            f"calibration is {given}, but it must be a tensor of images [N, ...] or a Split, N >= 1"
        )
    if not bool(images.isfinite().all()):
        raise ValueError("calibration holds NaN or infinite values")
    return images.detach().cpu().float()


def _labelled(calibration: Tensor | Split, method: Method) -> Split:
    if not isinstance(calibration, Split):
        raise ValueError(
            f"method {method.name!r} needs labelled images: hand in calibration as a Split, e.g. data.calibration"
        )
    return Split(calibration.images.detach().cpu().float(), calibration.labels.cpu())


def _check_activations(activations: dict[str, nn.Module], method: Method, wanted: type[nn.Module]) -> None:
    allowed = (nn.ReLU, nn.ReLU6) if wanted is nn.ReLU else (wanted,)
    for name, activation in activations.items():
        if type(activation) not in allowed:  # a QCFS is a QuantClip, but rounds in another way
            raise ValueError(
                f"activation {name!r} is {activation}, but method {method.name!r} needs a network trained with "
                f"{wanted.__name__}: build the network with activation={wanted.__name__}, train it, convert again"
            )


def _check_traced(ann: nn.Module, graph: Graph, images: Tensor, wanted: type[nn.Module]) -> None:
    """The graph must compute what ann computes, and each image by itself.

    Folding batch norm moves the last digits, which moves an activation that rounds by a level now and then, and with
    it all that comes after: such a network is compared again in float64, where that does not happen.
    """
    problem = _difference(copy.deepcopy(ann).cpu().float(), graph, images[:8])
    if problem and issubclass(wanted, QuantClip):
        exact = copy.deepcopy(ann).cpu().double()
        problem = _difference(exact, trace(exact, (*ACTIVATIONS, wanted)), images[:8].double())
    if problem:
        raise ValueError(problem)


def _difference(ann: nn.Module, graph: Graph, few: Tensor) -> str:
    """What the graph does otherwise than ann, and how to mend it; nothing if they agree."""
    expected, got = ann.eval()(few), walk(graph, few)
    tolerance = 1e-3 * float(expected.abs().amax()) + 1e-6
    if got.shape != expected.shape or float((got - expected).abs().amax()) > tolerance:
        return (
            "the traced graph computes something else than the network: its forward depends on more than its input "
            "(a random number, a value set from outside, a change in place through a view); make it a plain function"
        )
    if len(few) > 1 and not torch.allclose(walk(graph, few[:1]), got[:1], rtol=1e-3, atol=tolerance):
        return (
            "an image's output depends on the other images of its batch (a mean or a reshape over axis 0); "
            "leave axis 0, the batch, alone"
        )
    return ""


def _place_neurons(graph: Graph, images: Tensor, method: Method, T: int, progress: bool) -> None:
    """Walk both networks side by side and put a neuron at each site."""
    values: dict[fx.Node, Any] = {graph.input: images}
    spikes: dict[fx.Node, Tensor] = {}
    nodes = [node for node in graph.graph.nodes if node.op not in ("placeholder", "output")]
    last_reader = {source: node for node in nodes if "site" in node.meta for source in between(node)[1]}
    for node in progress_bar(nodes, f"converting with {method.name}", disable=not progress):
        activation = graph.module(node) if "site" in node.meta else None
        values[node] = evaluate(graph, node, values.__getitem__)
        if activation is not None:
            segment = Segment(graph, node, images, spikes, T) if method.corrections else None
            site = Site(str(node.target), T, activation, values[node], segment)
            graph.put(site.name, _neuron(site, method))
            if method.corrections and node in last_reader:
                spikes[node] = site.output()
            for source in [source for source in spikes if last_reader[source] is node]:
                del spikes[source]
        free(values, node)


def _neuron(site: Site, method: Method) -> IF:
    site.threshold = _floored(method.threshold(site))
    site.neuron = method.neuron(site.threshold, method.v0(site))
    for correction in method.corrections:
        correction(site)
    return site.neuron


def _floored(threshold: Tensor) -> Tensor:
    """Thresholds above zero: a layer or channel silent on the calibration images gets one all the same."""
    largest = float(threshold.amax())
    return threshold.clamp(min=THRESHOLD_FLOOR * largest) if largest > 0 else torch.ones_like(threshold)


def fates(ann: nn.Module, graph: Graph, activations: dict[str, nn.Module]) -> list[tuple[str, ...]]:
    """(layer, what it was, what became of it) for every layer and call, and for layers never called."""
    rows, used = [], set()
    for node in graph.graph.nodes:
        if node.op in ("placeholder", "output"):
            continue
        name = str(node.target)
        used |= {name.split("#", maxsplit=1)[0], node.meta.get("folded", "")}
        if node.target in SHAPE_QUERIES:
            continue
        if node.op != "call_module":
            rows.append(
                (describe(node, graph).split("(")[0] + "()", "function", node.meta.get("fate", "kept"))
            )
        elif isinstance(graph.module(node), DROPOUTS):
            rows.append((name, str(graph.module(node)), "left out: it drops nothing outside training"))
        elif name in activations:
            rows.append((name, str(activations[name]), f"-> {graph.module(node)}"))
        else:
            folded = f", with {node.meta['folded']!r} folded in" if "folded" in node.meta else ""
            rows.append((name, str(graph.module(node)), node.meta.get("fate", "kept") + folded))
    leaves = [(name, m) for name, m in ann.named_modules() if not list(m.children()) and name not in used]
    return rows + [(name, str(module), "not used by the forward: left out") for name, module in leaves]
