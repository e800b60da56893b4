"""Rules for layers with weights, and for sums, products with numbers and batch norms."""

from numbers import Number
from typing import Any

import torch
from torch import Tensor

from snnlab.converters.graph.calls import Call, Refusal, Value
from snnlab.converters.graph.graph import Node
from snnlab.converters.graph.kinds import Move, Sum, Weighted
from snnlab.converters.graph.words import BATCH, NO_STATISTICS


def convolution(call: Call) -> Value:
    """Weights as the function was handed them: normalised, pruned and parametrised ones are baked in."""
    rest = ("output_padding", "groups", "dilation") if "transpose" in call.name else ("dilation", "groups")
    names = ("stride", "padding", *rest)
    options = {name: call.get(3 + k, name, 0 if "padding" in name else 1) for k, name in enumerate(names)}
    return _weighted(call, call.get(1, "weight"), call.get(2, "bias"), **options)


def linear(call: Call) -> Value:
    """x W^T + b over the last axis."""
    return _weighted(call, call.get(1, "weight"), call.get(2, "bias"))


def matmul(call: Call) -> Value:
    """x W with a matrix of numbers: a linear layer."""
    weight = call.get(1, "other")
    if call.value(weight) is not None or not isinstance(weight, Tensor) or weight.ndim != 2:
        raise Refusal
    call.name = "linear"
    return _weighted(call, weight.T, None)


def _weighted(call: Call, weight: Any, bias: Any, **options: Any) -> Value:
    value = call.first(batch_first=call.name != "linear")
    if call.value(weight) is not None or call.value(bias) is not None:
        raise Refusal
    ndim = value.tensor.ndim
    if value.batch == ndim - 1 or (call.name != "linear" and ndim != weight.ndim):
        raise Refusal(BATCH)
    return call.emit(Weighted(call.name, weight, bias, **options), value.node, batch=value.batch)


def add(call: Call) -> Value:
    """a + alpha b, and with the sign turned a - alpha b."""
    sign, alpha = (-1 if "sub" in call.name else 1), call.kwargs.get("alpha", 1)
    return _sum(call, (1, call.get(0, "input")), (sign * alpha, call.get(1, "other")))


def reverse_sub(call: Call) -> Value:
    """b - alpha a."""
    return _sum(call, (-call.kwargs.get("alpha", 1), call.get(0, "input")), (1, call.get(1, "other")))


def product(call: Call) -> Value:
    """x times a number, or numbers."""
    a, b = call.get(0, "input"), call.get(1, "other")
    a, b = (a, b) if call.value(a) is not None else (b, a)
    if call.value(b) is not None:
        raise Refusal
    return _sum(call, (b, a))


def quotient(call: Call) -> Value:
    """x divided by a number, or numbers."""
    number = call.get(1, "other")
    if call.value(number) is not None or call.kwargs.get("rounding_mode"):
        raise Refusal
    return _sum(call, (1 / number, call.get(0, "input")))


def negation(call: Call) -> Value:
    """-x."""
    return _sum(call, (-1, call.get(0, "input")))


def batch_norm(call: Call) -> Value:
    """With its running statistics a product and an offset for each channel.    Rueckauer 2017, section 2.2.1

    y = x g / sqrt(var + eps) + (0 - mu) g / sqrt(var + eps) + beta
    """
    value, mean, var = call.first(), call.get(1, "running_mean"), call.get(2, "running_var")
    weight, bias = call.get(3, "weight"), call.get(4, "bias")
    if mean is None or call.get(5, "training", False):
        raise Refusal(NO_STATISTICS)
    eps = call.get(7, "eps", 1e-5)
    gain = torch.ones_like(var) if weight is None else weight
    root = torch.rsqrt(var + eps)
    shift = -mean * root * gain + (torch.zeros_like(var) if bias is None else bias)
    ratio, offset = (v.reshape(-1, *(1 for _ in value.data.shape[2:])) for v in (gain * root, shift))
    return call.emit(Sum([ratio], offset), value.node)


def instance_norm(call: Call) -> Value:
    """With its running statistics a batch norm."""
    if call.get(5, "use_input_stats", True):
        raise Refusal(NO_STATISTICS)
    eps = call.get(7, "eps", 1e-5)
    call.args, call.kwargs = call.args[:5], {**call.kwargs, "training": False, "eps": eps}
    return batch_norm(call)


def _sum(call: Call, *terms: tuple[Any, Any]) -> Value:
    """sum r x over the terms (r, x), in the shape of the result."""
    values = [(ratio, value) for ratio, x in terms if (value := call.value(x)) is not None]
    places = {value.tensor.ndim - value.batch for _, value in values}
    if len(places) != 1:
        raise Refusal(BATCH)
    batch = call.result.ndim - places.pop()
    shape = call.result.movedim(batch, 0).shape[1:]
    offsets = [ratio * x for ratio, x in terms if call.value(x) is None]
    nodes = [_expanded(call, value, batch, shape) for _, value in values]
    ratios = [_of_one_image(call, ratio, batch) for ratio, _ in values]
    offset = _of_one_image(call, sum(offsets[1:], offsets[0]), batch) if offsets else None
    offset = None if offset is None or not bool(offset.any()) else offset
    return call.emit(Sum(ratios, offset), *nodes, batch=batch)


def _expanded(call: Call, value: Value, batch: int, shape: torch.Size) -> Node:
    """The node of a value that is spread over the axes of a larger one."""
    if value.data.shape[1:] == shape:
        return value.node
    ids = value.numbers(0, 0)
    ids = ids.reshape((1,) * (call.result.ndim - ids.ndim) + ids.shape).movedim(batch, 0)[0]
    return call.step(Move(ids.expand(shape).long().contiguous(), [value.data.shape[1:]]), value.node)


def _of_one_image(call: Call, number: Any, batch: int) -> Tensor:
    """A constant without the batch's axis; one that differs between images is refused."""
    if isinstance(number, Number):
        return torch.tensor(float(number), dtype=torch.float64)  # type: ignore[arg-type]
    number = number if number.is_floating_point() else number.to(call.result.dtype)
    if number.ndim < call.result.ndim - batch:
        return number
    full = number.reshape((1,) * (call.result.ndim - number.ndim) + number.shape).movedim(batch, 0)
    if bool((full != full[:1]).any()):
        raise Refusal(BATCH)
    return full[0]
