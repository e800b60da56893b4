"""Checks that diagnose: what is told is true, says where and with which input, and a loop without end is stopped."""

import math
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from snnlab.course import check, exercises
from snnlab.course.lessons import Exercise, find
from snnlab.course.limit import EndlessError, within

ROOT = Path(__file__).parents[2]
NUMBERS = sorted(path.stem[-2:] for path in (ROOT / "snnlab" / "course").glob("lesson_*.py"))
EXERCISES: dict[str, Exercise] = {
    number: exercise
    for lesson in NUMBERS
    for number, exercise in import_module(f"snnlab.course.lesson_{lesson}").EXERCISES.items()
}
MISTAKES = [(number, mistake) for number, exercise in EXERCISES.items() for mistake in exercise.mistakes]


@pytest.mark.parametrize("number", EXERCISES)
def test_the_reference_passes(number: str) -> None:
    assert check(number, EXERCISES[number].reference).passed


@pytest.mark.parametrize("number", EXERCISES)
def test_an_exercise_knows_at_least_ten_mistakes_and_has_a_hint_of_its_own_for_each(number: str) -> None:
    hints = [mistake.__doc__ for mistake in EXERCISES[number].mistakes]
    assert len(set(hints)) == len(hints) >= 10


@pytest.mark.parametrize(("number", "mistake"), MISTAKES, ids=lambda x: getattr(x, "__name__", x))
def test_every_mistake_is_called_by_its_own_name(number: str, mistake: Callable[..., Any]) -> None:
    verdict = check(number, mistake)
    assert verdict.status == "wrong" and verdict.mistake == mistake.__name__
    assert mistake.__doc__ is not None and mistake.__doc__ in verdict.text


@pytest.mark.parametrize("number", EXERCISES)
def test_float32_tensors_and_arrays_are_answers_too(number: str) -> None:
    reference = EXERCISES[number].reference
    assert check(number, lambda *a: torch.as_tensor(reference(*a)).float()).passed
    assert check(number, lambda *a: torch.as_tensor(reference(*a)).numpy()).passed


# --- other ways to be right ---------------------------------------------------------------------------------------


def counts_down(current: list[float], threshold: float, v0: float) -> list[bool]:
    missing, spikes = threshold - v0, []
    for z in current:
        missing -= z
        spikes.append(missing <= 0)
        missing += threshold * (missing <= 0)
    return spikes


def in_steps(z: torch.Tensor, threshold: float, v0: float, T: int) -> torch.Tensor:
    v, sent = torch.full_like(z, v0), torch.zeros_like(z)
    for _ in range(T):
        v = v + z
        spike = (v >= threshold).to(z.dtype)
        v, sent = v - threshold * spike, sent + threshold * spike
    return sent / T


RIGHT = [
    ("01.1", counts_down),
    ("01.2", lambda current, threshold, v0, spikes: v0 + math.fsum(current) - spikes * threshold),
    ("02.1", in_steps),
    ("02.1", lambda z, threshold, v0, T: (z / threshold * T + v0 / threshold).floor().clamp(0, T) / T * threshold),
    ("03.3", lambda currents: sum(currents) / len(currents)),
    ("07.2", lambda current, threshold, v0: max(math.floor(sum(current) / threshold + v0 / threshold), 0)),
    ("10.1", lambda bias, a, phi: bias + a.mean(2).mean(0) - phi.mean(2).mean(0)),
    ("12.1", lambda accuracy, goal, share: min(
        (T for T in accuracy if all(accuracy[t] / goal >= share for t in accuracy if t >= T)), default=math.inf)),
]  # fmt: skip


@pytest.mark.parametrize(("number", "function"), RIGHT)
def test_another_way_to_be_right_is_right(number: str, function: Callable[..., Any]) -> None:
    assert check(number, function).passed, check(number, function).text


# --- what is said -------------------------------------------------------------------------------------------------


def spikes_of(current: list[float], threshold: float, v0: float) -> list[float]:
    return EXERCISES["01.1"].reference(current, threshold, v0)


def not_written(current: list[float], threshold: float, v0: float) -> list[float]:
    raise NotImplementedError


def only_words(current: list[float], threshold: float, v0: float) -> list[float]:
    """Mine."""


@pytest.mark.parametrize("stub", [not_written, only_words, None, ..., lambda *a: None, lambda *a: ...])
def test_a_stub_is_not_done_yet(stub: Any) -> None:
    assert check("01.1", stub).status == "todo"
    assert "not done yet" in check("01.1", stub).text


def my_train(current: list[float], threshold: float, v0: float) -> None:
    spikes_of(current, threshold, v0)


def my_print(current: list[float], threshold: float, v0: float) -> None:
    print(spikes_of(current, threshold, v0))


def my_branch(current: list[float], threshold: float, v0: float) -> list[float] | None:  # noqa: RET503
    if len(current) < 5:
        return spikes_of(current, threshold, v0)


def my_index(current: list[float], threshold: float, v0: float) -> list[float]:
    return current[99]


def my_last(inputs: list[float], level: float, start: float) -> list[float]:
    *most, last = spikes_of(inputs, level, start)
    return [*most, 1 - last]


def my_nearly(current: list[float], threshold: float, v0: float) -> list[float]:
    return [spike * 1.00004 for spike in spikes_of(current, threshold, v0)]


def my_exit(current: list[float], threshold: float, v0: float) -> list[float]:
    sys.exit("no more")


def my_torch(current: list[float], threshold: float, v0: float) -> list[float]:
    raise NotImplementedError("quantile is not there for Half")


CALL = r"current=\[0\.75, 0\.5, 0\.25, 0\.75\], threshold=1\.0, v0=0\.0\)`"
SAID = [
    (my_train, rf"`my_train\({CALL} returns nothing\. Its `return` is missing"),
    (my_print, r"`return` is missing.*Printing is not returning"),
    (my_branch, r"`my_branch\(.*returns nothing\. It has a `return`, but .* inside an `if`\?"),
    (my_index, rf"Line \d+ of your cell, `return current\[99\]`, raises IndexError: .*, for `my_index\({CALL}"),
    (my_exit, "raises SystemExit: no more"),
    (my_torch, "raises NotImplementedError: quantile is not there for Half"),
    (my_last, r"`my_last\(inputs=.*, level=1\.0, start=0\.0\)` returns 0 in step 4 \(.*, where inputs = 0\.75\); it"),
    (my_nearly, r"returns 1\.00004 in step 2 .* it should be 1\."),
    (lambda current: [0.0], r"Your function takes `\(current\)`, but `\(current, threshold, v0\)` is asked for"),
    ([0, 0, 1], "the function itself, without brackets"),
    (lambda *a: "six", "returns a str that cannot be read as numbers"),
    (lambda *a: [[1, 0], [1]], "returns a list that cannot be read as numbers"),
    (lambda *a: [1j], "complex"),
    (lambda *a: [0.0, 1.0], r"`f\(.*returns a list of 2; asked for: a list of 4"),
    (lambda *a: [math.nan] * len(a[0]), r"returns nan in step 1 \(entry `\[0\]`.*\); it should be 0"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "said"), SAID, ids=[said[:30] for _, said in SAID])
def test_what_is_wrong_is_said_in_one_line(function: Any, said: str) -> None:
    verdict = check("01.1", function)
    assert verdict.status == "wrong" and re.search(said, verdict.text), verdict.text
    assert "\n" not in verdict.text and "exercises.py" not in verdict.text


@pytest.mark.parametrize("number", EXERCISES)
def test_where_no_mistake_is_known_the_two_numbers_shown_differ_and_the_call_is_the_students(
    number: str,
) -> None:
    def off(*inputs: Any) -> Any:
        return torch.as_tensor(EXERCISES[number].reference(*inputs)).double() + 1.0001e-3

    text = check(number, off).text
    mine, right = re.search(r"` returns ([^ ;]+).*it should be (.*)\.$", text).groups()  # type: ignore[union-attr]
    assert mine != right and "`off(" in text
    call = re.search(r"`(off\(.*?\))`", text)[1]  # type: ignore[index]
    space = {
        "off": off,
        "torch": torch,
        "Norm": import_module("snnlab.course.lesson_03").Norm,
        "inf": math.inf,
    }
    shown = torch.as_tensor(eval(call, space)).double()
    assert float(mine) == pytest.approx(float(shown.flatten()[0]), rel=1e-5) or math.isinf(shown.flatten()[0])


def test_a_function_that_changes_its_input_spoils_no_other_try() -> None:
    def consumes(current: list[float], threshold: float, v0: float) -> list[float]:
        spikes = spikes_of(current, threshold, v0)
        current.clear()
        return spikes

    assert check("01.1", consumes).passed
    assert check("01.1", spikes_of).passed


def test_an_unknown_exercise_is_named() -> None:
    with pytest.raises(ValueError, match=r"'01\.9'.*01\.1"):
        find("01.9", "EXERCISES")


# --- loops that do not end ----------------------------------------------------------------------------------------


def plain(*_: Any) -> None:
    while True:
        pass


def stubborn(*_: Any) -> None:
    while True:
        try:
            time.monotonic()
        except Exception:  # noqa: BLE001 # the student's
            time.monotonic()


def hungry(*_: Any) -> None:
    kept: list[None] = []
    while True:
        kept.append(None)


@pytest.mark.parametrize("endless", [plain, stubborn, hungry])
def test_a_loop_without_end_is_stopped_in_any_thread(endless: Callable[..., None]) -> None:
    stopped = []

    def run() -> None:
        try:
            within(0.05, endless)
        except EndlessError:
            stopped.append(threading.current_thread().name)

    run()
    thread = threading.Thread(target=run, name="a kernel's")
    thread.start()
    thread.join(60)
    assert stopped == ["MainThread", "a kernel's"]


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="Windows has no signals between threads")
def test_a_call_that_sleeps_is_woken_in_a_notebooks_thread() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(EndlessError):
        within(0.05, time.sleep, 10_000)
    assert signal.getsignal(signal.SIGALRM) is before


def test_what_ends_is_given_back_and_what_it_raises_is_raised() -> None:
    assert within(60, max, 1, 2) == 2
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 / 0)


def test_a_stop_that_comes_just_in_the_end_does_no_harm_later() -> None:
    outcomes = set()
    for _ in range(300):
        try:
            outcomes.add(within(1e-4, lambda: sum(k for k in range(1000))))
        except EndlessError:
            outcomes.add(None)
    assert outcomes <= {499500, None}
    assert sum(k for k in range(200_000)) > 0, "nothing was left behind"


def test_the_interval_without_its_case_for_small_inputs_is_stopped_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exercises, "LIMIT", 0.1)

    def steps_between(z: float, threshold: float, tau: float) -> float:
        v, steps = 0.0, 1
        while v < threshold:
            v, steps = v + (z - v) / tau, steps + 1
        return steps

    verdict = check("08.2", steps_between)
    assert verdict.status == "wrong"
    assert "`steps_between(z=0.75, threshold=1.0, tau=4.0)` was stopped after 0.1 seconds" in verdict.text
    assert "return `math.inf` for it, before the loop" in verdict.text
