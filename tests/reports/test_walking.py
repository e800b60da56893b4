"""The site as its readers take it, page by page: a small one each time; with SNNLAB_EXAMPLES the whole course.

SNNLAB_SITE names a folder that `snnlab export --both` wrote: then that one is walked, and nothing is run.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser

from snnlab import CATALOGUE, cli
from snnlab.course.lessons import answers_of
from snnlab.reports import site
from tests.browser import browser
from tests.explorers.test_chinese_explorers import KEPT, foreign
from tests.reports import walking

ROOT = Path(__file__).parents[2]
WHOLE = "SNNLAB_SITE" in os.environ or "SNNLAB_EXAMPLES" in os.environ
LESSONS = [path.stem for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))]
STEMS = (
    [*LESSONS, "glossary", "index", "references", "your_own_network"]
    if WHOLE
    else ["01_title", "02_title", "glossary", "index"]
)
PAGES = [f"{folder}{stem}.html" for folder in ("", "zh/") for stem in STEMS]
VIEWS = [(width, scheme) for width in (1400, 600, 390) for scheme in ("light", "dark")][:: 1 if WHOLE else 5]
"""Width and scheme of the window; of a small site the first and the last."""
SEEN_BY_AXE = ((1400, "light"), (1400, "dark"), (600, "dark"), (390, "light"))
TURNED = ((1400, "light"), (600, "dark"), (390, "light"))[: 3 if WHOLE else 1]
"""Where explorers are turned."""
NAMES = KEPT | {*CATALOGUE, "conv1.act", "conv2.act", "fc1.act", "mine"}
"""What is called by the same name in every language."""


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the walk through the pages of the course is") as opened:
        yield opened


def cells(number: str) -> Iterator[tuple[str, str]]:
    """Those of a lesson with its questions, and of 01 an explorer; and their tags."""
    yield "from snnlab import explorers\nfrom snnlab.course import predict, reveal, looking_back", ""
    for question, answer in answers_of(number).items():
        words = isinstance(answer.truth, str)
        options = [answer.truth, "other"] if words else range(int(answer.truth) + 9)
        yield f"predict({question!r}, 'What is it?', {options})", ""
        yield f"reveal({question!r})", "answer"
    if number == "01":
        yield "explorers.membrane(kind='lif')", "answer"  # whose output is no answer, and stands open
    yield f"looking_back({number!r})", ""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two lessons and a glossary, in both languages."""
    folder = tmp_path_factory.mktemp("course") / "notebooks"
    folder.mkdir()
    new = nbformat.v4
    for number in ("01", "02"):
        prose = new.new_markdown_cell(f"# {number} · A title\n\nA [word](glossary.md#word), and $x_1$.")
        given = cells(number)
        code = [new.new_code_cell(text, metadata={"tags": [tag] if tag else []}) for text, tag in given]
        spec = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        nbformat.write(
            new.new_notebook(cells=[prose, *code], metadata=spec), folder / f"{number}_title.ipynb"
        )
    table = f"| a | b |\n|---|---|\n| {'m' * 60} | 1 |"
    code = f"`{'named.' * 15}`\n\n    {'a line of code, ' * 9}"
    words = f"# Glossary\n\n### word\n\nWhat it means.\n\n{table}\n\n{code}\n"
    (folder / "glossary.md").write_text(words, encoding="utf-8")
    return site.write(folder, folder.parent / "site", ("en", "zh"))


@pytest.fixture(scope="module")
def walked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site to walk through: the small one; the course, as it lies there or exported now."""
    if "SNNLAB_SITE" in os.environ:
        return Path(os.environ["SNNLAB_SITE"]).resolve()
    if not WHOLE:
        return Path(request.getfixturevalue("small"))
    out = tmp_path_factory.mktemp("whole") / "site"
    assert cli.main(["export", "--both", "--out", str(out)]) == 0
    return out


def test_every_page_is_there_and_leads_to_pages(walked: Path) -> None:
    assert {str(path.relative_to(walked)) for path in walking.pages(walked)} == set(PAGES)
    assert not list(walking.broken_links(walked))
    assert not list(chain.from_iterable(map(walking.untrue_foot, walking.pages(walked))))


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wrong_with_a_page(name: str, walked: Path, chrome: Browser) -> None:
    path = walked / name
    found = [
        f"{width} {scheme}: {problem}"
        for width, scheme in VIEWS
        for problem in walking.troubles(chrome, path, width, scheme, axe=(width, scheme) in SEEN_BY_AXE)
    ]
    for width, scheme in TURNED:
        wrong, _, shown = walking.unturned(chrome, path, width, scheme)
        found += [f"{width} {scheme}: {problem}" for problem in wrong]
        english = foreign(shown, NAMES)
        if name.startswith("zh/"):
            found += [f"English: {text}" for text in english]
        elif shown and not english:
            found.append("a page of English words has none")
    if path.name[:2].isdigit():
        found += walking.unanswered(chrome, path)
    assert not found


LOOKS: dict[str, Callable[[Browser, Path], Iterable[str]]] = {
    "links": lambda _, path: walking.broken_links(path.parent),
    "foot": lambda _, path: walking.untrue_foot(path),
    "page": lambda chrome, path: walking.troubles(chrome, path, 1400, "light"),
    "questions": walking.unanswered,
    "sliders": lambda chrome, path: walking.unturned(chrome, path)[0],
}
PLANTED = [
    ("links", 'href="index.html"', 'href="start.html"', "start.html leads to no page"),
    (
        "links",
        'href="glossary.html#word"',
        'href="glossary.html#wort"',
        "glossary.html#wort leads to no place",
    ),
    ("links", 'href="zh/01_title.html"', 'href="zh/02_title.html"', "it leads to these twins only: []"),
    ("links", r'href="02_title\.html" rel="next"', 'href="01_title.html" rel="next"', "next leads to ['01"),
    ("foot", "Executed on 2", "Executed on 1", "not the day"),
    ("foot", "torch 2", "torch 1", "not the torch that is installed"),
    ("foot", r" in \d+ s\.", " in 0 s.", "no seconds"),
    (
        "page",
        "<main>",
        '<main><img alt="" src="https://example.org/x.png">',
        "it asks for https://example.org/x.png",
    ),
    ("page", "<main>", '<main><img alt="" src="glossary.html">', "it asks for file:"),
    ("page", "<main>", "<main><script>throw Error('planted')</script>", "exception: planted"),
    ("page", "<main>", '<main><p style="width: 2000px">wide</p>', "pixels wide in a window of 1400"),
    ("page", "<main>", "<main><input>", "label: "),
    ("page", "<iframe", "<iframe hidden", "an explorer is folded away"),
    ("page", "kind: { label", "own: { label", "exception: "),
    ("questions", r"localStorage\.setItem", "void", "opened again: 01.1: not on record"),
    ("questions", r"outer\.open = Boolean\(given\)", "outer.open = true", "an answer is open before"),
    ("questions", r"place\.replaceChildren\(table, save\)", "", "looking back tells of []"),
    ("sliders", r"p\.leak \* v \+ z", "v + z", "the slider leak moves nothing"),
]


@pytest.mark.parametrize(("look", "right", "planted", "found"), PLANTED, ids=[found for *_, found in PLANTED])
def test_what_is_planted_is_found(
    look: str, right: str, planted: str, found: str, small: Path, chrome: Browser
) -> None:
    path = small / "01_title.html"
    text, stat = path.read_text(encoding="utf-8"), path.stat()
    broken, places = re.subn(right, lambda _: planted, text)
    assert places and broken != text
    try:
        path.write_text(broken, encoding="utf-8")
        os.utime(path, (stat.st_atime, stat.st_mtime))
        problems = list(LOOKS[look](chrome, path))
        assert any(found in problem for problem in problems), problems
    finally:
        path.write_text(text, encoding="utf-8")
        os.utime(path, (stat.st_atime, stat.st_mtime))
