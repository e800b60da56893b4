"""The comparison by which every neuron fires, with a gradient that reaches silent neurons, too.

References:
  1) The triangular surrogate gradient: Bellec et al. 2018, NeurIPS
"""

from typing import Any

import torch
from torch import Tensor


class _Surrogate(torch.autograd.Function):
    """1 where v >= level, else 0; backward as if it were a ramp: max(0, 1 - |u|) du, u = (v - level) / width."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, level: Tensor, width: Tensor) -> Tensor:
        ctx.save_for_backward(v, level, width)
        return _at_least(v, level)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        v, level, width = ctx.saved_tensors
        u = (v - level).div_(width)
        to_v = u.abs().neg_().add_(1).clamp_(min=0).mul_(gradients[0]).div_(width)
        wanted = zip((level, width), (1, u), ctx.needs_input_grad[1:], strict=True)
        return to_v, *(
            -(to_v * share).sum_to_size(given.shape) if asked else None for given, share, asked in wanted
        )


def reached(v: Tensor, level: Tensor, width: Tensor) -> Tensor:
    """1 where v >= level, else 0, in v's precision; the gradient is a triangle 2 * width wide at the level.

    It is not masked by the spikes: silent neurons are those that a correction must reach.     Bellec 2018
    """
    if not torch.is_grad_enabled() or not (v.requires_grad or level.requires_grad):
        return _at_least(v, level)
    return _Surrogate.apply(v, level, width)


def _at_least(v: Tensor, level: Tensor) -> Tensor:
    return torch.ge(v, level, out=torch.empty_like(v))  # by way of bool it takes six times as long
