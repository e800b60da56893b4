"""What a report measured: the numbers of its layers, and the file for whoever reads it with a program."""

import dataclasses
import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from IPython.display import Markdown

import snnlab
from snnlab.files import place
from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.simulators.errors import Anatomy
from snnlab.studies.papers import Network
from snnlab.studies.sweeps import Result

PACKAGES = ("numpy", "scikit-learn", "torch", "torchvision")
"""What can change a number."""


@door
def anatomy_results(found: Anatomy) -> dict[str, dict[str, Any]]:
    """An anatomy for results.json: site to its numbers, with six digits, which no order of summation changes."""
    return {name: _rounded(dataclasses.asdict(layer)) for name, layer in found.layers.items()}


@door
def comparison_results(found: Mapping[str, Result]) -> dict[str, dict[str, Any]]:
    """What a comparison found, for results.json; the seconds it took are left out, they differ each time."""
    return {name: _rounded(_without_seconds(result)) for name, result in found.items()}


@door
def papers_results(found: Network) -> dict[str, dict[str, Any]]:
    """One network's results in the papers' tables, for results.json."""
    return {
        name: {**numbers, "residual": found.residual.get(name, {})}
        for name, numbers in comparison_results(found.methods).items()
    }


def _without_seconds(result: Result) -> dict[str, Any]:
    fields = dataclasses.asdict(result) | {"steps_to_99": result.steps_to(0.99)}
    return {key: value for key, value in fields.items() if key not in ("seconds", "method")}


def _rounded(numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _rounded(value) if isinstance(value, Mapping) else _six(value) for key, value in numbers.items()
    }


def _six(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


@door
def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Markdown:
    """A table to show in a notebook; the first column is text, the others are set right.

    Its head is said in the reader's language, as far as its words are known.
    """
    lines = ["|".join(map(said, head)), "|".join([":--", *["--:"] * (len(head) - 1)])]
    return Markdown("\n".join([*lines, *("|".join(map(str, row)) for row in rows)]))


@door
def write_results(path: str | Path, params: Mapping[str, Any], **measured: Any) -> None:
    """Write results.json: the parameters, what was measured, and the versions it was measured with.

    The same numbers give the same bytes: keys are sorted, and there is no time and no place in it.

    Args:
        path: the file, or "" to write nothing, as when the notebook is run by hand.
        measured: numbers, or mappings of them.
    """
    if not path:
        return
    versions = {name: version(name) for name in PACKAGES}
    versions |= {"python": platform.python_version(), "snnlab": snnlab.__version__}
    results = {"params": dict(params), "versions": versions, **measured}
    try:
        text = json.dumps(results, indent=2, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"params and measured must be text and finite numbers, but {error}") from None
    place(path).write_text(f"{text}\n", encoding="utf-8")
