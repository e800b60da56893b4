"""Whatever images come in, they are the same images; what holds none is named."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset
from torchvision.datasets import FakeData

from snnlab.datasets import Data, Split
from snnlab.datasets.given import LIMIT, images_of, labels_of, split_of

IMAGES = torch.rand(7, 1, 4, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(7) % 3


class Items(Dataset[Any]):
    """A map-style data set of any items."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, k: int) -> Any:
        return self.items[k]


class Stream(IterableDataset[Any]):
    """A data set that only comes one after the other."""

    def __iter__(self) -> Iterator[Any]:
        return zip(IMAGES, LABELS, strict=True)


class Table:
    """What Hugging Face's data sets are: rows as dicts, by their numbers; columns by their names."""

    column_names = ("image", "label")

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, k: int | str) -> Any:
        return [row[k] for row in self.rows] if isinstance(k, str) else self.rows[k]


class TableStream:
    """The same, streamed."""

    column_names = None

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)


def rows(images: list[Any]) -> list[dict[str, Any]]:
    return [{"image": image, "label": int(label)} for image, label in zip(images, LABELS, strict=True)]


def last_of_iteration() -> list[Tensor]:
    return next(iter(DataLoader(TensorDataset(IMAGES, LABELS), batch_size=7)))


LABELLED: dict[str, Callable[[], Any]] = {
    "Split": lambda: Split(IMAGES, LABELS),
    "Split, labels int32": lambda: Split(IMAGES.double(), LABELS.int()),
    "pair": lambda: (IMAGES, LABELS),
    "pair of arrays": lambda: (IMAGES.numpy(), LABELS.numpy()),
    "pair, labels a list": lambda: (IMAGES, LABELS.tolist()),
    "pair, labels floats": lambda: (list(IMAGES), LABELS.float()),
    "pair of nested lists": lambda: (IMAGES.tolist(), LABELS.tolist()),
    "dict": lambda: {"image": IMAGES, "label": LABELS},
    "list of dicts": lambda: rows(list(IMAGES)),
    "DataLoader of dicts": lambda: DataLoader(Items(rows(list(IMAGES))), batch_size=3),
    "data set of rows": lambda: Table(rows(list(IMAGES.numpy()))),
    "stream of rows": lambda: TableStream(rows(list(IMAGES))),
    "TensorDataset": lambda: TensorDataset(IMAGES, LABELS),
    "Subset": lambda: Subset(TensorDataset(IMAGES, LABELS), list(range(7))),
    "Dataset of arrays": lambda: Items([(i.numpy(), int(k)) for i, k in zip(IMAGES, LABELS, strict=True)]),
    "list of pairs": lambda: list(zip(IMAGES, LABELS, strict=True)),
    "IterableDataset": Stream,
    "DataLoader": lambda: DataLoader(TensorDataset(IMAGES, LABELS), batch_size=3),
    "DataLoader of a stream": lambda: DataLoader(Stream(), batch_size=2),
    "DataLoader of whole batches": lambda: DataLoader([(IMAGES, LABELS)], batch_size=None),
    "batch of a DataLoader": last_of_iteration,
}
UNLABELLED: dict[str, Callable[[], Any]] = {
    "tensor": lambda: IMAGES,
    "float64": IMAGES.double,
    "learned": lambda: IMAGES.clone().requires_grad_(),
    "array": IMAGES.numpy,
    "array backwards in memory": lambda: IMAGES.flip(0).numpy()[::-1],
    "big-endian array": lambda: IMAGES.numpy().astype(">f8"),
    "nested list": IMAGES.tolist,
    "list": lambda: list(IMAGES),
    "dict": lambda: {"images": IMAGES.numpy()},
    "list of arrays": lambda: list(IMAGES.numpy()),
    "TensorDataset": lambda: TensorDataset(IMAGES),
    "Dataset of images": lambda: Items(list(IMAGES)),
    "DataLoader": lambda: DataLoader(TensorDataset(IMAGES), batch_size=3),
    "DataLoader of images": lambda: DataLoader(Items(list(IMAGES)), batch_size=4),
}


@pytest.mark.parametrize("data", [*LABELLED.values(), *UNLABELLED.values()], ids=[*LABELLED, *UNLABELLED])
def test_every_kind_gives_the_same_images(data: Callable[[], Any]) -> None:
    given = data()
    state = torch.get_rng_state()
    images = images_of(given)
    assert torch.equal(images, IMAGES) and images.dtype == torch.float32 and not images.requires_grad
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("data", LABELLED.values(), ids=LABELLED)
def test_every_kind_that_has_labels_gives_the_same(data: Callable[[], Any]) -> None:
    split = split_of(data())
    assert torch.equal(split.images, IMAGES) and torch.equal(split.labels, LABELS)
    assert split.labels.dtype == torch.int64


@pytest.mark.parametrize("data", UNLABELLED.values(), ids=UNLABELLED)
def test_labels_that_are_missing_are_asked_for(data: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"calibration holds images without labels, but .*hand in a Split"):
        split_of(data())


def test_a_torchvision_data_set_is_one_like_any_other() -> None:
    from torchvision.transforms import ToTensor

    fake = FakeData(5, (3, 6, 6), 4, transform=ToTensor())
    assert split_of(fake, "train").images.shape == (5, 3, 6, 6)
    plain = split_of(FakeData(5, (3, 6, 6), 4), "train")
    assert torch.equal(plain.images, split_of(fake).images), "PIL images are what ToTensor makes of them"


PICTURES = [Image.fromarray(np.uint8(255 * image[0])) for image in IMAGES]
SEEN = (255 * IMAGES).byte().float() / 255


@pytest.mark.parametrize(
    "data",
    [
        lambda: list(zip(PICTURES, LABELS.tolist(), strict=True)),
        lambda: (PICTURES, LABELS),
        lambda: rows(PICTURES),
        lambda: Table(rows(PICTURES)),
        lambda: Items(rows(PICTURES)),
        lambda: TableStream(rows(PICTURES)),
    ],
)
def test_pil_images_are_read_wherever_they_stand(data: Callable[[], Any]) -> None:
    split = split_of(data())
    assert torch.equal(split.images, SEEN) and torch.equal(split.labels, LABELS)


def test_pil_images_have_the_channels_that_they_show() -> None:
    assert images_of([PICTURES[0].convert("RGB")] * 2).shape == (2, 3, 4, 4)
    assert images_of([PICTURES[0].convert("1")] * 2).unique().tolist() in ([0.0, 1.0], [0.0], [1.0])
    for mode in ("RGBA", "P", "I", "F", "CMYK"):
        with pytest.raises(ValueError, match=rf"holds a PIL image of mode '{mode}', but .*image\.convert"):
            images_of([PICTURES[0].convert(mode)])


def test_labels_that_are_one_hot_are_told_how_to_be_numbers() -> None:
    with pytest.raises(ValueError, match=r"labels of calibration have shape \[7, 3\], .*labels\.argmax\(1\)"):
        split_of((IMAGES, torch.eye(3)[LABELS]))


def test_an_error_says_how_to_make_a_split() -> None:
    with pytest.raises(ValueError, match=r"snnlab\.datasets\.Split\(images, labels\) makes one"):
        images_of(zip(IMAGES, LABELS, strict=True))
    with pytest.raises(ValueError, match=r"is Data, but .*: take its \.train, \.calibration or \.test"):
        images_of(DATA)


def test_a_large_data_set_is_read_up_to_the_limit_evenly_spread() -> None:
    numbers = torch.arange(3 * LIMIT).float()[:, None]
    assert torch.equal(images_of(TensorDataset(numbers)), numbers[::3])
    assert torch.equal(images_of(TensorDataset(numbers), limit=None), numbers)
    assert images_of(TensorDataset(numbers), limit=2)[:, 0].tolist() == [0, 3 * LIMIT / 2]


@pytest.mark.parametrize("batch", [1, 3, 4, 100])
def test_of_a_loader_the_first_are_read_and_no_batch_more_than_needed(batch: int) -> None:
    read: list[int] = []

    class Counted(Items):
        def __getitem__(self, k: int) -> Any:
            read.append(k)
            return super().__getitem__(k)

    loader = DataLoader(Counted(list(zip(IMAGES, LABELS, strict=True))), batch_size=batch)
    split = split_of(loader, limit=4)
    assert torch.equal(split.images, IMAGES[:4]) and torch.equal(split.labels, LABELS[:4])
    assert len(read) == min(7, -(-4 // batch) * batch)
    assert len(images_of(loader, limit=None)) == 7


def test_what_lies_in_memory_already_is_never_cut() -> None:
    for data in (IMAGES, IMAGES.numpy(), list(IMAGES), (IMAGES, LABELS), Split(IMAGES, LABELS)):
        assert len(images_of(data, limit=2)) == 7


def test_images_made_in_inference_mode_can_be_learned_from() -> None:
    with torch.inference_mode():
        made = IMAGES * 1
    weight = torch.ones((), requires_grad=True)
    (images_of(made) * weight).sum().backward()
    assert weight.grad is not None


def with_value(value: float, at: int = 5) -> Tensor:
    images = IMAGES.clone()
    images[at, 0, 1, 2] = value
    return images


DATA = Data("digits", ("0", "1"), *[Split(IMAGES, LABELS)] * 3)
NO_IMAGES: list[tuple[Any, str]] = [
    (None, "is NoneType, but images come as"),
    ("digits", "is str"),
    (7, "is int"),
    (2.5, "is float"),
    ({"pixels": IMAGES}, r"holds dict with \['pixels'\], but its images stand under image, "),
    (DATA, "is Data"),
    (iter(IMAGES), "is .*iterator|is generator"),
    ((IMAGES, LABELS, LABELS), "is tuple"),
    ((IMAGES,), "is tuple"),
    ((), "is tuple"),
    ([], "holds no images but nothing"),
    (Items([]), "holds no images but nothing"),
    (DataLoader(Items([])), "holds no images but nothing"),
    (IMAGES[:0], r"holds no images but shape \[0, 1, 4, 4\]"),
    (IMAGES[:, :, :0], r"holds no images but shape \[7, 1, 0, 4\]"),
    (torch.tensor(1.0), r"holds no images but shape \[\]"),
    (torch.ones(7), r"holds no images but shape \[7\]"),
    ([torch.tensor(1.0)] * 3, "holds no images"),
    (np.zeros((0, 4), np.float32), "holds no images"),
    ((IMAGES * 255).byte(), r"holds torch.uint8, but .*images.float\(\) / 255"),
    ((IMAGES.numpy() * 255).astype(np.uint8), "holds uint8"),
    (IMAGES.long(), "holds torch.int64"),
    (IMAGES > 0.5, "holds torch.bool"),
    (IMAGES.numpy() > 0.5, "holds bool"),
    (IMAGES.cfloat(), "holds torch.complex64"),
    (IMAGES.numpy().astype(complex), "holds complex128"),
    (np.array([["a", "b"]]), "holds <U1"),
    (np.array([object()]), "holds object"),
    ([0.5, 0.25], "holds float"),
    ([[0.5, 0.25], [0.5]], "holds float|holds list"),
    ([[1, 2], [3, 4]], "holds int64"),
    ([["a"]], "holds list|holds str"),
    (["cat.png", "dog.png"], "holds str"),
    ([IMAGES[0], None], "holds NoneType"),
    (Items([{"pixels": IMAGES[0]}]), "holds dict"),
    (DataLoader(Items([{"pixels": IMAGES[0]}])), "holds dict"),
    (DataLoader(Items(["cat", "dog"])), "holds list|holds str"),
    (DataLoader(Items([(IMAGES[0] * 255).byte()])), "holds torch.uint8"),
    ([IMAGES[0], IMAGES[0].byte()], "holds torch.uint8"),
    (IMAGES.to_sparse(), "holds a nested or sparse tensor"),
    (torch.nested.nested_tensor([IMAGES[0], IMAGES[1, :, 1:]], layout=torch.jagged), "holds a nested or sparse tensor"),
    (IMAGES.to("meta"), "holds a tensor of the device 'meta'"),
    ([IMAGES[0], IMAGES[0, :, 1:]], r"holds images of several shapes, \[1, 3, 4\] and \[1, 4, 4\]"),
    (Items([(IMAGES[0], 1), (IMAGES[0, 0], 1)]), "holds images of several shapes"),
    (with_value(torch.nan), "holds NaN or infinite values, in 1 of 7 images, the first of them at index 5"),
    (with_value(torch.inf), "holds NaN or infinite"),
    (with_value(-torch.inf).numpy(), "holds NaN or infinite"),
    (with_value(1.0).double() * 1e300, "holds NaN or infinite"),
    (IMAGES.numpy().astype(np.float64) * 1e300, "holds NaN or infinite"),
    (TensorDataset(with_value(torch.nan)), "holds NaN or infinite"),
    (DataLoader(TensorDataset(with_value(torch.nan)), batch_size=2), "holds NaN .*index 5"),
    (Split(with_value(torch.nan), LABELS), "holds NaN or infinite"),
    ((with_value(torch.nan), LABELS), "holds NaN or infinite"),
    ((IMAGES.byte(), LABELS), "holds torch.uint8"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "said"), NO_IMAGES, ids=[said for _, said in NO_IMAGES])
def test_what_holds_no_images_is_named(data: Any, said: str) -> None:
    for read in (images_of, split_of):
        with pytest.raises(ValueError, match=f"^shown ({said})"):
            read(data, "shown")


WRAPPINGS = (lambda x: x, lambda x: [x], lambda x: Items([x]), lambda x: (x, 0), TensorDataset, DataLoader)


@drawn(
    shape=st.lists(st.integers(0, 3), max_size=4),
    dtype=st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32, torch.bool]),
    value=st.sampled_from([0.0, 1.0, torch.nan, torch.inf]),
    wrap=st.sampled_from(WRAPPINGS),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_any_tensor_in_anything_gives_images_or_a_sentence(
    shape: list[int], dtype: torch.dtype, value: float, wrap: Callable[[Tensor], Any]
) -> None:
    tensor = torch.full(shape, value).to(dtype)
    said = ""
    try:
        images = images_of(wrap(tensor) if tensor.ndim else [tensor], "shown")
    except ValueError as error:
        said = str(error)
    if said:
        assert re.match("shown (is|holds) ", said)
    else:
        assert dtype.is_floating_point and images.numel() and images.isfinite().all()
        assert images.ndim >= 2 and images.dtype == torch.float32


@pytest.mark.parametrize("limit", [0, -1, 2.5, True, "8"])
def test_a_limit_is_a_whole_number(limit: Any) -> None:
    with pytest.raises(ValueError, match=r"^limit = .* a whole number(, 1 or more| below 2\^63 or None)$"):
        images_of(IMAGES, limit=limit)


@pytest.mark.parametrize(
    "labels",
    [
        LABELS, LABELS.byte(), LABELS.float(), LABELS.tolist(), tuple(LABELS.tolist()), list(LABELS), LABELS.numpy(),
        LABELS.numpy().astype(">i2"), LABELS.flip(0).numpy()[::-1], list(LABELS.numpy()), Split(IMAGES, LABELS),
    ],
)  # fmt: skip
def test_labels_are_the_same_in_whatever_they_come(labels: object) -> None:
    assert torch.equal(labels_of(labels, 7), LABELS) and labels_of(labels, 7).dtype == torch.int64


NO_LABELS: list[tuple[Any, str]] = [
    (None, "are NoneType, but they must be whole numbers"),
    (3, "are int"),
    ("0120120", "are str"),
    (["cat"] * 7, "are list"),
    ([0, 1, None, 0, 1, 2, 0], "are list"),
    ([[0, 1], [2]], "are list"),
    ({0: 1}, "are dict"),
    (LABELS == 1, "are torch.bool"),
    ((LABELS == 1).numpy(), "are bool"),
    ([True, False] * 3 + [True], "are list"),
    (LABELS.cfloat(), "are torch.complex64"),
    (LABELS.to("meta"), "are torch.int64"),
    (LABELS.to_sparse(), "are torch.int64"),
    (LABELS[:6], r"have shape \[6\], but there are 7 images"),
    (LABELS.tolist() * 2, r"have shape \[14\]"),
    ([], r"have shape \[0\]"),
    (LABELS[:, None], r"have shape \[7, 1\]"),
    (torch.eye(7), r"have shape \[7, 7\]"),
    (torch.tensor(1), r"have shape \[\]"),
    (LABELS + 0.5, "hold 0.5, but they must be whole numbers"),
    ([0.0, torch.nan, *[1] * 5], "hold nan"),
    (np.array([0, np.inf, 1, 1, 1, 1, 1]), "hold inf"),
    (torch.full((7,), 1e30), "hold 1.0000000150474662e[+]30"),
]


@pytest.mark.parametrize(("labels", "said"), NO_LABELS, ids=[said for _, said in NO_LABELS])
def test_what_are_no_labels_is_named(labels: Any, said: str) -> None:
    with pytest.raises(ValueError, match=f"^answers {said}"):
        labels_of(labels, 7, "answers")
    if labels is not None:
        with pytest.raises(ValueError, match=f"^labels of shown {said}"):
            split_of((IMAGES, labels), "shown")


def test_a_batch_without_labels_among_others_has_none() -> None:
    with pytest.raises(ValueError, match="without labels"):
        split_of([(IMAGES[0], 1), IMAGES[1]])
