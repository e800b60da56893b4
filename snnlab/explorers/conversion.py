"""Sliders for a whole conversion: the network is converted and run anew for each setting, on the kernel.

The front end sends a slider's newest value once the kernel has answered for the one before, so requests never pile up.
"""

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from snnlab.converters.catalogue import CATALOGUE, find
from snnlab.converters.choices.potentials import half
from snnlab.converters.choices.site import Site
from snnlab.converters.conversion import convert
from snnlab.converters.methods import Method
from snnlab.datasets import Data, Split
from snnlab.simulators.coding import Coding
from snnlab.simulators.run import Run
from snnlab.simulators.simulation import simulate

CODINGS: dict[str, Coding] = {"constant current": "constant", "Poisson spikes": "poisson"}
"""What a menu calls them."""


def tuned(method: str | Method, scale: float = 1.0, share: float | None = None) -> Method:
    """The method with every threshold multiplied by `scale`, every neuron starting at `share` of its threshold.

    Args:
        scale: > 0.
        share: of the threshold, None leaves the method's own v0.
    Raises: ValueError if scale is not greater than 0.
    """
    if not scale > 0:
        raise ValueError(f"scale = {scale}, but thresholds can only be multiplied by a number greater than 0")
    chosen = find(method)

    def threshold(site: Site) -> Tensor:
        return scale * chosen.threshold(site)

    def v0(site: Site) -> Tensor:
        return chosen.v0(site) if share is None else share * site.threshold

    return replace(chosen, threshold=threshold, v0=v0)


class ConversionExplorer(widgets.VBox):
    """A picture of the accuracy at each step t, with sliders for T, the thresholds' scale and the initial potential.

    A menu chooses how the image comes: as a constant current, or as Poisson spikes (always the same ones).

    Attributes:
        run: what the spiking network did, up to the largest T.
        accuracy: its accuracy after each step, [T], 0 to 1.
    """

    def __init__(self, anns: Mapping[str, nn.Module], data: Data, T: int = 32, images: int = 100) -> None:
        """anns: the trained network for each method's name; data: calibration images, and test images to run."""
        self.anns, self.calibration = anns, data.calibration
        self.test = Split(data.test.images[:images], data.test.labels[:images])
        self.run: Run
        self.accuracy: Tensor
        wide = widgets.Layout(width="min(100%, 34em)")
        names = {CATALOGUE[name].title.split(":")[0]: name for name in anns}
        self.method = widgets.Dropdown(options=names, description="method", layout=wide)
        self.coding = widgets.Dropdown(options=list(CODINGS), description="image", layout=wide)
        self.T = _slider("T", widgets.IntSlider, 4, (1, T, 1), wide)
        self.scale = _slider("threshold scale", widgets.FloatSlider, 1.0, (0.125, 2.0, 0.125), wide)
        self.share = _slider("v0 / threshold", widgets.FloatSlider, 0.0, (0.0, 1.0, 0.125), wide)
        self.picture = widgets.Image(format="png", layout=widgets.Layout(width="min(100%, 40em)"))
        self.says = widgets.HTML()
        self.method.observe(self._take_method, "value")
        self.T.observe(lambda _: self._show(), "value")
        self.coding.observe(lambda _: self._simulate(), "value")
        for slider in (self.scale, self.share):
            slider.observe(lambda _: self._compute(), "value")
        knobs = [self.method, self.coding, self.T, self.scale, self.share]
        super().__init__([*knobs, self.picture, self.says])
        self._take_method()

    def _take_method(self, _: object = None) -> None:
        """Start from the published method: its thresholds as they are, its own initial potential."""
        self.settled = False
        self.scale.value, self.share.value = 1.0, 0.5 * (find(self.method.value).v0 is half)
        self.settled = True
        self._compute()

    def _compute(self) -> None:
        if not self.settled:
            return
        ann = self.anns[self.method.value]
        chosen = tuned(self.method.value, self.scale.value, self.share.value)
        self.snn = convert(ann, chosen, self.calibration, self.T.max, progress=False)
        with torch.inference_mode():
            right = ann.eval()(self.test.images).argmax(-1) == self.test.labels
        self.ann_accuracy = float(right.double().mean())
        self._simulate()

    def _simulate(self) -> None:
        self.run = simulate(self.snn, self.test, self.T.max, coding=CODINGS[self.coding.value])
        self.accuracy = self.run.accuracy(self.test)
        self._show()

    def _show(self) -> None:
        t = self.T.value
        self.picture.value = _picture(self.accuracy, self.ann_accuracy, t)
        thresholds = ", ".join(f"{name} {float(n.threshold):.2f}" for name, n in self.snn.sites.items())
        self.says.value = (
            f"After <b>{t}</b> steps the spiking network gets <b>{100 * self.accuracy[t - 1]:.1f} %</b> of "
            f"{len(self.test)} test digits right, the ANN {100 * self.ann_accuracy:.1f} %. Thresholds: {thresholds}. "
            f"A neuron's mean output is a multiple of threshold / T, here {100 / t:.1f} % of its threshold. "
            f"{_SHOWN[CODINGS[self.coding.value]]}"
        )


_SHOWN: dict[Coding, str] = {
    "constant": "The image comes as the same current in every step.",
    "poisson": "Each pixel sends spikes drawn at random, as often as it is bright: the same draws at every setting.",
}


def _slider(
    name: str, kind: type, value: float, span: tuple[float, float, float], layout: widgets.Layout
) -> widgets.Widget:
    """span: the smallest value, the largest, and the step between two."""
    smallest, largest, step = span
    style = {"description_width": "8em"}
    return kind(
        value=value, min=smallest, max=largest, step=step, description=name, layout=layout, style=style
    )


def _picture(accuracy: Tensor, ann: float, t: int) -> bytes:
    """The accuracy curve as a PNG, with step t marked."""
    figure = Figure(figsize=(6.4, 3.0), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.plot(range(1, len(accuracy) + 1), 100 * accuracy, ".-", label="spiking network")
    axes.axhline(100 * ann, color="0.4", linestyle="--", label="ANN")
    axes.plot([t], [100 * accuracy[t - 1]], "o", color="tab:red", markersize=9, label=f"t = {t}")
    axes.set(xlabel="t [steps]", ylabel="accuracy [%]", ylim=(0, 103), xlim=(0, len(accuracy) + 1))
    axes.legend(loc="lower right")
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
