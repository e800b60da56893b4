"""The membrane explorer: one neuron of any kind, every parameter a slider."""

from typing import Any

import traitlets

from snnlab.explorers.host import Explorer, module
from snnlab.explorers.reach import number, one_of, within
from snnlab.neurons.door import door, shown

KINDS: dict[str, dict[str, Any]] = {
    "if": {"reset": "subtract"},
    "lif": {"reset": "subtract", "leak": 0.875},
    "burst": {"max_spikes": 4},
    "snm": {},
    "zero_threshold": {},
    "st_bif": {"cap": 8},
    "ca_lif": {"decay": 0.875, "leak": 1.0},
    "ca_lif_hard_reset": {"tau": 4.0, "tau_c": 4.0, "rest": 0.0},
}
"""For each kind of neuron the numbers that it adds to threshold and v0, and where they start."""

RANGES: dict[str, tuple[float, float]] = {
    "current": (-1.0, 2.0),
    "threshold": (0.25, 2.0),
    "v0": (-1.0, 2.0),
    "T": (1, 128),
    "leak": (0.0, 1.0),
    "max_spikes": (1, 8),
    "cap": (1, 32),
    "decay": (0.0, 1.0),
    "tau": (1.0, 16.0),
    "tau_c": (1.0, 16.0),
    "rest": (-2.0, 0.0),
}
"""What a slider reaches; the same numbers stand in membrane.js."""

CHOICES: dict[str, tuple[str, ...]] = {
    "kind": tuple(KINDS),
    "arrival": ("constant", "early", "late", "alternating"),
    "reset": ("subtract", "zero"),
}


class Membrane(Explorer):
    """Potential, spikes and mean output of a neuron (package neurons/) over T steps, against ReLU."""

    _esm = module("neurons.js", "drives.js", "drawing.js", "account.js", "membrane.js")
    title = "The membrane of a spiking neuron"
    names = (*CHOICES, *RANGES)

    kind = traitlets.Enum(CHOICES["kind"], "if").tag(sync=True)
    arrival = traitlets.Enum(CHOICES["arrival"], "constant").tag(sync=True)
    current = traitlets.Float(0.3125).tag(sync=True)
    threshold = traitlets.Float(1.0).tag(sync=True)
    v0 = traitlets.Float(0.0).tag(sync=True)
    T = traitlets.Int(16).tag(sync=True)
    leak = traitlets.Float(1.0).tag(sync=True)
    reset = traitlets.Enum(CHOICES["reset"], "subtract").tag(sync=True)
    max_spikes = traitlets.Int(4).tag(sync=True)
    cap = traitlets.Int(8).tag(sync=True)
    decay = traitlets.Float(0.875).tag(sync=True)
    tau = traitlets.Float(4.0).tag(sync=True)
    tau_c = traitlets.Float(4.0).tag(sync=True)
    rest = traitlets.Float(0.0).tag(sync=True)

    _in_range = within(RANGES)


@door
def membrane(
    threshold: float = 1.0,
    v0: float = 0.0,
    T: int = 16,
    current: float = 0.3125,
    *,
    kind: str = "if",
    arrival: str = "constant",
    **settings: Any,
) -> Membrane:
    """The explorer as a widget; `.html()` and `.save(path)` give it without a kernel.

    Args:
        threshold: 0.25 to 2. v0: initial potential, -1 to 2. current: mean input of a step, -1 to 2. A number that need
            not be whole is shown as it is, and the page computes with the nearest multiple of 1/64, so that no spike
            depends on a rounding error; where the two differ, it says so.
        T: steps, 1 to 128.
        kind: the neuron: if (lif, where a leak below 1 is set), lif, burst, snm, zero_threshold, st_bif, ca_lif or
            ca_lif_hard_reset.
        arrival: how the input is spread over the steps: constant, early, late or alternating.
        settings: what the kind adds (KINDS): leak, reset, max_spikes, cap, decay, tau, tau_c, rest.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    given = {"threshold": threshold, "v0": v0, "T": T, "current": current, "kind": kind, "arrival": arrival}
    if kind == "if" and "leak" in settings:  # an IF that leaks is a LIF
        leak = number("leak", settings["leak"], RANGES)
        given["kind"] = kind = "if" if leak == 1 else "lif"
        settings = {name: value for name, value in settings.items() if name != "leak" or leak != 1}
    given |= settings
    for name, allowed in CHOICES.items():
        if name in given:
            one_of(name, given[name], allowed)
    for name, value in settings.items():
        if name not in KINDS[kind]:
            own = ", ".join(KINDS[kind]) or "nothing"
            raise ValueError(f"{name} = {shown(value)}, but the neuron {kind!r} adds {own}")
    for name, value in given.items():
        if name not in CHOICES:
            number(name, value, RANGES)
    return Membrane(**{**KINDS[kind], **given})
