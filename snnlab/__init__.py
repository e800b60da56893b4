"""snnlab: how a trained artificial neural network becomes a spiking one, to look at, play with and measure."""

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

_ROOMS = {
    "SNN": "converters.snn",
    "convert": "converters.conversion",
    **dict.fromkeys(("CATALOGUE", "register"), "converters.catalogue"),
    "Method": "converters.methods",
    "Run": "simulators.run",
    "simulate": "simulators.simulation",
    "check_method": "studies.checks",
}


def __getattr__(name: str) -> Any:
    """Import a room when one of its names is first used: `snnlab --help` need not wait for torch."""
    if name in _ROOMS:
        return getattr(import_module(f"snnlab.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'snnlab' has no attribute {name!r}; it has {', '.join(__all__)}")
