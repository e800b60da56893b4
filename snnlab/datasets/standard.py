"""Images to learn from: 1,797 digits at once, MNIST, Fashion-MNIST and CIFAR on first use.

Every data set has three parts. `calibration` is a part of the training images, so that no test image takes part in
any conversion. Images are float32, [N, C, H, W].
"""

import hashlib
import math
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from snnlab.files import data_folder, is_writable, kept, short
from snnlab.files.tensors import TensorFile
from snnlab.files.words import meant
from snnlab.neurons.door import check_fields, door
from snnlab.neurons.settings import whole

NAMES = ("digits", "mnist", "fashion_mnist", "cifar10", "cifar100")
CLASSES = {"cifar100": 100}
"""Where there are not 10."""
CALIBRATION = 256
"""Images that a conversion may look at."""

_TORCHVISION = {
    "mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
}
STATISTICS = {
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
}
"""Mean and standard deviation of the training images, channel by channel, values 0 to 1."""


@dataclass(frozen=True)
class Split:
    """Images float32 [N, C, H, W] with labels int64 [N]; `split[:100]` are the first hundred.

    Raises: ValueError for labels that are not one an image.
    """

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        check_fields(self)
        if self.images.shape[:1] != self.labels.shape:
            raise ValueError(
                f"images have shape {list(self.images.shape)}, labels {list(self.labels.shape)}, but a Split has one "
                "label for each image: images [N, ...], labels [N]"
            )

        if self.labels.is_floating_point() or self.labels.dtype == torch.bool:
            raise ValueError(
                f"labels are {self.labels.dtype}, but a Split's are whole numbers: labels.long() makes them so"
            )

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


@door
def load(name: str = "digits", root: str | Path | None = None, calibration: int = CALIBRATION) -> Data:
    """A data set, downloaded on first use if it does not come with the kit, as the digits do.

    Digits, MNIST and Fashion-MNIST lie in [0, 1]; CIFAR is normalised by the training images' mean and deviation.

    Args:
        name: one of NAMES.
        root: folder for downloads; None takes $SNNLAB_DATA, or the checkout's `data/` if it can be written, or the
            user's cache folder; images that lie in the checkout's `data/` are read from there.
        calibration: how many training images a conversion may look at, >= 1, if there are as many; more of them
            begin with those that fewer have.
    Raises: ValueError for an unknown name or a number out of range; OSError that says which file is missing or damaged,
        and what to do.
    """
    if name not in NAMES:
        raise ValueError(
            f"data = {short(name)}, but the data sets are {', '.join(NAMES)}{meant(name, NAMES)}"
        )
    calibration = whole(calibration, "calibration")
    train, test, classes = _digits() if name == "digits" else _torchvision(name, root)
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    return Data(name, classes, train, train[order[:calibration]], test)


@door
def folder(root: str | Path | None = None) -> Path:
    """Where downloads are kept: root, or what the environment and the checkout say."""
    return data_folder(root)


def _digits() -> tuple[Split, Split, tuple[str, ...]]:
    """1,797 handwritten digits of 8 x 8 pixels; every class in the same proportion in both parts.

    E. Alpaydin, C. Kaynak 1998, UCI Machine Learning Repository, doi 10.24432/C50P49 (CC BY 4.0), as scikit-learn has
    them and splits them with random_state=0. They lie beside this file, since importing scikit-learn takes a second.
    """
    held = TensorFile.open(Path(__file__).with_name("digits.safetensors")).read()
    images = {
        part: held[f"{part}.images"][:, None] / 16.0 for part in ("train", "test")
    }  # [N, 1, 8, 8], 0 to 1
    train, test = (Split(images[part], held[f"{part}.labels"].long()) for part in images)
    return train, test, tuple(str(digit) for digit in range(10))


def _torchvision(name: str, given: str | Path | None) -> tuple[Split, Split, tuple[str, ...]]:
    import torchvision

    kind = getattr(torchvision.datasets, _TORCHVISION[name])
    part = getattr(kind, "base_folder", kind.__name__)
    root = folder(given) if given is not None else kept(part).parent
    if hasattr(
        kind, "resources"
    ):  # torchvision reads MNIST's older `processed/*.pt` in place of the files checked here
        kind = type(kind.__name__, (kind,), {"_check_legacy_exist": lambda _: False})
    _fetch(kind, root)
    train, test = (kind(root, train=part) for part in (True, False))
    return _split(name, train), _split(name, test), tuple(str(c) for c in train.classes)


def _fetch(kind: Any, root: Path) -> None:
    """Download what is missing, then hold every file to torchvision's checksums."""
    files = _mnist_files(kind, root) if hasattr(kind, "resources") else _cifar_files(kind, root)
    _verify(files)
    missing = [path for path in files if not path.is_file()]
    if not missing:
        return
    if not is_writable(missing[0].parent):
        raise OSError(
            f"{kind.__name__} is not in {missing[0].parent}, where nothing can be written: set SNNLAB_DATA to a folder "
            f"that can be, or put the files {', '.join(path.name for path in missing)} there"
        )
    try:
        kind(root, download=True)
    except (RuntimeError, OSError, EOFError, HTTPException) as error:
        reason = re.sub(
            r"\w+://\S+", "...", str(error).splitlines()[0] if str(error) else type(error).__name__
        )
        raise OSError(
            f"{kind.__name__} could not be downloaded ({reason.rstrip(':')}): connect to the network and load again, "
            f"or put the files {', '.join(path.name for path in missing)} into {missing[0].parent}"
        ) from None
    _verify(files)


def _verify(files: dict[Path, Callable[[Path], bool]]) -> None:
    for path, is_whole in files.items():
        if path.is_file() and not is_whole(path):
            raise OSError(f"{path} is damaged: its checksum or length is wrong. Remove it and load again")


def _cifar_files(kind: Any, root: Path) -> dict[Path, Callable[[Path], bool]]:
    sums = dict([*kind.train_list, *kind.test_list, (kind.meta["filename"], kind.meta["md5"])])
    return {root / kind.base_folder / name: partial(_has_md5, md5=md5) for name, md5 in sums.items()}


def _mnist_files(kind: Any, root: Path) -> dict[Path, Callable[[Path], bool]]:
    """What is read is unpacked, and torchvision has checksums of the archives: those lead from one to the other."""
    files: dict[Path, Callable[[Path], bool]] = {}
    for name, md5 in kind.resources:
        path = root / kind.__name__ / "raw" / name
        files[path.with_suffix("")] = partial(_is_unpacked, archive=path, md5=md5)
    return files


def _has_md5(path: Path, md5: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest() == md5


def _is_unpacked(path: Path, archive: Path, md5: str) -> bool:
    """Whether a file is what its archive holds; without a sound archive, whether it is as long as its head says."""
    content = path.read_bytes()
    if archive.is_file() and _has_md5(archive, md5):
        crc, size = struct.unpack("<II", archive.read_bytes()[-8:])  # how a gzip file ends
        return (zlib.crc32(content), len(content)) == (crc, size)
    axes = content[3] if len(content) > 3 else 0  # 0, 0, type, number of axes; then their lengths, big-endian
    head = 4 + 4 * axes
    if axes != (3 if "images" in path.name else 1) or len(content) < head or content[:3] != b"\0\0\x08":
        return False
    lengths = struct.unpack(f">{axes}I", content[4:head])
    labels_fit = axes > 1 or max(content[head:], default=0) < 10
    return len(content) == head + math.prod(lengths) and lengths[1:] in ((28, 28), ()) and labels_fit


def _split(name: str, part: Any) -> Split:
    pixels = torch.as_tensor(part.data)  # uint8 [N, H, W] or [N, H, W, C]
    pixels = pixels[:, None] if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)
    images = pixels.to(torch.float32, memory_format=torch.contiguous_format).div_(
        255
    )  # in place: CIFAR is 0.6 GB
    labels = torch.as_tensor(part.targets).long()
    classes = CLASSES.get(name, 10)
    if not len(labels) == len(images) > 0 or not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise OSError(
            f"{name} has {len(images)} images and {len(labels)} labels, but they must be as many, and labels 0 to "
            f"{classes - 1}: remove its folder and load again"
        )
    if name in STATISTICS:
        mean, std = (torch.tensor(values).reshape(1, -1, 1, 1) for values in STATISTICS[name])
        images.sub_(mean).div_(std)
    return Split(images, labels)
