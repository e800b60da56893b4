"""What an explorer's sliders and menus may be set to: looked at when one is made, and whenever Python sets one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import traitlets

from snnlab.neurons.door import shown

Ranges = Mapping[str, tuple[float, float]]
"""The least and the largest number by the slider's name."""
WHOLE = ("T", "levels", "max_spikes", "cap")
"""Sliders over whole numbers."""


def number(name: str, value: Any, ranges: Ranges) -> float:
    """The value, a float but for whole numbers. Raises: ValueError that says what the slider reaches."""
    (low, high), whole = ranges[name], name in WHOLE
    known = not isinstance(value, bool) and isinstance(value, int if whole else int | float)
    if not known or not math.isfinite(value) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"{name} = {shown(value)}, but it must be {kind}, {low:g} to {high:g}")
    return value if whole else float(value)


def one_of(name: str, value: Any, allowed: Sequence[str]) -> None:
    """Raises: ValueError that lists the entries of the menu."""
    if value not in allowed:
        raise ValueError(f"{name} = {shown(value)}, but it is one of {', '.join(map(repr, allowed))}")


def within(ranges: Ranges) -> traitlets.EventHandler:
    """For the body of an explorer: what these sliders are set to is held to what they reach."""

    def look(_: Any, proposal: Any) -> float:
        return number(proposal["trait"].name, proposal["value"], ranges)

    return traitlets.validate(*ranges)(look)
