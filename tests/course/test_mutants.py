"""No slip of the pen passes as right, and what a check says of one is so on inputs that it never tried."""

import ast
import inspect
import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from mutants import CutOffError, built, mutants

from snnlab.course import check
from snnlab.course.lessons import Exercise

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))[1:]
"""The lessons that have exercises: 00 has none."""

TRUTHS = "'and' is a product, and has no order"
FLOOR = "the floor of a floor is the same"
EQUIVALENT = {
    ("02.1", "return threshold / T * ((T * z + v0) // threshold).floor().clamp(0, T)"): FLOOR,
    ("02.2", "return (output - activations).square().mean().item()"): "a mean is least where the sum is",
    ("02.2", "return (activations - output).square().sum().item()"): "a square has no sign",
    ("03.2", "return torch.quantile(activations, p / 100)"): "without an axis it takes all values",
    ("03.2", "return torch.quantile(activations.double(), p / 100)"): "without an axis it takes all values",
    ("04.2", "return [max(0.0, 1 - abs((threshold - x) / threshold)) for x in v]"): "a size has no sign",
    ("06.2", "even = (count + torch.floor(v // threshold)).clamp(0, T)"): FLOOR,
    (
        "07.1",
        "spike = 1 if v >= threshold else -1 if v <= -threshold and net != 0 else 0",
    ): "the net count is never below 0",
    ("07.2", "return max(0, (sum(current) + v0) // threshold)"): "it is whole already",
    ("07.2", "return max(0, int((sum(current) + v0) / threshold))"): "int and floor differ below 0 only",
    ("07.2", "return max(0, math.floor((sum(current) + v0) // threshold))"): FLOOR,
    ("09.1", "if z <= 0:"): "at 0 both cases give 0",
    ("09.1", "return int(levels * z // threshold) / levels - z / threshold"): FLOOR,
    ("13.1", "firing = a[a != 0]"): "no activation is below 0",
    ("14.1", "analog = (output != 0) * (output != threshold)"): TRUTHS,
    ("14.1", "return ((output != 0) * (output != threshold)).double().mean().item()"): TRUTHS,
    ("14.1", "analog = (output != threshold) & (output != 0)"): TRUTHS,
    ("14.1", "return ((output != threshold) & (output != 0)).double().mean().item()"): TRUTHS,
    ("14.2", "T = len(spikes[1])"): "all trains are as long",
    ("14.2", "T = len(spikes[-1])"): "all trains are as long",
}


def solutions(path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Of each exercise: its number, the solution's function, and the names that the notebook gives it."""
    names: dict[str, Any] = {}
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        text, tags = "".join(cell["source"]), cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code" and (re.match(r"(import|from) ", text) or "parameters" in tags):
            exec(text, names)
        if "solution" in tags:
            (function,) = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
            yield re.findall(r'check\("(.*?)"', text)[0], ast.unparse(function), names


def outcome(function: Callable[..., Any], inputs: tuple[Any, ...]) -> Any:
    try:
        return torch.as_tensor(function(*inputs)).double()
    except CutOffError:
        return None


def alike(one: Callable[..., Any], other: Callable[..., Any], exercise: Exercise) -> bool:
    """Whether both give the same for inputs that the check has never seen."""
    for seed in range(1000, 1060):
        inputs = exercise.draw(Random(seed))
        first, second = outcome(one, inputs), outcome(other, inputs)
        if (
            first is None
            or first.shape != second.shape
            or not torch.allclose(first, second, rtol=1e-5, atol=1e-6)
        ):
            return False
    return True


@pytest.mark.filterwarnings("ignore")  # a mutant divides by zero, and Python warns of `1 is ...`
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_slip_passes_and_no_diagnosis_is_a_chance_hit(path: Path) -> None:
    lesson = import_module(f"snnlab.course.lesson_{path.name[:2]}")
    survivors, tried, unfounded = set(), 0, []
    for number, solution, names in solutions(path):
        exercise = lesson.EXERCISES[number]
        mistakes = {mistake.__name__: mistake for mistake in exercise.mistakes}
        for source, space in ((solution, names), (inspect.getsource(exercise.reference), vars(lesson))):
            for change, changed in mutants(source):
                function, tried = built(changed, space), tried + 1
                verdict = check(number, function)
                if verdict.passed:
                    survivors.add((number, change.split(" => ")[1]))
                elif verdict.mistake and not alike(function, mistakes[verdict.mistake], exercise):
                    unfounded.append(f"{number}: {change} is called {verdict.mistake}")
    assert tried > 40
    assert survivors == {key for key in EQUIVALENT if key[0][:2] == path.name[:2]}
    assert not unfounded


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_slip_in_a_planted_mistake_passes_or_is_called_by_chance(path: Path) -> None:
    """Two mistakes at once, every twelfth of them: right is what is right on other inputs, too."""
    lesson, tried, unfounded = import_module(f"snnlab.course.lesson_{path.name[:2]}"), 0, []
    for number, exercise in lesson.EXERCISES.items():
        known = {mistake.__name__: mistake for mistake in exercise.mistakes} | {"": exercise.reference}
        changes = [pair for mistake in exercise.mistakes for pair in mutants(inspect.getsource(mistake))]
        for change, changed in changes[::12]:
            function, tried = built(changed, vars(lesson)), tried + 1
            verdict = check(number, function)
            told = verdict.passed or verdict.mistake
            if told and not alike(function, known[verdict.mistake], exercise):
                unfounded.append(f"{number}: {change} is called {verdict.mistake or 'right'}")
    assert tried > 20
    assert not unfounded


def test_the_generator_changes_operators_constants_comparisons_indices_and_axes() -> None:
    changed = {
        after.splitlines()[-1].strip()
        for _, after in mutants("def f(x, n):\n    return x[1:].sum(0) * n >= 2")
    }
    wanted = {
        "x[1:].sum(0) + n >= 2",
        "x[1:].sum(0) * n > 2",
        "x[1:].sum(0) * n >= 3",
        "x[2:].sum(0) * n >= 2",
    }
    wanted |= {"x[1:].sum(1) * n >= 2", "x[1:].sum() * n >= 2", "x[1:].mean(0) * n >= 2", "x[1:].sum(0) >= 2"}
    assert {f"return {change}" for change in wanted} <= changed


def test_a_mutant_that_does_not_end_is_cut_off_by_rounds_not_by_time() -> None:
    with pytest.raises(CutOffError):
        built("def f(n):\n    while n >= 0:\n        n = n + 1\n    return n", {})(3)
