"""A conversion as it is often done, by swapping modules: a warning. Lesson 03 measures what it gets wrong.

Nothing else uses this room: `snnlab.convert` traces the network and gives each use of an activation its own neuron.
"""

import copy
from collections import OrderedDict
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab.converters.threads import threads_for
from snnlab.neurons import IF, State

Spelling = Literal["separate", "reused", "functional"]


class Block(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))), where `spelling` says how the second relu is written.

    "separate": a module of its own. "reused": the first one's module again, as torchvision's ResNets do.
    "functional": F.relu. All three compute the same function and have the same parameters.
    """

    def __init__(self, channels: int, spelling: Spelling) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)
        self.conv2, self.norm2 = nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)
        self.relu, self.spelling = nn.ReLU(), spelling
        if spelling == "separate":
            self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = x + self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))  # [B, C, H, W]
        if self.spelling == "functional":
            return F.relu(y)
        return self.relu2(y) if self.spelling == "separate" else self.relu(y)


def residual(spelling: Spelling, blocks: int = 2, channels: int = 8, seed: int = 0) -> nn.Sequential:
    """A small residual network, digits [B, 1, 8, 8] to logits [B, 10]; spellings share the weights of a seed."""
    if spelling not in (allowed := get_args(Spelling)):
        raise ValueError(f"spelling = {spelling!r}, but it is one of {', '.join(map(repr, allowed))}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = OrderedDict[str, nn.Module](conv=nn.Conv2d(1, channels, 3, padding=1), relu=nn.ReLU())
        layers |= {f"block{k + 1}": Block(channels, spelling) for k in range(blocks)}
        layers |= {"pool": nn.AvgPool2d(2), "flatten": nn.Flatten(), "fc": nn.Linear(channels * 16, 10)}
        return nn.Sequential(layers)


class RememberingIF(IF):
    """An IF neuron that keeps its state in the module: whoever calls it goes on from where the last caller stopped."""

    state: State | None = None

    def forward(self, current: Tensor) -> Tensor:  # type: ignore[override]
        """One step: current [B, ...] to output [B, ...]."""
        output, self.state = self.step(current, self.start(current) if self.state is None else self.state)
        return output


def swap(ann: nn.Module, images: Tensor, p: float = 99.9) -> nn.Module:
    """A copy of ann with a RememberingIF in place of each nn.ReLU module.

    Args:
        images: calibration images [N, ...]; the p-th percentile of a module's outputs becomes its threshold.
    """
    swapped = copy.deepcopy(ann).eval()
    outputs: dict[nn.Module, list[Tensor]] = {m: [] for m in swapped.modules() if isinstance(m, nn.ReLU)}
    hooks = [m.register_forward_hook(lambda m, _, output: outputs[m].append(output)) for m in outputs]
    with torch.inference_mode(), threads_for(images.numel()):
        swapped(images)
    for hook in hooks:
        hook.remove()
    for name, module in list(swapped.named_modules()):
        if isinstance(module, nn.ReLU):
            parent, _, leaf = name.rpartition(".")
            threshold = np.percentile(torch.stack(outputs[module]).numpy(), p)
            setattr(swapped.get_submodule(parent), leaf, RememberingIF(float(threshold)))
    return swapped


@torch.inference_mode()
def run(swapped: nn.Module, images: Tensor, T: int, fresh: bool = True) -> Tensor:
    """The class with the largest mean logit after each step, [T, N].

    Args:
        fresh: start from empty memories; if not, from where the last run stopped.
    """
    for module in swapped.modules() if fresh else ():
        if isinstance(module, RememberingIF):
            module.state = None
    with threads_for(images.numel()):
        return torch.stack([swapped(images) for _ in range(T)]).cumsum(0).argmax(-1)  # [T, N, K] -> [T, N]
