"""The notebooks keep the rules; and the linter finds each rule broken, on small notebooks that break just it."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from notebook_lint import lint

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def cell(kind: str, text: str, *tags: str, **more: Any) -> dict[str, Any]:
    metadata = {"tags": list(tags)} if tags else {}
    extra = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": metadata, "source": text} | extra | more


GOOD = {
    "cells": [
        cell("markdown", "# What you will be able to do"),
        cell("code", "import snnlab\nfrom snnlab import plots"),
        cell("markdown", "Try other numbers."),
        cell("code", "T: int = 8\nseed: int = 0", "parameters"),
        cell("markdown", "See https://example.org/home/page for more; half the charge, 1/2, is left."),
        cell("code", "assert T == 8\nT"),
        cell("markdown", "## Summary"),
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
BROKEN: dict[str, tuple[int, dict[str, Any]]] = {
    "cell 6: has outputs": (5, {"outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}]}),
    "cell 6: asserts the answer before it is revealed": (
        5,
        {"source": 'predict("01.1", "?", range(3))\nassert T == 8\nreveal("01.1")'},
    ),
    "cell 6: begins with an assertion": (5, {"metadata": {"jupyter": {"source_hidden": True}}}),
    "cell 6: `reveal` is not the last": (5, {"source": 'reveal("01.1")\nT'}),
    "a prediction is never revealed": (5, {"source": 'predict("01.1", "?", range(3))'}),
    "cell 6: has an execution count": (5, {"execution_count": 3}),
    "cell 6: 13 lines, but 12": (5, {"source": "assert T\n" * 13}),
    "cell 6: is empty": (5, {"source": "\n"}),
    "cell 6: '!pip install x': no shell": (5, {"source": "!pip install x"}),
    "cell 6: '%matplotlib widget': no shell": (5, {"source": "%matplotlib widget"}),
    "cell 6: not Python": (5, {"source": "assert T =="}),
    "cell 6: holds an absolute path (/tmp/": (5, {"source": "open('/tmp/x')"}),
    "cell 5: holds an absolute path (C:\\": (4, {"source": "Look in C:\\data."}),
    "cell 6: imports belong to the one import cell, cell 2": (5, {"source": "import math"}),
    "cell 6: unknown tag 'solutoin'": (5, {"metadata": {"tags": ["solutoin"]}}),
    "0 cells are tagged 'parameters'": (3, {"metadata": {}}),
    "2 cells are tagged 'parameters'": (5, {"metadata": {"tags": ["parameters"]}}),
    "cell 4: a parameter is written with its type": (3, {"source": "T = 8"}),
    "cell 1: must be markdown": (0, cell("code", "1 + 1")),
    "cell 7: the last must be markdown": (6, cell("code", "1 + 1")),
    "cell 6: follows a code cell": (4, cell("code", "1 + 1")),
    "cell 6: asserts in silence": (5, {"source": "assert T == 8"}),
    "cell 5: a table of 514 px": (
        4,
        {"source": "|a|b|\n|---|---|\n|" + "m" * 30 + "|" + "m" * 30 + " $x^2$|\n"},
    ),
    "cell 5: an equation of 37 signs": (
        4,
        {"source": "So\n\n$$a = " + " + ".join("z" * 17) + r" + \theta_l$$"},
    ),
    "cell 5: '97 %' (the beginning), but no assertion": (4, {"source": "It reads 97 % of the digits."}),
}
SAID: list[tuple[str, str, str]] = [
    ("In numbers:", "print(T)", ""),
    ("In numbers:", "T", ""),
    ("In numbers:", "T * 2\nreveal('01.1')", "cell 6: follows 'in numbers'"),
    ("In numbers:", "shares = [T]", "cell 6: follows 'in numbers'"),
    ("The answer, and in numbers:", "check('01.1', T)", "cell 6: follows 'in numbers'"),
    ("So it is.", "assert T == 8\nreveal('01.1')", "cell 6: asserts in silence"),
    ("So it is.", "for t in (1, 2):\n    assert t < 3", "cell 6: asserts in silence"),
    ("So it is.", "for t in (1, 2):\n    print(t)\n    assert t < 3", ""),
    ("It reads more than 97 %.", "print(T)\nassert read > 0.97", ""),
    ("It reads more than 97 %.", "print(T)\nassert read > 0.96", "cell 5: '97 %'"),
    ("It reads more than 97 %.", "print(T)\nread = 0.97", "cell 5: '97 %'"),  # set, not asserted
    ("It loses 1.5 points.", "print(T)\nassert lost < 0.015", ""),
    ("It loses two points.", "print(T)\nassert lost < 0.02", ""),
    ("It reads 20 to 23 %.", "print(T)\nassert 0.2 < read < 0.23", ""),
    ("It reads 20 to 23 %.", "print(T)\nassert 0.1 < read < 0.23", "cell 5: '20'"),
    ("It loses two points.", "print(T)\nassert lost < 0.03", "cell 5: 'two points'"),
    ("It falls by more than a fifth.", "print(T)\nassert after < 0.8 * before", ""),
    ("It falls by more than a fifth.", "print(T)\nassert after < before", "cell 5: 'a fifth'"),
    ("A third neuron is silent.", "T", ""),  # the one after the second
    ("Up to $v = 1.125$.", "assert v == 1.125\nT", ""),
    ("Up to $v = 1.125$.", "T", "cell 5: '1.125'"),
    ("Much is lost (58.2 in place of 42.2).", "T", "cell 5: '58.2'"),
    ("It ends at -3.5.", "T", "cell 5: '3.5'"),
    ("For 384 inputs:", "len(z) == 384", ""),
    ("For 384 inputs:", "T", "cell 5: '384'"),
    ("It takes 8 steps.", "T", ""),  # from the parameters, a section before
    ("A multiplication takes 3.7 pJ (Horowitz 2014).", "T", ""),
    ("A multiplication takes 3.7 pJ.", "T", "cell 5: '3.7'"),
    ("It reads 85.2 % (`data/results/papers.json`).", "T", ""),
    ("It reads 85.2 % (`papers`).", "T", "cell 5: '85.2 %'"),
    (
        "Lessons 03 and 05, section 2.1, figure 4(b), the 99.9th percentile, 32-bit, CIFAR-10, `x[17]`.",
        "T",
        "",
    ),
    ("Lessons [03](03_a.ipynb) and [05](05_b.ipynb#x), [lesson 07](07_c.ipynb).", "T", ""),
    ("It reads [97 %](03_a.ipynb).", "T", "cell 5: '97 %'"),
    ("## 2 · Other\n\nIt never falls.", "assert rising\nT", ""),
    ("## 2 · Other\n\nIt never falls.", "T", "cell 5: 'never'"),
    ("## 2 · Other\n\nIt is faster than before.", "T", "cell 5: 'than'"),
    ("## 2 · Other\n\nIt is as fast as before.", "T", "cell 5: 'as fast as'"),
    ("## 2 · Other\n\nIt is faster than before (Horowitz 2014).", "T", ""),
    ("## 2 · Other\n\nIs it faster than before?", "T", ""),
    ("## 2 · Other\n\nRun this as often as you like.", "T", ""),
    ("## 2 · Other\n\nIt reads 97 %.", "print(T)\nassert read == 0.97", ""),
    (
        "It reads 97 %.\n\n## 2 · Other",
        "print(T)\nassert read == 0.97",
        "cell 5: '97 %'",
    ),  # of another section
]


def problems(folder: Path, notebook: Any, name: str = "01_good.ipynb", **options: bool) -> list[str]:
    path = folder / name
    path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook), encoding="utf-8")
    return lint(path, **options)


def test_a_good_notebook_passes(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []
    assert problems(tmp_path, GOOD, report=True) == []


@pytest.mark.parametrize("expected", BROKEN)
def test_each_broken_rule_is_found_and_named(tmp_path: Path, expected: str) -> None:
    broken = copy.deepcopy(GOOD)
    number, change = BROKEN[expected]
    broken["cells"][number] |= change
    found = problems(tmp_path, broken)
    assert any(expected in problem for problem in found), found


@pytest.mark.parametrize(("text", "code", "expected"), SAID)
def test_a_number_in_the_text_is_shown_and_has_its_assertion_or_its_source(
    tmp_path: Path, text: str, code: str, expected: str
) -> None:
    said = copy.deepcopy(GOOD)
    said["cells"][4]["source"], said["cells"][5]["source"] = text, code
    found = problems(tmp_path, said)
    assert [problem for problem in found if expected and expected in problem] if expected else not found, (
        found
    )


@pytest.mark.parametrize("left_by", ["widgets", "papermill"])
def test_what_a_run_leaves_in_the_metadata_is_found(tmp_path: Path, left_by: str) -> None:
    found = problems(tmp_path, GOOD | {"metadata": {left_by: {}}})
    assert any(f"metadata has '{left_by}'" in problem for problem in found), found


def test_a_bad_name_and_a_broken_file_are_found(tmp_path: Path) -> None:
    assert "form 01_short_name.ipynb" in problems(tmp_path, GOOD, "Lesson 1.ipynb")[0]
    assert "not JSON" in problems(tmp_path, "{", "01_good.ipynb")[0]


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_lessons_keep_the_rules(path: Path) -> None:
    assert lint(path) == []


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("reports/*.ipynb")), ids=lambda path: path.stem)
def test_the_reports_keep_the_rules(path: Path) -> None:
    assert lint(path, report=True) == []


def test_no_number_is_used_twice() -> None:
    numbers = [path.name[:2] for path in NOTEBOOKS.glob("*.ipynb")]
    assert numbers
    assert len(numbers) == len(set(numbers))
