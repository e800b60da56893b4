"""Write a file whole or not at all; and see before the work whether it can be written after it."""

import contextlib
import os
import stat
from pathlib import Path

from snnlab.files.folders import scratch, trial
from snnlab.files.places import place, short


def write(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all, with the mode that the umask gives; folders above it are made.

    It is built in a folder beside its place, and what killed processes left there of the same file is removed.
    Raises: ValueError as `place`; OSError.
    """
    path = place(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with scratch(path.parent, f".{path.name}.") as near:
        new = near / "new"
        with new.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


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
        free = trial(path.parent, scratch(path.parent, f".{path.name}.going."))
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
