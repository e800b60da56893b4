"""The ANNs of the course, each with its first weights drawn from its own seed.

`activation` is a class or any factory without arguments, as `partial(QCFS, levels=4)`. It is called once for each use,
so each use learns a threshold of its own.

References:
  1) VGG-16: Simonyan & Zisserman 2015, ICLR; average pooling in place of maximum, as conversion asks for
  2) ResNet-20: He et al. 2016, CVPR, section 4.2
"""

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab.files import short
from snnlab.neurons.door import check, door
from snnlab.neurons.settings import whole

Activation = Callable[[], nn.Module]

WIDEST = 2**14
"""Channels, classes and sides of images, at most."""


@door
def cnn(
    activation: Activation = nn.ReLU, shape: Sequence[int] = (1, 8, 8), classes: int = 10, seed: int = 0
) -> nn.Sequential:
    """Two convolutions with batch norm, an average pool, one hidden layer: sites conv1.act, conv2.act, fc1.act.

    Args:
        shape: of one image, [C, H, W]; H and W even.
        classes: logits a readout gives.
        seed: of the first weights; the global random state stays as it was.
    """
    _check(classes=classes, seed=seed)
    channels, height, width = _checked(shape)
    with _seeded(seed):
        return nn.Sequential(
            OrderedDict(
                conv1=_conv(channels, 16, activation),
                conv2=_conv(16, 32, activation),
                pool=nn.AvgPool2d(2),
                flatten=nn.Flatten(),
                fc1=_linear(32 * (height // 2) * (width // 2), 64, activation),
                fc2=nn.Linear(64, classes),
            )
        )


@door
def resnet(
    activation: Activation = nn.ReLU, shape: Sequence[int] = (1, 8, 8), classes: int = 10, seed: int = 0
) -> nn.Module:
    """A small residual network: three blocks of 16, 32 and 32 channels, a mean over the image, a readout.

    Args:
        shape: of an image, (C, H, W).
    """
    _check(classes=classes, seed=seed)
    channels, _, _ = _checked(shape)
    with _seeded(seed):
        return ResNet(activation, channels, ((16, 1), (32, 2), (32, 1)), classes)


@door
def resnet20(
    activation: Activation = nn.ReLU, classes: int = 10, width: int = 16, seed: int = 0
) -> nn.Module:
    """ResNet-20 for 32 x 32 colour images; width 16 is He 2016's, conversion papers also use wider ones."""
    _check(classes=classes, width=width, seed=seed)
    blocks = [(width * 2**stage, 2 if stage and not block else 1) for stage in range(3) for block in range(3)]
    with _seeded(seed):
        return ResNet(activation, 3, blocks, classes)


@door
def resnet18(
    activation: Activation = nn.ReLU, classes: int = 10, width: int = 64, seed: int = 0
) -> nn.Module:
    """ResNet-18 for 32 x 32 colour images: a 3 x 3 stem, no pooling, two blocks of each width."""
    _check(classes=classes, width=width, seed=seed)
    blocks = [(width * 2**stage, 2 if stage and not block else 1) for stage in range(4) for block in range(2)]
    with _seeded(seed):
        return ResNet(activation, 3, blocks, classes)


@door
def vgg16(
    activation: Activation = nn.ReLU, classes: int = 10, width: int = 64, seed: int = 0
) -> nn.Sequential:
    """VGG-16 with batch norm and average pooling for 32 x 32 colour images; width 64 is the paper's."""
    _check(classes=classes, width=width, seed=seed)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    with _seeded(seed):
        for stage, (multiple, depth) in enumerate(((1, 2), (2, 2), (4, 3), (8, 3), (8, 3)), start=1):
            for k in range(1, depth + 1):
                layers[f"conv{stage}_{k}"] = _conv(channels, width * multiple, activation)
                channels = width * multiple
            layers[f"pool{stage}"] = nn.AvgPool2d(2)
        layers["flatten"] = nn.Flatten()
        layers["fc"] = nn.Linear(channels, classes)
        return nn.Sequential(layers)


class ResNet(nn.Module):
    """A first convolution, residual blocks given as (channels, stride), a mean over the image, a readout."""

    @door
    def __init__(
        self, activation: Activation, channels: int, blocks: Sequence[tuple[int, int]], classes: int
    ) -> None:
        super().__init__()
        if not blocks:
            raise ValueError("blocks is empty, but a network has one block or more, each (channels, stride)")
        _check(channels=channels, classes=classes)
        width = blocks[0][0]
        for out, stride in blocks:
            _check(blocks=out)
            _check(blocks=stride)
        self.stem = _conv(channels, width, activation)
        self.blocks = nn.Sequential()
        for out, stride in blocks:
            self.blocks.append(Block(activation, width, out, stride))
            width = out
        self.fc = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.stem(x))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Block(nn.Module):
    """act(conv(act(conv(x))) + shortcut(x)), batch norm after each convolution.    He 2016, figure 2"""

    @door
    def __init__(self, activation: Activation, channels: int, out: int, stride: int) -> None:
        super().__init__()
        _check(channels=channels, out=out, stride=stride)
        self.conv1 = _conv(channels, out, activation, stride)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, padding=1, bias=False), nn.BatchNorm2d(out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )
        self.act = _made(activation)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn2(self.conv2(self.conv1(x))) + self.shortcut(x))


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """First weights are drawn on the CPU: its random state starts from seed inside, and is as it was after."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _check(**numbers: int) -> None:
    """Raises: ValueError that names the first number that is no whole one, or out of range."""
    for name, value in numbers.items():
        whole(value, name, *((0, 2**63 - 1) if name == "seed" else (1, WIDEST)))


def _made(activation: Activation) -> nn.Module:
    made: nn.Module = check("activation()", activation(), nn.Module)
    return made


def _conv(channels: int, out: int, activation: Activation, stride: int = 1) -> nn.Sequential:
    layers = (
        nn.Conv2d(channels, out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(out),
        _made(activation),
    )
    return nn.Sequential(OrderedDict(zip(("conv", "bn", "act"), layers, strict=True)))


def _linear(features: int, out: int, activation: Activation) -> nn.Sequential:
    return nn.Sequential(OrderedDict(fc=nn.Linear(features, out), act=_made(activation)))


def _checked(shape: Sequence[int]) -> Sequence[int]:
    if len(shape) != 3 or min(shape) < 1 or max(shape) > WIDEST or shape[1] % 2 or shape[2] % 2:
        raise ValueError(
            f"shape = {short(tuple(shape))}, but an image is [channels, height, width], even sides, {WIDEST:,} at most"
        )
    return shape
