"""Every source of the catalogue read twice: what its paper or code says, and what is told of it. Lesson 12's table.

Told is what summaries have; of Xiong et al. it is what the equations print. Where the two are different methods, both
can be run: in the catalogue under two names, or here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from IPython.display import Markdown

from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.choices.corrections import lmpc
from snnlab.converters.choices.potentials import zero
from snnlab.converters.choices.site import Site
from snnlab.converters.methods import Method
from snnlab.files.language import said
from snnlab.neurons import HardResetCaLIF
from snnlab.studies.sweeps import Result


class Reading(NamedTuple):
    """One work in both readings.

    Attributes:
        work: authors and year.
        own: what the paper or its code says. methods: the catalogue's names for it.
        told: what is told of it. other: the name under which that can be run, "" if it is not built; the first of
            `methods` if it is the same method.
    """

    work: str
    own: str
    methods: tuple[str, ...]
    told: str
    other: str


def lmpc_as_printed(site: Site) -> None:
    """LMPC as equation 13 prints it: v0 = T * mean over images of |a - phi|, measured once, from v0 = 0."""
    site.neuron.v0 = site.T * (site.target - site.rate()).abs().mean(0)


TOLD: dict[str, Method] = {
    method.name: method
    for method in (
        replace(CATALOGUE["ca_lif"], name="ca_lif_hard_reset", neuron=HardResetCaLIF),
        replace(CATALOGUE["rmpe_lmpc"], name="lmpc_as_printed", v0=zero, corrections=(lmpc_as_printed,)),
    )
}
"""Readings to compare with that are no entries of the catalogue. The first converts the network trained for QCFS."""

SIGNED = tuple(
    replace(TOLD["lmpc_as_printed"], name=f"lmpc_signed_{times}", corrections=(lmpc(passes),))
    for times, passes in (("once", 1), ("thrice", 3))
)
"""LMPC as it is printed but for the bars, and the same repeated: what the sign alone does, and what it permits."""

READINGS = (
    Reading(
        "Diehl 2015, Rueckauer 2017",
        r"weights times $\lambda_{l-1} / \lambda_l$, as good as the threshold $\lambda_l$; batch norms folded, "
        r"their $\epsilon$ too",
        ("max_norm", "robust_norm"),
        r"the ratio turned round, $\lambda_l / \lambda_{l-1}$; no $\epsilon$",
        "",
    ),
    Reading(
        "Ho & Chang 2021 (TCL)",
        "the upper end of a clip, learned together with the weights; no spike in the training",
        ("tcl",),
        "weights frozen; thresholds learned for one $T$, with the spiking network in the loop",
        "threshold_finetune",
    ),
    Reading(
        "Ding 2021 (RateNorm)",
        "a learned share of the largest activation: clips more, and makes the steps finer",
        ("rate_norm",),
        "the same share; said to clip less",
        "rate_norm",
    ),
    Reading(
        "Deng & Gu 2021 (Opt)",
        r"$\theta / (2 T)$ more in each step, on a clipped network",
        ("opt_shift",),
        "the same",
        "opt_shift",
    ),
    Reading(
        "Li 2021 (SNN calibration)",
        "biases and potentials by the spikes themselves; the weights by a simulated rate",
        ("calibration_light", "calibration_advanced"),
        "all of it by a simulated rate, and so only for many steps",
        "",
    ),
    Reading("Bu 2022, AAAI (OPI)", r"$v[0] = \theta / 2$", ("opi",), "the same", "opi"),
    Reading(
        "Bu 2022, ICLR (QCFS)",
        r"a staircase that rounds to the nearest: 1/2 added, then rounded down; $v[0] = \theta / 2$",
        ("qcfs",),
        "the same in words; the equation is printed without the 1/2, the staircase of `qc_ann`",
        "qcfs",
    ),
    Reading(
        "Wang 2022, IJCAI (SNM)",
        "a spike of -1 where the net count allows it; a threshold for each neuron",
        ("snm",),
        "a spike counter, no negative spikes; a threshold for each layer",
        "snm_counter",
    ),
    Reading(
        "Gao 2023 (Ca-LIF)",
        "spikes of both signs, those of -1 with calcium only (the abstract; there is no public code)",
        ("ca_lif",),
        "a leaky neuron with hard reset, one step late, without negative spikes",
        "ca_lif_hard_reset",
    ),
    Reading(
        "Wang 2022, arXiv (dual phase)",
        "a noisy staircase in training; then potentials, weights, potentials calibrated",
        ("dual_phase",),
        "no training; the largest activations as thresholds, raised by the output's error",
        "threshold_feedback",
    ),
    Reading(
        "Xiong 2025 (LMPC)",
        "the difference with its sign, added to $v[0]$ as often as wanted, as in the code of dual phase",
        ("rmpe_lmpc", "rmpe"),
        r"equation 13 as printed: $v[0]$ set, once, to $T$ times the mean of $\vert a - \varphi\vert$",
        "lmpc_as_printed",
    ),
    Reading(
        "Xiong 2025 (LWC)",
        "a gradient that reaches silent neurons too, as the triangle around the threshold has it",
        ("rmpe_lwc", "rmpe"),
        "equation 17 as printed: no gradient where there was no spike",
        "",
    ),
)


def compared() -> list[tuple[Reading, str, str]]:
    """The works whose two readings are two methods that can both be run, with their names."""
    return [(r, r.methods[0], r.other) for r in READINGS if r.other and r.other not in r.methods]


def both_readings() -> Markdown:
    """The table: a row for each work, the names of the methods below what is read."""
    rows = []
    for reading in READINGS:
        other = breaking(reading.other) if reading.other else said("not built")
        other += said(", in this lesson") if reading.other in TOLD else ""
        own = ", ".join(map(breaking, reading.methods))
        rows.append((reading.work, f"{said(reading.own)}<br>→ {own}", f"{said(reading.told)}<br>→ {other}"))
    return _table((said("work"), said("its paper or code"), said("as it is told")), rows)


def measured(found: Mapping[str, Result], steps: Sequence[int]) -> Markdown:
    """Where both readings can be run: the accuracy in percent after these steps, the told one below the own."""
    rows = []
    for reading, own, other in compared():
        for work, name, word in ((reading.work, own, ""), ("", other, said("told: "))):
            each = (f"{100 * found[name].snn_accuracy[T]:.1f}" for T in steps)
            rows.append((work, word + breaking(name), *each))
    return _table((said("work"), said("method"), *(f"T = {T}" for T in steps)), rows)


def five_choices(rows: Sequence[Sequence[str]]) -> Markdown:
    """Methods by their choices: corrections, neuron and tuning share a column, so that a narrow page has room.

    Args:
        rows: name, activation, threshold, v0, corrections, neuron and tuning of each; "" where there is none.
    """
    shown = [
        (*map(breaking, row[:4]), "; ".join(breaking(choice) for choice in row[4:] if choice)) for row in rows
    ]
    head = (said("method"), said("activation"), said("threshold"), "v0", said("corrections; neuron; tuning"))
    return _table(head, shown)


def breaking(name: str) -> str:
    """A long name, or a source, that a line may break behind its signs and before its capitals."""
    return re.sub(r"(?<=[_(/])|(?<=[a-z])(?=[A-Z])", "<wbr>", said(name)).replace("_", "&#95;")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Markdown:
    lines = [head, [":--"] * len(head), *rows]
    return Markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))
