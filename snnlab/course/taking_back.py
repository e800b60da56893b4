"""Neurons side by side on the same uneven input: how often they say what even input would have made them say."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.methods import Method
from snnlab.files.language import said
from snnlab.neurons import IF, SNM, State
from snnlab.plots.page import PageFigure
from snnlab.plots.style import COLOURS, DASHES, MARKS, house_figure
from snnlab.simulators.run import Trace


class Ungated(SNM):
    """SNM without its memory: sends -1 at v <= -theta, whether or not there is a spike to take back."""

    def gate(self, state: State) -> Tensor:
        """Always open."""
        return torch.ones_like(state.v, dtype=torch.bool)


def uneven_current(T: int, neurons: int, seed: int = 0, synapses: int = 50) -> Tensor:
    """What random spikes bring to each of many neurons, [T, neurons]: weights of both signs, rates of all sizes.

    Each synapse of a weight drawn from N(0, 0.3^2) is hit by a spike with a probability of its own in every step.
    """
    draw = torch.Generator().manual_seed(seed)
    weights = 0.3 * torch.randn(synapses, neurons, generator=draw, dtype=torch.float64)
    rates = torch.rand(synapses, generator=draw, dtype=torch.float64)
    return (torch.rand(T, synapses, generator=draw, dtype=torch.float64) < rates).double() @ weights


def exact_shares(
    neurons: Mapping[str, Callable[..., IF]],
    steps: list[int],
    seed: int = 0,
    many: int = 10_000,
    synapses: int = 50,
) -> dict[str, list[float]]:
    """For each kind, the share of `many` neurons whose count is that of the same input spread evenly, per T."""
    shares: dict[str, list[float]] = {name: [] for name in neurons}
    for T in steps:
        current = uneven_current(T, many, seed, synapses)
        even = (current.sum(0) + 0.5).floor().clamp(0, T)
        for name, kind in neurons.items():
            _, state = kind(torch.tensor(1.0, dtype=torch.float64), 0.5)(current)
            shares[name].append(float((state.count == even).double().mean()))
    return shares


def both_readings() -> dict[str, Method]:
    """SNM and what is told of it, and what lies between: each neuron with the thresholds of the other.

    Theta is the largest activation: of each neuron in the paper, of the whole layer as it is told.
    """
    paper, told = CATALOGUE["snm"], CATALOGUE["snm_counter"]
    return {
        "snm": paper,
        "counter, threshold by neuron": replace(told, name="between", threshold=paper.threshold),
        "signed, threshold by layer": replace(paper, name="between", threshold=told.threshold),
        "snm_counter": told,
    }


def counts_over_time(traces: Mapping[str, Trace]) -> PageFigure:
    """The net count of spikes after each step, a line for each labelled neuron; of each trace the first input.

    Args:
        traces: label to what a neuron did, [T, N], as `watch` gives it.
    """
    shown: list[str] = []
    with house_figure() as (figure, axes):
        for k, (label, trace) in enumerate(traces.items()):
            count = (trace.output / trace.threshold)[:, 0].cumsum(0).tolist()
            style = {"color": COLOURS[k % 6], "marker": MARKS[k % 6], "linestyle": DASHES[k % 6]}
            shown.append(
                said("{label}: {count} in the end").format(label=said(label), count=f"{count[-1]:g}")
            )
            axes.plot([0, *count], label=shown[-1], **style)
        axes.set(xlabel=said("time t [steps]"), ylabel=said("net count of spikes"))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="upper left")
        figure.alt = said("Net count of spikes over the steps. {ends}.").format(ends=said("; ").join(shown))
    return figure
