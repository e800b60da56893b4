"""The parameters of a report, as its notebook declares them (cells.py), checked before anything is started.

papermill would only warn of a parameter that it does not know, and take `007` for 7. Nothing here imports PyTorch.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from snnlab.files import kit, place, regained, short
from snnlab.files.words import meant
from snnlab.reports import cells
from snnlab.reports.kinds import Named, OneOf

Value = Any
REPORTS = "notebooks/reports"


class _NameError(ValueError):
    """What a function of the kit's says of a name."""


class ParameterError(ValueError):
    """A parameter that cannot be: says its name, what was given and what is allowed, in one line."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a report.

    Attributes:
        name, default, help: as the notebook's parameters cell has them.
        kind: its annotation.
    """

    name: str
    kind: Any
    default: Value
    help: str

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """What holds a value to the annotation."""
        return TypeAdapter(self.kind, config=ConfigDict(strict=True, allow_inf_nan=False))

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The annotation as JSON schema."""
        return self.adapter.json_schema()

    @cached_property
    def table(self) -> OneOf | None:
        """The kit's table that its words are from."""
        return next((one for one in get_args(self.kind) if isinstance(one, OneOf)), None)

    @cached_property
    def named(self) -> Named | None:
        """What knows its names, if a few words are not all it may be."""
        return next((one for one in get_args(self.kind) if isinstance(one, Named)), None)

    @property
    def choices(self) -> tuple[str, ...]:
        """The words allowed, for a word."""
        if self.table is not None:
            return self.table.names()
        words = self.schema.get("enum", [self.schema["const"]] if "const" in self.schema else [])
        return tuple(words) if all(isinstance(word, str) for word in words) else ()

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        return f"one of {', '.join(self.choices)}" if self.table else _allowed(self.schema)

    @property
    def listed(self) -> str:
        """The same for a list of parameters, without looking a table up."""
        known = self.table or self.named
        return known.words if known else _allowed(self.schema)

    def parse(self, text: str) -> Value:
        """The value that a text from the command line stands for. Raises: ParameterError."""
        if not isinstance(text, str):
            raise ParameterError(f"text = {short(text)}, but it must be a text")
        try:
            value = self._held(self._read(text))
            if type(value) is int and str(value) != text:
                raise ValueError("a number is written in plain digits")
            return value
        except _NameError as error:
            raise ParameterError(f"parameter {self.name!r}: {error}") from None
        except (ValueError, RecursionError):  # pydantic's is one
            said = f"parameter {self.name!r} is {short(text)}, but must be {self.allowed}"
            raise ParameterError(f"{said}{meant(text, self.choices) or self._written(text)}") from None

    def _held(self, value: Value) -> Value:
        """The value, if the annotation allows it. Raises: ValueError."""
        value = self.adapter.validate_python(value)
        if self.table is not None and value not in self.table.names():
            raise ValueError("no such word")
        if self.named is not None:
            try:
                self.named.check(value)
            except (ValueError, OSError) as error:
                raise _NameError(str(error)) from None
        return value

    def _read(self, text: str) -> Value:
        """A text as it is, where one may be given; else what JSON makes of it."""
        if self._takes_text() or not text.isascii() or len(text) > 10_000:
            return text
        return json.loads(
            {"True": "true", "False": "false", "None": "null"}.get(text, text), parse_constant=_refuse
        )

    def _takes_text(self) -> bool:
        return bool(self.choices) or self.schema.get("type") == "string"

    def _written(self, text: str) -> str:
        """How to write a whole number that was written some other way."""
        try:
            number = self._held(int(float(text)))
        except (ValueError, OverflowError, TypeError):
            return ""
        return f", in digits: {number}" if type(number) is int and number == float(text) else ""


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no finite number")


def names() -> list[str]:
    """The kit's own reports."""
    return sorted(path.stem for path in kit(REPORTS).glob("*.ipynb"))


def find(report: str | Path) -> Path:
    """The notebook of a report: one of the kit's by its name, or any by its path. Raises: ParameterError."""
    if str(report).endswith(".ipynb"):
        try:
            path = place(report)
        except ValueError as error:
            raise ParameterError(f"report is {short(str(report))}: {error}") from None
        if not path.is_file():
            raise ParameterError(f"report is {short(str(report))}, but there is no such notebook")
        return path
    if not (known := names()):
        raise ParameterError(
            f"report is {short(str(report))}, but there are none in {kit(REPORTS)}: {regained(REPORTS)}; or name "
            "a notebook of your own, FILE.ipynb"
        )
    if str(report) not in known:
        raise ParameterError(
            f"report is {short(str(report))}, but must be one of {', '.join(known)}, or a notebook, "
            f"FILE.ipynb{meant(report, known)}"
        )
    return kit(REPORTS) / f"{report}.ipynb"


def declared(report: str | Path) -> tuple[Parameter, ...]:
    """What a report's notebook declares, in its order; no code of it is run. Raises: ParameterError."""
    path = find(report)
    try:
        return tuple(_parameter(line, path.name) for line in cells.read(cells.load(path), path.name).lines)
    except cells.CellError as error:
        raise ParameterError(str(error)) from None


def check(report: str | Path, given: Mapping[str, str]) -> dict[str, Value]:
    """All parameters of a report, in their order, from the texts that are given.

    Args:
        report: a name of the kit's, or a notebook's path.
        given: parameter to text; what is left out has its default.
    Raises: ParameterError that names the parameter, what was given and what is allowed.
    """
    if not isinstance(given, Mapping):
        raise ParameterError(f"given = {short(given)}, but it must be a dict")
    known = {parameter.name: parameter for parameter in declared(report)}
    for name in given:
        if name not in known:
            raise ParameterError(_unknown(name, known, find(report)))
    return {name: p.parse(given[name]) if name in given else p.default for name, p in known.items()}


def _unknown(name: str, known: Iterable[str], path: Path) -> str:
    if not isinstance(name, str):
        return f"given has the key {short(name)}, but a parameter's name is a text"
    if name in cells.read(cells.load(path), path.name).computed_names:
        return f"{name!r} is no parameter: {path.name} computes it from the others"
    known = list(known)
    return f"there is no parameter {short(name)}, but {', '.join(known) or 'none at all'}{meant(name, known)}"


def _parameter(line: cells.Line, notebook: str) -> Parameter:
    """Raises: ParameterError for an annotation that cannot be held to, or a default that it does not allow."""
    kind = line.kind if line.kind not in (None, list) else _kind_of(line.default)
    made = Parameter(line.name, kind, line.default, line.help)
    try:
        _ = made.schema
        made.adapter.validate_python(line.default)
    except ValidationError:
        raise ParameterError(
            f"parameter {line.name!r} of {notebook} starts as {short(line.default)}, but must be {made.listed}"
        ) from None
    except (PydanticUserError, TypeError, ValueError) as error:
        raise ParameterError(
            f"parameter {line.name!r} of {notebook} has an annotation that cannot be held to "
            f"({' '.join(str(error).split())[:200]})"
        ) from None
    return made


def _kind_of(default: Value) -> Any:
    """The type of a default without an annotation; of a list that of its items."""
    if isinstance(default, list) and default and len({type(item) for item in default}) == 1:
        return list[type(default[0])]  # type: ignore[misc]
    return type(default)


def _allowed(schema: Mapping[str, Any]) -> str:
    """A JSON schema in words."""
    if "anyOf" in schema:
        return " or ".join(map(_allowed, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return f"one of {', '.join(map(str, schema.get('enum', [schema.get('const')])))}"
    kind = schema.get("type", "")
    if kind == "array":
        least = "of one or more " if schema.get("minItems") else ""
        which = f" {least or 'of '}different values" if schema.get("uniqueItems") else f" {least}".rstrip()
        return f"a list{which}, each {_allowed(schema.get('items', {}))}, written [1,2,4]"
    words = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "a text",
             "object": "a JSON object", "null": "null"}.get(kind, "a value as JSON writes it")  # fmt: skip
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is not None and high is not None:
        words += f" from {low} to {high}"
    elif low is not None or high is not None:
        words += f", {low} or more" if high is None else f", {high} at most"
    outside = [str(schema[name]) for name in ("exclusiveMinimum", "exclusiveMaximum") if name in schema]
    return f"{words}, not {' and not '.join(outside)} itself" if outside else words
