"""Accuracy over images in the page: what the conversion explorer is where there is no kernel."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from snnlab.converters.snn import SNN
from snnlab.datasets import Split
from snnlab.explorers.host import module
from snnlab.explorers.network import NetworkExplorer, network


class Accuracies(NetworkExplorer):
    """Converted networks run in the page over all images, for each threshold scale and initial potential.

    The numbers are those of `simulate` for `snn_shown()` and all images, after each step.
    """

    _esm = module("neurons.js", "drawing.js", "engine.js", "accuracy.js")
    title = "Accuracy of a conversion"


def accuracies(
    snns: Mapping[str, SNN], anns: Mapping[str, nn.Module], test: Split, **settings: Any
) -> Accuracies:
    """The explorer; arguments, limits and errors as those of `explorers.network`."""
    packed = network(snns, anns, test, **settings)
    found = Accuracies(**{name: getattr(packed, name) for name in packed.names})
    found.snns, found.ann_of, found.choice = packed.snns, packed.ann_of, packed.choice
    return found
