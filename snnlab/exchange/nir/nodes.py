"""One layer as one NIR node, and back."""

from collections.abc import Callable
from typing import Any

import nir
import numpy as np
import torch
from torch import Tensor, nn


def array(value: Tensor) -> Any:
    """As NumPy's, in the same precision."""
    return value.detach().cpu().contiguous().numpy()


def affine_node(layer: nn.Linear) -> nir.Affine:
    """A linear layer on [F]."""
    return nir.Affine(array(layer.weight), _bias(layer))


def conv_node(layer: nn.Conv2d, height: int, width: int) -> nir.Conv2d:
    """A convolution of images of that size; over all input channels, since NIR's readers know groups badly."""
    weight = array(_dense(layer))
    return nir.Conv2d((height, width), weight, layer.stride, layer.padding, layer.dilation, 1, _bias(layer))


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


def _dense(conv: nn.Conv2d) -> Tensor:
    """The weights of a grouped convolution over all input channels; zeros change no sum."""
    inputs, outputs = conv.in_channels // conv.groups, conv.out_channels // conv.groups
    weight = torch.zeros(conv.out_channels, conv.in_channels, *conv.kernel_size, dtype=conv.weight.dtype)
    for k in range(conv.groups):
        rows = slice(k * outputs, (k + 1) * outputs)
        weight[rows, k * inputs : (k + 1) * inputs] = conv.weight[rows].cpu()
    return weight


def _bias(layer: nn.Conv2d | nn.Linear) -> Any:
    bias = layer.bias
    return array(torch.zeros(layer.weight.shape[0], dtype=layer.weight.dtype) if bias is None else bias)


def _conv(node: nir.Conv2d) -> nn.Module:
    groups, (outputs, inputs, height, width) = int(node.groups), node.weight.shape
    padding = node.padding if isinstance(node.padding, str) else _pair(node.padding)
    layer = nn.Conv2d(
        inputs * groups, outputs, (height, width), _pair(node.stride), padding, _pair(node.dilation), groups
    )
    return _filled(layer, node.weight, node.bias)


def _linear(node: nir.Affine | nir.Linear) -> nn.Module:
    outputs, inputs = node.weight.shape
    return _filled(nn.Linear(inputs, outputs), node.weight, getattr(node, "bias", None))


def _filled(layer: Any, weight: Any, bias: Any) -> nn.Module:
    bias = np.zeros_like(weight, shape=len(weight)) if bias is None else bias
    layer.weight, layer.bias = (nn.Parameter(torch.from_numpy(np.array(value))) for value in (weight, bias))
    return layer


def _pool(node: nir.AvgPool2d | nir.SumPool2d) -> nn.Module:
    kernel, stride, padding = (_pair(value) for value in (node.kernel_size, node.stride, node.padding))
    divisor = 1 if isinstance(node, nir.SumPool2d) else None
    return nn.AvgPool2d(kernel, stride, padding, divisor_override=divisor)


def _flatten(node: nir.Flatten) -> nn.Module:
    """NIR does not count the batch among the axes."""
    return nn.Flatten(*(int(axis) + 1 if axis >= 0 else int(axis) for axis in (node.start_dim, node.end_dim)))


def _pair(value: Any) -> tuple[int, int]:
    numbers = [int(number) for number in np.atleast_1d(value)]
    return numbers[0], numbers[-1]


LAYERS: dict[type[nir.NIRNode], Callable[[Any], nn.Module]] = {
    nir.Conv2d: _conv,
    nir.Affine: _linear,
    nir.Linear: _linear,
    nir.AvgPool2d: _pool,
    nir.SumPool2d: _pool,
    nir.Flatten: _flatten,
}
"""Each kind of node that is a layer of PyTorch's, and how it becomes one, in the node's own precision."""
