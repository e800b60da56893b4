"""Images to learn from: scikit-learn's digits at once, MNIST, Fashion-MNIST and CIFAR on first use.

Every data set has three parts. `calibration` is a part of the training images, so that no test image takes part in
any conversion. Images are float32, [N, C, H, W].
"""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

NAMES = ("digits", "mnist", "fashion_mnist", "cifar10", "cifar100")
CALIBRATION = 256
"""Images that a conversion may look at."""

_TORCHVISION = {
    "mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
}
_STATISTICS = {  # mean and standard deviation of the training images, channel by channel, values 0 to 1
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
}


@dataclass(frozen=True)
class Split:
    """Images float32 [N, C, H, W] with labels int64 [N]; `split[:100]` are the first hundred."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: slice | Tensor) -> "Split":
        return Split(self.images[index], self.labels[index])


@dataclass(frozen=True)
class Data:
    """A data set: its name, its classes by label, and its parts; calibration is a part of train."""

    name: str
    classes: tuple[str, ...]
    train: Split
    calibration: Split
    test: Split


def load(name: str = "digits", root: str | Path | None = None) -> Data:
    """A data set, downloaded on first use if it is not bundled.

    Args:
        name: one of NAMES.
        root: folder for downloads; None takes $SNNLAB_DATA, or `data/` of the checkout, or ~/.cache/snnlab.
    Raises: ValueError for an unknown name; OSError that says what is missing or damaged, and what to do.
    """
    if name not in NAMES:
        near = difflib.get_close_matches(str(name), NAMES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"data = {name!r}, but the data sets are {', '.join(NAMES)}{hint}")
    train, test, classes = _digits() if name == "digits" else _torchvision(name, folder(root))
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    return Data(name, classes, train, train[order[:CALIBRATION]], test)


def folder(root: str | Path | None = None) -> Path:
    """Where downloads are kept."""
    if root is not None or os.environ.get("SNNLAB_DATA"):
        return Path(root or os.environ["SNNLAB_DATA"])
    checkout = Path(__file__).parents[1]
    return checkout / "data" if (checkout / "pyproject.toml").is_file() else Path.home() / ".cache" / "snnlab"


def _digits() -> tuple[Split, Split, tuple[str, ...]]:
    """1,797 handwritten digits of 8 x 8 pixels; every class in the same proportion in both parts."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = torch.from_numpy(digits.images / 16.0).float()[:, None]  # [N, 1, 8, 8], 0 to 1
    labels = torch.from_numpy(digits.target).long()
    parts = train_test_split(np.arange(len(labels)), test_size=450, random_state=0, stratify=labels.numpy())
    train, test = (Split(images[part], labels[part]) for part in map(torch.from_numpy, parts))
    return train, test, tuple(str(digit) for digit in range(10))


def _torchvision(name: str, root: Path) -> tuple[Split, Split, tuple[str, ...]]:
    import torchvision

    kind = getattr(torchvision.datasets, _TORCHVISION[name])
    train, test = (_open(kind, root, train=part) for part in (True, False))
    classes = tuple(str(c) for c in train.classes)
    return _split(name, train), _split(name, test), classes


def _open(kind: Any, root: Path, train: bool) -> Any:
    """One part of a torchvision data set: as it lies there if it is whole, else downloaded."""
    try:
        return kind(root, train=train, download=False)
    except (RuntimeError, OSError, EOFError):  # not there, or its checksum is wrong
        pass
    try:
        return kind(root, train=train, download=True)
    except (RuntimeError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise OSError(
            f"{kind.__name__} is missing or damaged in {root}, and could not be downloaded ({reason}): connect to "
            f"the network and try again, or put torchvision's files for {kind.__name__} into that folder; remove "
            "what lies there if it is damaged"
        ) from None


def _split(name: str, part: Any) -> Split:
    pixels = torch.as_tensor(part.data).float() / 255  # [N, H, W] or [N, H, W, C]
    images = pixels[:, None] if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2).contiguous()
    if name in _STATISTICS:
        mean, std = (torch.tensor(values).reshape(1, -1, 1, 1) for values in _STATISTICS[name])
        images = (images - mean) / std
    return Split(images, torch.as_tensor(part.targets).long())
