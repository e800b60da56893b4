"""The network explorer: draw a digit, and the converted network runs in the page, step by step, beside its ANN."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import torch
import traitlets
from torch import Tensor, nn

from snnlab.converters.graph import ACTIVATIONS, trace
from snnlab.converters.grid import Exact, Rescale
from snnlab.converters.snn import SNN, check_images
from snnlab.datasets.given import Given, images_and_labels, labels_of
from snnlab.explorers.host import Explorer, module
from snnlab.explorers.packing import Arrays, Packer
from snnlab.explorers.reach import one_of
from snnlab.neurons.door import door, shown
from snnlab.neurons.settings import whole
from snnlab.simulators.coding import Coding
from snnlab.simulators.run import Run
from snnlab.simulators.simulation import Record, simulate

LIMIT = 1_000_000
"""Bytes of the page with all its weights."""

RANGES: dict[str, tuple[float, float]] = {
    "T": (1, 64),
    "t": (1, 64),
    "scale": (0.125, 2.0),
    "shift": (-1.0, 1.0),
    "seed": (0, 99),
}
"""What a slider reaches; the same numbers stand in network.js."""
STEPS = {"T": 1.0, "t": 1.0, "scale": 0.125, "shift": 0.0625, "seed": 1.0}
SCRIPTS = ("neurons.js", "drawing.js", "philox.js", "engine.js", "layers.js", "pad.js", "network.js")
CODINGS: tuple[Coding, ...] = get_args(Coding)


class NetworkExplorer(Explorer):
    """Potentials and spikes of converted networks as they come, and what they add up to beside the ANN's answer.

    What the page computes is what `simulate` gives for `snn_shown()` and `image`, to the last bit: `run()`.

    Attributes:
        snns: the networks by the names in the menu.
        ann_of: what they were made of, by the same names, as far as it was handed in.
        choice: the images to choose from, each with its label or None.
        pixels: the image in the page, drawn or chosen, flat.
    """

    _esm = module(*SCRIPTS)
    title = "A converted network at work"
    names = ("networks", "anns", "arrays", "samples", "classes", "pixels", "method", "coding", *RANGES)

    snns: Mapping[str, SNN]
    ann_of: Mapping[str, nn.Module]
    choice: list[tuple[list[float], int | None]]
    networks = traitlets.List(traitlets.Dict()).tag(sync=True)
    anns = traitlets.List(traitlets.Dict()).tag(sync=True)
    arrays = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)
    samples = traitlets.List(traitlets.Dict()).tag(sync=True)
    classes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    pixels = traitlets.List(traitlets.Float()).tag(sync=True)
    method = traitlets.Unicode().tag(sync=True)
    coding = traitlets.Enum(CODINGS, "constant").tag(sync=True)
    T = traitlets.Int(32).tag(sync=True)
    t = traitlets.Int(32).tag(sync=True)
    scale = traitlets.Float(1.0).tag(sync=True)
    shift = traitlets.Float(0.0).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)

    @traitlets.validate(*RANGES)
    def _in_range(self, proposal: Any) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        _check_number(name, value)
        return value

    @property
    def image(self) -> Tensor:
        """What is in the page, [1, ...], float32."""
        return torch.tensor(self.pixels, dtype=torch.float32).reshape(
            1, *self.snns[self.method].example.shape[1:]
        )

    def snn_shown(self) -> SNN:
        """The network in the page, as its sliders are set."""
        return moved(self.snns[self.method], self.scale, self.shift)

    @door
    def run(self, record: Record = ()) -> Run:
        """What `simulate` gives for the page's image and settings after its t steps; the page has the same numbers."""
        dtype = torch.float32 if (self.scale, self.shift) == (1, 0) else torch.float64
        snn = copy.copy(self.snn_shown())
        snn.T = self.t  # the page shows the first t steps of those that the network was converted for
        return simulate(
            snn,
            self.image,
            self.t,
            record=record,
            dtype=dtype,
            coding=self.coding,
            seed=self.seed,
        )


@door
def network(
    snns: SNN | Mapping[str, SNN],
    ann: nn.Module | Mapping[str, nn.Module] | None = None,
    samples: Given | None = None,
    *,
    classes: Sequence[str] | None = None,
    **settings: Any,
) -> NetworkExplorer:
    """The explorer as a widget; `.html()` and `.save(path)` give it without a kernel, in one file of less than 1 MB.

    Args:
        snns: converted networks of one kind of image: one, or several by the names that the menu shows.
        ann: what they were made of, whose answer stands beside theirs, and whose weights all of them share in the file;
            by the same names, if it is not one for all.
        samples: images to choose from, [N, ...]; the first one is shown. None begins with an empty image to draw in.
        classes: what the outputs are called; None counts from 0.
        settings: method, the name to begin with; coding, constant or poisson; T, steps, 1 to 64; t, the step shown;
            scale, of the thresholds, 1/8 to 2; shift, of the initial potential, in thresholds, -1 to 1; seed of the
            noise, 0 to 99.
    Raises: ValueError that names the argument or the layer, what was given, what is allowed and what to do.
    """
    snns = {snns.method.name: snns} if isinstance(snns, SNN) else snns
    _check_networks(snns)
    first = next(iter(snns.values()))
    of = ann if isinstance(ann, Mapping) else dict.fromkeys(snns, ann) if ann is not None else {}
    arrays, packed = Arrays(), _Packed(first.example)
    networks = [packed.network(name, snn, of.get(name), arrays) for name, snn in snns.items()]
    chosen = _chosen(snns, settings)
    choice = _choice(first, samples)
    shown = [{"image": arrays.whole(torch.tensor(pixels)), "label": label} for pixels, label in choice]
    names = [str(k) for k in range(packed.outputs)] if classes is None else [str(name) for name in classes]
    if len(names) != packed.outputs:
        raise ValueError(f"classes has {len(names)} names, but the networks have {packed.outputs} outputs")
    pixels = choice[0][0] if choice else [0.0] * first.example.numel()
    explorer = NetworkExplorer(
        networks=networks,
        anns=packed.anns,
        arrays=arrays.packed,
        samples=shown,
        classes=names,
        pixels=pixels,
        **chosen,
    )
    explorer.snns, explorer.ann_of, explorer.choice = snns, of, choice
    if (size := len(explorer.html().encode())) >= LIMIT:
        raise ValueError(
            f"the page would have {size:,} bytes, but {LIMIT:,} are the limit: hand in fewer networks or samples, "
            "their common ann=..., or a smaller network"
        )
    return explorer


def moved(snn: SNN, scale: float = 1.0, shift: float = 0.0) -> SNN:
    """The network with its thresholds multiplied and its initial potentials moved on the grid where it lies.

    With multiples of 1/8 and 1/16 nothing is rounded; simulate it with dtype=torch.float64, which has room for them.

    Args:
        scale: > 0, of every threshold. shift: added to every v0, in thresholds, before it is scaled.
    """
    if (scale, shift) == (1, 0):
        return snn
    found = copy.deepcopy(snn)
    assert found.grid is not None
    for node in found.grid.nodes:
        kind: Any = node.kind
        if node.site:
            kind.threshold, kind.v0, kind.room = (
                kind.threshold * scale,
                (kind.v0.double() + shift) * scale,
                None,
            )
        if isinstance(kind, Exact):
            kind.few = None  # no whole numbers come in any more
        if isinstance(kind, Rescale):
            kind.narrow, kind.single = False, frozenset()
    return found


class _Packed:
    """The networks as they are packed one after the other, each ANN once."""

    def __init__(self, example: Tensor) -> None:
        self.example, self.outputs = example, 0
        self.anns: list[dict[str, Any]] = []
        self.graphs: dict[int, tuple[int, Any]] = {}

    def network(self, name: str, snn: SNN, ann: nn.Module | None, arrays: Arrays) -> dict[str, Any]:
        """One entry of the menu."""
        assert snn.grid is not None
        number, graph = (None, None) if ann is None else self.ann(snn, ann, arrays)
        said = Packer(arrays, graph)(snn.grid, self.example)
        shape = said["nodes"][said["result"] - 1]["shape"]
        if len(shape) != 1 or shape[0] < 2 or self.outputs not in (0, shape[0]):
            raise ValueError(
                f"network {name!r} has an output of shape {shape}, but the page shows evidence for classes: two or "
                "more, [K], as many in each network"
            )
        self.outputs = shape[0]
        T = snn.T if snn.method.depends_on_T else None
        largest = float(snn.example.abs().amax()) or 1.0
        return said | {"name": name, "T": T, "ann": number, "largest": largest, "scalable": _scalable(snn)}

    def ann(self, snn: SNN, ann: nn.Module, arrays: Arrays) -> tuple[int, Any]:
        """An ANN's place, and its graph."""
        if id(ann) not in self.graphs:
            draw = torch.Generator().manual_seed(0)
            images = snn.example * torch.rand(2, *snn.example.shape[1:], generator=draw)
            graph = trace(ann, images, (*ACTIVATIONS, type(snn.method.activation())))
            with torch.no_grad():
                self.anns.append(Packer(arrays)(graph, self.example))
            self.graphs[id(ann)] = len(self.anns) - 1, graph
        return self.graphs[id(ann)]


def _scalable(snn: SNN) -> bool:
    """Whether sums over spikes have bits to spare, so that they stay exact when thresholds are scaled."""
    assert snn.grid is not None
    moving = snn.grid.temporal()
    layers = [node.kind.layer for node in moving if isinstance(node.kind, Exact)]
    return all(layer.weight.dtype == torch.float32 for layer in layers)


def _check_networks(snns: Mapping[str, SNN]) -> None:
    if not isinstance(snns, Mapping) or not snns or not all(isinstance(snn, SNN) for snn in snns.values()):
        kinds = [type(snn).__name__ for snn in (snns.values() if isinstance(snns, Mapping) else [snns])]
        raise ValueError(
            f"snns holds {', '.join(kinds) or 'nothing'}, but it must be a converted network, or several by their "
            "names: convert(ann, method, ...) makes one"
        )
    first = next(iter(snns.values()))
    for name, snn in snns.items():
        if snn.grid is None:
            raise ValueError(
                f"network {name!r} is not on the grid, which the page computes on: convert(..., exact=True)"
            )
        check_images(snn, first.example, "the first network's image")
        if float(snn.example.abs().amax()) != float(first.example.abs().amax()):
            raise ValueError(
                f"network {name!r} was calibrated with pixels up to {float(snn.example.abs().amax()):g}, the first "
                f"with {float(first.example.abs().amax()):g}: convert all with the same calibration images"
            )


def _chosen(snns: Mapping[str, SNN], settings: dict[str, Any]) -> dict[str, Any]:
    """All settings, checked."""
    chosen: dict[str, Any] = {
        "method": next(iter(snns)),
        "coding": "constant",
        "scale": 1.0,
        "shift": 0.0,
        "seed": 0,
    }
    for name, value in settings.items():
        if name not in (*chosen, "T", "t"):
            raise ValueError(f"{name} = {shown(value)}, but what can be set is {', '.join(chosen)}, T and t")
    chosen |= settings
    for name, known in (("method", tuple(snns)), ("coding", CODINGS)):
        one_of(name, chosen[name], known)
    snn = snns[chosen["method"]]
    chosen.setdefault("T", min(snn.T, int(RANGES["T"][1])))
    chosen.setdefault("t", chosen["T"])
    for name in RANGES:
        _check_number(name, chosen[name])
    if snn.method.depends_on_T and chosen["T"] != snn.T:
        raise ValueError(
            f"T = {chosen['T']}, but network {chosen['method']!r} was converted for T = {snn.T} only"
        )
    if chosen["scale"] != 1 and not _scalable(snn):
        raise ValueError(
            f"scale = {chosen['scale']}, but the sums of network {chosen['method']!r} have no bits to spare for other "
            "thresholds: leave it at 1, or convert with explorers.conversion.tuned(method, scale)"
        )
    if chosen["t"] > chosen["T"]:
        raise ValueError(f"t = {chosen['t']}, but it is a step of T = {chosen['T']}")
    return chosen


def _choice(snn: SNN, samples: Given | None) -> list[tuple[list[float], int | None]]:
    """The images to choose from, flat, with their labels."""
    if samples is None:
        return []
    images, given = images_and_labels(samples, "samples")
    check_images(snn, images, "samples")
    known = [] if given is None else labels_of(given, len(images), "labels of samples").tolist()
    labels = known or [None] * len(images)
    return list(zip(images.flatten(1).tolist(), labels, strict=True))


def _check_number(name: str, value: Any) -> None:
    low, high = RANGES[name]
    if name in ("T", "t", "seed"):
        whole(value, name, int(low))
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if not number or not low <= value <= high or (value - low) % STEPS[name]:
        raise ValueError(
            f"{name} = {shown(value)}, but it must be a number, {low:g} to {high:g}, in steps of {STEPS[name]:g}"
        )
