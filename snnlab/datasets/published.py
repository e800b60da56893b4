"""What papers and their authors' pages report, to stand beside the kit's own runs: data/published/*.csv.

A row says where its number is from, and whether it was read there; percent. The networks and the training are the
papers' own, so a number here is a landmark, and not what a run of the kit must reach.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from snnlab.files import kit, regained
from snnlab.files.language import said
from snnlab.neurons.door import door

FOLDER = kit("data/published")


@dataclass(frozen=True)
class Row:
    """One published accuracy.

    Attributes:
        method: a name of the catalogue, or two of them joined by " + ".
        network, data: vgg16, resnet18, resnet20, resnet34; cifar10, cifar100, imagenet.
        ann_accuracy: of its ANN, percent; None if it is not told.
        T: time steps.
        snn_accuracy: percent.
        source: where the number stands.
        checked: whether it was read there; otherwise it is from memory or from a third place.
        note: what one must know of it.
    """

    method: str
    network: str
    data: str
    ann_accuracy: float | None
    T: int
    snn_accuracy: float
    source: str
    checked: bool
    note: str


@door
def load(method: str | None = None, network: str | None = None, data: str | None = None) -> list[Row]:
    """The rows of all papers, file by file; only those of a method, a network, a data set, if given.

    Raises: FileNotFoundError if the folder is lost; ValueError for a row that cannot be read.
    """
    if not FOLDER.is_dir():
        raise FileNotFoundError(f"there is no {FOLDER}, the published figures: {regained('data/published')}")
    wanted = {"method": method, "network": network, "data": data}
    return [
        row
        for path in sorted(FOLDER.glob("*.csv"))
        for row in _rows(path)
        if all(value is None or getattr(row, name) == value for name, value in wanted.items())
    ]


@door
def beside(
    methods: Sequence[str] | Mapping[str, object], most: int, network: str = "vgg16", data: str = "cifar10"
) -> tuple[list[str], list[list[str]], list[str]]:
    """The published accuracies of some methods as a table: its head, its lines, and the sources by number.

    A line is a method, its ANN, the accuracy at each T up to `most`, and the number of its source; percent, with an
    asterisk where the number was not read there.
    """
    rows = [row for row in load(network=network, data=data) if row.method in methods and most >= row.T]
    steps, sources = sorted({row.T for row in rows}), list(dict.fromkeys(_source(row) for row in rows))
    told: dict[tuple[str, float | None, str], dict[int, str]] = {}
    for row in rows:
        line = told.setdefault((row.method, row.ann_accuracy, _source(row)), {})
        line[row.T] = f"{row.snn_accuracy:.2f}{'' if row.checked else '*'}"
    lines = [
        [
            method,
            f"{ann:.2f}" if ann else "",
            *(line.get(T, "") for T in steps),
            f"[{sources.index(source) + 1}]",
        ]
        for (method, ann, source), line in told.items()
    ]
    numbered = [f"[{k}] {source}" for k, source in enumerate(sources, start=1)]
    return ["method", "ANN", *(f"T = {T}" for T in steps), "source"], lines, numbered


def _source(row: Row) -> str:
    source, note = said(row.source), said(row.note)
    return said("{source} ({note})").format(source=source, note=note) if row.note else source


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        for number, line in enumerate(csv.DictReader(file), start=2):
            try:
                yield Row(
                    line["method"], line["network"], line["data"],
                    float(line["ann_accuracy"]) if line["ann_accuracy"] else None,
                    int(line["T"]), float(line["snn_accuracy"]), line["source"],
                    {"yes": True, "no": False}[line["checked"]], line["note"],
                )  # fmt: skip
            except (KeyError, ValueError, TypeError) as error:
                raise ValueError(f"{path}, line {number} cannot be read ({error!r}): {line}") from None
