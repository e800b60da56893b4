"""All that a long training depends on."""

import dataclasses
import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from snnlab import datasets, networks
from snnlab.activations import ACTIVATIONS_BY_NAME, LearnedRange, QuantClip
from snnlab.files import short
from snnlab.files.words import meant
from snnlab.networks import Activation
from snnlab.neurons.door import check_fields, door
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
WHOLE = {
    "levels": (1, 2**16),
    "width": (1, 1024),
    "epochs": (1, 10**6),
    "batch": (2, 2**16),
    "seed": (0, 2**31 - 1),
}
"""The least and the most that a whole number may be."""
NUMBERS = {
    "lr": 1e6,
    "threshold": 1e6,
    "threshold_decay": 1.0,
    "norm_decay": 100.0,
    "smoothing": 0.99,
    "jitter": 256.0,
}
"""The most that a number may be; the least is 0."""
SINCE_ALWAYS = ("network", "data", "activation", "levels", "epochs", "lr", "batch", "seed")
"""Settings that every file names; the others came later, or may be left out."""


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
        smoothing: of labels, 0 to 0.99.
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
        check_fields(self)
        _one_of("network", self.network, NETWORKS)
        _one_of("data", self.data, datasets.NAMES)
        _one_of("activation", self.activation, ACTIVATIONS_BY_NAME)
        if not isinstance(self.augment, tuple):
            raise ValueError(
                f"augment = {short(self.augment)}, but it is a tuple of {', '.join(AUGMENTATIONS)}"
            )
        for name in self.augment:
            _one_of("augment", name, AUGMENTATIONS)
        for name, (least, most) in WHOLE.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                if value is None and name == "width":
                    continue
                raise ValueError(
                    f"{name} = {short(value)}, but it must be a whole number from {least} to {most:,}"
                )
        for name, most_of_it in NUMBERS.items():
            self._check_number(name, most_of_it)
        self._check_kinds()

    def _check_number(self, name: str, most: float) -> None:
        value, positive = getattr(self, name), name in ("lr", "threshold")
        if value is None and name == "threshold":
            return
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            least = "greater than 0" if positive else "0 or more"
            raise ValueError(
                f"{name} = {short(value)}, but it must be a number, {least} and at most {most:g}"
            )
        if positive and not value:
            raise ValueError(f"{name} = {value}, but it must be a number greater than 0")

    def _check_kinds(self) -> None:
        for name, kind in (("bf16", bool), ("start", str)):
            if not isinstance(value := getattr(self, name), kind):
                raise ValueError(f"{name} = {short(value)}, but it must be {kind.__name__}")
        if self.start and not re.fullmatch("[0-9a-f]{64}", self.start):
            raise ValueError(f"start = {short(self.start)}, but it is the sha256 of a file, or empty")
        learned = ACTIVATIONS_BY_NAME[self.activation]
        if self.threshold is not None and not (
            isinstance(learned, type) and issubclass(learned, LearnedRange)
        ):
            raise ValueError(f"threshold = {self.threshold}, but {self.activation} learns none")
        if self.jitter and not self._rounds():
            raise ValueError(f"jitter = {self.jitter}, but {self.activation} rounds nothing")
        if self.width is not None and self.network not in WIDTHS:
            raise ValueError(f"width = {self.width}, but only {', '.join(WIDTHS)} come in several widths")

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

    @door
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
    @door
    def read(cls, text: str) -> "Settings":
        """What `text` wrote; a setting that came since has its default. Raises: ValueError for anything else."""
        try:
            fields = json.loads(text)
            given = fields | {"augment": tuple(fields["augment"])}
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ValueError(f"the settings are {short(text)}, which is not what a training writes") from None
        if strange := sorted(given.keys() - cls.__dataclass_fields__.keys()):
            raise ValueError(f"{short(strange[0])} is no setting of this snnlab, perhaps of a newer one")
        if missing := [name for name in SINCE_ALWAYS if name not in given]:
            raise ValueError(f"{missing[0]} is missing from the settings")
        return cls(**given)


CLASSES = {"digits": 10, "mnist": 10, "fashion_mnist": 10, "cifar10": 10, "cifar100": 100}
SHAPES = {
    "digits": (1, 8, 8),
    "mnist": (1, 28, 28),
    "fashion_mnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
    "cifar100": (3, 32, 32),
}


def _one_of(name: str, value: object, allowed: Collection[str]) -> None:
    if value not in [*allowed]:
        listed = ", ".join(allowed)
        raise ValueError(f"{name} = {short(value)}, but it is one of {listed}{meant(value, allowed)}")
