"""Figures for notebooks, by Matplotlib."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from snnlab.neurons import IF
from snnlab.plots.style import (
    BLUE,
    COLOURS,
    DASHES,
    GREEN,
    GREY,
    MARKS,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    ending,
    house_figure,
    legend_beside,
)
from snnlab.simulators.errors import PARTS, Anatomy
from snnlab.simulators.run import Trace
from snnlab.studies.sweeps import Result


def membrane(trace: Trace, neuron: Sequence[int]) -> Figure:
    """One recorded neuron: its potential, its spikes, and its mean output so far.

    The line is v after each step's reset. A spike is drawn up to v + output: with reset by subtraction the
    potential that fired it.

    Args:
        trace: of one site, as in `run.traces["conv2.act"]`; activation units.
        neuron: index into the trace without its first axis: (image, channel, row, column) or (image, feature),
            or (image, k) for the k-th of chosen neurons.
    Raises: ValueError for an index that the trace does not have.
    """
    index = _checked(trace, neuron)
    v, output = (
        values.movedim(0, -1)[index].double().cpu().numpy() for values in (trace.v, trace.output)
    )  # [T]
    theta, v0 = (_parameter(values, trace, index) for values in (trace.threshold, trace.v0))
    T, fired = len(v), np.flatnonzero(output)
    steps = np.arange(1, T + 1)
    with house_figure(rows=2, height=6.0, ratios=(2, 1)) as (figure, (top, bottom)):
        top.plot(np.arange(T + 1), [v0, *v], color=BLUE, marker="o" if T <= 64 else None, label="potential v")
        top.vlines(steps[fired], v[fired], (v + output)[fired], color=RED, linewidth=2.5, label="spike")
        top.plot(steps[fired], (v + output)[fired], "^", color=RED)
        top.axhline(theta, color=GREY, linestyle="--", label=f"threshold {theta:.3g}")
        top.set(ylabel="potential\n[activation units]")
        bottom.plot(steps, output.cumsum() / steps, color=GREEN, label="mean output so far")
        bottom.axhline(
            output.mean(), color=GREY, linestyle=":", label=f"after {T} steps: {output.mean():.3g}"
        )
        bottom.set(ylabel="mean output\n[activation units]", xlabel="time t [steps]", xlim=(0, T + 0.5))
        bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
        top.set_title(
            f"Neuron {index}: {_spikes(len(fired))} in {T} steps, v0 = {v0:.3g}, v[T] = {v[-1]:.3g}"
        )
        for axes in (top, bottom):
            legend_beside(axes)
    return figure


def rate_against_relu(neurons: Mapping[str, IF], T: int, inputs: Tensor | None = None) -> Figure:
    """Mean output over T steps of constant input, for each labelled neuron, beside the ReLU it should be.

    Args:
        neurons: label to neuron, each with one threshold.
        T: steps, >= 1.
        inputs: constant inputs [M], activation units; None goes from -1/2 to 3/2 of the largest threshold.
    """
    theta = max(float(neuron.threshold.max()) for neuron in neurons.values())
    z = torch.linspace(-theta / 2, 1.5 * theta, 1001, dtype=torch.float64) if inputs is None else inputs
    with house_figure(height=4.8) as (figure, axes), torch.inference_mode():
        axes.plot(z, z.relu(), color=GREY, linestyle="--", label="ReLU")
        for k, (label, neuron) in enumerate(neurons.items()):
            rate = neuron(z.expand(T, -1))[0].mean(0)  # [T, M] -> [M]
            inside = (z >= 0) & (z <= neuron.threshold)
            worst = float((rate - z)[inside].abs().amax()) if inside.any() else 0.0
            shown = f"{label}: at most {worst:.3g} off"
            axes.plot(z, rate, color=COLOURS[k % 6], linestyle=DASHES[k % 6], label=shown)
        axes.set(xlabel="constant input z [activation units]", ylabel="mean output [activation units]")
        axes.set_title(f"Mean output over T = {T} steps, and its error between 0 and the threshold")
        axes.legend()
    return figure


def transfer(
    function: Callable[[Tensor], Tensor], threshold: float | None = None, name: str | None = None
) -> Figure:
    """An activation beside ReLU, with what it loses shaded: quantisation below the threshold, clipping above.

    Args:
        function: maps [M] to [M], activation units: an activation module, or a neuron's mean output as
            `lambda z: neuron(z.expand(T, -1))[0].mean(0)`.
        threshold: where it clips; None takes the activation's own, or the largest value it gives.
        name: for the legend; None takes the class's or function's.
    """
    with torch.inference_mode():
        theta = threshold or _clips_at(function)
        z = torch.linspace(-0.25 * theta, 1.5 * theta, 1401)
        a = function(z).double()
    clipped = z.double().clamp(0, theta)
    name = name or getattr(function, "__name__", type(function).__name__)
    worst = float((a - clipped)[(z >= 0) & (z <= theta)].abs().max())
    with house_figure(height=4.8) as (figure, axes):
        axes.plot(z, z.relu(), color=GREY, linestyle="--", label="ReLU")
        axes.plot(z, a, color=BLUE, label="activation" if name == "<lambda>" else name)
        axes.fill_between(z, a, clipped, color=ORANGE, alpha=0.6, linewidth=0, label="quantisation error")
        axes.fill_between(
            z, clipped, z.relu(), color=PURPLE, alpha=0.35, linewidth=0, hatch="//", label="clipping error"
        )
        axes.axvline(theta, color=GREY, linestyle=":", label=f"threshold {theta:.3g}")
        axes.set(xlabel="input z [activation units]", ylabel="output a [activation units]")
        axes.set_title(f"Quantisation costs at most {worst:.3g}; clipping begins at {theta:.3g}")
        axes.legend(loc="upper left")
    return figure


def accuracy_over_time(curves: Mapping[str, Sequence[float] | Tensor], ann: float | None = None) -> Figure:
    """Accuracy after each step, a line for each labelled curve, the ANN's dashed.

    Args:
        curves: label to accuracies [T], 0 to 1, as from `run.accuracy(labels)`.
        ann: the ANN's accuracy, 0 to 1; None draws no line.
    """
    longest = max(len(curve) for curve in curves.values())
    with house_figure(height=4.8) as (figure, axes):
        if ann is not None:
            axes.axhline(100 * ann, color=GREY, linestyle="--", label=f"ANN: {100 * ann:.1f} %")
        for k, (label, curve) in enumerate(curves.items()):
            percent = 100 * np.asarray(curve, dtype=float)
            axes.plot(
                range(1, len(percent) + 1), percent, color=COLOURS[k % 6], linestyle=DASHES[k % 6],
                marker=MARKS[k % 6] if longest <= 64 else None, label=f"{label}: {percent[-1]:.1f} %",
            )  # fmt: skip
        axes.set(xlabel="time t [steps]", ylabel="accuracy [%]", ylim=(0, 103))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_title(ending(curves, ann))
        legend_beside(axes)
    return figure


def firing_rates(rates: Mapping[str, float]) -> Figure:
    """Spikes per step and neuron, a bar for each layer, the first on top.

    Args:
        rates: site name to firing rate, as in `run.firing_rate`.
    """
    names, values = list(rates), np.fromiter(rates.values(), dtype=float)
    with house_figure(height=1.6 + 0.45 * len(names)) as (figure, axes):
        bars = axes.barh(names, values, color=BLUE, height=0.65)
        axes.bar_label(bars, [f"{value:.3f}" for value in values], padding=4)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set(xlabel="firing rate [spikes per step and neuron]", xlim=(0, 1.12 * max(values.max(), 1e-6)))
        axes.set_title(f"Firing rates, {values.min():.3f} to {values.max():.3f}")
    return figure


def activation_histogram(values: Tensor, thresholds: Mapping[str, float]) -> Figure:
    """How a layer's activations are spread, with candidate thresholds and the share that each would clip.

    Args:
        values: activations of any shape, activation units.
        thresholds: label to threshold, activation units.
    """
    flat = values.detach().double().flatten().cpu()
    zero = float((flat == 0).double().mean())
    with house_figure(height=4.8) as (figure, axes):
        axes.hist(flat.numpy(), bins=80, log=True, color=SKY)
        for k, (label, threshold) in enumerate(thresholds.items()):
            above = float((flat > threshold).double().mean())
            axes.axvline(
                threshold, color=COLOURS[(k + 1) % 6], linestyle=DASHES[k % 6],
                label=f"{label}: {threshold:.3g}, clips {_percent(above)}",
            )  # fmt: skip
        axes.set(xlabel="activation [activation units]", ylabel="number of activations (log)")
        axes.set_title(f"{len(flat):,} activations, {_percent(zero)} of them zero, largest {flat.max():.3g}")
        if thresholds:
            axes.set_ylim(0.5, axes.get_ylim()[1] ** (1.1 + 0.1 * len(thresholds)))  # room for the legend
            axes.legend(loc="upper right")
    return figure


def anatomy(found: Anatomy) -> Figure:
    """Each layer's difference from the ANN, split by cause; below it the accuracy if all layers up to there spike.

    A bar is as high as the mean of |phi - a| in percent of the mean activation, and is divided as the squared
    difference is; a cause that makes up for another hangs below zero.

    Args:
        found: what `errors.anatomy` returns.
    """
    places, rows = np.arange(len(found.layers)), 1 if found.ann_accuracy is None else 2
    heights = [100 * layer.distance / (layer.activation or 1.0) for layer in found.layers.values()]
    with house_figure(rows, 3.4 * rows + 1, ratios=(3, 2)[:rows]) as (figure, axes):
        top, *below = np.atleast_1d(axes)
        above, under = np.zeros(len(places)), np.zeros(len(places))
        for part, color, hatch in zip(PARTS, (GREY, PURPLE, ORANGE, BLUE), ("", "//", "..", ""), strict=True):
            size = np.array([layer.shares[part] for layer in found.layers.values()]) * heights
            start = np.where(size >= 0, above, under)
            top.bar(
                places,
                size,
                0.7,
                bottom=start,
                color=color,
                hatch=hatch,
                edgecolor="white",
                linewidth=0,
                label=part,
            )
            above, under = above + size.clip(min=0), under + size.clip(max=0)
        top.set(ylabel="mean |phi - a|\n[% of the mean a]", title=f"Where it differs, T = {found.T}")
        legend_beside(top)
        for axes_below in below:
            curve = [100 * float(layer.accuracy or 0.0) for layer in found.layers.values()]
            axes_below.plot(places, curve, color=RED, marker="s", label="all up to\nhere spike")
            axes_below.axhline(
                100 * float(found.ann_accuracy or 0.0), color=GREY, linestyle="--", label="ANN"
            )
            low, high = axes_below.get_ylim()
            axes_below.set(ylabel="accuracy [%]", ylim=(low, min(high, 101)))
            legend_beside(axes_below)
        slanted = {"rotation": 45, "ha": "right"} if len(places) > 4 else {}
        (below[-1] if below else top).set_xticks(places, list(found.layers), **slanted)
    return figure


def comparison(results: Mapping[str, Result]) -> Figure:
    """Methods by steps, coloured by accuracy; the last column is the ANN.

    Args:
        results: what `sweeps.compare` returns.
    """
    steps = sorted({T for result in results.values() for T in result.snn_accuracy})
    rows = [[*(r.snn_accuracy[T] for T in steps), r.ann_accuracy] for r in results.values()]
    values = 100 * np.array(rows)
    with house_figure(height=1.4 + 0.34 * len(rows)) as (figure, axes):
        axes.imshow(values, cmap="cividis", vmin=0, vmax=100, aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            color = "black" if value > 55 else "white"
            axes.text(column, row, f"{value:.1f}", ha="center", va="center", color=color, fontsize=11)
        axes.set_xticks(range(len(steps) + 1), [*map(str, steps), "ANN"])
        axes.set_yticks(range(len(rows)), list(results))
        axes.axvline(len(steps) - 0.5, color="white", linewidth=4)
        axes.set(xlabel="time steps T", title="Accuracy [%] after T steps")
        axes.grid(visible=False)
    return figure


def _spikes(number: int) -> str:
    return "1 spike" if number == 1 else f"{number or 'no'} spikes"


def _percent(share: float) -> str:
    """With as many digits as a small share needs."""
    return f"{100 * share:.3g} %"


def _checked(trace: Trace, neuron: Sequence[int]) -> tuple[int, ...]:
    index, shape = tuple(int(i) for i in neuron), tuple(trace.v.shape[1:])
    if len(index) != len(shape) or not all(0 <= i < n for i, n in zip(index, shape, strict=True)):
        raise ValueError(
            f"neuron = {index}, but the trace has images and neurons {shape}: give {len(shape)} indices, each from 0 "
            "and below the number there"
        )
    return index


def _parameter(values: Tensor, trace: Trace, index: tuple[int, ...]) -> float:
    """A neuron's threshold or v0, which broadcasts against [...]."""
    return float(torch.broadcast_to(torch.as_tensor(values), trace.v.shape[1:])[index])


def _clips_at(function: Callable[[Tensor], Tensor]) -> float:
    own = getattr(function, "theta", None)
    return float(own) if own is not None else float(function(torch.linspace(0, 100, 2001)).max())
