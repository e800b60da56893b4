"""Checkpoints that say what they are: a network is built from the file's own words, and its weights are put in."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open
from torch import nn

from snnlab import training
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


def load(path: str | Path) -> Trained:
    """The network of a checkpoint that `snnlab train` wrote.

    Raises: FileNotFoundError; ValueError for a damaged file, or one that was not written by `snnlab train`.
    """
    path = Path(path)
    settings = _settings(path)
    ann = settings.build()
    about = training.load(ann, path)
    return Trained(ann.eval(), settings, {key: value for key, value in about.items() if key != "settings"})


def _settings(path: Path) -> Settings:
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}; train one with `snnlab train`")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
    except Exception as error:  # noqa: BLE001 - whatever safetensors makes of what is none
        raise ValueError(training.not_safetensors(path, error)) from None
    if "settings" not in about:
        raise ValueError(
            f"{path} does not say how its network was trained: snnlab.training.load puts it into yours"
        )
    return Settings.read(about["settings"])


def sha256(path: str | Path) -> str:
    """Of a file, 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
