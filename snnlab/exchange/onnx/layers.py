"""What the grid computes between neurons, as operators of ONNX."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch

from snnlab.converters.graph import Average, Move, Sum, Weighted
from snnlab.converters.grid import Exact, Rescale
from snnlab.exchange.onnx.drawing import Drawing, Value

Shapes = Sequence[Sequence[int]]
"""Of one image's values, for each input."""


def exact(draw: Drawing, kind: Exact, values: Sequence[Value], shapes: Shapes) -> Value:
    """A layer: Conv or MatMul in its own precision."""
    layer, wide = kind.layer, kind.layer.weight.dtype == torch.float64
    x = draw.cast(values[0], wide)
    if layer.call == "linear":
        product = draw.compute("MatMul", x, layer.weight.T)
        return product if layer.bias is None else draw.compute("Add", product, layer.bias)
    return _shifted(draw, layer, x, shapes[0]) if wide else _conv(draw, layer, x)


def _conv(draw: Drawing, layer: Weighted, x: Value) -> Value:
    stride, dilation, before, after = _geometry(layer)
    return draw.compute(
        "Conv", x, layer.weight, *([] if layer.bias is None else [layer.bias]),
        kernel_shape=list(layer.weight.shape[2:]), strides=stride, pads=[*before, *after], dilations=dilation,
        group=layer.groups,
    )  # fmt: skip


def _shifted(draw: Drawing, layer: Weighted, x: Value, shape: Sequence[int]) -> Value:
    """A convolution in float64: a copy of the image for each place of the kernel, side by side, then a product."""
    stride, dilation, before, after = _geometry(layer)
    kernel, sides = layer.weight.shape[2:], [sum(side) for side in zip(shape[1:], before, after, strict=True)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    size = [(side - r) // s + 1 for side, r, s in zip(sides, reach, stride, strict=True)]
    if any(before) or any(after):
        pads = draw.whole([0, 0, *before, 0, 0, *after])
        x = Value(draw.put("Pad", x.name, pads, draw.constant(torch.zeros(()), wide=True)), wide=True)
    copies, x_axes = [], layer.weight.ndim
    for place in itertools.product(*(range(k) for k in kernel)):
        first = [d * k for d, k in zip(dilation, place, strict=True)]
        last = [f + s * (n - 1) + 1 for f, s, n in zip(first, stride, size, strict=True)]
        cut = (draw.whole(numbers) for numbers in (first, last, range(2, x_axes), stride))
        copies.append(draw.reshape(Value(draw.put("Slice", x.name, *cut), wide=True), [shape[0], -1]))
    side_by_side = draw.compute("Concat", *copies, axis=1)  # [N, places * channels, positions]
    rows = layer.dense().movedim(1, -1).flatten(1)  # [O, places * channels]
    product = Value(draw.put("MatMul", draw.constant(rows, wide=True), side_by_side.name), wide=True)
    if layer.bias is not None:
        product = draw.compute("Add", product, layer.bias[:, None])
    return draw.reshape(product, [layer.outputs, *size])


def _geometry(layer: Weighted) -> tuple[list[int], list[int], list[int], list[int]]:
    """Stride and dilation of each axis, zeros before it and after it."""
    axes, padding = layer.weight.ndim - 2, layer.options["padding"]
    stride, dilation = (_each(layer.options[name], axes) for name in ("stride", "dilation"))
    if padding == "same":
        around = [d * (k - 1) for d, k in zip(dilation, layer.weight.shape[2:], strict=True)]
        return stride, dilation, [total // 2 for total in around], [total - total // 2 for total in around]
    zeros = [0] * axes if padding == "valid" else _each(padding, axes)
    return stride, dilation, zeros, zeros


def _each(option: Any, axes: int) -> list[int]:
    return [int(option)] * axes if isinstance(option, int) else [int(number) for number in option]


def rescale(draw: Drawing, kind: Rescale, values: Sequence[Value], _: Shapes) -> Value:
    """sum_k ratio_k x_k + offset, each term rounded to multiples of its step, in float64."""
    total: Any = kind.offset
    for k, value in enumerate(values):
        y, ratio = draw.cast(value, wide=True), getattr(kind, f"ratio{k}")
        if ratio is not None:
            rounded = Value(draw.put("Round", draw.compute("Mul", y, ratio).name), wide=True)
            y = draw.compute("Mul", rounded, getattr(kind, f"step{k}"))
        total = y if total is None else draw.compute("Add", y, total)
    return draw.cast(total, not kind.narrow)


def add(draw: Drawing, kind: Sum, values: Sequence[Value], _: Shapes) -> Value:
    """sum_k r_k x_k + c."""
    terms = [
        value if as_it_is else draw.compute("Mul", value, ratio)
        for value, ratio, as_it_is in zip(values, kind.ratios, kind.plain, strict=True)
    ]
    total = terms[0]
    for term in terms[1:]:
        total = draw.compute("Add", total, term)
    return total if kind.offset is None else draw.compute("Add", total, kind.offset)


def average(draw: Drawing, kind: Average, values: Sequence[Value], shapes: Shapes) -> Value:
    """A product with a matrix for each axis; its shares are such that no sum rounds."""
    value, axes = values[0], len(shapes[0]) + 1
    for axis, matrix in kind.shares.items():
        order = [a for a in range(axes) if a != axis] + [axis]
        there = draw.compute("Transpose", value, perm=order)
        shared = draw.compute("MatMul", there, matrix.T)
        value = draw.compute("Transpose", shared, perm=[order.index(a) for a in range(axes)])
    return value


def move(draw: Drawing, kind: Move, values: Sequence[Value], _: Shapes) -> Value:
    """All values flat, one after the other, and of them those that go somewhere."""
    shape = list(kind.index.shape)
    if kind.form == ("reshape",):
        return draw.reshape(values[0], shape)
    flat = draw.compute("Concat", *(draw.reshape(value, [-1]) for value in values), axis=1)
    index, count = kind.index.flatten(), sum(torch.Size(shape).numel() for shape in kind.shapes)
    if bool((index < 0).any()):  # zeros come in: one more value, 0
        zero = draw.constant(torch.zeros(()), flat.wide)
        flat = Value(draw.put("Pad", flat.name, draw.whole([0, 0, 0, 1]), zero), flat.wide)
    places = draw.whole(torch.where(index < 0, count, index).tolist())
    return draw.reshape(Value(draw.put("Gather", flat.name, places, axis=1), flat.wide), shape)


LAYERS: dict[type, Callable[[Drawing, Any, Sequence[Value], Shapes], Value]] = {
    Exact: exact,
    Rescale: rescale,
    Sum: add,
    Average: average,
    Move: move,
}
"""Each kind of node of a grid that is no neuron, and how it is drawn."""
