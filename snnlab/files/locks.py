"""Files and folders in which something is built: locked, so that they are known for leftovers once their process dies.

Nothing here ever waits: what is locked by another is left alone, and what cannot be locked is never cleared.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: what a killed process leaves stays until someone deletes it
    fcntl = None  # type: ignore[assignment]

CAREFUL = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
"""A pipe that nobody writes to would be waited for; a link could lead to what is not ours."""


def hold(path: Path) -> int | None:
    """A descriptor that locks a file or folder until it is released or this process dies.

    None where it is taken, gone, or on a file system without locks.
    """
    if fcntl is None:
        return None
    descriptor = None
    try:
        descriptor = os.open(path, os.O_RDONLY | CAREFUL)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.lstat()):  # not cleared in between
            return descriptor
    except OSError:
        pass
    release(descriptor)
    return None


def held_anew(make: Callable[[], Path]) -> tuple[Path, int | None]:
    """What `make` makes under a name of its own, and the descriptor that locks it."""
    while True:
        made = make()
        descriptor = hold(made)
        if made.exists():  # else another process took it for a leftover before it was held
            return made, descriptor
        release(descriptor)


def release(descriptor: int | None) -> None:
    """Give up a lock."""
    if descriptor is not None:
        os.close(descriptor)


def cleared(folder: Path, pattern: str) -> None:
    """Remove what killed processes left in a folder: files and folders of that name that no living process holds.

    Args:
        pattern: regular expression of the whole name.
    """
    for left in list(folder.iterdir()):
        ours = (
            re.fullmatch(pattern, left.name) and not left.is_symlink() and (left.is_file() or left.is_dir())
        )
        if ours and (descriptor := hold(left)) is not None:
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
            release(descriptor)
