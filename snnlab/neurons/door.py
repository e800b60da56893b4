"""What stands at the door of a public function: each argument is held to its annotation before anything is done.

A library that does this (pydantic, beartype) knows no tensor without values, takes True for 1, and answers in several
lines of its own kind of error.
"""

import functools
import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import torch
from torch import Tensor

from snnlab.files import short

LARGEST_INT, LARGEST = 2**63 - 1, 1e30
"""No whole number, and no other number, is larger: beyond it float32 has no room for a sum."""
LOOKED_AT = 1000
"""Items of a sequence that are looked at."""

P = ParamSpec("P")
R = TypeVar("R")


def door(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which refuses an argument that its annotation does not allow.

    Ranges, shapes, and what belongs together stay with the function. It costs some microseconds a call, so what is
    called in every step has none. Raises: ValueError that names the argument, what was given and what is allowed.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError:  # the call itself says which argument is missing, or one too many
            return function(*args, **kwargs)
        for name, value in given.arguments.items():
            for each in _each(value, signature.parameters[name]):
                check(name, each, _hints(function).get(name, Any))
        return function(*args, **kwargs)

    return checked


def _each(value: Any, parameter: inspect.Parameter) -> Iterable[Any]:
    """What one parameter takes: a value, or with stars several."""
    if parameter.kind is parameter.VAR_KEYWORD:
        return list(value.values())
    return tuple(value) if parameter.kind is parameter.VAR_POSITIONAL else (value,)


def check_fields(record: Any) -> None:
    """The same for the fields of a dataclass, at the head of its `__post_init__`."""
    kind: Any = type(record)
    for name, hint in _hints(kind).items():
        check(name, getattr(record, name, None), hint)


def check(name: str, value: Any, hint: Any) -> Any:
    """The value, if the annotation allows it. Raises: ValueError that names it."""
    if misfit(value, hint):
        raise ValueError(f"{name} = {shown(value)}, but it must be {allowed(hint)}")
    return value


def misfit(value: Any, hint: Any) -> bool:
    """Whether an annotation does not allow the value."""
    kind: Any = get_origin(hint) or hint
    args = get_args(hint)
    if kind in (Union, types.UnionType):
        return all(misfit(value, arg) for arg in args)
    if kind is Literal:
        return not any(type(value) is type(arg) and value == arg for arg in args)
    if kind in _TESTS:
        return not _TESTS[kind](value)
    if not isinstance(kind, type):  # a type variable
        return False
    if not isinstance(value, kind) or (kind is Sequence and isinstance(value, str)):
        return True
    return any(misfit(item, inner) for item, inner in _items(value, kind, args))


def _items(value: Any, kind: type, args: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    """What a container holds, each with what its annotation allows there."""
    if issubclass(kind, Mapping) and len(args) == 2:
        for key, held in islice(value.items(), LOOKED_AT):
            yield from ((key, args[0]), (held, args[1]))
    elif kind is tuple and args and args[-1] is not Ellipsis:
        yield from zip_longest(value, args)  # what is missing is None; for one too many nothing is allowed
    elif kind in (tuple, list, set, frozenset, Sequence) and args:
        yield from ((item, args[0]) for item in islice(value, LOOKED_AT))


def _is_whole(value: Any) -> bool:
    number = item(value)
    return isinstance(number, int) and not isinstance(number, bool) and abs(number) <= LARGEST_INT


def _is_number(value: Any) -> bool:
    number = value.item() if isinstance(value, np.generic) else value
    return isinstance(number, int | float) and not isinstance(number, bool) and abs(number) <= LARGEST


def item(value: Any) -> Any:
    """The number that NumPy or a tensor without axes holds; anything else as it is."""
    held = isinstance(value, np.ndarray | np.generic) or (isinstance(value, Tensor) and is_dense(value))
    return value.item() if held and value.ndim == 0 else value


def is_dense(value: Any) -> bool:
    """Whether it is a tensor that can be computed with as it is."""
    return (
        isinstance(value, Tensor)
        and not (value.is_nested or value.is_meta or value.is_complex())
        and value.layout == torch.strided
    )


_TESTS: dict[Any, Callable[[Any], bool]] = {
    int: _is_whole,
    float: _is_number,
    Tensor: is_dense,
    Iterable: lambda value: hasattr(value, "__iter__") and not isinstance(value, str),
    Callable: callable,
    None: lambda _: False,
    **dict.fromkeys((Any, object, Annotated), lambda _: True),  # whoever reads it looks at it
}
_WORDS: dict[Any, str] = {
    int: "a whole number below 2^63",
    float: f"a finite number up to {LARGEST:g} in size",
    bool: "True or False",
    str: "a text",
    type(None): "None",
    Path: "a path",
    Tensor: "a dense tensor of real numbers",
    Callable: "a function",
    torch.nn.Module: "a network or layer (torch.nn.Module)",
    Iterable: "a list",
    type: "a class",
    **dict.fromkeys((Sequence, list, tuple), "a list or tuple"),
    **dict.fromkeys((Mapping, dict), "a dict"),
}


def allowed(hint: Any) -> str:
    """What an annotation allows, in words."""
    kind, args = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(allowed, args)))
    if kind is Literal:
        return f"{'one of ' if len(args) > 1 else ''}{', '.join(map(repr, args))}"
    inner = [
        arg for arg in args if arg is not Ellipsis and _WORDS.get(kind, "").startswith(("a list", "a dict"))
    ]
    each = f", each value {allowed(inner[-1])}" if inner else ""
    name = getattr(kind, "__name__", str(kind))
    return _WORDS.get(kind, f"{'an' if name[0] in 'AEIOU' else 'a'} {name}") + each


def shown(value: Any) -> str:
    """A value as a message repeats it: a tensor as its type and shape, all else cut."""
    if not isinstance(value, Tensor):
        return short(value).replace("\n", " ")
    if value.is_nested:
        return "a nested tensor"
    layout = "" if value.layout == torch.strided else f" {value.layout}"
    return f"a tensor {list(value.shape)} {value.dtype}{layout}{' without values' if value.is_meta else ''}"


@functools.cache
def _hints(annotated: Any) -> dict[str, Any]:
    """What each argument, or field, may be; a result's annotation may name what is imported where it is used."""
    if isinstance(annotated, type):
        return get_type_hints(annotated, include_extras=True)
    plain = inspect.unwrap(annotated)
    own = {name: hint for name, hint in plain.__annotations__.items() if name != "return"}
    return get_type_hints(types.SimpleNamespace(__annotations__=own), plain.__globals__, include_extras=True)
