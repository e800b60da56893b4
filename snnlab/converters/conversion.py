"""convert: a trained ANN becomes a spiking network, by the choices that a method declares."""

import copy

import torch
from torch import Tensor, nn

from snnlab.activations import Clip, QuantClip
from snnlab.converters.catalogue import find
from snnlab.converters.choices.segment import Segment, between
from snnlab.converters.choices.site import Site
from snnlab.converters.graph import ACTIVATIONS, Graph, Node, plain_copy, trace, unwrapped, walk
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
    graph = trace(ann, images, (*ACTIVATIONS, wanted))
    activations, before = graph.sites, copy.deepcopy(graph) if method.tuning else None
    _check_activations(activations, method, wanted)
    with torch.inference_mode():
        _check_traced(ann, graph, images, wanted)
    with torch.no_grad():
        _place_neurons(graph, images, method, T, progress)
        if method.tuning is not None and before is not None:
            method.tuning(graph, before, _labelled(calibration, method), T)
        rows, example = (
            fates(ann, graph, activations),
            torch.full_like(images[:1], float(images.abs().amax())),
        )
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
    allowed = (nn.ReLU, Clip) if wanted is nn.ReLU else (wanted,)
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
    plain = plain_copy(ann)
    problem = _difference(plain, graph, images[:8])
    if problem and issubclass(wanted, QuantClip):
        few = images[:8].double()
        problem = _difference(plain.double(), trace(ann, few, (*ACTIVATIONS, wanted)), few)
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
    values: dict[Node, Tensor] = {graph.input: images}
    spikes: dict[Node, Tensor] = {}
    freed = graph.last_uses()
    last_reader = {source: node for node in graph.nodes if node.site for source in between(node)[1]}
    for node in progress_bar(graph.nodes, f"converting with {method.name}", disable=not progress):
        values[node] = node.kind(*(values[other] for other in node.inputs))
        if node.site:
            segment = Segment(graph, node, images, spikes, T) if method.corrections else None
            site = Site(node.name, T, node.kind, values[node], segment)
            graph.put(node, _neuron(site, method))
            if method.corrections and node in last_reader:
                spikes[node] = site.output()
            for source in [source for source in spikes if last_reader[source] is node]:
                del spikes[source]
        for other in freed[node]:
            values.pop(other, None)


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
    """(layer, what it was, what became of it) for every layer and call, and for layers that leave no trace."""
    rows: list[tuple[str, ...]] = []
    told: set[str] = set()
    for node in graph.nodes:
        told |= {node.scope if node.was else "", *(name.split("#")[0] for name in node.folded)}
        folded = "".join(f", with {name!r} folded in" for name in node.folded)
        if node.site:
            rows.append((node.name, str(activations[node.name]), f"-> {node.kind}"))
        elif node.was:
            rows.append((node.name, node.was, (node.fate or "kept") + folded))
        elif node.call:
            rows.append((f"{node.call}()", "function", (node.fate or "kept") + folded))
    for name, module in unwrapped(ann).named_modules():
        if name and name not in told and not list(module.children()):
            drops = "Dropout" in type(module).__name__
            unused = (
                "left out: it drops nothing outside training" if drops else "left out: it changes nothing"
            )
            rows.append(
                (name, str(module), unused if name in graph.entered else "not used by the forward: left out")
            )
    return rows
