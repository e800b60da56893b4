"""A walk through the pages of a site, as its readers take it: in a browser with no network, from page to page.

Each function gives what is wrong, in words; nothing is wrong where it gives nothing.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from playwright.sync_api import Browser, Frame, Locator, Page

import snnlab
from snnlab.course.lessons import answers_of
from tests.axe import stumbles

LARGEST = 3_000_000
"""Bytes of a page."""
NUMBER = re.compile(r"^\d\d\.\d+: ")
"""How an answer to a question begins."""
WALK = (Path(__file__).parent / "walking.js").read_text(encoding="utf-8")


class Visit:
    """A page opened from a file, with no network; what it asked for, and what went wrong in it."""

    def __init__(self, chrome: Browser, path: Path, width: int = 1400, scheme: str = "light") -> None:
        viewport = {"width": width, "height": 900}
        self.context = chrome.new_context(viewport=viewport, color_scheme=scheme, offline=True)  # type: ignore[arg-type]
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page = self.open(path)

    def open(self, path: Path) -> Page:
        page = self.context.new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.wrong.append(f"exception: {error}"))
        page.goto(path.as_uri())
        _load(page)
        return page

    def again(self) -> Page:
        """The page once more. In another tab, which has another process, what was just stored may not have come."""
        self.page.reload()
        _load(self.page)
        return self.page

    def unfold(self) -> None:
        """Open whatever is folded, with the explorers in it."""
        self.page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        _load(self.page)

    def frames(self) -> Iterator[Frame]:
        """The explorers' own pages."""
        for place in self.page.locator("iframe").element_handles():
            frame = place.content_frame()
            assert frame
            yield frame

    def requests(self) -> list[str]:
        """What was asked for beyond files and what the page itself holds."""
        return [url for url in self.asked if not url.startswith(("file:", "data:", "blob:", "about:"))]

    def close(self) -> None:
        self.context.close()
        assert not self.requests() and not self.wrong, (self.requests(), self.wrong)


def _load(page: Page) -> None:
    """Wait for the explorers that are to be seen: they load when they are near."""
    for frame in filter(Locator.is_visible, page.locator("iframe").all()):
        frame.scroll_into_view_if_needed()
        frame.content_frame.locator("input:visible").first.wait_for(timeout=60_000)


def pages(site: Path) -> list[Path]:
    """Those of a site, in each language."""
    return sorted(site.rglob("*.html"))


# --- what a page's file says -----------------------------------------------------------------------------------------


class Parts(HTMLParser):
    """Where a page's links lead, what can be led to in it, and its languages."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[dict[str, str]] = []
        self.places: set[str] = set()
        self.language = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given)
        if tag == "html":
            self.language = given.get("lang", "")


def broken_links(site: Path) -> Iterator[str]:
    """Links to no page, or to no place in it; pages that are not linked with their twins, or with the next."""
    parts = {path.resolve(): Parts(path) for path in pages(site)}
    languages = {found.language for found in parts.values()}
    for path, found in parts.items():
        where = path.relative_to(site.resolve())
        leads = set()
        for link in found.links:
            name, _, place = link["href"].partition("#")
            if re.match(r"[a-z]+:", name):
                continue
            to = (path.parent / unquote(name)).resolve() if name else path
            leads.add(to)
            if to not in parts:
                yield f"{where}: {link['href']} leads to no page"
            elif place and not {place, unquote(place)} & parts[to].places:
                yield f"{where}: {link['href']} leads to no place in its page"
        twins = {to for to in leads if to in parts and to.name == path.name and to != path}
        if {parts[to].language for to in twins} != languages - {found.language}:
            yield f"{where}: it leads to these twins only: {sorted(map(str, twins))}"
        yield from (f"{where}: {problem}" for problem in _out_of_order(path, found))


def _out_of_order(path: Path, found: Parts) -> Iterator[str]:
    """A lesson leads to the one before it and the one after it, and to no other as such."""
    lessons = sorted(path.parent.glob("[0-9]*.html"))
    names = [lesson.name for lesson in lessons]
    if path.name not in names:
        return
    k = names.index(path.name)
    for way, wanted in (("prev", names[k - 1 : k] if k else []), ("next", names[k + 1 : k + 2])):
        led = {link["href"] for link in found.links if link.get("rel") == way}
        if led != set(wanted):
            yield f"{way} leads to {sorted(led)}, not to {wanted}"


def untrue_foot(path: Path) -> Iterator[str]:
    """The day that a page names, the versions and the seconds, beside the file's day and what is installed."""
    made = re.findall(r"<footer>(.*?)</footer>", path.read_text(encoding="utf-8"))
    if len(made) != 1:
        yield f"{path.name}: {len(made)} feet"
        return
    days = {path.stat().st_mtime - back for back in (0, 3600)}  # written at midnight
    if not any(datetime.fromtimestamp(day, UTC).date().isoformat() in made[0] for day in days):
        yield f"{path.name}: not the day on which it was written: {made[0]}"
    installed = {"snnlab": snnlab.__version__} | {name: version(name) for name in ("torch", "numpy")}
    for name, number in installed.items():
        if f"{name} {number.partition('+')[0]}" not in made[0]:
            yield f"{path.name}: not the {name} that is installed, {number}: {made[0]}"
    seconds = re.search(r"(?:in|用时) (\d+) (?:s|秒)", made[0])
    if path.name[:2].isdigit() != bool(seconds) or (seconds and int(seconds[1]) == 0):
        yield f"{path.name}: no seconds, or of what was not run: {made[0]}"


# --- what a reader meets in a browser ---------------------------------------------------------------------------


def troubles(chrome: Browser, path: Path, width: int, scheme: str, *, axe: bool = True) -> Iterator[str]:
    """A page opened once: what it asks for, what goes wrong, what is wider than the window, what axe-core finds."""
    if (size := path.stat().st_size) >= LARGEST:
        yield f"{size} bytes"
    visit = Visit(chrome, path, width, scheme)
    if not all(frame.is_visible() for frame in visit.page.locator("iframe").all()):
        yield "an explorer is folded away"
    visit.unfold()
    yield from too_wide(visit.page.main_frame)
    for frame in visit.frames():
        yield from too_wide(frame)
    if axe:
        yield from stumbles(visit.page)
    yield from closed(visit, path)


def too_wide(frame: Frame) -> Iterator[str]:
    """What scrolls sideways, a page or an explorer."""
    wide, room = frame.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    if wide > room:
        yield f"{frame.title()}: {wide} pixels wide in a window of {room}"


def closed(visit: Visit, path: Path) -> Iterator[str]:
    """What a page asked for besides itself, and the exceptions that it raised."""
    visit.context.close()
    asked = {*visit.requests(), *(url for url in visit.asked if url.startswith("file:"))} - {path.as_uri()}
    yield from (f"it asks for {url}" for url in sorted(asked))
    yield from visit.wrong


def unturned(
    chrome: Browser, path: Path, width: int = 1400, scheme: str = "light"
) -> tuple[list[str], int, list[str]]:
    """All explorers of a page turned: what is wrong, how many sliders were moved, what was shown."""
    visit, wrong, moved, texts = Visit(chrome, path, width, scheme), list[str](), 0, list[str]()
    visit.unfold()
    for frame in visit.frames():
        seen: dict[str, Any] = frame.evaluate(WALK)
        wrong += [f"{frame.title()}: {problem}" for problem in seen["wrong"]]
        wrong += [] if seen["moved"] else [f"{frame.title()}: no slider"]
        moved, texts = moved + seen["moved"], texts + seen["texts"]
    return [*wrong, *closed(visit, path)], moved, texts


def unanswered(chrome: Browser, path: Path, width: int = 1400) -> Iterator[str]:
    """Questions that cannot be answered in the page, or whose answers are gone when it is opened again."""
    visit = Visit(chrome, path, width)
    asked = visit.page.locator(".snnlab-question")
    numbers = list(answers_of(path.name[:2]))
    if asked.count() != len(numbers):
        yield f"{asked.count()} questions, not {len(numbers)}"
    if any(
        place.is_visible() for place in visit.page.locator("details[open] > summary", has_text=NUMBER).all()
    ):
        yield "an answer is open before there is a prediction"
    for question in asked.all():
        if question.locator("select").count():
            question.locator("select").select_option(index=1)
        else:
            question.locator("input").first.check()
        question.locator("button").click()
    yield from (f"answered: {problem}" for problem in _forgotten(visit.page, numbers))
    yield from (f"opened again: {problem}" for problem in _forgotten(visit.again(), numbers))
    yield from closed(visit, path)


def _forgotten(page: Page, numbers: list[str]) -> Iterator[str]:
    """Answers that a page does not know: beside the question, in what unfolds, in the table at its end."""
    for place, number in zip(page.locator(".snnlab-question").all(), numbers, strict=False):
        if not re.search(r"\(.*\d.*\)", place.locator("[role=status]").inner_text()):
            yield f"{number}: not on record"
    opened = page.locator("details[open]", has=page.locator(":scope > summary", has_text=NUMBER))
    if opened.count() < len(numbers):
        yield f"{opened.count()} of {len(numbers)} answers are unfolded"
    rows = [row.split("\t") for row in page.locator(".looking-back tr").all_inner_texts()[1:]]
    if len(rows) != len(numbers) or not all(row[2].strip() for row in rows):
        yield f"looking back tells of {rows}"
