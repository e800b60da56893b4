"""What a lesson says in numbers is shown and backed: the rules, which `notebook_lint` lists with the others.

A number in the text of a lesson stands in the code of the lesson: a share or a number of points in an assertion of the
same section, any other (a setting, a count) in a cell of that section or before it. A comparison, an "always" or a
"never" has an assertion near it. Or the sentence names a source: a work with its year, a file of results, or the
benchmark that wrote it.
"""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

Notebook = dict[str, Any]

MUTE = {"reveal", "check", "predict"}
"""Calls at a cell's end that show words and not the number that the text speaks of."""
SOURCE = re.compile(r"\b(19|20)\d\d\b|`(benchmarks|data)/|\barXiv\b")
NAMES = re.compile(
    r"\b(lessons?|sections?|figures?|tables?|equations?|exercises?)\s+[\d.]+\w?(\(\w\))?((,| and| to| or)\s+[\d.]+)*"
    r"|\b99(\.9)?(th)? percentile|\d+-bit|\*\*\d\d ·.*",
    re.IGNORECASE,
)
"""What looks like a number of the text and is a name."""
NUMBER = re.compile(r"(?<![\w./])(?<![A-Za-z]-)(\d[\d,]*(?:\.\d+)?)(?![\w\-]*[a-zA-Z])(\s*(?:%|points?\b))?")
RANGE = re.compile(r",? (to|and|or) [\d.]+\s*(%|points?\b)")
FRACTIONS = {"a tenth": 10, "a fifth": 20, "a quarter": 25, "a third": 100 / 3, "two thirds": 200 / 3}
FRACTION = re.compile(rf"\b(?:than|by|at least|about|to) ({'|'.join(FRACTIONS)})\b")
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
POINTS = re.compile(rf"\b({'|'.join(WORDS)}) points?\b(?! of\b)")


COMPARISON = re.compile(
    r"\b(always|never|every time|whatever|for ever|at least|at most|hardly|nearly|than|best|worst|twice|half as"
    r"|as (?!often as you like)\w+ as)\b",
    re.IGNORECASE,
)


class Claim(NamedTuple):
    """A number in the text: as it is written, its value, and whether it was measured: a share or points, in percent."""

    shown: str
    value: float
    measured: bool


def numbers_are_shown(notebook: Notebook) -> Iterator[str]:
    """A cell that shows some follows the words "in numbers"."""
    for number, (cell, after) in enumerate(pairwise(notebook["cells"]), 2):
        said = cell["cell_type"] == "markdown" and re.search(r"\bin numbers\b", _source(cell), re.IGNORECASE)
        if said and (after["cell_type"] != "code" or not _shows(_source(after))):
            yield f"cell {number}: follows 'in numbers', but shows none: print them"


def assertions_show_something(notebook: Notebook) -> Iterator[str]:
    """An assertion that passes silently teaches nothing."""
    for number, cell in enumerate(notebook["cells"], 1):
        if _asserts(cell) and not _solves(cell) and not _shows(_source(cell)):
            yield f"cell {number}: asserts in silence: print the numbers that the text speaks of"


def numbers_are_backed(notebook: Notebook) -> Iterator[str]:
    """A sentence with a number has its assertion or its source; a summary has the assertions of all sections."""
    written: set[float] = set()
    asserted: set[float] = set()
    for title, texts, code in _sections(notebook):
        trees = [_parsed(text) for text in code]
        checked = {value for tree in trees for value in _asserted(tree)}
        written |= {value for tree in trees for value in _literals(tree)}
        asserted |= checked
        for number, text in texts:
            for claim in (claim for sentence in _sentences(text) for claim in claims(sentence)):
                if claim.measured and not _among(claim.value, checked if code else asserted):
                    where = "no assertion of its section has it"
                elif not claim.measured and claim.value not in written:
                    where = "no cell has it"
                else:
                    continue
                yield f"cell {number}: '{claim.shown}' ({title}), but {where}, and the sentence names no source"


def comparisons_are_backed(notebook: Notebook) -> Iterator[str]:
    """A comparison, an "always" or a "never" has an assertion within three cells, or its sentence a source.

    Questions ask; what a lesson sets out to do, and its summary, say again what its sections have said.
    """
    cells = notebook["cells"]
    for title, texts, _ in _sections(notebook):
        for number, text in texts if title not in ("the beginning", "In three lines") else ():
            near = [cell for cell in cells[max(0, number - 4) : number + 3] if not _solves(cell)]
            if any(_asserts(cell) for cell in near):
                continue
            for sentence in _sentences(text):
                found = COMPARISON.search(sentence)
                if found and not sentence.endswith("?") and not SOURCE.search(sentence):
                    yield f"cell {number}: '{found[0]}' in \"{sentence[:60]}\", but no cell near it asserts anything"


def claims(sentence: str) -> Iterator[Claim]:
    """The numbers of a sentence without a source; whole numbers up to 2 are words, and formulas have none but decimals.

    Args:
        sentence: markdown, without line breaks.
    """
    if SOURCE.search(sentence):
        return
    plain = NAMES.sub(" ", sentence)
    plain = re.sub(r"\$([^$]*)\$", lambda m: " ".join(re.findall(r"(?<![\w.])\d+\.\d+", m[1])), plain)
    for match in NUMBER.finditer(plain):
        value, measured = float(match[1].replace(",", "")), bool(match[2] or RANGE.match(plain, match.end()))
        if measured or value > 2 or not value.is_integer():
            yield Claim(match[0].strip(), value, measured)
    for match in FRACTION.finditer(plain):
        yield Claim(match[1], FRACTIONS[match[1]], True)
    for match in POINTS.finditer(plain):
        yield Claim(match[0], WORDS.index(match[1]) + 1, True)


def _sections(notebook: Notebook) -> Iterator[tuple[str, list[tuple[int, str]], list[str]]]:
    """Title, texts with their cells' numbers, and code of each part that begins with `## `; not what is to be read."""
    parts: list[tuple[str, list[tuple[int, str]], list[str]]] = [("the beginning", [], [])]
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] == "code":
            parts[-1][2].append(_source(cell))
            continue
        for piece in re.split(r"(?m)^(?=## )", _source(cell)):
            if piece.startswith("## "):
                parts.append((piece.splitlines()[0][3:], [], []))
            parts[-1][1].append((number, piece))
    yield from (part for part in parts if part[0] != "To read")


def _sentences(text: str) -> Iterator[str]:
    """Prose alone: without headings, tables, the line with the minutes, display formulas, code and addresses."""
    text = re.sub(r"(?ms)^\$\$.*?\$\$", " ", text)
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:- |\d+\. |\|))", text):
        if not block.lstrip().startswith(("#", "|", "**Time")):
            line = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(block.split()))  # a link's text
            line = re.sub(r"`(?!benchmarks/|data/)[^`]*`", "` `", line)
            yield from re.split(r"(?<=[.!?])\s+(?=[A-Z*$(\[`])", line)


def _shows(text: str) -> bool:
    """Whether a cell prints, or ends in a value that is more than an answer in words."""
    body = _parsed(text).body
    if any(_called(node) == "print" for node in ast.walk(_parsed(text))):
        return True
    return bool(body) and isinstance(body[-1], ast.Expr) and _called(body[-1].value) not in MUTE


def _asserts(cell: Notebook) -> bool:
    tree = _parsed(_source(cell)) if cell["cell_type"] == "code" else ast.Module([], [])
    return any(isinstance(node, ast.Assert) for node in ast.walk(tree))


def _solves(cell: Notebook) -> bool:
    return "solution" in cell.get("metadata", {}).get("tags", [])


def _called(node: ast.AST) -> str | None:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None


def _asserted(tree: ast.Module) -> Iterator[float]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield from _literals(node)


def _literals(tree: ast.AST) -> Iterator[float]:
    """Every number that is written, and every quotient or difference of two: 2 / 3, 1 - 0.1."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            yield float(node.value)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Sub):
            both: list[Any] = [
                side.value for side in (node.left, node.right) if isinstance(side, ast.Constant)
            ]
            if len(both) == 2 and all(isinstance(value, int | float) for value in both) and both[1]:
                yield both[0] / both[1] if isinstance(node.op, ast.Div) else both[0] - both[1]


def _among(percent: float, known: set[float]) -> bool:
    """98 % stands in an assertion as 98 or 0.98; a fifth, 20 %, less or more also as 0.8 or 1.2."""
    forms = (form for x in known for form in (x, 100 * x, 100 * (1 - x), 100 * (x - 1)))
    return any(abs(percent - form) < 1e-9 for form in forms)


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError:  # reported by plain_python
        return ast.Module([], [])


def _source(cell: Notebook) -> str:
    text = cell["source"]
    return text if isinstance(text, str) else "".join(text)
