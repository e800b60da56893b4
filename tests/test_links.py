"""Links of the lessons lead somewhere: in the notebooks, in the glossary, and in the pages made of them."""

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

from snnlab.reports import site

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
LESSONS = sorted(FOLDER.glob("[0-9]*.ipynb"))
GLOSSARY = FOLDER / "glossary.md"
ENTRY = re.compile(r"(?m)^### (.+)\n\n(.+)$")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


def text_of(path: Path) -> str:
    """The prose of a notebook, or a text."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def places(path: Path) -> set[str]:
    """What a link can lead to within a text, as JupyterLab names it: the heading, hyphens for its spaces."""
    return {title.strip().replace(" ", "-") for title in re.findall(r"(?m)^#+ (.+)$", text_of(path))}


def dead(path: Path, text: str) -> list[str]:
    """The links of a text, which lies at a path, that lead nowhere."""
    found = []
    for target, place in LINK.findall(text):
        at = path.parent / target if target else path
        if not at.is_file() or (place and unquote(place) not in places(at)):
            found.append(f"{target}#{place}")
    return found


@pytest.mark.parametrize("path", [*LESSONS, GLOSSARY], ids=lambda path: path.stem)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert LINK.findall(text_of(path)) and not dead(path, text_of(path))


@pytest.mark.parametrize("link", ["(99_no.ipynb)", "(glossary.md#no-such-word)", "(../docs/no.md)", "(#no)"])
def test_a_dead_link_is_found(link: str) -> None:
    assert len(dead(LESSONS[0], f"{text_of(LESSONS[0])} [here]{link}")) == 1


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_links_the_words_that_it_introduces_and_every_other_lesson_that_it_names(path: Path) -> None:
    text = text_of(path)
    introduced = {
        word.replace(" ", "-") for word, said in ENTRY.findall(text_of(GLOSSARY)) if f"]({path.name})" in said
    }
    assert introduced <= set(re.findall(r"\(glossary\.md#([^)]*)\)", text))
    bare = re.findall(r"\b[Ll]esson (\d\d)\b(?!\])", re.sub(r"`[^`]*`|(?m:^#.*$)", "", text))
    assert not {number for number in bare if number != path.name[:2]}


def test_an_entry_of_the_glossary_is_short_and_names_its_lesson_and_the_entries_are_sorted() -> None:
    entries = ENTRY.findall(text_of(GLOSSARY))
    assert len(entries) > 30 and len(entries) == text_of(GLOSSARY).count("\n### ")
    for word, said in entries:
        assert re.search(r"Lesson \[\d\d\]\(\d\d_\w+\.ipynb\)\.$", said), word
        assert len(re.split(r"(?<=\.) ", re.sub(r"^(Sign|Short) [^.]*\. ", "", said))) <= 4, word
    words = [word.lower() for word, _ in entries]
    assert words == sorted(words)


def hrefs(page: str) -> set[str]:
    body = re.sub(r"<(script|style|iframe).*?</\1>", "", page, flags=re.DOTALL)
    return {unescape(href) for href in re.findall(r'<a [^>]*href="([^"]*)"', body)}


def test_every_link_between_the_pages_leads_somewhere(tmp_path: Path) -> None:
    """The lessons as they are, not run: what they say is there all the same."""
    every, beside = site.lessons(FOLDER), site.texts(FOLDER)
    pages = {*beside, *(lesson.page for lesson in every)}
    assert {"glossary.html", "your_own_network.html"} <= pages
    made = {name: site.text_page(path, pages) for name, path in beside.items()}
    for k, lesson in enumerate(every):
        near = (every[k - 1] if k else None, every[k + 1] if k + 1 < len(every) else None)
        notebook = nbformat.read(lesson.path, as_version=4)
        made[lesson.page] = site.rendered(notebook, lesson, near, "made now", pages)
    made["index.html"] = site.index_page(every, "", pages)
    for name, page in made.items():
        for href in hrefs(page):
            if re.match(r"https?:", href):
                continue
            target, _, place = href.partition("#")
            assert (target or name) in made, f"{name}: {href}"
            if place and target:
                assert f'id="{unquote(place)}"' in made[target], f"{name}: {href}"
    assert "glossary.html#threshold" in hrefs(made[every[0].page])


def test_a_page_by_itself_has_no_link_to_others() -> None:
    lesson = site.lessons(FOLDER)[0]
    page = site.rendered(nbformat.read(lesson.path, as_version=4), lesson, (None, None), "made now")
    assert not {href for href in hrefs(page) if not re.match(r"https?:|#", href)}
