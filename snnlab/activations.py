"""What an ANN trains with, so that it converts well: activations that already know what a spiking neuron can say.

References:
  1) QCFS, the shift of one half: Bu et al. 2022, ICLR
  2) Quantise-clip with floor: Xiong et al. 2025, Control Theory & Applications 42(3):531-540, eq. 8
  3) The gradient of a learned clip: Choi et al. 2018 (PACT)
"""

import torch
from torch import Tensor, nn


class QuantClip(nn.Module):
    """Clip to [0, theta] and round down to one of levels + 1 values: what a neuron's rate can be after `levels` steps.

        a = theta * floor(L * clip(z / theta, 0, 1) + shift) / L,     shift = 0          Xiong 2025, eq. 8

    The floor passes gradients as if it were the identity (straight through), so with q = a / theta

        da/dz = 1 for 0 <= z <= theta, else 0;     da/dtheta = q - z / theta inside, 1 above, 0 below.

    Args:
        levels: L >= 1, the steps between 0 and theta.
        threshold: theta > 0 at the start, activation units; one number a layer, learned with the weights.
    Raises: ValueError for levels < 1 or threshold <= 0.
    """

    shift = 0.0

    def __init__(self, levels: int = 8, threshold: float = 2.0) -> None:
        super().__init__()
        if levels < 1 or int(levels) != levels:
            raise ValueError(f"levels = {levels}, but it must be a whole number, 1 or more")
        if not threshold > 0:
            raise ValueError(f"threshold = {threshold}, but it must be greater than 0")
        self.levels = int(levels)
        self.threshold = nn.Parameter(torch.tensor(float(threshold)))

    @property
    def theta(self) -> Tensor:
        """The upper end in use: the learned threshold, kept above zero whatever the optimiser does."""
        return self.threshold.abs().clamp(min=1e-3)

    def forward(self, z: Tensor) -> Tensor:
        """z [B, ...] to a [B, ...], both in activation units."""
        theta = self.theta
        q = self.levels * (z / theta).clamp(0, 1) + self.shift
        q = q.detach().floor() + (q - q.detach())  # the sum of 0 keeps the value exact
        return theta * q / self.levels

    def extra_repr(self) -> str:
        return f"levels={self.levels}, threshold={self.threshold.item():.4g}"


class QCFS(QuantClip):
    """QuantClip with a shift of one half: rounds to the nearest value, so that the mean error is zero.

    a = theta * floor(L * clip(z / theta, 0, 1) + 1/2) / L          Bu 2022; the neuron's v0 is theta / 2
    """

    shift = 0.5
