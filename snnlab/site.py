"""Site: everything that a rule may look at, at one activation of the network."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from snnlab.neurons import IF


@dataclass
class Site:
    """One activation of the ANN, and the neuron that takes its place.

    Attributes:
        name: the ANN's dotted name of the activation.
        T: the number of steps that the conversion is for.
        activation: the ANN's module there, with what it learned.
        target: the ANN's activation for the calibration images, [N, ...], activation units.
        segment: the layers between the last spikes and this neuron, by name.
        current: what the converted layers before it feed this neuron, [T, N, ...]; None unless the method corrects.
        threshold: set by the threshold rule, broadcasts against [N, ...].
        neuron: set once threshold and v0 are known.
    """

    name: str
    T: int
    activation: nn.Module
    target: Tensor
    segment: dict[str, nn.Module] = field(default_factory=dict)
    current: Tensor | None = None
    threshold: Tensor = field(default_factory=lambda: torch.tensor(1.0))
    neuron: IF = field(default_factory=IF)

    def rate(self) -> Tensor:
        """The neuron's mean output over the T steps, [N, ...], comparable with target."""
        if self.current is None:
            raise ValueError(f"site {self.name!r} has no current: only corrections may ask for the rate")
        return self.neuron(self.current)[0].mean(0)


Rule = Callable[[Site], Tensor]
"""A threshold or an initial potential: a number, or a tensor that broadcasts against [N, ...]."""

Correction = Callable[[Site], None]
"""Changes site.neuron or site.segment in place."""
