"""One generator of bad values for each type of argument."""

import collections.abc as abc
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np
import torch
from good_values import GOOD, LONG, good, images, net, picture_file, snn, split
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from snnlab.datasets import Split


@dataclass(frozen=True)
class Bad:
    """A bad value: its label; what makes it, anew for each call; whether no function may ever take it."""

    label: str
    make: Callable[[], Any]
    never: bool = True


def _tensors() -> Iterator[Bad]:
    yield Bad("None", lambda: None)
    yield Bad("text", lambda: LONG)
    yield Bad("sparse", lambda: images().to_sparse())
    yield Bad("meta", lambda: images().to("meta"))
    yield Bad("complex", lambda: images().to(torch.complex64))
    yield Bad("nested", lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]))
    yield Bad("NaN", lambda: images().fill_(float("nan")), False)
    yield Bad("one NaN", lambda: images().index_fill_(0, torch.tensor([1]), float("nan")), False)
    yield Bad("infinite", lambda: images().fill_(float("inf")), False)
    yield Bad("giant", lambda: images().double() * 1e300, False)
    yield Bad("bool", lambda: images() > 0.5, False)
    yield Bad("bytes", lambda: images().to(torch.uint8), False)
    yield Bad("half", lambda: images().half(), False)
    yield Bad("empty", lambda: images()[:0], False)
    yield Bad("no axes", lambda: torch.tensor(0.5), False)
    yield Bad("one axis of 0", lambda: torch.zeros(6, 1, 0, 4), False)
    yield Bad("other channels", lambda: torch.rand(6, 3, 4, 4), False)
    yield Bad("other size", lambda: torch.rand(6, 1, 5, 7), False)
    yield Bad("one axis", lambda: torch.rand(7), False)
    yield Bad("six axes", lambda: torch.rand(2, 1, 1, 1, 4, 4), False)
    yield Bad("negative", lambda: -images(), False)


def _numbers() -> Iterator[Bad]:
    yield Bad("None", lambda: None)
    yield Bad("text", lambda: LONG)
    yield Bad("list", lambda: [1.0])
    yield Bad("complex", lambda: 1j)
    yield Bad("NaN", lambda: float("nan"))
    yield Bad("infinite", lambda: float("inf"))
    yield Bad("-infinite", lambda: -float("inf"))
    yield Bad("10**400", lambda: 10**400)
    yield Bad("1e300", lambda: 1e300)
    yield Bad("True", lambda: True)
    yield Bad("0", lambda: 0, False)
    yield Bad("-1", lambda: -1.0, False)
    yield Bad("1e-300", lambda: 1e-300, False)
    yield Bad("1e6", lambda: 1e6, False)


def _wholes() -> Iterator[Bad]:
    yield Bad("None", lambda: None)
    yield Bad("text", lambda: LONG)
    yield Bad("list", lambda: [1])
    yield Bad("1.5", lambda: 1.5)
    yield Bad("NaN", lambda: float("nan"))
    yield Bad("True", lambda: True)
    yield Bad("10**30", lambda: 10**30)
    yield Bad("10**5000", lambda: 10**5000)
    yield Bad("-10**30", lambda: -(10**30))
    yield Bad("meta", lambda: torch.tensor(1, device="meta"))
    yield Bad("2**62", lambda: 2**62, False)
    yield Bad("10**9", lambda: 10**9, False)
    yield Bad("0", lambda: 0, False)
    yield Bad("-1", lambda: -1, False)


def _broken(change: Callable[[nn.Module], Any]) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        ann = net()
        change(ann)
        return ann

    return make


def _modules() -> Iterator[Bad]:
    yield Bad("None", lambda: None)
    yield Bad("text", lambda: LONG)
    yield Bad("class", lambda: nn.ReLU)
    yield Bad("function", lambda: torch.relu)
    yield Bad("empty", nn.Sequential, False)
    yield Bad("NaN", _broken(lambda ann: ann[0].weight.data.fill_(float("nan"))), False)
    yield Bad("infinite", _broken(lambda ann: ann[0].bias.data.fill_(float("inf"))), False)
    yield Bad("other channels", lambda: net(channels=3), False)
    yield Bad("another network", lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 5), nn.ReLU()), False)
    yield Bad("no classes", lambda: nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU()), False)
    yield Bad("meta", lambda: net().to("meta"), False)
    yield Bad("double", lambda: net().double(), False)
    yield Bad("spiking", snn, False)


def _splits() -> Iterator[Bad]:
    yield Bad("None", lambda: None)
    yield Bad("text", lambda: LONG)
    yield Bad("labels beyond", lambda: Split(images(), torch.full((6,), 1000)), False)
    yield Bad("labels below 0", lambda: Split(images(), torch.full((6,), -1)), False)
    yield Bad("NaN", lambda: _set(split(), "images", images().fill_(float("nan"))), False)
    yield Bad("other channels", lambda: Split(torch.rand(6, 3, 4, 4), torch.zeros(6).long()), False)
    yield Bad("other size", lambda: Split(torch.rand(6, 1, 5, 7), torch.zeros(6).long()), False)
    yield Bad(
        "empty", lambda: _set(_set(split(), "images", images(0)), "labels", torch.zeros(0).long()), False
    )


def _set(record: Any, name: str, value: Any) -> Any:
    """Past the record's own door, so that the next one is tried."""
    object.__setattr__(record, name, value)
    return record


def _strings() -> Iterator[Bad]:
    yield Bad("None", lambda: None)
    yield Bad("3", lambda: 3)
    yield Bad("bytes", lambda: b"x")
    yield Bad("list", lambda: ["a"])
    yield Bad("empty", lambda: "", False)
    yield Bad("long", lambda: LONG, False)
    yield Bad("zero byte", lambda: "a\0b", False)
    yield Bad("lines", lambda: "a\nb", False)


def _paths() -> Iterator[Bad]:
    yield Bad("None", lambda: None)
    yield Bad("3", lambda: 3)
    yield Bad("list", lambda: ["a"])
    yield Bad("long", lambda: Path(LONG), False)
    yield Bad("folder", Path, False)
    yield Bad("nobody's home", lambda: Path("~nosuchuser/x"), False)
    yield Bad("zero byte", lambda: Path("a\0b"), False)
    yield Bad("under a file", lambda: Path(picture_file(), "x"), False)
    yield Bad("missing", lambda: Path("missing/x"), False)


def _functions() -> Iterator[Bad]:
    yield Bad("None", lambda: None)
    yield Bad("3", lambda: 3)
    yield Bad("text", lambda: LONG)
    yield Bad("gives None", lambda: lambda *_, **__: None, False)
    yield Bad("gives text", lambda: lambda *_, **__: "x", False)
    yield Bad("gives NaN", lambda: lambda *_, **__: torch.tensor(float("nan")), False)
    yield Bad("gives a shape that fits nothing", lambda: lambda *_, **__: torch.zeros(7, 11), False)
    yield Bad("takes nothing", lambda: lambda: None, False)


def _others() -> Iterator[Bad]:
    yield Bad("None", lambda: None)
    yield Bad("3", lambda: 3)
    yield Bad("text", lambda: LONG)


def _anything() -> Iterator[Bad]:
    yield Bad("None", lambda: None, False)
    yield Bad("3", lambda: 3, False)
    yield Bad("long", lambda: LONG, False)
    yield Bad("meta", lambda: torch.zeros(6, device="meta"), False)
    yield Bad("sparse", lambda: torch.zeros(6).to_sparse(), False)


BAD: dict[Any, Callable[[], Iterator[Bad]]] = {
    int: _wholes,
    float: _numbers,
    bool: lambda: iter([Bad("text", lambda: LONG), Bad("3", lambda: 3), Bad("list", lambda: [1])]),
    str: _strings,
    Path: _paths,
    Tensor: _tensors,
    nn.Module: _modules,
    Split: _splits,
    object: _anything,
    Any: _anything,
    slice: _others,
    range: _others,
    np.ndarray: _others,
    DataLoader: _others,
    Dataset: _others,
}


def bad(hint: Any) -> Iterator[Bad]:  # noqa: C901 - a branch for each kind of annotation
    """Bad values for a type. Raises: LookupError for one that has no generator."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        yield from _of_several(args)
    elif hint is type(None):
        return
    elif origin is Literal:
        yield from (one for one in _strings() if one.label != "empty" or "" not in args)
        yield Bad("another word", lambda: "another")
        yield Bad("long word", lambda: LONG)
    elif abc.Callable in (origin, hint):
        yield from _functions()
    elif (plain := origin or hint) in (list, tuple, abc.Sequence, abc.Iterable, abc.Collection):
        yield from _others()
        yield Bad("empty series", plain if plain in (list, tuple) else list, False)
        kind = tuple if plain is tuple else list
        inner = [arg for arg in args if arg is not Ellipsis]
        for one in bad(inner[0]) if inner else ():
            rest = [partial(good, "", other) for other in inner[1:]]
            yield Bad(f"series of {one.label}", partial(_series, kind, one.make, rest), one.never)
    elif plain in (dict, abc.Mapping):
        yield from _others()
        yield Bad("list", list)
        yield Bad("empty dict", dict, False)
        for one in bad(args[1]):
            yield Bad(f"dict of {one.label}", partial(_dict, args[0], one.make), one.never)
    elif plain in BAD:
        yield from BAD[plain]()
    elif plain in GOOD:
        yield from _others()
    else:
        raise LookupError(f"no bad values for {hint}: write a generator in tests/hostile/values.py")


def _series(kind: type, first: Callable[[], Any], rest: list[Callable[[], Any]]) -> Any:
    return kind([first(), *(make() for make in rest)])


def _dict(key: Any, value: Callable[[], Any]) -> Any:
    return {good("", key): value()}


def _of_several(kinds: tuple[Any, ...]) -> Iterator[Bad]:
    """What is bad for one of them, and good for none; what may be good for another is perhaps."""
    seen = set()
    for kind in kinds:
        for one in bad(kind):
            if one.label not in seen:
                seen.add(one.label)
                fits = any(_may_fit(one.make(), other) for other in kinds if other is not kind)
                yield Bad(one.label, one.make, one.never and not fits)


def _may_fit(value: Any, hint: Any) -> bool:
    """Whether a type may take the value at all: a rough test, for what is wrong with it is another's to say."""
    origin = get_origin(hint) or hint
    if hint in (Any, object):
        return True
    if origin in (abc.Sequence, abc.Iterable):
        return isinstance(value, list | tuple | str)
    if origin is abc.Callable:
        return callable(value)
    if origin is float:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e30
    return (
        isinstance(origin, type)
        and isinstance(value, origin)
        and not (origin is int and isinstance(value, bool))
    )
