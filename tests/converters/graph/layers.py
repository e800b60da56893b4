"""The layers that a user's network may have, each in a small network of random weights: the table of the battery."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from snnlab.activations import QCFS, Clip

SHAPES = {"2d": (2, 6, 6), "1d": (2, 9), "3d": (2, 4, 4, 4), "flat": (6,), "rows": (5, 6)}
FIRST: dict[str, Callable[[], nn.Module]] = {
    "2d": partial(nn.Conv2d, 2, 4, 3, padding=1),
    "1d": partial(nn.Conv1d, 2, 4, 3, padding=1),
    "3d": partial(nn.Conv3d, 2, 4, 3, padding=1),
    "flat": partial(nn.Linear, 6, 8),
    "rows": partial(nn.Linear, 6, 8),
}


class Do(nn.Module):
    """A layer of one expression; its numbers are buffers."""

    def __init__(self, does: Callable[..., Tensor], *numbers: Tensor) -> None:
        super().__init__()
        self.does, self.count = does, len(numbers)
        for k, number in enumerate(numbers):
            self.register_buffer(f"number{k}", number)

    def forward(self, *xs: Tensor) -> Tensor:
        return self.does(*xs, *(getattr(self, f"number{k}") for k in range(self.count)))


@dataclass(frozen=True)
class Row:
    """A layer, on what it works ("2d": [4, 6, 6], ...), and where it stands.

    Attributes:
        place: "after" the first activation, "before" the first layer, or "beside": it reads the image, too.
        method: that its activations are converted with.
    """

    layer: Callable[[], nn.Module]
    on: str = "2d"
    place: str = "after"
    method: str = "half"


class Net(nn.Module):
    """First layer and ReLU, the layer, another layer and ReLU, a readout of three."""

    def __init__(self, row: Row, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.row, act = row, partial(QCFS, 512, 3.0) if row.method == "qcfs" else nn.ReLU
        self.first, self.act, self.layer = FIRST[row.on](), act(), row.layer()
        _draw(self)
        with torch.no_grad():
            y = self.eval().body(torch.randn(2, *SHAPES[row.on]))
        self.next = nn.Conv2d(y.shape[1], 4, 2, padding=1) if y.ndim == 4 else nn.Linear(y[0].numel(), 6)
        self.act2 = act()
        with torch.no_grad():
            y = self.next(y if y.ndim == 4 else y.flatten(1)).flatten(1)
        self.readout = nn.Linear(y.shape[1], 3)
        _draw(self.next), _draw(self.readout)
        self.eval()

    def body(self, x: Tensor) -> Tensor:
        if self.row.place == "before":
            return self.act(self.first(self.layer(x)))
        y = self.act(self.first(x))
        return self.layer(y, x) if self.row.place == "beside" else self.layer(y)

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        y = y if y.ndim == 4 else y.flatten(1)
        return self.readout(self.act2(self.next(y)).flatten(1))


def _draw(model: nn.Module) -> None:
    """Weights that keep the size of the values, statistics as if of training, gains of both signs."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm | nn.InstanceNorm2d):
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias, std=0.3)
        elif isinstance(getattr(module, "weight", None), nn.Parameter) and module.weight.ndim > 1:
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.uniform_(module.bias, -0.1, 0.1)


def images(row: Row, n: int = 6) -> Tensor:
    return torch.randn(n, *SHAPES[row.on], generator=torch.Generator().manual_seed(0))


def spiking(
    layer: Callable[..., nn.Module], *args: Any, act: Any = nn.ReLU, **options: Any
) -> Callable[[], nn.Module]:
    """A layer with weights, and neurons after it."""
    return lambda: nn.Sequential(layer(*args, **options), act())


def then(act: Callable[[], nn.Module], **options: Any) -> Row:
    """An activation after a convolution."""
    return Row(spiking(nn.Conv2d, 4, 5, 3, act=act), **options)


def do(does: Callable[..., Tensor], *numbers: Tensor) -> Callable[[], nn.Module]:
    return lambda: Do(does, *numbers)


class Subclass(nn.ReLU):
    """A ReLU by another name."""


class Doubled(nn.Conv2d):
    """A layer that overrides its forward."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x) - 0.1


def _numbers(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


WEIGHTED = {
    "Conv2d": Row(spiking(nn.Conv2d, 4, 5, 3)),
    "Conv2d, groups": Row(spiking(nn.Conv2d, 4, 6, 3, groups=2, bias=False)),
    "Conv2d, depthwise": Row(spiking(nn.Conv2d, 4, 4, 3, groups=4, padding=1)),
    "Conv2d, dilated, strided": Row(spiking(nn.Conv2d, 4, 5, (3, 2), stride=(2, 1), dilation=2, padding=1)),
    "Conv2d, same": Row(spiking(nn.Conv2d, 4, 5, 4, padding="same")),
    "Conv2d, valid": Row(spiking(nn.Conv2d, 4, 5, 3, padding="valid")),
    "Conv2d, circular": Row(spiking(nn.Conv2d, 4, 5, 3, padding=1, padding_mode="circular")),
    "Conv2d, reflect": Row(spiking(nn.Conv2d, 4, 5, 3, padding=2, padding_mode="reflect")),
    "Conv2d, replicate": Row(spiking(nn.Conv2d, 4, 5, 3, padding=1, padding_mode="replicate")),
    "Conv2d without a neuron": Row(partial(nn.Conv2d, 4, 5, 3)),
    "Conv2d, another forward": Row(spiking(Doubled, 4, 5, 3)),
    "Conv1d": Row(spiking(nn.Conv1d, 4, 6, 3, stride=2, groups=2, dilation=2), "1d"),
    "Conv1d, same": Row(spiking(nn.Conv1d, 4, 6, 4, padding="same"), "1d"),
    "Conv3d": Row(spiking(nn.Conv3d, 4, 6, (2, 3, 3), padding=(0, 1, 1), groups=2), "3d"),
    "ConvTranspose2d": Row(spiking(nn.ConvTranspose2d, 4, 6, 3, 2, 1, 1, groups=2)),
    "ConvTranspose2d, dilated": Row(spiking(nn.ConvTranspose2d, 4, 3, 2, dilation=2, bias=False)),
    "ConvTranspose1d": Row(spiking(nn.ConvTranspose1d, 4, 6, 4, 3, output_padding=2), "1d"),
    "ConvTranspose3d": Row(spiking(nn.ConvTranspose3d, 4, 2, 2, (1, 2, 1), groups=2), "3d"),
    "Linear on [F]": Row(spiking(nn.Linear, 8, 7), "flat"),
    "Linear on [L, F]": Row(spiking(nn.Linear, 8, 7), "rows"),
    "Linear on [C, H, W]": Row(spiking(nn.Linear, 6, 7, bias=False)),
    "matmul with a matrix": Row(do(lambda x, w: F.relu(x @ w), _numbers(6, 4))),
    "Conv2d, BatchNorm2d": Row(lambda: nn.Sequential(nn.Conv2d(4, 5, 3, bias=False), nn.BatchNorm2d(5), nn.ReLU())),
    "ConvTranspose2d, BatchNorm2d": Row(
        lambda: nn.Sequential(nn.ConvTranspose2d(4, 6, 2, 2, groups=2), nn.BatchNorm2d(6), nn.ReLU())
    ),
    "Linear, BatchNorm1d": Row(lambda: nn.Sequential(nn.Linear(8, 5), nn.BatchNorm1d(5), nn.ReLU()), "flat"),
    "BatchNorm2d": Row(lambda: nn.BatchNorm2d(4)),
    "BatchNorm1d": Row(lambda: nn.BatchNorm1d(4), "1d"),
    "BatchNorm1d on rows": Row(lambda: nn.BatchNorm1d(5), "rows"),
    "BatchNorm3d": Row(lambda: nn.BatchNorm3d(4), "3d"),
    "SyncBatchNorm": Row(lambda: nn.SyncBatchNorm(4)),
    "InstanceNorm2d, statistics": Row(lambda: nn.InstanceNorm2d(4, affine=True, track_running_stats=True)),
    "a number": Row(do(lambda x: 0.3 * x / 2)),
    "a number less than 0": Row(do(lambda x: -x * 1.5 + 0.2)),
    "a number for each channel": Row(do(lambda x, n: x * n, _numbers(4, 1, 1))),
    "a mask": Row(do(lambda x, m: x * m, (_numbers(4, 6, 6) > 0).float())),
    "a number for each neuron": Row(do(lambda x, n: x * n - n, _numbers(1, 4, 6, 6))),
    "F.conv2d with a buffer": Row(do(lambda x, w: F.relu(F.conv2d(x, w, padding=1)), _numbers(3, 4, 3, 3))),
    "numbers of the image": Row(do(lambda x: (x - 0.5) / 0.25), place="before"),
    "normalised by channel": Row(do(lambda x, m, s: (x - m) / s, _numbers(2, 1, 1), _numbers(2, 1, 1)), place="before"),
}  # fmt: skip

AVERAGES = {
    "AvgPool2d": Row(lambda: nn.AvgPool2d(2)),
    "AvgPool2d, overlapping": Row(lambda: nn.AvgPool2d(3, 1, 1)),
    "AvgPool2d, oblong": Row(lambda: nn.AvgPool2d((3, 1), (2, 1))),
    "AvgPool2d, ceil": Row(lambda: nn.AvgPool2d(4, 3, ceil_mode=True)),
    "AvgPool2d, padding not counted": Row(lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False)),
    "AvgPool2d, divisor": Row(lambda: nn.AvgPool2d(3, divisor_override=2)),
    "AvgPool2d, ceil, padded, divisor": Row(lambda: nn.AvgPool2d(3, 2, 1, True, divisor_override=7)),
    "AvgPool2d after a layer": Row(lambda: nn.Sequential(nn.Conv2d(4, 5, 3), nn.AvgPool2d(2), nn.ReLU())),
    "AvgPool1d": Row(lambda: nn.AvgPool1d(3, 2, 1), "1d"),
    "AvgPool1d, ceil, padding not counted": Row(lambda: nn.AvgPool1d(4, 2, 1, True, False), "1d"),
    "AvgPool3d": Row(lambda: nn.AvgPool3d(3, 1, 1, count_include_pad=False), "3d"),
    "AvgPool3d, whole": Row(lambda: nn.AvgPool3d(2), "3d"),
    "AdaptiveAvgPool2d, even": Row(lambda: nn.AdaptiveAvgPool2d(3)),
    "AdaptiveAvgPool2d, uneven": Row(lambda: nn.AdaptiveAvgPool2d((4, 5))),
    "AdaptiveAvgPool2d, larger": Row(lambda: nn.AdaptiveAvgPool2d(8)),
    "AdaptiveAvgPool2d, one": Row(lambda: nn.AdaptiveAvgPool2d((1, None))),
    "AdaptiveAvgPool1d": Row(lambda: nn.AdaptiveAvgPool1d(4), "1d"),
    "AdaptiveAvgPool3d": Row(lambda: nn.AdaptiveAvgPool3d((1, 2, 3)), "3d"),
    "mean of the image": Row(do(lambda x: x.mean((2, 3)))),
    "mean of the image, kept": Row(do(lambda x: x.mean(dim=(-2, -1), keepdim=True))),
    "mean of rows": Row(do(lambda x: torch.mean(x, 2))),
    "mean of channels": Row(do(lambda x: x.mean(1, keepdim=True))),
    "mean of [L, F]": Row(do(lambda x: x.mean(1)), "rows"),
    "mean of all": Row(do(lambda x: x.mean((1, 2, 3), keepdim=True))),
    "mean, one number": Row(do(lambda x: x.flatten(1).mean(-1).unsqueeze(1))),
    "sum of the image": Row(do(lambda x: x.sum((2, 3)))),
    "sum of channels": Row(do(lambda x: x.sum(1, keepdim=True))),
    "bilinear": Row(lambda: nn.Upsample(scale_factor=2, mode="bilinear")),
    "bilinear, aligned": Row(lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)),
    "bilinear, odd": Row(do(lambda x: F.interpolate(x, scale_factor=1.3, mode="bilinear"))),
    "bilinear, smaller": Row(do(lambda x: F.interpolate(x, (4, 9), mode="bilinear"))),
    "linear up-sampling": Row(lambda: nn.Upsample(scale_factor=2, mode="linear"), "1d"),
    "trilinear": Row(lambda: nn.Upsample(size=(3, 5, 2), mode="trilinear"), "3d"),
}

SUMS = {
    "x + x": Row(do(lambda x: x + x)),
    "1 - x": Row(do(lambda x: 1 - x)),
    "a difference": Row(do(lambda x: x - x.flip(3))),
    "add, alpha": Row(do(lambda x: torch.add(x, x.roll(1, 2), alpha=-0.7))),
    "sub, alpha": Row(do(lambda x: torch.sub(x, x.roll(1, 2), alpha=0.7))),
    "rsub": Row(do(lambda x: torch.rsub(x, x.roll(1, 2), alpha=2))),
    "three terms": Row(do(lambda x: x + x.flip(2) - 0.5 * x.flip(3))),
    "sum([...])": Row(do(lambda x: sum([x, x.flip(2), x.flip(3)]))),
    "stack(...).sum(0)": Row(do(lambda x: torch.stack([x, x.flip(2), x.flip(3)]).sum(0))),
    "stack(...).mean(1)": Row(do(lambda x: torch.stack([x, x.flip(2)], 1).mean(1))),
    "a broadcasting sum": Row(do(lambda x: x + x.mean((2, 3), keepdim=True))),
    "a broadcasting difference": Row(do(lambda x: x[:, :1] - x)),
    "a residual block": Row(lambda: Block(in_place=False)),
    "a residual block, in place": Row(lambda: Block(in_place=True)),
    "in place, by a number": Row(do(lambda x: x.clone().mul_(0.3).sub_(0.1))),
    "image and spikes": Row(do(lambda x, image: x[:, :2] - image), place="beside"),
}  # fmt: skip

MOVES = {
    "view": Row(do(lambda x: x.view(x.size(0), 2, 12, 6))),
    "reshape, -1": Row(do(lambda x: x.reshape(-1, 4 * 6 * 6))),
    "Flatten": Row(nn.Flatten),
    "Unflatten": Row(lambda: nn.Unflatten(1, (2, 2, 2)), "flat"),
    "permute": Row(do(lambda x: x.permute(0, 2, 3, 1))),
    "transpose": Row(do(lambda x: x.transpose(1, 3).contiguous())),
    "batch last": Row(do(lambda x: F.relu(x.t()).t() * 2), "flat"),
    "cat": Row(do(lambda x: torch.cat([x, x.flip(1)[:, 1:], x.mean(1, keepdim=True)], 1))),
    "cat along the width": Row(do(lambda x: torch.cat([x, x[..., :1]], -1))),
    "cat of image and spikes": Row(do(lambda x, image: torch.cat([image, x], 1)), place="beside"),
    "stack": Row(do(lambda x: torch.stack([x, x.flip(2)], 2).flatten(1, 2))),
    "chunk": Row(do(lambda x: x.chunk(2, 1)[1])),
    "chunk, sum": Row(do(lambda x: torch.add(*x.chunk(2, 1)))),
    "split": Row(do(lambda x: torch.cat(x.split([1, 3], 1)[::-1], 1))),
    "unbind": Row(do(lambda x: x.unbind(2)[4])),
    "pad": Row(do(lambda x: F.pad(x, (1, 0, 2, 1)))),
    "pad, cropping": Row(do(lambda x: F.pad(x, (-1, 2)))),
    "ZeroPad2d": Row(lambda: nn.ZeroPad2d(1)),
    "ReflectionPad2d": Row(lambda: nn.ReflectionPad2d(2)),
    "ReplicationPad1d": Row(lambda: nn.ReplicationPad1d(2), "1d"),
    "CircularPad2d": Row(lambda: nn.CircularPad2d((1, 2, 0, 1))),
    "Upsample, nearest": Row(lambda: nn.Upsample(scale_factor=2)),
    "Upsample, nearest, odd": Row(lambda: nn.Upsample(size=(7, 4))),
    "nearest-exact": Row(do(lambda x: F.interpolate(x, scale_factor=1.5, mode="nearest-exact"))),
    "PixelShuffle": Row(lambda: nn.PixelShuffle(2)),
    "PixelUnshuffle": Row(lambda: nn.PixelUnshuffle(3)),
    "ChannelShuffle": Row(lambda: nn.ChannelShuffle(2)),
    "Identity": Row(nn.Identity),
    "Dropout": Row(lambda: nn.Sequential(nn.Dropout(0.4), nn.Dropout2d())),
    "AlphaDropout": Row(nn.AlphaDropout),
    "StochasticDepth": Row(lambda: torchvision.ops.StochasticDepth(0.3, "row")),
    "slicing": Row(do(lambda x: x[:, 1:, ::2, -3:])),
    "an index": Row(do(lambda x: x[:, [2, 0, 0]])),
    "flip": Row(do(lambda x: x.flip((1, 2)))),
    "roll": Row(do(lambda x: x.roll((1, 2), (2, 3)))),
    "repeat": Row(do(lambda x: x.repeat(1, 2, 1, 1))),
    "expand": Row(do(lambda x: x[:, :1].expand(-1, 3, -1, -1))),
    "squeeze": Row(do(lambda x: x.mean(1, keepdim=True).squeeze(1).unsqueeze(2))),
    "unfold": Row(do(lambda x: F.unfold(x, 2))),
    "rotated": Row(do(lambda x: torch.rot90(x, 1, (2, 3)))),
}

SITES = {
    "ReLU": then(nn.ReLU),
    "ReLU, in place": then(partial(nn.ReLU, inplace=True)),
    "a subclass of ReLU": then(Subclass),
    "F.relu": then(do(F.relu)),
    "torch.relu_": then(do(torch.relu_)),
    "x.relu": then(do(lambda x: x.relu())),
    "ReLU6": then(nn.ReLU6),
    "F.relu6, in place": then(do(lambda x: F.relu6(4 * x, inplace=True))),
    "clamp(0, c)": then(do(lambda x: x.clamp(0, 0.8))),
    "clamp(min=0)": then(do(lambda x: torch.clamp(x, min=0.0))),
    "clamp_min": then(do(lambda x: x.clamp_min(0))),
    "clamp_, in place": then(do(lambda x: x.clamp_(0, max=1))),
    "Hardtanh(0, c)": then(partial(nn.Hardtanh, 0, 1.5)),
    "Threshold(0, 0)": then(partial(nn.Threshold, 0, 0)),
    "Clip": then(partial(Clip, 0.8)),
    "QCFS": then(partial(QCFS, 512, 1.2), method="qcfs"),
    "a ReLU of both signs": then(do(lambda x: torch.cat([F.relu(x), F.relu(-x)], 1))),
    "a ReLU of a ReLU": then(lambda: nn.Sequential(nn.ReLU(), nn.ReLU6())),
    "a ReLU of a difference": Row(do(lambda x: F.relu(x - 0.4))),
    "MaxPool2d just after": Row(lambda: nn.MaxPool2d(3, 2, 1)),
    "MaxPool1d just after": Row(lambda: nn.MaxPool1d(2), "1d"),
    "AdaptiveMaxPool2d just after": Row(lambda: nn.AdaptiveMaxPool2d(4)),
    "MaxPool2d before": Row(lambda: nn.MaxPool2d(2, 1), place="before"),
}


class Block(nn.Module):
    """A basic block of a ResNet, with a shortcut that has weights."""

    def __init__(self, in_place: bool = False) -> None:
        super().__init__()
        self.conv, self.norm, self.short = nn.Conv2d(4, 5, 3, 2, 1), nn.BatchNorm2d(5), nn.Conv2d(4, 5, 1, 2)
        self.in_place = in_place

    def forward(self, x: Tensor) -> Tensor:
        y, shortcut = self.norm(self.conv(x)), self.short(x)
        if not self.in_place:
            return F.relu(y + shortcut)
        y += shortcut
        return F.relu_(y)


KINDS = {"weighted": WEIGHTED, "average": AVERAGES, "sum": SUMS, "move": MOVES, "site": SITES}
LAYERS = {f"{kind}: {name}": row for kind, rows in KINDS.items() for name, row in rows.items()}
