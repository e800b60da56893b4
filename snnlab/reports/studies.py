"""A study's table for its report: accuracies with intervals, and the points that failed."""

from collections.abc import Mapping, Sequence
from html import escape
from statistics import mean
from typing import Any

from IPython.display import Markdown

from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.reports.intervals import leaders, percents
from snnlab.reports.results import table
from snnlab.studies.intervals import over_seeds, wilson

GROUP = ("method", "network", "data", "calibration", "coding")
"""What tells one line of the table from another; seeds are put together."""
MOST_SAID = 6
"""Networks and data sets of which the headline tells the best method."""


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
    told = "; ".join(f"{said(name)} {plain(good[0][name])}" for name in shared)
    shown = [k for k, name in enumerate(GROUP) if name not in shared]
    found = [
        _line(key, shown, [row for row in good if tuple(row[name] for name in GROUP) == key], steps)
        for key in lines
    ]
    head = (*(GROUP[k] for k in shown), "seeds", "ANN", *(f"T = {T}" for T in steps))
    above = f"{said('In all lines: {told}.').format(told=told)}\n\n" if told else ""
    return Markdown(f"{above}{table(head, found).data}")


@door
def study_headline(rows: Sequence[Mapping[str, Any]]) -> Markdown:
    """How much was computed, and for each network and data set who has the most right after the most steps."""
    rows = _checked(rows)
    good = [row for row in rows if not row["error"]]
    points, failed = ({row["key"] for row in some} for some in (rows, [row for row in rows if row["error"]]))
    if not good:
        none = said("{points} points, {rows} rows; {failed} points failed.")
        return Markdown(f"> {none.format(points=len(points), rows=len(rows), failed=len(failed))}")
    T = max(row["T"] for row in good)
    whats = [len({row[name] for row in good}) for name in ("method", "network", "seed")]
    words = (
        (said("{n} method"), said("{n} methods")),
        (said("{n} network"), said("{n} networks")),
        (said("{n} seed"), said("{n} seeds")),
    )
    methods, networks, seeds = (pair[n != 1].format(n=n) for n, pair in zip(whats, words, strict=True))
    head = said("{points} points: {methods}, {networks}, {seeds}, T up to {T}; {failed} points failed.")
    told = [
        head.format(
            points=len(points), methods=methods, networks=networks, seeds=seeds, T=T, failed=len(failed)
        )
    ]
    places = list(dict.fromkeys((row["network"], row["data"]) for row in good))
    for network, data in places[:MOST_SAID]:
        lines: dict[str, list[Mapping[str, Any]]] = {}
        for row in good:
            if (row["network"], row["data"], row["T"]) == (network, data, T):
                lines.setdefault(_quoted(*(row[name] for name in _telling(good))), []).append(row)
        found = {name: _interval(some) for name, some in lines.items()}
        if found:
            best = leaders(found, said("these runs do not tell them apart"))
            after = said("`{what}`, after {T} steps: {best}")
            told.append(after.format(what=_quoted(network, data), T=T, best=best))
    return Markdown("\n".join(f"> {line}\n>" for line in told))


def _telling(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The method, and what else differs between lines of one network and data set."""
    return ["method", *(name for name in ("calibration", "coding") if len({row[name] for row in rows}) > 1)]


@door
def study_failures(rows: Sequence[Mapping[str, Any]]) -> Markdown:
    """The points that failed, each with its reason; a sentence if there are none."""
    bad = [row for row in _checked(rows) if row["error"]]
    failed = dict.fromkeys((*(row[name] for name in GROUP), row["seed"], row["error"]) for row in bad)
    if not failed:
        return Markdown(said("No point failed."))
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


def _quoted(*values: object) -> str:
    """Text from a file to stand between backticks, where only they could do harm."""
    return ", ".join(" ".join(str(value).split()).replace("`", "'") for value in values)


def _line(
    key: Sequence[object], shown: Sequence[int], rows: Sequence[Mapping[str, Any]], steps: Sequence[int]
) -> tuple[object, ...]:
    seeds = {row["seed"]: row["ann_accuracy"] for row in rows}
    cells = (_cell([row for row in rows if row["T"] == T]) for T in steps)
    return (*(plain(key[k]) for k in shown), len(seeds), f"{100 * mean(seeds.values()):.1f}", *cells)


def _cell(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    accuracy, (low, high) = _interval(rows)
    return f"{100 * accuracy:.1f}<br>{percents(low, high)}"


def _interval(rows: Sequence[Mapping[str, Any]]) -> tuple[float, tuple[float, float]]:
    """The mean over seeds, and its interval."""
    found = [row["accuracy"] for row in rows]
    return mean(found), over_seeds(found) if len(found) > 1 else wilson(rows[0]["correct"], rows[0]["images"])
