"""Sums of a few whole numbers in 8-bit integers: two to four times as fast as in float32, and the same numbers.

PyTorch carries oneDNN's integer convolution and matrix product as operators of its own, `torch.ops.onednn`. They are
private: this module alone knows them. They take bytes x - z and weights of one signed byte, add up in int32, and give
float32. A weight of 15 bits is two bytes, W = f a + g b, and meets an input twice over:

    sum_i W_i n_i = sum_i a_i (f n_i) + b_i (g n_i)

which for spikes n is one call whose input has two channels for each, in turn: the two bytes of one int16. Inputs of
more values take two calls, and so do weights of three bytes, W = 128 U + c, where U is two bytes again.
f n + z and g n + z are at most 128, since older processors add two products in 16 bits.

Nothing is trusted: at its first use on a layer the operator is compared with float32, all inputs drawn at random and
all at their largest; where it is missing or differs, the layer is computed in float32, to the same bits.
"""

import sys
from typing import Any, NamedTuple

import torch
from torch import Tensor

from snnlab.converters.graph import Weighted

ONE, TWO = 127, 12_160
"""The largest weights that fit one byte, and two: 12,160 = 64 * 127 + 63 * 64."""
BYTE = 128  # no input is larger
CHANNELS = 8  # with fewer the operators do not pay


class Few(NamedTuple):
    """What is known of a layer on the grid whose inputs are a few whole numbers.

    Attributes:
        step: inputs are its multiples.
        low, high: the least and the largest of them, in steps; low is 0 or -high.
        grain: for each output channel the step of the sums, [O].
    """

    step: float
    low: int
    high: int
    grain: Tensor


class Pair(NamedTuple):
    """How two bytes stand for a spike n: f n + zero, g n + zero; and the largest weight that they take.

    With f = 0 one byte stands for it.
    """

    f: int
    g: int
    zero: int
    most: int = ONE


SPIKES = {(0, 1): Pair(128, 1, 0, 128 * ONE), (-1, 1): Pair(64, 63, 64, TWO)}


class Packed:
    """A layer's weights as the operators take them, made at the first use; a copy makes its own."""

    def __init__(self) -> None:
        self.plan: _Plan | None = None
        self.of: object = None  # the weights that it was made of

    def __deepcopy__(self, memo: Any) -> "Packed":
        return Packed()

    def __call__(self, layer: Weighted, few: Few, x: Tensor) -> Tensor | None:
        """x [B, ...] to the layer's output, float32; None if it has to be computed otherwise."""
        if layer.weight.dtype != torch.float32 or x.device.type != "cpu" or not x.numel():
            return None
        if self.of != (weights := _state(layer)):
            self.plan, self.of = _plan(layer, few, x), weights
        return None if self.plan is None else self.plan(_whole(x, few.step))


def _state(layer: Weighted) -> object:
    """Changes when a weight or a bias does."""
    tensors = [tensor for tensor in (layer.weight, layer.bias) if tensor is not None]
    return [(tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version) for tensor in tensors]


def _whole(x: Tensor, step: float) -> Tensor:
    """Inputs in steps, int8."""
    return x if x.dtype == torch.int8 else (x * (1 / step)).to(torch.int8)


def _plan(layer: Weighted, few: Few, x: Tensor) -> "_Plan | None":
    """How to compute a layer in integers, if it can be done and gives what float32 gives."""
    if not _fits(layer, few, x):
        return None
    try:
        plan = _Plan(layer, few)
        draw = torch.Generator().manual_seed(0)
        like = _whole(x[:1], few.step)
        random = torch.empty_like(like).random_(few.low, few.high + 1, generator=draw)
        for n in (random, torch.full_like(like, few.high), torch.full_like(like, few.low)):
            if not torch.equal(plan(n), layer(n.float() * few.step)):
                return None
    except (
        AttributeError,
        RuntimeError,
        NotImplementedError,
        TypeError,
    ):  # no such operator, or of another torch
        return None
    return plan


def _fits(layer: Weighted, few: Few, x: Tensor) -> bool:
    options = (option if isinstance(option, tuple) else (option,) for option in layer.options.values())
    numbers = [number for option in options for number in option]
    return (
        sys.byteorder == "little"
        and layer.call in ("conv2d", "linear")
        and layer.groups == 1
        and layer.weight.shape[1] >= CHANNELS
        and all(isinstance(number, int) for number in numbers)
        and x.ndim == (4 if layer.call == "conv2d" else 2)
        and few.high - few.low <= BYTE
    )


class _Plan:
    """One call, or two whose results are added: each with how its inputs' bytes stand for spikes."""

    def __init__(self, layer: Weighted, few: Few) -> None:
        whole = (layer.weight.double() * few.step / layer.by_output(few.grain)).round()
        one, largest = Pair(0, 1, -few.low), float(whole.abs().amax())
        pair = SPIKES.get((few.low, few.high), one)
        if largest <= pair.most:
            self.calls = [_call(layer, whole, few.grain, one if largest <= ONE else pair, layer.bias)]
        else:  # the bias meets the smaller numbers: nothing is rounded before all are added
            high, low = _two(whole, Pair(128, 1, 0))
            self.calls = [_call(layer, low, few.grain, one, layer.bias)]
            self.calls.append(_call(layer, high, few.grain * 128, pair, None))

    def __call__(self, n: Tensor) -> Tensor:
        """Whole numbers n [B, ...], int8, to sums [B, ...], float32."""
        n = n.movedim(1, -1).contiguous()
        first, *others = (call(_bytes(n, pair).movedim(-1, 1)) for pair, call in self.calls)
        return first if not others else first.add_(others[0])


def _call(
    layer: Weighted, whole: Tensor, grain: Tensor, pair: Pair, bias: Tensor | None
) -> tuple[Pair, "_Call"]:
    """The call for some whole weights, whose bytes alternate as those of its inputs do."""
    if pair.f:
        whole = torch.stack(list(reversed(_two(whole, pair))), 2).flatten(1, 2)
    return pair, _Call(layer, whole, grain, pair.zero, bias)


def _bytes(n: Tensor, pair: Pair) -> Tensor:
    """Whole numbers [..., C], int8, as uint8: g n + zero, or in turn with it f n + zero, [..., 2 C]."""
    f, g, zero, _ = pair
    if f:  # both at once, as one int16
        n = n.to(torch.int16).mul_(_signed(256 * f + g))
        zero *= 257
    return (n.add(zero) if zero else n).view(torch.uint8)


def _signed(word: int) -> int:
    """The int16 of these 16 bits."""
    return word - 2**16 if word >= 2**15 else word


def _two(whole: Tensor, pair: Pair) -> tuple[Tensor, Tensor]:
    """Bytes a and b of whole numbers f a + g b; g is 1 or f - 1."""
    f, g, *_ = pair
    if g == 1:
        b = (whole + f // 2).remainder(f) - f // 2
    else:
        b = whole.sign().add(whole == 0) * (f + (-whole.abs()).remainder(f))  # in [f, 2 f)
    return (whole - g * b) / f, b


class _Call:
    """One integer convolution or matrix product: bytes to steps of the sums' grid."""

    def __init__(
        self, layer: Weighted, weight: Tensor, scale: Tensor, zero: int, bias: Tensor | None
    ) -> None:
        if not -BYTE <= float(weight.amin()) <= float(weight.amax()) < BYTE:
            raise RuntimeError("a weight is no signed byte")
        held = weight.to(torch.int8)
        self.zero, self.bias, self.scale = zero, bias, scale.float()
        self.zeros = torch.zeros(len(scale), dtype=torch.long)
        self.linear = layer.call == "linear"
        if self.linear:
            self.packed = torch.ops.onednn.qlinear_prepack(held, None)
            return
        option = {
            name: value if isinstance(value, tuple) else (value,) * 2 for name, value in layer.options.items()
        }
        self.geometry = [list(option[name]) for name in ("stride", "padding", "dilation")]
        self.packed = torch.ops.onednn.qconv_prepack(held, self.scale, 1.0, zero, *self.geometry, 1, None)

    def __call__(self, x: Tensor) -> Tensor:
        """x uint8, zero included, to float32."""
        weights = (x, 1.0, self.zero, self.packed, self.scale, self.zeros, self.bias)
        plain: Any = (1.0, 0, torch.float32, "none", [], "")
        if self.linear:
            return torch.ops.onednn.qlinear_pointwise(*weights, *plain)
        return torch.ops.onednn.qconv_pointwise(*weights, *self.geometry, 1, *plain)
