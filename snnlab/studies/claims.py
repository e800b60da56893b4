"""What Xiong et al. 2025 say of their tables, row by row, held against a run of the kit.

A verdict covers every T that the claim covers and the run has. It says at which the claim holds, at which it fails,
and at which the run cannot tell. Differences below what chance moves, two standard errors of a share of the test
images, decide nothing.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from snnlab.files import short
from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.neurons.settings import whole
from snnlab.studies.papers import FIGURE_3, TABLE_1, TABLE_2, TABLE_3, Network

EVERY_T = (1, math.inf)
L = 8
"""Levels that the networks of the tables were trained with."""


class Finding(NamedTuple):
    """A claim at one T: by how much it is right there, in shares of the images, and the numbers that say so."""

    margin: float
    T: int
    numbers: str


class Verdict(NamedTuple):
    """One row's claim, what was found at each T that it covers and the run has, and on how many images."""

    row: str
    claim: str
    found: tuple[Finding, ...]
    images: int

    @property
    def holds(self) -> bool | None:
        """False if it fails at any T, True if it holds at each; otherwise it cannot be told."""
        each = [self._holds_at(finding) for finding in self.found]
        return False if False in each else None if None in each or not each else True

    @property
    def evidence(self) -> str:
        """Where it fails, where nothing can be told and where it holds; numbers of the first of these, at its worst."""
        told: list[str] = []
        words = (
            (False, said("does not hold here at T = {T}{numbers}")),
            (None, said("cannot be told here at T = {T}{numbers}")),
            (True, said("holds here at T = {T}{numbers}")),
        )
        for holds, word in words:
            if at := [finding for finding in self.found if self._holds_at(finding) is holds]:
                numbers = "" if told else self._numbers(min(at), holds is None)
                told.append(word.format(T=", ".join(str(f.T) for f in at), numbers=numbers))
        return said("; ").join(told)

    def _numbers(self, finding: Finding, tie: bool) -> str:
        if not tie:
            return said(" ({numbers})").format(numbers=finding.numbers)
        tied = said(" ({numbers}, which {images} images cannot tell apart)")
        return tied.format(numbers=finding.numbers, images=f"{self.images:,}")

    @property
    def sentence(self) -> str:
        """As a sentence."""
        found = self.evidence or said("cannot be told from this run")
        return said("`{row}`: that it {claim} {found}.").format(
            row=self.row, claim=said(self.claim), found=found
        )

    def _holds_at(self, finding: Finding) -> bool | None:
        noise = 2 * math.sqrt(
            0.1 / self.images
        )  # two shares of the same images that differ in a tenth of them
        return None if abs(finding.margin) <= noise else finding.margin > 0


ORDERS: dict[str, dict[str, tuple[str, str, tuple[float, float]]]] = {
    "table 1": {
        "max_norm": (
            "is the worst choice below T = 64", "robust_norm > max_norm, tcl > max_norm, qc_ann > max_norm", (1, 63)
        ),
        "robust_norm": (
            "lies between MaxNorm and trained thresholds", "qc_ann > robust_norm > max_norm, tcl > robust_norm", EVERY_T
        ),
        "tcl": ("beats RobustNorm", "tcl > robust_norm", EVERY_T),
        "qc_ann": (
            "has the best thresholds from T = L on", "qc_ann > max_norm, qc_ann > robust_norm, qc_ann > tcl",
            (L, math.inf),
        ),
    },
    "table 2": {
        "qc_ann": ("needs another initial potential below T = L", "rmpe_lmpc > qc_ann", (1, L - 1)),
        "qc_ann_opi": ("gains from theta / 2 below T = L", "qc_ann_opi > qc_ann", (1, L - 1)),
        "qc_ann_opt_shift": (
            "gains more from theta / (2 T) a step than from theta / 2 at once", "qc_ann_opt_shift > qc_ann_opi", EVERY_T
        ),
        "offset_rule": ("does better without any data than theta / 2", "offset_rule > qc_ann_opi", EVERY_T),
        "rmpe_lmpc": (
            "has the best initial potential",
            "rmpe_lmpc > qc_ann, rmpe_lmpc > qc_ann_opi, rmpe_lmpc > qc_ann_opt_shift, rmpe_lmpc > offset_rule",
            EVERY_T,
        ),
    },
    "figure 3": {
        "qc_ann": ("falls behind its calibration below T = L", "rmpe > qc_ann", (1, L - 1)),
        "rmpe_lmpc": ("gains from calibrated potentials", "rmpe_lmpc > qc_ann", EVERY_T),
        "rmpe_lwc": ("gains from calibrated weights", "rmpe_lwc > qc_ann", EVERY_T),
        "rmpe": ("gains most from both", "rmpe > rmpe_lmpc, rmpe > rmpe_lwc", EVERY_T),
    },
}  # fmt: skip
"""Table to row to (claim, the order of methods that it means, the least and the most steps it is said for)."""
ROWS = {"table 1": TABLE_1, "table 2": TABLE_2, "figure 3": FIGURE_3, "table 3": TABLE_3}


@door
def verdicts(table: str, found: Network, images: int) -> list[Verdict]:
    """The claims of a table's rows, as far as their methods were run.

    Args:
        table: a key of ROWS. found: what the methods did on one network.
        images: that the accuracies were counted on.
    """
    if table not in ROWS:
        raise ValueError(f"table = {short(table)}, but it is one of {', '.join(ROWS)}")
    images = whole(images, "images")
    rows = ORDERS.get(table) or {row: _beaten(row) for row in ROWS[table]}
    return [
        Verdict(row, claim, tuple(_findings(row, order, bounds, found)), images)
        for row, (claim, order, bounds) in rows.items()
    ]


def _beaten(row: str) -> tuple[str, str, tuple[float, float]]:
    """Table 3's claim: what the paper proposes beats every row."""
    if row == "rmpe":
        return "stays within a point of its ANN from T = 16 on", "", (16, math.inf)
    return "is beaten by LMPC with LWC", f"rmpe > {row}", EVERY_T


def _findings(row: str, order: str, bounds: tuple[float, float], found: Network) -> Iterator[Finding]:
    """The pair that is furthest from what is claimed, at each T within bounds that was run, fewest first."""
    least, most = bounds
    seen = sorted(_pairs(order, found) if order else _to_ann(row, found), key=lambda finding: finding.T)
    for T in dict.fromkeys(finding.T for finding in seen if least <= finding.T <= most):
        yield min(finding for finding in seen if finding.T == T)


def _pairs(order: str, found: Network) -> Iterator[Finding]:
    """How each pair of the order is at each T; pairs that were not run are left out."""
    chains = [chain.split(" > ") for chain in order.split(", ")]
    for better, worse in (pair for chain in chains for pair in pairwise(chain)):
        if better in found.methods and worse in found.methods:
            one, other = found.methods[better].snn_accuracy, found.methods[worse].snn_accuracy
            for T in one.keys() & other.keys():
                numbers = f"T = {T}: `{better}` {one[T]:.1%}, `{worse}` {other[T]:.1%}"
                yield Finding(one[T] - other[T], T, numbers)


def _to_ann(row: str, found: Network) -> Iterator[Finding]:
    """By how much a method loses less than a point to its ANN, at each T."""
    if row in found.methods:
        own = found.methods[row]
        for T, accuracy in own.snn_accuracy.items():
            beside = said("T = {T}: {own}, its ANN {ann}")
            numbers = beside.format(T=T, own=f"{accuracy:.1%}", ann=f"{own.ann_accuracy:.1%}")
            yield Finding(accuracy - own.ann_accuracy + 0.01, T, numbers)
