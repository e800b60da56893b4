"""Long trainings that may be stopped and killed: kept after every epoch, gone on with to the same bits."""

from snnlab.training.runs.checkpoints import shipped, table
from snnlab.training.runs.epochs import bf16_pays, place_for, run
from snnlab.training.runs.files import Trained, load, sha256
from snnlab.training.runs.settings import NETWORKS, Settings

__all__ = [
    "NETWORKS",
    "Settings",
    "Trained",
    "bf16_pays",
    "load",
    "place_for",
    "run",
    "sha256",
    "shipped",
    "table",
]
