# ruff: noqa: RUF001 # Chinese signs are meant
"""What lessons print is in the reader's language, and in English, or without a twin, as if nobody had looked."""

import ast
import json
import os
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from snnlab import convert, networks
from snnlab.course import printing, translation
from snnlab.files.language import said, spoken, wide
from tests.course.printed import left

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
RUN = LESSONS if os.environ.get("SNNLAB_EXAMPLES") else LESSONS[:1]
"""Lessons that are run in Chinese: 00, which takes seconds, or all."""
HAN = re.compile("[一-鿿]")
ODD = """
x, name, rows = 1.5, "no such word", {"a b": [1, "c"], ("t",): (2,)}
print(f"{{1}} {x!r:>8} {x:{4}.{1}f} {name:10}|{name!s:^16}|{name!a}", rows, x, None, sep=" - ", end="!\\n")
print(*[f"{k:02}" for k in range(3)], *rows, {1, }, [x] * 2, f"", "", "{0} {1}")
print("".join(f"{k}" for k in "abc"), f"{', '.join(f'{k} {{' for k in 'ab')}", *rows.values())
print(f"{x = }", *"ab", file=None, flush=True)
def told(n): print(f"{n} kept"); return n
print(told(2), [told(k) for k in (3, 4)])
rows["self"] = rows
print(rows, {"leak": 1, "有泄漏": 2}["leak"])
"""


def shown(source: str, tongue: str | None) -> str:
    """What a cell prints; without a tongue as Python runs it by itself."""
    tree = ast.parse(source)
    with spoken(tongue or "en"), redirect_stdout(StringIO()) as out:
        if tongue:
            tree = printing.Cells().visit(tree)
        exec(compile(tree, "cell", "exec"), {})
    return out.getvalue()


def outputs(notebook: Any) -> Iterator[str]:
    """What stands below the cells of a notebook that was run, but for what an exception said: that is English."""
    for cell in notebook.cells:
        texts = [text for output in cell.get("outputs", ()) for text in _texts(output)]
        lines = [line for text in texts for line in text.splitlines()]
        yield from (line for line in lines if "except " not in cell.source or HAN.search(line))


def _texts(output: Any) -> Iterator[str]:
    yield output.get("text", "")
    yield from (output.get("data", {}).get(kind, "") for kind in ("text/plain", "text/markdown"))


@pytest.mark.parametrize("tongue", ["en", "zh"])
def test_a_cell_without_twins_prints_what_it_prints(tongue: str) -> None:
    assert shown(ODD, tongue) == shown(ODD, None)


def test_in_english_a_cell_s_tree_is_left_alone() -> None:
    tree = ast.parse(ODD)
    before = ast.dump(tree)
    with spoken("en"):
        assert ast.dump(printing.Cells().visit(tree)) == before


def test_a_twin_is_filled_with_the_same_places_in_its_own_order() -> None:
    cell = 'right, trains = [1] * 6, [1] * 16\nprint(f"{len(right)} of {len(trains)} have the mean 0.5: {3 / 8:.1%}")'
    assert shown(cell, "en") == "6 of 16 have the mean 0.5: 37.5%\n"
    assert shown(cell, "zh") == "16 种里有 6 种的平均值是 0.5：37.5%\n"


def test_a_word_is_looked_up_wherever_it_is_printed_and_columns_stay() -> None:
    cell = 'names = ["no leak", "leak", "opi"]\nfor name in names: print(f"{name:8}|{name:>8}|{name!r}")'
    lines = shown(cell, "zh").splitlines()
    assert lines[0] == "无泄漏  |  无泄漏|'无泄漏'" and lines[2] == "opi     |     opi|'opi'"
    assert {wide(line.rpartition("|")[0]) for line in lines} == {17}
    assert shown('print({"half full": ["empty", 1]}, ("leak",))', "zh") == "{'半满': ['空', 1]} ('有泄漏',)\n"
    assert shown('print("lost    ", 1, end=", ")', "zh") == "损失     1，"
    assert shown('print("a" if 0 else "inherited:")', "zh") == "继承：\n"
    assert shown('kept = "leak"\nassert kept == "leak"\nx = f"{kept}"\nassert x == "leak"', "zh") == ""


def test_an_error_in_a_print_still_points_at_its_line() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        shown('x = 1\nprint("a",\n  f"{1 / 0} kept")', "zh")
    assert raised.traceback[-1].lineno == 2, "the third line, counted from 0"


def test_the_summary_of_a_network_is_told_in_chinese() -> None:
    images = torch.rand(4, 1, 8, 8)
    told = []
    for tongue in ("en", "zh"):
        with spoken(tongue):
            told.append(convert(networks.resnet(seed=0).eval(), "opi", images, 4, progress=False).summary())
    english, chinese = (text.splitlines() for text in told)
    assert "kept, with 'stem.bn' folded in" in told[0] and "保留，'stem.bn' 已折叠进来" in told[1]
    assert len(english) == len(chinese) and "略去：它什么也不改变" in told[1] and not left(told[1])
    assert chinese[0].startswith("opi: OPI：用 RobustNorm 的阈值，从阈值的一半开始 (Bu et al.,")
    assert [line.split()[0] for line in english[2:]] == [line.split()[0] for line in chinese[2:]]


@pytest.mark.parametrize("lesson", RUN, ids=lambda path: path.stem)
def test_what_a_lesson_prints_has_no_english_sentence_left(lesson: Path, tmp_path: Path) -> None:
    with spoken("zh"):
        cells = translation.translated(json.loads(lesson.read_text(encoding="utf-8")))
        notebook = nbformat.reads(json.dumps(cells), as_version=4)
        home = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=600, kernel_name="python3", resources=home).execute()
    lines = list(outputs(notebook))
    assert sum(bool(HAN.search(line)) for line in lines) > 10
    assert not {line: found for line in lines if (found := left(line))}


def test_a_sentence_left_in_english_would_be_found() -> None:
    cell = 'print(f"{4} {4} spikes with steps of 1 ms, {9} with steps of 5 ms")'
    assert not left(shown(cell, "zh"))
    assert left(shown(cell.replace("steps of 1", "a step of 1"), "zh")) == [
        "spikes with a step of",
        "with steps of",
    ]
    assert not left(
        "Conv2d(1, 16, kernel_size=(3, 3)) -> IF(threshold=0.5, v0=0 to 0) opi, qcfs, max_norm, tcl 无"
    )
    assert not left("MaxNorm IF SNM ANN") and left("each one of the layers") and left("read from, say, NIR")
    assert said("leak") == "leak", "what is run here leaves the language as it was"
