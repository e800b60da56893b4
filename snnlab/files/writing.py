"""Write a file whole or not at all; and see before the work whether it can be written after it."""

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from snnlab.files.folders import trial
from snnlab.files.locks import cleared, held_anew, release
from snnlab.files.places import place, short


def write(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all, with the mode that the umask gives; folders above it are made.

    It is built beside its place under another name, and what killed processes left there of the same file is removed.
    Raises: ValueError as `place`; OSError.
    """
    path = place(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _scratch(path) as scratch:
        with scratch.open("r+b") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)


def probe(path: str | Path, size: int = 0, name: str = "--out") -> Path:
    """The place where a file will be written, if it can be; nothing is left there, and what is there stays.

    Args:
        size: bytes that will be written.
        name: what messages call the path.
    Raises: ValueError for a folder, a device, a pipe, a folder that cannot be written to, a name that is too long, a
        file where a folder must be, too little space.
    """
    shown = short(str(path))
    try:
        path = place(path)
    except ValueError as error:
        raise ValueError(f"{name} is {shown}: {error}") from None
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "a device, a pipe or a socket"
            raise ValueError(f"{name} is {shown}, which is {kind}: name a file")
    try:
        free = trial(path.parent, _scratch(path.with_name(path.name + ".going")))
    except OSError as error:
        raise ValueError(
            f"{name} is {shown}, where nothing can be written ({error.strerror}): name another"
        ) from None
    if free < size:
        raise ValueError(
            f"{name} is {shown}, where {free / 1e6:,.0f} MB are free, but {size / 1e6:,.0f} MB are needed: make room, "
            "or name another place"
        )
    return path


@contextlib.contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """An empty file beside a path, held while it is written, gone at the end unless it was renamed."""
    cleared(path.parent, rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.tmp")

    def empty() -> Path:
        made = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        made.open("xb").close()
        return made

    scratch, held = held_anew(empty)
    try:
        yield scratch
    finally:
        scratch.unlink(missing_ok=True)
        release(held)
