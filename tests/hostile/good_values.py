"""Good values of each type, made anew for each call."""

import collections.abc as abc
import copy
import types
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import nir
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from snnlab import SNN, Method, Run, convert, explorers, networks, neurons, plots, reports, simulate
from snnlab.activations import QCFS, Clip, LearnedRange, NoisyQuantClip, QuantClip, RateNorm
from snnlab.converters.choices import Site
from snnlab.converters.graph import Graph, trace
from snnlab.datasets import Data, Split
from snnlab.datasets.published import Row
from snnlab.explorers.conversion import Bench, ConversionExplorer
from snnlab.explorers.network import NetworkExplorer
from snnlab.neurons import IF, State
from snnlab.simulators import energy, errors
from snnlab.simulators.coding import Poisson
from snnlab.simulators.run import Trace
from snnlab.studies import claims, papers, sweeps
from snnlab.training import recipes, runs

T, CLASSES, SHAPE = 2, 3, (1, 4, 4)
LONG = "x" * 5000


def net(activation: Callable[[], nn.Module] = nn.ReLU, channels: int = 1, **_: Any) -> nn.Module:
    """The smallest network with two sites."""
    torch.manual_seed(0)
    layers = (nn.Conv2d(channels, 2, 3, padding=1), activation(), nn.AvgPool2d(2), nn.Flatten())
    return nn.Sequential(*layers, nn.Linear(8, 4), activation(), nn.Linear(4, CLASSES)).eval()


def images(count: int = 6) -> Tensor:
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(0))


def split(count: int = 6) -> Split:
    return Split(images(count), torch.arange(count) % CLASSES)


def data() -> Data:
    return Data("tiny", ("a", "b", "c"), split(), split(), split())


def digits() -> Data:
    """Of the size that the networks of `train` take."""
    part = Split(torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(6))
    return Data("tiny", tuple("0123456789"), part, part, part)


def method() -> Method:
    return Method("own", "title", "paper", 2026)


@cache
def _snn() -> SNN:
    return convert(net(), method(), images(), T, progress=False)


def snn() -> SNN:
    return copy.deepcopy(_snn())


def site() -> Site:
    """A site with a segment, as a correction meets it."""
    seen: list[Site] = []
    convert(net(), Method("own", "", "", 2026, corrections=(seen.append,)), images(), T, progress=False)
    return seen[-1]


def rounding_site() -> Site:
    """One whose activation has an upper end and levels."""
    made = site()
    made.activation = QuantClip(levels=T)
    return made


def state() -> State:
    return State(torch.zeros(6, 3, dtype=torch.float64), torch.zeros(6, 3, dtype=torch.float64))


def own_state(neuron: IF) -> State:
    return neuron.start(torch.zeros(6, 3))


@cache
def run() -> Run:
    return simulate(_snn(), images(), T, record=["1"])


@cache
def anatomy() -> errors.Anatomy:
    return errors.anatomy(net(), _snn(), split(), progress=False)


def result() -> sweeps.Result:
    return sweeps.Result("own", 0.9, {1: 0.5, 2: 0.8}, {1: 1, 2: 2}, 0.1)


def network() -> papers.Network:
    return papers.Network({"max_norm": result(), "qc_ann": result()})


def row() -> Row:
    return Row("qc_ann", "vgg16", "cifar10", 95.0, 4, 90.0, "paper", True, "")


def settings() -> runs.Settings:
    return runs.Settings("cnn", "digits", epochs=1)


def nir_graph() -> nir.NIRGraph:
    from snnlab.exchange import to_nir

    return to_nir(_snn())


def stage() -> recipes.Stage:
    return recipes.Stage("own", epochs=1)


def checkpoint() -> str:
    from snnlab import training

    if not Path("good.safetensors").exists():
        training.save(net(), "good.safetensors")
    return "good.safetensors"


def spiking_file() -> str:
    from snnlab.exchange import saving

    if not Path("good_snn.safetensors").exists():
        saving.save(_snn(), "good_snn.safetensors")
    return "good_snn.safetensors"


def run_file() -> str:
    from snnlab import training

    if not Path("run.safetensors").exists():
        training.save(settings().build(), "run.safetensors", settings=settings().text(), accuracy="0.5")
    return "run.safetensors"


def picture_file() -> str:
    from PIL import Image

    if not Path("picture.png").exists():
        Image.new("L", (8, 8), 100).save("picture.png")
    return "picture.png"


def class_folders() -> str:
    from PIL import Image

    for kind in ("a", "b"):
        for k in range(6):
            path = Path("classes") / kind / f"{k}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8), 20 * k).save(path)
    return "classes"


def trained() -> runs.Trained:
    return runs.Trained(settings().build(), settings(), {})


GOOD: dict[Any, Callable[[], Any]] = {
    int: lambda: 2,
    float: lambda: 0.5,
    bool: lambda: False,
    str: lambda: "own",
    Path: lambda: Path("out"),
    object: lambda: "anything",
    Any: lambda: "anything",
    slice: lambda: slice(None),
    range: lambda: range(3),
    Tensor: images,
    nn.Module: net,
    np.ndarray: lambda: images().numpy(),
    DataLoader: lambda: DataLoader(TensorDataset(*vars(split()).values()), 2),
    Dataset: lambda: TensorDataset(*vars(split()).values()),
    torch.dtype: lambda: torch.float32,
    torch.Generator: torch.Generator,
    torch.optim.Optimizer: lambda: torch.optim.SGD(net().parameters(), 0.1),
    Split: split,
    Data: data,
    Method: method,
    SNN: snn,
    Site: site,
    State: state,
    IF: IF,
    Graph: lambda: trace(net(), images()),
    Run: run,
    Trace: lambda: run().traces["1"],
    errors.Anatomy: anatomy,
    energy.Energy: lambda: energy.measure(_snn(), images(), progress=False),
    energy.Technology: lambda: energy.INT8,
    sweeps.Result: result,
    papers.Network: network,
    papers.Results: lambda: papers.Results({"vgg16": network()}, 10, "now"),
    claims.Verdict: lambda: claims.verdicts("table 1", network(), 10)[0],
    Row: row,
    recipes.Stage: stage,
    recipes.Recipe: lambda: recipes.Recipe("own", "title", (stage(),)),
    runs.Settings: settings,
    runs.Trained: trained,
    nir.NIRGraph: nir_graph,
    Poisson: lambda: Poisson(1.0, 0),
    LearnedRange: LearnedRange,
    Clip: Clip,
    QuantClip: QuantClip,
    QCFS: QCFS,
    NoisyQuantClip: NoisyQuantClip,
    RateNorm: RateNorm,
    networks.ResNet: lambda: networks.ResNet(nn.ReLU, 1, [(2, 1)], CLASSES),
    networks.Block: lambda: networks.Block(nn.ReLU, 1, 2, 1),
    plots.PageFigure: lambda: plots.firing_rates({"a": 0.5}),
    reports.Parameter: lambda: reports.declared("conversion")[0],
    NetworkExplorer: lambda: explorers.network(_snn(), T=T, t=T),
    Bench: lambda: Bench([net()], data(), None),
    ConversionExplorer: lambda: ConversionExplorer([net()], data(), T, 2),
    **{kind: kind for kind in neurons.NEURONS.values()},
    neurons.CounterIF: neurons.CounterIF,
    neurons.OffsetSpikeIF: neurons.OffsetSpikeIF,
    neurons.SignedIF: neurons.SignedIF,
}
"""A good value of each type, made anew."""

FUNCTIONS: dict[str, Callable[[], Any]] = {
    "ann_of": lambda: lambda method: net(type(method.activation())),
    "activation": lambda: nn.ReLU,
    "factory": lambda: QCFS,
    "threshold": lambda: lambda site: site.target.amax(),
    "v0": lambda: lambda site: site.threshold / 2,
    "neuron": lambda: IF,
    "network": lambda: net,
    "function": QCFS,
    "work": lambda: lambda few, first: few.sum(),
    "learn": lambda: recipes.learn_weights,
    "look": lambda: lambda snn: None,
    "transform": lambda: lambda image: torch.zeros(1, 4, 4),
    "tuning": lambda: lambda snn, ann, split, T: None,
    "corrections": lambda: lambda site: None,
}
"""A good function for each argument that is one, by name."""


def good(name: str, hint: Any) -> Any:
    """A good value for an argument of a type that no door says more of. Raises: LookupError for an unknown type."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if type(None) in args else good(name, args[0])
    if origin is Literal:
        return args[0]
    if origin is abc.Callable:
        return FUNCTIONS[name]()
    plain = origin or hint
    if plain in (list, abc.Sequence, abc.Iterable, abc.Collection):
        return [good(name, args[0])]
    if plain is tuple:
        return tuple(good(name, arg) for arg in args if arg is not Ellipsis)
    if plain in (dict, abc.Mapping):
        return {good(name, args[0]): good(name, args[1])}
    return GOOD[plain]()
