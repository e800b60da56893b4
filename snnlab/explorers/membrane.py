"""The membrane explorer: one neuron, constant input, every parameter a slider."""

from pathlib import Path
from typing import Any

import traitlets

from snnlab.explorers.host import Explorer

RANGES = {
    "current": (-1.0, 2.0),
    "threshold": (0.25, 2.0),
    "v0": (-1.0, 2.0),
    "T": (1, 128),
    "leak": (0.0, 1.0),
}
"""What a slider reaches; the same numbers stand in membrane.js."""


class Membrane(Explorer):
    """Potential, spikes and mean output of an IF neuron (neurons.py) under constant input, against ReLU."""

    _esm = Path(__file__).with_suffix(".js")
    title = "The membrane of a spiking neuron"
    names = ("current", "threshold", "v0", "T", "leak", "reset")

    current = traitlets.Float(0.3125).tag(sync=True)
    threshold = traitlets.Float(1.0).tag(sync=True)
    v0 = traitlets.Float(0.0).tag(sync=True)
    T = traitlets.Int(16).tag(sync=True)
    leak = traitlets.Float(1.0).tag(sync=True)
    reset = traitlets.Enum(["subtract", "zero"], "subtract").tag(sync=True)

    @traitlets.validate("current", "threshold", "v0", "T", "leak")
    def _in_range(self, proposal: Any) -> float:
        name, value = proposal["trait"].name, proposal["value"]
        low, high = RANGES[name]
        if not low <= value <= high:
            raise ValueError(f"{name} = {value}, but the slider goes from {low} to {high}")
        return value if name == "T" else round(value * 64) / 64


def membrane(
    threshold: float = 1.0,
    v0: float = 0.0,
    T: int = 16,
    current: float = 0.3125,
    leak: float = 1.0,
    reset: str = "subtract",
) -> Membrane:
    """The explorer as a widget; `.html()` and `.save(path)` give it without a kernel.

    Args:
        threshold: 0.25 to 2. v0: initial potential, -1 to 2. current: input in each step, -1 to 2. These and leak are
            rounded to multiples of 1/64, so that no spike depends on a rounding error.
        T: steps, 1 to 128.
        leak: share of the potential kept in each step, 0 to 1.
        reset: "subtract" or "zero".
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    for name, value in (("threshold", threshold), ("v0", v0), ("current", current), ("leak", leak)):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} = {value!r}, but it must be a number")
    if isinstance(T, bool) or not isinstance(T, int):
        raise ValueError(f"T = {T!r}, but it must be a whole number of steps, 1 to 128")
    if reset not in ("subtract", "zero"):
        raise ValueError(f"reset = {reset!r}, but it is 'subtract' or 'zero'")
    return Membrane(threshold=threshold, v0=v0, T=T, current=current, leak=leak, reset=reset)
