"""A neuron that may say several spikes in one step.

Reference: Li & Zeng 2022, IJCAI, "Efficient and accurate conversion ... with burst spikes"
"""

import torch
from torch import Tensor

from snnlab.neurons.door import door
from snnlab.neurons.firing import reached
from snnlab.neurons.integrate import IF, State
from snnlab.neurons.settings import whole


class BurstIF(IF):
    """IF that may send up to m spikes in one step, each paid for.

        s[t] = clip(floor(v / theta), 0, m)                                              Li & Zeng 2022

    With m spikes a step the rate reaches m * theta, and a late input is caught up with; a step then carries
    log2(m + 1) bits instead of one, so compare it with IF at m times the steps.

    Args:
        threshold, v0: as IF.
        max_spikes: m, whole, >= 1.
    """

    @door
    def __init__(
        self, threshold: float | Tensor = 1.0, v0: float | Tensor = 0.0, max_spikes: int = 4
    ) -> None:
        super().__init__(threshold, v0)
        self.max_spikes = whole(max_spikes, "max_spikes")

    def spikes(self, state: State) -> Tensor:
        """As many as the potential pays for, at most max_spikes; compared, not divided: no rounding."""
        each = (k * self.threshold.to(state.v.dtype) for k in range(1, self.max_spikes + 1))
        return torch.stack([reached(state.v, level, self.threshold) for level in each]).sum(0)

    def settings(self) -> dict[str, object]:
        """The most spikes in a step."""
        return {"max_spikes": self.max_spikes}
