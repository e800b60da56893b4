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
        cell("code", "assert T == 8"),
        cell("markdown", "## Summary"),
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
BROKEN: dict[str, tuple[int, dict[str, Any]]] = {
    "cell 6: has outputs": (5, {"outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}]}),
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
}


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
