"""A NIR graph as a spiking network that `simulate` runs: this kit's own to the bit, others' as far as they are known.

Only the values are another's. The grid is this kit's, so here, too, nothing depends on batch, chunk or threads.
"""

import copy
import math
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, NoReturn

import nir
import numpy as np
import torch
from torch import Tensor, nn

from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.graph import Average, Graph, Node, Sum, Weighted
from snnlab.converters.grid import Exact, Rescale, on_grid, whole_shares
from snnlab.converters.methods import Method
from snnlab.converters.snn import SNN
from snnlab.exchange.nir.contents import contents
from snnlab.exchange.nir.nodes import LAYERS, scale_of
from snnlab.exchange.nir.notes import check_numbers, notes
from snnlab.files import place, short
from snnlab.files.language import said
from snnlab.neurons import IF, LIF
from snnlab.neurons.door import LARGEST, door
from snnlab.neurons.integrate import Reset
from snnlab.neurons.settings import MOST_STEPS, whole

NEURONS = (nir.IF, nir.LIF, nir.CubaLIF)

MOST_VALUES = 2**26
"""In an image."""


@door
def read_nir(
    source: str | Path | nir.NIRGraph,
    *,
    T: int | None = None,
    dt: float = 1.0,
    reset: Reset = "zero",
    largest: float = 1.0,
) -> SNN:
    """A spiking network from a NIR file or graph; the conventions are in `snnlab.exchange.nir`.

    One that `write_nir` wrote sends the same spikes and gives the same logits, bit for bit. Another's is put on the
    grid. Either is in units of its thresholds: they are 1, and what `simulate` records of potentials and outputs
    counts in thresholds.

    Args:
        source: a path, or a graph.
        T: steps, >= 1, if the graph does not say.
        dt: > 0, length of a step: v <- v + dt * r * I, with a leak v <- v + dt / tau * (r * I - v). SpikingJelly and
            snnTorch write with 1e-4, this kit with 1.
        reset: "subtract" or "zero", for neurons that do not say; NIR's own text resets to v_reset, zero.
        largest: > 0, the largest value of an image, if the graph does not say.
    Raises: FileNotFoundError; ValueError for a damaged file, or one that names the node that cannot be read, what it
        is, what is allowed and what to do.
    """
    if isinstance(source, nir.NIRGraph):
        return _read(source, T, dt, reset, largest)
    path = place(source)
    graph = _load(path)
    try:
        return _read(graph, T, dt, reset, largest)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _read(graph: nir.NIRGraph, T: int | None, dt: float, reset: Reset, largest: float) -> SNN:
    about = notes(graph)
    _check(about, T, dt, largest)
    check_numbers(graph)
    T = T if T is not None else about["T"]
    with torch.no_grad():
        plain = _Builder(graph, about, dt, reset, exact=False).run()
        images = next(node for node in graph.nodes.values() if isinstance(node, nir.Input))
        shape = [1, *(int(size) for size in images.input_type["input"])]
        example = torch.full(shape, float(about.get("largest", largest)))
        exact = _Builder(graph, about, dt, reset, exact=True).run() if about else on_grid(plain, example)
    rows: list[tuple[str, ...]] = [
        (name, f"nir.{type(graph.nodes[name]).__name__}", _fate(plain, name))
        for name in _in_order(graph, about)
    ]
    return SNN(plain, exact, _method(about), T, rows, example)


def _load(path: Path) -> nir.NIRGraph:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; write one with snnlab.exchange.write_nir")
    try:
        return nir.dict2NIRNode(contents(path) | {"type_check": True})
    except Exception as error:  # noqa: BLE001 - whatever HDF5 and NIR make of a damaged file
        reason = short((str(error) or type(error).__name__).splitlines()[0])[1:-1]
        raise ValueError(
            f"{path} is damaged, not a NIR file, or of a newer NIR ({reason}): write it again with the program that "
            "wrote it"
        ) from None


def _check(about: dict[str, Any], T: int | None, dt: float, largest: float) -> None:
    if T is None and "T" not in about:
        raise ValueError("the graph does not say for how many steps it is made: hand in T, 1 or more")
    if T is not None:
        whole(T, "T", most=MOST_STEPS)
    if T is not None and about.get("depends_on_T") and about["T"] != T:
        raise ValueError(
            f"T = {T}, but the network was converted for T = {about['T']} only; leave T out, or convert for {T}"
        )
    for name, value in (("dt", dt), ("largest", largest)):
        if not 1e-12 <= value <= LARGEST:
            raise ValueError(f"{name} = {value:g}, but it must be greater than 0, from 1e-12 to {LARGEST:g}")


def _method(about: dict[str, Any]) -> Method:
    """A method to name in the summary. Its activation is not known, so what compares with an ANN is refused."""
    known = CATALOGUE.get(about.get("method", ""))
    paper, year = (known.paper, known.year) if known else ("Pedersen et al., Nat. Commun. 15:8122", 2024)
    made = said("read from NIR, converted with {method}")
    title = made.format(method=about["method"]) if about else said("read from NIR")
    fixed = bool(about.get("depends_on_T"))
    return Method("nir", title, paper, year, activation=_no_activation, depends_on_T=fixed)


def _fate(graph: Graph, name: str) -> str:
    return f"-> {graph.sites[name]}" if name in graph.sites else said("kept")


def _no_activation() -> NoReturn:
    raise ValueError(
        "the network was read from NIR, in units of its thresholds, which cannot be compared with an ANN's "
        "activations: convert the ANN, or load what snnlab.exchange.saving.save kept"
    )


class _Builder:
    """One pass over the NIR nodes in the order of execution; `made` holds the graph's node for each.

    Args:
        about: what `to_nir` noted.
        dt, reset: as `read_nir`.
        exact: the grid that `to_nir` wrote, with its precision and rounding; else plain layers.
    """

    def __init__(
        self, graph: nir.NIRGraph, about: dict[str, Any], dt: float, reset: Reset, *, exact: bool
    ) -> None:
        self.nir, self.about, self.dt, self.reset, self.exact = graph, about, dt, reset, exact
        self.graph = Graph()
        self.made: dict[str, Node] = {}
        self.values: dict[Node, Tensor] = {}  # one image's, for the shapes
        self.rounded = {(a, b): steps for a, b, steps in about.get("rounded", ()) if exact}
        self.divided: dict[str, Tensor] = {}  # pools that sum up, and what is left to multiply with

    def run(self) -> Graph:
        for name in _in_order(self.nir, self.about):
            node = self.nir.nodes[name]
            if isinstance(node, nir.Input):
                self.made[name] = self.graph.input
                size = [int(side) for side in node.input_type["input"]]
                if not size or min(size) < 1 or math.prod(size) > MOST_VALUES:
                    _refuse(
                        name,
                        node,
                        f"its shape is {short(size)}, but an image has 1 to {MOST_VALUES:,} values",
                    )
                self.values[self.graph.input] = torch.zeros(1, *size, dtype=torch.float64)
            elif isinstance(node, nir.Output):
                self.graph.result = self.feed(name)
            elif isinstance(node, NEURONS):
                self.neuron(name, node)
            else:
                self.made[name] = self.other(name, node)
        if not self.graph.sites:
            raise ValueError(
                "the graph has no IF or LIF node, so nothing spikes: hand in a spiking network's graph"
            )
        return self.graph.requires_grad_(False).eval()

    def feed(self, name: str) -> Node:
        """The sum of all edges into a node; on the grid in float64, where it is exact."""
        terms = []
        for before in (before for before, after in self.nir.edges if after == name):
            terms.append(self.made[before])
            left = self.divided.get(before, torch.ones((), dtype=torch.float64))
            for step in self.rounded.get((before, name), ()):
                terms[-1] = self.put(None, Rescale([left], [_double(step)]), terms[-1])
                left = torch.ones((), dtype=torch.float64)
        if len(terms) == 1:
            return terms[0]
        ones = [torch.ones(()) for _ in terms]
        return self.put(None, Rescale([None] * len(terms), ones) if self.exact else Sum(ones), *terms)

    def put(self, name: str | None, kind: nn.Module, *feeds: Node, site: bool = False) -> Node:
        """A node by its NIR name, or of its own."""
        name = self.graph.spare("sum", self.nir.nodes) if name is None else name
        node = self.graph.add(Node(name, kind, feeds, site, was=str(kind), call=name))
        inputs = [self.values[feed] for feed in feeds]
        try:
            self.values[node] = inputs[0] if site else copy.deepcopy(kind).double()(*inputs)
        except (RuntimeError, IndexError, ValueError, TypeError) as error:
            shapes = ", ".join(str(list(value.shape[1:])) for value in inputs)
            raise ValueError(
                f"node {short(name)} does not fit what it is fed, {shapes}: {str(error).splitlines()[0]}"
            ) from None
        return node

    def neuron(self, name: str, node: nir.NIRNode) -> None:
        leak, gain = self.step(name, node)
        with np.errstate(all="ignore"):
            gain = torch.from_numpy(np.asarray(gain / np.asarray(node.v_threshold), dtype=np.float64))
        if not bool((gain.isfinite() & (gain > 0)).all()) or np.any(node.v_reset):
            _refuse(name, node, "r and v_threshold must be finite and above 0, and v_reset 0; export it so")
        feed = self.feed(name)
        if bool((gain != 1).any()):
            feed = self.put(None, self.scale(name, node, gain), feed)
        v0 = torch.from_numpy(np.array(node.metadata.get("v0", 0.0)))
        v0 = v0.flatten()[0] if bool((v0 == v0.flatten()[0]).all()) else v0
        reset: Any = node.metadata.get("reset", self.reset)
        neuron = IF(1.0, v0, reset=reset) if leak == 1 else LIF(1.0, v0, leak, reset)
        self.made[name] = self.put(name, neuron, feed, site=True)

    def step(self, name: str, node: nir.NIRNode) -> tuple[float, Any]:
        """Leak and gain of a step, v <- leak v + gain I: Euler's, as the simulators that write such nodes take it.

        Without a leak tau is infinite, and r too where r = tau / dt is to make the gain 1.
        """
        r = np.asarray(node.r, dtype=np.float64)
        if isinstance(node, nir.IF):
            return 1.0, self.dt * r
        cuba = isinstance(node, nir.CubaLIF)
        if cuba and not np.allclose(node.tau_syn, self.dt, atol=0):
            advice = "its current outlasts a step, which none does here; train with tau_syn = dt (here"
            _refuse(name, node, f"{advice} {self.dt:g}), or with nir.LIF or nir.IF")
        tau = np.asarray(node.tau_mem if cuba else node.tau, dtype=np.float64)
        r = r * np.asarray(node.w_in) if cuba else r
        with np.errstate(all="ignore"):
            leak = np.unique(1 - self.dt / tau)
            gain = np.where(np.isinf(tau) & np.isinf(r), 1.0, self.dt * r / tau)
        if len(leak) != 1 or not 0 <= leak[0] <= 1 or np.any(np.asarray(node.v_leak)):
            _refuse(
                name,
                node,
                f"tau must be one number for a layer, at least dt = {self.dt:g}, and v_leak 0; hand in the dt with "
                "which it was written (snnTorch's and SpikingJelly's is 1e-4), or export it so",
            )
        return float(leak[0]), gain

    def other(self, name: str, node: nir.NIRNode) -> Node:
        feed = self.feed(name)
        if name in self.about.get("scales", ()):
            ratio, offset = scale_of(node)
            rescale = Rescale([ratio.double()], [_double(self.about["scales"][name])], offset)
            return self.put(name, rescale if self.exact else Sum([ratio], offset).float(), feed)
        if isinstance(node, nir.Scale):
            return self.put(name, self.scale(name, node, torch.from_numpy(np.asarray(node.scale))), feed)
        if type(node) not in LAYERS:
            allowed = ", ".join(kind.__name__ for kind in LAYERS)
            leaky = "a readout sums up without a leak: take it out, or make it a LIF"
            advice = leaky if isinstance(node, nir.LI | nir.CubaLI) else "build it of those"
            _refuse(name, node, f"this kit reads Input, Output, IF, LIF, CubaLIF, Scale, {allowed}; {advice}")
        layer = LAYERS[type(node)](node, self.values[feed].shape)
        if self.exact and isinstance(layer, Weighted):
            layer = Exact(layer)
        if self.exact and isinstance(layer, Average):
            layer, left = whole_shares(layer, self.values[feed])
            if left is not None:
                self.divided[name] = left
        return self.put(name, layer if self.exact else layer.float(), feed)

    def scale(self, name: str, node: nir.NIRNode, ratio: Tensor) -> nn.Module:
        """A value times a factor, one number or one for each channel or feature."""
        first = ratio.flatten()[0]
        if bool((ratio == first).all()):
            return Sum([first])
        if ratio.ndim > 1 and not bool((ratio.flatten(1) == ratio.flatten(1)[:, :1]).all()):
            _refuse(
                name,
                node,
                "factors and thresholds may differ between channels, not within one; make them one",
            )
        return Sum(
            [ratio if ratio.ndim == 1 else ratio.flatten(1)[:, 0].reshape(-1, *(1 for _ in ratio.shape[1:]))]
        )


def _in_order(graph: nir.NIRGraph, about: dict[str, Any]) -> list[str]:
    """The names in an order of execution. Raises: ValueError if there is none, or not one way in and one out."""
    for kind in (nir.Input, nir.Output):
        names = [name for name, node in graph.nodes.items() if isinstance(node, kind)]
        if len(names) != 1:
            raise ValueError(
                f"the graph has {len(names)} {kind.__name__} nodes {names}, but it must have one: the images go in, "
                "the logits come out"
            )
    before: dict[str, set[str]] = {name: set() for name in graph.nodes}
    for a, b in graph.edges:
        if a not in before or b not in before:
            raise ValueError(
                f"the graph has an edge from {short(a)} to {short(b)}, but not both of these nodes: write it again"
            )
        before[b].add(a)
    for name, node in graph.nodes.items():
        if not before[name] and not isinstance(node, nir.Input):
            _refuse(name, node, "no edge leads to it; connect it or take it out")
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise ValueError(
            f"the graph runs in a circle ({short(circle)[1:-1]}), but only networks that run forward can be read"
        ) from None
    return about.get("order", order)


def _refuse(name: str, node: nir.NIRNode, advice: str) -> NoReturn:
    raise ValueError(f"node {short(name)} is nir.{type(node).__name__}: {advice}")


def _double(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)
