"""Files: written whole or not at all; as tensors (`tensors`), read as data and held to a sum of their contents."""

from snnlab.files.folders import scratch, trial
from snnlab.files.locks import hold, release
from snnlab.files.places import (
    answers_file,
    data_folder,
    in_checkout,
    is_writable,
    kept,
    kit,
    place,
    regained,
    short,
)
from snnlab.files.writing import probe, write

__all__ = [
    "answers_file",
    "data_folder",
    "hold",
    "in_checkout",
    "is_writable",
    "kept",
    "kit",
    "place",
    "probe",
    "regained",
    "release",
    "scratch",
    "short",
    "trial",
    "write",
]
