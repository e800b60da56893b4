"""Site: everything that a rule may look at, at one activation of the network."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.converters.choices.segment import Segment
from snnlab.converters.choices.trains import Part, Train
from snnlab.converters.threads import in_order
from snnlab.neurons import IF
from snnlab.neurons.door import door, shown
from snnlab.neurons.integrate import CACHED

SLICE_BYTES = 8 * 2**20
"""Of one layer's values over all steps, at most, that are computed at once: more leave the cache and take longer."""
KEPT_BYTES = 2**28
"""Of one layer's currents over all steps, at most, that are kept for the next correction."""


@dataclass
class Site:
    """One activation of the ANN, and the neuron that takes its place.

    Attributes:
        name: the ANN's dotted name of the activation.
        T: the number of steps that the conversion is for.
        activation: the ANN's module there, with what it learned.
        target: the ANN's activation for the calibration images, [N, ...], activation units, from clean input.
        segment: the layers between the last spikes and this neuron; None unless the method corrects.
        threshold: set by the threshold rule, broadcasts against [N, ...].
        neuron: set once threshold and v0 are known.
        pool: whose threads share a few images each; None: all in this one.
    """

    name: str
    T: int
    activation: nn.Module
    target: Tensor
    segment: Segment | None = None
    threshold: Tensor = field(default_factory=lambda: torch.tensor(1.0))
    neuron: IF = field(default_factory=IF)
    pool: Executor | None = None
    kept: dict[int, Tensor] = field(default_factory=dict, init=False, repr=False)  # currents of all steps
    weights: list[Tensor] = field(default_factory=list, init=False, repr=False)  # those that made them

    @door
    def current(self, part: Part = slice(None)) -> Tensor:
        """What the layers converted so far feed the neuron, [T, n, ...], for some of the images."""
        return self.layers(_some(part))

    @property
    def layers(self) -> Segment:
        """The segment. Raises: ValueError if the site has none."""
        if self.segment is None:
            raise ValueError(
                f"site {self.name!r} has no segment: only corrections may ask for currents, rates and layers"
            )
        return self.segment

    @door
    def sent(self, part: Tensor | None = None) -> Iterator[Tensor]:
        """What the neuron sends in every step, for all images or some, [T, n, ...], a few after others."""
        each = max(1, CACHED // 2 // self.target[0].numel())  # potentials are float64
        kept = self._kept() if part is None else {}

        def ran(numbered: tuple[int, Tensor]) -> tuple[Tensor, list[Tensor]]:
            k, few = numbered
            current = kept[k] if k in kept else self.current(few)
            return current, [self.neuron(z)[0] for z in current.split(each, dim=1)]

        for k, (current, outputs) in enumerate(in_order(self.pool, ran, enumerate(self.slices(part)))):
            if part is None and (k + 1) * current.nbytes <= KEPT_BYTES:
                kept[k] = current
            yield from outputs

    def _kept(self) -> dict[int, Tensor]:
        """The currents of the first slices of all images, as long as no layer changes."""
        layers = self.layers.layers.values()
        weights = [value.clone() for layer in layers for value in layer.state_dict().values()]
        if len(weights) != len(self.weights) or not all(map(torch.equal, weights, self.weights)):
            self.weights, self.kept = weights, {}
        return self.kept

    def train(self) -> Train:
        """What the neuron sends, [T, N, ...]."""
        return Train(self.sent(), self.neuron.threshold, len(self.target))

    @door
    def rate(self, part: Tensor | None = None) -> Tensor:
        """The neuron's mean output over the T steps, [N, ...], comparable with target."""
        return torch.cat([output.mean(0) for output in self.sent(part)])

    @door
    def slices(self, part: Tensor | None = None) -> tuple[Tensor, ...]:
        """The numbers of the images, or of some of them, so few at a time that all steps stay in the cache."""
        numbers = torch.arange(len(self.target)) if part is None else _some(part)
        largest = max(math.prod(shape) for shape in (self.target.shape[1:], *self.layers.of_one_image()))
        return numbers.split(max(1, SLICE_BYTES // (self.T * largest * self.target.element_size())))

    @door
    def shift(self, delta: Tensor) -> None:
        """Add delta, one number or one a channel, to what the neuron is fed in every step.

        It goes into a bias of the segment; where none can take it the neuron starts with as much more: T * delta.
        """
        if not self.layers.shift(delta):
            self.neuron.v0 = self.neuron.v0 + self.T * _over_positions(delta, self.target)

    def fitting(self) -> Tensor:
        """The calibration images that a training may use, as numbers: four fifths of them."""
        return torch.arange(len(self.target) - len(self.target) // 5)

    def held_out(self) -> Tensor:
        """The rest, by which a training is judged: "keep the best" looks at these only."""
        kept = torch.arange(len(self.target) - len(self.target) // 5, len(self.target))
        return kept if len(kept) else self.fitting()


def _some(part: Any) -> Any:
    """A slice, or numbers of images. Raises: ValueError for a tensor that holds none."""
    if isinstance(part, Tensor) and (part.ndim != 1 or part.dtype not in (torch.int64, torch.int32)):
        raise ValueError(f"part is {shown(part)}, but it must be a slice or whole numbers of images [n]")
    return part


def check_positive(**settings: object) -> None:
    """Raises: ValueError that names the first setting that is no finite number above 0."""
    for name, value in settings.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < value < math.inf:  # type: ignore[operator]
            raise ValueError(f"{name} = {value!r}, but it must be a finite number greater than 0")


def _over_positions(delta: Tensor, target: Tensor) -> Tensor:
    """One number a channel, broadcast against [N, C, ...]."""
    return delta.reshape(-1, *(1 for _ in target.shape[2:])) if delta.numel() > 1 else delta


Rule = Callable[[Site], Tensor]
"""A threshold or an initial potential: a number, or a tensor that broadcasts against [N, ...]."""

Correction = Callable[[Site], None]
"""Changes site.neuron or site.segment in place."""
