"""One point of a study as a function call; and what determines its result, so that it is never computed twice."""

import ast
import functools
import hashlib
import inspect
import json
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import snnlab
from snnlab import datasets, training
from snnlab.converters.conversion import convert
from snnlab.converters.methods import Method
from snnlab.datasets import Data
from snnlab.files import place
from snnlab.files.language import said
from snnlab.simulators.simulation import simulate
from snnlab.studies import named
from snnlab.studies.plans import Point, method_of
from snnlab.training import recipes, runs

Row = dict[str, Any]
ROOT = Path(snnlab.__file__).parent
ENGINE = (
    "activations", "networks.py", "datasets/standard.py", "neurons/integrate.py", "neurons/firing.py",
    "converters/graph", "converters/grid", "converters/conversion.py", "converters/snn.py",
    "converters/choices/site.py", "converters/choices/segment.py", "converters/choices/trains.py",
    "converters/choices/optimizers.py",
    "simulators/run.py", "simulators/coding.py", "simulators/simulation.py", "training/fitting.py", "training/recipes",
    "studies/points.py",
)  # fmt: skip
"""Code that every point runs through; what a method alone runs through is found from its choices."""
TIMES = ("seconds_convert", "seconds_simulate", "finished")
"""What of a row differs each time."""


def measure(point: Point) -> list[Row]:
    """Convert and simulate: a row a number of steps. Raises: ValueError as `convert`, `simulate`, `prepare`."""
    with _pinned():
        method, T, wanted = method_of(point.method), point.T[-1], training_of(point)
        name = named.shipped(point.network, method)
        data = _data(point.data, point.calibration, "" if wanted else named.trained_on(name))
        test = data.test[: point.images] if point.images else data.test
        ann, ann_accuracy = _network(wanted or name, point.data, point.images)
        began = time.perf_counter()
        snn = convert(ann, method, data.calibration, T, progress=False)
        converted = time.perf_counter()
        run = simulate(snn, test, T, coding=point.coding, seed=point.seed)  # type: ignore[arg-type]
        ended = time.perf_counter()
        correct, rates = run.accuracy(test), list(run.firing_rate.values())
        found = {
            "images": len(test), "ann_accuracy": ann_accuracy, "firing_rate": sum(rates) / len(rates),
            "seconds_convert": converted - began, "seconds_simulate": ended - converted,
        }  # fmt: skip
        return [
            row(point, t)
            | found
            | {
                "steps": t + snn.latency - T,
                "accuracy": float(correct[t - 1]),
                "correct": round(float(correct[t - 1]) * len(test)),
            }
            for t in point.T
        ]


def row(point: Point, T: int) -> Row:
    """What is said of a point before it is measured, with the versions and the time."""
    told = {key: value for key, value in asdict(point).items() if key not in ("T", "images")}
    return told | {"T": T, "finished": datetime.now(UTC).isoformat(timespec="seconds"), **_versions()}


@dataclass(frozen=True)
class Training:
    """The first stages of a recipe, on one network, data set and seed: what points share, trained once."""

    network: str
    data: str
    seed: int
    recipe: str
    stages: int
    levels: int
    epochs: int

    @property
    def label(self) -> str:
        """As progress names it."""
        told = said("training {network} {data} seed {seed}: {stage}")
        stage = self._recipe.stages[-1].name
        return told.format(network=self.network, data=self.data, seed=self.seed, stage=stage)

    @property
    def about(self) -> str:
        """The same for trainings whose result is the same."""
        stages = self._recipe.at(8, self.epochs / named.EPOCHS, self.levels).stages
        return json.dumps([self.network, self.data, self.seed, [stage.settings() for stage in stages]])

    def before(self) -> list["Training"]:
        """Itself, after the trainings that it begins with."""
        return [replace(self, stages=k) for k in range(1, self.stages + 1)]

    @property
    def _recipe(self) -> recipes.Recipe:
        whole = recipes.find(self.recipe)
        return replace(whole, stages=whole.stages[: self.stages])

    def network_of(self) -> nn.Module:
        """The network, trained if it is not yet kept."""
        data = _data(self.data, datasets.standard.CALIBRATION)
        make = named.builder(self.network, data)
        settings: Any = {"levels": self.levels, "seed": self.seed, "epochs_scale": self.epochs / named.EPOCHS}
        return recipes.prepare(self._recipe, make, data, progress=False, **settings)


def training_of(point: Point) -> Training | None:
    """What a point's network must be trained with; None for one that is read."""
    if named.network_kind(point.network) not in named.TRAINED:
        return None
    recipe = recipes.find(method_of(point.method))
    return Training(
        point.network, point.data, point.seed, recipe.name, len(recipe.stages), point.levels, point.epochs
    )


def train(wanted: Training) -> list[Row]:
    """Train, and keep; no rows."""
    with _pinned():
        wanted.network_of()
    return []


def key(point: Point, data_sum: str) -> str:
    """Twenty digits of all that a point's result depends on: parameters, code, the images' sum, the network's."""
    method, kind = method_of(point.method), named.network_kind(point.network)
    files = [*_engine(), *_of_method(method)]
    network = ""
    if kind in ("own", "made"):
        files.append(Path(inspect.getsourcefile(inspect.unwrap(named.own(point.network))) or ""))
    if kind == "made":
        network = _sum_of_weights(point.network)
    elif kind == "checkpoint":
        network = runs.sha256(named.here(point.network))
    elif kind == "shipped":
        network = runs.table().get(named.shipped(point.network, method), {}).get("sha256", "")
    about = [asdict(point), method.describe(), data_sum, network, recipes.kept.VERSION]
    text = json.dumps(about, sort_keys=True) + "".join(_code(file) for file in files)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def sum_of(name: str) -> str:
    """Of a data set: all its images and labels. Raises: what named.images raises."""
    data, digest = named.images(name), hashlib.sha256()
    for split in (data.train, data.test):
        for tensor in (split.images, split.labels):
            digest.update(_raw(tensor))
    return digest.hexdigest()


@functools.lru_cache(maxsize=4)
def _network(wanted: Training | str, data: str, images: int) -> tuple[nn.Module, float]:
    """A trained network and its accuracy, kept for the next point of the same worker."""
    ann = wanted.network_of() if isinstance(wanted, Training) else named.trained(wanted)
    like = "" if isinstance(wanted, Training) else named.trained_on(wanted)
    test = _data(data, datasets.standard.CALIBRATION, like).test
    return ann, training.accuracy(ann, test[:images] if images else test)


@functools.lru_cache(maxsize=2)
def _data(name: str, calibration: int, like: str = "") -> Data:
    return named.images(name, calibration, like=like)


@functools.cache
def _sum_of_weights(name: str) -> str:
    digest = hashlib.sha256()
    for value in named.trained(name).state_dict().values():
        digest.update(_raw(value.detach().cpu()))
    return digest.hexdigest()


@contextmanager
def _pinned() -> Iterator[None]:
    """One thread: workers share the cores, and one and the same number of threads gives the same bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@functools.cache
def _versions() -> dict[str, str]:
    found = {name: version(name) for name in ("torch", "numpy")}
    return {"snnlab": snnlab.__version__, "python": platform.python_version(), **found}


@functools.cache
def _engine() -> tuple[Path, ...]:
    places = [ROOT / name for name in ENGINE]
    return tuple(
        file for place in places for file in ([place] if place.suffix else sorted(place.rglob("*.py")))
    )


def _of_method(method: Method) -> list[Path]:
    """The files in which a method's own rules stand."""
    choices = [
        method.activation,
        method.threshold,
        method.v0,
        *method.corrections,
        method.neuron,
        method.tuning,
    ]
    modules = {_module(choice) for choice in choices if choice is not None}
    files = [getattr(sys.modules.get(name), "__file__", None) for name in sorted(modules)]
    return [Path(file) for file in files if file]


def _module(choice: Any) -> str:
    while isinstance(choice, partial):
        choice = choice.func
    plain = inspect.unwrap(choice) if callable(choice) else choice
    return getattr(plain, "__module__", None) or type(plain).__module__


@functools.cache
def _code(file: Path) -> str:
    """A sum of a file's code: comments, docstrings and layout may change."""
    tree = ast.parse(place(file).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr) and _is_text(body[0].value):
            del body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _raw(tensor: Tensor) -> memoryview:
    return tensor.contiguous().numpy().ravel().data
