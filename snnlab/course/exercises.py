"""Exercises that answer back: the student's function beside the kit's, and the usual mistakes called by name."""

import copy
import dis
import inspect
import traceback
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from snnlab.course.lessons import Exercise, Verdict, find
from snnlab.course.limit import EndlessError, within

LIMIT = 5.0
"""Seconds that a call may take; a right answer takes milliseconds."""

EMPTY = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


class _Unusable(Exception):
    """The function answered, but not with what was asked for; the text says so."""


class _NotDone(Exception):
    """The stub is as the lesson left it."""


def check(number: str, function: Callable[..., Any]) -> Verdict:
    """Try a function on chosen inputs; say what is wrong with it, by name where the mistake is a usual one.

    It never raises for what the student wrote, so that Run All goes on, and stops what does not end.

    Args:
        number: "01.1" is the first exercise of lesson 01.
        function: the student's, without brackets: check("01.1", f).
    Raises: ValueError if there is no exercise of that number.
    """
    exercise: Exercise = find(number, "EXERCISES")
    try:
        results = [_call(function, exercise, inputs) for inputs in exercise.tried]
    except _NotDone:
        return Verdict(
            "todo",
            f"**{number}: not done yet.** Write the function above and run both cells again. (If you have: delete "
            "the line `raise NotImplementedError`.)",
        )
    except _Unusable as problem:
        return Verdict("wrong", f"**{number}: not yet.** {problem}")
    right = _outcomes(number)
    if all(map(_same, results, right)):
        return Verdict("passed", f"**{number}: right.** {exercise.praise}")
    for place, mistake in enumerate(exercise.mistakes):
        if all(map(_same, results, _outcomes(number, place))):
            told = inspect.getdoc(mistake) or ""
            return Verdict("wrong", f"**{number}: not yet.** {told}", mistake.__name__)
    first = next(i for i, result in enumerate(results) if not _same(result, right[i]))
    difference = _difference(function, exercise, exercise.tried[first], results[first], right[first])
    return Verdict("wrong", f"**{number}: not yet.** {difference}")


def own(number: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The student's function once it is right, until then the kit's: a lesson goes on while an exercise is open.

    Args:
        number: of the exercise, "3.1" for instance. function: the student's.
    Raises: as check.
    """
    return function if check(number, function).passed else find(number, "EXERCISES").reference


def _call(function: Any, exercise: Exercise, inputs: tuple[Any, ...]) -> Tensor:
    if function is None or function is ...:
        raise _NotDone
    if not callable(function):
        raise _Unusable(
            "`check` takes the function itself, without brackets: `check(number, f)`, not `f(...)`."
        )
    _fits(function, exercise, inputs)
    try:  # the copy: a function that changes its input spoils no other try
        result = within(LIMIT, function, *copy.deepcopy(inputs))
    except EndlessError:
        call = _written(function, exercise, inputs)
        told = f"`{call}` was stopped after {LIMIT:g} seconds: it does not end. Does its loop always come to an end?"
        raise _Unusable(f"{told} {exercise.endless}".rstrip()) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 # whatever their code raises is shown, in one line
        if isinstance(error, NotImplementedError) and not error.args:
            raise _NotDone from None
        raise _Unusable(f"{_where(error, function)}, for `{_written(function, exercise, inputs)}`.") from None
    if result is None or result is ...:
        if _is_empty(function):
            raise _NotDone
        call = _written(function, exercise, inputs)
        raise _Unusable(f"`{call}` returns nothing. {_missing_return(function)}")
    try:
        return _tensor(result)
    except TypeError as problem:
        raise _Unusable(f"`{_written(function, exercise, inputs)}` returns {problem}.") from None


def _fits(function: Callable[..., Any], exercise: Exercise, inputs: tuple[Any, ...]) -> None:
    try:
        inspect.signature(function).bind(*inputs)
    except TypeError:
        asked, given = inspect.signature(exercise.reference), inspect.signature(function)
        raise _Unusable(
            f"{_name(function)} takes `{_names(given)}`, but `{_names(asked)}` is asked for."
        ) from None
    except ValueError:  # a built-in that does not say what it takes
        return


def _is_empty(function: Callable[..., Any]) -> bool:
    """Whether there is no more in it than `pass`, `...` or words."""
    code = getattr(function, "__code__", None)
    return code is not None and {step.opname for step in dis.get_instructions(code)} <= EMPTY


def _missing_return(function: Callable[..., Any]) -> str:
    """What may be wrong with a function that has ended without a result."""
    code = getattr(function, "__code__", None)
    steps = [] if code is None else list(dis.get_instructions(code))
    ends = [a for a, b in pairwise(steps) if b.opname == "RETURN_VALUE"]
    if any(step.opname != "LOAD_CONST" for step in ends):
        return "It has a `return`, but on the way that it took here it meets none: is it inside an `if`?"
    printed = code is not None and "print" in code.co_names
    return (
        f"Its `return` is missing: end with `return` and the result.{' Printing is not returning.' * printed}"
    )


def _tensor(result: Any) -> Tensor:
    """What was returned, as numbers. Raises: TypeError that says what it is instead."""
    try:
        tensor = torch.as_tensor(result).detach()
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"a {type(result).__name__} that cannot be read as numbers") from None
    if tensor.is_complex():
        raise TypeError("complex numbers")
    return tensor.double()


@cache
def _outcomes(number: str, place: int | None = None) -> list[Tensor]:
    """What the reference, or the mistake in that place, makes of the inputs."""
    exercise: Exercise = find(number, "EXERCISES")
    function = exercise.reference if place is None else exercise.mistakes[place]
    return [_tensor(function(*copy.deepcopy(inputs))) for inputs in exercise.tried]


def _same(result: Tensor, other: Tensor) -> bool:
    return result.shape == other.shape and torch.allclose(result, other, rtol=1e-5, atol=1e-6)


def _difference(
    function: Callable[..., Any], exercise: Exercise, inputs: tuple[Any, ...], result: Tensor, right: Tensor
) -> str:
    """The first entry that is not right, where it is, and the input that made it."""
    call = _written(function, exercise, inputs)
    if result.shape != right.shape:
        return f"`{call}` returns {_shape(result)}; asked for: {_shape(right)}."
    wrong = ~torch.isclose(result, right, rtol=1e-5, atol=1e-6)
    place = tuple(int(k) for k in wrong.nonzero()[0])  # () for a single number
    mine, true = _apart(float(result[place]), float(right[place]))
    if not place:
        return f"`{call}` returns {mine}; it should be {true}."
    where = ", ".join(
        f"{word} {k + exercise.counted_from}" for word, k in zip(exercise.entries, place, strict=True)
    )
    names = _parameters(function, exercise) or inspect.signature(exercise.reference).parameters
    there = [
        f"{name} = {_value(_at(value, place))}"
        for name, value in zip(names, inputs, strict=True)
        if _at(value, place) is not None
    ]
    come = f", where {' and '.join(there)}" if there else ""
    return f"`{call}` returns {mine} {where} (entry `{list(place)}`{come}); it should be {true}."


def _at(value: Any, place: tuple[int, ...]) -> Any:
    """The entry of an input that the same entry of the answer belongs to, if it has one."""
    try:
        for k in place:
            value = value[k] if isinstance(value, list | Tensor) else None
    except IndexError:
        return None
    value = value.item() if isinstance(value, Tensor) and value.ndim == 0 else value
    return value if isinstance(value, int | float) else None


def _where(error: BaseException, function: Callable[..., Any]) -> str:
    said = (f"{type(error).__name__}: {error}".splitlines() or [""])[0].rstrip(": ")
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == file:
            return f"Line {frame.lineno} of your cell, `{frame.line}`, raises {said}"
    return f"{_name(function)} raises {said}"


def _name(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "<lambda>")
    return f"Your `{name}`" if name.isidentifier() else "Your function"


def _names(signature: inspect.Signature) -> str:
    return f"({', '.join(signature.parameters)})"


def _parameters(function: Callable[..., Any], exercise: Exercise) -> list[str]:
    """What the student calls the inputs; nothing where that is not one name for each."""
    asked = inspect.signature(exercise.reference).parameters
    try:
        given = inspect.signature(function).parameters
    except ValueError:
        return []
    named = all(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in given.values())
    return list(given) if named and len(given) == len(asked) else []


def _written(function: Callable[..., Any], exercise: Exercise, inputs: tuple[Any, ...]) -> str:
    """The call, so that it can be tried: f(current=[0.5], threshold=1.0, v0=0.0)."""
    name, names = getattr(function, "__name__", "<lambda>"), _parameters(function, exercise)
    values = [_value(value) for value in inputs]
    given = [f"{name}={value}" for name, value in zip(names, values, strict=True)] if names else values
    return f"{name if name.isidentifier() else 'f'}({', '.join(given)})"


def _value(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"torch.tensor({value.tolist()!r})"
    return repr(value)


def _apart(mine: float, true: float) -> tuple[str, str]:
    """Two numbers that differ, with as many digits as show it."""
    for digits in (6, 9, 17):
        shown = f"{mine:.{digits}g}", f"{true:.{digits}g}"
        if shown[0] != shown[1]:
            break
    return shown


def _shape(tensor: Tensor) -> str:
    if tensor.ndim == 0:
        return "one number"
    if tensor.ndim == 1:
        return f"a list of {len(tensor)}"
    return f"numbers of shape {list(tensor.shape)}"
