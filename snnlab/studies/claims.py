"""What Xiong et al. 2025 say of their tables, row by row, held against a run of the kit.

A claim that cannot be judged from the steps that were run says so. Differences below what chance moves, two standard
errors of a share of the test images, decide nothing.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from snnlab.studies.papers import FIGURE_3, TABLE_1, TABLE_2, TABLE_3, Network


class Verdict(NamedTuple):
    """One row's claim: what is said, whether it holds here (None: not to be told), and the numbers that say so."""

    row: str
    claim: str
    holds: bool | None
    evidence: str

    @property
    def sentence(self) -> str:
        """As a sentence."""
        word = {True: "holds here", False: "does not hold here", None: "cannot be told from this run"}[
            self.holds
        ]
        return f"`{self.row}`: that it {self.claim} {word}{f' ({self.evidence})' if self.evidence else ''}."


ORDERS: dict[str, dict[str, tuple[str, str, tuple[int, ...]]]] = {
    "table 1": {
        "max_norm": ("is the worst choice below T = 64", "robust_norm > max_norm", (8, 16, 32)),
        "robust_norm": (
            "lies between MaxNorm and trained thresholds", "qc_ann > robust_norm > max_norm", (8, 16, 32)
        ),
        "tcl": ("beats RobustNorm", "tcl > robust_norm", (8, 16, 32)),
        "qc_ann": ("has the best thresholds from T = L on", "qc_ann > robust_norm, qc_ann > tcl", (8, 16)),
    },
    "table 2": {
        "qc_ann": ("needs another initial potential below T = L", "rmpe_lmpc > qc_ann", (2, 4)),
        "qc_ann_opi": ("gains from theta / 2 below T = L", "qc_ann_opi > qc_ann", (2, 4)),
        "qc_ann_opt_shift": (
            "gains more from theta / (2 T) a step than from theta / 2 at once", "qc_ann_opt_shift > qc_ann_opi", (4,)
        ),
        "offset_rule": ("gets most of it without any data", "offset_rule > qc_ann_opi", (2, 4)),
        "rmpe_lmpc": (
            "has the best initial potential", "rmpe_lmpc > qc_ann_opi, rmpe_lmpc > qc_ann_opt_shift", (2, 4, 8, 16)
        ),
    },
    "figure 3": {
        "qc_ann": ("collapses below T = L", "rmpe > qc_ann", (2, 4)),
        "rmpe_lmpc": ("gains from calibrated potentials", "rmpe_lmpc > qc_ann", (2, 4, 8)),
        "rmpe_lwc": ("gains from calibrated weights", "rmpe_lwc > qc_ann", (2, 4, 8)),
        "rmpe": ("gains most from both", "rmpe > rmpe_lmpc, rmpe > rmpe_lwc", (2, 4, 8)),
    },
}  # fmt: skip
"""Table to row to (claim, the order of methods that it means, the steps it is said for)."""
ROWS = {"table 1": TABLE_1, "table 2": TABLE_2, "figure 3": FIGURE_3, "table 3": TABLE_3}


def verdicts(table: str, found: Network, images: int) -> list[Verdict]:
    """The claims of a table's rows, as far as their methods were run.

    Args:
        table: a key of ROWS.
        images: that the accuracies were counted on.
    """
    rows = ORDERS.get(table) or {row: _beaten(row) for row in ROWS[table]}
    return [_verdict(row, claim, pairs, steps, found, images) for row, (claim, pairs, steps) in rows.items()]


def _beaten(row: str) -> tuple[str, str, tuple[int, ...]]:
    """Table 3's claim: what the paper proposes beats every row."""
    if row == "rmpe":
        return "stays within a point of its ANN from T = 16 on", "", (16, 32)
    return "is beaten by LMPC with LWC", f"rmpe > {row}", (4, 8, 16)


def _verdict(row: str, claim: str, order: str, steps: Sequence[int], found: Network, images: int) -> Verdict:
    gaps = list(_gaps(order, steps, found) if order else _gaps_to_ann(row, steps, found))
    if not gaps:
        return Verdict(row, claim, None, "")
    worst, text = min(gaps)
    noise = 2 * math.sqrt(
        0.1 / images
    )  # of two shares near 90 % of the same images: a tenth told apart, at most
    if abs(worst) <= noise:
        return Verdict(row, claim, None, f"{text}, which {images} images cannot tell apart")
    return Verdict(row, claim, worst > 0, text)


def _gaps(order: str, steps: Sequence[int], found: Network) -> Iterator[tuple[float, str]]:
    """By how much each pair of the order is as claimed, and the numbers; pairs that were not run are left out."""
    chains = [chain.split(" > ") for chain in order.split(", ")]
    for better, worse in (pair for chain in chains for pair in pairwise(chain)):
        if better in found.methods and worse in found.methods:
            one, other = found.methods[better].snn_accuracy, found.methods[worse].snn_accuracy
            for T in sorted(set(steps) & set(one) & set(other)):
                yield one[T] - other[T], f"T = {T}: `{better}` {one[T]:.1%}, `{worse}` {other[T]:.1%}"


def _gaps_to_ann(row: str, steps: Sequence[int], found: Network) -> Iterator[tuple[float, str]]:
    """By how much a method loses less than a point to its ANN."""
    if row in found.methods:
        own = found.methods[row]
        for T in sorted(set(steps) & set(own.snn_accuracy)):
            a, b = own.snn_accuracy[T], own.ann_accuracy
            yield a - b + 0.01, f"{a:.1%} at T = {T}, its ANN {b:.1%}"
