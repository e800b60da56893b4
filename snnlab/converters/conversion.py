"""convert: a trained ANN becomes a spiking network, by the choices that a method declares."""

import copy
from contextlib import nullcontext, suppress
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.activations import Clip, QuantClip
from snnlab.converters.catalogue import find
from snnlab.converters.choices.segment import Segment, last_readers
from snnlab.converters.choices.site import Site
from snnlab.converters.choices.trains import Train
from snnlab.converters.graph import ACTIVATIONS, Graph, Node, plain_copy, trace, unwrapped, walk
from snnlab.converters.graph.unroll import channels_last
from snnlab.converters.graph.words import BATCH
from snnlab.converters.grid import BITS, check_bits, on_grid
from snnlab.converters.methods import Method
from snnlab.converters.snn import SNN
from snnlab.converters.threads import one_thread_each, threads_for
from snnlab.datasets.given import Given, images_of, split_of
from snnlab.files.language import said
from snnlab.neurons import IF
from snnlab.neurons.door import check, door
from snnlab.neurons.settings import MOST_STEPS, check_memory, shown_numbers, whole
from snnlab.progress import progress_bar

THRESHOLD_FLOOR = 1e-3
"""Smallest threshold within a layer, relative to its largest: smaller ones would cost the grid its bits."""


@door
def convert(
    ann: nn.Module,
    method: str | Method,
    calibration: Given | None,
    T: int,
    *,
    exact: bool = True,
    bits: int = BITS,
    progress: bool = True,
) -> SNN:
    """A spiking network that computes what ann computes, as far as T steps can say it. ann is left as it is.

    Site after site, in the order of execution: threshold, initial potential, neuron, corrections; then the tuning, if
    the method has one. A rule sees what the ANN has there, and a correction also what the layers converted so far
    feed the neuron.

    Args:
        method: a name of the catalogue, or a Method.
        calibration: training images [N, ...], a Split, or whatever datasets.given.images_of reads; of a DataLoader or
            a Dataset at most 1,024 are taken. Never test images. A tuning needs their labels.
        T: steps that the network will run, >= 1; matters only to methods that depend on T.
        exact: put the network on a grid, so that it computes the same bits everywhere (converters/grid/).
        bits: of a weight on that grid that meets spikes: 24, the finest; 15, two bytes, which takes half the time, and
            moves a spike now and then; 8, one byte, as on neuromorphic chips, coarser and faster still.
        progress: show a progress bar.
    Raises: ValueError that names the layer or argument, what it is, what is allowed and what to do.
    """
    method, T, bits = find(method), whole(T, "T", most=MOST_STEPS), check_bits(bits)
    if calibration is None:
        raise ValueError(
            f"calibration is None, but method {method.name!r} needs {method.needs}: hand in some such as the network "
            "was trained with; where one serves for the shapes, images[:1]"
        )
    images = images_of(calibration)
    wanted = type(method.activation())
    graph = trace(ann, images, (*ACTIVATIONS, wanted))
    activations, before = graph.sites, copy.deepcopy(graph) if method.tuning else None
    _check_activations(activations, method, wanted)
    cores = torch.get_num_threads()
    with threads_for(images.numel()):
        with torch.inference_mode():
            _check_traced(ann, graph, images, wanted)
        _check_memory(graph, images, method, T)
        with torch.no_grad():
            _place_neurons(graph, images, method, T, progress, cores)
            if method.tuning is not None and before is not None:
                method.tuning(graph, before, split_of(calibration), T)
            example, rows = (
                torch.full_like(images[:1], float(images.abs().amax())),
                fates(ann, graph, activations),
            )
            return SNN(graph, on_grid(graph, example, bits) if exact else None, method, T, rows, example)


def _check_memory(graph: Graph, images: Tensor, method: Method, T: int) -> None:
    """Refuse, before it begins, a conversion that would take more than half of the machine's memory."""
    needed = len(images) * _bytes_of_one(graph, images[:1], T / 4 if method.corrections else 0.0)
    fewer = f" or T, {T}," if method.corrections else ""
    check_memory(
        needed,
        f"method {method.name!r} would take some {{}} for {len(images)} calibration images",
        f"lower their number{fewer} or take smaller images",
    )


@torch.inference_mode()
def _bytes_of_one(graph: Graph, image: Tensor, kept: float) -> float:
    """What one image's values take at most, while the network is walked.

    Args:
        kept: bytes of a neuron's spikes over all steps, until the last neuron that they feed is calibrated.
    """
    values, freed, peak, trains = {graph.input: image}, graph.last_uses(), 0.0, {}
    last_reader = last_readers(graph)
    for node in graph.nodes:
        values[node] = node.kind(*(values[other] for other in node.inputs))
        if node in last_reader:
            trains[node] = kept * values[node].numel()
        peak = max(peak, sum(value.nbytes for value in values.values()) + sum(trains.values()))
        trains = {source: size for source, size in trains.items() if last_reader[source] is not node}
        for other in freed[node]:
            values.pop(other, None)
    return peak


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
        return f"the network cannot be converted faithfully: {BATCH}"
    return ""


def _place_neurons(graph: Graph, images: Tensor, method: Method, T: int, progress: bool, cores: int) -> None:
    """Walk both networks side by side and put a neuron at each site; corrections share out images to so many cores."""
    images = channels_last(images)
    values: dict[Node, Tensor] = {graph.input: images}
    spikes: dict[Node, Train] = {}
    freed = graph.last_uses()
    last_reader = last_readers(graph)
    for node in progress_bar(
        graph.nodes, said("converting with {method}").format(method=method.name), disable=not progress
    ):
        values[node] = node.kind(*(values[other] for other in node.inputs))
        if node.site:
            segment = Segment(graph, node, images, spikes, T) if method.corrections else None
            with one_thread_each(images.device, cores) if segment else nullcontext() as pool:
                site = Site(node.name, T, node.kind, values[node], segment, pool=pool)
                graph.put(node, _neuron(site, method))
                if segment and node in last_reader:
                    spikes[node] = site.train()
            site.pool = None  # a rule may have kept the site
            for source in [source for source in spikes if last_reader[source] is node]:
                del spikes[source]
        for other in freed[node]:
            values.pop(other, None)


def _neuron(site: Site, method: Method) -> IF:
    site.threshold = _floored(_fitting("threshold", method.threshold(site), site))
    neuron = method.neuron(site.threshold, _fitting("v0", method.v0(site), site))
    site.neuron = check(f"neuron at {site.name!r}", neuron, IF)
    for correction in method.corrections:
        correction(site)
        _fitting("threshold", site.neuron.threshold, site)
        _fitting("v0", site.neuron.v0, site)
    return site.neuron


def _fitting(name: str, value: Any, site: Site) -> Tensor:
    """What a rule gives, or a correction leaves. Raises: ValueError unless it has a finite number for each neuron."""
    held = torch.as_tensor(check(f"{name} at {site.name!r}", value, Tensor | float))
    wanted = site.target.shape[1:]
    with suppress(RuntimeError):
        held.expand(wanted)  # torch.broadcast_shapes would import SymPy: 2 seconds
        if bool(held.isfinite().all()):
            return held
    raise ValueError(
        f"{name} at {site.name!r} is {shown_numbers(held)}, but a rule must give finite numbers that broadcast to the "
        f"neurons {list(wanted)}"
    )


def _floored(threshold: Tensor) -> Tensor:
    """Thresholds above zero: a layer or channel silent on the calibration images gets one all the same."""
    largest = float(threshold.amax())
    return threshold.clamp(min=THRESHOLD_FLOOR * largest) if largest > 0 else torch.ones_like(threshold)


@door
def fates(ann: nn.Module, graph: Graph, activations: dict[str, nn.Module]) -> list[tuple[str, ...]]:
    """(layer, what it was, what became of it) for every layer and call, and for layers that leave no trace."""
    rows: list[tuple[str, ...]] = []
    told: set[str] = set()
    for node in graph.nodes:
        told |= {node.scope if node.was else "", *(name.split("#")[0] for name in node.folded)}
        folded = "".join(said(", with {layer} folded in").format(layer=repr(name)) for name in node.folded)
        if node.site:
            rows.append((node.name, str(activations[node.name]), f"-> {node.kind}"))
        elif node.was:
            rows.append((node.name, node.was, (node.fate or said("kept")) + folded))
        elif node.call:
            rows.append((f"{node.call}()", said("function"), (node.fate or said("kept")) + folded))
    for name, module in unwrapped(ann).named_modules():
        if name and name not in told and not list(module.children()):
            if name not in graph.entered:
                unused = said("not used by the forward: left out")
            elif "Dropout" in type(module).__name__:
                unused = said("left out: it drops nothing outside training")
            else:
                unused = said("left out: it changes nothing")
            rows.append((name, str(module), unused))
    return rows
