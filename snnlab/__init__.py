"""snnlab: how a trained artificial neural network becomes a spiking one, to look at, play with and measure."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snnlab.converters.catalogue import CATALOGUE, register
    from snnlab.converters.conversion import convert
    from snnlab.converters.methods import Method
    from snnlab.converters.snn import SNN
    from snnlab.simulators.run import Run
    from snnlab.simulators.simulation import simulate
    from snnlab.studies.checks import check_method

__all__ = ["CATALOGUE", "SNN", "Method", "Run", "check_method", "convert", "register", "simulate"]
__version__ = "0.1.0"

os.environ.setdefault("GOMP_SPINCOUNT", "10000")
"""Threads of one operation wait for each other actively for some microseconds, then passively. Read when torch is
imported, inherited by kernels. By itself it is milliseconds, and where other programs are at work, as a browser on a
laptop of two cores, a lesson takes up to twice the CPU time."""

_NAMES = {
    "SNN": "converters.snn",
    "convert": "converters.conversion",
    **dict.fromkeys(("CATALOGUE", "register"), "converters.catalogue"),
    "Method": "converters.methods",
    "Run": "simulators.run",
    "simulate": "simulators.simulation",
    "check_method": "studies.checks",
}
_ROOMS = {
    **{name: f"simulators.{name}" for name in ("energy", "errors")},
    **{name: f"training.{name}" for name in ("recipes", "runs")},
    **{name: f"studies.{name}" for name in ("claims", "papers", "sweeps")},
    "saving": "exchange.saving",
}
"""What a reader looks for by its own name, `snnlab.energy`, and finds in its wing."""
_WINGS = (
    *("activations", "converters", "course", "datasets", "exchange", "explorers", "networks", "neurons"),
    *("plots", "reports", "simulators", "studies", "training"),
)
"""What needs no import of its own: `snnlab.datasets.load("digits")`."""


def __getattr__(name: str) -> Any:
    """Import a room when one of its names is first used: `snnlab --help` need not wait for torch."""
    if name in _NAMES:
        return getattr(import_module(f"snnlab.{_NAMES[name]}"), name)
    if name in _ROOMS:
        return import_module(f"snnlab.{_ROOMS[name]}")
    if name in _WINGS:
        return import_module(f"snnlab.{name}")
    raise AttributeError(f"module 'snnlab' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    """The public names: what the Tab key offers."""
    return sorted({*__all__, *_ROOMS, *_WINGS, "__version__"})
