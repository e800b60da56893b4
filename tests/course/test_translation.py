# ruff: noqa: RUF001 # Chinese signs are meant
"""The Chinese lessons say what the English ones say: cell by cell, number by number, with the field's terms."""

import ast
import inspect
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from snnlab.course import building, check, copies, pitfalls, readings, translation
from snnlab.course.lessons import Exercise, answers_of, find
from snnlab.files.language import FOLDER, entries, mark, said, spoken
from snnlab.plots import pictures
from snnlab.reports import page
from snnlab.simulators import energy, errors
from tests.course import printed

ROOT = Path(__file__).parents[2]
LESSONS = {path.name[:2]: path for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))}
KEPT = (
    re.compile(r"\$\$.+?\$\$", re.DOTALL),
    re.compile(r"\$[^$]+\$"),
    re.compile(r"`[^`]+`"),
    re.compile(r"\]\(([^()\s]+)\)"),
)
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)*|\d")
DRAWS = {
    "accuracy_over_time", "activation_histogram", "bars", "counts_over_time", "errors_against_threshold", "lines",
    "rate_against_relu",
}  # fmt: skip
NAMES = ("title", "xlabel", "ylabel")
SIGNS = "：。，、；？！（）「」"


def english(lesson: str) -> dict[str, str]:
    """All texts of a lesson that a reader sees: name -> text."""
    found: dict[str, str] = {}
    for cell in json.loads(LESSONS[lesson].read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            found[cell["id"]] = text
        elif text.startswith("predict("):
            (statement,) = ast.parse(text).body
            assert isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            number, question, options = statement.value.args
            key = ast.literal_eval(number)
            found[f"{key} q"] = ast.literal_eval(question)
            if isinstance(options, ast.List):
                found |= {f"{key} {k}": o for k, o in enumerate(ast.literal_eval(options), 1) if worded(o)}
        else:
            found |= {f"{cell['id']} prints {k}": said for k, said in enumerate(printed.texts(text), 1)}
    for number, answer in answers_of(lesson).items():
        tempting = {f"{number} wrong {k}": t for k, t in enumerate(answer.tempting.values(), 1)}
        found |= {f"{number} why": answer.why, **tempting}
    return found | told(lesson)


def told(lesson: str) -> dict[str, str]:
    """What the checks of a lesson's exercises say: hints, praises, the names of entries."""
    found: dict[str, str] = {}
    for number, exercise in exercises_of(lesson).items():
        for mistake in exercise.mistakes:
            found[f"{number} {mistake.__name__}"] = inspect.getdoc(mistake) or ""
        found[f"{number} praise"] = exercise.praise
        found |= {f"{number} endless": exercise.endless} if exercise.endless else {}
        found |= {f"{number} entry {k}": f"{word} {{k}}" for k, word in enumerate(exercise.entries, 1)}
    return found


def exercises_of(lesson: str) -> dict[str, Exercise]:
    exercises: dict[str, Exercise] = import_module(f"snnlab.course.lesson_{lesson}").EXERCISES
    return exercises


def worded(option: str) -> bool:
    return re.search("[a-z]", option) is not None


def catalogue(name: str) -> dict[str, str]:
    return {digits: text for digits, _, text in entries(FOLDER / "zh" / f"{name}.md")}


def kept(text: str) -> Counter[str]:
    """What no translation changes: formulas, code, where links lead, numbers."""
    found: list[str] = []
    for pattern in KEPT:
        found += pattern.findall(text)
        text = pattern.sub(" ", text)
    return Counter(found + [number.rstrip(",") for number in NUMBER.findall(text)])


def terms() -> dict[str, list[str]]:
    lines = (ROOT / "snnlab/course/zh/terms.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" = ") for line in lines if line and not line.startswith("#"))
    return {term: twins.split("|") for term, twins in pairs}


def emphasis(twin: str) -> list[str]:
    """Emphasis that Markdown does not see: it begins, or ends, with a Chinese sign amid letters."""
    spans = re.finditer(r"([^*\n]?)(\*\*?)([^*\n]+)\2([^*\n]?)", twin)
    return [
        span[0]
        for span in spans
        if (span[3][-1] in SIGNS and span[4] and span[4] not in SIGNS + " ")
        or (span[3][0] in SIGNS and span[1] and span[1] not in SIGNS + " ")
    ]


def untrue(text: str, twin: str) -> list[str]:
    """What a twin gets wrong."""
    had, has = kept(text), kept(twin)
    wrong = [f"only in English: {list((had - has).elements())}"] if had - has else []
    wrong += [f"only in the twin: {list((has - had).elements())}"] if has - had else []
    plain = re.sub(r"\$[^$]*\$|`[^`]*`|\]\([^)]*\)|\): \*[^*]+\*\.", " ", text)  # nor in titles of papers
    wrong += [
        f"{term} is {' or '.join(twins)}"
        for term, twins in terms().items()
        if re.search(rf"\b{term}s?\b", plain, re.IGNORECASE) and not any(t in twin for t in twins)
    ]
    wrong += [f"not emphasised: {found}" for found in emphasis(twin)]
    return wrong


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_text_of_a_lesson_has_its_twin(lesson: str) -> None:
    twins = catalogue(lesson)
    missing = [
        f"<!-- {mark(text)} {name} -->" for name, text in english(lesson).items() if mark(text) not in twins
    ]
    assert not missing, "write the twins below these lines: " + ", ".join(missing)


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_twin_is_left_over(lesson: str) -> None:
    assert set(catalogue(lesson)) <= set(map(mark, english(lesson).values()))


@pytest.mark.parametrize("lesson", LESSONS)
def test_twins_have_the_same_numbers_formulas_code_links_and_the_terms(lesson: str) -> None:
    twins = catalogue(lesson)
    wrong = {name: untrue(text, twins.get(mark(text), "")) for name, text in english(lesson).items()}
    assert not {name: found for name, found in wrong.items() if found}


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_hint_has_a_twin_of_its_own(lesson: str) -> None:
    twins = catalogue(lesson)
    for number, exercise in exercises_of(lesson).items():
        hints = [twins[mark(inspect.getdoc(mistake) or "")] for mistake in exercise.mistakes]
        assert len(set(hints)) == len(hints), number
        assert all("{k}" in twins[mark(f"{word} {{k}}")] for word in exercise.entries)


def prints(current: list[float], threshold: float, v0: float) -> None:
    print(current)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (find("01.1", "EXERCISES").mistakes[0], "**01.1：还不对。** 你的神经元在 `v > threshold` 时才发放。"),
        (find("01.1", "EXERCISES").reference, "**01.1：正确。** 充电"),
        (None, "**01.1：还没做。**"),
        (lambda current, threshold, v0: [0] * len(current), "第 2 个时间步处的值是 0"),
        (lambda current, threshold: [0], "你的函数 接受 `(current, threshold)`"),
        (lambda current, threshold, v0: 1 / 0, "引发 ZeroDivisionError"),
        (prints, "缺少 `return`"),
        (lambda current, threshold, v0: 0, "一个数；要的是长度为 4 的列表"),
    ],
)
def test_a_check_speaks_chinese(function: Callable[..., Any] | None, says: str) -> None:
    with spoken("zh"):
        assert says in check("01.1", function).text  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["notebooks/glossary", "notebooks/references", "docs/your_own_network"])
def test_a_text_beside_the_lessons_says_the_same_and_keeps_the_headings_that_links_lead_to(name: str) -> None:
    whole = (ROOT / f"{name}.md").read_text(encoding="utf-8")
    paragraphs = re.sub("^```.*?^```", "", whole, flags=re.DOTALL | re.MULTILINE).strip().split("\n\n")
    same = ("### ", "- ") if name.startswith("notebooks") else ("    ", "<!--")
    said_in_both = [text for text in paragraphs if text.strip() and not text.startswith(same)]
    twins = catalogue(Path(name).name)
    missing = [f"<!-- {mark(text)} {text} -->" for text in said_in_both if mark(text) not in twins]
    assert not missing, "write the twins below these lines: " + ", ".join(missing)
    assert set(twins) == set(map(mark, said_in_both)), "no twin is left over, and none is a heading's"
    wrong = {text: untrue(text, twins[mark(text)]) for text in said_in_both}
    assert not {text: found for text, found in wrong.items() if found}


def test_the_glossary_calls_a_term_as_the_lessons_do() -> None:
    entries_of = (
        (ROOT / "notebooks" / "glossary.md").read_text(encoding="utf-8").strip().split("\n\n### ")[1:]
    )
    twins = catalogue("glossary")
    for term, body in (entry.split("\n\n") for entry in entries_of):
        called = re.match(r"\*\*(.+?)\*\*", twins[mark(body)])
        assert called, term
        known = terms().get(term)
        assert known is None or any(twin in (called[1], term) for twin in known), (term, called[1])


@pytest.mark.parametrize(
    ("text", "twin", "found"),
    [
        ("The threshold is 8.", "阈值是 8。", ""),
        ("The threshold is 8.", "阈值是 9。", "only in English: ['8']"),
        ("The threshold is 1.5.", "阈值是 1。", "'1.5'"),
        ("The thresholds differ.", "门限各不相同。", "threshold is 阈值"),
        ("Let $v = 1$ be.", "设 $v = 2$。", "$v = 1$"),
        ("Call `run`.", "调用 `Run`。", "`run`"),
        ("See [it](01.ipynb).", "见[此处](02.ipynb)。", "01.ipynb"),
        ("**Time:** now", "**时间：**现在", "not emphasised"),
    ],
)
def test_each_kind_of_untruth_is_found(text: str, twin: str, found: str) -> None:
    wrong = untrue(text, twin)
    assert (found in "; ".join(wrong)) if found else not wrong


def test_an_edited_sentence_finds_its_twin_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNLAB_LANGUAGE", "zh")
    text = english("01")["cell-13"]
    assert "阈值" in said(text)
    assert said(text.replace("stayed", "stays")) == text.replace("stayed", "stays")


def test_every_word_of_the_kit_has_its_twin() -> None:
    """`said("...")` in the package, and the words of the page's script; the explorers have a catalogue of their own."""
    found = {
        copies.GOES_ON,
        pictures.ACCURACY,
        *errors.PARTS,
        energy.CAVEAT,
        *page.BUTTONS,
        building.Builder.title,
        building.Builder.refusal,
    }
    labels = {label for labels in building.CHOICES.values() for label in labels}
    found |= (labels | set(building.CHOICES)) - {"v0", "IF", "ReLU"}
    found |= {pitfalls.ABSENT, *(text for each in readings.READINGS for text in (each.own, each.told))}
    for path in (ROOT / "snnlab").rglob("*.py"):
        if path.parent.name != "explorers":
            found |= said_in(path)
    for path in (ROOT / "snnlab" / "reports").glob("*.j2"):
        found |= set(re.findall(r"said\('([^']*)'\)", path.read_text(encoding="utf-8")))
    script = (ROOT / "snnlab" / "reports" / "site.js").read_text(encoding="utf-8")
    found |= set(re.findall(r'\bsay\("([^"]*)"', script))
    twins = catalogue("words") | catalogue("figures")
    assert not {f"<!-- {mark(text)} {text} -->" for text in found if mark(text) not in twins}
    assert set(twins) <= set(map(mark, found)), "no word is left over"
    for text in found:
        assert sorted(re.findall(r"{\w*}", text)) == sorted(re.findall(r"{\w*}", twins[mark(text)])), text
    wrong = {
        text: untrue(re.sub(r"{\w*}", " ", text), re.sub(r"{\w*}", " ", twins[mark(text)])) for text in found
    }
    assert not {text: found for text, found in wrong.items() if found}


def test_the_names_that_lessons_give_what_they_draw_have_twins() -> None:
    """What a cell that draws calls its lines, bars and axes, but for names of methods; and what others call rows."""
    twins, names, strings = catalogue("labels"), set[str](), set[str]()
    for path in LESSONS.values():
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                tree = ast.parse("".join(cell["source"]))
                strings |= constants(ast.walk(tree))
                names |= named(tree) if DRAWS & calls(tree) else set()
                names |= printed.words("".join(cell["source"]))
    strings |= constants(
        ast.walk(ast.parse((ROOT / "snnlab/course/taking_back.py").read_text(encoding="utf-8")))
    )
    known = {"accuracy [%]", "mean output", "SNM", "snm", "snm_counter"}
    names |= building.worth().keys() - printed.SAME
    anywhere = {digits for path in (FOLDER / "zh").glob("*.md") for digits, _, _ in entries(path)}
    missing = {f"<!-- {mark(name)} {name} -->" for name in names - known if mark(name) not in anywhere}
    assert not missing
    found = {mark(text): text for text in strings | names}
    assert set(twins) <= set(found), "no name is left over"
    wrong = {found[digits]: untrue(found[digits], twin) for digits, twin in twins.items()}
    assert not {text: why for text, why in wrong.items() if why}


def translated_words(code: str) -> set[str]:
    """What the assertions of a cell look for in what the kit says, where a reader of Chinese has other words."""
    english_words = [name for path in (FOLDER / "zh").glob("*.md") for _, name, _ in entries(path)]
    sides = [
        side.value
        for claim in ast.walk(ast.parse(code))
        if isinstance(claim, ast.Assert)
        for node in ast.walk(claim)
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Constant) and isinstance(side.value, str)
    ]
    return {words for words in sides if " " in words and any(words in text for text in english_words)}


def test_no_lesson_asserts_words_that_are_others_in_chinese() -> None:
    for path in LESSONS.values():
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                assert not translated_words("".join(cell["source"])), path.name
    assert translated_words("assert 'does not go together' in builder.words")


def calls(tree: ast.AST) -> set[str]:
    """What is called, without what stands before the last point."""
    functions = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {getattr(function, "attr", getattr(function, "id", "")) for function in functions}


def named(tree: ast.AST) -> set[str]:
    """Keys of dictionaries, and what is given as a title or as an axis's name."""
    nodes = list(ast.walk(tree))
    values = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg in NAMES]
    return constants(
        [*values, *(key for node in nodes if isinstance(node, ast.Dict) for key in node.keys if key)]
    )


def constants(nodes: Iterable[ast.AST]) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def said_in(path: Path) -> set[str]:
    """What a file of the package says as `said("...")`."""
    return {
        str(node.args[0].value)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "said"
        if isinstance(node.args[0], ast.Constant)
    }


def test_a_text_has_one_twin_wherever_it_is_said() -> None:
    """All catalogues are one: of two twins of the same text the reader would get the one that is read last."""
    twins: dict[str, set[str]] = {}
    for path in (FOLDER / "zh").glob("*.md"):
        for digits, _, twin in entries(path):
            twins.setdefault(digits, set()).add(twin)
    assert not {digits: each for digits, each in twins.items() if len(each) > 1}


def test_code_stays_and_prose_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNLAB_LANGUAGE", "zh")
    notebook: Any = json.loads(LESSONS["01"].read_text(encoding="utf-8"))
    chinese = translation.translated(notebook)
    for cell, twin in zip(notebook["cells"], chinese["cells"], strict=True):
        assert (cell == twin) == (cell["cell_type"] == "code")


def test_a_reader_s_copy_is_made_once_and_what_was_done_in_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = tmp_path / "notebooks"
    lessons.mkdir()
    (lessons / LESSONS["01"].name).write_bytes(LESSONS["01"].read_bytes())
    assert translation.readers(lessons) == (lessons, False)
    monkeypatch.setenv("SNNLAB_LANGUAGE", "zh")
    folder, older = translation.readers(lessons)
    assert folder == tmp_path / "notebooks_zh" and not older
    mine = folder / LESSONS["01"].name
    assert "会计数的神经元" in mine.read_text(encoding="utf-8")
    assert translation.readers(lessons) == (folder, False)
    mine.write_text("mine", encoding="utf-8")
    assert translation.readers(lessons) == (folder, True)
    assert mine.read_text(encoding="utf-8") == "mine"


def test_a_chinese_copy_for_students_has_no_solution_and_the_instructor_s_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SNNLAB_LANGUAGE", "zh")
    notebook = translation.translated(json.loads(LESSONS["01"].read_text(encoding="utf-8")))
    assert any("".join(cell["source"]).startswith("解答") for cell in notebook["cells"])
    student = ["".join(cell["source"]) for cell in copies.student(notebook)["cells"]]
    assert not [text for text in student if text.startswith(("解答", "The solution"))]
    told = "\n".join("".join(cell["source"]) for cell in copies.instructor(notebook)["cells"])
    assert "时间：约 40 分钟。" in told
    assert "*fires only above*: 你的神经元在" in told and "Your neuron" not in told
