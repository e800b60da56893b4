"""Spiking networks as files: this kit's own (`saving`), and NIR, the field's exchange format (`nir`)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snnlab.exchange.nir import read_nir, to_nir, write_nir

__all__ = ["read_nir", "to_nir", "write_nir"]


def __getattr__(name: str) -> Any:
    """Import NIR when one of its names is first used: the kit's own files do not need it."""
    if name in __all__:
        return getattr(import_module("snnlab.exchange.nir"), name)
    raise AttributeError(f"module 'snnlab.exchange' has no attribute {name!r}; it has {', '.join(__all__)}")
