"""Figures of a network's layers: firing rates, activations, where it differs from the ANN; and plain bars and lines."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.plots import pictures
from snnlab.plots.page import PageFigure
from snnlab.plots.pictures import Parts
from snnlab.plots.style import (
    CAUSES,
    COLOURS,
    DASHES,
    MARKS,
    check_some,
    filled,
    house_figure,
    legend_above,
    titled,
)
from snnlab.plots.theme import BLUE, GREY, INK, PAPER, RED, SKY
from snnlab.simulators.errors import Anatomy

HATCHES = ("", "//", "..", "xx", "\\\\", "||")


@door
def firing_rates(rates: Mapping[str, float]) -> PageFigure:
    """Spikes per step and neuron, a bar for each layer, the first on top.

    Args:
        rates: site name to firing rate, as in `run.firing_rate`.
    """
    with house_figure(height=1.6 + 0.45 * len(rates)) as (figure, axes):
        picture = pictures.rates(rates)
        names, values = picture.names, picture.values
        bars = axes.barh(names, values, color=BLUE, height=0.65)
        axes.bar_label(bars, picture.texts, padding=4)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set(xlabel=picture.xlabel, xlim=(0, 1.12 * max(*values, 1e-6)))
        titled(figure, axes, picture.title)
        told = (f"{name} {text}" for name, text in zip(names, picture.texts, strict=True))
        figure.alt += said(" {told}.").format(told=said(", ").join(told))
    return figure


@door
def activation_histogram(values: Tensor, thresholds: Mapping[str, float]) -> PageFigure:
    """How a layer's activations are spread, with candidate thresholds and the share that each would clip.

    Args:
        values: activations of any shape, activation units.
        thresholds: label to threshold, activation units.
    """
    check_some("values", values, "numbers")
    flat = values.detach().double().flatten().cpu()
    zero, shown = float((flat == 0).double().mean()), []
    with house_figure(height=4.8) as (figure, axes):
        axes.hist(flat.numpy(), bins=80, log=True, color=SKY)
        for k, (label, threshold) in enumerate(thresholds.items()):
            above = float((flat > threshold).double().mean())
            clips = said("{label}: {threshold}, clips {share}")
            shown.append(clips.format(label=said(label), threshold=f"{threshold:.3g}", share=_percent(above)))
            axes.axvline(threshold, color=COLOURS[(k + 1) % 6], linestyle=DASHES[k % 6], label=shown[-1])
        axes.set(xlabel=said("activation [activation units]"), ylabel=said("number of activations (log)"))
        title = said("{count} activations, {share} of them zero, largest {largest}")
        numbers = {"count": f"{len(flat):,}", "share": _percent(zero), "largest": f"{flat.max():.3g}"}
        titled(figure, axes, title.format(**numbers))
        if thresholds:
            legend_above(axes, 1)
            figure.alt += said(" Thresholds: {told}.").format(told=said("; ").join(shown))
    return figure


@door
def anatomy(found: Anatomy) -> PageFigure:
    """Each layer's difference from the ANN, split by cause; below it the accuracy if all layers up to there spike.

    A bar is as high as the mean of |phi - a| in percent of the mean activation, and is divided as the squared
    difference is; a cause that makes up for another hangs below zero.

    Args:
        found: what `errors.anatomy` returns.
    """
    names, rows = list(found.layers), 1 if found.ann_accuracy is None else 2
    with house_figure(rows, 3.4 * rows + 1, ratios=(3, 2)[:rows]) as (figure, axes):
        picture = pictures.parts(found)
        top, *below = np.atleast_1d(axes)
        above, under = np.zeros(len(names)), np.zeros(len(names))
        for cause in picture.shares:
            color, hatch = CAUSES[cause]
            size = np.array(picture.sizes(cause))
            look = {
                "color": color,
                "hatch": 2 * hatch,
                "edgecolor": PAPER,
                "linewidth": 0,
                "label": said(cause),
            }
            top.bar(range(len(names)), size, 0.7, bottom=np.where(size >= 0, above, under), **look)
            above, under = above + size.clip(min=0), under + size.clip(max=0)
        top.set(ylabel=picture.ylabel.replace(" [", "\n["))
        titled(figure, top, picture.title)
        told = said("; ").join(_told(picture, k) for k in range(len(names)))
        figure.alt += said(" {told}.").format(told=told)
        legend_above(top, 5)
        for axes_below in below:
            _accuracies(axes_below, picture)
        slanted = {"rotation": 45, "ha": "right"} if len(names) > 4 else {}
        (below[-1] if below else top).set_xticks(range(len(names)), names, **slanted)
    return figure


def _told(picture: Parts, k: int) -> str:
    shares = (f"{said(cause)} {100 * share[k]:.0f} %" for cause, share in picture.shares.items())
    told = said("{layer}: {percent} % of the mean activation, by {shares}")
    percent = f"{picture.heights[k]:.1f}"
    return told.format(layer=picture.names[k], percent=percent, shares=said(", ").join(shares))


def _accuracies(axes: Axes, picture: Parts) -> None:
    """Of the network whose layers spike up to each, beside the ANN's; a percentage has no place above 100."""
    curve, ann = picture.curve or [], picture.level or 0.0
    axes.plot(range(len(curve)), curve, color=RED, marker="s", label=picture.spiking)
    axes.axhline(ann, color=GREY, linestyle="--", label="ANN")
    low, high = min(*curve, ann), max(*curve, ann)
    room = max(0.15 * (high - low), 0.5)
    axes.set(ylabel=said(pictures.ACCURACY), ylim=(max(low - room, 0), high + room))
    axes.set_yticks([tick for tick in axes.get_yticks() if low - room <= tick <= min(high + room, 100)])
    legend_above(axes, 2)


@door
def bars(panels: Mapping[str, Mapping[str, Mapping[str, float]]]) -> PageFigure:
    """Bars side by side, a panel for each title: of each labelled series one bar in each place, the first on top.

    Args:
        panels: title, with its unit, to label to place to number: {"silent [%]": {"opi": {"conv1.act": 3.0}}}. The
            panels have the same places.
    """
    check_some("panels", panels, "a panel or more")
    for panel in panels.values():
        check_some("panels", panel, "in each panel a label or more")
    places = list(next(iter(next(iter(panels.values())).values())))
    widest = max(len(series) for series in panels.values())
    told = []
    with house_figure(height=1.7 + 0.24 * len(places) * widest, columns=len(panels)) as (figure, axes):
        for axis, (name, given) in zip(np.atleast_1d(axes), panels.items(), strict=True):
            title, series = said(name), {said(label): values for label, values in given.items()}
            thick = 0.8 / len(series)
            for k, (label, values) in enumerate(series.items()):
                at = np.arange(len(places)) + thick * (k - (len(series) - 1) / 2)
                look = {"color": COLOURS[k % 6], "hatch": HATCHES[k % 6], "edgecolor": PAPER, "linewidth": 0}
                axis.barh(at, [values[place] for place in places], 0.92 * thick, label=label, **look)
                heights = said(", ").join(f"{p} {values[p]:.3g}" for p in places)
                told.append(
                    said("{title}, {label}: {heights}").format(title=title, label=label, heights=heights)
                )
            first = axis is np.atleast_1d(axes)[0]
            axis.set_yticks(range(len(places)), places if first else [""] * len(places))
            axis.axvline(0, color=INK, linewidth=1)
            axis.grid(axis="y", visible=False)
            axis.invert_yaxis()
            axis.set_xlabel(filled(title, 52 // len(panels)))
            legend_above(axis, 2)
        figure.alt = said("{told}.").format(told=said("; ").join(told))
    return figure


@door
def lines(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    xlabel: str,
    ylabel: str,
    marked: Mapping[str, float] | None = None,
) -> PageFigure:
    """Lines by label, each with a marker at its points.

    Args:
        curves: label to the places and the heights of its points.
        marked: label to a place on the horizontal axis that a dotted line marks.
    """
    for x, y in curves.values():
        if not len(x) == len(y) > 0:
            raise ValueError(
                f"curves has {len(x)} places and {len(y)} heights, but they must be as many, 1 or more"
            )
    with house_figure(height=4.8) as (figure, axes):
        for label, place in (marked or {}).items():
            axes.axvline(place, color=GREY, linestyle=":", label=said(label))
        for k, (label, (x, y)) in enumerate(curves.items()):
            look = {"color": COLOURS[k % 6], "linestyle": DASHES[k % 6], "marker": MARKS[k % 6]}
            axes.plot(x, y, label=said(label), **look)
        axes.set(xlabel=said(xlabel), ylabel=said(ylabel))
        titled(figure, axes, said(title))
        legend_above(axes)
        end = said("{label} from {first} to {last}")
        ends = (
            end.format(label=said(label), first=f"{y[0]:.3g}", last=f"{y[-1]:.3g}")
            for label, (_, y) in curves.items()
        )
        told = said(" {ylabel} over {xlabel}: {ends}.")
        figure.alt += told.format(ylabel=said(ylabel), xlabel=said(xlabel), ends=said("; ").join(ends))
    return figure


def _percent(share: float) -> str:
    """With as many digits as a small share needs."""
    return f"{100 * share:.3g} %"
