"""A folder to work in, gone at the end, and known for a leftover once its process is dead."""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from snnlab.files.locks import cleared, hold, release


@contextlib.contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder in parent, gone at the end; locked, so that it is known for a leftover once its process is dead.

    Folders above it that had to be made are gone as well, if they are empty.
    """
    made = missing(parent)
    parent.mkdir(parents=True, exist_ok=True)
    cleared(parent, rf"{re.escape(prefix)}.*\.tmp")
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=parent))
        held = hold(folder)
        if folder.exists():  # another process took it for a leftover before it was held
            break
        release(held)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        release(held)
        remove_empty(made)


def missing(folder: Path) -> list[Path]:
    """The folder and those above it that are not there, the innermost first."""
    return [one for one in (folder, *folder.parents) if not one.exists()]


def remove_empty(made: list[Path]) -> None:
    """Remove those of some folders that are empty, in their order."""
    for empty in made:
        with contextlib.suppress(OSError):
            empty.rmdir()
