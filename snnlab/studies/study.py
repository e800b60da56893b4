"""Run a study: its points by several workers, each kept as soon as it is known, and one table in the end.

What is known lies in `points.jsonl`, a line a point under its key (points.key): a killed run loses the points in
flight, a longer study begins where a shorter one ended, and a point whose code has changed has another key.
"""

import contextlib
import hashlib
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snnlab import files
from snnlab.converters.threads import cores
from snnlab.files import place, short
from snnlab.files.folders import trial
from snnlab.files.language import said
from snnlab.progress import progress_bar
from snnlab.studies import plans, points
from snnlab.studies.plans import Point
from snnlab.studies.points import Row, Training
from snnlab.studies.workers import Task, Workers

MARKER, JOURNAL, TABLE, COPY = ".snnlab-study", "points.jsonl", "results.parquet", "study.yaml"
MARKED = "Written by `snnlab study`: the same command goes on here.\n"
REPORT = "report"
KINDS: dict[str, str] = {
    "method": "string", "network": "string", "data": "string", "seed": "int64", "calibration": "int64",
    "coding": "string", "levels": "int64", "epochs": "int64", "T": "int64", "steps": "int64", "images": "int64",
    "ann_accuracy": "float64", "accuracy": "float64", "correct": "int64", "firing_rate": "float64",
    "seconds_convert": "float64", "seconds_simulate": "float64", "finished": "string", "snnlab": "string",
    "python": "string", "torch": "string", "numpy": "string", "key": "string", "error": "string",
}  # fmt: skip
"""The columns of the table, and of what type."""
SUM = b"snnlab_sum"
"""Under which the table's file has the SHA-256 of its rows as JSON; files written before there were sums have none."""


@dataclass(frozen=True)
class Outcome:
    """What a run did: the table, the points computed now, those known before, and those that failed."""

    table: Path
    computed: int
    known: int
    failed: int


def run(file: str | Path, out: str | Path, *, workers: int | None = None, scheduler: str = "") -> Outcome:
    """Compute what is not yet known of a study, and write its table to out/results.parquet.

    Args:
        file: the study, YAML (plans.py), or the name of one that comes with the kit, "quick".
        out: the folder: absent, empty, or one that holds an earlier state of this or another study.
        workers: processes, one thread each; None takes a processor each; 1 works in this process.
        scheduler: address of a Dask scheduler, or "local" for a cluster that is started for this run.
    Raises: ValueError before any work; OSError, as of a full disk, and KeyboardInterrupt that say what is kept.
    """
    plan = plans.read(file)
    folder = target(out)
    every = plan.points()
    sums = {name: points.sum_of(name) for name in plan.data}
    keys = [points.key(point, sums[point.data]) for point in every]
    with _held(folder):
        files.write(folder / COPY, plans.file_of(file).read_bytes())
        known = _Journal(folder / JOURNAL)
        missing = {key: point for key, point in zip(keys, every, strict=True) if not known.settled(key)}
        try:
            try:
                _work(missing, known, workers, scheduler)
            finally:
                rows = [row | {"key": key} for key in keys for row in known.rows.get(key, ())]
                files.write(folder / TABLE, parquet(rows))
                known.close()
        except OSError as error:
            raise OSError(
                f"{folder} cannot be written any more ({error.strerror or error}): every point that was written is "
                "kept; make room, and the same command goes on"
            ) from None
    failed = len({row["key"] for row in rows if row.get("error")})
    return Outcome(folder / TABLE, len(missing), len(every) - len(missing), failed)


def parquet(rows: Sequence[Row]) -> bytes:
    """The table as bytes of a Parquet file, which has a sum of its rows: Parquet itself lets flipped bits through."""
    import pyarrow
    from pyarrow import parquet as format_

    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in KINDS.items()])
    table = pyarrow.Table.from_pylist(list(rows), schema)
    buffer = io.BytesIO()
    format_.write_table(table.replace_schema_metadata({SUM: _sum(table.to_pylist())}), buffer)
    return buffer.getvalue()


def load(path: str | Path) -> list[Row]:
    """The rows of a study's table, or of the table in a study's folder.

    Raises: ValueError for a file that is damaged or another program's; OSError for one that cannot be opened.
    """
    import pyarrow
    from pyarrow import parquet as format_

    file = place(path)
    file = file / TABLE if file.is_dir() else file
    data = file.read_bytes()
    try:
        table = format_.read_table(io.BytesIO(data))
        rows = table.to_pylist()
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is no table of a study ({' '.join(str(error).split())[:200]})") from None
    noted = (table.schema.metadata or {}).get(SUM)
    if noted is not None and noted != _sum(rows):
        raise ValueError(
            f"{file} is damaged (its sum is another): write it again with the same `snnlab study`"
        )
    return rows


def _sum(rows: Sequence[Row]) -> bytes:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest().encode()


def target(out: str | Path) -> Path:
    """The folder of a study, if it may be one. Raises: ValueError if it holds anything else, or cannot be written."""
    shown = f"--out is {short(str(out))}"
    try:
        folder = place(out)
    except ValueError as error:
        raise ValueError(f"{shown}: {error}") from None
    try:
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{shown}, which is a file: name a new folder")
        held = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
        if held and MARKER not in held:
            raise ValueError(
                f"{shown}, which holds {short(held[0])} and is no study's: name a new or empty folder"
            )
        trial(folder, files.scratch(folder, ".snnlab-trial-"))
    except OSError as error:
        raise ValueError(f"{shown}, where nothing can be written ({error.strerror}): name another") from None
    return folder


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The folder, marked and locked. Raises: ValueError if another study runs there."""
    folder.mkdir(parents=True, exist_ok=True)
    files.write(folder / MARKER, MARKED.encode())
    lock = files.hold(folder)
    if lock is None:
        raise ValueError(
            f"--out is {short(str(folder))}, where another study is running: wait, or name another folder"
        )
    try:
        yield
    finally:
        files.release(lock)


class _Journal:
    """What is known, by key: read whole, then written a line a point, each on the disk before the next begins."""

    def __init__(self, path: Path) -> None:
        self.rows: dict[str, list[Row]] = {}
        self._again: set[str] = set()
        whole = b""
        for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
            with contextlib.suppress(ValueError, KeyError, TypeError):  # a line that a kill has cut
                one = json.loads(line)
                self._take(one["key"], one["rows"], one["again"])
                whole += line
        files.write(path, whole)
        self._file = path.open("ab")

    def settled(self, key: str) -> bool:
        """Whether a point need not be computed."""
        return key in self.rows and key not in self._again

    def keep(self, key: str, rows: list[Row], again: bool) -> None:
        """Write a point. With `again` the next run tries it once more."""
        line = json.dumps({"key": key, "again": again, "rows": rows})
        self._file.write(f"{line}\n".encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._take(key, rows, again)

    def close(self) -> None:
        """Nothing more is written."""
        self._file.close()

    def _take(self, key: str, rows: list[Row], again: bool) -> None:
        self.rows[key] = rows
        self._again = self._again | {key} if again else self._again - {key}


def _tasks(missing: dict[str, Point]) -> list[Task]:
    """What is to be done, trainings first, the dearest points before the others."""
    trainings: dict[str, Task] = {}
    work = []
    for key, point in sorted(missing.items(), key=lambda item: -item[1].T[-1]):
        wanted, needs = points.training_of(point), frozenset[str]()
        for training in wanted.before() if wanted else ():
            trainings.setdefault(training.about, Task(points.train, training, training.about, needs))
            needs = frozenset({training.about})
        work.append(Task(points.measure, point, key, needs))
    return [*trainings.values(), *work]


def _work(missing: dict[str, Point], known: _Journal, workers: int | None, scheduler: str) -> None:
    """Compute and keep what is missing."""
    if not missing:
        return
    tasks, steps = _tasks(missing), sum(point.T[-1] for point in missing.values())
    wanted = min(workers or cores(), len(tasks))
    bar = progress_bar(total=steps, unit=said("step"), smoothing=0, desc=said("study"))

    def show(at_work: list[Point | Training]) -> None:
        bar.set_postfix_str("; ".join(one.label for one in at_work)[:100], refresh=False)
        bar.refresh()  # also while nothing is done

    try:
        with bar, Workers(wanted, scheduler, tuple(path for path in sys.path if path)) as crew:
            for task, future in crew.work(tasks, show):
                if isinstance(task.argument, Point):
                    known.keep(task.name, *_rows(task.argument, future))
                    bar.update(task.argument.T[-1])
    except KeyboardInterrupt:
        left = sum(not known.settled(key) for key in missing)
        kept = f"{len(missing) - left} of {len(missing)} points were computed and are kept"
        raise KeyboardInterrupt(f"stopped; {kept}; the same command goes on") from None


def _rows(point: Point, future: Future[Any]) -> tuple[list[Row], bool]:
    """What came of a point, and whether the next run should try it again: a mistake stays one, a full disk does not."""
    error = future.exception()
    if error is None:
        return future.result(), False
    reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
    return [points.row(point, T) | {"error": reason} for T in point.T], not isinstance(error, ValueError)
