"""The lessons in the reader's language: their prose from the catalogues (files/language.py), their code as it is."""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from snnlab.files import marked, scratch
from snnlab.files.language import language, said

ROOM = 5 * 10**6
"""Bytes that the lessons take, at most."""
DOCUMENT = Path("docs") / "your_own_network.md"
"""What the lessons lead to outside their folder."""


def translated(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with its prose in the reader's language; a cell without a twin stays English."""
    cells = [
        {**cell, "source": said("".join(cell["source"])).splitlines(keepends=True)}
        if cell["cell_type"] == "markdown"
        else cell
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}


def text(markdown: str) -> str:
    """A text beside the lessons in the reader's language, paragraph by paragraph."""
    return "\n\n".join(map(said, markdown.rstrip("\n").split("\n\n"))) + "\n"


def fill(lessons: Path, out: Path) -> None:
    """Write the lessons of a folder, and the texts beside them, in the reader's language."""
    for path in sorted(lessons.glob("[0-9]*.ipynb")):
        notebook = translated(json.loads(path.read_text(encoding="utf-8")))
        (out / path.name).write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for path in sorted(lessons.glob("*.md")):
        (out / path.name).write_text(text(path.read_text(encoding="utf-8")), encoding="utf-8")


def readers(lessons: Path) -> tuple[Path, bool]:
    """The folder to read the lessons in, in the reader's language: the lessons' own, or a copy beside it.

    Returns: the folder, and whether it is an older copy, in which somebody has worked.
    Raises: ValueError where it cannot be written.
    """
    if language() == "en":
        return lessons, False
    out = lessons.with_name(f"{lessons.name}_{language()}")
    return out, marked.copied(out, ROOM, partial(fill, lessons), "[0-9][0-9]_*.ipynb")


@contextlib.contextmanager
def source(lessons: Path) -> Iterator[Path]:
    """A folder of the lessons in the reader's language, for as long as pages are made of it."""
    if language() == "en":
        yield lessons
        return
    with scratch(Path(tempfile.gettempdir()), "snnlab-lessons-") as near:
        new = near / lessons.name
        new.mkdir()
        fill(lessons, new)
        if (lessons.parent / DOCUMENT).is_file():
            (near / DOCUMENT).parent.mkdir()
            told = text((lessons.parent / DOCUMENT).read_text(encoding="utf-8"))
            (near / DOCUMENT).write_text(told, encoding="utf-8")
        yield new
