"""Predict, then see: the reader's answers, written down before the picture shows them.

Nothing in a lesson depends on an answer: an unanswered question stops no cell. The answers lie in
`.snnlab/predictions.json` beside the notebook, or in the file that SNNLAB_ANSWERS names. The first answer to a
question stays, with its time; another one, given later, stands beside it and is called the second.
"""

import html
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import ipywidgets

from snnlab.course.lessons import Answer, Verdict, answers_of, find
from snnlab.explorers.lasting import Lasting
from snnlab.files import answers_file, write
from snnlab.files.language import language, said

Value = str | float
Options = Sequence[str] | range


class Given(NamedTuple):
    """An answer on record, and when it was given: a time of ISO 8601, or "" where none was kept."""

    answer: Value
    at: str

    def __str__(self) -> str:
        """The answer with its time, as the reader's clock has it: 6 (28 Nov 2026, 19:50)."""
        try:
            when = datetime.fromisoformat(self.at).astimezone()
        except ValueError:
            return show(self.answer)
        clock = f"{when.day} {when:%b %Y, %H:%M}" if language() == "en" else f"{when:%Y-%m-%d %H:%M}"
        return f"{show(self.answer)} ({clock})"


class Form(Lasting, ipywidgets.VBox):
    """A question with its possible answers and a Record button; where no browser draws it, its text."""

    def __init__(self, number: str, question: str, options: Options) -> None:
        self.number, self.question, self.options = number, said(question), options
        self.answer, self.button = (
            _entry(options),
            ipywidgets.Button(description=said("Record"), icon="pencil"),
        )
        earlier = recorded().get(number, [])
        if earlier and earlier[-1].answer in options:
            self.answer.value = earlier[-1].answer
        self.said = ipywidgets.HTML(_told(earlier))
        self.button.on_click(self._record)
        head = said("Prediction {number}.").format(number=number)
        title = ipywidgets.HTML(f"<b>{head}</b> {html.escape(self.question)}")
        row = ipywidgets.HBox([self.button, self.said], layout={"flex_flow": "row wrap"})
        super().__init__([title, self.answer, row])

    def _record(self, _: Any) -> None:
        # Jupyter swallows what a callback raises, so whatever can go wrong is said in the form itself.
        answer = self.answer.value
        if answer is None:
            self.said.value = said("Choose an answer first.")
            return
        try:
            record(self.number, answer)
            self.said.value = f"{_told(recorded()[self.number])} {said('Read on.')}"
        except OSError as error:
            reason = f"{answers_file()} cannot be written ({error.strerror})"
            self.said.value = (
                f"{html.escape(reason)}: keep <b>{html.escape(show(answer))}</b> in mind instead."
            )

    def lasting(self) -> str:
        """The question as text, with what a page needs to ask it without a kernel (reports/site.py)."""
        asked = {"number": self.number, "question": self.question, "options": list(self.options)}
        asked["shown"] = [show(option) for option in self.options]
        told = f"data-asked='{html.escape(json.dumps(asked))}'"
        asks = f'<p class="snnlab-kernel">{said("Run the cell to answer.")}</p>'
        return f'{asks}<div class="snnlab-question" {told}>{html.escape(repr(self))}</div>'

    def __repr__(self) -> str:
        numeric = isinstance(self.options, range)
        choices = (
            f"{self.options[0]} {said('to')} {self.options[-1]}"
            if numeric
            else " | ".join(map(show, self.options))
        )
        head = said("Prediction {number}.").format(number=self.number)
        return f"{head} {self.question}  [{choices}]"


def predict(number: str, question: str, options: Options) -> Form:
    """Ask before the picture shows it; the Record button writes the answer down.

    Args:
        number: "01.1" is the first question of lesson 01. Its answer is in the lesson's ANSWERS.
        question: plain text.
        options: a list of strings to choose from, or a range of whole numbers.
    Raises: ValueError if the number is unknown, or the true answer is not among the options.
    """
    truth = find(number, "ANSWERS").truth
    if truth not in options:
        raise ValueError(f"the answer to {number} is {truth!r}, which the options {options!r} do not allow")
    return Form(number, question, options)


def reveal(number: str) -> Verdict:
    """What was predicted, what is true, and why the wrong answers tempt; folded until a prediction is on record.

    Args:
        number: of the prediction, "3.1" for instance.
    """
    answer: Answer = find(number, "ANSWERS")
    first, *second = recorded().get(number, [None])
    truth, others, why = show(answer.truth), dict(answer.tempting), said(answer.why)
    if first is None:
        head = (
            said("**{number}: {truth}.**").format(number=number, truth=truth) + f" {why}{_tempting(others)}"
        )
        fold = said("you have recorded no prediction. Record one above and run this cell again, or look")
        return Verdict("unanswered", f"<details><summary>{number}: {fold}</summary>\n\n{head}\n\n</details>")
    mine, right = show(first.answer), first.answer == answer.truth
    whole = (
        said("you predicted {mine}, and that is right.")
        if right
        else said("you predicted {mine}; it is: {truth}.")
    )
    told = whole.format(mine=mine, truth=truth)
    head = said("**{number}: {told}**").format(number=number, told=told) + f" {why}"
    for later in second:
        head += " " + said("(Your second answer was {later}.)").format(later=later)
    if first.answer in others:
        head += "\n\n" + said("Why *{mine}* tempts:").format(mine=mine) + f" {said(others.pop(first.answer))}"
    return Verdict("passed" if right else "wrong", head + _tempting(others))


def looking_back(lesson: str) -> Verdict:
    """All predictions of a lesson beside the answers: which way each was wrong, and what to read again.

    Args:
        lesson: its number, "01".
    Raises: ValueError if there is no such lesson.
    """
    answers, given = answers_of(lesson), recorded()
    heads = (
        said("question"),
        said("your first answer"),
        said("it is"),
        said("which way you were wrong"),
        said("to read again"),
    )
    lines = [heads, ("---",) * len(heads)]
    right = 0
    for number, answer in answers.items():
        first, *second = given.get(number, [None])
        agrees = first is not None and first.answer == answer.truth
        right += agrees
        mine = said("none") if first is None else said("; second: ").join(map(str, [first, *second]))
        wrong = "" if agrees else _which_way(first, answer)
        again = "" if agrees else said("section {number}").format(number=answer.section)
        truth = "" if first is None else show(answer.truth)  # folded until there is a prediction
        lines.append((number, mine, truth, wrong, again))
    asked = [number for number in answers if number in given]
    counted = said("Lesson {lesson}: {right} of {count} first answers were right.")
    head = f"**{counted.format(lesson=lesson, right=right, count=len(answers))}**"
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    status = "passed" if right == len(answers) else "wrong" if asked else "unanswered"
    return Verdict(status, f"{head}\n\n{table}")  # type: ignore[arg-type]


def recorded() -> dict[str, list[Given]]:
    """To each question the first answer on record and, where there is one, the second."""
    return answers_in(answers_file())


def answers_in(path: Path) -> dict[str, list[Given]]:
    """The answers that a file holds; a missing or damaged one holds none."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    found = {number: _given(kept) for number, kept in content.items()}
    return {number: answers for number, answers in found.items() if answers}


def record(number: str, answer: Value) -> None:
    """Write one answer beside the others: all or nothing, whatever interrupts it. A damaged file is kept aside.

    The first answer to a question is never overwritten; the same answer again changes nothing.

    Raises: OSError if the file cannot be written.
    """
    path, answers = answers_file(), recorded()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not answers and path.read_bytes().strip() != b"{}":
        path.replace(path.with_name(path.name + ".damaged"))
    earlier = answers.get(number, [])
    if not earlier or earlier[-1].answer != answer:
        answers[number] = [*earlier[:1], Given(answer, datetime.now(UTC).isoformat(timespec="milliseconds"))]
    content = {name: [given._asdict() for given in kept] for name, kept in answers.items()}
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    write(path, f"{text}\n".encode())


def show(value: Value) -> str:
    """An answer as text, in the reader's language: 6, not 6.0."""
    return said(plain(value))


def plain(value: Value) -> str:
    """An answer as text, as it is recorded."""
    return value if isinstance(value, str) else f"{value:g}"


def _given(kept: Any) -> list[Given]:
    """What the file has for one question; an answer by itself, without its time, counts as a first one."""
    kept = kept if isinstance(kept, list) else [{"answer": kept, "at": ""}]
    answers = [
        Given(k["answer"], str(k.get("at", ""))) for k in kept if isinstance(k, dict) and "answer" in k
    ]
    return [given for given in answers if type(given.answer) in (str, int, float)][:2]


def _told(given: list[Given]) -> str:
    names = (said("On record: first answer"), said("second answer"))
    return "; ".join(
        f"{name} <b>{html.escape(str(answer))}</b>" for name, answer in zip(names, given, strict=False)
    ) + ("." if given else "")


def _tempting(others: dict[Value, str]) -> str:
    line = said("- *{wrong}*: {thought}")
    rest = "".join(
        "\n" + line.format(wrong=show(wrong), thought=said(thought)) for wrong, thought in others.items()
    )
    return f"\n\n{said('Other tempting answers:')}\n{rest}" if rest else ""


def _which_way(first: Given | None, answer: Answer) -> str:
    if first is None:
        return said("not answered")
    if isinstance(first.answer, str) or isinstance(answer.truth, str):
        return said(answer.tempting.get(first.answer, ""))
    off = first.answer - answer.truth
    return (said("{off} too many") if off > 0 else said("{off} too few")).format(off=show(abs(off)))


def _entry(options: Options) -> Any:
    """Nothing is chosen beforehand: a default would suggest itself."""
    if isinstance(options, range):
        choices = [(said("choose a number"), None), *((str(number), number) for number in options)]
        return ipywidgets.Dropdown(options=choices, index=0, layout={"width": "12em"})
    return ipywidgets.RadioButtons(
        options=[(said(o), o) for o in options], value=None, layout={"width": "max-content"}
    )
