"""Hostile names and damages, generated from fixed seeds; LONG=n in the environment multiplies their number."""

import os
import random
from collections.abc import Iterator

LONG = int(os.environ.get("SNNLAB_HOSTILE", "1"))
"""How many times as many cases: `SNNLAB_HOSTILE=20 python -m pytest tests/hostile -q` is the long version."""

CODE = (
    "__import__('os').system('touch {}')",
    "');open('{}','w')#",
    '");open("{}","w")#',
    "\r\nopen('{}','w')\r\n",
    "${{{}}}",
    "{{{{{}}}}}",
    "'+exec('{}')+'",
    "\\';import {}\\n",
    "x\nimport os;os.remove('{}')",
    "lambda: {}",
    "%({})s",
    "`{}`",
    "$({})",
    "';DROP TABLE {};--",
    "<script>{}</script>",
    "{}\u2028raise SystemExit",
    "{}\x85exit()",
    '"""{}"""',
    "{!r:>{}}",
    "f'{}'",
)
WORDS = (
    "if",
    "class",
    "forward",
    "training",
    "graph",
    "sites",
    "self",
    "None",
    "__init__",
    "__class__",
    "__dict__",
    "nodes",
    "input",
    "output",
    "image",
    "result",
    "kinds",
    "metadata",
    "type",
    "modules",
    "parameters",
    "state_dict",
    "eval",
    "lambda",
    " ",
    "a b",
    "ü",
    "日本",
    "x" * 300,
    "a/b",
    "..",
    "#2",
    "a#2",
    "-",
    "0",
    "1e9",
    "NaN",
    "🙂",
    "\u202e",
    "a\tb",
    "snnlab",
    "sum",
)


def names(count: int, seed: int = 0) -> Iterator[str]:
    """Different names: code of several kinds around a mark, words that mean something to Python, random letters."""
    draw, given = random.Random(seed), set()
    while len(given) < count:
        kind = draw.randrange(3)
        mark = f"mark{draw.randrange(10**9)}"
        if kind == 0:
            name = draw.choice(CODE).replace("{!r:>{}}", "{{!r:>{}}}").format(mark)
        elif kind == 1:
            name = draw.choice(WORDS) + draw.choice(("", f"_{mark}"))
        else:
            letters = "".join(
                chr(draw.choice((draw.randrange(1, 128), draw.randrange(160, 0xD7FF)))) for _ in range(9)
            )
            name = f"{letters}{mark}"
        if name not in given:
            given.add(name)
            yield name


def damages(whole: bytes, count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """The bytes with one damage each: a flipped bit, half near the head; a cut, a hole, noise, more at the end."""
    draw = random.Random(seed)
    for k in range(count):
        bad, kind = bytearray(whole), k % 8
        at = draw.randrange(min(len(bad), 4096)) if k % 2 else draw.randrange(len(bad))
        if kind < 4:
            bad[at] ^= 1 << draw.randrange(8)
        elif kind == 4:
            del bad[at:]
        elif kind == 5:
            bad[at : at + draw.randrange(1, 600)] = b""
        elif kind == 6:
            size = draw.randrange(1, 64)
            bad[at : at + size] = bytes(draw.randrange(256) for _ in bad[at : at + size])
        else:
            bad += bytes(draw.randrange(256) for _ in range(draw.randrange(1, 64)))
        if bytes(bad) != whole:
            yield f"damage {k}, kind {kind} at {at}", bytes(bad)


def heap_damages(whole: bytes, count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """An HDF5 file with one bit flipped in the size of a text: from a wrong one on HDF5 reads sizes that are none.

    Its texts lie in a "global heap": 16 bytes of its own, then for each text a number, its size and its bytes, in
    units of 8 bytes. A size of 0 among them keeps HDF5 at the same place for ever.
    """
    start = whole.index(b"GCOL")
    at, end = start + 16, start + int.from_bytes(whole[start + 8 : start + 16], "little")
    sizes = []
    while at < end:
        sizes.append(at + 8)
        at += 16 + (int.from_bytes(whole[at + 8 : at + 16], "little") + 7) // 8 * 8
    draw = random.Random(seed)
    for k in range(count):
        bad, place, bit = bytearray(whole), draw.choice(sizes), draw.randrange(64)
        bad[place + bit // 8] ^= 1 << bit % 8
        yield f"damage {k}, bit {bit} of the size at {place}", bytes(bad)
