"""The energy explorer: arithmetic of a spiking network beside its ANN's, over steps, rate and cost per operation."""

from typing import Any

import traitlets

from snnlab.explorers.host import Explorer, module
from snnlab.explorers.reach import number, one_of, within
from snnlab.neurons.door import door, shown

CHOICES = {"precision": ("float32", "int8", "own"), "image": ("once", "each")}
RANGES: dict[str, tuple[float, float]] = {
    "T": (1, 64),
    "rate": (0.0, 0.5),
    "first": (0.0, 0.5),
    "mac": (0.05, 6.0),
    "add": (0.01, 6.0),
}
"""What a slider reaches; the same numbers stand in energy.js."""


class EnergyExplorer(Explorer):
    """Energy of a spiking network in units of its ANN's, if a spike reaches as many synapses as a value."""

    _esm = module("drawing.js", "energy.js")
    title = "Latency and energy"
    names = (*CHOICES, *RANGES)

    precision = traitlets.Enum(CHOICES["precision"], "float32").tag(sync=True)
    image = traitlets.Enum(CHOICES["image"], "once").tag(sync=True)
    T = traitlets.Int(8).tag(sync=True)
    rate = traitlets.Float(0.125).tag(sync=True)
    first = traitlets.Float(0.03125).tag(sync=True)
    mac = traitlets.Float(4.6).tag(sync=True)
    add = traitlets.Float(0.9).tag(sync=True)

    _in_range = within(RANGES)


@door
def energy(precision: str = "float32", *, image: str = "once", **settings: Any) -> EnergyExplorer:
    """The explorer as a widget; `.html()` and `.save(path)` give it without a kernel.

    Args:
        precision: of both networks: float32, int8, or own (then mac and add count).
        image: whether the layer that sees the image is computed once or in each step.
        settings: T, 1 to 64; rate, spikes per neuron and step, 0 to 1/2; first, share of the first layer in the ANN's
            operations, 0 to 1/2; mac and add, pJ, up to 6.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    for name, value in (("precision", precision), ("image", image)):
        one_of(name, value, CHOICES[name])
    for name, value in settings.items():
        if name not in RANGES:
            raise ValueError(f"{name} = {shown(value)}, but what can be set is {', '.join(RANGES)}")
        number(name, value, RANGES)
    return EnergyExplorer(precision=precision, image=image, **settings)
