"""One layer as one NIR node, and back."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import nir
import numpy as np
import torch
from torch import Tensor, nn

from snnlab.converters.graph import Average, Move, Weighted

Shape = Sequence[int]


def array(value: Tensor) -> Any:
    """As NumPy's, in the same precision."""
    return value.detach().cpu().contiguous().numpy()


def affine_node(layer: Weighted) -> nir.Affine:
    """A linear layer on [F]."""
    return nir.Affine(array(layer.weight), _bias(layer))


def conv_node(layer: Weighted, height: int, width: int) -> nir.Conv2d:
    """A convolution of images of that size; over all input channels, since NIR's readers know groups badly."""
    stride, padding, dilation = (layer.options[name] for name in ("stride", "padding", "dilation"))
    padding = padding if isinstance(padding, str) else _pair(padding)
    return nir.Conv2d(
        (height, width), array(layer.dense()), _pair(stride), padding, _pair(dilation), 1, _bias(layer)
    )


def average_node(window: Sequence[Sequence[int]], channels: int, height: int, width: int) -> nir.NIRNode:
    """An average pool, (kernel, stride, padding) along [H, W], as the node that most simulators read.

    Few read nir.AvgPool2d, and those that read nir.SumPool2d leave out its padding: so a convolution over all channels,
    with its window noted. NIR's kernels are square; of other windows an AvgPool2d.
    """
    kernel, stride, padding = (tuple(sides) for sides in zip(*window, strict=True))
    if kernel[0] != kernel[1]:
        return nir.AvgPool2d(*map(np.array, (kernel, stride, padding)))
    weight = np.zeros((channels, channels, *kernel), dtype=np.float32)
    weight[range(channels), range(channels)] = 1 / math.prod(kernel)
    bias = np.zeros(channels, dtype=np.float32)
    noted = {"average": np.array(window)}
    return nir.Conv2d((height, width), weight, stride, padding, (1, 1), 1, bias, metadata=noted)


def flatten_node(shape: Sequence[int]) -> nir.Flatten:
    """All axes into one, counted from the last: so it does not matter whether a reader counts the batch."""
    return nir.Flatten({"input": np.array(shape)}, start_dim=-len(shape), end_dim=-1)


def scale_node(ratio: Tensor, offset: Tensor | None, shape: tuple[int, ...]) -> nir.NIRNode | None:
    """x * ratio + offset for x of that shape, as the node that most simulators read; None if there is none.

    Few read nir.Scale. A factor for each channel is a convolution over one position, one for each feature an Affine.
    """
    factors = ratio.double().expand(1, *shape)[0]
    shifts = torch.zeros_like(factors) if offset is None else offset.double().expand(1, *shape)[0]
    if len(shape) == 1:
        return nir.Affine(array(factors.diag()), array(shifts))
    channels = [value.flatten(1) for value in (factors, shifts)]
    if len(shape) == 3 and all(bool((value == value[:, :1]).all()) for value in channels):
        weight, bias = (value[:, 0] for value in channels)
        matrix = array(weight.diag()[..., None, None])
        return nir.Conv2d(shape[1:], matrix, (1, 1), (0, 0), (1, 1), 1, array(bias))
    return nir.Scale(array(factors)) if offset is None else None


def scale_of(node: nir.NIRNode) -> tuple[Tensor, Tensor | None]:
    """Ratio and offset of what `scale_node` made, each [1, ...]."""
    if isinstance(node, nir.Scale):
        return torch.from_numpy(node.scale)[None], None
    weight, bias = torch.from_numpy(node.weight), torch.from_numpy(node.bias)
    shape = (1, -1, *(1 for _ in weight.shape[2:]))
    offset = bias.reshape(shape) if bool(bias.any()) else None
    return weight.flatten(1).diagonal().reshape(shape), offset


def _bias(layer: Weighted) -> Any:
    return array(layer.weight.new_zeros(layer.outputs) if layer.bias is None else layer.bias)


def _conv(node: nir.Conv2d, size: Shape) -> nn.Module:
    average = node.metadata.get("average")
    if np.shape(average) == (2, 3):
        return _pool(nir.AvgPool2d(*np.array(average).T), size)
    padding = node.padding if isinstance(node.padding, str) else _pair(node.padding)
    options = {"stride": _pair(node.stride), "padding": padding, "dilation": _pair(node.dilation)}
    return _weighted("conv2d", node.weight, node.bias, **options, groups=int(node.groups))


def _linear(node: nir.Affine | nir.Linear, _: Shape) -> nn.Module:
    return _weighted("linear", node.weight, getattr(node, "bias", None))


def _weighted(call: str, weight: Any, bias: Any, **options: Any) -> nn.Module:
    bias = np.zeros_like(weight, shape=len(weight)) if bias is None else bias
    return Weighted(call, *(torch.from_numpy(np.array(value)) for value in (weight, bias)), **options)


def _pool(node: nir.AvgPool2d | nir.SumPool2d, size: Shape) -> nn.Module:
    kernel, stride, padding = (_pair(value) for value in (node.kernel_size, node.stride, node.padding))
    divisor = 1 if isinstance(node, nir.SumPool2d) else 0
    return Average.over_windows(size, tuple(zip(kernel, stride, padding, strict=True)), divisor=divisor)


def _flatten(node: nir.Flatten, size: Shape) -> nn.Module:
    """NIR does not count the batch among the axes."""
    numbers = torch.arange(math.prod(size[1:])).reshape(size[1:])
    return Move(numbers.flatten(int(node.start_dim), int(node.end_dim)), [size[1:]])


def _pair(value: Any) -> tuple[int, int]:
    numbers = [int(number) for number in np.atleast_1d(value)]
    return numbers[0], numbers[-1]


LAYERS: dict[type[nir.NIRNode], Callable[[Any, Shape], nn.Module]] = {
    nir.Conv2d: _conv,
    nir.Affine: _linear,
    nir.Linear: _linear,
    nir.AvgPool2d: _pool,
    nir.SumPool2d: _pool,
    nir.Flatten: _flatten,
}
"""Each kind of NIR node that is one of the graph's, and how it becomes it, for values of a size [B, ...]."""
