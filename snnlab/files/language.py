"""What the kit says in the reader's language: an English text leads to its twin in a catalogue.

SNNLAB_LANGUAGE chooses, "zh" for instance; English is the source, and is said where a twin is missing. A catalogue
is Markdown, snnlab/course/LANGUAGE/*.md. Each of its entries is a line and the text below it:

    <!-- 0a1b2c3d4e cell-03 -->

The digits are those of `mark(english)`, so that an edited English text finds its twin no more; the name is for people.
"""

import contextlib
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from snnlab.files.places import short

TONGUES = {"en": "en", "zh": "zh-CN"}
"""What browsers call the languages."""
LANGUAGES = tuple(TONGUES)
ENTRY = re.compile(
    r"^<!-- ([0-9a-f]{10}) (.+?) -->\n(.*?)(?=^<!-- [0-9a-f]{10} |\Z)", re.DOTALL | re.MULTILINE
)
SAYS = re.compile(r'\bsay\("([^"]*)"')
FOLDER = Path(__file__).parents[1] / "course"


def language() -> str:
    """The language that SNNLAB_LANGUAGE names, or English. Raises: ValueError if there is no such language."""
    chosen = os.environ.get("SNNLAB_LANGUAGE") or "en"
    if chosen not in LANGUAGES:
        raise ValueError(f"SNNLAB_LANGUAGE is {short(chosen)}, but must be one of {', '.join(LANGUAGES)}")
    return chosen


@contextlib.contextmanager
def spoken(chosen: str) -> Iterator[None]:
    """The reader's language for a while, for kernels that are started meanwhile, too."""
    before = os.environ.get("SNNLAB_LANGUAGE")
    os.environ["SNNLAB_LANGUAGE"] = chosen
    try:
        yield
    finally:
        if before is None:
            del os.environ["SNNLAB_LANGUAGE"]
        else:
            os.environ["SNNLAB_LANGUAGE"] = before


def said(english: str) -> str:
    """The text in the reader's language."""
    return english if language() == "en" else _twins(language()).get(mark(english), english)


def together(sentences: Iterable[str]) -> str:
    """Sentences one after the other: with a blank between two, which Chinese has not."""
    return (" " if language() == "en" else "").join(sentences)


def wide(text: str) -> int:
    """In Latin letters; a Chinese one is as wide as two."""
    return len(text) + sum(unicodedata.east_asian_width(letter) in "FW" for letter in text)


def padded(text: str, columns: int) -> str:
    """The text with blanks after it, up to a number of columns."""
    return text + " " * (columns - wide(text))


def set_right(text: str, columns: int) -> str:
    """The text with blanks before it."""
    return " " * (columns - wide(text)) + text


def words(script: str) -> dict[str, str]:
    """What a page's script says, as `say("...")`, with its twins: what its `say` looks a text up in."""
    return {english: said(english) for english in SAYS.findall(script)}


def mark(english: str) -> str:
    """Ten hexadecimal digits that tell one text from another, whatever blanks are around it."""
    return hashlib.sha256(english.strip().encode()).hexdigest()[:10]


def entries(path: Path) -> list[tuple[str, str, str]]:
    """Those of a catalogue: the English text's mark, a name, the twin."""
    found = ENTRY.findall(path.read_text(encoding="utf-8"))
    return [(digits, name, text.strip()) for digits, name, text in found]


@lru_cache
def _twins(chosen: str) -> dict[str, str]:
    paths = sorted((FOLDER / chosen).glob("*.md"))
    return {digits: text for path in paths for digits, _, text in entries(path)}
