"""What a lesson knows and its notebook does not show: the answers to its questions, the checks of its exercises.

Lesson NN keeps them in lesson_NN.py, in two tables: ANSWERS and EXERCISES, keyed by the number that the notebook
gives ("01.1": lesson 01, first of its kind).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from random import Random
from types import MappingProxyType
from typing import Any, Literal

DRAWN = 32
"""Argument lists that an exercise is tried on beside the chosen ones."""

Status = Literal["passed", "todo", "wrong", "unanswered"]


@dataclass(frozen=True)
class Answer:
    """What is true, why, and why the wrong answers tempt; Markdown.

    Args:
        truth: one of the options, or a number.
        why: what the picture shows, in a sentence or two.
        tempting: a wrong answer -> the thought that leads to it, and where it goes wrong.
        section: the section of the lesson that asks it, to be read again by whom it took in.
    """

    truth: str | float
    why: str
    tempting: Mapping[str | float, str] = field(default_factory=lambda: MappingProxyType({}))
    section: int = 1


@dataclass(frozen=True)
class Exercise:
    """A function to write: its reference, the inputs it is tried on, the usual mistakes.

    Args:
        reference: does it right; its parameters are those the student's function must take.
        inputs: argument lists, the simplest first: the first that goes wrong is shown.
        draw: one more argument list, drawn at random. Some are tried too, so that no wrong function is like
            another, or like the right one, by chance.
        mistakes: each makes one mistake; its docstring is what the student is told.
        praise: what a function that passes has understood.
        entries: words that lead to an entry's number, for each axis: ("in step",); () if the answer is one number.
        counted_from: the number of the first entry: 1 for steps, 0 for numbers of spikes.
        endless: what may be wrong with a function that does not end.
    """

    reference: Callable[..., Any]
    inputs: Sequence[tuple[Any, ...]]
    draw: Callable[[Random], tuple[Any, ...]]
    mistakes: Sequence[Callable[..., Any]]
    praise: str
    entries: tuple[str, ...] = ()
    counted_from: int = 1
    endless: str = ""

    @cached_property
    def tried(self) -> list[tuple[Any, ...]]:
        """All argument lists: the chosen ones, and some drawn, the same each time."""
        return [*self.inputs, *(self.draw(Random(seed)) for seed in range(DRAWN))]


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
    entries = getattr(_lesson(number[:2], number), table)
    if number not in entries:
        raise ValueError(f"there is no {number!r} among the {table.lower()}: {', '.join(entries)}")
    return entries[number]


def answers_of(lesson: str) -> dict[str, Answer]:
    """The answers to all questions of a lesson, "01", in their order.

    Raises: ValueError if there is no such lesson.
    """
    return _lesson(lesson, lesson).ANSWERS


def _lesson(name: str, given: str) -> Any:
    module = f"snnlab.course.lesson_{name}"
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:  # the lesson is there, but something it imports is not
            raise
        raise ValueError(f"{given!r} belongs to no lesson; numbers look like '01.1'") from None


def eighths(draw: Random, count: int, low: int, high: int) -> list[float]:
    """So many multiples of 1/8 from low to high: sums of them are exact, so a threshold can be met exactly."""
    return [draw.randint(8 * low, 8 * high) / 8 for _ in range(count)]
