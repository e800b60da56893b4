"""Rules for averages and sums over axes and windows, and for linear up-sampling."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.converters.graph.calls import Call, Refusal, Value
from snnlab.converters.graph.kinds import Average, Move, Window
from snnlab.converters.graph.moves import move
from snnlab.converters.graph.words import BATCH


def mean(call: Call) -> Value:
    """A mean or a sum over axes."""
    value = call.first(batch_first=False)
    dims = call.get(1, "dim", call.kwargs.get("axis"))
    if dims is None:
        raise Refusal(BATCH)
    dims = (dims,) if isinstance(dims, int) else tuple(dims)
    axes, sizes, whole = sorted(value.axis(dim) for dim in dims), value.data.shape, call.name == "mean"
    shares = {a: torch.ones(1, sizes[a], dtype=torch.float64) / (sizes[a] if whole else 1) for a in axes}
    window = _window(value.data, {a: (sizes[a], sizes[a], 0) for a in axes}) if whole else None
    kind = Average(shares, window)
    if call.get(2, "keepdim", False):
        return call.emit(kind, value.node, batch=value.batch)
    kept = [size for axis, size in enumerate(sizes) if axis not in axes][1:]
    ones = [1 if axis in axes else size for axis, size in enumerate(sizes)][1:]
    drop = Move(torch.arange(math.prod(kept)).reshape(kept), [ones])
    batch = value.batch - sum(dim % value.tensor.ndim < value.batch for dim in dims)
    return call.emit(drop, call.step(kind, value.node), batch=batch)


def average_pool(call: Call) -> Value:
    """Averages over windows, along each axis by itself: the shares of a window are the product of its sides'."""
    value = call.first()
    sides = int(call.name[-2])
    kernel, padding = _each(call.get(1, "kernel_size"), sides), _each(call.get(3, "padding", 0), sides)
    stride = _each(call.get(2, "stride") or kernel, sides)
    ceil, counted = call.get(4, "ceil_mode", False), call.get(5, "count_include_pad", True)
    divisor = call.get(6, "divisor_override") or 0
    windows = tuple(zip(kernel, stride, padding, strict=True))
    kind = Average.over_windows(value.data.shape, windows, ceil=ceil, counted=counted, divisor=divisor)
    return call.emit(kind, value.node)


def adaptive_pool(call: Call) -> Value:
    """Averages over windows that together cover each axis."""
    value = call.first()
    sides = value.data.ndim - 2
    shares, windows = {}, {}
    for axis in range(value.data.ndim - sides, value.data.ndim):
        size, out = value.data.shape[axis], call.result.shape[axis]
        shares[axis] = _matrix(partial(F.adaptive_avg_pool1d, output_size=out), size)
        windows[axis] = (size // out, size // out, 0) if size % out == 0 else None
    whole = None not in windows.values()
    return call.emit(Average(shares, _window(value.data, windows) if whole else None), value.node)


def interpolate(call: Call) -> Value:
    """Nearest is a move; linear takes fixed shares of two neighbours, axis by axis."""
    mode = call.get(3, "mode", "nearest")
    if mode in ("nearest", "nearest-exact"):
        return move(call)
    if mode == "area":
        return adaptive_pool(call)
    if mode not in ("linear", "bilinear", "trilinear") or call.get(6, "antialias", False):
        raise Refusal(
            "it takes shares below zero or of many neighbours; use mode='nearest' or 'bilinear' and retrain"
        )
    value = call.first()
    sides, node = value.data.ndim - 2, value.node
    size, scale = _each(call.get(1, "size"), sides), _each(call.get(2, "scale_factor"), sides)
    corners, again = call.get(4, "align_corners"), call.get(5, "recompute_scale_factor")

    def shares(
        k: int,
    ) -> Average:  # one axis after the other: two shares for each is all that has to be exact
        along = partial(F.interpolate, size=size[k], scale_factor=scale[k], mode="linear")
        along = partial(along, align_corners=corners, recompute_scale_factor=again)
        return Average({k + 2: _matrix(along, value.data.shape[k + 2])})

    for k in range(sides - 1):
        node = call.step(shares(k), node)
    return call.emit(shares(sides - 1), node)


def _matrix(along: Callable[[Tensor], Tensor], size: int) -> Tensor:
    """The shares, [out, size], of a function of one axis: [B, 1, size] to [B, 1, out]."""
    return along(torch.eye(size, dtype=torch.float64)[:, None])[:, 0].T.contiguous()


def _window(data: Tensor, windows: dict[int, Any]) -> Window | None:
    """Kernel, stride and padding for each axis after the channels, if a pool of two or three axes can say it."""
    if data.ndim not in (4, 5) or min(windows) < 2:
        return None
    return tuple(windows.get(axis, (1, 1, 0)) for axis in range(2, data.ndim))


def _each(given: Any, sides: int) -> tuple[Any, ...]:
    """One number for each axis."""
    several = tuple(given) if isinstance(given, tuple | list) else (given,)
    return several * sides if len(several) == 1 else several
