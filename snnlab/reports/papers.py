"""The tables of the papers' report: the kit's own numbers, the published ones beside them, and whether claims hold."""

import csv
import re
from collections.abc import Sequence

from IPython.display import Markdown

from snnlab.course.printing import say
from snnlab.datasets.published import Row
from snnlab.files import kit
from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.reports.intervals import span
from snnlab.reports.results import table
from snnlab.studies.claims import Verdict
from snnlab.studies.papers import Network
from snnlab.training import runs

EVERY_IMAGE = 10_000
"""Test images of CIFAR-10."""
PLACES = re.compile(r"[a-z]+\d*-\w+|\b\d[\d.]*\b")
"""Numbers, and names of networks that ship."""
ALL_IMAGES = kit("data/results/all_images.csv")


@door
def paper_table(
    methods: Sequence[str], found: Network, rows: Sequence[Row], T_max: int, images: int | None = None
) -> Markdown:
    """A row a method: percent after T steps, the published figure in brackets, an asterisk where it was not checked.

    Args:
        images: that the accuracies were counted on; with them each has its 95 % interval in a second line.
    """
    methods = [name for name in methods if name in found.methods]
    steps = sorted({T for name in methods for T in found.methods[name].snn_accuracy if T_max >= T})
    printed = {(row.method.replace(" + ", "_"), row.T): row for row in rows}

    def cell(name: str, T: int) -> str:
        own, row = found.methods[name].snn_accuracy.get(T), printed.get((name, T))
        shown = f"{100 * own:.1f}" if own is not None else ""
        if row:
            shown = f"{shown} ({row.snn_accuracy:.1f}{'' if row.checked else '*'})"
        return shown if own is None else shown + under(own)

    def under(accuracy: float) -> str:
        return f"<br><small>{span(accuracy, images)}</small>" if images else ""

    return table(
        ("method", "ANN", *(f"T = {T}" for T in steps)),
        [
            (f"`{name}`", f"{100 * ann:.1f}{under(ann)}", *(cell(name, T) for T in steps))
            for name, ann in ((name, found.methods[name].ann_accuracy) for name in methods)
        ],
    )


@door
def sentences(verdicts: Sequence[Verdict], found: Network) -> Markdown:
    """The claims of a table, one a line; at the end the rows that were not run."""
    told = [f"- {verdict.sentence}" for verdict in verdicts if verdict.row in found.methods]
    missing = [f"`{verdict.row}`" for verdict in verdicts if verdict.row not in found.methods]
    if missing:
        told.append(f"- {said('Not run yet: {rows}.').format(rows=', '.join(missing))}")
    return Markdown("\n".join(told))


@door
def training_list(network: str) -> Markdown:
    """How the networks that ship were trained, one a line."""
    line = said("- `{name}`, {accuracy} %: {activation}; {trained}.")
    told = [
        line.format(
            name=name,
            accuracy=row["accuracy"],
            activation=_phrases(row["activation"]),
            trained=_phrases(row["trained"]),
        )
        for name, row in runs.table().items()
        if row["network"] == network
    ]
    return Markdown("\n".join(told))


def _phrases(told: str) -> str:
    """What the table of trained networks says, phrase by phrase: `48 epochs` is looked up as `{1} epochs`."""
    parts = ((PLACES.split(one), PLACES.findall(one)) for one in told.split(", "))
    return said(", ").join(say(between, *((place, -1, "") for place in places)) for between, places in parts)


@door
def all_images_table(network: str) -> Markdown:
    """What `benchmarks/all_images.py` measured on every test image: a row a network, method and T."""
    with ALL_IMAGES.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["network"].startswith(f"{network}-")]
    rows.sort(key=lambda row: (row["method"], row["network"], row["grid"] == "no", int(row["T"])))
    return table(
        ("network", "method", "T", "ANN", "spiking", "95 % interval", "lost", "seconds to convert"),
        [
            (
                f"`{row['network']}`",
                f"`{row['method']}`" + ("" if row["grid"] == "yes" else said(", not on the grid")),
                row["T"],
                row["ann_accuracy"],
                row["snn_accuracy"],
                span(float(row["snn_accuracy"]) / 100, EVERY_IMAGE),
                f"{float(row['ann_accuracy']) - float(row['snn_accuracy']):.2f}",
                row["conversion_cpu_seconds"],
            )
            for row in rows
        ],
    )
