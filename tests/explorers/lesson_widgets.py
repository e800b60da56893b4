"""Every widget of a lesson, made by the lesson's own lines: only what the widget's call depends on is run."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))


@dataclass(frozen=True)
class Shown:
    """One call that makes a widget: where it stands, and the program that makes it, ending in the call."""

    lesson: str
    cell: int
    call: str
    program: str

    def make(self) -> Any:
        """The widget."""
        names: dict[str, Any] = {}
        exec(compile(self.program, f"{self.lesson}, cell {self.cell}", "exec"), names)
        return names["widget_"]


def widgets(path: Path) -> Iterator[Shown]:
    """All calls of a lesson that make a widget, in order."""
    before: list[ast.stmt] = []
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"], 1):
        if cell["cell_type"] != "code":
            continue
        for statement in ast.parse("".join(cell["source"])).body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and _makes_a_widget(node.func):
                    call = ast.unparse(node)
                    lines = [*_needed(before, node), f"widget_ = {call}"]
                    yield Shown(path.stem, number, call, "\n".join(lines))
            before.append(statement)


def _makes_a_widget(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return isinstance(function.value, ast.Name) and function.value.id == "explorers"
    return isinstance(function, ast.Name) and function.id in ("predict", "ConversionExplorer", "Builder")


def _needed(before: list[ast.stmt], call: ast.AST) -> list[str]:
    """The statements that a call depends on, through the names that they set."""
    names, kept = _read(call), []
    for statement in reversed(before):
        if not isinstance(statement, ast.Assert | ast.Expr) and names & _set_by(statement):
            kept.append(ast.unparse(statement))
            names |= _read(statement)
    return kept[::-1]


def _read(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _set_by(statement: ast.stmt) -> set[str]:
    """Names that a statement binds, or an item or attribute of which it sets."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    found = set()
    for node in ast.walk(statement):
        if isinstance(getattr(node, "ctx", None), ast.Store):
            while isinstance(node, ast.Subscript | ast.Attribute):
                node = node.value  # noqa: PLW2901 - up to the name
            if isinstance(node, ast.Name):
                found.add(node.id)
    return found
