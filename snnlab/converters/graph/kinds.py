"""The five kinds of node that a traced network has, and no other; a sixth, Max, only where nothing spikes yet.

    Weighted   sums of its inputs with weights of its own         convolutions, transposed ones, linear layers
    Average    fixed shares of its inputs, axis by axis           pools, means, sums over axes, linear up-sampling
    Sum        y = sum_k r_k x_k + c, element by element          sums, differences, products with a number, batch norms
    Move       values go elsewhere unchanged, or zeros come in    views, permutations, cat, chunk, pad, nearest
    site       an activation, later a neuron                      ReLU, Clip, what learns a threshold

All but the site are affine, so a mean over time passes through unharmed. Each says what anybody asks of it: what it
computes, the largest values it can make of bounded ones (`bound`), and how many synapses or further inputs each spike
reaches in it (`spread`). Values are [B, ...], the batch first, whatever the network's own forward made of the axes.
"""

import math
from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Window = tuple[tuple[int, int, int], ...]
"""Kernel, stride and padding for each of the last axes."""


class Weighted(nn.Module):
    """y = W x + b: a convolution, a transposed one, or a linear layer, its weights as plain numbers.

    Args:
        call: torch.nn.functional's name, "conv2d", "conv_transpose1d", "linear".
        weight, bias: as that function takes them.
        options: stride, padding, dilation, groups, output_padding, those that the function has.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, call: str, weight: Tensor, bias: Tensor | None = None, **options: Any) -> None:
        super().__init__()
        self.call, self.options = call, options
        self.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone(), requires_grad=False)

    @property
    def channel(self) -> int:
        """The axis of the channels: 1, for a linear layer the last."""
        return -1 if self.call == "linear" else 1

    @property
    def groups(self) -> int:
        """Parts of the channels that do not see each other."""
        return self.options.get("groups", 1)

    @property
    def transposed(self) -> bool:
        """Whether the weight's first axis are the inputs."""
        return "transpose" in self.call

    @property
    def outputs(self) -> int:
        """Output channels or features."""
        return self.weight.shape[1] * self.groups if self.transposed else self.weight.shape[0]

    def forward(self, x: Tensor) -> Tensor:
        """x [B, ...] to y [B, ...]."""
        return getattr(F, self.call)(x, self.weight, self.bias, **self.options)

    def by_output(self, values: Tensor) -> Tensor:
        """One value for each output channel, [O], in the shape that broadcasts against the weight."""
        return self._along(values, 0 if not self.transposed else 1)

    def by_input(self, values: Tensor) -> Tensor:
        """One value for each input channel, [I], in the shape that broadcasts against the weight."""
        return self._along(values, 1 if not self.transposed else 0)

    def _along(self, values: Tensor, axis: int) -> Tensor:
        rest = [1] * (self.weight.ndim - 2)
        if axis == 0:
            return values.reshape(-1, 1, *rest)
        rows = (
            self.weight.shape[0] // self.groups
        )  # the axis holds one group's channels, which depend on the row
        return values.reshape(self.groups, 1, -1).expand(-1, rows, -1).flatten(0, 1).unflatten(1, (-1, *rest))

    def with_weights(self, change: Callable[[Tensor], Tensor]) -> "Weighted":
        """The layer with its weight and bias changed."""
        return Weighted(
            self.call, change(self.weight), None if self.bias is None else change(self.bias), **self.options
        )

    def dense(self) -> Tensor:
        """The weights of a grouped convolution over all input channels; zeros change no sum."""
        outputs, inputs = self.weight.shape[0] // self.groups, self.weight.shape[1]
        dense = self.weight.new_zeros(self.outputs, inputs * self.groups, *self.weight.shape[2:])
        for k in range(self.groups):
            rows = slice(k * outputs, (k + 1) * outputs)
            dense[rows, k * inputs : (k + 1) * inputs] = self.weight[rows]
        return dense

    def bound(self, largest: Tensor) -> Tensor:
        """The largest possible |y| for |x| <= largest, [1, ...]."""
        return self.with_weights(torch.abs)(largest)

    def spread(self, counts: Tensor) -> Tensor:
        """For each output how many of the counted inputs reach a synapse of it; their sum counts the synapses."""
        ones = Weighted(self.call, torch.ones_like(self.weight, dtype=counts.dtype), **self.options)
        return ones(counts)

    def macs(self, before: Sequence[int], after: Sequence[int]) -> int:
        """Multiplications for one image, from its shape before and after; padding counts."""
        return math.prod(before if self.transposed else after) * self.weight[0].numel()

    def scaled(self, gain: Tensor, shift: Tensor | None) -> "Weighted":
        """The layer that computes gain * y + shift, each one number for each output channel."""
        gain = gain.to(self.weight.dtype)
        shift = None if shift is None else shift.to(self.weight.dtype)
        bias = shift if self.bias is None else self.bias * gain if shift is None else self.bias * gain + shift
        return Weighted(self.call, self.weight * self.by_output(gain), bias, **self.options)


class Average(nn.Module):
    """y = A_1 x along one axis, A_2 along another, ...: each output takes fixed shares of its inputs.

    Args:
        shares: axis, counted with the batch, to its matrix [out, in] >= 0.
        window: the pool over the last axes that computes the same, if there is one.
    """

    def __init__(self, shares: dict[int, Tensor], window: Window | None = None) -> None:
        super().__init__()
        self.axes, self.window = tuple(shares), window
        for axis, matrix in shares.items():
            self.register_buffer(f"shares{axis}", matrix, persistent=False)

    @classmethod
    def over_windows(
        cls,
        size: Sequence[int],
        windows: Window,
        *,
        ceil: bool = False,
        counted: bool = True,
        divisor: int = 0,
    ) -> "Average":
        """A pool over the last axes of [B, ...] of that size: a window's shares are the product of its sides'.

        Args:
            windows: kernel, stride and padding for each of those axes.
            ceil: windows may hang over the end. counted: padding counts among the values averaged.
            divisor: of the sum over a window, in place of how many it holds; 0 for that.
        """
        shares = {}
        for axis, (kernel, stride, padding) in enumerate(windows, start=len(size) - len(windows)):
            eye = torch.eye(size[axis], dtype=torch.float64)[:, None]
            pooled = F.avg_pool1d(eye, kernel, stride, padding, ceil, counted)[:, 0].T.contiguous()
            shares[axis] = (pooled != 0).double() if divisor else pooled
        if divisor:
            shares[len(size) - 1] /= divisor
        plain = counted and not ceil and not divisor and len(size) in (4, 5) and len(windows) == len(size) - 2
        return cls(shares, windows if plain else None)

    @property
    def shares(self) -> dict[int, Tensor]:
        """Axis to matrix [out, in]."""
        return {axis: getattr(self, f"shares{axis}") for axis in self.axes}

    @property
    def whole(self) -> bool:
        """Whether the shares of each output add up to 1, so that a constant passes as it is."""
        return all(bool((a.sum(1) - 1).abs().max() < 1e-9) for a in self.shares.values())

    def forward(self, x: Tensor) -> Tensor:
        """x [B, ...] to y [B, ...]."""
        x = x if x.is_floating_point() else x.float()
        if self.window is not None:
            kernel, stride, padding = zip(*self.window, strict=True)
            return (F.avg_pool2d if len(kernel) == 2 else F.avg_pool3d)(x, kernel, stride, padding)
        return self.along(x, lambda matrix: matrix)

    def along(self, x: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        """The same with changed matrices."""
        for axis, matrix in self.shares.items():
            x = (x.movedim(axis, -1) @ change(matrix).to(x.dtype).T).movedim(-1, axis)
        return x

    def bound(self, largest: Tensor) -> Tensor:
        """The largest possible |y| for |x| <= largest, [1, ...]."""
        return self.along(largest, lambda matrix: matrix)

    def spread(self, counts: Tensor) -> Tensor:
        """For each output the counted inputs that it takes a share of."""
        return self.along(counts, lambda matrix: (matrix != 0).to(matrix.dtype))


class Sum(nn.Module):
    """y = sum_k r_k x_k + c, element by element.

    Args:
        ratios: r_k for each input: tensors that broadcast against it.
        offset: c, broadcasts; None for 0.
    """

    offset: Tensor | None

    def __init__(self, ratios: Sequence[Tensor], offset: Tensor | None = None) -> None:
        super().__init__()
        self.terms = len(ratios)
        for k, ratio in enumerate(ratios):
            self.register_buffer(f"ratio{k}", ratio.detach().clone())
        self.plain = tuple(bool((ratio == 1).all()) for ratio in ratios)
        self.register_buffer("offset", None if offset is None else offset.detach().clone())

    @property
    def ratios(self) -> list[Tensor]:
        """r_k for each input."""
        return [getattr(self, f"ratio{k}") for k in range(self.terms)]

    def forward(self, *xs: Tensor) -> Tensor:
        """x_k [B, ...], all of one shape, to y."""
        return self._sum(xs, self.ratios, self.offset)

    def bound(self, *largest: Tensor) -> Tensor:
        """The largest possible |y| for |x_k| <= largest_k, [1, ...]."""
        offset = None if self.offset is None else self.offset.abs()
        return self._sum(largest, [ratio.abs() for ratio in self.ratios], offset)

    def spread(self, *counts: Tensor) -> Tensor:
        """Each counted input goes on, unless it is multiplied with 0."""
        passed = [c * (r != 0).to(c.dtype) for c, r in zip(counts, self.ratios, strict=True)]
        return sum(passed[1:], passed[0])

    def _sum(self, xs: Sequence[Tensor], ratios: Sequence[Tensor], offset: Tensor | None) -> Tensor:
        floats = (x if x.is_floating_point() else x.float() for x in xs)
        terms = [x if plain else x * r for x, r, plain in zip(floats, ratios, self.plain, strict=True)]
        total = sum(terms[1:], terms[0])
        return total if offset is None else total + offset


class Move(nn.Module):
    """Values go elsewhere unchanged, or zeros come in: y[i] = x[index[i]], or 0 where index[i] is -1.

    Args:
        index: of one image's values, all inputs flat and one after the other; in the shape of one image's output.
        shapes: of one image, for each input.
    """

    index: Tensor

    def __init__(self, index: Tensor, shapes: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.register_buffer("index", index, persistent=False)
        self.shapes = tuple(tuple(shape) for shape in shapes)
        self.form = self._form()

    def forward(self, *xs: Tensor) -> Tensor:
        """x_k [B, ...] to y [B, ...]."""
        kind, *rest = self.form
        if kind == "reshape":
            return xs[0].reshape(len(xs[0]), *self.index.shape)
        if kind == "cat":
            return torch.cat(xs, rest[0])
        if kind == "permute":
            return xs[0].permute(rest[0])
        if kind == "narrow":
            return xs[0].narrow(*rest)
        if kind == "pad":
            return F.pad(xs[0], rest[0])
        flat = torch.cat([x.flatten(1) for x in xs] + [xs[0].new_zeros(len(xs[0]), 1)], 1)
        return flat[:, self.index]

    def bound(self, *largest: Tensor) -> Tensor:
        """The values where they go."""
        return self(*largest)

    def spread(self, *counts: Tensor) -> Tensor:
        """The counts where they go."""
        return self(*counts)

    def _form(self) -> tuple[Any, ...]:
        """The plain operation that moves the same, if there is one: faster than a look-up."""
        start, ids = 0, []
        for shape in self.shapes:
            ids.append(torch.arange(start, start + math.prod(shape)).reshape(shape))
            start += math.prod(shape)
        if len(ids) > 1:
            axes = range(ids[0].ndim) if len({i.ndim for i in ids}) == 1 else ()
            fits = (a for a in axes if len({(*i.shape[:a], *i.shape[a + 1 :]) for i in ids}) == 1)
            found = (("cat", a + 1) for a in fits if torch.equal(torch.cat(ids, a), self.index))
            return next(found, ("gather",))
        return self._form_of_one(ids[0])

    def _form_of_one(self, ids: Tensor) -> tuple[Any, ...]:
        index = self.index
        if index.numel() == ids.numel() and torch.equal(index.flatten(), ids.flatten()):
            return ("reshape",)
        if index.ndim != ids.ndim or not index.numel():
            return ("gather",)
        if index.numel() == ids.numel() and ids.ndim <= 4:
            for order in permutations(range(ids.ndim)):
                if torch.equal(ids.permute(order), index):
                    return ("permute", (0, *(axis + 1 for axis in order)))
        if (form := self._part(ids)) is not None:
            return form
        return self._padded(ids) or ("gather",)

    def _part(self, ids: Tensor) -> tuple[Any, ...] | None:
        """A slice of one axis."""
        shorter = [a for a in range(ids.ndim) if self.index.shape[a] < ids.shape[a]]
        if len(shorter) != 1 or int(self.index.min()) < 0:
            return None
        axis, first = shorter[0], int(self.index.flatten()[0])
        start, length = first // math.prod(ids.shape[axis + 1 :]), self.index.shape[axis]
        if start + length > ids.shape[axis] or not torch.equal(ids.narrow(axis, start, length), self.index):
            return None
        return ("narrow", axis + 1, start, length)

    def _padded(self, ids: Tensor) -> tuple[Any, ...] | None:
        """Zeros around."""
        inside = (self.index >= 0).nonzero()
        if not len(inside) or len(inside) == self.index.numel():
            return None
        before = inside.amin(0).tolist()
        sizes = zip(before, self.index.shape, ids.shape, strict=True)
        around = [(b, whole - b - size) for b, whole, size in sizes]
        pads = [side for pair in reversed(around) for side in pair]
        if min(pads) < 0 or not torch.equal(F.pad(ids, pads, value=-1), self.index):
            return None
        return ("pad", pads)


class Max(nn.Module):
    """A maximum over windows, where nothing spikes yet: there it is one of values that stay the same in every step.

    Args:
        call: the function; args, kwargs: what it is called with beside the input.
    """

    def __init__(self, call: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.call, self.args, self.kwargs = call, args, kwargs

    def forward(self, x: Tensor) -> Tensor:
        """x [B, ...] to y [B, ...]."""
        return self.call(x, *self.args, **self.kwargs)

    def bound(self, largest: Tensor) -> Tensor:
        """The largest possible |y| for |x| <= largest, [1, ...]."""
        return self(largest)

    def spread(self, counts: Tensor) -> Tensor:
        """Nothing spikes here; what marks the image's values goes on."""
        return self(counts)
