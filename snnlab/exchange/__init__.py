"""Spiking networks elsewhere: files of the kit (`saving`), NIR, the field's format (`nir`), ONNX (`onnx`), chips."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snnlab.exchange.chips import fits
    from snnlab.exchange.nir import read_nir, to_nir, write_nir
    from snnlab.exchange.onnx import to_onnx, write_onnx

__all__ = ["fits", "read_nir", "to_nir", "to_onnx", "write_nir", "write_onnx"]

_ROOMS = {
    "fits": "chips",
    **dict.fromkeys(("read_nir", "to_nir", "write_nir"), "nir"),
    **dict.fromkeys(("to_onnx", "write_onnx"), "onnx"),
}


def __getattr__(name: str) -> Any:
    """Import a format when one of its names is first used: the kit's own files need none of them."""
    if name not in _ROOMS:
        raise AttributeError(
            f"module 'snnlab.exchange' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    try:
        return getattr(import_module(f"snnlab.exchange.{_ROOMS[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise ImportError(
            f"{name} needs the package onnx, which is not here: pip install 'snnlab[onnx]' (in a checkout: pip install "
            "-e '.[onnx]')"
        ) from None
