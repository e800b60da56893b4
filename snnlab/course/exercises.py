"""Exercises that answer back: the student's function beside the kit's, and the usual mistakes called by name."""

import copy
import inspect
import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from snnlab.course.lessons import Exercise, Verdict, find


class _Unusable(Exception):
    """The function answered, but not with what was asked for; the text says so."""


class _NotDone(Exception):
    """The stub is as the lesson left it."""


def check(number: str, function: Callable[..., Any]) -> Verdict:
    """Try a function on chosen inputs; say what is wrong with it, by name where the mistake is a usual one.

    It never raises for what the student wrote, so that Run All goes on.

    Args:
        number: "01.1" is the first exercise of lesson 01.
        function: the student's, without brackets: check("01.1", f).
    Raises: ValueError if there is no exercise of that number.
    """
    exercise: Exercise = find(number, "EXERCISES")
    try:
        results = [_call(function, exercise, inputs) for inputs in exercise.inputs]
    except (_NotDone, NotImplementedError):
        return Verdict(
            "todo", f"**{number}: not done yet.** Write the function above and run both cells again."
        )
    except _Unusable as problem:
        return Verdict("wrong", f"**{number}: not yet.** {problem}")
    except Exception as error:  # noqa: BLE001 # whatever their code raises is shown to the student, in one line
        return Verdict("wrong", f"**{number}: not yet.** {_where(error, function)}")
    return _judge(number, exercise, results)


def _judge(number: str, exercise: Exercise, results: list[Tensor]) -> Verdict:
    right = _outcomes(exercise.reference, exercise)
    if all(map(_same, results, right)):
        return Verdict("passed", f"**{number}: right.** {exercise.praise}")
    for mistake in exercise.mistakes:
        if all(map(_same, results, _outcomes(mistake, exercise))):
            told = inspect.getdoc(mistake) or ""
            return Verdict("wrong", f"**{number}: not yet.** {told}", mistake.__name__)
    first = next(i for i, result in enumerate(results) if not _same(result, right[i]))
    call = _written(exercise, exercise.inputs[first])
    if results[first].shape != right[first].shape:
        shapes = f"{_shape(results[first])}; asked for: {_shape(right[first])}"
        return Verdict("wrong", f"**{number}: not yet.** For `{call}` your function returns {shapes}.")
    values = f"`{_value(results[first])}`; it should be `{_value(right[first])}`"
    return Verdict("wrong", f"**{number}: not yet.** For `{call}` your function returns {values}.")


def _call(function: Any, exercise: Exercise, inputs: tuple[Any, ...]) -> Tensor:
    if function is None or function is ...:
        raise _NotDone
    if not callable(function):
        raise _Unusable(
            "`check` takes the function itself, without brackets: `check(number, f)`, not `f(...)`."
        )
    try:
        inspect.signature(function).bind(*inputs)
    except TypeError:
        asked, given = inspect.signature(exercise.reference), inspect.signature(function)
        raise _Unusable(
            f"Your function takes `{_names(given)}`, but `{_names(asked)}` is asked for."
        ) from None
    result = function(*copy.deepcopy(inputs))  # a copy: a function that changes its input spoils no other try
    if result is None or result is ...:
        raise _NotDone
    return _tensor(result)


def _tensor(result: Any) -> Tensor:
    kind = type(result).__name__
    try:
        tensor = torch.as_tensor(result).detach()
    except (TypeError, ValueError, RuntimeError):
        raise _Unusable(f"Your function returns a {kind} that cannot be read as numbers.") from None
    if tensor.is_complex():
        raise _Unusable("Your function returns complex numbers.")
    return tensor.double()


def _outcomes(function: Callable[..., Any], exercise: Exercise) -> list[Tensor]:
    return [_tensor(function(*copy.deepcopy(inputs))) for inputs in exercise.inputs]


def _same(result: Tensor, other: Tensor) -> bool:
    return result.shape == other.shape and torch.allclose(result, other, rtol=1e-5, atol=1e-6)


def _where(error: Exception, function: Callable[..., Any]) -> str:
    said = f"{type(error).__name__}: {error}"
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == file:
            return f"Line {frame.lineno} of your cell, `{frame.line}`, raises {said}"
    return f"Your function raises {said}"


def _names(signature: inspect.Signature) -> str:
    return f"({', '.join(signature.parameters)})"


def _written(exercise: Exercise, inputs: tuple[Any, ...]) -> str:
    names = inspect.signature(exercise.reference).parameters
    given = ", ".join(f"{name}={_value(value)}" for name, value in zip(names, inputs, strict=True))
    return f"{exercise.reference.__name__}({given})"


def _value(value: Any) -> str:
    value = value.tolist() if isinstance(value, Tensor) else value
    if isinstance(value, list):
        shown = [_value(entry) for entry in value[:16]] + ["..."] * (len(value) > 16)
        return f"[{', '.join(shown)}]"
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _shape(tensor: Tensor) -> str:
    return "one number" if tensor.ndim == 0 else f"numbers of shape {list(tensor.shape)}"
