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
        to_v: Any = _ramp(u.clone(), gradients[0], width)
        wanted = zip((level, width), (1, u), ctx.needs_input_grad[1:], strict=True)
        return to_v, *(
            -(to_v * share).sum_to_size(given.shape) if asked else None for given, share, asked in wanted
        )


def _ramp(u: Tensor, gradient: Tensor, width: Tensor) -> Tensor:
    """max(0, 1 - |u|) gradient / width, in the memory of u."""
    return u.abs_().neg_().add_(1).clamp_(min=0).mul_(gradient).div_(width)


def slope(v: Tensor, level: Tensor | float, width: Tensor, gradient: Tensor) -> Tensor:
    """What `reached` hands back to v of a gradient, to the last bit, without autograd."""
    return _ramp((v - level).div_(width), gradient, width)


def reached(v: Tensor, level: Tensor, width: Tensor) -> Tensor:
    """1 where v >= level, else 0, in v's precision; the gradient is a triangle 2 * width wide at the level.

    It is not masked by the spikes: silent neurons are those that a correction must reach.     Bellec 2018
    """
    return _Surrogate.apply(v, level, width) if tracked(v, level) else _at_least(v, level)


def tracked(*values: Tensor) -> bool:
    """Whether a gradient is asked for, with respect to one of these."""
    return torch.is_grad_enabled() and any(value.requires_grad for value in values)


def _at_least(v: Tensor, level: Tensor) -> Tensor:
    return torch.ge(v, level, out=torch.empty_like(v))  # by way of bool it takes six times as long
