"""A file of measured rows that grows: what it holds already is not measured again, so a stopped benchmark goes on."""

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path


def known(path: Path, keys: Sequence[str]) -> set[tuple[str, ...]]:
    """The values of the key columns, row by row, as text."""
    if not path.exists():
        return set()
    with path.open(encoding="utf-8", newline="") as file:
        return {tuple(row[key] for key in keys) for row in csv.DictReader(file)}


def keep(path: Path, wanted: Callable[[Mapping[str, str]], bool]) -> None:
    """Leave out the rows that are not wanted."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        kept, head = [row for row in reader if wanted(row)], reader.fieldnames or ()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, head, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)


def add(path: Path, row: Mapping[str, object]) -> None:
    """Append a row, with today's date and the number of cores; the first one writes the head."""
    row = {**row, "date": today(), "machine": machine()}
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        if not file.tell():
            writer.writeheader()
        writer.writerow(row)


def today() -> str:
    """The date as in 2026-11-26, in Greenwich."""
    return datetime.now(UTC).date().isoformat()


def machine() -> str:
    """What is told of the machine: its number of cores."""
    cores = os.cpu_count() or 1
    return {1: "one core", 2: "two cores"}.get(cores, f"{cores} cores")
