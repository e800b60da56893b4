"""A neuron that looks ahead: it runs once, sees by how much it is out, and runs again from another potential.

Reference: Hao et al. 2023, ICLR, "Bridging the gap ... by calibrating offset spikes" (COS)
"""

import torch
from torch import Tensor

from snnlab.neurons.door import door
from snnlab.neurons.integrate import IF, State
from snnlab.neurons.settings import whole

MARGIN = 1e-4
"""How far past the threshold a potential is moved, in thresholds: a tie must fall on the right side."""


class OffsetSpikeIF(IF):
    """IF whose initial potential is set for each image, so that one spike too many goes, or one missing comes.

    All T steps are run from v0. Then, in units of the threshold and for each neuron and image,

        too many: v[T] < 0 and a spike was sent:  v0 <- v0 - max(1, (lowest peak that fired) - 1 + margin)
        too few: v[T] >= 1 and a step was silent: v0 <- v0 + max(1, 1 + margin - (highest peak that did not fire))

    and they are run again.                                                                     Hao 2023

    What it sends at the first step depends on its input at the last. So a layer must hear its neighbour's whole train
    before it starts: these steps count in the latency (`SNN.latency`), although the paper's T leaves them out.

    Args:
        threshold, v0: as IF; v0 is theta / 2 for networks that round to the nearest.
        passes: how often it looks ahead, >= 1; each pass mends one spike, and costs T more steps.
    """

    @door
    def __init__(self, threshold: float | Tensor = 1.0, v0: float | Tensor = 0.0, passes: int = 1) -> None:
        super().__init__(threshold, v0)
        self.passes = self.looks_ahead = whole(passes, "passes")

    def forward(
        self, current: Tensor, state: State | None = None, potentials: list[Tensor] | None = None
    ) -> tuple[Tensor, State]:
        """All steps at once: current [T, B, ...] to output [T, B, ...]. Raises: ValueError if given a state."""
        if state is not None:
            raise ValueError("this neuron looks ahead over all its steps: it cannot go on from a state")
        self._check(current, None, potentials)
        start = self.start(current[0])
        for _ in range(self.passes):
            with torch.no_grad():
                start = start._replace(v=start.v + self.change(current, start))
        return super().forward(current, start, potentials)

    def change(self, current: Tensor, start: State) -> Tensor:
        """What to add to the potentials that the state starts with, [B, ...]."""
        after: list[Tensor] = []
        output, end = super().forward(current, start, after)
        theta, peaks = self.threshold, torch.stack(after) + output
        lowest = torch.where(output > 0, peaks, torch.inf).amin(0)
        highest = torch.where(output > 0, -torch.inf, peaks).amax(0)
        less = torch.maximum(theta, lowest - theta + MARGIN * theta)
        more = torch.maximum(theta, theta + MARGIN * theta - highest)
        too_many, too_few = (end.v < 0) & (end.count > 0), (end.v >= theta) & (end.count < len(current))
        return torch.where(too_many, -less, torch.where(too_few, more, 0.0))

    def settings(self) -> dict[str, object]:
        """How often it looks ahead."""
        return {"passes": self.passes}
