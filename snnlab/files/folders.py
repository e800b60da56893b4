"""A folder to work in, gone at the end, and known for a leftover once its process is dead."""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from snnlab.files.locks import cleared, held_anew, release


@contextlib.contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder in parent, gone at the end; locked, so that it is known for a leftover once its process is dead.

    Folders above it that had to be made are gone as well, if they are empty.
    """
    made = missing(parent)
    _made(parent)
    with contextlib.suppress(FileNotFoundError):
        cleared(parent, rf"{re.escape(prefix)}.*\.tmp")
    folder, held = held_anew(lambda: _new(parent, prefix))
    try:
        yield folder
    finally:
        release(held)  # before: Windows removes no file that is open
        shutil.rmtree(folder, ignore_errors=True)
        remove_empty(made)


def _made(folder: Path) -> None:
    """Make a folder and those above it, which other processes may at any moment find empty, and take away."""
    for _ in range(100):
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            folder.mkdir(parents=True, exist_ok=True)
            return
    folder.mkdir(parents=True, exist_ok=True)


def _new(parent: Path, prefix: str) -> Path:
    """A folder in parent."""
    for _ in range(100):
        with contextlib.suppress(FileNotFoundError):
            _made(parent)
            return Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=parent))
    return Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=parent))


def trial(folder: Path, work: AbstractContextManager[object]) -> int:
    """Bytes free in a folder where something will be made: it is begun, and nothing is left. Raises: OSError."""
    made = missing(folder)
    try:
        _made(folder)
        with work:
            return shutil.disk_usage(folder).free
    finally:
        remove_empty(made)


def missing(folder: Path) -> list[Path]:
    """The folder and those above it that are not there, the innermost first."""
    return [one for one in (folder, *folder.parents) if not one.exists()]


def remove_empty(made: list[Path]) -> None:
    """Remove those of some folders that are empty, in their order."""
    for empty in made:
        with contextlib.suppress(OSError):
            empty.rmdir()
