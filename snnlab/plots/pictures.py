"""What a figure shows, said once: numbers and words that Matplotlib draws for a notebook, and Plotly for a page.

`accuracy_over_time` and `accuracy_chart` are two drawings of one picture, and so are `comparison` and its chart,
`firing_rates` and `rates_chart`, `anatomy` and its chart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from snnlab.files.language import said
from snnlab.plots.style import check_curves, check_some, ending
from snnlab.simulators.errors import Anatomy
from snnlab.studies.sweeps import Result

ACCURACY, PERCENT = "accuracy [%]", (0, 103)
"""The name of an axis of accuracies, and what it reaches: a line at 100 % is seen whole."""


@dataclass(frozen=True)
class Curves:
    """Accuracies in percent after each step, by label; `level` is the ANN's."""

    lines: dict[str, list[float]]
    level: float | None
    title: str
    xlabel: str = field(default_factory=lambda: said("time t [steps]"))

    @property
    def longest(self) -> int:
        """The most steps of a line."""
        return max(map(len, self.lines.values()))


def curves(given: Mapping[str, Sequence[float] | Tensor], ann: float | None) -> Curves:
    """Of accuracies from 0 to 1. Raises: ValueError for none, or what is no series of finite numbers."""
    check_curves(given)
    lines = {said(label): [100 * float(value) for value in curve] for label, curve in given.items()}
    return Curves(lines, None if ann is None else 100 * ann, ending(given, ann))


@dataclass(frozen=True)
class Rates:
    """A bar for each layer, the first on top, each with its `texts`."""

    names: list[str]
    values: list[float]
    title: str
    xlabel: str = field(default_factory=lambda: said("spikes per step and neuron"))

    @property
    def texts(self) -> list[str]:
        """The numbers at the bars."""
        return [f"{value:.3f}" for value in self.values]


def rates(given: Mapping[str, float]) -> Rates:
    """Of firing rates by layer. Raises: ValueError for none."""
    check_some("rates", given)
    values = [float(value) for value in given.values()]
    title = said("Firing rates, {least} to {most}").format(
        least=f"{min(values):.3f}", most=f"{max(values):.3f}"
    )
    return Rates(list(given), values, title)


@dataclass(frozen=True)
class Fields:
    """Methods by steps, in percent; the last of the `columns` is the ANN."""

    names: list[str]
    steps: list[int]
    values: list[list[float]]
    title: str = field(default_factory=lambda: said("Accuracy [%] after T steps"))
    xlabel: str = field(default_factory=lambda: said("time steps T"))

    @property
    def columns(self) -> list[str]:
        """Their heads."""
        return [*map(str, self.steps), "ANN"]


def fields(given: Mapping[str, Result]) -> Fields:
    """Of the results of a comparison. Raises: ValueError for none."""
    check_some("results", given)
    steps = sorted({T for result in given.values() for T in result.snn_accuracy})
    shares = ([*(result.snn_accuracy[T] for T in steps), result.ann_accuracy] for result in given.values())
    return Fields(list(given), steps, [[100 * share for share in row] for row in shares])


@dataclass(frozen=True)
class Parts:
    """For each layer how far it is from the ANN, in percent of the mean activation, and each cause's part of that.

    `shares` are the causes' shares, 0 to 1; `curve` the accuracy in percent if all layers up to each spike, `level`
    the ANN's, both only where labels were known.
    """

    names: list[str]
    heights: list[float]
    shares: dict[str, list[float]]
    curve: list[float] | None
    level: float | None
    title: str
    ylabel: str = field(default_factory=lambda: said("mean |phi - a| [% of the mean a]"))
    spiking: str = field(default_factory=lambda: said("all layers up to here spike"))

    def sizes(self, cause: str) -> list[float]:
        """What of each bar a cause takes; below zero where it makes up for another."""
        return [share * height for share, height in zip(self.shares[cause], self.heights, strict=True)]


def parts(found: Anatomy) -> Parts:
    """Of what `errors.anatomy` returns."""
    layers = list(found.layers.values())
    labelled = found.ann_accuracy is not None
    return Parts(
        list(found.layers),
        [100 * layer.distance / (layer.activation or 1.0) for layer in layers],
        {cause: [layer.shares[cause] for layer in layers] for cause in found.causes},
        [100 * float(layer.accuracy or 0.0) for layer in layers] if labelled else None,
        100 * float(found.ann_accuracy or 0.0) if labelled else None,
        said("What each layer differs by, and why, T = {T}").format(T=found.T),
    )
