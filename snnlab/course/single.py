"""One neuron alone: what it does with an input that you choose."""

import torch
from torch import Tensor

from snnlab.neurons import IF
from snnlab.simulators.run import Trace


def watch(neuron: IF, current: Tensor) -> Trace:
    """Everything a neuron does with an input, to be plotted or counted.

    Args:
        current: [T, N], activation units: N inputs, each T steps long.
    """
    potentials: list[Tensor] = []
    output, _ = neuron(current, potentials=potentials)
    shape = current.shape[1:]
    return Trace(torch.stack(potentials), output, neuron.threshold.expand(shape), neuron.v0.expand(shape))
