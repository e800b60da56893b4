"""Long trainings that may be stopped and killed: kept after every epoch, gone on with to the same bits."""

from snnlab.runs.checkpoints import shipped, table
from snnlab.runs.epochs import bf16_pays, run
from snnlab.runs.files import Trained, load, sha256
from snnlab.runs.settings import NETWORKS, Settings

__all__ = ["NETWORKS", "Settings", "Trained", "bf16_pays", "load", "run", "sha256", "shipped", "table"]
