"""Images to learn from: known data sets, folders of one's own; and what papers report of them."""

from snnlab.datasets.standard import CALIBRATION, NAMES, Data, Split, folder, load

__all__ = ["CALIBRATION", "NAMES", "Data", "Split", "folder", "load"]
