"""The folder of a report: built beside its place, then renamed into it, so that nobody ever sees half of one."""

import os
import stat
from pathlib import Path
from typing import Any

from snnlab.files import marked, place, scratch, short, trial
from snnlab.reports.parameters import ParameterError

MARKER = ".snnlab-report"
"""The file by which a folder is known for a report that the kit wrote: nothing else is ever replaced."""
MARKED = "Written by `snnlab report`, and replaced whole by the next report that is told to go here.\n"
FILES = (MARKER, "report.ipynb", "report.html", "params.json", "results.json")
LEFTOVER = ".snnlab-report-"
"""How the name of the folder begins in which a report is built; the next report there clears a killed one's."""
ROOM = 20 * 10**6
"""Bytes that a report may take; measured are 3 million."""


class ReportError(RuntimeError):
    """A report that cannot be finished: says why, in one line."""


class FailedError(ReportError):
    """A report one of whose cells failed.

    Attributes:
        executed: the notebook up to there.
        traceback: of the cell, as the kernel coloured it; empty if the kernel died.
    """

    def __init__(self, reason: str, executed: Any, traceback: str = "") -> None:
        super().__init__(reason)
        self.executed, self.traceback = executed, traceback

    def kept(self, folder: Path) -> "FailedError":
        """The same with the folder in which the report so far is."""
        return FailedError(
            f"{self}; the report up to there, marked as failed: {folder}", self.executed, self.traceback
        )


def target(out: Path) -> Path:
    """The folder to write, absolute. Raises: ParameterError if it is, or holds, something else than a report."""
    shown = f"--out is {short(str(out))}"
    try:
        folder = place(out)
    except ValueError as error:
        raise ParameterError(f"{shown}: {error}") from None
    if folder == Path.cwd():
        raise ParameterError(f"{shown}, the current folder, but must be one inside it or elsewhere")
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        return folder
    except OSError as error:
        raise ParameterError(f"{shown}, which cannot be a folder ({error.strerror}): name another") from None
    if not stat.S_ISDIR(mode):
        raise ParameterError(f"{shown}, which is a file: name a new folder")
    try:
        foreign = _foreign(folder)
    except OSError as error:
        raise ParameterError(
            f"{shown}, which is not readable ({error.strerror}): name a new folder"
        ) from None
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise ParameterError(
            f"{shown}, which holds {short(foreign[0])}{more}, no part of a report: name a new or empty folder"
        )
    return folder


def _foreign(folder: Path) -> list[str]:
    """What a folder holds beside a report that the kit wrote; without the marker all of it."""
    with os.scandir(folder) as entries:
        names = {entry.name: entry.is_file(follow_symlinks=False) for entry in entries}
    known = FILES if names.get(MARKER) and (folder / MARKER).read_bytes() == MARKED.encode() else ()
    return sorted(name for name, is_file in names.items() if name not in known or not is_file)


def probe(folder: Path) -> None:
    """Whether a report can be written to a folder, before it is run; nothing is left there. Raises: ParameterError."""
    shown = f"--out is {short(str(folder))}"
    try:
        free = trial(folder, scratch(folder.parent, LEFTOVER))
    except OSError as error:
        raise ParameterError(
            f"{shown}, where nothing can be written ({error.strerror}): name another"
        ) from None
    if free < ROOM:
        raise ParameterError(
            f"{shown}, where {free / 1e6:.0f} MB are free, but {ROOM / 1e6:.0f} MB are needed: make room"
        )


def put(new: Path, folder: Path, old: Path) -> None:
    """Put the finished folder in its place; an earlier report there moves to `old`, and back if this fails."""
    if missing := set(FILES) - {path.name for path in new.iterdir()}:
        raise ReportError(f"the notebook wrote no {' and no '.join(sorted(missing))}")
    marked.put(new, target(folder), old)
