"""Figures of accuracies: over the steps of one run, and methods by steps."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.neurons.settings import whole
from snnlab.plots import pictures
from snnlab.plots.page import PageFigure
from snnlab.plots.style import (
    COLOURS,
    DASHES,
    MARKS,
    check_curves,
    house_figure,
    legend_above,
    titled,
)
from snnlab.plots.theme import BLUE, GREY, PAPER, RED
from snnlab.studies.sweeps import Result


@door
def accuracy_over_time(
    curves: Mapping[str, Sequence[float] | Tensor], ann: float | None = None
) -> PageFigure:
    """Accuracy after each step, a line for each labelled curve, the ANN's dashed.

    Args:
        curves: label to accuracy after each step [T], 0 to 1.
        ann: accuracy of the ANN, 0 to 1.
    """
    with house_figure(height=5.0) as (figure, axes):
        picture = pictures.curves(curves, ann)
        shown = {label: f"{label}: {percent[-1]:.1f} %" for label, percent in picture.lines.items()}
        if picture.level is not None:
            axes.axhline(picture.level, color=GREY, linestyle="--", label=f"ANN: {picture.level:.1f} %")
        for k, (label, percent) in enumerate(picture.lines.items()):
            axes.plot(
                range(1, len(percent) + 1), percent, color=COLOURS[k % 6], linestyle=DASHES[k % 6],
                marker=MARKS[k % 6] if picture.longest <= 64 else None, label=shown[label],
            )  # fmt: skip
        axes.set(xlabel=picture.xlabel, ylabel=said(pictures.ACCURACY), ylim=pictures.PERCENT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        titled(figure, axes, picture.title)
        legend_above(axes)
        told = said(" Accuracy over the steps; at the end {ends}.")
        figure.alt += told.format(ends=said(", ").join(shown.values()))
    return figure


@door
def accuracy_at(accuracy: Tensor, ann: float, t: int, T: int) -> PageFigure:
    """One run's accuracy after each step, with step t marked, on an axis of T steps.

    Args:
        accuracy: after each step, [T or fewer], 0 to 1. ann: of the ANN, 0 to 1. t: 1 to the number of steps.
    """
    check_curves({"": accuracy}, "accuracy")
    t = whole(t, "t", 1, len(accuracy))
    with house_figure(height=3.4) as (figure, axes):
        steps, percent = range(1, len(accuracy) + 1), 100 * accuracy
        axes.plot(steps, percent, ".-", color=BLUE, label=said("spiking network"))
        axes.axhline(100 * ann, color=GREY, linestyle="--", label="ANN")
        axes.plot([t], [percent[t - 1]], "o", color=RED, markersize=9, label=f"t = {t}")
        axes.set(
            xlabel=said("t [steps]"), ylabel=said(pictures.ACCURACY), ylim=pictures.PERCENT, xlim=(0, T + 1)
        )
        legend_above(axes)
        told = said(
            "Accuracy over the steps: {first} % after the first, {there} % at t = {t}, {last} % after {steps}; the "
            "ANN {ann} %."
        )
        shown = {"first": percent[0], "there": percent[t - 1], "last": percent[-1], "ann": 100 * ann}
        figure.alt = told.format(
            t=t, steps=len(accuracy), **{name: f"{value:.1f}" for name, value in shown.items()}
        )
    return figure


@door
def comparison(results: Mapping[str, Result]) -> PageFigure:
    """Methods by steps, coloured by accuracy; the last column is the ANN.

    Args:
        results: what `sweeps.compare` returns.
    """
    with house_figure(height=1.4 + 0.34 * len(results)) as (figure, axes):
        picture = pictures.fields(results)
        values = np.array(picture.values)
        axes.imshow(values, cmap="cividis", vmin=0, vmax=100, aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            color = "black" if value > 55 else "white"
            axes.text(column, row, f"{value:.1f}", ha="center", va="center", color=color, fontsize=11)
        axes.set_xticks(range(len(picture.columns)), picture.columns)
        axes.set_yticks(range(len(values)), picture.names)
        axes.axvline(len(picture.steps) - 0.5, color=PAPER, linewidth=4)
        axes.set(xlabel=picture.xlabel)
        axes.grid(visible=False)
        titled(figure, axes, picture.title)
        told = (
            f"{name}: {', '.join(f'{x:.1f} ({T})' for T, x in zip(picture.columns, row, strict=True))}"
            for name, row in zip(picture.names, values, strict=True)
        )
        figure.alt += said(" {told}.").format(told=said("; ").join(told))
    return figure
