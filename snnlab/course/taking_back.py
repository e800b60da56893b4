"""Neurons side by side on the same uneven input: how often they say what even input would have made them say."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from snnlab.neurons import IF, SNM, State


class Ungated(SNM):
    """SNM without its memory: sends -1 at v <= -theta, whether or not there is a spike to take back."""

    def gate(self, state: State) -> Tensor:
        """Always open."""
        return torch.ones_like(state.v, dtype=torch.bool)


def uneven_current(T: int, neurons: int, seed: int = 0, synapses: int = 50) -> Tensor:
    """What random spikes bring to each of many neurons, [T, neurons]: weights of both signs, rates of all sizes.

    Each synapse of a weight drawn from N(0, 0.3^2) is hit by a spike with a probability of its own in every step.
    """
    draw = torch.Generator().manual_seed(seed)
    weights = 0.3 * torch.randn(synapses, neurons, generator=draw, dtype=torch.float64)
    rates = torch.rand(synapses, generator=draw, dtype=torch.float64)
    return (torch.rand(T, synapses, generator=draw, dtype=torch.float64) < rates).double() @ weights


def exact_shares(
    neurons: Mapping[str, Callable[..., IF]], steps: list[int], seed: int = 0
) -> dict[str, list[float]]:
    """For each kind, the share of 10,000 neurons whose count is that of the same input spread evenly, per T."""
    shares: dict[str, list[float]] = {name: [] for name in neurons}
    for T in steps:
        current = uneven_current(T, 10_000, seed)
        even = (current.sum(0) + 0.5).floor().clamp(0, T)
        for name, kind in neurons.items():
            _, state = kind(torch.tensor(1.0, dtype=torch.float64), 0.5)(current)
            shares[name].append(float((state.count == even).double().mean()))
    return shares
