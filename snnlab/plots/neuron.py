"""Figures of a neuron: its potential over the steps, and its mean output over its input."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from snnlab.files.language import said
from snnlab.neurons import IF
from snnlab.neurons.door import door, shown
from snnlab.neurons.settings import whole
from snnlab.plots.page import PageFigure
from snnlab.plots.style import COLOURS, DASHES, check_curves, check_some, house_figure, legend_above, titled
from snnlab.plots.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED
from snnlab.simulators.run import Trace

DOTS = 48
"""Steps up to which each potential after a step has its dot, as in the explorers."""


@door
def membrane(trace: Trace, neuron: Sequence[int]) -> PageFigure:
    """One recorded neuron: its potential, its spikes, and its mean output so far, drawn as the explorers draw them.

    In each step the potential rises or falls to v + output, with reset by subtraction the potential that met the
    threshold; a triangle stands where the neuron fires, and the dashed line is its reset, down to the dot, v.

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
    T, spikes, rate = len(v), np.rint(output / theta), output.cumsum() / np.arange(1, len(v) + 1)
    with house_figure(rows=3, height=6.4, ratios=(6, 1.2, 4)) as (figure, (top, middle, bottom)):
        _potential(top, np.array([v0, *v]), output, theta)
        _spike_row(middle, spikes)
        bottom.plot(np.arange(1, T + 1), rate, ".-" if T <= DOTS else "-", color=GREEN)
        bottom.axhline(theta, color=RED, linestyle="--", linewidth=1.5)
        bottom.set(ylabel=said("mean output\nso far"), xlabel=said("time t [steps]"), xlim=(0, T + 0.5))
        bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
        title = said("{name}: {spikes} in {T} steps")
        titled(figure, top, title.format(name=_named(index), spikes=_spikes(int(spikes.sum())), T=T))
        legend_above(top, 2)
        told = said(
            " The potential starts at {v0} and ends at {end}; the threshold is {theta}. The mean output over all "
            "steps is {mean}."
        )
        shown = {"v0": v0, "end": v[-1], "theta": theta, "mean": rate[-1]}
        figure.alt += told.format(**{name: f"{value:.3g}" for name, value in shown.items()})
    return figure


def _potential(axes: Axes, v: np.ndarray, output: np.ndarray, theta: float) -> None:
    """From each potential, v [T + 1], to that before the reset; then the reset, where there is a spike."""
    steps, peak = np.arange(1, len(v)), v[1:] + output
    fired, apart = np.flatnonzero(output), np.full(len(output), np.nan)
    rises = np.stack([steps - 1, steps, apart], 1).ravel(), np.stack([v[:-1], peak, apart], 1).ravel()
    span = said("potential v, {first} to {last}").format(first=f"{v[0]:.3g}", last=f"{v[-1]:.3g}")
    axes.plot(*rises, color=BLUE, label=span)
    axes.axhline(theta, color=RED, linestyle="--", linewidth=1.5, label=_threshold(theta))
    axes.vlines(
        steps[fired],
        v[1:][fired],
        peak[fired],
        color=BLUE,
        linewidth=1.2,
        linestyle=(0, (3, 3)),
        label=said("reset"),
    )
    for sign, mark in ((1, "^"), (-1, "v")):
        at = fired[sign * output[fired] > 0]
        if len(at):
            axes.plot(
                steps[at],
                peak[at],
                mark,
                color=INK,
                markersize=7,
                label=said("fires") if sign > 0 else said("takes back"),
            )
    if len(output) <= DOTS:
        axes.plot(np.arange(len(v)), v, "o", color=BLUE, markersize=4)
    axes.set(ylabel=said("potential\n[activation units]"))


def _spike_row(axes: Axes, spikes: np.ndarray) -> None:
    """A stroke a spike, downwards for one taken back."""
    for sign, color in ((1, INK), (-1, PURPLE)):
        at = np.flatnonzero(sign * spikes > 0)
        axes.vlines(at + 1, 0, spikes[at], color=color, linewidth=3)
    axes.set(yticks=[], ylim=(min(0.0, 1.1 * spikes.min()), 1.1 * max(1.0, spikes.max())))
    axes.set_ylabel(said("spikes"))
    axes.grid(visible=False)


@door
def rate_against_relu(neurons: Mapping[str, IF], T: int, inputs: Tensor | None = None) -> PageFigure:
    """Mean output over T steps of constant input, for each labelled neuron, beside the ReLU it should be.

    Args:
        neurons: label to neuron, each with one threshold.
        T: steps, >= 1.
        inputs: constant inputs [M], activation units; None goes from -1/2 to 3/2 of the largest threshold.
    """
    check_some("neurons", neurons, "a neuron or more, by label")
    T = whole(T, "T", most=2**16)
    if inputs is not None:
        check_curves({"": inputs.float()}, "inputs")
        inputs = inputs.float() if not inputs.is_floating_point() else inputs
    theta = max(float(neuron.threshold.max()) for neuron in neurons.values())
    z = torch.linspace(-theta / 2, 1.5 * theta, 1001, dtype=torch.float64) if inputs is None else inputs
    shown = []
    with house_figure(height=4.8) as (figure, axes), torch.inference_mode():
        axes.plot(z, z.relu(), color=GREY, linestyle="--", label="ReLU")
        for k, (label, neuron) in enumerate(neurons.items()):
            rate = neuron(z.expand(T, -1))[0].mean(0)  # [T, M] -> [M]
            inside = (z >= 0) & (z <= neuron.threshold)
            worst = float((rate - z)[inside].abs().amax()) if inside.any() else 0.0
            shown.append(said("{label}: at most {worst} off").format(label=said(label), worst=f"{worst:.3g}"))
            axes.plot(z, rate, color=COLOURS[k % 6], linestyle=DASHES[k % 6], label=shown[-1])
        axes.set(xlabel=said("constant input z [activation units]"))
        axes.set(ylabel=said("mean output [activation units]"))
        title = said("Mean output over T = {T} steps, and its error between 0 and the threshold")
        titled(figure, axes, title.format(T=T))
        axes.legend()
        figure.alt += said(" Beside ReLU, {told}.").format(told=said("; ").join(shown))
    return figure


@door
def transfer(
    function: Callable[[Tensor], Tensor], threshold: float | None = None, name: str | None = None
) -> PageFigure:
    """An activation beside ReLU, with what it loses shaded: quantisation below the threshold, clipping above.

    Args:
        function: maps [M] to [M], activation units: an activation module, or a neuron's mean output as
            `lambda z: neuron(z.expand(T, -1))[0].mean(0)`.
        threshold: where it clips; None takes the activation's own, or the largest value it gives.
        name: for the legend; None takes the class's or function's.
    """
    with torch.inference_mode():
        theta = threshold or _clips_at(function)
        if not 0 < theta < math.inf:
            raise ValueError(f"threshold = {theta:g}, but it must be a finite number greater than 0")
        z = torch.linspace(-0.25 * theta, 1.5 * theta, 1401)
        a = _mapped(function, z).double()
    clipped = z.double().clamp(0, theta)
    name = name or str(getattr(function, "__name__", type(function).__name__))
    worst = float((a - clipped)[(z >= 0) & (z <= theta)].abs().max())
    with house_figure(height=4.8) as (figure, axes):
        axes.plot(z, z.relu(), color=GREY, linestyle="--", label="ReLU")
        axes.plot(z, a, color=BLUE, label=said("activation") if name == "<lambda>" else said(name))
        axes.fill_between(
            z, a, clipped, color=ORANGE, alpha=0.6, linewidth=0, label=said("quantisation error")
        )
        axes.fill_between(
            z,
            clipped,
            z.relu(),
            color=PURPLE,
            alpha=0.35,
            linewidth=0,
            hatch="//",
            label=said("clipping error"),
        )
        axes.axvline(theta, color=GREY, linestyle=":", label=_threshold(theta))
        axes.set(xlabel=said("input z [activation units]"), ylabel=said("output a [activation units]"))
        title = said("Quantisation costs at most {worst}; clipping begins at {theta}")
        titled(figure, axes, title.format(worst=f"{worst:.3g}", theta=f"{theta:.3g}"))
        axes.legend(loc="upper left")
        figure.alt += said(" A staircase beside ReLU; the areas between the two are shaded.")
    return figure


def _spikes(number: int) -> str:
    if number == 1:
        return said("1 spike")
    return said("{number} spikes").format(number=number) if number else said("no spikes")


def _threshold(theta: float) -> str:
    return said("threshold {theta}").format(theta=f"{theta:.3g}")


def _named(index: tuple[int, ...]) -> str:
    """Neuron 3; of a trace of several images Image 0, neuron 3."""
    first, *rest = index
    if not rest:
        return said("Neuron {neuron}").format(neuron=first)
    neuron = rest[0] if len(rest) == 1 else tuple(rest)
    return said("Image {image}, neuron {neuron}").format(image=first, neuron=neuron)


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


def _mapped(function: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    a = function(z)
    if not isinstance(a, Tensor) or a.shape != z.shape or not bool(a.isfinite().all()):
        raise ValueError(
            f"function gives {shown(a)}, but it must map numbers {list(z.shape)} to as many finite ones"
        )
    return a


def _clips_at(function: Callable[[Tensor], Tensor]) -> float:
    own = getattr(function, "theta", None)
    return float(own) if own is not None else float(_mapped(function, torch.linspace(0, 100, 2001)).max())
