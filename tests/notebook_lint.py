"""The rules for notebooks, as code: `lint(notebook)` lists what breaks them, a line for each, in words.

A lesson has every rule. A report is run by papermill and read as a page, so it has fewer words between its cells.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from notebook_numbers import (
    assertions_show_something,
    comparisons_are_backed,
    numbers_are_backed,
    numbers_are_shown,
)

Notebook = dict[str, Any]
Rule = Callable[[Notebook], Iterator[str]]

LONGEST_CELL = 12
KINDS = "snnlab.reports.kinds"
"""What a parameters cell imports: the names of its annotations."""
NARROW, LETTER, PADDING = 482, 8.0, 17
"""Pixels: of a narrow page's text, and of a letter and the margins of a column, as JupyterLab has them."""
LONGEST_EQUATION = 34
SEEN = (
    (r"\\tag\{[^}]*\}", "....."),
    (r"\\(?:begin|end)\{\w+\}", ""),
    (r"\\(?:text|mathrm|operatorname)\{([^}]*)\}", r"\1"),
    (r"\\underbrace\{(.*?)\}_\{[^}]*\}", r"\1"),
    (r"[_^](?:\{[^}]*\}|\\?\w+)", "x"),
    (r"\\(?:left|right|[!,;: ])|\\q?quad", ""),
    (r"\\[a-zA-Z]+", "M"),
    (r"[{}\s&]", ""),
)
TAGS = {"parameters", "kernel", "lab", "solution", "exercise", "answer", "remove-input"}
MACHINE_PATH = re.compile(r"""(?<![\w.:/])(/(home|work|root|tmp|Users|mnt|media|opt)/|[A-Z]:\\)""")


def lint(path: Path, *, report: bool = False) -> list[str]:
    """Every problem of one notebook: "NAME: cell 4: 14 lines, but 12 are allowed"."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        return [f"{path.name}: not JSON: {error}"]
    rules = REPORT_RULES if report else LESSON_RULES
    problems = [problem for rule in rules for problem in rule(notebook)]
    if not report and not re.fullmatch(r"\d\d_[a-z0-9_]+\.ipynb", path.name):
        problems.append("its name is not of the form 01_short_name.ipynb")
    return [f"{path.name}: {problem}" for problem in problems]


def code_cells(notebook: Notebook) -> Iterator[tuple[int, Notebook, str]]:
    """Number, cell and source of each code cell; cells are counted from 1."""
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] == "code":
            yield number, cell, source(cell)


def source(cell: Notebook) -> str:
    """A cell's text, which the format keeps as one string or as a list of lines."""
    text = cell["source"]
    return text if isinstance(text, str) else "".join(text)


def tags(cell: Notebook) -> list[str]:
    """What a cell is marked as."""
    return list(cell.get("metadata", {}).get("tags", []))


def stripped(notebook: Notebook) -> Iterator[str]:
    """Nothing of a run is stored: no outputs, no counts, no widget state, no traces of papermill."""
    for number, cell, _ in code_cells(notebook):
        if cell.get("outputs"):
            yield f"cell {number}: has outputs: clear them"
        if cell.get("execution_count") is not None:
            yield f"cell {number}: has an execution count: clear it"
    for key in {"widgets", "papermill"} & set(notebook.get("metadata", {})):
        yield f"metadata has {key!r}, left by a run: remove it"


def short_cells(notebook: Notebook) -> Iterator[str]:
    """A code cell fits in one look."""
    for number, _, text in code_cells(notebook):
        lines = len([line for line in text.splitlines() if line.strip()])
        if lines > LONGEST_CELL:
            yield f"cell {number}: {lines} lines, but {LONGEST_CELL} are allowed"
        if lines == 0:
            yield f"cell {number}: is empty"


def words_between(notebook: Notebook) -> Iterator[str]:
    """Markdown comes first, between any two code cells, and last but for what ends the kernel."""
    kinds = [cell["cell_type"] for cell in notebook["cells"] if "kernel" not in tags(cell)]
    if not kinds or kinds[0] != "markdown":
        yield "cell 1: must be markdown: what the reader will be able to do"
    if kinds and kinds[-1] != "markdown":
        yield f"cell {len(kinds)}: the last must be markdown: the summary"
    for number, pair in enumerate(pairwise(kinds), 2):
        if pair == ("code", "code"):
            yield f"cell {number}: follows a code cell without a word between"


def fits_a_narrow_page(notebook: Notebook) -> Iterator[str]:
    """At 600 px JupyterLab's text is 482 px wide. Text wraps; a table's longest words and an equation do not.

    Code wraps, too: `snnlab lab` sets it so.
    """
    for number, cell in enumerate(notebook["cells"], 1):
        text = source(cell) if cell["cell_type"] == "markdown" else ""
        for table in re.findall(r"(?m)(?:^\|.*\|[ \t]*(?:\n|\Z))+", text):
            rows = [re.split(r"(?<!\\)\|", row)[1:-1] for row in table.splitlines()]
            columns = zip(*(row for row in rows if len(row) == len(rows[0])), strict=True)
            wide = sum(LETTER * max(map(longest_word, column)) + PADDING for column in columns)
            if wide > NARROW:
                yield f"cell {number}: a table of {wide:.0f} px, but {NARROW} are there: fewer columns, shorter words"
        equations = re.findall(r"(?s)\$\$(.*?)\$\$", text)
        for line in (line for equation in equations for line in equation.split(r"\\")):
            if len(signs(line)) > LONGEST_EQUATION:
                yield f"cell {number}: an equation of {len(signs(line))} signs in a line, but {LONGEST_EQUATION} fit"


def longest_word(entry: str) -> int:
    """Letters of the longest piece of a table's entry that is not broken; a formula is one."""
    plain = re.sub(r"\$([^$]*)\$", lambda m: signs(m[1]), entry)
    return max((len(word.strip("*`")) for word in plain.split()), default=0)


def signs(formula: str) -> str:
    """What is seen of a formula, roughly a sign for each: indices and exponents count as one together."""
    for pattern, shown in SEEN:
        formula = re.sub(pattern, shown, formula)
    return formula


def plain_python(notebook: Notebook) -> Iterator[str]:
    """No shell, no magic, no installing: what a cell does is Python that can be read."""
    for number, _, text in code_cells(notebook):
        shell = [line.strip() for line in text.splitlines() if line.strip().startswith(("!", "%"))]
        if shell:
            yield f"cell {number}: {shell[0]!r}: no shell and no magic in a notebook"
            continue
        try:
            ast.parse(text)
        except SyntaxError as error:
            yield f"cell {number}: not Python: {error.msg}"


def no_machine_path(notebook: Notebook) -> Iterator[str]:
    """A notebook runs on every machine."""
    for number, cell in enumerate(notebook["cells"], 1):
        if found := MACHINE_PATH.search(source(cell)):
            yield f"cell {number}: holds an absolute path ({found[0]}...)"


def one_parameters_cell(notebook: Notebook) -> Iterator[str]:
    """T, seeds, sizes stand in one tagged cell, each with its type."""
    found = [(number, text) for number, cell, text in code_cells(notebook) if "parameters" in tags(cell)]
    if len(found) != 1:
        yield f"{len(found)} cells are tagged 'parameters', but there must be one"
    for number, text in found:
        body = [node for node in _parsed(text) if getattr(node, "module", None) != KINDS]
        if not all(isinstance(node, ast.AnnAssign) and node.value for node in body):
            yield f"cell {number}: a parameter is written with its type: `T: int = 8`"


def one_import_cell(notebook: Notebook) -> Iterator[str]:
    """All imports stand in the first code cell that has any, but for what annotates parameters."""
    every = [(number, node) for number, _, text in code_cells(notebook) for node in _parsed(text)]
    imports = (number for number, node in every if _imports(node) and getattr(node, "module", None) != KINDS)
    found = list(dict.fromkeys(imports))
    for number in found[1:]:
        yield f"cell {number}: imports belong to the one import cell, cell {found[0]}"


def known_tags(notebook: Notebook) -> Iterator[str]:
    """A misspelt tag would do nothing, silently."""
    for number, cell in enumerate(notebook["cells"], 1):
        for tag in set(tags(cell)) - TAGS:
            yield f"cell {number}: unknown tag {tag!r}; known are {', '.join(sorted(TAGS))}"


def answers_wait(notebook: Notebook) -> Iterator[str]:
    """A prediction's answer is the last thing its cell shows; what asserts it is folded until then."""
    asked = False
    for number, cell, text in code_cells(notebook):
        body = _parsed(text)
        asked = asked or any(_calls(node, "predict") for node in body)
        told = [node for node in body if _calls(node, "reveal")]
        if told and told != body[-1:]:
            yield f"cell {number}: `reveal` is not the last expression of its cell, so its answer is not shown"
        folded = cell["metadata"].get("jupyter", {}).get("source_hidden", False)
        if (
            asked
            and not folded
            and any(isinstance(node, ast.Assert) for node in ast.walk(ast.Module(body, [])))
        ):
            yield f"cell {number}: asserts the answer before it is revealed: fold it (source_hidden, tag 'answer')"
        if folded and body and isinstance(body[0], ast.Assert):
            yield f"cell {number}: begins with an assertion, and a folded cell shows its first line"
        asked = asked and not told
    if asked:
        yield "a prediction is never revealed"


def _calls(node: ast.stmt, name: str) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name


def _parsed(text: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except SyntaxError:  # reported by plain_python
        return []


def _imports(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


REPORT_RULES: list[Rule] = [stripped, plain_python, no_machine_path, one_parameters_cell, known_tags]
LESSON_RULES: list[Rule] = [
    *REPORT_RULES, answers_wait, short_cells, words_between, one_import_cell, fits_a_narrow_page,
    numbers_are_shown, assertions_show_something, numbers_are_backed, comparisons_are_backed,
]  # fmt: skip
