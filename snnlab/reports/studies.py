"""A study's table for its report: accuracies with intervals, and the points that failed."""

from collections.abc import Mapping, Sequence
from html import escape
from statistics import mean
from typing import Any

from IPython.display import Markdown

from snnlab.neurons.door import door
from snnlab.reports.results import table
from snnlab.studies.intervals import over_seeds, wilson

GROUP = ("data", "network", "method", "calibration", "coding")
"""What tells one line of the table from another; seeds are put together."""


@door
def study_table(rows: Sequence[Mapping[str, Any]]) -> Markdown:
    """A line a method, network, data set, calibration size and coding: percent after T steps, with a 95 % interval.

    What is the same in all lines stands above them. The interval is Wilson's over the images for one seed, Student's
    over the seeds for several.
    """
    good = [row for row in _checked(rows) if not row["error"]]
    steps = sorted({row["T"] for row in good})
    lines = dict.fromkeys(tuple(row[name] for name in GROUP) for row in good)
    shared = [
        name for k, name in enumerate(GROUP) if len({key[k] for key in lines}) == 1 and name != "method"
    ]
    told = "; ".join(f"{name} {plain(good[0][name])}" for name in shared)
    shown = [k for k, name in enumerate(GROUP) if name not in shared]
    found = [
        _line(key, shown, [row for row in good if tuple(row[name] for name in GROUP) == key], steps)
        for key in lines
    ]
    head = (*(GROUP[k] for k in shown), "seeds", "ANN", *(f"T = {T}" for T in steps))
    above = f"In all lines: {told}.\n\n" if told else ""
    return Markdown(f"{above}{table(head, found).data}")


@door
def study_failures(rows: Sequence[Mapping[str, Any]]) -> Markdown:
    """The points that failed, each with its reason; a sentence if there are none."""
    bad = [row for row in _checked(rows) if row["error"]]
    failed = dict.fromkeys((*(row[name] for name in GROUP), row["seed"], row["error"]) for row in bad)
    if not failed:
        return Markdown("No point failed.")
    return table((*GROUP, "seed", "reason"), [tuple(map(plain, line)) for line in failed])


def _checked(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Raises: ValueError for rows that are no study's."""
    wanted = {*GROUP, "seed", "T", "error", "accuracy", "ann_accuracy", "correct", "images"}
    if any(missing := wanted - {*row} for row in rows):
        raise ValueError(f"rows lack {min(missing)!r}, but they must be those of a study (study.load)")
    return rows


def plain(value: object) -> str:
    """Text from a file as a cell of a table: no markup, no end of the cell."""
    text = escape(" ".join(str(value).split()))
    return "".join(f"&#{ord(letter)};" if letter in "|`*_[]\\~$" else letter for letter in text)


def _line(
    key: Sequence[object], shown: Sequence[int], rows: Sequence[Mapping[str, Any]], steps: Sequence[int]
) -> tuple[object, ...]:
    seeds = {row["seed"]: row["ann_accuracy"] for row in rows}
    cells = (_cell([row for row in rows if row["T"] == T]) for T in steps)
    return (*(plain(key[k]) for k in shown), len(seeds), f"{100 * mean(seeds.values()):.1f}", *cells)


def _cell(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    found = [row["accuracy"] for row in rows]
    low, high = over_seeds(found) if len(found) > 1 else wilson(rows[0]["correct"], rows[0]["images"])
    return f"{100 * mean(found):.1f}<br>{100 * low:.1f} to {100 * high:.1f}"
