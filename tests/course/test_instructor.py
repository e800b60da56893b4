"""docs/instructor.md: its exam answers are computed, its minutes are the lessons' own."""

import json
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from snnlab.course.lessons import find
from snnlab.course.single import watch
from snnlab.neurons import IF

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8").split("<!-- questions -->")[1]
ROWS = {
    cells[0]: cells[1:]
    for line in TABLE.splitlines()
    if (cells := re.findall(r"[^|]+", line)) and line[2:4].isdigit()
}
ROWS = {number.strip(): [cell.strip() for cell in cells] for number, cells in ROWS.items()}


def reference(number: str) -> Callable[..., Any]:
    return find(number, "EXERCISES").reference


def spikes(neuron: IF, current: list[float]) -> list[int]:
    return [int(s) for s in watch(neuron, torch.tensor(current)[:, None]).output[:, 0]]


ANSWERS: dict[str, Callable[[], str]] = {
    "00": lambda: f"{sum(sum(draws) == 1 for draws in product((0, 1), repeat=2))} of 4",
    "01": lambda: (
        f"{sum(reference('01.1')([0.375] * 10, 1.0, 0.0))} spikes, "
        f"{reference('01.2')([0.375] * 10, 1.0, 0.0, 3):g} is left"
    ),
    "02": lambda: " and ".join(
        f"{x:g}" for x in reference("02.1")(torch.tensor([0.9, 3.0]), 2.0, 1.0, 4).tolist()
    ),
    "04": lambda: f"{reference('04.1')([0.5, 1.5, 2.0], [1.0, 1.0, -3.0], 1.0):g}:",
    "05": lambda: f"{reference('05.1')(1.0, 0.0, 8)}, half a step",
    "06": lambda: f"{reference('06.2')(torch.tensor([-0.5]), torch.tensor([2.0]), 1.0, 4).item():g}",
    "07": lambda: (
        f"IF {', '.join(map(str, spikes(IF(), [1.0, 1.0, -1.0, -1.0])))}; "
        f"SNM {', '.join(map(str, reference('07.1')([1.0, 1.0, -1.0, -1.0], 1.0, 0.0)))}"
    ),
    "08": lambda: f"{reference('08.1')([1.0, 0.0, 0.0], 0.5)[-1]:g}",
    "09": lambda: f"{reference('09.1')(1.3, 2.0, 4):.2f}",
    "10": lambda: f"{reference('10.2')(0.0, [0.6], [0.5], 4):.1f}",
    "11": lambda: f"{4.6 / 0.9:.1f}",
    "12": lambda: f"{reference('12.2')(4, 10, True)}",
    "14": lambda: f"{reference('14.2')([[1, 0, 1, 0], [0, 1, 1, 0]]):g}",
}


@pytest.mark.parametrize("number", ANSWERS)
def test_an_exam_answer_is_what_the_kit_computes(number: str) -> None:
    assert ROWS[number][2].startswith(ANSWERS[number]()), ANSWERS[number]()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")), ids=lambda path: path.stem
)
def test_the_minutes_are_the_lessons_own(path: Path) -> None:
    text = "".join("".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])
    said = re.search(r"\*\*Time:\*\* (?:about )?([\d to]*\d) minutes", text)
    assert said and ROWS[path.stem[:2]][0] == said[1]
