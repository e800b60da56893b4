"""Troubles that users of conversion libraries report, made on purpose, and SpikingJelly's own run beside them.

Lesson 14 measures them; nothing else uses this room.
"""

import copy
import re
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from snnlab.converters.choices.site import Rule, Site
from snnlab.converters.graph import fold_bn
from snnlab.course.naive import RememberingIF
from snnlab.datasets.standard import Split
from snnlab.files.language import said

Classes = Callable[..., Tensor]
"""images [N, ...], T, and fresh=False to keep the state of the run before -> class after each step, [T, N]"""
AT_ONCE = 50
ABSENT = "SpikingJelly is not here: pip install 'snnlab[bench]' (in a checkout: pip install -e '.[bench]')"


def deep(pool: Callable[[int], nn.Module], seed: int = 0) -> nn.Sequential:
    """Three convolutions with batch norm, then one pool over the whole image: digits [B, 1, 8, 8] to logits [B, 10]."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        blocks = [
            layer
            for before, after in ((1, 16), (16, 32), (32, 32))
            for layer in (nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())
        ]
        return nn.Sequential(*blocks, pool(8), nn.Flatten(), nn.Linear(32, 10))


def normalised(ann: nn.Sequential, images: Tensor, fold: bool) -> nn.Sequential:
    """A copy of `networks.cnn` with weights rescaled so that every threshold is 1: another way to write a conversion.

        W <- W * lambda_before / lambda,   b <- b / lambda             Rueckauer et al. 2017, section 2.2.1

    Args:
        images: calibration images [N, ...]; lambda is a layer's largest activation.
        fold: write the batch norms into the weights first; if not, they stay behind them as they are.
    """
    net, before = copy.deepcopy(ann).eval(), 1.0
    for name, block in list(net.named_children()):
        if isinstance(block, nn.Sequential):
            layers = list(block)
            if fold and isinstance(layers[1], nn.BatchNorm2d):
                layers[:2] = [fold_bn(layers[0], layers[1])]
            largest = float(_outputs(ann, name, images).amax())
            _rescale(layers[0], before / largest, 1 / largest)
            net.set_submodule(name, nn.Sequential(*layers[:-1], RememberingIF(1.0)))
            before = largest
        elif isinstance(block, nn.Linear):
            _rescale(block, before, 1.0)
    return net


@torch.no_grad()
def _outputs(ann: nn.Sequential, name: str, images: Tensor) -> Tensor:
    """What the ANN's block of that name puts out."""
    for own, block in ann.named_children():
        images = block(images)
        if own == name:
            break
    return images


@torch.no_grad()
def _rescale(layer: nn.Module, weights: float, bias: float) -> None:
    for name, factor in (("weight", weights), ("bias", bias)):
        if isinstance(parameter := getattr(layer, name), Tensor):
            parameter *= factor


def percentile_of_active(p: float) -> Rule:
    """The p-th percentile of a layer's outputs above zero as its threshold: the zeros of the ReLU are left out."""

    def rule(site: Site) -> Tensor:
        active = site.target[site.target > 0]
        return torch.quantile(active.float(), p / 100)

    return rule


def accuracy(run: Classes, test: Split, T: int) -> Tensor:
    """The share of images read right after each step, [T]: some images at a time, which takes less memory."""
    parts = [run(images, T) for images in test.images.split(AT_ONCE)]
    return (torch.cat(parts, 1) == test.labels).double().mean(1)


def batches(run: Classes, test: Split, T: int, fresh: bool, size: int) -> list[float]:
    """The accuracy of each of four batches, one after the other; `fresh`: the network is reset before each."""
    read = []
    for k in range(4):
        part = test[k * size : (k + 1) * size]
        classes = run(part.images, T, fresh or k == 0)[-1]
        read.append(float((classes == part.labels).double().mean()))
    return read


def spikingjelly(ann: nn.Module, images: Tensor, mode: str = "99.9%") -> Classes | str:
    """SpikingJelly's own conversion of ann, to be run; or a line that says why there is none.

    Args:
        images: calibration images [N, ...], one batch. mode: "max", or a percentile: "99.9%".
    """
    if find_spec("spikingjelly") is None:
        return said(ABSENT)
    from spikingjelly.activation_based import functional
    from spikingjelly.activation_based.ann2snn import Converter, RateCodingRecipe

    try:
        net = Converter(RateCodingRecipe([images], mode=mode)).convert(copy.deepcopy(ann).eval())
    except ValueError as error:
        reason = re.sub(r" at 0x[0-9a-f]+", "", str(error).splitlines()[0])
        refuses = said("SpikingJelly {version} refuses: {reason}")
        return refuses.format(version=version("spikingjelly"), reason=reason)

    @torch.inference_mode()
    def run(images: Tensor, T: int, fresh: bool = True) -> Tensor:
        if fresh:
            functional.reset_net(net)
        return torch.stack([net(images) for _ in range(T)]).cumsum(0).argmax(-1)

    return run
