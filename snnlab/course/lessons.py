"""What a lesson knows and its notebook does not show: the answers to its questions, the checks of its exercises.

Lesson NN keeps them in lesson_NN.py, in two tables: ANSWERS and EXERCISES, keyed by the number that the notebook
gives ("01.1": lesson 01, first of its kind).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Any, Literal

Status = Literal["passed", "todo", "wrong", "unanswered"]


@dataclass(frozen=True)
class Answer:
    """What is true, why, and why the wrong answers tempt; Markdown.

    Args:
        truth: one of the options, or a number.
        why: what the picture shows, in a sentence or two.
        tempting: a wrong answer -> the thought that leads to it, and where it goes wrong.
        within: how far a number may be off and still count as right; 0 for counts.
    """

    truth: str | float
    why: str
    tempting: Mapping[str | float, str] = field(default_factory=lambda: MappingProxyType({}))
    within: float = 0.0


@dataclass(frozen=True)
class Exercise:
    """A function to write: its reference, the inputs it is tried on, the usual mistakes.

    Args:
        reference: does it right; its parameters are those the student's function must take.
        inputs: argument lists. They must tell every mistake from the reference and from each other.
        mistakes: each makes one mistake; its docstring is what the student is told.
        praise: what a function that passes has understood.
    """

    reference: Callable[..., Any]
    inputs: Sequence[tuple[Any, ...]]
    mistakes: Sequence[Callable[..., Any]]
    praise: str


@dataclass(frozen=True)
class Verdict:
    """What the reader is told, shown as Markdown. `mistake` is the name of a recognised one, or ""."""

    status: Status
    text: str
    mistake: str = ""

    @property
    def passed(self) -> bool:
        """Whether it was right; `assert check("01.1", f).passed` stops a notebook whose solution is wrong."""
        return self.status == "passed"

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def find(number: str, table: Literal["ANSWERS", "EXERCISES"]) -> Any:
    """The Answer or the Exercise of that number.

    Raises: ValueError that lists the numbers there are.
    """
    name = f"snnlab.course.lesson_{number[:2]}"
    try:
        lesson = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:  # the lesson is there, but something it imports is not
            raise
        raise ValueError(f"{number!r} belongs to no lesson; numbers look like '01.1'") from None
    entries = getattr(lesson, table)
    if number not in entries:
        raise ValueError(f"there is no {number!r} among the {table.lower()}: {', '.join(entries)}")
    return entries[number]
