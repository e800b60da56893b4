"""The parameters cell of a notebook, read as text: no line of it is run to say what its parameters are.

A line `name: annotation = literal  # help` is a parameter. Annotations are Python's own: int, float, bool, str,
list[int], Literal["a", "b"], Annotated[int, Range(1, 9)] or Annotated[int, Field(ge=1, le=9)], or a name for one that a
cell above assigns or imports from snnlab.reports.kinds. Any other line computes something, and comes after the values
that are given. (nbformat would read the file as well, but takes two seconds to import.)
"""

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

from pydantic import Field

from snnlab.files import short
from snnlab.reports import kinds

TAG = "parameters"
RESULTS = "results"
"""The parameter that the kit itself gives: the file for the numbers."""
MOST_POWER = 64

KNOWN: dict[str, Any] = {
    "int": int, "float": float, "bool": bool, "str": str, "list": list, "dict": dict, "Annotated": Annotated,
    "Literal": Literal, "Optional": Optional, "Union": Union, "Field": Field, "Range": kinds.Range,
    "Rising": kinds.Rising,
}  # fmt: skip
CALLED = (Field, kinds.Range)
OPENED = (list, dict, Annotated, Literal, Optional, Union)


class CellError(ValueError):
    """A parameters cell that cannot be read: says why, in one line."""


@dataclass(frozen=True)
class Line:
    """A parameter as it is written: its annotation, None if it has none, its default and its help."""

    name: str
    kind: Any
    default: Any
    help: str


@dataclass(frozen=True)
class Cell:
    """A parameters cell: its number, its parameters, and the names and source of what is computed from them."""

    number: int
    lines: tuple[Line, ...]
    takes_results: bool
    plain: str
    computed: str
    computed_names: tuple[str, ...]


def load(path: Path) -> dict[str, Any]:
    """A notebook, as data. Raises: CellError."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])
            _ = cell["cell_type"], cell["metadata"].get("tags", [])
    except OSError as error:
        raise CellError(f"{short(str(path))} cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CellError(
            f"{short(str(path))} is no notebook of format 4: open it in Jupyter and save it"
        ) from None
    return notebook


def read(notebook: Mapping[str, Any], name: str) -> Cell:
    """The parameters cell of a notebook. Raises: CellError that names it.

    Args:
        name: what messages call the notebook.
    """
    every = notebook["cells"]
    tagged = [k for k, cell in enumerate(every) if TAG in cell["metadata"].get("tags", [])]
    if len(tagged) != 1 or every[tagged[0]]["cell_type"] != "code":
        raise CellError(
            f"{name} has {len(tagged)} code cells tagged `{TAG}`, but a report has one: tag the cell that assigns them"
        )
    known = dict(KNOWN)
    for cell in every[: tagged[0]]:
        if cell["cell_type"] == "code":
            _learn(_parsed(cell["source"]), known)
    source = every[tagged[0]]["source"]
    tree = _parsed(source)
    if tree is None:
        raise CellError(f"the cell tagged `{TAG}` of {name} is no plain Python: magics go into another cell")
    return _divided(tagged[0], source, tree, known, name)


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # a magic, perhaps
        return None


def _divided(number: int, source: str, tree: ast.Module, known: dict[str, Any], name: str) -> Cell:
    """Parameters and imports, and what is computed."""
    rows, lines, computed = source.splitlines(), list[Line](), list[ast.stmt]()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            _learn(ast.Module([node], []), known)
        elif (target := _target(node)) is None or not _is_literal(node):
            computed.append(node)
        else:
            lines.append(_line(node, target, rows, known, name))
    names = [line.name for line in lines]
    if twice := [one for one in names if names.count(one) > 1]:
        raise CellError(f"{name} assigns the parameter {twice[0]!r} twice")
    inside = {row for node in computed for row in range(node.lineno - 1, node.end_lineno or node.lineno)}
    shared = [node.lineno for node in tree.body if node not in computed and node.lineno - 1 in inside]
    if shared:
        raise CellError(f"{name} has two statements in line {shared[0]} of its parameters cell: one a line")
    names_in = (node for stmt in computed for node in ast.walk(stmt) if isinstance(node, ast.Name))
    made = tuple(node.id for node in names_in if isinstance(node.ctx, ast.Store))
    return Cell(
        number,
        tuple(line for line in lines if line.name != RESULTS),
        RESULTS in names,
        "\n".join(row for k, row in enumerate(rows) if k not in inside),
        "\n".join(rows[k] for k in sorted(inside)),
        made,
    )


def _target(node: ast.stmt) -> str | None:
    """The one name that a statement assigns."""
    targets = (
        [node.target]
        if isinstance(node, ast.AnnAssign)
        else node.targets
        if isinstance(node, ast.Assign)
        else []
    )
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else None


def _is_literal(node: Any) -> bool:
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def _line(node: Any, name: str, rows: list[str], known: dict[str, Any], notebook: str) -> Line:
    after = rows[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
    comment = re.match(r"\s*#\s*(.*)", after)
    kind = None
    if isinstance(node, ast.AnnAssign):
        try:
            kind = _value(node.annotation, known)
        except (CellError, TypeError, ValueError, RecursionError) as error:
            raise CellError(
                f"parameter {name!r} of {notebook} is annotated {short(ast.unparse(node.annotation))}, which is not "
                f"known ({error}): write int, str, list[int], Literal['a', 'b'] or Annotated[int, Range(1, 9)]"
            ) from None
    return Line(name, kind, ast.literal_eval(node.value), comment[1].strip() if comment else "")


def _learn(tree: ast.Module | None, known: dict[str, Any]) -> None:
    """The annotations that a cell above names, and what it imports of the kit's kinds."""
    for node in tree.body if tree else ():
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if node.module == kinds.__name__ and hasattr(kinds, alias.name):
                    known[alias.asname or alias.name] = getattr(kinds, alias.name)
                elif node.module in ("typing", "pydantic") and alias.name in KNOWN:
                    known[alias.asname or alias.name] = KNOWN[alias.name]
        elif isinstance(node, ast.Assign) and (name := _target(node)) is not None:
            try:
                known[name] = _value(node.value, known)
            except (CellError, TypeError, ValueError, RecursionError):
                known.pop(name, None)


def _value(node: ast.expr, known: dict[str, Any]) -> Any:
    """What an annotation stands for; only names, literals, brackets and bounds are read. Raises: CellError."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        if name not in (known if isinstance(node, ast.Name) else KNOWN):
            raise CellError(f"{name} is no type")
        return known[name] if isinstance(node, ast.Name) else KNOWN[name]
    if isinstance(node, ast.Tuple):
        return tuple(_value(item, known) for item in node.elts)
    if isinstance(node, ast.Subscript) and (kind := _value(node.value, known)) in OPENED:
        return kind[_value(node.slice, known)]
    if isinstance(node, ast.Call) and (call := _value(node.func, known)) in CALLED:
        options = {item.arg: _value(item.value, known) for item in node.keywords if item.arg}
        return call(*(_value(item, known) for item in node.args), **options)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, known)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left, known), _value(node.right, known))
    raise CellError(f"{short(ast.unparse(node))} is no type")


def _power(base: Any, exponent: Any) -> Any:
    if abs(base) > MOST_POWER or abs(exponent) > MOST_POWER:
        raise CellError("that power is too large")
    return base**exponent


_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.BitOr: lambda one, other: one | other,
    ast.Sub: lambda one, other: one - other,
    ast.Pow: _power,
}
