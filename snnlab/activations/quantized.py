"""Activations that clip and round: the values that a neuron's mean output can have after a number of steps.

References:
  1) QCFS, the shift of one half: Bu et al. 2022, ICLR
  2) Quantise-clip with floor: Xiong et al. 2025, Control Theory & Applications 42(3):531-540, eq. 8
  3) Some values kept as they are: Wang et al. 2022, arXiv 2205.07473 (dual-phase)
  4) A learned step, rounded to the nearest (LSQ): Esser et al. 2020, ICLR
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from snnlab.activations.learned import LearnedRange
from snnlab.neurons.door import door


class QuantClip(LearnedRange):
    """Clip to [0, theta] and round down to one of levels + 1 values: what a neuron's rate can be after `levels` steps.

        a = theta * floor(L * clip(z / theta, 0, 1) + shift) / L,     shift = 0          Xiong 2025, eq. 8

    The floor passes gradients as if it were the identity (straight through), so with q = a / theta

        da/dz = 1 for 0 < z < theta, else 0;     da/dtheta = q - z / theta inside, 1 above, 0 below.

    The mask looks at z, not at q: the many values that round to q = 0 or 1 keep their gradient.

    Spikes that come unevenly move a neuron's count by one or two of its T steps, and the network has never seen that.
    With jitter it has: in training, and only there, L z / theta is moved by u, evenly distributed in [-jitter, jitter]
    and drawn for each value from PyTorch's global random state. Not of the papers; it costs the ANN some accuracy.

    Args:
        levels: L >= 1, the steps between 0 and theta.
        threshold: theta > 0 at the start, activation units; one number a layer, learned with the weights.
        jitter: u at most, levels, >= 0.
    Raises: ValueError for levels < 1, threshold <= 0 or jitter < 0.
    """

    shift = 0.0

    @door
    def __init__(self, levels: int = 8, threshold: float = 2.0, jitter: float = 0.0) -> None:
        super().__init__(threshold)
        if levels < 1 or int(levels) != levels:
            raise ValueError(f"levels = {levels}, but it must be a whole number, 1 or more")
        if not 0 <= jitter < math.inf:
            raise ValueError(f"jitter = {jitter}, but it must be 0 or more levels")
        self.levels, self.jitter = int(levels), jitter

    def forward(self, z: Tensor) -> Tensor:
        """z [B, ...] to a [B, ...], both in activation units."""
        theta = self.theta
        with torch.no_grad():
            q = (z / theta).mul_(self.levels)
            if self.training and self.jitter:
                q.add_(torch.rand_like(q).sub_(0.5), alpha=2 * self.jitter)
            a = self.rounded(q.clamp_(0, self.levels)).mul_(theta).div_(self.levels)
        return _StraightThrough.apply(z, theta, a)

    def rounded(self, q: Tensor) -> Tensor:
        """The step of the staircase, 0 to L, for q = L z / theta in [0, L]."""
        return (q + self.shift).floor_()

    def extra_repr(self) -> str:
        jitter = f", jitter={self.jitter:g}" if self.jitter else ""
        return f"levels={self.levels}, {super().extra_repr()}{jitter}"


class _StraightThrough(torch.autograd.Function):
    """The value a, with the gradients of a clip of z to [0, theta] whose inside is a instead of z.

    Autograd would find the same from each operation of the staircase, and take half of a training step for it.
    """

    @staticmethod
    def forward(ctx: Any, z: Tensor, theta: Tensor, a: Tensor) -> Tensor:
        ctx.save_for_backward(z, theta, a)
        return a.view_as(a)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        z, theta, a = ctx.saved_tensors
        # one pass, where masks take four
        inside = torch.ops.aten.hardtanh_backward(gradient, z, 0, theta.item())
        to_theta = (gradient * a).addcmul_(inside, z, value=-1).sum(dtype=theta.dtype) / theta
        return inside, to_theta, None


class QCFS(QuantClip):
    """QuantClip with a shift of one half: rounds to the nearest value, so that the mean error is zero.

        a = theta * floor(L * clip(z / theta, 0, 1) + 1/2) / L          Bu 2022; the neuron's v0 is theta / 2

    It is also the fake quantisation of activations to L + 1 values with a learned step S = theta / L,

        a = S * clip(round(z / S), 0, L),          Esser 2020

    with the same gradients; halves round up here.
    """

    shift = 0.5


class NoisyQuantClip(QCFS):
    """QCFS that in training leaves each value unrounded with a small probability (dual-phase).

        a = theta * (u with probability keep, else floor(L u + 1/2) / L),     u = clip(z / theta, 0, 1)

    Wang et al. 2022, with L = T, the steps of the spiking network to come. In evaluation mode it is QCFS. Which values
    are kept is drawn from PyTorch's global random state: `torch.manual_seed` repeats it.

    Args:
        levels, threshold, jitter: as QuantClip's.
        keep: probability that a value stays unrounded in training, 0 to 1.
    """

    @door
    def __init__(
        self, levels: int = 8, threshold: float = 2.0, keep: float = 0.1, jitter: float = 0.0
    ) -> None:
        super().__init__(levels, threshold, jitter)
        if not 0 <= keep <= 1:
            raise ValueError(f"keep = {keep}, but it is a probability, 0 to 1")
        self.keep = keep

    def rounded(self, q: Tensor) -> Tensor:
        """As QCFS's; in training, q itself where a draw falls below keep."""
        step = super().rounded(q)
        return torch.where(torch.rand_like(q) < self.keep, q, step) if self.training else step

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, keep={self.keep:g}"
