"""Networks at random, out of all kinds: a pool of values, and layers that each read some of them and add another.

A network is a list of steps (operation, two whole numbers that choose what it reads and how), so hypothesis can draw
it and make it smaller. Every value is [B, C, H, W]; a step that does not fit the values it would read is left out.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab.activations import Clip

SHAPE = (2, 5, 4)
MOST = 320  # values of one image at one place

Build = Callable[[Tensor, int], nn.Module | None]
Combine = Callable[[Tensor, Tensor], Tensor]


def _conv(x: Tensor, n: int) -> nn.Module | None:
    channels, side, modes = x.shape[1], min(x.shape[2:]), ("zeros", "circular", "reflect", "replicate")
    groups = 2 if n % 3 == 0 and channels % 2 == 0 else 1
    kernel, padding = 1 + n % min(3, side), n // 3 % 2 if side > 1 else 0
    options: dict[str, Any] = {
        "groups": groups,
        "bias": n % 2 == 0,
        "padding": padding,
        "stride": 1 + n // 7 % 2,
    }
    return nn.Conv2d(channels, 2 * (1 + n % 3), kernel, padding_mode=modes[n // 5 % 4], **options)


def _transposed(x: Tensor, n: int) -> nn.Module | None:
    stride = 1 + n % 2
    options: dict[str, Any] = {"groups": 2 if n % 3 == 0 and x.shape[1] % 2 == 0 else 1, "bias": n % 5 > 0}
    return nn.ConvTranspose2d(x.shape[1], 4, 1 + n % 3, stride, 0, stride - 1 if n % 4 == 1 else 0, **options)


def _pool(x: Tensor, n: int) -> nn.Module | None:
    kernel = min(1 + n % 3, *x.shape[2:])
    options: dict[str, Any] = {"ceil_mode": n % 2 == 0, "count_include_pad": n % 3 > 0}
    return nn.AvgPool2d(kernel, 1 + n // 3 % 2, kernel // 2 if n % 5 < 2 else 0, **options)


def _bilinear(x: Tensor, n: int) -> nn.Module | None:
    return nn.Upsample(size=(1 + n % 6, 1 + n // 6 % 6), mode="bilinear", align_corners=n % 2 == 0)


class Numbers(nn.Module):
    """Products and offsets with buffers of several shapes."""

    def __init__(self, x: Tensor, n: int) -> None:
        super().__init__()
        shapes = ((), (x.shape[1], 1, 1), (1, *x.shape[1:]), (x.shape[3],))
        self.register_buffer("factor", torch.randn(shapes[n % 4]))
        self.register_buffer("shift", 0.3 * torch.randn(shapes[n // 4 % 4]) * (n % 3 > 0))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor + self.shift


def of_one(*functions: Callable[[Tensor], Tensor]) -> Build:
    """One of some functions of one value."""

    class Function(nn.Module):
        def __init__(self, n: int) -> None:
            super().__init__()
            self.n = n

        def forward(self, x: Tensor) -> Tensor:
            return functions[self.n % len(functions)](x)

    return lambda x, n: Function(n)


ACTIVATIONS: Build = lambda x, n: (  # noqa: E731
    nn.ReLU(), nn.ReLU(inplace=True), nn.ReLU6(), nn.Hardtanh(0, 0.7), nn.Threshold(0, 0), Clip(0.6),
)[n % 6]  # fmt: skip
CALLED = of_one(
    F.relu, torch.relu, lambda x: x.clone().relu_(), lambda x: x.clamp(min=0), F.relu6,
    lambda x: x.clamp(0, 0.9), lambda x: F.hardtanh(x, 0.0, 1.1), lambda x: x.clone().clamp_(0, max=0.5),
)  # fmt: skip
FACTORS = of_one(
    lambda x: 1 - x, lambda x: x / 3, lambda x: -x, lambda x: 0.7 * x + 0.1, lambda x: (x - 0.5) / 0.25,
    lambda x: x + x,
    lambda x: torch.rsub(x, 0.2),
)  # fmt: skip
MEANS = of_one(
    lambda x: x.mean((2, 3), keepdim=True), lambda x: x.mean(1, keepdim=True), lambda x: x.mean(-1, keepdim=True),
    lambda x: x.sum(2, keepdim=True), lambda x: x.mean((1, 2)).unflatten(1, (1, 1, -1)),
    lambda x: F.adaptive_avg_pool2d(x, (2, 3)),
    lambda x: x + x.mean((2, 3), keepdim=True), lambda x: x - x.mean(1, keepdim=True),
)  # fmt: skip
MOVES = of_one(
    lambda x: x.flip(3), lambda x: x.roll(1, 2), lambda x: x.transpose(2, 3), lambda x: x.permute(0, 3, 1, 2),
    lambda x: x.reshape(len(x), 1, x.shape[1], -1), lambda x: x.flatten(2).unsqueeze(1),
    lambda x: F.pad(x, (1, 0, 0, 2)), lambda x: x[:, :, ::2],
    lambda x: x[:, 1:] if x.shape[1] > 1 else x, lambda x: x.chunk(2, 1)[-1],
    lambda x: x.repeat(1, 2, 1, 1),
    lambda x: F.interpolate(x, scale_factor=2), lambda x: F.pixel_shuffle(x, 2) if x.shape[1] % 4 == 0 else x,
    lambda x: F.pixel_unshuffle(x, 2) if x.shape[2] % 2 == x.shape[3] % 2 == 0 else x,
    lambda x: torch.channel_shuffle(x, 2) if x.shape[1] % 2 == 0 else x, lambda x: torch.stack(x.unbind(3), 2),
    lambda x: F.pad(x, (1, 1, 0, 0), mode="replicate"), lambda x: x[:, :1].expand(-1, 2, -1, -1),
    lambda x: F.dropout(x, 0.5, False),
    lambda x: x.movedim(0, 2).flip(0).movedim(2, 0),
)  # fmt: skip
OF_ONE: dict[str, Build] = {
    "conv": _conv,
    "transposed": _transposed,
    "linear": lambda x, n: nn.Linear(x.shape[3], 1 + n % 5, bias=n % 2 == 0),
    "norm": lambda x, n: nn.BatchNorm2d(x.shape[1]),
    "numbers": Numbers,
    "factors": FACTORS,
    "pool": _pool,
    "bilinear": _bilinear,
    "means": MEANS,
    "moves": MOVES,
    "activation": ACTIVATIONS,
    "called": CALLED,
}
OF_TWO: dict[str, tuple[Combine, ...]] = {
    "sum": (
        lambda a, b: a + b, lambda a, b: a - b, lambda a, b: torch.add(a, b, alpha=-0.3), lambda a, b: 0.5 * a - 2 * b,
        lambda a, b: torch.stack([a, b]).sum(0), lambda a, b: sum([a, b, a]),
        lambda a, b: a + b.mean((2, 3), keepdim=True),
        lambda a, b: a.clone().add_(b), lambda a, b: torch.stack([a, b], 1).mean(1),
    ),
    "cat": (
        lambda a, b: torch.cat([a, b], 1), lambda a, b: torch.cat([b, a, b], 2),
        lambda a, b: torch.stack([a, b], 2).flatten(1, 2),
    ),
}  # fmt: skip

Step = tuple[str, int, int]


class Wild(nn.Module):
    """What a list of steps makes; a linear layer of three reads the newest values and the first neurons'."""

    def __init__(self, steps: list[Step], seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.steps: list[tuple[str, int, int]] = []  # operation, value read, choice
        self.layers = nn.ModuleList()
        with torch.no_grad():
            values = [torch.randn(2, *SHAPE)]
            for name, which, n in (("conv", 0, 1), ("called", 0, 0), *steps):
                self._try(values, name, which, n)
            self.readout = nn.Linear(values[-1][0].numel() + values[2][0].numel(), 3)

    def _try(self, values: list[Tensor], name: str, which: int, n: int) -> None:
        place = len(values) - 1 - which % len(values)  # 0 is the newest
        layer = OF_ONE[name](values[place], n) if name in OF_ONE else nn.Identity()
        _settle(layer)
        try:
            made = self._step(values, name, place, n, layer.eval())
        except (RuntimeError, ValueError):  # it does not fit
            return
        if 0 < made[0].numel() <= MOST:
            self.steps.append((name, place, n))
            self.layers.append(layer)
            values.append(made)

    def _step(self, values: list[Tensor], name: str, place: int, n: int, layer: nn.Module) -> Tensor:
        if name in OF_ONE:  # what is changed in place is read by nobody else
            x = values[place]
            return layer(x.clone() if getattr(layer, "inplace", False) else x)
        first = values[place]
        same = slice(1, None) if name == "sum" else slice(2, None)
        others = [v for v in values[::-1] if v.shape[same] == first.shape[same]]
        return OF_TWO[name][n % len(OF_TWO[name])](first, others[n // 9 % len(others)])

    def forward(self, x: Tensor) -> Tensor:
        values = [x]
        for (name, place, n), layer in zip(self.steps, self.layers, strict=True):
            values.append(self._step(values, name, place, n, layer))
        return self.readout(torch.cat([values[-1].flatten(1), values[2].flatten(1)], 1))


def _settle(layer: nn.Module | None) -> None:
    if isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.running_mean, std=0.3)
        nn.init.uniform_(layer.running_var, 0.5, 2)
        nn.init.normal_(layer.weight)
        nn.init.normal_(layer.bias, std=0.3)


NAMES = sorted([*OF_ONE, *OF_TWO]) + 2 * ["activation", "called", "conv", "sum"]
STEPS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 4), st.integers(0, 60)), min_size=1, max_size=16
)
