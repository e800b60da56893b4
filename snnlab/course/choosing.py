"""What a threshold costs on real activations: the two errors, the best compromise, and sliders to look for it.

References:
  1) The closed form for constant input: Bu et al. 2022, ICLR (QCFS)
  2) The threshold of least squared error: Li et al. 2021, ICML (SNN calibration)
"""

from collections.abc import Mapping
from io import BytesIO
from typing import NamedTuple

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure
from torch import Tensor

from snnlab.plots.style import BLUE, COLOURS, DASHES, GREY, RED, SKY, house_figure


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


def errors_against_threshold(activations: Tensor, T: int, thresholds: Mapping[str, float]) -> Figure:
    """Both errors for every threshold up to the largest activation; the labelled thresholds are marked.

    Args:
        activations: of one layer, any shape, activation units. T: steps, >= 1.
        thresholds: label to threshold, activation units.
    """
    largest = float(activations.max())
    tried = [largest * k / 100 for k in range(8, 101)]
    found = [errors(activations, threshold, T) for threshold in tried]
    with house_figure(height=4.8) as (figure, axes):
        axes.semilogy(tried, [e.total for e in found], color=GREY, linewidth=4, alpha=0.5, label="together")
        axes.semilogy(tried, [e.quantisation for e in found], color=BLUE, label="quantisation")
        clipping = [e.clipping if e.clipping > 0 else float("nan") for e in found]
        axes.semilogy(tried, clipping, color=RED, linestyle="--", label="clipping")
        for k, (label, threshold) in enumerate(thresholds.items()):
            colour, total = COLOURS[(k + 2) % 6], errors(activations, threshold, T).total
            axes.plot([threshold], [total], "osD^"[k % 4], color=colour, label=f"{label}: {total:,.0f}")
        axes.set(xlabel="threshold [activation units]", ylabel="summed squared error")
        axes.set(ylim=(min(e.total for e in found) / 20, None))
        axes.set_title(f"T = {T}: two errors, one threshold")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


class ThresholdExplorer(widgets.VBox):
    """A layer's activations, the staircase that neurons make of them, and what it costs; with three sliders.

    Args:
        activations: of one layer, any shape, activation units.
        T, share: where the sliders for the steps and for v0 / threshold start.
    """

    def __init__(self, activations: Tensor, T: int = 8, share: float = 0.0) -> None:
        self.activations, largest = activations.flatten().double(), float(activations.max())
        layout = widgets.Layout(width="min(100%, 34em)")
        common = {"layout": layout, "style": {"description_width": "8em"}}
        self.T = widgets.IntSlider(T, 1, 128, description="T", **common)
        self.threshold = widgets.FloatSlider(
            largest, min=largest / 64, max=largest, step=largest / 64, description="threshold", **common
        )
        self.share = widgets.FloatSlider(
            share, min=0.0, max=0.875, step=0.125, description="v0 / threshold", **common
        )
        self.picture = widgets.Image(format="png", layout=widgets.Layout(width="min(100%, 44em)"))
        self.says = widgets.HTML()
        for slider in (self.T, self.threshold, self.share):
            slider.observe(self._show, "value")
        super().__init__([self.T, self.threshold, self.share, self.picture, self.says])
        self._show()

    def _show(self, _: object = None) -> None:
        T, theta, share = self.T.value, self.threshold.value, self.share.value
        found = errors(self.activations, theta, T, share)
        clipped = 100 * float((self.activations > theta).double().mean())
        self.says.value = (
            f"{clipped:.2g} % of the activations are clipped; the others are rounded in steps of {theta / T:.3f}. "
            f"Summed squared error: clipping {found.clipping:,.0f} + quantisation {found.quantisation:,.0f} "
            f"= <b>{found.total:,.0f}</b>."
        )
        self.picture.value = _picture(self.activations, theta, share * theta, T)


def _picture(activations: Tensor, threshold: float, v0: float, T: int) -> bytes:
    """The staircase over the histogram of the activations, as a PNG."""
    z = torch.linspace(0, float(activations.max()), 1201, dtype=torch.float64)
    with house_figure(height=4.2) as (figure, axes):
        counts = axes.twinx()
        counts.hist(activations.numpy(), bins=80, log=True, color=SKY, alpha=0.4)
        counts.set_ylabel("number of activations (log)")
        counts.grid(visible=False)
        axes.plot(z, z, color=GREY, linestyle="--", label="ReLU")
        axes.plot(z, staircase(z, threshold, v0, T), color=BLUE, linestyle=DASHES[0], label="mean output")
        axes.axvline(threshold, color=RED, linestyle=":", label=f"threshold {threshold:.3g}")
        axes.set(xlabel="activation, or constant input [activation units]", ylabel="mean output")
        axes.set_zorder(counts.get_zorder() + 1)
        axes.patch.set_visible(False)
        axes.legend(loc="upper left")
    file = BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()
