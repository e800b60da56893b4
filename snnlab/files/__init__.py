"""Files: written whole or not at all; as tensors (`tensors`), read as data and held to a sum of their contents."""

from snnlab.files.folders import scratch, trial
from snnlab.files.locks import hold, release
from snnlab.files.places import answers_file, data_folder, is_writable, place, short
from snnlab.files.writing import probe, write

__all__ = [
    "answers_file",
    "data_folder",
    "hold",
    "is_writable",
    "place",
    "probe",
    "release",
    "scratch",
    "short",
    "trial",
    "write",
]
