"""Checkpoints that say what they are: a network is built from the file's own words, and its weights are put in."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from snnlab import training
from snnlab.files import place
from snnlab.files.tensors import TensorFile
from snnlab.neurons.door import door
from snnlab.training.runs.settings import Settings


@dataclass(frozen=True)
class Trained:
    """A network read from a checkpoint.

    Attributes:
        ann: in evaluation mode.
        settings: what it was trained with.
        about: what else the file says: `accuracy` on the test images, the versions.
    """

    ann: nn.Module
    settings: Settings
    about: dict[str, str]


@door
def load(path: str | Path) -> Trained:
    """The network of a checkpoint that `snnlab train` wrote.

    Raises: FileNotFoundError; ValueError for a damaged file, one that was not written by `snnlab train`, or one whose
        settings are not those of its weights.
    """
    settings, about = described(path)
    _, state = training.load_tensors(path, _untrained(settings).state_dict())
    ann = settings.build()
    ann.load_state_dict(state)
    return Trained(ann.eval(), settings, {key: value for key, value in about.items() if key != "settings"})


def described(path: str | Path) -> tuple[Settings, dict[str, str]]:
    """What a checkpoint says of itself: its settings, and all its words. Raises: as `load`."""
    try:
        file = TensorFile.open(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no checkpoint {path}; train one with `snnlab train`") from None
    if "settings" not in file.about:
        raise ValueError(
            f"{file.path} does not say how its network was trained: snnlab.training.load puts it into yours"
        )
    try:
        settings = Settings.read(file.about["settings"])
        _untrained(settings)
    except ValueError as error:
        raise ValueError(f"{file.path} cannot be read: {error}; train or fetch it again") from None
    return settings, file.about


def size(settings: Settings) -> int:
    """Bytes of a network's weights."""
    return sum(value.numel() * value.element_size() for value in _untrained(settings).state_dict().values())


def _untrained(settings: Settings) -> nn.Module:
    """The network without its numbers, which takes no memory: a file may ask for one larger than all there is."""
    with torch.device("meta"):
        return settings.build()


@door
def sha256(path: str | Path) -> str:
    """Of a file, 64 hexadecimal digits."""
    with place(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
