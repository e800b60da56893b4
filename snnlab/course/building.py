"""Build your own: five menus, one for each choice of a conversion, and the accuracy that comes of it.

Any combination may be tried; one that makes no sense is refused in words, as `convert` refuses it.
"""

import csv
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as widgets
from torch import Tensor, nn

from snnlab import plots, training
from snnlab.activations import QCFS, Clip, QuantClip
from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.choices.corrections import calibrate_bias, lmpc, lwc, shift_bias
from snnlab.converters.choices.potentials import half, offset_rule, zero
from snnlab.converters.choices.thresholds import largest, largest_per_neuron, mmse, percentile, trained
from snnlab.converters.conversion import convert
from snnlab.converters.methods import Method
from snnlab.datasets import Data
from snnlab.explorers.answering import Answering
from snnlab.files import kit
from snnlab.files.language import said
from snnlab.neurons import IF, SNM, STBIF, BurstIF, CaLIF, ZeroThresholdIF
from snnlab.simulators.simulation import simulate
from snnlab.training import recipes

CHOICES: dict[str, dict[str, Any]] = {
    "activation": {
        "ReLU": nn.ReLU, "clip, learned (TCL)": Clip, "rounded to the nearest (QCFS)": QCFS,
        "rounded down (QC-ANN)": QuantClip,
    },
    "threshold": {
        "largest activation": largest, "99.9th percentile": percentile(99.9),
        "least squares, by channel": mmse("channel"), "largest of each neuron": largest_per_neuron,
        "learned in training": trained,
    },
    "v0": {"empty": zero, "half full": half, "the offset rule": offset_rule},
    "corrections": {
        "none": (), "a share of theta / 2 in each step": (shift_bias,), "biases": (calibrate_bias,),
        "potentials (LMPC)": (lmpc(2),), "biases and potentials": (calibrate_bias, lmpc()),
        "potentials and weights": (lmpc(2), lwc(), lmpc()),
    },
    "neuron": {
        "IF": IF, "signed, with memory (SNM)": SNM, "zero-threshold signed": ZeroThresholdIF,
        "ST-BIF, at most 8": STBIF, "bursts of 4": BurstIF, "Ca-LIF, fading": partial(CaLIF, decay=0.9),
    },
}  # fmt: skip
"""For each choice of a Method what the menu offers."""


def composed(title: str = "own", **chosen: str) -> Method:
    """The Method of five labels of CHOICES; what is left out takes the first.

    Raises: ValueError for a choice or label that is not there.
    """
    picked: dict[str, Any] = {}
    for name in chosen:
        if name not in CHOICES:
            raise ValueError(f"there is no choice {name!r}, but {', '.join(CHOICES)}")
    for name, options in CHOICES.items():
        label = chosen.get(name, next(iter(options)))
        if label not in options:
            raise ValueError(f"{name} = {label!r}, but it is one of {', '.join(map(repr, options))}")
        picked[name] = options[label]
    bound = bool(picked["corrections"]) or (picked["v0"] is offset_rule and picked["activation"] is QuantClip)
    return Method(title, title, "composed in lesson 13", 2026, **picked, depends_on_T=bound)


def known(method: Method) -> str | None:
    """The name of the catalogue's method with the same five choices, if there is one."""
    keys = ("activation", "threshold", "v0", "corrections", "neuron", "tuning")
    own = method.describe()
    for name, other in CATALOGUE.items():
        if name != method.name and all(other.describe()[key] == own[key] for key in keys):
            return name
    return None


MEASURED = kit("data/results/signed_calibrated.csv")


def worth() -> dict[str, dict[int, float]]:
    """What `benchmarks/signed_calibrated.py` measured on CIFAR-10: change of one choice, T, accuracy in percent."""
    found: dict[str, dict[int, float]] = {}
    with MEASURED.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["change"], {})[int(row["T"])] = float(row["snn_accuracy"])
    return found


class Builder(Answering):
    """Five menus, a curve of the accuracy over the steps, the curve before, and a sentence.

    Args:
        network: called with seed=...; gives the untrained network.
        data: images; the calibration part calibrates, the test part is counted.
        T: steps, >= 1.
        seed: of the training.
    """

    title = "The method builder"
    refusal = "This does not go together:"

    def __init__(self, network: Callable[..., nn.Module], data: Data, T: int = 8, seed: int = 0) -> None:
        self.network, self.data, self.T, self.seed = network, data, T, seed
        self.before: tuple[str, Tensor] | None = None
        self.now: tuple[str, Tensor] | None = None
        style = {"description_width": "8em"}
        self.menus = {
            name: widgets.Dropdown(
                options=[(said(label), label) for label in options],
                description=said(name),
                style=style,
                layout=widgets.Layout(width="min(100%, 30em)"),
            )
            for name, options in CHOICES.items()
        }
        super().__init__(list(self.menus.values()))
        for menu in self.menus.values():
            self.on_change(menu, "_changed")
        self.answer(self._changed)

    @property
    def method(self) -> Method:
        """What the menus stand for; `register(replace(builder.method, name="mine"))` gives it a name."""
        return composed(**{name: str(menu.value) for name, menu in self.menus.items()})

    def choose(self, **labels: str) -> "Builder":
        """Set menus from code: `choose(neuron="IF", v0="half full")`; returns the builder."""
        composed(**labels)  # refuses what is not there, before anything is set
        for name, label in labels.items():
            self.menus[name].value = label
        return self

    def _changed(self) -> None:
        method = self.method
        ann = recipes.prepare(method, self.network, self.data, seed=self.seed)
        snn = convert(ann, method, self.data.calibration, self.T)
        accuracy = simulate(snn, self.data.test, self.T).accuracy(self.data.test)
        self._show(method, accuracy, training.accuracy(ann, self.data.test))

    def _show(self, method: Method, accuracy: Tensor, goal: float) -> None:
        name = known(method)
        self.before, self.now = self.now, (name or "this one", accuracy)
        curves: dict[str, Tensor] = {said("now"): accuracy}
        curves |= {said("before"): self.before[1]} if self.before else {}
        self.picture.value, self.refused = plots.accuracy_over_time(curves, goal)._repr_html_(), ""
        same = said(" In the catalogue this is <code>{name}</code>.").format(name=name) if name else ""
        before = f"{float(self.before[1][-1]):.1%}" if self.before else ""
        change = said(", before {accuracy}").format(accuracy=before) if before else ""
        told = said("<b>{accuracy}</b> after {T} steps{change}; ANN {goal}.{same}")
        self.says.value = told.format(
            accuracy=f"{float(accuracy[-1]):.1%}", T=self.T, change=change, goal=f"{goal:.1%}", same=same
        )
