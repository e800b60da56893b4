"""Folders in which something is built: locked, so that they are known for leftovers once their process dies.

The lock is a file in the folder, by filelock: the system lets go of it when its process ends, however it ends, also on
Windows. Nothing here ever waits: what is locked by another is left alone, and what cannot be locked is never cleared.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

NAME = ".snnlab-lock"
"""Of the file that is locked. It stays where the folder stays: whoever locks it next must find the same file."""


def hold(folder: Path) -> "BaseFileLock | None":
    """A lock on a folder until it is released or this process dies.

    None where it is taken, gone, or on a file system without locks.
    """
    from filelock import FileLock  # takes longer than the help of a command may

    lock = FileLock(folder / NAME, timeout=0, thread_local=False, fallback_to_soft=False)
    try:
        before = folder.stat()
        lock.acquire()
        if os.path.samestat(before, folder.stat()):  # not cleared in between
            return lock
    except (OSError, NotImplementedError):
        pass
    release(lock)
    return None


def held_anew(make: Callable[[], Path]) -> tuple[Path, "BaseFileLock | None"]:
    """A folder that `make` makes under a name of its own, and its lock."""
    while True:
        made = make()
        try:
            first = made.stat()
        except FileNotFoundError:  # as below
            continue
        lock = hold(made)
        if made.exists() and os.path.samestat(first, made.stat()):
            return made, lock
        release(lock)  # another process took it for a leftover before it was held


def release(lock: "BaseFileLock | None") -> None:
    """Give up a lock."""
    if lock is not None:
        lock.release()


def cleared(parent: Path, pattern: str) -> None:
    """Remove what killed processes left in a folder: folders of that name that no living process holds.

    Args:
        pattern: regular expression of the whole name.
    """
    for left in list(parent.iterdir()):
        ours = re.fullmatch(pattern, left.name) and left.is_dir() and not left.is_symlink()
        if ours and (lock := hold(left)) is not None:
            release(lock)  # Windows removes no file that is open; whoever takes it now clears it, too
            shutil.rmtree(left, ignore_errors=True)
