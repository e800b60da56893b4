"""The course as pages: each lesson executed, its explorers alive in the browser, with no kernel and no network.

An explorer computes in the page anyway. A question is answered and kept there (localStorage). Equations are MathML,
which browsers draw themselves. What needs a kernel, the exercises and what trains networks, is shown as it was.
"""

import platform
import re
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

import nbformat
from jinja2 import Environment
from latex2mathml.converter import convert as as_mathml
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from nbconvert.preprocessors import CoalesceStreamsPreprocessor

import snnlab
from snnlab import files
from snnlab.course import translation
from snnlab.course.lessons import Answer, answers_of
from snnlab.course.prediction import plain
from snnlab.explorers.conversion import PAGES
from snnlab.files import marked, scratch
from snnlab.files.language import TONGUES, language, said, spoken, words
from snnlab.progress import progress_bar
from snnlab.reports.execution import execute
from snnlab.reports.page import part

ROOM = 50 * 10**6
"""Bytes of the whole course; measured is half of it."""
LINK = re.compile(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)]*)?\)")
"""A link to what lies beside: its text, its path, its place in there."""
MATH = re.compile(r"(```.*?```|`[^`\n]*`)|\$\$(.+?)\$\$|\$([^$]+?)\$", re.DOTALL)
SET = re.compile(
    r"([(\u201c\uff08\u300c]*)@equation(\d+)@([.,;:!?)\]\u201d\u3001\u3002\u300d\uff01\uff09\uff0c\uff1a\uff1b\uff1f]*)"
)
"""The place of an equation, and the signs before and behind it, which no line may part from it."""
NAMES = {"en": "English", "zh": "中文"}
"""What the languages call themselves."""
LEFT_OUT = {"kernel", "lab"}
"""Tags of cells that speak of a kernel, or of running cells: on a page there is none."""
NO_TWINS: Mapping[str, str] = MappingProxyType({})
VIEW = "application/vnd.jupyter.widget-view+json"
FRAME = r'<iframe\b[^>]*\btitle="{}"[^>]*>\s*</iframe>'


class Lesson(NamedTuple):
    """A lesson that is to become a page.

    Attributes:
        number: "03".
        title: without its number.
        aims: what can be done after it, Markdown.
        path: its notebook.
    """

    number: str
    title: str
    aims: str
    path: Path

    @property
    def page(self) -> str:
        """The name of its page."""
        return f"{self.path.stem}.html"


def lessons(folder: Path) -> list[Lesson]:
    """The lessons of a folder in their order, as their first cells tell of them."""
    found = []
    for path in sorted(folder.glob("[0-9]*.ipynb")):
        head = nbformat.read(path, as_version=4).cells[0].source
        title, _, rest = head.partition("\n")
        begin = f"After this lesson you can|{said('After this lesson you can')}"
        aims = re.search(rf"(?:{begin})(.*?)\n\n\*\*", rest, re.DOTALL)
        found.append(Lesson(path.name[:2], title.partition("· ")[2], aims[1].strip() if aims else "", path))
    return found


def texts(folder: Path) -> dict[str, Path]:
    """What the lessons of a folder lead to beside each other: the page's name, and its Markdown, where there is one."""
    found = (*sorted(folder.glob("*.md")), folder.parent / "docs" / "your_own_network.md")
    return {f"{path.stem}.html": path for path in found if path.is_file()}


def write(folder: Path, out: Path, languages: Sequence[str] = ()) -> Path:
    """Run every lesson of a folder, and write the course's pages: index.html, one for each lesson, the glossary.

    Args:
        folder: of the lessons, in English.
        out: a new or empty folder, or one that this function wrote and nobody has changed since.
        languages: of the pages; the first in out itself, another in a folder of its name there, each page linked with
            its twin. None takes the reader's.
    Returns: out, absolute.
    Raises: ValueError for another folder, and where nothing can be written; ReportError if a lesson fails, with nothing
        left in out.
    """
    chosen = tuple(languages) or (language(),)
    place = marked.target(out, ROOM * len(chosen), kind="index.html")
    with marked.building(place) as new:
        for tongue in chosen:
            home = tongue == chosen[0]
            ways = {NAMES[other]: _way(other, home, chosen) for other in chosen if other != tongue}
            with spoken(tongue), translation.source(folder) as source:
                (own := new if home else new / tongue).mkdir(exist_ok=True)
                _write(source, own, ways)
    return place


def _way(other: str, home: bool, languages: Sequence[str]) -> str:
    """From a page to the folder of its twins in another language."""
    up = "" if home else "../"
    return up if other == languages[0] else f"{up}{other}/"


def _write(folder: Path, new: Path, twins: Mapping[str, str]) -> None:
    """All pages in one language."""
    every, beside = lessons(folder), texts(folder)
    pages = {*beside, *(lesson.page for lesson in every)}
    network, frame = "", FRAME.format(re.escape(said("A converted network at work")))
    for k, lesson in enumerate(progress_bar(every, said("the course"), unit=said("lesson"), delay=0)):
        near = (every[k - 1] if k else None, every[k + 1] if k + 1 < len(every) else None)
        text = page(lesson, near, pages, twins)
        network = network or "".join(re.findall(frame, text)[:1])
        (new / lesson.page).write_text(text, encoding="utf-8")
    for name, path in beside.items():
        (new / name).write_text(text_page(path, pages, twins), encoding="utf-8")
    (new / "index.html").write_text(index_page(every, network, pages, twins), encoding="utf-8")


def index_page(
    every: Sequence[Lesson], network: str, pages: Collection[str], twins: Mapping[str, str] = NO_TWINS
) -> str:
    """The table of contents; the network explorer above it, where a lesson has it."""
    return _template("index.html.j2").render(
        lessons=every, network=network, twins=_twins("index.html", twins), **_shared(pages)
    )


def text_page(path: Path, pages: Collection[str], twins: Mapping[str, str] = NO_TWINS) -> str:
    """A text beside the lessons, Markdown, as a page."""
    text, ways = path.read_text(encoding="utf-8"), _twins(f"{path.stem}.html", twins)
    return _template("text.html.j2").render(text=text, twins=ways, **_shared(pages))


def _twins(name: str, folders: Mapping[str, str]) -> dict[str, str]:
    """The page in other languages: what a language calls itself, and where its page is."""
    return {tongue: f"{folder}{name}" for tongue, folder in folders.items()}


def _shared(pages: Collection[str]) -> dict[str, Any]:
    """What the pages that are no lessons are made of."""
    style = part("page.css") + part("site.css")
    return {
        "style": style,
        "prose": partial(prose, pages=pages),
        "pages": pages,
        "made": _made(said("Written on {date} with {versions}.")),
        **_language(),
    }


def _language() -> dict[str, Any]:
    """What a template says its own words with: `said`, the script's words, the name of the language."""
    return {"said": said, "words": words(part("site.js")), "tongue": TONGUES[language()]}


def write_one(folder: Path, number: str, out: Path) -> Path:
    """Run one lesson, and write its page, a file that needs nothing else.

    Args:
        number: "3" or "03".
    Returns: out, absolute.
    Raises: ValueError for an unknown lesson, and where nothing can be written; ReportError if the lesson fails.
    """
    every = lessons(folder)
    found = [lesson for lesson in every if number.isascii() and lesson.number == number.zfill(2)]
    if not found:
        numbers = ", ".join(lesson.number for lesson in every)
        raise ValueError(f"there is no lesson {files.short(number)}: the lessons are {numbers}")
    place = files.probe(out, 3 * 10**6)
    files.write(place, page(found[0]).encode())
    return place


def page(
    lesson: Lesson,
    near: Sequence[Lesson | None] = (None, None),
    pages: Collection[str] = frozenset(),
    twins: Mapping[str, str] = NO_TWINS,
) -> str:
    """Run a lesson; its page, HTML.

    Args:
        near: the lessons before and after it, to which links lead.
        pages: names of the pages beside it; what a text links to and is not among them is no link.
        twins: what another language calls itself, to the folder of its pages.
    Raises: ReportError if a cell fails.
    """
    began = time.monotonic()
    with scratch(Path(tempfile.gettempdir()), "snnlab-lesson-") as folder:
        executed = execute(lesson.path, {}, folder, {PAGES: "1"})
    seconds = f"{time.monotonic() - began:.0f}"
    made = _made(said("Executed on {date} with {versions} in {seconds} s."), seconds=seconds)
    return rendered(executed, lesson, near, made, pages, _twins(lesson.page, twins))


def rendered(
    executed: nbformat.NotebookNode,
    lesson: Lesson,
    near: Sequence[Lesson | None],
    made: str,
    pages: Collection[str] = frozenset(),
    twins: Mapping[str, str] = NO_TWINS,
) -> str:
    """The page of a lesson that was run."""
    exporter = HTMLExporter(extra_template_paths=[str(Path(__file__).parent)])
    exporter.register_preprocessor(CoalesceStreamsPreprocessor, enabled=True)  # lines printed one by one
    exporter.raw_template = part("lesson.html.j2")
    exporter.register_filter("prose", partial(prose, pages=pages))
    exporter.register_filter("alone", alone)
    exporter.register_filter("in_columns", in_columns)
    answers = {number: _asked(answer) for number, answer in answers_of(lesson.number).items()}
    given = {
        "title": f"{lesson.number} · {lesson.title}",
        "made": made,
        "near": near,
        "answers": answers,
        "pages": pages,
        "twins": dict(twins),  # nbconvert copies it
    }
    given |= _language()
    given |= {"view": VIEW, "style": part("page.css") + part("site.css"), "script": part("site.js")}
    cells = [cell for cell in executed.cells if not LEFT_OUT & {*cell.metadata.get("tags", ())}]
    body, _ = exporter.from_notebook_node(nbformat.from_dict({**executed, "cells": cells}), given)
    return body


def _asked(answer: Answer) -> dict[str, Any]:
    """What a page holds of a question's answer, to say which way the reader's was wrong; plain text."""
    tempting = {plain(wrong): said(thought).replace("*", "") for wrong, thought in answer.tempting.items()}
    return {"truth": plain(answer.truth), "tempting": tempting, "section": answer.section}


def prose(markdown: str, pages: Collection[str] = frozenset()) -> str:
    """Markdown as HTML: equations as MathML, links to notebooks and texts as links to their pages.

    Args:
        pages: those that there are; the text of a link to anything else beside stands without it.
    """
    kept: list[str] = []

    def equation(found: re.Match[str]) -> str:
        if found[1]:
            return found[0]
        kept.append(_equation(found[2]) if found[2] else as_mathml(found[3].strip()))
        return f"@equation{len(kept) - 1}@"

    def lead(found: re.Match[str]) -> str:
        name = f"{PurePosixPath(found[2]).stem}.html"
        return f"[{found[1]}]({name}{found[3] or ''})" if name in pages else found[1]

    linked = LINK.sub(lead, MATH.sub(equation, markdown))
    text = re.sub(r"<[^>]*>", lambda tag: re.sub(r"@equation\d+@", "", tag[0]), str(markdown2html(linked)))

    def put(found: re.Match[str]) -> str:
        drawn = kept[int(found[2])]
        alone = drawn.startswith("<div") or not (found[1] or found[3])
        return (
            f"{found[1]}{drawn}{found[3]}"
            if alone
            else f'<span class="whole">{found[1]}{drawn}{found[3]}</span>'
        )

    return SET.sub(put, text)  # not in a heading's anchor


def _equation(latex: str) -> str:
    """An equation on a line of its own, its number beside it."""
    tag = re.search(r"\\tag\{([^}]*)\}", latex)
    plain = latex.replace("{aligned}", "{split}")  # the same, by the name that the library knows
    drawn = as_mathml(plain.replace(tag[0], "") if tag else plain, display="block")
    return f'<div class="equation" tabindex="0">{drawn}{f"<span>({tag[1]})</span>" if tag else ""}</div>'


def alone(output: str) -> str:
    """A widget's stand-in without the words that ask for a kernel."""
    text = re.sub(r"<style>\.snnlab-lasting.*?</style>", "", output, flags=re.DOTALL)
    return re.sub(r'<p class="snnlab-kernel">[^<]*</p>', "", text)


def in_columns(printed: str) -> bool:
    """Whether lines that a cell printed stand below each other in columns: those are not broken, they scroll."""
    return sum("  " in line.strip() for line in printed.splitlines()) > 1


def _made(sentence: str, **given: str) -> str:
    """A page's foot: the day (UTC) and what it was made with."""
    versions = {"snnlab": snnlab.__version__, "torch": version("torch"), "numpy": version("numpy")}
    versions["Python"] = platform.python_version()
    told = ", ".join(f"{name} {number.partition('+')[0]}" for name, number in versions.items())
    return sentence.format(date=datetime.now(UTC).date().isoformat(), versions=told, **given)


def _template(name: str) -> Any:
    return Environment(autoescape=True).from_string(part(name))
