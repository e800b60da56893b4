"""The folder of a report: built beside its place, then renamed into it, so that nobody ever sees half of one."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from snnlab.reports.parameters import ParameterError

try:
    import fcntl
except ImportError:  # Windows: what a killed report leaves stays until someone deletes it
    fcntl = None  # type: ignore[assignment]

FILES = ("report.ipynb", "report.html", "params.json", "results.json")
LEFTOVER = ".snnlab-report-"
"""How the name of the folder begins in which a report is built; the next report there clears a killed one's."""


class ReportError(RuntimeError):
    """A report that cannot be finished: says why, in one line."""


def target(out: Path) -> Path:
    """The folder to write, absolute. Raises: ParameterError if it is, or holds, something else than a report."""
    folder = out.expanduser().resolve()
    if folder == Path.cwd():
        raise ParameterError(f"--out is the current folder, {folder}, but must be one inside it or elsewhere")
    try:
        foreign = sorted({path.name for path in folder.iterdir()} - set(FILES)) if folder.exists() else []
    except OSError as error:
        reason = "a file" if folder.is_file() else f"not readable ({error.strerror})"
        raise ParameterError(f"--out is {folder}, which is {reason}: name a new folder") from None
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise ParameterError(
            f"--out is {folder}, which holds {foreign[0]!r}{more}, no part of a report: name a new or empty folder"
        )
    return folder


@contextlib.contextmanager
def scratch(parent: Path, prefix: str = LEFTOVER) -> Iterator[Path]:
    """A folder in parent, gone at the end; locked, so that it is known for a leftover once its process is dead.

    Folders above it that had to be made are gone as well, if they are empty.
    """
    made = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        with _locked(parent, wait=True):  # nobody clears between making and locking
            _clear_leftovers(parent, prefix)
            folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=parent))
            held.enter_context(_locked(folder, wait=True))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            for empty in made:
                with contextlib.suppress(OSError):
                    empty.rmdir()


def put(new: Path, folder: Path, old: Path) -> None:
    """Put the finished folder in its place; an earlier report there moves to `old`, and back if this fails."""
    if missing := set(FILES) - {path.name for path in new.iterdir()}:
        raise ReportError(f"the notebook wrote no {' and no '.join(sorted(missing))}")
    if target(folder).exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise


def _clear_leftovers(parent: Path, prefix: str) -> None:
    """Remove what killed reports left in parent: folders of that name that no living process has locked."""
    for folder in list(parent.iterdir()):
        if folder.name.startswith(prefix) and folder.suffix == ".tmp":
            with _locked(folder, wait=False) as free:
                if free:
                    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a folder until the end or the death of this process; False where it cannot be had."""
    if fcntl is None:
        yield False
        return
    descriptor = None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        free = True
    except OSError:  # taken, gone, or on a file system without locks
        free = False
    try:
        yield free
    finally:
        if descriptor is not None:
            os.close(descriptor)
