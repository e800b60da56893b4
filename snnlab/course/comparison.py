"""An ANN and its spiking network side by side, layer after layer: what lesson 03 looks at."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from snnlab.converters.graph import trace, walk
from snnlab.converters.snn import SNN
from snnlab.simulators.simulation import simulate


class Layer(NamedTuple):
    """One layer of the spiking network, over some images.

    Attributes:
        activation: what the ANN has there, [N, ...].
        rate: the neurons' mean output over the steps, [N, ...].
        threshold: theta, broadcasts against [N, ...].
    """

    activation: Tensor
    rate: Tensor
    threshold: Tensor

    @property
    def error(self) -> float:
        """Mean of |rate - activation|, as a share of the mean activation."""
        return float((self.rate - self.activation).abs().mean() / self.activation.mean())

    @property
    def silent(self) -> float:
        """Of the neurons whose activation is above zero, the share that never fired."""
        return float((self.rate[self.activation > 0] == 0).double().mean())

    @property
    def saturated(self) -> float:
        """The share of neurons that fired in every step."""
        return float((self.rate > 0.999 * self.threshold).double().mean())


@torch.inference_mode()
def activations(ann: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """What each activation of the ANN puts out for images [B, ...], by site, float64."""
    seen: dict[str, Tensor] = {}

    def look(name: str, module: nn.Module, current: Tensor) -> Tensor:
        seen[name] = module(current)
        return seen[name]

    walk(trace(ann, images), images, look)
    return {name: value.double() for name, value in seen.items()}


def compare(ann: nn.Module, snn: SNN, images: Tensor, T: int) -> dict[str, Layer]:
    """Run both for the same images [B, ...]; recordings of T steps are kept for a few images at a time."""
    rates: dict[str, list[Tensor]] = {name: [] for name in snn.sites}
    for few in images.split(20):
        for name, recorded in simulate(snn, few, T, record=list(snn.sites)).traces.items():
            rates[name].append(recorded.output.mean(0))  # [T, B, ...] -> [B, ...]
    return {
        name: Layer(value, torch.cat(rates[name]), snn.sites[name].threshold.double())
        for name, value in activations(ann, images).items()
    }
