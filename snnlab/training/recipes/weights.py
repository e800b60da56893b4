"""Weights of few bits: rounded while the network trains, and left so.

References:
  1) Quantisation-aware training, symmetric and for each channel: Jacob et al. 2018, CVPR; Krishnamoorthi 2018,
     arXiv 1806.08342
  2) In the training of a network to be converted: Gao et al. 2023, Front. Neurosci. 17:1141701
"""

from torch import Tensor, nn
from torch.nn.utils import parametrize

from snnlab.neurons.door import door

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class Rounded(nn.Module):
    """Weights on a symmetric grid, one scale for each output channel, with the gradient of the identity.

        w_q = s_c round(w / s_c),     s_c = max |w_c| / (2^(bits - 1) - 1)

    Args:
        bits: 2 to 16; 8 bits are whole numbers from -127 to 127.
    """

    def __init__(self, bits: int = 8) -> None:
        super().__init__()
        if int(bits) != bits or not 2 <= bits <= 16:
            raise ValueError(f"bits = {bits}, but it must be a whole number, 2 to 16")
        self.bits = int(bits)

    def forward(self, weight: Tensor) -> Tensor:
        """weight [out, in, ...] to the rounded one, of the same shape."""
        largest = weight.detach().abs().flatten(1).amax(1).clamp(min=1e-12)
        scale = (largest / (2 ** (self.bits - 1) - 1)).reshape(-1, *[1] * (weight.ndim - 1))
        rounded = (weight.detach() / scale).round() * scale
        return rounded + (weight - weight.detach())

    def extra_repr(self) -> str:
        return f"bits={self.bits}"


@door
def quantize_weights(ann: nn.Module, bits: int = 8) -> nn.Module:
    """Round the weights of every convolution and linear layer in the forward, in place; the full ones go on learning.

    Fold batch norms before: one folded later would scale the weights off their grid.

    Args:
        bits: 2 to 16.
    Raises: ValueError for bits out of range, a batch norm left, or weights that are rounded already.
    """
    for name, module in list(ann.named_modules()):
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            raise ValueError(
                f"layer {name!r} is a batch norm, which would scale rounded weights: fold it before, with "
                "snnlab.training.recipes.fold_batch_norms"
            )
        if isinstance(module, (*CONVS, nn.Linear)):
            if parametrize.is_parametrized(module, "weight"):
                raise ValueError(f"the weights of layer {name!r} are rounded already; bake_weights first")
            parametrize.register_parametrization(module, "weight", Rounded(bits))
    return ann


@door
def bake_weights(ann: nn.Module) -> nn.Module:
    """Leave plain layers that hold the rounded weights, in place."""
    for module in list(ann.modules()):
        if isinstance(module, (*CONVS, nn.Linear)) and parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    return ann
