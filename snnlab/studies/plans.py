"""The study file: methods, networks, data, steps and seeds in YAML, read as data and checked before any work."""

import itertools
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from snnlab import datasets
from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.methods import Method
from snnlab.files import kit, place, short
from snnlab.files.words import meant
from snnlab.studies import named
from snnlab.training import runs

LARGEST_FILE = 10**6
"""Bytes of a study file."""
MOST_POINTS = 10**6


@dataclass(frozen=True)
class Point:
    """One conversion, judged after each of some steps: all that a user says of it.

    Attributes:
        method: a name of the catalogue, or module:NAME. data: a data set's name, or a folder of class folders.
        network: a kind that is trained, one that ships, a checkpoint, or module:function.
        seed: of weights, training and pixels' spikes. calibration: images that the conversion sees.
        coding: how an image is shown. T: steps, rising; several where one conversion serves them all.
        levels: of activations that round. epochs: of the first training. images: test images, 0 for all.
    """

    method: str
    network: str
    data: str
    seed: int
    calibration: int
    coding: str
    T: tuple[int, ...]
    levels: int
    epochs: int
    images: int

    @property
    def label(self) -> str:
        """As progress names it."""
        return f"{self.method} {self.network} {self.data} seed {self.seed} T {self.T[-1]}"


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _different(values: list[Any]) -> list[Any]:
    if twice := [value for k, value in enumerate(values) if value in values[:k]]:
        raise ValueError(f"{short(twice[0])} stands there twice")
    return values


def _several(item: Any) -> Any:
    """One such value, or a list of different ones."""
    some = Field(min_length=1, max_length=1000)
    return Annotated[list[item], BeforeValidator(_listed), some]


Name = Annotated[str, Field(min_length=1, max_length=300)]


class Plan(BaseModel):
    """A study: every method on every network, data set, seed, calibration size and coding."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[str, Field(max_length=300)] = ""
    methods: _several(Name)  # type: ignore[valid-type]
    networks: _several(Name) = ["cnn"]  # type: ignore[valid-type]
    data: _several(Name) = ["digits"]  # type: ignore[valid-type]
    T: _several(Annotated[int, Field(ge=1, le=4096)])  # type: ignore[valid-type]
    seeds: _several(Annotated[int, Field(ge=0, le=2**31 - 1)]) = [0]  # type: ignore[valid-type]
    calibration: _several(Annotated[int, Field(ge=1, le=10_000)]) = [256]  # type: ignore[valid-type]
    coding: _several(Literal["constant", "poisson"]) = ["constant"]  # type: ignore[valid-type]
    levels: Annotated[int, Field(ge=1, le=256)] = 8
    epochs: Annotated[int, Field(ge=1, le=1000)] = 12
    images: Annotated[int, Field(ge=0, le=60_000)] = 0

    @field_validator("methods", "networks", "data", "T", "seeds", "calibration", "coding")
    @classmethod
    def _no_value_twice(cls, values: list[Any]) -> list[Any]:
        return _different(values)

    def points(self) -> list[Point]:
        """All points, in the order of the file: one for all T where the method allows, else one for each."""
        return [
            Point(method, network, data, seed, calibration, coding, T, self.levels, self.epochs, self.images)
            for data, network, method, calibration, coding, seed in itertools.product(
                self.data, self.networks, self.methods, self.calibration, self.coding, self.seeds
            )
            for T in self._steps(method)
        ]

    def _steps(self, method: str) -> list[tuple[int, ...]]:
        steps = sorted(self.T)
        return [(T,) for T in steps] if method_of(method).depends_on_T else [tuple(steps)]


def read(path: str | Path) -> Plan:
    """The plan of a study file. Raises: ValueError that says in one line what is wrong with it; OSError."""
    file = file_of(path)
    if not file.is_file():
        raise ValueError(
            f"there is no study file {short(str(path))}, and the kit's are {', '.join(_names())}"
        )
    if file.stat().st_size > LARGEST_FILE:
        raise ValueError(f"{file.name} has over {LARGEST_FILE:,} bytes, which no study needs")
    for folder in (str(Path.cwd()), str(file.parent)):  # where a module of one's own is found
        if folder not in sys.path:
            sys.path.append(folder)
    try:
        plan = Plan(**_mapping(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ValueError(f"{file.name}: {_first(error)}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ValueError(f"{file.name} is no study file: {' '.join(str(error).split())[:300]}") from None
    try:
        return _checked(plan)
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from None


def file_of(path: str | Path) -> Path:
    """The file of a study: one of the kit's by its name, `quick`, or any by its path."""
    return kit("studies") / f"{path}.yaml" if str(path) in _names() else place(path)


def _names() -> list[str]:
    return sorted(path.stem for path in kit("studies").glob("*.yaml"))


def method_of(name: str) -> Method:
    """The method of that name, or module:NAME. Raises: ValueError."""
    found = named.own(name) if named.OWN.fullmatch(name) else CATALOGUE.get(name)
    if not isinstance(found, Method):
        raise ValueError(f"methods: {short(name)} is no method of the catalogue{meant(name, CATALOGUE)}")
    return found


def _network_kind(name: str) -> str:
    try:
        return named.network_kind(name)
    except ValueError as error:
        raise ValueError(f"networks: {error}") from None


def _check_data(name: str) -> None:
    try:
        named.check_images(name)
    except (ValueError, OSError) as error:
        raise ValueError(f"data: {error}") from None


def _at_hand(plan: Plan) -> None:
    """Raises: FileNotFoundError for a network of the table whose file is not here."""
    wanted = {named.shipped(network, method_of(m)) for network in plan.networks for m in plan.methods}
    for name in sorted(wanted & set(runs.table())):
        runs.checkpoints.file_of(name)


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, without aliases, which may stand for a billion values, and without a key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(
                f"line {self.peek_event().start_mark.line + 1} has an alias (*), which is not read"
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if twice := [key for k, key in enumerate(keys) if key in keys[:k]]:
            raise yaml.YAMLError(
                f"line {node.start_mark.line + 1} and on: {short(twice[0])} stands there twice"
            )
        return super().construct_mapping(node, deep)


def _mapping(text: str) -> dict[str, Any]:
    read = yaml.load(text, _Loader)  # a SafeLoader: nothing of the text becomes code
    if not isinstance(read, dict) or not all(isinstance(key, str) for key in read):
        raise ValueError("it must be lines such as `methods: [qcfs, opi]`")
    return read


def _first(error: ValidationError) -> str:
    """The first of its mistakes: where, what was given, what is allowed."""
    one = error.errors()[0]
    where = ".".join(str(part) for part in one["loc"] if not isinstance(part, int))
    if one["type"] == "extra_forbidden":
        known = Plan.model_fields
        return f"there is no entry {short(where)}, but {', '.join(known)}{meant(where, known)}"
    if one["type"] == "missing":
        return f"the entry {where!r} is missing"
    said = one["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{where} is {short(one['input'])}, but {said}" if "twice" not in said else f"{where}: {said}"


def _checked(plan: Plan) -> Plan:
    """The plan, its names looked up."""
    if plan.methods == ["all"]:
        plan.methods = list(CATALOGUE)
    for method in plan.methods:
        method_of(method)
    for data in plan.data:
        _check_data(data)
    colour = ("cifar10", "cifar100")
    for network, data in itertools.product(plan.networks, plan.data):
        kind = _network_kind(network)
        if data not in datasets.NAMES:
            continue  # what its images are is seen when they are read
        if kind == "shipped" and data != "cifar10":
            raise ValueError(f"networks: {network} takes cifar10, but data is {data}")
        if network in runs.settings.WIDTHS and data not in colour:
            raise ValueError(
                f"networks: {network} takes colour images, cifar10 or cifar100, but data is {data}"
            )
    _at_hand(plan)
    lists = (plan.methods, plan.networks, plan.data, plan.seeds, plan.calibration, plan.coding, plan.T)
    count = math.prod(map(len, lists))
    if count > MOST_POINTS:
        raise ValueError(f"that is {count:,} points, but {MOST_POINTS:,} at most")
    return plan
