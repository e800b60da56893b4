"""Predict, then see: the reader's answers, written down before the picture shows them.

Nothing in a lesson depends on an answer: an unanswered question stops no cell. The answers lie in
`.snnlab/predictions.json` beside the notebook, or in the file that SNNLAB_ANSWERS names.
"""

import html
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ipywidgets

from snnlab.course.lessons import Answer, Verdict, find

Value = str | float
Options = Sequence[str] | range | tuple[float, float]


class Form(ipywidgets.VBox):
    """A question with its possible answers and a Record button; where no browser draws it, its text."""

    def __init__(self, number: str, question: str, options: Options) -> None:
        self.number, self.question, self.options = number, question, options
        self.answer, self.button = _entry(options), ipywidgets.Button(description="Record", icon="pencil")
        earlier = recorded().get(number)
        if earlier is not None and allows(options, earlier):
            self.answer.value = earlier
        said = "" if earlier is None else f"On record: <b>{html.escape(show(earlier))}</b>"
        self.said = ipywidgets.HTML(said)
        self.button.on_click(self._record)
        title = ipywidgets.HTML(f"<b>Prediction {number}.</b> {html.escape(question)}")
        row = ipywidgets.HBox([self.button, self.said], layout={"flex_flow": "row wrap"})
        super().__init__([title, self.answer, row])

    def _record(self, _: Any) -> None:
        # Jupyter swallows what a callback raises, so whatever can go wrong is said in the form itself.
        answer = self.answer.value
        if answer is None:
            self.said.value = "Choose an answer first."
            return
        try:
            record(self.number, answer)
            self.said.value = f"Recorded: <b>{html.escape(show(answer))}</b>. Read on."
        except OSError as error:
            reason = f"{answers_file()} cannot be written ({error.strerror})"
            self.said.value = (
                f"{html.escape(reason)}: keep <b>{html.escape(show(answer))}</b> in mind instead."
            )

    def __repr__(self) -> str:
        numeric = _is_number(self.options)
        choices = (
            "{:g} to {:g}".format(*_span(self.options)) if numeric else " | ".join(map(str, self.options))
        )
        return f"Prediction {self.number}. {self.question}  [{choices}]"


def predict(number: str, question: str, options: Options) -> Form:
    """Ask before the picture shows it; the Record button writes the answer down.

    Args:
        number: "01.1" is the first question of lesson 01. Its answer is in the lesson's ANSWERS.
        question: plain text.
        options: a list of strings to choose from, a range of whole numbers, or (low, high) for any number.
    Raises: ValueError if the number is unknown, or the true answer is not among the options.
    """
    truth = find(number, "ANSWERS").truth
    if not allows(options, truth):
        raise ValueError(f"the answer to {number} is {truth!r}, which the options {options!r} do not allow")
    return Form(number, question, options)


def reveal(number: str) -> Verdict:
    """What was predicted, what is true, and why the wrong answers tempt; with or without a prediction."""
    answer: Answer = find(number, "ANSWERS")
    mine = recorded().get(number)
    truth, others = show(answer.truth), dict(answer.tempting)
    if mine is None:
        status, head = "unanswered", f"**{number}: {truth}.** (You have recorded no prediction.) {answer.why}"
    elif _agree(mine, answer):
        status, head = "passed", f"**{number}: you predicted {show(mine)}, and that is right.** {answer.why}"
    else:
        status, head = "wrong", f"**{number}: you predicted {show(mine)}; it is: {truth}.** {answer.why}"
        if mine in others:
            head += f"\n\nWhy *{show(mine)}* tempts: {others.pop(mine)}"
    rest = "".join(f"\n- *{show(wrong)}*: {thought}" for wrong, thought in others.items())
    return Verdict(status, head + ("\n\nOther tempting answers:\n" + rest if rest else ""))  # type: ignore[arg-type]


def answers_file() -> Path:
    """Where the answers are kept."""
    return Path(os.environ.get("SNNLAB_ANSWERS") or Path(".snnlab") / "predictions.json")


def recorded() -> dict[str, Value]:
    """Every answer on record; a missing or damaged file holds none."""
    try:
        content = json.loads(answers_file().read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {number: value for number, value in content.items() if type(value) in (str, int, float)}


def record(number: str, answer: Value) -> None:
    """Write one answer beside the others: all or nothing, whatever interrupts it. A damaged file is kept aside.

    Raises: OSError if the file cannot be written.
    """
    path, answers = answers_file(), recorded()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not answers and path.read_bytes().strip() != b"{}":
        path.replace(path.with_name(path.name + ".damaged"))
    text = json.dumps(answers | {number: answer}, indent=1, sort_keys=True, ensure_ascii=False)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def allows(options: Options, value: Value) -> bool:
    """Whether a value is one of the options, or lies in their range."""
    if not _is_number(options):
        return value in options
    low, high = _span(options)
    return not isinstance(value, str) and low <= value <= high


def show(value: Value) -> str:
    """An answer as text: 6, not 6.0."""
    return value if isinstance(value, str) else f"{value:g}"


def _entry(options: Options) -> Any:
    if not _is_number(options):  # nothing is chosen beforehand: a default would suggest itself
        return ipywidgets.RadioButtons(options=list(options), value=None, layout={"width": "max-content"})
    low, high = _span(options)
    kind = ipywidgets.BoundedIntText if isinstance(options, range) else ipywidgets.BoundedFloatText
    return kind(value=low, min=low, max=high, layout={"width": "8em"})


def _is_number(options: Options) -> bool:
    return isinstance(options, range) or not isinstance(options[0], str)


def _span(options: Any) -> tuple[float, float]:
    return options[0], options[-1]


def _agree(mine: Value, answer: Answer) -> bool:
    if isinstance(mine, str) or isinstance(answer.truth, str):
        return mine == answer.truth
    return abs(mine - answer.truth) <= answer.within
