"""One's own images: a folder of class folders, ImageNet's layout, becomes a data set like any other."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from snnlab.datasets import CALIBRATION, Data, Split
from snnlab.datasets.pictures import picture
from snnlab.files import place
from snnlab.files.language import said
from snnlab.neurons.door import check, door
from snnlab.neurons.settings import whole
from snnlab.progress import progress_bar

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's training images, values 0 to 1: what torchvision's trained networks expect."""
SHARE = 7 / 8
"""Of an image's short side, that a network usually sees."""
TEST_NAMES = ("val", "validation", "test")
"""What the folder of the test images may be called, beside `train`."""
TEST_SHARE = 5  # every fifth image of a class is a test image, if there is no such folder
MOST_SIDE = 2**14  # of a picture, pixels
MOST_BYTES = 4e9
"""Images larger than this in memory are refused, with what to do."""

Transform = Callable[[Any], Tensor]
"""A PIL image, RGB, to a tensor [C, H, W] of one size for all."""
Listing = list[tuple[str, int]]  # files, each with its label


@door
def load(
    path: str | Path,
    size: int = 224,
    *,
    transform: Transform | None = None,
    per_class: int | None = None,
    calibration: int = CALIBRATION,
    most_bytes: float = MOST_BYTES,
) -> Data:
    """Read images from class folders into memory, with a progress bar. The same folder gives the same data.

    Either `path/train/<class>/` and `path/val/<class>/` (or `validation/`, `test/`), or `path/<class>/` alone: then a
    fifth of each class, drawn with a fixed seed, are the test images. Calibration images are training images.

    Args:
        size: side of the square that `preparation` makes of each image, pixels.
        transform: PIL image to tensor [C, H, W], in place of `preparation(size)`; a torchvision network that is
            trained brings its own, `weights.transforms()`.
        per_class: images of each class, at most, in each part, drawn with a fixed seed; None takes all.
        calibration: images that a conversion may look at, at most.
        most_bytes: refuse what takes more memory.
    Raises: FileNotFoundError for a folder that is missing or has no class folders; OSError that names an image which
        cannot be read; ValueError for a setting out of range, images of several sizes, or too many of them.
    """
    path, transform = place(path), transform or preparation(size)
    per_class = None if per_class is None else whole(per_class, "per_class")
    calibration = whole(calibration, "calibration")
    classes, train, test = _listings(path, per_class)
    shape = _read(train[0][0], transform).shape
    _check_memory(len(train) + len(test), shape, most_bytes, per_class)
    title = said("reading {folder}").format(folder=path.name)
    parts = [_load(listing, transform, shape, title) for listing in (train, test)]
    order = torch.randperm(len(train), generator=_draw())
    return Data(path.name, classes, parts[0], parts[0][order[:calibration]], parts[1])


@door
def preparation(
    size: int | None = 224,
    mean: Sequence[float] = MEAN,
    std: Sequence[float] = STD,
    *,
    share: float = SHARE,
) -> Transform:
    """The usual one: resize the short side to size / share, cut out the centre, subtract mean, divide by std.

    Args:
        size: side of the square, pixels; 224 is what torchvision's networks are trained with; None leaves images as
            large as they are.
        mean, std: one number a channel, values 0 to 1; one number alone makes the images grey.
        share: of the short side that stays, above 0 to 1.
    Raises: ValueError for a size < 1, or numbers that do not fit.
    """
    from torchvision import transforms

    size = None if size is None else whole(size, "size", most=MOST_SIDE)
    if not 0.01 <= share <= 1:
        raise ValueError(f"share = {share:g}, but the share of the short side that stays is 0.01 to 1")
    if len(mean) != len(std) or len(mean) not in (1, 3) or min(std) <= 0:
        raise ValueError(
            f"mean = {tuple(mean)}, std = {tuple(std)}, but they are three numbers each, or one, and std is above 0"
        )
    grey = [transforms.Grayscale()] if len(mean) == 1 else []
    square = [transforms.Resize(round(size / share)), transforms.CenterCrop(size)] if size else []
    return transforms.Compose([*grey, *square, transforms.ToTensor(), transforms.Normalize(mean, std)])


def _listings(path: Path, per_class: int | None) -> tuple[tuple[str, ...], Listing, Listing]:
    """The classes; the training and the test files, each with its label."""
    if not path.is_dir():
        raise FileNotFoundError(f"there is no folder {path}; it must hold a folder of images for each class")
    has_parts = (path / "train").is_dir() and any(entry.is_dir() for entry in (path / "train").iterdir())
    root = path / "train" if has_parts else path  # without subfolders, a class of trains
    held_out = (
        next((path / name for name in TEST_NAMES if (path / name).is_dir()), None) if has_parts else None
    )
    classes = _classes(root)
    files = _files(root, classes)
    if held_out is None:
        parts = [_parted(files[name]) for name in classes]
        train, test = ([part[k] for part in parts] for k in (0, 1))
    else:
        found = _classes(held_out)
        if strange := sorted(set(found) - set(classes)):
            raise ValueError(
                f"{held_out} has the class {strange[0]!r}, which {root} has not: both need the same folders"
            )
        tests = _files(held_out, found)
        train, test = [files[name] for name in classes], [tests.get(name, []) for name in classes]
    return classes, _few(train, per_class), _few(test, per_class)


def _classes(path: Path) -> tuple[str, ...]:
    names = sorted(
        entry.name
        for entry in path.iterdir()
        if entry.is_dir() and not entry.name.startswith(".") and entry.name != "__MACOSX"
    )
    if len(names) < 2:
        held = f"one class folder, {names[0]!r}" if names else "no class folders"
        raise FileNotFoundError(
            f"{path} holds {held}, but there must be two or more: give each class a folder with its images, as in "
            f"{path / 'cat' / '1.jpg'}, {path / 'dog' / '1.jpg'}"
        )
    return tuple(names)


def _files(path: Path, classes: tuple[str, ...]) -> dict[str, list[str]]:
    """For each class all images in its folder, and in folders in it, in the order of their names."""
    from torchvision.datasets.folder import IMG_EXTENSIONS

    found = {}
    for name in progress_bar(
        classes, said("looking through {folder}").format(folder=path.name), unit=said("class")
    ):
        found[name] = sorted(
            str(file)
            for file in (path / name).rglob("*")
            if file.suffix.lower() in IMG_EXTENSIONS
            and not _is_hidden(file.relative_to(path))
            and not file.is_dir()
        )
        if not found[name]:
            raise FileNotFoundError(
                f"the class folder {path / name} holds no images ({', '.join(IMG_EXTENSIONS)}): put some there, or "
                "remove it"
            )
    return found


def _is_hidden(file: Path) -> bool:
    """Whether a file is none of the user's: macOS leaves `._1.jpg` beside each `1.jpg`, Jupyter its checkpoints."""
    return any(part.startswith(".") for part in file.parts)


def _parted(files: list[str]) -> tuple[list[str], list[str]]:
    """A class without a folder of test images: those for training, those for the test."""
    if len(files) < 2:
        raise ValueError(
            f"{Path(files[0]).parent} holds one image, but training and test need at least one each: add some"
        )
    drawn, held_out = _drawn(files), max(1, len(files) // TEST_SHARE)
    return sorted(drawn[held_out:]), sorted(drawn[:held_out])


def _few(files: list[list[str]], per_class: int | None) -> Listing:
    chosen = [few if per_class is None else sorted(_drawn(few)[:per_class]) for few in files]
    return [(file, label) for label, few in enumerate(chosen) for file in few]


def _drawn(files: list[str]) -> list[str]:
    return [files[k] for k in torch.randperm(len(files), generator=_draw()).tolist()]


def _draw() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _check_memory(number: int, shape: torch.Size, most_bytes: float, per_class: int | None) -> None:
    needed = 4 * number * math.prod(shape)
    if needed > most_bytes:
        sides = " x ".join(map(str, shape))
        fewer = "" if per_class is None else f" below {per_class}"
        raise ValueError(
            f"{number:,} images of {sides} take {needed / 1e9:.1f} GB of memory, more than most_bytes, "
            f"{most_bytes / 1e9:.1f} GB: take some of each class, per_class=...{fewer}, or smaller images, "
            "size=..., or allow more"
        )


def _load(listing: Listing, transform: Transform, shape: torch.Size, title: str) -> Split:
    images = torch.empty(len(listing), *shape)
    for k, (file, _) in enumerate(progress_bar(listing, title, unit=said("image"))):
        image = _read(file, transform)
        if image.shape != shape:
            raise ValueError(
                f"{file} becomes {list(image.shape)}, but the first image {list(shape)}: "
                "the transform must give all images one size, as folders.preparation() does"
            )
        images[k] = image
    return Split(images, torch.tensor([label for _, label in listing], dtype=torch.int64))


def _read(file: str, transform: Transform) -> Tensor:
    try:
        image = picture(file)
    except (OSError, SyntaxError, ValueError) as error:  # PIL's SyntaxError is of the image, not of Python
        reason = str(error).split(" <")[0] or type(error).__name__
        raise OSError(
            f"{file} cannot be read as an image ({reason}): replace or remove it, and load again"
        ) from None
    shown: Tensor = check("transform()", transform(image), Tensor)
    if shown.ndim != 3 or not bool(shown.isfinite().all()):
        raise ValueError(f"transform gives {list(shown.shape)}, but it must give finite numbers [C, H, W]")
    return shown
