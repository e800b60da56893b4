"""What a grid has in place of sums and layers: the same, in the precision that keeps every number as it is."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from snnlab.converters.graph import Weighted
from snnlab.converters.grid import planes
from snnlab.neurons.integrate import CACHED

PIECE = 2**19
"""Bytes of what comes into a layer in float64, at a time."""


class Rescale(nn.Module):
    """sum_k ratio_k x_k + offset, each term rounded to multiples of its step: elementwise, in float64.

    Attributes:
        taken: an input that nobody else reads, whose memory the result takes; None if there is none.
        single: the inputs of 0, 1 and -1 alone: round(ratio x) is x round(ratio), so their ratio is rounded, once.

    Args:
        ratios, steps: one for each input; a ratio of None takes the input as it is, exactly.
        offset: rounded already; None for 0.
        narrow: whether any result fits float32.
        whole: whether inputs with a ratio are whole numbers and ratios multiples of their steps, so that nothing is
            rounded.
    """

    def __init__(
        self,
        ratios: Sequence[Tensor | None],
        steps: Sequence[Tensor],
        offset: Tensor | None = None,
        *,
        narrow: bool = False,
        whole: bool = False,
    ) -> None:
        super().__init__()
        self.terms, self.narrow, self.whole = len(ratios), narrow, whole
        self.taken: int | None = None
        self.single: frozenset[int] = frozenset()
        for k, (ratio, step) in enumerate(zip(ratios, steps, strict=True)):
            self.register_buffer(f"ratio{k}", None if ratio is None else ratio / step)
            self.register_buffer(f"step{k}", step)
        self.register_buffer("offset", offset)

    def term(self, k: int) -> tuple[Tensor | None, Tensor]:
        """Ratio (None: as it is) and step of an input."""
        ratio, step = getattr(self, f"ratio{k}"), getattr(self, f"step{k}")
        return None if ratio is None else ratio * step, step

    def forward(self, *xs: Tensor) -> Tensor:
        """x_k [B, ...], all of one shape, to y, float64 or where it fits float32."""
        if self.narrow and self.whole:
            return self._exactly(xs)
        few = max(1, CACHED // xs[0][0].numel())  # what the cache holds at a time
        once = {k: getattr(self, f"ratio{k}").round() * getattr(self, f"step{k}") for k in self.single}
        out = torch.empty_like(xs[0], dtype=torch.float32 if self.narrow else torch.float64)
        for part, *terms in zip(out.split(few), *(x.split(few) for x in xs), strict=True):
            total = torch.empty_like(part, dtype=torch.float64) if self.narrow else part
            self._add_up(total, terms, once)
            if self.narrow:
                part.copy_(total)
        return out

    def _add_up(self, total: Tensor, xs: Sequence[Tensor], once: Mapping[int, Tensor]) -> None:
        """Write the sum into float64, in as few passes as its terms allow."""
        for k, x in enumerate(xs):
            first, ratio = k == 0, getattr(self, f"ratio{k}")
            if k in once:
                y = x.double()
                torch.mul(y, once[k], out=total) if first else total.addcmul_(y, once[k])
                continue
            y = x if ratio is None else (x.double() * ratio).round_().mul_(getattr(self, f"step{k}"))
            total.copy_(y) if first else total.add_(y)
        offset: Any = self.offset
        if offset is not None:
            total.add_(offset)

    def _exactly(self, xs: Sequence[Tensor]) -> Tensor:
        """The same in float32, where no term and no sum is rounded: one pass for each input."""
        total: Any = None if self.taken is None else xs[self.taken]
        for k in (k for k in range(self.terms) if k != self.taken):
            ratio, x = self.term(k)[0], xs[k].to(torch.float32)
            if self.taken is not None:
                total = total.add_(x) if ratio is None else total.addcmul_(x, ratio.float())
                continue
            x = x if ratio is None else x * ratio.float()
            total = x if total is None else total + x
        return total if self.offset is None else total + self.offset.float()


class Origin(NamedTuple):
    """How weights W of the network, activation units, came to lie on the grid: round(W into / out / rows) rows.

    Attributes:
        into: unit of each input channel, [I]. out: of each output channel, [O].
        rows: the power of two of which an output's weights are multiples, [O].
    """

    into: Tensor
    out: Tensor
    rows: Tensor


class Exact(nn.Module):
    """A layer whose weights lie on a grid, in the precision that its sums need.

    Args:
        layer: weights and bias multiples of the grid's step.
        few: of whole numbers that come in, what `planes.Packed` needs to add them up in integers; None for others.
        origin: how the weights came to lie there; None if they came so from a file.
    """

    def __init__(self, layer: Weighted, few: planes.Few | None = None, origin: Origin | None = None) -> None:
        super().__init__()
        self.layer, self.few, self.origin = layer, few, origin
        self.packed = planes.Packed()

    def forward(self, x: Tensor) -> Tensor:
        """x [B, ...] to y [B, ...]."""
        if self.few is not None and (y := self.packed(self.layer, self.few, x)) is not None:
            return y
        dtype = self.layer.weight.dtype
        if dtype != torch.float64 or x.device.type != "cpu" or not x.numel():
            return self.layer(x.to(dtype))
        few = max(1, PIECE // (8 * x[0].numel()))  # up to four times as fast where the cache holds them
        return torch.cat([self.layer(part.double()) for part in x.split(few)])
