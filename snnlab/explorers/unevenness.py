"""The unevenness explorer: the same input spikes in another order make another number of output spikes."""

from typing import Any

import traitlets

from snnlab.explorers.host import Explorer, module
from snnlab.explorers.reach import number, one_of, within
from snnlab.neurons import NEURONS
from snnlab.neurons.door import door, shown

_THREE = {"T": 5, "threshold": 0.5, "share": 0.0, "weight_plus": 1.0, "weight_minus": -1.0}
_FIVE = {**_THREE, "threshold": 1.0}

EXAMPLES: dict[str, dict[str, Any]] = {
    "even": {**_THREE, "plus": "10101", "minus": "01010"},
    "extra": {**_THREE, "plus": "11100", "minus": "00011"},
    "missing": {**_THREE, "plus": "00111", "minus": "11000"},
    "from_nothing": {**_FIVE, "plus": "11000", "minus": "00111"},
    "silent": {**_FIVE, "plus": "00011", "minus": "11100"},
    "clipped": {**_THREE, "plus": "11111", "minus": "00000"},
}
"""Trains to begin with; the first three have the same spikes in three orders. The same stand in unevenness.js."""

RANGES: dict[str, tuple[float, float]] = {
    "threshold": (0.25, 2.0),
    "share": (0.0, 63 / 64),
    "weight_plus": (0.0, 2.0),
    "weight_minus": (-2.0, 0.0),
    "T": (1, 8),
}
"""What a slider reaches; the same numbers stand in unevenness.js."""


class Unevenness(Explorer):
    """One neuron with two inputs whose spikes can be moved, and what all orders of these spikes make of it."""

    _esm = module("neurons.js", "drawing.js", "account.js", "orders.js", "trains.js", "unevenness.js")
    title = "The same input, unevenly"
    names = ("example", "kind", *RANGES, "plus", "minus")

    example = traitlets.Enum((*EXAMPLES, "own"), "extra").tag(sync=True)
    kind = traitlets.Enum(tuple(NEURONS), "if").tag(sync=True)
    threshold = traitlets.Float(0.5).tag(sync=True)
    share = traitlets.Float(0.0).tag(sync=True)
    weight_plus = traitlets.Float(1.0).tag(sync=True)
    weight_minus = traitlets.Float(-1.0).tag(sync=True)
    T = traitlets.Int(5).tag(sync=True)
    plus = traitlets.Unicode("11100").tag(sync=True)
    minus = traitlets.Unicode("00011").tag(sync=True)

    _in_range = within(RANGES)

    @traitlets.validate("plus", "minus")
    def _a_train(self, proposal: Any) -> str:
        _check_train(proposal["trait"].name, proposal["value"])
        return proposal["value"]


@door
def unevenness(
    example: str = "extra",
    *,
    kind: str = "if",
    plus: str | None = None,
    minus: str | None = None,
    **settings: Any,
) -> Unevenness:
    """The explorer as a widget; `.html()` and `.save(path)` give it without a kernel.

    Args:
        example: what to begin with: even, extra, missing, from_nothing, silent or clipped (EXAMPLES).
        kind: the neuron: if, lif, burst, snm, zero_threshold, st_bif, ca_lif or ca_lif_hard_reset.
        plus, minus: spikes of the first and the second input, a digit 0 or 1 for each of 1 to 8 steps: "11100".
        settings: in place of the example's: threshold, 0.25 to 2; share, of the threshold, at which v starts, 0 to
            63/64; weight_plus, 0 to 2; weight_minus, -2 to 0. Shown as given; the page computes with the
            slider's nearest step, as in `membrane`.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    for name, value, known in (("example", example, tuple(EXAMPLES)), ("kind", kind, tuple(NEURONS))):
        one_of(name, value, known)
    trains = {name: train for name, train in (("plus", plus), ("minus", minus)) if train is not None}
    for name, train in trains.items():
        _check_train(name, train)
    for name, value in settings.items():
        if name not in RANGES or name == "T":
            allowed = ", ".join(name for name in RANGES if name != "T")
            raise ValueError(f"{name} = {shown(value)}, but what can be set is {allowed}, plus and minus")
        number(name, value, RANGES)
    chosen = EXAMPLES[example] | trains | settings
    chosen["T"] = len(chosen["plus"])
    if len(chosen["minus"]) != chosen["T"]:
        raise ValueError(
            f"minus = {shown(chosen['minus'])} and plus = {shown(chosen['plus'])}, but both must have as many steps"
        )
    return Unevenness(**chosen, kind=kind, example="own" if trains or settings else example)


def _check_train(name: str, train: Any) -> None:
    low, high = RANGES["T"]
    if not isinstance(train, str) or set(train) - {"0", "1"} or not low <= len(train) <= high:
        raise ValueError(
            f"{name} = {shown(train)}, but it must be {low} to {high} digits, 0 or 1, as '11000'"
        )
