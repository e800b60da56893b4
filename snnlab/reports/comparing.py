"""`snnlab compare`: what differs between two reports, or two studies: parameters, versions, figures."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snnlab.files import place, short
from snnlab.neurons.door import door
from snnlab.studies import study
from snnlab.studies.intervals import parted, wilson
from snnlab.studies.points import TIMES

TEST_IMAGES = {"digits": 450}
"""Of the data sets that have not 10,000."""
VERSIONS = ("snnlab", "python", "torch", "numpy")
FOUND = (
    *VERSIONS,
    *TIMES,
    "key",
    "steps",
    "images",
    "ann_accuracy",
    "accuracy",
    "correct",
    "firing_rate",
    "error",
)
"""Columns of a study that do not say which point it is."""


@dataclass(frozen=True)
class Difference:
    """One thing that differs: what it is, its value in each (None where it is missing), and a word on chance."""

    name: str
    one: Any
    other: Any
    chance: str = ""

    @property
    def line(self) -> str:
        """As a line of text."""
        said = f"{self.name}: {_shown(self.one)} | {_shown(self.other)}"
        return f"{said}  ({self.chance})" if self.chance else said


@door
def differences(one: str | Path, other: str | Path) -> list[Difference]:
    """What differs between two folders of reports, or of studies. Raises: ValueError for any others; OSError."""
    first, second = _read(place(one)), _read(place(other))
    if first.keys() & {"rows"} != second.keys() & {"rows"}:
        raise ValueError("one of the folders is a report's, the other a study's: compare two of a kind")
    ours, theirs = dict(_flat(first)), dict(_flat(second))
    names = [*ours, *(name for name in theirs if name not in ours)]
    return [
        Difference(name, ours.get(name), theirs.get(name), _chance(name, ours, theirs))
        for name in names
        if ours.get(name) != theirs.get(name)
    ]


def _read(folder: Path) -> dict[str, Any]:
    """What a folder says, by name."""
    if (folder / study.TABLE).is_file():
        rows = study.load(folder)
        told = {name: sorted({str(row[name]) for row in rows}) for name in VERSIONS}
        return {"versions": told, "rows": {_point(row): _figures(row) for row in rows}}
    try:
        read = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        if isinstance(read, dict):
            return read
    except FileNotFoundError:
        pass
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{folder / 'results.json'} cannot be read ({' '.join(str(error).split())[:100]})"
        ) from None
    raise ValueError(f"{short(str(folder))} is no folder of a report or a study")


def _point(row: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items() if name not in FOUND)


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("ann_accuracy", "accuracy", "images", "firing_rate", "error")}


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each figure under its path, a.b.c."""
    if isinstance(value, Mapping):
        for key, held in value.items():
            yield from _flat(held, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _chance(name: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """Whether the 95 % intervals of two accuracies part."""
    pair = [float(value) for value in (ours.get(name), theirs.get(name)) if isinstance(value, float | int)]
    if "accuracy" not in name or len(pair) < 2 or not all(0 <= value <= 1 for value in pair):
        return ""
    one, other = (
        wilson(round(value * n), n)
        for value, n in zip(pair, map(_count, (ours, theirs), (name, name)), strict=True)
    )
    shown = " and ".join(f"{100 * low:.1f} to {100 * high:.1f} %" for low, high in (one, other))
    return f"{shown}: {'they part' if parted(one, other) else 'not told apart'}"


def _count(figures: Mapping[str, Any], name: str) -> int:
    """The test images that an accuracy was counted on."""
    near = f"{name.rpartition('.')[0]}.images"
    own = figures.get(near) or figures.get("images") or figures.get("params.images")
    return int(own or TEST_IMAGES.get(str(figures.get("params.data")), 10_000))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())[:200]
