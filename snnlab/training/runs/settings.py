"""All that a long training depends on."""

import dataclasses
import difflib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from snnlab import datasets, networks
from snnlab.activations import ACTIVATIONS_BY_NAME, LearnedRange, QuantClip
from snnlab.networks import Activation
from snnlab.training import SMOOTHING

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "cnn": networks.cnn,
    "resnet": networks.resnet,
    "resnet18": networks.resnet18,
    "resnet20": networks.resnet20,
    "vgg16": networks.vgg16,
}
WIDTHS = {"resnet18": 64, "resnet20": 16, "vgg16": 64}
"""The widths of the papers; the networks that are not named here have one width only."""
AUGMENTATIONS = ("crop", "flip", "cutout", "autoaugment")


@dataclass(frozen=True)
class Settings:
    """All that the result of a training depends on, but for the images and the number of threads.

    Attributes:
        network: a key of NETWORKS.
        data: a data set of snnlab.datasets.
        activation: a key of ACTIVATIONS_BY_NAME.
        levels: of activations that round, >= 1.
        width: channels of the first layer; None is the paper's.
        epochs: passes over the training images, >= 1.
        lr: learning rate at the start of the cosine, > 0.
        batch: images a step, >= 2.
        threshold: where learned thresholds start, activation units, > 0; None is the activation's own.
        threshold_decay: L2 decay of learned thresholds, >= 0.
        norm_decay: L2 decay of batch norms and biases, >= 0; weights always decay.
        smoothing: of labels, 0 <= smoothing < 1.
        jitter: of activations that round, in training, levels, >= 0 (activations.QuantClip).
        augment: some of AUGMENTATIONS.
        seed: of first weights, order and augmentation.
        bf16: whether convolutions and products are computed in bfloat16.
        start: sha256 of the checkpoint that the training starts from; empty for none.
    """

    network: str
    data: str = "cifar10"
    activation: str = "relu"
    levels: int = 8
    width: int | None = None
    epochs: int = 100
    lr: float = 0.1
    batch: int = 128
    threshold: float | None = None
    threshold_decay: float = 0.0
    norm_decay: float = 0.0
    smoothing: float = SMOOTHING
    jitter: float = 0.0
    augment: tuple[str, ...] = ("crop", "flip")
    seed: int = 0
    bf16: bool = False
    start: str = ""

    def __post_init__(self) -> None:
        _one_of("network", self.network, NETWORKS)
        _one_of("data", self.data, datasets.NAMES)
        _one_of("activation", self.activation, ACTIVATIONS_BY_NAME)
        for name in self.augment:
            _one_of("augment", name, AUGMENTATIONS)
        least = {"levels": 1, "epochs": 1, "batch": 2} | ({"width": 1} if self.width is not None else {})
        for name, smallest in least.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < smallest:
                raise ValueError(f"{name} = {value}, but it must be a whole number, {smallest} or more")
        self._check_numbers()
        if self.width is not None and self.network not in WIDTHS:
            raise ValueError(f"width = {self.width}, but only {', '.join(WIDTHS)} come in several widths")

    def _check_numbers(self) -> None:
        for name in ("lr", "threshold"):
            if (value := getattr(self, name)) is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} = {value}, but it must be a number greater than 0")
        limits = {"threshold_decay": math.inf, "norm_decay": math.inf, "smoothing": 1, "jitter": math.inf}
        for name, most in limits.items():
            if not 0 <= (value := getattr(self, name)) < most:
                below = f" and less than {most}" if most < math.inf else ""
                raise ValueError(f"{name} = {value}, but it must be 0 or more{below}")
        kind = ACTIVATIONS_BY_NAME[self.activation]
        if self.threshold is not None and not (isinstance(kind, type) and issubclass(kind, LearnedRange)):
            raise ValueError(f"threshold = {self.threshold}, but {self.activation} learns none")
        if self.jitter and not self._rounds():
            raise ValueError(f"jitter = {self.jitter}, but {self.activation} rounds nothing")

    def factory(self) -> Activation:
        """What makes one activation."""
        kind = ACTIVATIONS_BY_NAME[self.activation]
        options: dict[str, Any] = {"levels": self.levels} if self._rounds() else {}
        if self.jitter:
            options["jitter"] = self.jitter
        if self.threshold is not None:
            options["threshold"] = self.threshold
        return partial(kind, **options) if options else kind

    def _rounds(self) -> bool:
        kind = ACTIVATIONS_BY_NAME[self.activation]
        return isinstance(kind, type) and issubclass(kind, QuantClip)

    def build(self, activation: Activation | None = None) -> nn.Module:
        """The untrained network, with its first weights drawn from the seed."""
        options: dict[str, Any] = {"classes": CLASSES[self.data], "seed": self.seed}
        if self.network in WIDTHS:
            options["width"] = self.width or WIDTHS[self.network]
            if self.data not in ("cifar10", "cifar100"):
                raise ValueError(
                    f"data = {self.data!r}, but {self.network} takes colour images: cifar10 or cifar100"
                )
        else:
            options["shape"] = SHAPES[self.data]
        return NETWORKS[self.network](activation or self.factory(), **options)

    def text(self) -> str:
        """As JSON, one line, the same for the same settings."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def read(cls, text: str) -> "Settings":
        """What `text` wrote."""
        fields = json.loads(text)
        return cls(**fields | {"augment": tuple(fields["augment"])})


CLASSES = {"digits": 10, "mnist": 10, "fashion_mnist": 10, "cifar10": 10, "cifar100": 100}
SHAPES = {
    "digits": (1, 8, 8),
    "mnist": (1, 28, 28),
    "fashion_mnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
    "cifar100": (3, 32, 32),
}


def _one_of(name: str, value: str, allowed: object) -> None:
    names = list(allowed)  # type: ignore[call-overload]
    if value not in names:
        near = difflib.get_close_matches(str(value).lower(), names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{name} = {value!r}, but it is one of {', '.join(names)}{hint}")
