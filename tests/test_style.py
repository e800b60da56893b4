"""The house rules as code: lengths, docstrings, no traces of a machine; ruff and mypy are clean."""

import ast
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import nn

ROOT = Path(__file__).parents[1]
PACKAGE = sorted((ROOT / "snnlab").rglob("*.py"))
SOURCES = [*PACKAGE, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "snnlab").rglob("*.js"))]
MACHINE_PATH = re.compile(r"(?<![\w./])/(home|work|root|Users)/\w")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def definitions(path: Path, *kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, kinds):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def code_lines(function: Function, text: list[str]) -> int:
    """Lines of a function without its docstring, blank lines and comments."""
    first = function.body[1] if ast.get_docstring(function) and len(function.body) > 1 else function.body[0]
    lines = [
        *text[function.lineno - 1 : function.body[0].lineno - 1],
        *text[first.lineno - 1 : function.end_lineno],
    ]
    return len([line for line in lines if line.strip() and not line.strip().startswith("#")])


def test_no_two_test_files_have_one_name() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert not {name for name in names if names.count(name) > 1}, "pytest takes one of them only"


@pytest.mark.filterwarnings("default::UserWarning")
def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    long = {str(path): lines for path, lines in lengths.items() if lines > 300}
    if long:
        warnings.warn(f"over 300 lines, so soon two files: {long}", stacklevel=1)
    assert not {path: lines for path, lines in long.items() if lines > 400}


def test_no_function_is_longer_than_40_code_lines() -> None:
    long = [
        f"{name}: {code_lines(node, path.read_text(encoding='utf-8').splitlines())} lines"
        for path in PACKAGE
        for name, node in definitions(path, *Function.__args__)
        if code_lines(node, path.read_text(encoding="utf-8").splitlines()) > 40
    ]
    assert not long


def test_no_function_takes_more_than_6_parameters() -> None:
    """Options that can only be given by name are not counted: a call says what they are."""
    many = [
        name
        for path in PACKAGE
        for name, node in definitions(path, *Function.__args__)
        if len([a for a in [*node.args.posonlyargs, *node.args.args] if a.arg not in ("self", "cls")]) > 6
    ]
    assert not many


def public(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Modules, and classes and functions a user can name; what PyTorch names, PyTorch documents."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield str(path.relative_to(ROOT)), tree
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]
    for node in [*tree.body, *(member for owner in classes for member in owner.body)]:
        named = isinstance(node, ast.ClassDef | Function) and node.name[0] != "_"
        if named and not (node not in tree.body and hasattr(nn.Module, node.name)):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def test_everything_public_has_a_docstring() -> None:
    missing = [name for path in PACKAGE for name, node in public(path) if not ast.get_docstring(node)]
    assert not missing


def test_no_file_knows_a_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    texts = {}
    for name in listed:
        if (ROOT / name).is_file() and b"\0" not in (ROOT / name).read_bytes()[:4096]:
            texts[name] = (ROOT / name).read_text(encoding="utf-8")
    assert len(texts) > 20
    assert not [name for name, text in texts.items() if MACHINE_PATH.search(text)]


@pytest.mark.parametrize(
    "command", [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)], ids=" ".join
)  # fmt: skip
def test_the_checkers_are_content(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
