"""What a report measured: the numbers of its layers, and the file for whoever reads it with a program."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from IPython.display import Markdown
from torch import Tensor, nn

import snnlab
from snnlab.conversion import SNN
from snnlab.datasets import Split
from snnlab.graph import ACTIVATIONS, trace, walk
from snnlab.simulation import Run

PACKAGES = ("numpy", "scikit-learn", "torch", "torchvision")
"""What can change a number."""


@torch.inference_mode()
def carried(ann: nn.Module, snn: SNN, run: Run, data: Split, batch: int = 256) -> dict[str, dict[str, float]]:
    """How much of what the ANN says each layer of the SNN says: where the conversion loses most.

        carried = theta * firing rate / mean activation,     clipped = share of activations above theta

    Means over images and neurons. Below 1: spikes are missing, because they come late or the threshold clips.

    Args:
        run: of the same images as `data`.
        batch: images at a time.
    Returns: site to threshold, activation (the ANN's mean), output (the SNN's mean), carried, clipped. Numbers
        in activation units have six digits, which no order of summation changes.
    """
    graph = trace(ann.eval(), (*ACTIVATIONS, type(snn.method.activation())))
    sums = {name: torch.zeros(3, dtype=torch.float64) for name in snn.sites}

    def add(name: str, activation: nn.Module, z: Tensor) -> Tensor:
        a = activation(z)
        above = a > snn.sites[name].threshold
        sums[name] += torch.tensor([a.double().sum(), above.sum(), a.numel()], dtype=torch.float64)
        return a

    for images in data.images.split(batch):
        walk(graph, images, add)
    layers = {}
    for name, (total, above, neurons) in sums.items():
        theta = float(snn.sites[name].threshold.double().mean())
        activation, output = float(total / neurons), theta * run.firing_rate[name]
        numbers = {"threshold": theta, "activation": activation, "output": output}
        numbers |= {
            "carried": output / activation if activation > 0 else 1.0,
            "clipped": float(above / neurons),
        }
        layers[name] = {key: float(f"{number:.6g}") for key, number in numbers.items()}
    return layers


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Markdown:
    """A table to show in a notebook; the first column is text, the others are set right."""
    lines = ["|".join(head), "|".join([":--", *["--:"] * (len(head) - 1)])]
    return Markdown("\n".join([*lines, *("|".join(map(str, row)) for row in rows)]))


def write_results(path: str | Path, params: Mapping[str, Any], **measured: Any) -> None:
    """Write results.json: the parameters, what was measured, and the versions it was measured with.

    The same numbers give the same bytes: keys are sorted, and there is no time and no place in it.

    Args:
        path: the file, or "" to write nothing, as when the notebook is run by hand.
        measured: numbers, or mappings of them.
    """
    if not path:
        return
    versions = {name: version(name) for name in PACKAGES}
    versions |= {"python": platform.python_version(), "snnlab": snnlab.__version__}
    results = {"params": dict(params), "versions": versions, **measured}
    Path(path).write_text(
        json.dumps(results, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8"
    )
