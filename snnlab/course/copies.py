"""Three copies of the lessons from one source: for students, for the instructor, and as slides.

The source has everything: stubs, solutions, questions. What a copy adds, the answers and the usual mistakes, is what
the lesson's checks know (lesson_NN.py), so nothing is written twice.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from snnlab.course.exercises import hint
from snnlab.course.lessons import Answer, Exercise, answers_of, find
from snnlab.course.prediction import show
from snnlab.course.translation import text, translated
from snnlab.files import marked
from snnlab.files.language import said

Notebook = dict[str, Any]
Cell = dict[str, Any]

ROOM = 5 * 10**6
"""Bytes that all copies take, at most; measured is a third."""
GOES_ON = "The lesson goes on with your function once it is right, and with the kit's until then:"


def write(lessons: Path, out: Path) -> Path:
    """Write the copies of all lessons into out/student, out/instructor and out/slides; the same bytes each time.

    Each has the texts beside the lessons, to which they lead: the glossary, the references.

    Args:
        lessons: the folder of the lessons.
        out: a new or empty folder, or one that this function wrote and nobody has changed since.
    Returns: out, absolute.
    Raises: ValueError for another folder, and where nothing can be written.
    """
    folder = marked.target(out, ROOM, kind="student/*.ipynb")
    with marked.building(folder) as new:
        for path in sorted(lessons.glob("[0-9]*.ipynb")):
            notebook = translated(json.loads(path.read_text(encoding="utf-8")))
            for name, copy in COPIES.items():
                whole = json.dumps(copy(notebook), indent=1, ensure_ascii=False) + "\n"
                (new / name).mkdir(exist_ok=True)
                (new / name / path.name).write_text(whole, encoding="utf-8")
        for path in sorted(lessons.glob("*.md")):
            for name in COPIES:
                (new / name / path.name).write_text(text(path.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def student(notebook: Notebook) -> Notebook:
    """Without solutions: stubs, checks and questions; it runs from top to bottom with every exercise open."""
    cells: list[Cell] = []
    source = notebook["cells"]
    for k, cell in enumerate(source):
        if not _is(cell, "solution"):
            cells.append(_bare(cell))
            continue
        if cells[-1]["cell_type"] == "markdown" and _text(cells[-1]).startswith(
            ("The solution", said("The solution"))
        ):
            cells.pop()
        solved = _defined(cell)[-1]
        if any(re.search(rf"\b{solved}\b", _text(later)) for later in source[k + 1 :]):
            number, stub = _checked(cell), _defined(_last(source[:k], "exercise"))[-1]
            cells.append(_prose(cell, "goes-on", said(GOES_ON)))
            line = f'from snnlab.course import own\n\n{solved} = own("{number}", {stub})'
            cells.append({**_bare(cell), "metadata": {}, "source": _lines(line)})
    return {**notebook, "cells": cells}


def instructor(notebook: Notebook) -> Notebook:
    """With open solutions, and behind each question and exercise what is true, what tempts, what goes wrong."""
    cells: list[Cell] = []
    for cell in notebook["cells"]:
        hidden = {name: value for name, value in cell["metadata"].items() if name != "jupyter"}
        cells.append({**_bare(cell), "metadata": hidden})
        if _is(cell, "solution"):
            cells.append(_prose(cell, "mistakes", _mistakes(_checked(cell))))
        elif asked := re.match(r'predict\(\s*"(\d\d\.\d+)"', _text(cell)):
            cells.append(_prose(cell, "truth", _truth(asked[1])))
    cells.insert(1, _prose(cells[0], "instructor", "\n".join(_overview(notebook))))
    return {**notebook, "cells": cells}


def slides(notebook: Notebook) -> Notebook:
    """The student's copy with the marks of RISE and of `jupyter nbconvert --to slides --execute`.

    A section opens a slide; below it each piece of code, with the prose that leads to it, is one more.
    """
    cells: list[Cell] = []
    copy: list[Cell] = student(notebook)["cells"]
    for k, (before, cell) in enumerate(zip([None, *copy], copy, strict=False)):
        heading = cell["cell_type"] == "markdown" and _text(cell).startswith(("# ", "## "))
        below = before is not None and before["cell_type"] == "code"
        kind = "slide" if heading else "subslide" if below else "-"
        leads = not heading and any(_is(after, "parameters") for after in _next(copy[k + 1 :]))
        values = leads or _is(cell, "parameters")
        kind = "skip" if values or _is(cell, "kernel") else kind
        cells.append({**cell, "metadata": {**cell["metadata"], "slideshow": {"slide_type": kind}}})
    metadata = {**notebook["metadata"], "rise": {"scroll": True, "enable_chalkboard": False}}
    return {**notebook, "metadata": metadata, "cells": cells}


COPIES: dict[str, Callable[[Notebook], Notebook]] = {
    "student": student,
    "instructor": instructor,
    "slides": slides,
}


def _overview(notebook: Notebook) -> Iterator[str]:
    """What the instructor is told at the top: the time, all answers, and where the exercises are."""
    first = _text(notebook["cells"][0])
    lesson = re.search(r"\d\d", first)
    assert lesson is not None
    time = re.search(
        rf"\*\*(?:Time:\*\* |{said('Time')}\*\*.)([^.。]*)[.。]", "\n".join(map(_text, notebook["cells"]))
    )
    minutes = time[1] if time else said("not said")
    yield said(
        "> **Instructor's copy.** Time: {minutes}. Solutions are open, and each is followed\n"
        "> by the usual wrong answers with the hints that students get. Answers to the predictions:"
    ).format(minutes=minutes)
    for number, answer in answers_of(lesson[0]).items():
        section = said("section {number}").format(number=answer.section)
        yield f"> - {number}: {show(answer.truth)} ({section})"


def _truth(number: str) -> str:
    """A prediction's answer, why it is true, and why the others tempt."""
    answer: Answer = find(number, "ANSWERS")
    head = said("**Instructor, {number}: {truth}.**").format(number=number, truth=show(answer.truth))
    lines = [f"> {head} {said(answer.why)}"]
    for wrong, thought in answer.tempting.items():
        lines.append(f">\n> {said('Why *{mine}* tempts:').format(mine=show(wrong))} {said(thought)}")
    return "\n".join(lines)


def _mistakes(number: str) -> str:
    """The usual mistakes of an exercise, and what a student is told of each."""
    exercise: Exercise = find(number, "EXERCISES")
    head = said("**Instructor, {number}: usual wrong answers**, each with the hint that `check` gives.")
    lines = [f"> {head.format(number=number)}"]
    for mistake in exercise.mistakes:
        name = mistake.__name__.strip("_").replace("_", " ")
        lines.append(f"> - *{name}*: {' '.join(hint(mistake).split())}")
    understood = said("Who has it right has understood:")
    return "\n".join([*lines, f">\n> {understood} {said(exercise.praise)}"])


def _text(cell: Cell) -> str:
    return "".join(cell["source"])


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _is(cell: Cell, tag: str) -> bool:
    return tag in cell["metadata"].get("tags", [])


def _next(cells: Sequence[Cell]) -> list[Cell]:
    """The first that does not speak of running cells, if there is one."""
    return [cell for cell in cells if not _is(cell, "lab")][:1]


def _bare(cell: Cell) -> Cell:
    """The cell without what a run has left in it, and without links to what does not come with the copies."""
    if cell["cell_type"] == "code":
        return {**cell, "outputs": [], "execution_count": None}
    return {**cell, "source": _lines(re.sub(r"\[([^\]]*)\]\(\.\./[^)]*\)", r"\1", _text(cell)))}


def _prose(cell: Cell, name: str, text: str) -> Cell:
    """A cell of prose that belongs to another; its id is the other's with a name behind it."""
    return {"cell_type": "markdown", "id": f"{cell['id']}-{name}", "metadata": {}, "source": _lines(text)}


def _defined(cell: Cell) -> list[str]:
    """The functions that a cell defines."""
    return [node.name for node in ast.parse(_text(cell)).body if isinstance(node, ast.FunctionDef)]


def _checked(cell: Cell) -> str:
    """The number of the exercise whose check a solution passes."""
    found = re.search(r'check\("(\d\d\.\d+)"', _text(cell))
    assert found is not None, _text(cell)
    return found[1]


def _last(cells: Sequence[Cell], tag: str) -> Cell:
    return next(cell for cell in reversed(cells) if _is(cell, tag))
