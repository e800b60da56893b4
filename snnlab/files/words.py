"""What a message adds where somebody may have meant another word."""

import difflib
import re
from collections.abc import Iterable

MOST_COMPARED = 80
"""Characters of what was given; comparing takes their square in time."""


def meant(given: object, words: Iterable[str]) -> str:
    """`; did you mean 'qcfs'?`, or nothing: the nearest of some words, whatever its case, spaces and signs."""
    plain = {_plain(word): word for word in words}
    near = difflib.get_close_matches(_plain(str(given)[:MOST_COMPARED]), plain, n=1)
    return f"; did you mean {plain[near[0]]!r}?" if near else ""


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())
