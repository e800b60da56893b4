"""What a threshold costs on real activations: the two errors, and the best compromise.

References:
  1) The closed form for constant input: Bu et al. 2022, ICLR (QCFS)
  2) The threshold of least squared error: Li et al. 2021, ICML (SNN calibration)
"""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

from snnlab.files.language import said
from snnlab.plots.page import PageFigure
from snnlab.plots.style import COLOURS, house_figure, legend_above, titled
from snnlab.plots.theme import BLUE, GREY, RED


class Errors(NamedTuple):
    """Squared errors summed over activations: of those above the threshold, and of the others."""

    clipping: float
    quantisation: float

    @property
    def total(self) -> float:
        """Both together: there is no third."""
        return self.clipping + self.quantisation


def staircase(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """An IF neuron's mean output for a constant input, without simulating.

        phi = theta / T * clip(floor((T z + v0) / theta), 0, T)        Bu et al. 2022, ICLR

    Args:
        z: [...], activation units. threshold: theta > 0. v0: 0 <= v0 < theta. T: steps, >= 1.
    Raises: ValueError that says which of them is out of range.
    """
    if not threshold > 0 or not 0 <= v0 < threshold or T < 1:
        raise ValueError(
            f"threshold = {threshold}, v0 = {v0}, T = {T}: needed are 0 <= v0 < threshold and T >= 1"
        )
    return threshold / T * ((T * z.double() + v0) / threshold).floor().clamp(0, T)


def errors(activations: Tensor, threshold: float, T: int, share: float = 0.5) -> Errors:
    """What neurons that start at `share` of their threshold make of these activations, [...], after T steps."""
    a = activations[activations > 0].double()  # half of them are zero and stay zero: no error, no work
    squares = (staircase(a, threshold, share * threshold, T) - a).square()
    above = a > threshold
    return Errors(float(squares[above].sum()), float(squares[~above].sum()))


def best(activations: Tensor, T: int, share: float = 0.5, candidates: int = 64) -> float:
    """The threshold with the least squared error, among k / candidates of the largest activation.    Li 2021"""
    largest = float(activations.max())
    tried = [largest * k / candidates for k in range(1, candidates + 1)]
    return min(tried, key=lambda threshold: errors(activations, threshold, T, share).total)


def errors_against_threshold(activations: Tensor, T: int, thresholds: Mapping[str, float]) -> PageFigure:
    """Both errors for every threshold up to the largest activation; the labelled thresholds are marked.

    Args:
        activations: of one layer, any shape, activation units. T: steps, >= 1.
        thresholds: label to threshold, activation units.
    """
    largest = float(activations.max())
    tried = [largest * k / 100 for k in range(8, 101)]
    found = [errors(activations, threshold, T) for threshold in tried]
    with house_figure(height=4.8) as (figure, axes):
        axes.semilogy(
            tried, [e.total for e in found], color=GREY, linewidth=4, alpha=0.5, label=said("together")
        )
        axes.semilogy(tried, [e.quantisation for e in found], color=BLUE, label=said("quantisation"))
        clipping = [e.clipping if e.clipping > 0 else float("nan") for e in found]
        axes.semilogy(tried, clipping, color=RED, linestyle="--", label=said("clipping"))
        for k, (label, threshold) in enumerate(thresholds.items()):
            colour, total = COLOURS[(k + 2) % 6], errors(activations, threshold, T).total
            axes.plot([threshold], [total], "osD^"[k % 4], color=colour, label=f"{said(label)}: {total:,.0f}")
        axes.set(xlabel=said("threshold [activation units]"), ylabel=said("summed squared error"))
        axes.set(ylim=(min(e.total for e in found) / 20, None))
        titled(figure, axes, said("T = {T}: two errors, one threshold").format(T=T))
        legend_above(axes, 2)
        least = min(zip(found, tried, strict=True), key=lambda pair: pair[0].total)
        told = said(" Clipping falls with the threshold, quantisation rises; least together at {threshold}.")
        figure.alt += told.format(threshold=f"{least[1]:.3g}")
    return figure
