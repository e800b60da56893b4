"""Sliders for a whole conversion: the network is converted and run anew for each setting, on the kernel.

The front end sends a slider's newest value once the kernel has answered for the one before, so requests never pile up.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import ipywidgets as widgets
from torch import Tensor, nn

from snnlab import training
from snnlab.converters.catalogue import CATALOGUE, find
from snnlab.converters.choices.potentials import zero
from snnlab.converters.choices.site import Site
from snnlab.converters.choices.thresholds import largest
from snnlab.converters.conversion import convert
from snnlab.converters.methods import Method
from snnlab.converters.snn import SNN
from snnlab.datasets import Data, Split
from snnlab.explorers.accuracies import Accuracies, accuracies
from snnlab.explorers.answering import Answering
from snnlab.explorers.network import RANGES
from snnlab.files.language import said, together
from snnlab.neurons.door import door
from snnlab.neurons.settings import MOST_STEPS, whole
from snnlab.plots.accuracy import accuracy_at
from snnlab.simulators.coding import Coding
from snnlab.simulators.run import Run
from snnlab.simulators.simulation import simulate
from snnlab.training import recipes

CODINGS: dict[str, Coding] = {"constant current": "constant", "Poisson spikes": "poisson"}
"""What a menu calls them."""
OWN = "the method's own"
PAGES = "SNNLAB_PAGES"
"""Set where a lesson is executed to become a page."""
SHARES: dict[str, float | None] = {OWN: None, **{f"{k / 8:g}": k / 8 for k in range(9)}}
"""Where a neuron starts, as a share of its threshold."""


@door
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


class Bench:
    """The networks at hand, the one that each method converts, and the conversions made so far.

    Attributes:
        fitting: for each method's name the network that fits it, None if one is trained when it is needed.
        left_out: for each method that cannot be offered what network it needs.
    """

    @door
    def __init__(
        self, anns: Sequence[nn.Module], data: Data, network: Callable[..., nn.Module] | None
    ) -> None:
        self.data, self.network = data, network
        self.fitting: dict[str, nn.Module | None] = {}
        self.left_out: dict[str, str] = {}
        self.made: dict[tuple[str, int, float, float | None], SNN] = {}
        known: dict[type[nn.Module], nn.Module | None] = {}
        for name, method in CATALOGUE.items():
            if (kind := type(method.activation())) not in known:
                known[kind] = next((ann for ann in anns if _fits(ann, method, data.calibration)), None)
            fits = known[kind]
            if fits is not None or (network is not None and _trainable(method)):
                self.fitting[name] = fits
            else:
                self.left_out[name] = kind.__name__

    @door
    def ann(self, name: str) -> nn.Module:
        """The network that the method converts: one at hand, or trained for it now, once."""
        found = self.fitting[name]
        if found is None and self.network is not None:
            found = self.fitting[name] = recipes.prepare(name, self.network, self.data)
        assert found is not None  # what has neither is not offered
        return found

    @door
    def snn(self, name: str, T: int, scale: float, share: float | None) -> SNN:
        """The method's conversion with these knobs; what was made before is kept."""
        key = (name, T, scale, share)
        if key not in self.made:
            if len(self.made) >= 64:
                self.made.clear()
            self.made[key] = convert(self.ann(name), tuned(name, scale, share), self.data.calibration, T)
        return self.made[key]


def _fits(ann: nn.Module, method: Method, calibration: Split) -> bool:
    """Whether the network has the activations that the method asks for; says nothing of how well it converts."""
    plain = replace(method, threshold=largest, v0=zero, corrections=(), tuning=None)
    try:
        convert(ann, plain, calibration.images[:1], 1, exact=False, progress=False)
    except ValueError:
        return False
    return True


def _trainable(method: Method) -> bool:
    try:
        recipes.find(method)
    except ValueError:
        return False
    return True


class ConversionExplorer(Answering):
    """A picture of the accuracy at each step t, with sliders for T, the thresholds' scale and the initial potential.

    A menu chooses how the image comes: as a constant current, or as Poisson spikes (always the same ones). Offered are
    the methods that one of the networks fits, and with `network` all others, too: their network is trained when they
    are chosen. What cannot be is said in the explorer.

    Attributes:
        run: what the spiking network did, up to the largest T; up to T for a method that depends on T.
        accuracy: its accuracy after each of these steps, 0 to 1.
    """

    title = "The conversion explorer"
    run: Run
    accuracy: Tensor
    ann_accuracy: float
    snn: SNN

    @door
    def __init__(
        self,
        anns: Sequence[nn.Module],
        data: Data,
        T: int = 32,
        images: int = 100,
        *,
        network: Callable[..., nn.Module] | None = None,
    ) -> None:
        """anns: trained networks. data: calibration images, test images to run, training images for what is trained.

        network: called with seed=..., as networks.cnn: what is trained for a method that no ann fits. None offers no
        such method, and the explorer says so.
        """
        T, images = whole(T, "T", most=MOST_STEPS), whole(images, "images")
        self.bench = Bench(anns, data, network)
        if not self.bench.fitting:
            raise ValueError("anns: no method fits any of these networks: train one, or hand in network=...")
        self.test = Split(data.test.images[:images], data.test.labels[:images])
        self.settled = False
        super().__init__(self._make_knobs(T))
        self.answer(self._take_method)

    def lasting(self) -> str:
        """The picture as it is; in a page of the course, networks that run in it."""
        if not os.environ.get(PAGES):
            return super().lasting()
        told = said(
            "Computed in this page, for every image anew; each comes as a constant current. Here are the methods that "
            "convert once for any number of steps and leave weights as they are, those of later lessons, too. What "
            "is said of T is here the step that is shown, and v0 at one half is v[0] moved by 0.5 for a method that "
            "starts at 0."
        )
        try:
            return f"<p>{told}</p>{self.page().iframe(420)}"
        except ValueError:  # more than a page can hold, or compute
            return super().lasting()

    def page(self) -> Accuracies:
        """The networks at hand by the methods that convert for any T and change no weights, to run without a kernel.

        Raises: ValueError if a page cannot hold or compute them.
        """
        free = [name for name, method in CATALOGUE.items() if not (method.depends_on_T or method.corrections)]
        anns = {name: ann for name in free if (ann := self.bench.fitting.get(name)) is not None}
        T = min(self.T.max, int(RANGES["T"][1]))
        snns = {name: self.bench.snn(name, T, 1.0, None) for name in anns}
        return accuracies(snns, anns, self.test, T=T, t=min(self.T.value, T))

    def _make_knobs(self, T: int) -> list[widgets.Widget]:
        own = said("{method} (its own network, trained when chosen)")
        fitting = self.bench.fitting.items()
        names = {name if ann is not None else own.format(method=name): name for name, ann in fitting}
        codings, shares = ([(said(name), name) for name in table] for table in (CODINGS, SHARES))
        self.method = _menu(said("method"), names)
        self.coding = _menu(said("image"), codings)
        self.T = _slider("T", widgets.IntSlider, min(4, T), (1, T, 1))
        self.scale = _slider(said("threshold scale"), widgets.FloatSlider, 1.0, (0.125, 2.0, 0.125))
        self.share = widgets.SelectionSlider(
            options=shares, value=OWN, description=said("v0 / threshold"), layout=_WIDE, style=_STYLE
        )
        self.on_change(self.method, "_take_method")
        self.on_change(self.coding, "_take_coding")
        self.on_change(self.T, "_take_T")
        self.on_change(self.scale, "_compute")
        self.on_change(self.share, "_compute")
        return [self.method, self.coding, self.T, self.scale, self.share]

    def _take_method(self) -> None:
        """Start from the published method: its thresholds as they are, its own initial potential."""
        self.settled = False
        self.scale.value, self.share.value = 1.0, OWN
        self.settled = True
        self._compute()

    def _take_T(self) -> None:
        if self.refused or find(self.method.value).depends_on_T:
            self._compute()
        else:
            self._show()

    def _take_coding(self) -> None:
        if self.refused:
            self._compute()
        else:
            self._simulate()

    def _compute(self) -> None:
        if not self.settled:
            return
        name, T = self.method.value, self.T.value if find(self.method.value).depends_on_T else self.T.max
        self.snn = self.bench.snn(name, T, self.scale.value, SHARES[self.share.value])
        self.ann_accuracy = training.accuracy(self.bench.ann(name), self.test)
        self._simulate()

    def _simulate(self) -> None:
        self.run = simulate(self.snn, self.test, self.snn.T, coding=CODINGS[self.coding.value])
        self.accuracy, self.refused = self.run.accuracy(self.test), ""
        self._show()

    def _show(self) -> None:
        self.picture.value = accuracy_at(
            self.accuracy, self.ann_accuracy, self.T.value, self.T.max
        )._repr_html_()
        self.says.value = together(self._sentences())

    def _sentences(self) -> list[str]:
        t, method = self.T.value, find(self.method.value)
        right, ann = 100 * self.accuracy[t - 1], 100 * self.ann_accuracy
        thresholds = ", ".join(f"{name} {_span(n.threshold)}" for name, n in self.snn.sites.items())
        start = ", ".join(_span(n.v0 / n.threshold) for n in self.snn.sites.values())
        after = said("After <b>{t}</b> step") if t == 1 else said("After <b>{t}</b> steps")
        told = [
            said("{method}."),
            said(
                "{after} the spiking network gets <b>{right} %</b> of {images} test images right, the ANN {ann} %."
            ),
            said("Thresholds: {thresholds}. v0, in thresholds: {start}."),
            said("A neuron's mean output is a multiple of threshold / T, here {step} % of its threshold."),
            _shown(CODINGS[self.coding.value]),
        ]
        if method.depends_on_T:
            told.append(said("This method converts for one T: here for {t}, and for another T anew."))
        if method.corrections or method.tuning:
            told.append(said("It corrects the network after the two knobs have set thresholds and v0."))
        if self.snn.latency > t and method.depends_on_T:
            told.append(said("Its neurons look ahead: {latency} steps pass until the answer is there."))
        given = {
            "method": escape(said(method.title)), "after": after.format(t=t), "t": t, "right": f"{right:.1f}",
            "images": len(self.test), "ann": f"{ann:.1f}", "thresholds": thresholds, "start": start,
            "step": f"{100 / t:.1f}", "latency": self.snn.latency,
        }  # fmt: skip
        needs = [_needs(self.bench.left_out)] if self.bench.left_out else []
        return [*(sentence.format(**given) for sentence in told), *needs]


def _shown(coding: Coding) -> str:
    """How the image comes."""
    if coding == "constant":
        return said("The image comes as the same current in every step.")
    return said(
        "Each pixel sends spikes drawn at random, as often as it is bright: the same draws at every setting."
    )


_WIDE = widgets.Layout(width="min(100%, 36em)")
_STYLE = {"description_width": "8em"}


def _needs(left_out: dict[str, str]) -> str:
    """Which methods are not in the menu, by the activation that their network must have."""
    kinds: dict[str, list[str]] = {}
    for name, activation in left_out.items():
        kinds.setdefault(activation, []).append(name)
    one = said("with {kind}: {names}")
    listed = "; ".join(one.format(kind=kind, names=", ".join(names)) for kind, names in kinds.items())
    told = said(
        "Not in the menu, because none of these networks was trained for it: {listed}. Hand in "
        "<code>network=</code>, as <code>networks.cnn</code>, and it is trained when chosen."
    )
    return told.format(listed=listed)


def _span(values: Tensor) -> str:
    """One number, or from the smallest to the largest."""
    low, high = (f"{float(value):.2f}" for value in (values.min(), values.max()))
    return low if low == high else said("{low} to {high}").format(low=low, high=high)


def _menu(name: str, options: Any) -> widgets.Dropdown:
    return widgets.Dropdown(options=options, description=name, layout=_WIDE, style=_STYLE)


def _slider(name: str, kind: type, value: float, span: tuple[float, float, float]) -> widgets.Widget:
    """span: the smallest value, the largest, and the step between two."""
    smallest, largest_, step = span
    return kind(
        value=value, min=smallest, max=largest_, step=step, description=name, layout=_WIDE, style=_STYLE
    )
