"""Images and labels as the kit takes them, from what people hold: tensors, arrays, lists, pictures, loaders, data sets.

An image is a tensor or an array of floating-point numbers, which nobody rescales, or a PIL image, grey or in colour,
which becomes [C, H, W] from 0 to 1, as torchvision's ToTensor has it.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from snnlab.datasets import Data, Split
from snnlab.files import short
from snnlab.neurons.door import door
from snnlab.neurons.settings import whole

LIMIT = 1024
"""Images taken from a DataLoader or a Dataset, at most, if the caller says nothing else: a conversion needs no more."""

IMAGE_KEYS, LABEL_KEYS = ("image", "images", "img", "pixel_values"), ("label", "labels", "fine_label")
"""What a dict, as of Hugging Face's data sets, calls its image and its label."""

Given = Annotated[
    Tensor
    | Split
    | np.ndarray[Any, Any]
    | list[Any]
    | tuple[Any, Any]
    | Mapping[str, Any]
    | DataLoader[Any]
    | Dataset[Any],
    "looked at by images_of",
]
"""What images may come in; `images_of` says how each is read."""


@door
def images_of(data: Given, name: str = "calibration", limit: int | None = LIMIT) -> Tensor:
    """Images, whatever they come in, as float32 on the CPU, [N, ...]; the global random state stays as it was.

    From a DataLoader come the first `limit` images, in its order; from a Dataset `limit` of them evenly spread over it,
    because class folders lie in it one after the other. All else is taken whole. Nothing is rescaled.

    Args:
        data: a tensor, NumPy array or nested list [N, ...]; a Split; a pair (images, labels), also as a dict; a list
            of images [...]; a DataLoader of batches [B, ...]; a Dataset, PyTorch's or Hugging Face's, of images [...].
            Batches, and items of a list or Dataset, may have labels: (image, label), or a dict of both.
        name: what messages call it.
        limit: images from a DataLoader or Dataset, >= 1; None takes all, into memory.
    Raises: ValueError that names the argument, for what holds no images, or NaN, or other than floating-point numbers.
    """
    return _read(data, name, limit)[0][: _most(data, limit)]


@door
def split_of(data: Given, name: str = "calibration", limit: int | None = LIMIT) -> Split:
    """Images with their labels, whatever they come in: a Split on the CPU, float32 [N, ...] and int64 [N].

    Args: as `images_of`, of the kinds that have labels.
    Raises: ValueError as `images_of`, and for labels that are missing, not whole, or not one an image.
    """
    images, labels = _read(data, name, limit)
    if labels is None:
        raise ValueError(
            f"{name} holds images without labels, but labels are needed: hand in a Split, (images, labels), or a "
            "DataLoader or Dataset that has both; snnlab.datasets.Split(images, labels) makes the first"
        )
    return Split(images, labels_of(labels, len(images), f"labels of {name}"))[: _most(data, limit)]


@door
def images_and_labels(data: Given, name: str = "data", limit: int | None = None) -> tuple[Tensor, Any]:
    """Images as `images_of` gives them, and their labels as they were given; None where there are none.

    Args, raises: as `images_of`.
    """
    images, labels = _read(data, name, limit)
    most = _most(data, limit)
    return images[:most], labels if labels is None or most is None else labels[:most]


@door
def labels_of(labels: object, count: int, name: str = "labels") -> Tensor:
    """Labels of `count` images as int64 on the CPU, [count].

    Args:
        labels: whole numbers, one an image: a tensor, a NumPy array, a list; or a Split that has them.
        name: what messages call them.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    given = _tensor(labels.labels if isinstance(labels, Split) else labels)
    if given is None or _unreadable(given) or given.dtype == torch.bool or given.is_complex():
        kind = getattr(labels, "dtype", type(labels).__name__)
        raise ValueError(
            f"{name} are {kind}, but they must be whole numbers, one an image: a tensor, an array or a list of them"
        )
    numbers = given.detach().cpu().long()
    if numbers.shape != (count,):
        one_hot = (
            ": labels.argmax(1) makes them of one-hot ones" if given.ndim == 2 and len(given) == count else ""
        )
        raise ValueError(
            f"{name} have shape {list(given.shape)}, but there are {count} images: hand in one whole number for each, "
            f"[{count}]{one_hot}"
        )
    if bool(
        (wrong := numbers.to(given.dtype) != given.detach().cpu()).any()
    ):  # NaN, a fraction, beyond int64
        raise ValueError(
            f"{name} hold {given[wrong][0].item()}, but they must be whole numbers, one an image"
        )
    return numbers


def _most(data: Given, limit: int | None) -> int | None:
    """How many of the images read are wanted: a loader's last batch may be more than that."""
    return limit if isinstance(data, DataLoader) else None


def _read(data: Given, name: str, limit: int | None) -> tuple[Tensor, Any]:
    """All images in one tensor, checked; their labels as they were given, None without."""
    limit = None if limit is None else whole(limit, "limit")
    with torch.random.fork_rng(devices=[]):  # a DataLoader draws a seed, even if it does not shuffle
        parts = [(_floats(images, name), labels) for images, labels in _parts(data, name, limit)]
    shapes = sorted({tuple(images.shape[1:]) for images, _ in parts})
    if len(shapes) > 1:
        raise ValueError(
            f"{name} holds images of several shapes, {list(shapes[0])} and {list(shapes[1])}, but they must have one: "
            "resize or crop them"
        )
    count = sum(len(images) for images, _ in parts if images.ndim)
    if not count or not shapes[0] or 0 in shapes[0]:
        given = f"shape {list(parts[0][0].shape)}" if parts else "nothing"
        raise ValueError(
            f"{name} holds no images but {given}: they are [N, ...], N of 1 or more, no axis of 0"
        )
    images = parts[0][0] if len(parts) == 1 else torch.cat([images for images, _ in parts])
    if not bool(torch.stack(images.aminmax()).isfinite().all()):
        wrong = images.flatten(1).isfinite().all(1).logical_not_().nonzero()[:, 0].tolist()
        raise ValueError(
            f"{name} holds NaN or infinite values, in {len(wrong)} of {count} images, the first of them at "
            f"index {wrong[0]}: mend them or leave them out"
        )
    return images, _labels([labels for _, labels in parts])


def _labels(parts: list[Any]) -> Any:
    if len(parts) == 1 or any(part is None for part in parts):
        return parts[0] if len(parts) == 1 else None
    return list(chain.from_iterable(part if _has_axes(part) else [part] for part in parts))


def _has_axes(values: Any) -> bool:
    return isinstance(values, list | tuple) or getattr(values, "ndim", 0) > 0


def _parts(data: Any, name: str, limit: int | None) -> Iterator[tuple[Any, Any]]:
    """Images [B, ...] and their labels [B], some at a time, as they were given."""
    data = _plainer(data, name)
    if isinstance(data, Split):
        yield data.images, data.labels
    elif isinstance(data, Tensor | np.ndarray):
        yield data, None
    elif isinstance(data, DataLoader):
        taken = 0
        for images, labels in (_pair(batch, name) for batch in data):
            yield images, labels
            taken += len(images) if _has_axes(images) else 1
            if limit is not None and taken >= limit:
                return
    elif _is_pair(data):
        yield images_of(data[0], name, None), data[1]
    elif isinstance(data, list | Dataset) or hasattr(data, "column_names"):
        for image, label in (_pair(item, name) for item in _items(data, limit)):
            yield _floats(image, name)[None], None if label is None else [label]
    else:
        mend = ": take its .train, .calibration or .test" if isinstance(data, Data) else (
            "; snnlab.datasets.Split(images, labels) makes one of tensors [N, ...] and [N]"
        )  # fmt: skip
        raise ValueError(
            f"{name} is {type(data).__name__}, but images come as a tensor or an array [N, ...], a Split, a pair "
            f"(images, labels), a list of images, a DataLoader or a Dataset{mend}"
        )


def _plainer(data: Any, name: str) -> Any:
    """A dict of images and labels as a pair, a list of lists of numbers as an array; anything else as it is."""
    if isinstance(data, Mapping):
        return _pair(data, name)
    first = data
    while isinstance(first, list) and first:
        first = first[0]
    if not isinstance(data, list) or not isinstance(first, int | float) or not isinstance(data[0], list):
        return data
    try:
        return np.asarray(data)
    except ValueError:  # of several lengths
        return data


def _is_pair(data: object) -> bool:
    """A tuple of two, or the list of two that a DataLoader makes of a batch: images, and labels with one axis."""
    if isinstance(data, list) and len(data) == 2:
        return (
            all(isinstance(part, Tensor | np.ndarray) for part in data) and data[1].ndim == 1 < data[0].ndim
        )
    return isinstance(data, tuple) and len(data) == 2


def _pair(item: Any, name: str) -> tuple[Any, Any]:
    """An item or a batch, as image and label; None if there is no label."""
    if isinstance(item, Mapping):
        image, label = (next((key for key in keys if key in item), None) for keys in (IMAGE_KEYS, LABEL_KEYS))
        if image is None:
            raise ValueError(
                f"{name} holds dict with {short(list(item))}, but its images stand under {', '.join(IMAGE_KEYS)}: "
                "rename them, or hand in a list of (image, label)"
            )
        return item[image], None if label is None else item[label]
    if isinstance(item, tuple | list) and len(item) in (1, 2):
        return item[0], item[1] if len(item) == 2 else None
    return item, None


def _items(data: Any, limit: int | None) -> Iterable[Any]:
    if isinstance(data, list):
        return data
    if isinstance(data, IterableDataset) or not hasattr(data, "__len__"):
        return islice(data, limit)
    count = len(data) if limit is None else min(limit, len(data))
    return (data[k * len(data) // count] for k in range(count))


def _floats(images: object, name: str) -> Tensor:
    """As float32 on the CPU, if they are floating-point numbers that can be read, and nothing else."""
    images = _pixels(images, name)
    given = _tensor(images) if isinstance(images, Tensor | np.ndarray) else None
    kind = getattr(images, "dtype", type(images).__name__)
    if given is None or not given.is_floating_point():
        raise ValueError(
            f"{name} holds {kind}, but images are floating-point numbers, in a tensor or an array: convert them as the "
            "network was trained, e.g. images.float() / 255, then normalised; a Dataset by transform=ToTensor(); PIL "
            "images become numbers from 0 to 1 by themselves"
        )
    if problem := _unreadable(given):
        raise ValueError(f"{name} holds {problem}, but images are a tensor [N, ...] with all its values")
    plain = given.detach().cpu().float()
    return (
        plain.clone() if plain.is_inference() else plain
    )  # autograd, in some methods, takes no inference tensor


def _pixels(image: Any, name: str) -> Any:
    """A PIL image as [C, H, W], 0 to 1; anything else as it is."""
    pil = sys.modules.get("PIL.Image")  # who holds one has imported it
    if pil is None or not isinstance(image, pil.Image):
        return image
    if image.mode not in ("1", "L", "RGB"):
        raise ValueError(
            f"{name} holds a PIL image of mode {image.mode!r}, but grey ones (L) or those in colour (RGB) are read: "
            'image.convert("RGB") makes it so'
        )
    pixels = torch.from_numpy(np.array(image.convert("L") if image.mode == "1" else image))
    return (pixels[..., None] if pixels.ndim == 2 else pixels).permute(2, 0, 1).float() / 255


def _tensor(values: object) -> Tensor | None:
    """A tensor of the same numbers; None if they are none that a tensor holds."""
    if isinstance(values, list | tuple | range):
        try:
            values = np.asarray([value.tolist() if isinstance(value, Tensor) else value for value in values])
        except (ValueError, TypeError, RuntimeError):
            return None
    if isinstance(values, np.ndarray) and values.dtype.kind in "iufbc":
        with np.errstate(over="ignore"):  # a number too large becomes infinite, and is refused as such
            return torch.from_numpy(values.astype(_DTYPES[values.dtype.kind]))
    return values if isinstance(values, Tensor) else None


_DTYPES = {"i": np.int64, "u": np.int64, "f": np.float32, "b": np.bool_, "c": np.complex64}


def _unreadable(values: Tensor) -> str:
    """Why the tensor's numbers do not lie in memory, one beside the other; nothing if they do."""
    if values.is_nested or values.layout != torch.strided:
        return "a nested or sparse tensor"
    return "a tensor of the device 'meta', without values" if values.is_meta else ""
