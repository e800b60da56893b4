"""Every public signature of the package, found by itself, and what a call of it did."""

import contextlib
import importlib
import inspect
import re
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, get_type_hints

import torch
import torch._dynamo  # an optimiser brings it in at its first use, and no clock may end that
from torch import Tensor

import snnlab

ROOT = Path(snnlab.__file__).parent
INSIDE = {
    "converters.graph": "the machine room: its parts take each other, made by `trace` of what `convert` was given",
    "converters.grid": "the machine room: as above",
    "converters.choices.segment": "the machine room: made by `convert`",
    "converters.choices.trains": "the machine room: made by `convert`",
    "converters.conversion.fates": "what `convert` and `saving.load` call with the graph that they made",
    "simulators.simulation.each_batch": "what simulators call with their own batches",
    "simulators.simulation.channels_last": "what simulators call in each batch",
    "converters.threads": "what `simulate`, `convert` and trainings call",
    "studies.bench": "what `snnlab bench` runs, whose options test_out.py holds",
    "studies.intervals.parted": "what the reports ask",
    "reports.studies": "as `reports` gathers it",
    "studies.plans": "what `snnlab study` runs, whose file and options test_study.py holds",
    "studies.named": "as above, and the reports",
    "studies.points": "as above",
    "studies.workers": "as above",
    "studies.study": "as above",
    "studies.peers": "what `snnlab bench` runs",
    "studies.stopwatch": "what `snnlab bench` runs",
    "studies.subjects": "what `snnlab bench` runs",
    "exchange.nir.contents": "what `read_nir` calls: test_damages.py",
    "exchange.nir.nodes": "what `to_nir` and `read_nir` call: test_metadata.py, test_names.py",
    "exchange.nir.notes": "as above",
    "exchange.nir.reading": "as above",
    "exchange.nir.writing": "as above",
    "exchange.onnx.drawing": "what `to_onnx` calls",
    "exchange.onnx.layers": "as above",
    "exchange.onnx.neurons": "as above",
    "exchange.onnx.writing": "as above",
    "simulators.simulation.few_of": "as above",
    "simulators.simulation.at_once": "as above",
    "simulators.simulation.few_at_once": "as above",
    "simulators.stopping": "what `simulate` asks, whose `stop` is held there",
    "neurons.door": "the door itself",
    "neurons.firing": "what a neuron's rule asks in each step",
    "neurons.counting": "what neurons and `simulate` ask of spikes that they made",
    "neurons.settings": "the door itself",
    "plots.style": "what the figures share",
    "plots.pictures": "as above, of what the figures were given",
    "plots.theme": "as above",
    "datasets.pictures": "what `folders.load` calls, whose message has the file's name: test_folders.py",
    "plots.Drawing": "what the drawings give",
    "explorers.accuracies": "what the conversion explorer hands to `explorers.network`, which looks at it",
    "explorers.conversion.Bench": "what the explorer of conversions holds",
    "explorers.packing": "what `explorers.network` calls with networks that it has looked at",
    "explorers.answering": "what the explorers share",
    "explorers.host": "what the explorers share",
    "explorers.lasting": "what the explorers share",
    "explorers.reach": "what the explorers look at their own arguments with",
    "reports.execution": "what `reports.run` calls: test_out.py, test_kills.py",
    "reports.folder": "as above",
    "reports.comparing": "what `snnlab compare` calls: test_comparing.py",
    "reports.cells": "what `reports.declared` calls: test_own_notebooks.py",
    "reports.kinds": "annotations for a notebook's cell",
    "reports.compare": "trains all there is, with what test_subjects.py holds",
    "reports.parameters.find": "what `reports.declared` calls",
    "reports.page": "as above",
    "reports.site": "what `snnlab export` calls: test_site.py",
    "course": "what the lessons' own cells call, with arguments that the lessons' tests hold; wrong answers on purpose",
    "cli": "takes words from a command line: test_out.py",
    "progress": "hands its arguments to tqdm, whose they are",
    "files": "takes the paths that the doors before it were given: test_out.py, test_kills.py",
}
"""Rooms that face no user, each with why."""
INNER = re.compile(
    r"neurons\.\w+\.(start|step|spikes|slopes|gate|sends|sent|in_activation|laid_out_as|change|mean_output)"
    r"|(activations|networks)\.\w+\.(forward|rounded)|training\.step"
)
"""What a neuron's `forward`, or a layer's call, does in every step or batch, where a look would cost time: PyTorch's
own errors stand, as with its own layers."""
SECONDS = 10
"""No call takes a hundredth of it: one that does hangs."""


class HangError(BaseException):
    """What ends a call that hangs; no `except Exception` holds it."""


@dataclass(frozen=True)
class Door:
    """A public signature.

    Attributes:
        name: as a user would write it after `snnlab.`; a method's with its class.
        call: the function or class; for a method, the function that takes the object first.
        hints: what each argument may be, by name, in the order of the call.
        given: how each is handed in, by name.
        owner: the class of a method; None for others.
    """

    name: str
    call: Callable[..., Any]
    hints: dict[str, Any]
    kinds: dict[str, Any]
    owner: type | None = None


def rooms() -> Iterator[ModuleType]:
    """Each module whose public names are a user's."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if parts[-1] != "__main__" and not any(f"{name}.".startswith(f"{inside}.") for inside in INSIDE):
            yield importlib.import_module(f"snnlab.{name}" if name else "snnlab")


def doors() -> list[Door]:
    """All public signatures: what a wing gathers in its `__all__`, and the modules of which it gathers nothing."""
    modules = list(rooms())
    gathered = {
        str(getattr(getattr(module, name), "__module__", ""))
        for module in modules
        for name in getattr(module, "__all__", ())
        if module is not snnlab
    }
    found: dict[int, tuple[str, Any]] = {}
    for module in modules:
        named = getattr(module, "__all__", None)
        if named is None and module.__name__ in gathered:
            continue
        for name in [key for key in vars(module) if not key.startswith("_")] if named is None else named:
            value = getattr(module, name)
            where = str(getattr(value, "__module__", ""))
            mine = where == module.__name__ if named is None else where.startswith("snnlab.")
            if mine and (inspect.isfunction(value) or inspect.isclass(value)):
                if f"{module.__name__}.{name}".removeprefix("snnlab.") in INSIDE:
                    continue
                found.setdefault(id(value), (f"{module.__name__}.{name}".removeprefix("snnlab."), value))
    every = [door for name, value in found.values() for door in _of(name, value)]
    return [door for door in every if not INNER.fullmatch(door.name)]


def _of(name: str, value: Any) -> Iterator[Door]:
    if inspect.isfunction(value):
        yield door_of(name, value)
        return
    if not issubclass(value, BaseException) and _checks(value):
        yield door_of(name, value, value.__init__)
    for key, member in vars(value).items():
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        own = inspect.isfunction(plain) and f"{plain.__module__}.{plain.__qualname__}".startswith(
            f"{value.__module__}.{value.__name__}."
        )
        if own and not key.startswith("_"):
            bound = isinstance(member, classmethod | staticmethod)
            yield door_of(f"{name}.{key}", getattr(value, key), owner=None if bound else value)


def _checks(kind: type) -> bool:
    """Whether a class has a constructor of the kit's own. A record that the kit fills in holds what it is given."""
    if is_dataclass(kind):
        return hasattr(kind, "__post_init__")
    return str(getattr(kind.__init__, "__module__", "")).startswith("snnlab")


def door_of(name: str, call: Any, annotated: Any = None, owner: type | None = None) -> Door:
    """The door of a function or class."""
    signature = inspect.signature(call)
    hints = _hints(call if annotated is None or is_dataclass(call) else annotated)
    names = list(signature.parameters)[1 if owner else 0 :]
    kinds = {key: signature.parameters[key].kind for key in names}
    return Door(name, call, {key: hints[key] for key in names}, kinds, owner)


def _hints(annotated: Any) -> dict[str, Any]:
    """Without the result's, which may name a package that is imported where it is used."""
    if isinstance(annotated, type):
        return get_type_hints(annotated)
    plain = inspect.unwrap(annotated)
    own = {name: hint for name, hint in plain.__annotations__.items() if name != "return"}
    return get_type_hints(SimpleNamespace(__annotations__=own), plain.__globals__)


def call(door: Door, values: Mapping[str, Any], owner: Any = None) -> Any:
    """What the call gives; blocks are entered and left, series read for a little."""
    args, kwargs = [], {}
    for name, value in values.items():
        if door.kinds[name] is inspect.Parameter.KEYWORD_ONLY:
            kwargs[name] = value
        elif door.kinds[name] is inspect.Parameter.VAR_POSITIONAL:
            args += [value]
        elif door.kinds[name] is inspect.Parameter.VAR_KEYWORD:
            kwargs |= value
        else:
            args.append(value)
    with limited():
        result = door.call(*([] if owner is None else [owner]), *args, **kwargs)
        if isinstance(result, contextlib.AbstractContextManager) and not isinstance(result, Tensor):
            with result as result:
                pass
        elif inspect.isgenerator(result):
            result = list(islice(result, 3))
    return result


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Ends a call that hangs."""

    def end(*_: Any) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def problem_of(error: BaseException, words: tuple[str, ...], paths: tuple[str, ...] = ()) -> str:
    """What is wrong with an error, as an answer to a bad argument; nothing if it is the kit's, short, and names it."""
    text = str(error)
    if isinstance(error, HangError):
        return "hangs"
    if not isinstance(error, ValueError | TypeError | OSError):
        return f"ends in {type(error).__name__}: {text[:150]!r} {_where(error)}"
    if isinstance(error, TypeError) and "_functions.<locals>" in text:
        return ""  # Python says what the user's own function takes
    if isinstance(error, OSError) and error.filename is not None and len(text) < 1000:
        return ""  # the system's own answer, which names the file
    innermost = traceback.extract_tb(error.__traceback__)[-1].filename
    if not Path(innermost).is_relative_to(ROOT) and not _called(error):
        return f"the error is not the kit's: {type(error).__name__}: {text[:150]!r} {_where(error)}"
    if len(text) > 1000 or (
        "\n" in text.replace("a\nb", "") and not text.startswith("the network cannot be converted faithfully")
    ):
        return f"a message of {len(text)} characters, {text.count(chr(10)) + 1} lines: {text[:150]!r}"
    if not any(re.search(rf"\b{re.escape(word)}", text) for word in words) and not any(
        path in text for path in paths
    ):
        return f"does not name {words[0]}: {text[:200]!r}"
    return ""


def _called(error: BaseException) -> bool:
    """Whether Python itself says that the arguments are not the function's."""
    return (
        isinstance(error, TypeError)
        and "argument" in str(error)
        and len(traceback.extract_tb(error.__traceback__)) <= 2
    )


def _where(error: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if str(ROOT) in f.filename]
    return f"in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def meaningless(result: Any, depth: int = 0) -> str:
    """What of a result says nothing: NaN or an infinity; nothing if all of it is finite."""
    if isinstance(result, Tensor) and not result.is_meta and result.layout == torch.strided:
        bad = result.is_floating_point() and not bool(result.isfinite().all())
        return "NaN or infinity in the result" if bad else ""
    if isinstance(result, float):
        return "" if result - result == 0 else f"{result} in the result"
    if depth > 3:
        return ""
    held: Any = ()
    if is_dataclass(result) and not isinstance(result, type):
        held = [getattr(result, field.name, None) for field in fields(result)]
    elif isinstance(result, Mapping):
        held = list(result.values())
    elif isinstance(result, torch.nn.Module):
        held = [*result.buffers(), *result.parameters()]
    elif isinstance(result, list | tuple):
        held = result
    return next((said for item in held if (said := meaningless(item, depth + 1))), "")
