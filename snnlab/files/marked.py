"""A folder that the kit writes whole: built beside its place, then renamed into it, so nobody ever sees half of one.

In it lies a list of its files with their sums. An earlier folder is replaced only by its own kind, and only if it holds
what that list says and nothing else: what somebody changed or added there is not the kit's to remove.
"""

import contextlib
import fnmatch
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from snnlab.files.folders import scratch, trial
from snnlab.files.places import place, short

LIST = ".snnlab-written"
LEFTOVER = ".snnlab-building-"


def target(out: str | Path, room: int = 0, name: str = "--out", kind: str = "*") -> Path:
    """Where a folder of the kit's may be written, found out before any work; nothing is left there.

    Args:
        out: the folder, as somebody wrote it.
        room: bytes that it will take.
        name: what messages call it.
        kind: a pattern that a file in such a folder matches: "index.html" for pages, say.
    Raises: ValueError if it is the current folder, a file, or holds anything else than what the kit wrote there, or
        that of another kind, or if nothing, or not so much, can be written there.
    """
    shown = f"{name} is {short(str(out))}"
    folder = place(out)
    if folder == Path.cwd():
        raise ValueError(f"{shown}, the current folder, but must be one inside it or elsewhere")
    try:
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{shown}, which is a file: name a new folder")
        foreign = _foreign(folder) if folder.exists() else []
        free = trial(folder, scratch(folder.parent, LEFTOVER))
    except OSError as error:
        raise ValueError(f"{shown}, where nothing can be written ({error.strerror}): name another") from None
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise ValueError(
            f"{shown}, which holds {short(foreign[0])}{more}, not as the kit wrote it: name a new or empty folder"
        )
    listed = sorted(_listed(folder))
    if listed and not fnmatch.filter(listed, kind):
        raise ValueError(
            f"{shown}, which the kit wrote as something else, with {short(listed[0])}: name a new or empty folder"
        )
    if free < room:
        raise ValueError(
            f"{shown}, where {free / 1e6:.0f} MB are free, but {room / 1e6:.0f} are needed: make room"
        )
    return folder


@contextlib.contextmanager
def building(folder: Path) -> Iterator[Path]:
    """An empty folder to fill; at the end it stands in the place of `folder`, unless something was raised.

    Raises: ValueError if by then something else is there.
    """
    with scratch(folder.parent, LEFTOVER) as near:
        new, old = near / "new", near / "old"
        new.mkdir()
        yield new
        sums = "".join(f"{_sum(path)}  {path.relative_to(new).as_posix()}\n" for path in _files(new))
        (new / LIST).write_text(sums, encoding="utf-8")
        target(folder)
        if not (folder / LIST).is_file() or (folder / LIST).read_text(encoding="utf-8") != sums:
            put(new, folder, old)  # what is there already stays, for a lab may run in it


def copied(out: Path, room: int, fill: Callable[[Path], None], kind: str) -> bool:
    """Make a folder of lessons; one in which somebody has worked, or run a lesson, is left as it is.

    Args:
        out: a new folder, or one that this function made.
        room: bytes that it will take.
        fill: fills an empty one.
        kind: a pattern that its lessons match.
    Returns: whether it was left.
    Raises: ValueError for a folder of something else, and where nothing can be written.
    """
    try:
        folder = target(out, room, "the folder of the lessons", kind)
    except ValueError:
        if not any(out.glob(kind)):
            raise
        return True
    with building(folder) as new:
        fill(new)
    return False


def put(new: Path, folder: Path, old: Path) -> None:
    """Put a finished folder in its place; an earlier one there moves to `old`, and back if this fails."""
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise


def _foreign(folder: Path) -> list[str]:
    """What a folder holds that is not as the kit wrote it."""
    known = _listed(folder)
    names = ((path.relative_to(folder).as_posix(), path) for path in _files(folder))
    return [
        name for name, path in names if name != LIST and (path.is_symlink() or known.get(name) != _sum(path))
    ]


def _listed(folder: Path) -> dict[str, str]:
    """The files that the kit wrote there, and their sums, by its list."""
    here = folder / LIST
    lines = here.read_text(encoding="utf-8", errors="replace").splitlines() if here.is_file() else []
    return {name: digits for digits, _, name in (line.partition("  ") for line in lines)}


def _files(folder: Path) -> list[Path]:
    """All in it that is no folder, and folders that are links."""
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
