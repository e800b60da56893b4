"""Activations that clip at a threshold they learn: what a neuron that fires at every step can say at most.

References:
  1) Trainable clipping layers (TCL): Ho & Chang 2021, DAC
  2) The gradient of a learned clip: Choi et al. 2018 (PACT), eq. 2
  3) RateNorm, a learned share of the largest activation: Ding et al. 2021, IJCAI
"""

import torch
from torch import Tensor, nn

from snnlab.neurons.door import door

FLOOR = 1e-3
"""The smallest upper end of an activation, activation units: above zero whatever the optimiser does."""


class LearnedRange(nn.Module):
    """What all activations with a learned upper end share: a positive `theta` that becomes the neuron's threshold.

    Args:
        threshold: theta > 0 at the start, activation units; one number a layer, learned with the weights.
    Raises: ValueError for threshold <= 0.
    """

    @door
    def __init__(self, threshold: float = 2.0) -> None:
        super().__init__()
        if not 0 < threshold < float("inf"):
            raise ValueError(f"threshold = {threshold}, but it must be a number greater than 0")
        self.threshold = nn.Parameter(torch.tensor(float(threshold)))

    @property
    def theta(self) -> Tensor:
        """The upper end in use: |threshold|, at least FLOOR; the gradient passes there too, so a layer can recover."""
        size = self.threshold.abs()
        return size + (FLOOR - size.detach()).clamp(min=0)

    @door
    def start_at(self, threshold: float) -> None:
        """Put the upper end at `threshold` > 0, activation units."""
        with torch.no_grad():
            self.threshold.fill_(max(float(threshold), FLOOR))

    def extra_repr(self) -> str:
        return f"threshold={self.threshold.item():.4g}"


class Clip(LearnedRange):
    """ReLU with an upper end that is learned together with the weights (TCL).

        a = min(max(z, 0), theta);     da/dz = 1 for 0 < z < theta, else 0;     da/dtheta = 1 for z >= theta, else 0

    Ho & Chang 2021; the gradients are PACT's. What lies above theta is lost to the loss, what lies below is coarser
    the larger theta is: the loss sees only the first, so a decay of theta trades the one for the other.

    Args:
        threshold: theta at the start, activation units: 2 from scratch; a percentile of the activations when a
            trained network goes on.
    """

    def forward(self, z: Tensor) -> Tensor:
        """z [B, ...] to a [B, ...], both in activation units."""
        return torch.where(
            z >= self.theta, self.theta, z.relu()
        )  # exact at the top, where z - (z - theta) is not


class RateNorm(LearnedRange):
    """Clip at a learned share of the largest activation seen so far.

        a = theta * clip(z / theta, 0, 1),     theta = sigmoid(k) * m + 1e-6,     m <- m + momentum * (max z - m)

    Ding et al. 2021, there divided by theta; here a stays in activation units, and so do the weights after it. The
    running maximum m moves in training mode only. The share sigmoid(k) starts near 1 and stands still while the
    weights learn; a second stage lowers it, which clips more and makes each of the T steps finer
    (snnlab.training.recipes).

    Args:
        threshold: m at the start, activation units.
        share: sigmoid(k) at the start, 0 < share < 1.
        momentum: weight of the newest batch's largest value, 0 < momentum <= 1.
    """

    @door
    def __init__(self, threshold: float = 2.0, share: float = 0.9999, momentum: float = 0.1) -> None:
        super().__init__(threshold)  # which refuses what is no threshold
        for name, value, most in (("share", share, 1 - 1e-7), ("momentum", momentum, 1.0)):
            if not 1e-7 <= value <= most:
                raise ValueError(f"{name} = {value}, but it must lie between 0 and 1")
        self.momentum = momentum
        del self._parameters["threshold"]
        self.k = nn.Parameter(torch.logit(torch.tensor(float(share))), requires_grad=False)
        self.running_max = nn.Buffer(torch.tensor(float(threshold)))

    @property
    def share(self) -> Tensor:
        """sigmoid(k): the part of the running maximum that is not clipped, 0 to 1."""
        return self.k.sigmoid()

    @property
    def theta(self) -> Tensor:
        """The upper end in use: share * running_max + 1e-6."""
        return self.share * self.running_max + 1e-6

    threshold = theta  # type: ignore[assignment]

    @door
    def start_at(self, threshold: float) -> None:
        """Put the upper end at `threshold`, by the running maximum; the share stays."""
        self.running_max.fill_(max(float(threshold), FLOOR) / float(self.share.detach()))

    def forward(self, z: Tensor) -> Tensor:
        """z [B, ...] to a [B, ...], both in activation units."""
        if self.training:
            largest = z.detach().amax().clamp(min=0)
            self.running_max.lerp_(largest.to(self.running_max.dtype), self.momentum)
        return torch.where(z >= self.theta, self.theta, z.relu())

    def extra_repr(self) -> str:
        largest, share = self.running_max.item(), self.share.item()
        return f"running_max={largest:.4g}, share={share:.4g}, momentum={self.momentum:g}"
