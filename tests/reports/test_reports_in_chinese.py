# ruff: noqa: RUF001 # Chinese signs are meant
"""Reports in Chinese: each text of their notebooks and tables has its twin, and a report that is run is in Chinese."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snnlab import cli
from snnlab.course.printing import numbered
from snnlab.datasets import published
from snnlab.files.language import mark, spoken
from snnlab.reports import intervals, papers, results, studies
from snnlab.studies import claims
from snnlab.studies.papers import NOW, TABLE_3, load
from snnlab.training import runs
from tests.course.printed import left, worded
from tests.course.test_translation import catalogue, untrue

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks" / "reports").glob("*.ipynb"))
SAME = {"ANN", "T", "snnlab", "torch", "numpy", "Python"}
"""Heads of columns that are the same in every language."""


def cells(kind: str) -> Iterator[str]:
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == kind:
                yield "".join(cell["source"])


def said_in(tree: ast.AST) -> Iterator[str]:
    """What stands in `said("...")`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "said":
            yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))


def heads_in(tree: ast.AST) -> Iterator[str]:
    """The heads of tables: a first argument of `table`, or what is called head."""
    for node in ast.walk(tree):
        head: Any = None
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in ("table", "reports.table"):
            head = node.args[0]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "head":
            head = node.value
        if isinstance(head, ast.Tuple):
            constants = (part.value for part in head.elts if isinstance(part, ast.Constant))
            yield from (text for text in constants if isinstance(text, str) and text not in SAME)


def claimed() -> set[str]:
    """What the papers' report holds against its run."""
    table_3 = {claims._beaten(row)[0] for row in TABLE_3}
    return table_3 | {claim for rows in claims.ORDERS.values() for claim, *_ in rows.values()}


def trained() -> set[str]:
    """What the table of trained networks says of them, phrase by phrase, with numbered places."""
    told = [one for row in runs.table().values() for one in (row["activation"], row["trained"])]
    phrases = {numbered(papers.PLACES.split(one)) for each in told for one in each.split(", ")}
    return {phrase for phrase in phrases if worded(phrase) and phrase not in ("bfloat16", "float32")}


def published_in() -> set[str]:
    """Where published figures stand, and what is to be said of them."""
    found = {text for row in published.load() for text in (row.source, row.note)}
    return {text for text in found if worded(text)} - {"Bu et al. 2022"}


def texts() -> set[str]:
    code = [ast.parse(source) for source in cells("code")]
    rooms = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "snnlab" / "reports").glob("*.py")]
    found = {*cells("markdown"), *studies.GROUP, *claimed(), *trained(), *published_in(), NOW, load().made}
    found |= {text for tree in code for text in said_in(tree)}
    return found | {text for tree in [*code, *rooms] for text in heads_in(tree)}


def test_every_text_of_a_report_has_its_twin_with_the_same_numbers_code_and_terms() -> None:
    own, elsewhere = catalogue("reports"), catalogue("words") | catalogue("explorers") | catalogue("figures")
    twins, found = elsewhere | own, texts()
    missing = [f"<!-- {mark(text)} {text[:60]} -->" for text in found if mark(text) not in twins]
    assert not missing, "write the twins below these lines: " + ", ".join(missing)
    assert set(own) <= set(map(mark, found)), "no twin is left over"
    wrong = {text: untrue(text, twins[mark(text)]) for text in found}
    assert not {text: problems for text, problems in wrong.items() if problems}
    for text in found:
        assert sorted(re.findall(r"{\w*}", text)) == sorted(re.findall(r"{\w*}", twins[mark(text)])), text


def test_a_text_that_another_catalogue_has_too_has_the_same_twin_there() -> None:
    own = catalogue("reports")
    for name in ("words", "explorers", "figures"):
        other = catalogue(name)
        assert not {own[digits] for digits in own.keys() & other.keys() if own[digits] != other[digits]}, name


def test_a_sentence_of_a_code_cell_that_is_not_said_would_be_found() -> None:
    """Prose in a code cell stands in `said`: a text of five words or more that does not is seen here."""
    prose = re.compile(r"(?:[A-Za-z]{2,}[ ,]+){4}[a-z]{2,}")
    for source in cells("code"):
        tree = ast.parse(source)
        known = set(said_in(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value in known or not prose.search(node.value), node.value
    assert prose.search("methods count more right answers here")


def test_sentences_of_chance_are_chinese_and_their_numbers_the_english_ones() -> None:
    told: list[list[str]] = []
    for tongue in ("en", "zh"):
        with spoken(tongue):
            told.append(
                [
                    intervals.share(0.9, 450),
                    intervals.against_ann(0.9, 0.9, 450),
                    intervals.against_ann(0.5, 0.9, 450),
                    intervals.against_ann(0.9, 0.5, 450),
                    intervals.ahead({"opi": 0.9, "qcfs": 0.91, "snm": 0.2}, 450),
                    intervals.ahead({"opi": 0.9, "qcfs": 0.2}, 450),
                    intervals.ahead({f"m{k}": 0.5 for k in range(7)}, 450),
                ]
            )
    for english, chinese in zip(*told, strict=True):
        assert sorted(re.findall(r"[\d.,]*\d", english)) == sorted(re.findall(r"[\d.,]*\d", chinese))
        assert not re.search(r"[a-z]{2,} [a-z]{2,}", chinese), chinese
    assert told[1][1] == "两个区间重叠：450 幅图像分不出两个网络的高下。"


def test_a_claim_is_told_in_chinese() -> None:
    found = (claims.Finding(-0.2, 2, "T = 2: `a` 70.0%, `b` 90.0%"), claims.Finding(0.3, 4, ""))
    verdict = claims.Verdict("qc_ann", "beats RobustNorm", found, 1000)
    with spoken("zh"):
        told = verdict.sentence
    assert told == (
        "`qc_ann`：“它胜过 RobustNorm”，在这里 T = 2 时不成立（T = 2: `a` 70.0%, `b` 90.0%）；在这里 T = 4 时成立。"
    )


def test_how_the_networks_were_trained_is_told_in_both_languages() -> None:
    told = papers.training_list("resnet20").data.splitlines()
    with spoken("zh"):
        chinese = papers.training_list("resnet20").data.splitlines()
    assert told[1].startswith(
        "- `resnet20-qc_ann`, 90.14 %: floor, 8 levels, learned; from resnet20-qcfs: 4 epochs, batch 128, learning "
    )
    assert chinese[1].startswith(
        "- `resnet20-qc_ann`，90.14 %：向下取整，8 个量化级，学得；从 resnet20-qcfs 开始：4 轮，批大小 128，学习率 0.02"
    )
    for english, twin in zip(told, chinese, strict=True):
        assert re.findall(r"\d[\d.]*", english.rstrip(".")) == re.findall(r"\d[\d.]*", twin)
        assert not left(twin) and twin.endswith("。")


def test_a_table_s_head_is_said_and_what_is_not_known_stays() -> None:
    with spoken("zh"):
        assert results.table(("method", "T = 8"), [("`opi`", 1)]).data == "方法|T = 8\n:--|--:\n`opi`|1"
    assert results.table(("method", "T = 8"), [("`opi`", 1)]).data == "method|T = 8\n:--|--:\n`opi`|1"


def test_the_switch_makes_a_report_chinese_and_its_numbers_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNNLAB_LANGUAGE", "en")
    for tongue in ("en", "zh"):
        given = ["report", "neuron", "-p", "T=8", "--language", tongue, "--out", str(tmp_path / tongue)]
        assert cli.main(given) == 0
    english, chinese = (tmp_path / tongue for tongue in ("en", "zh"))
    assert (english / "results.json").read_bytes() == (chinese / "results.json").read_bytes()
    page = (chinese / "report.html").read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in page and "<title>一种神经元</title>" in page
    assert "<summary>代码</summary>" in page and "阈值 1，v0 = 它的 0.5 倍" in page
    buttons = f'"Download plot as a PNG": {json.dumps("下载为 PNG 图片")}'
    assert buttons in page
    assert 'modeBarButtonsToRemove: ["sendChartToCloud"] };' in (english / "report.html").read_text(
        encoding="utf-8"
    )
    seen = re.sub(
        r"<(script|style|svg|details)\b.*?</\1>", " ", page[page.index("<main>") :], flags=re.DOTALL
    )
    told = re.sub(r"<code>.*?</code>|<[^>]*>", "|", seen)
    assert "设置" in told and not re.search(r"[A-Za-z]{2,} [a-z]{2,}", told), told
