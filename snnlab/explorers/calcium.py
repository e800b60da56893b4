"""The Ca-LIF explorer: calcium as the gate of negative spikes, and the leaky variant that is no ReLU."""

from typing import Any

import traitlets

from snnlab.explorers.host import Explorer, module
from snnlab.explorers.membrane import CHOICES as EVERY
from snnlab.explorers.membrane import KINDS as ALL
from snnlab.explorers.membrane import RANGES as WIDE
from snnlab.explorers.reach import number, one_of, within
from snnlab.neurons.door import door, shown

KINDS = {kind: ALL[kind] for kind in ("ca_lif", "ca_lif_hard_reset")}
CHOICES = {"kind": tuple(KINDS), "arrival": EVERY["arrival"]}
NAMES = ("current", "threshold", "v0", "T", "leak", "decay", "tau", "tau_c", "rest")
RANGES = {name: WIDE[name] for name in NAMES} | {"T": (1, 64)}
"""What a slider reaches; the same numbers stand in calcium.js."""


class Calcium(Explorer):
    """Input, potential, calcium and spikes of a Ca-LIF neuron over T steps, and its mean output against ReLU."""

    _esm = module("neurons.js", "drives.js", "drawing.js", "account.js", "calcium.js")
    title = "Calcium and its gate"
    names = (*CHOICES, *RANGES)

    kind = traitlets.Enum(CHOICES["kind"], "ca_lif").tag(sync=True)
    arrival = traitlets.Enum(CHOICES["arrival"], "early").tag(sync=True)
    current = traitlets.Float(0.0).tag(sync=True)
    threshold = traitlets.Float(1.0).tag(sync=True)
    v0 = traitlets.Float(0.0).tag(sync=True)
    T = traitlets.Int(16).tag(sync=True)
    leak = traitlets.Float(1.0).tag(sync=True)
    decay = traitlets.Float(0.875).tag(sync=True)
    tau = traitlets.Float(4.0).tag(sync=True)
    tau_c = traitlets.Float(4.0).tag(sync=True)
    rest = traitlets.Float(0.0).tag(sync=True)

    _in_range = within(RANGES)


@door
def calcium(
    kind: str = "ca_lif",
    *,
    arrival: str = "early",
    current: float = 0.0,
    threshold: float = 1.0,
    v0: float = 0.0,
    T: int = 16,
    **settings: Any,
) -> Calcium:
    """The explorer as a widget; `.html()` and `.save(path)` give it without a kernel.

    Args:
        kind: ca_lif (bipolar, calcium is the gate) or ca_lif_hard_reset (leaky, clamped hard reset).
        arrival: how the input is spread over the steps: constant, early, late or alternating.
        current: mean input of a step, -1 to 2. threshold: 0.25 to 2. v0: initial potential, -1 to 2. A number
            is shown as it is, and the page computes with the slider's nearest step, as in `membrane`.
        T: steps, 1 to 64.
        settings: of ca_lif leak and decay, 0 to 1; of ca_lif_hard_reset tau and tau_c, 1 to 16, and rest, -2 to 0.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    for name, value in (("kind", kind), ("arrival", arrival)):
        one_of(name, value, CHOICES[name])
    for name, value in settings.items():
        if name not in KINDS[kind]:
            raise ValueError(
                f"{name} = {shown(value)}, but the neuron {kind!r} adds {', '.join(KINDS[kind])}"
            )
    numbers = {"current": current, "threshold": threshold, "v0": v0, "T": T, **settings}
    for name, value in numbers.items():
        number(name, value, RANGES)
    return Calcium(**{**KINDS[kind], **numbers, "kind": kind, "arrival": arrival})
