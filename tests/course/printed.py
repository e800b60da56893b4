"""What the cells of a lesson print: sentences, which need a twin, and words that come as values."""

import ast
import re
from collections.abc import Iterator

from snnlab import CATALOGUE
from snnlab.course.printing import numbered, parts_of

WORD = re.compile(r"[A-Za-z][A-Za-z_]+")
NAMES = {
    *(
        "ANN",
        "SNN",
        "IF",
        "SNM",
        "ReLU",
        "QCFS",
        "MaxNorm",
        "SpikingJelly",
        "float32",
        "int8",
        "pJ",
        "nJ",
        "MB",
    ),
    *CATALOGUE,
}
"""Words that are the same in every language."""
SAME = NAMES | {
    *(
        "zero",
        "subtract",
        "constant",
        "poisson",
        "half",
        "separate",
        "reused",
        "functional",
    ),  # options and their names
    *("conv1.act", "conv2.act", "block1.relu", "block1.relu#2", "relu", "block2"),  # layers
    *("lmpc_as_printed", "lmpc_signed_once", "lmpc_signed_thrice", "mine"),  # methods
    *("both", "thresho", "looks a"),  # keys that are not shown
}
PAPER = re.compile(r"\([A-Z][^()]*, \d{4}\)")
REASON = re.compile("(?:拒绝转换|这样搭配不行)：.*")  # noqa: RUF001 # what an error said stays English
SENTENCE = re.compile(r"(?<![\w'\"`=/.-])[A-Za-z]+(?:[ ,]+[A-Za-z]+){2,}(?![\w'\"`=/.(-])")


def texts(source: str) -> list[str]:
    """What the cell's calls of print say themselves, with numbered places, as `printing` looks it up."""
    return [text for call in prints(source) for value in call.args for text in _texts(value) if worded(text)]


def prints(source: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node


def _texts(value: ast.expr) -> Iterator[str]:
    for choice in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
        if isinstance(choice, ast.Constant) and isinstance(choice.value, str):
            yield choice.value.strip()
    forms = {id(node.format_spec) for node in ast.walk(value) if isinstance(node, ast.FormattedValue)}
    for node in ast.walk(value):
        if isinstance(node, ast.JoinedStr) and id(node) not in forms:
            yield numbered(parts_of(node)).strip()


def worded(text: str) -> bool:
    return bool({word for word in WORD.findall(text) if word not in NAMES})


def words(source: str) -> set[str]:
    """Strings by which a cell calls something: keys, entries of lists and pairs, one of two."""
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            found += node.keys
        elif isinstance(node, ast.Tuple | ast.List):
            found += node.elts
        elif isinstance(node, ast.IfExp):
            found += [node.body, node.orelse]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            found.append(node.targets[0].slice)
    texts = {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if WORD.search(text)} - SAME


def left(printed: str) -> list[str]:
    """Three English words in a row, or more, but for code, names and where a method was published."""
    return [found for found in SENTENCE.findall(REASON.sub("", PAPER.sub("", printed))) if worded(found)]
