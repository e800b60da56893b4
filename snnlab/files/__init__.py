"""Files: written whole or not at all, read as data, and held to a sum of their contents."""

from snnlab.files.locks import cleared, hold, release
from snnlab.files.places import place, short
from snnlab.files.tensors import TensorFile, describe, pack
from snnlab.files.writing import probe, write

__all__ = [
    "TensorFile",
    "cleared",
    "describe",
    "hold",
    "pack",
    "place",
    "probe",
    "release",
    "short",
    "write",
]
