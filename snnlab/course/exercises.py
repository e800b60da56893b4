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
from snnlab.files.language import said, together

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
    not_yet = said("**{number}: not yet.**").format(number=number)
    try:
        results = [_call(function, exercise, inputs) for inputs in exercise.tried]
    except _NotDone:
        todo = said(
            "**{number}: not done yet.** Write the function above and run both cells again. (If you have: delete "
            "the line `raise NotImplementedError`.)"
        )
        return Verdict("todo", todo.format(number=number))
    except _Unusable as problem:
        return Verdict("wrong", f"{not_yet} {problem}")
    right = _outcomes(number)
    if all(map(_same, results, right)):
        head = said("**{number}: right.**").format(number=number)
        return Verdict("passed", f"{head} {said(exercise.praise)}")
    for place, mistake in enumerate(exercise.mistakes):
        if all(map(_same, results, _outcomes(number, place))):
            return Verdict("wrong", f"{not_yet} {hint(mistake)}", mistake.__name__)
    first = next(i for i, result in enumerate(results) if not _same(result, right[i]))
    difference = _difference(function, exercise, exercise.tried[first], results[first], right[first])
    return Verdict("wrong", f"{not_yet} {difference}")


def hint(mistake: Callable[..., Any]) -> str:
    """What a student is told of a mistake: the docstring of the function that makes it, in the reader's language."""
    return said(inspect.getdoc(mistake) or "")


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
            said("`check` takes the function itself, without brackets: `check(number, f)`, not `f(...)`.")
        )
    _fits(function, exercise, inputs)
    try:  # the copy: a function that changes its input spoils no other try
        result = within(LIMIT, function, *copy.deepcopy(inputs))
    except EndlessError:
        told = said(
            "`{call}` was stopped after {limit} seconds: it does not end. Does its loop always come to an end?"
        ).format(call=_written(function, exercise, inputs), limit=f"{LIMIT:g}")
        raise _Unusable(together(filter(None, (told, said(exercise.endless))))) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 # whatever their code raises is shown, in one line
        if isinstance(error, NotImplementedError) and not error.args:
            raise _NotDone from None
        told = said("{what}, for `{call}`.")
        call = _written(function, exercise, inputs)
        raise _Unusable(told.format(what=_where(error, function), call=call)) from None
    if result is None or result is ...:
        if _is_empty(function):
            raise _NotDone
        told = said("`{call}` returns nothing.").format(call=_written(function, exercise, inputs))
        raise _Unusable(together((told, _missing_return(function))))
    try:
        return _tensor(result)
    except TypeError as problem:
        told = said("`{call}` returns {what}.")
        call = _written(function, exercise, inputs)
        raise _Unusable(told.format(call=call, what=problem)) from None


def _fits(function: Callable[..., Any], exercise: Exercise, inputs: tuple[Any, ...]) -> None:
    try:
        inspect.signature(function).bind(*inputs)
    except TypeError:
        asked, given = inspect.signature(exercise.reference), inspect.signature(function)
        told = said("{name} takes `{given}`, but `{asked}` is asked for.")
        raise _Unusable(told.format(name=_name(function), given=_names(given), asked=_names(asked))) from None
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
        return said(
            "It has a `return`, but on the way that it took here it meets none: is it inside an `if`?"
        )
    missing = said("Its `return` is missing: end with `return` and the result.")
    printed = code is not None and "print" in code.co_names
    return together((missing, said("Printing is not returning."))) if printed else missing


def _tensor(result: Any) -> Tensor:
    """What was returned, as numbers. Raises: TypeError that says what it is instead."""
    try:
        tensor = torch.as_tensor(result).detach()
    except (TypeError, ValueError, RuntimeError):
        told = said("a {kind} that cannot be read as numbers")
        raise TypeError(told.format(kind=type(result).__name__)) from None
    if tensor.is_complex():
        raise TypeError(said("complex numbers"))
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
        told = said("`{call}` returns {mine}; asked for: {asked}.")
        return told.format(call=call, mine=_shape(result), asked=_shape(right))
    wrong = ~torch.isclose(result, right, rtol=1e-5, atol=1e-6)
    place = tuple(int(k) for k in wrong.nonzero()[0])  # () for a single number
    mine, true = _apart(float(result[place]), float(right[place]))
    if not place:
        told = said("`{call}` returns {mine}; it should be {true}.")
        return told.format(call=call, mine=mine, true=true)
    where = said(", ").join(
        said(f"{word} {{k}}").format(k=k + exercise.counted_from)
        for word, k in zip(exercise.entries, place, strict=True)
    )
    names = _parameters(function, exercise) or inspect.signature(exercise.reference).parameters
    there = [
        f"{name} = {_value(_at(value, place))}"
        for name, value in zip(names, inputs, strict=True)
        if _at(value, place) is not None
    ]
    come = said(", where {there}").format(there=said(" and ").join(there)) if there else ""
    told = said("`{call}` returns {mine} {where} (entry `{place}`{come}); it should be {true}.")
    return told.format(call=call, mine=mine, where=where, place=list(place), come=come, true=true)


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
    raised = (f"{type(error).__name__}: {error}".splitlines() or [""])[0].rstrip(": ")
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == file:
            told = said("Line {line} of your cell, `{code}`, raises {error}")
            return told.format(line=frame.lineno, code=frame.line, error=raised)
    return said("{name} raises {error}").format(name=_name(function), error=raised)


def _name(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "<lambda>")
    return said("Your `{name}`").format(name=name) if name.isidentifier() else said("Your function")


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
        return said("one number")
    if tensor.ndim == 1:
        return said("a list of {count}").format(count=len(tensor))
    return said("numbers of shape {shape}").format(shape=list(tensor.shape))
