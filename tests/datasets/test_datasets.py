"""The data: digits at once; torchvision's sets from tiny files in their own layout, with no network."""

import gzip
import hashlib
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10, FashionMNIST

from snnlab import datasets

NOWHERE = "http://127.0.0.1:9/"  # nobody answers there


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def fashion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Downloaded archives of Fashion-MNIST with 300 and 20 images; returns the folder they lie in."""
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    resources = []
    for part, number in (("train", 300), ("t10k", 20)):
        labels = (np.arange(number) % 10).astype(np.uint8)
        pixels = np.repeat(labels, 28 * 28) * 25
        for name, shape, values in (
            (f"{part}-images-idx3-ubyte.gz", (number, 28, 28), pixels),
            (f"{part}-labels-idx1-ubyte.gz", (number,), labels),
        ):
            head = bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape)
            (raw / name).write_bytes(gzip.compress(head + values.tobytes()))
            resources.append((name, md5((raw / name).read_bytes())))
    monkeypatch.setattr(FashionMNIST, "resources", resources)
    monkeypatch.setattr(FashionMNIST, "mirrors", [NOWHERE])
    return raw


@pytest.fixture
def cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Unpacked files of CIFAR-10 with 300 and 20 images; returns the folder they lie in."""
    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()
    contents = {
        "data_batch_1": {"data": np.full((300, 3072), 255, np.uint8), "labels": [k % 10 for k in range(300)]},
        "test_batch": {"data": np.zeros((20, 3072), np.uint8), "labels": [3] * 20},
        "batches.meta": {"label_names": ["plane", "car"]},
    }
    sums = {name: pickle.dumps(content) for name, content in contents.items()}
    for name, content in sums.items():
        (folder / name).write_bytes(content)
    monkeypatch.setattr(CIFAR10, "train_list", [["data_batch_1", md5(sums["data_batch_1"])]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5(sums["test_batch"])]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": md5(sums["batches.meta"])})
    monkeypatch.setattr(CIFAR10, "url", NOWHERE + "cifar-10-python.tar.gz")
    return folder


def test_digits_have_every_class_in_the_same_proportion_and_lie_in_0_to_1() -> None:
    data = datasets.load()
    assert (len(data.train), len(data.calibration), len(data.test)) == (1347, 256, 450)
    assert data.train.images.shape[1:] == (1, 8, 8) and data.train.images.dtype == torch.float32
    assert data.train.images.min() == 0 and data.train.images.max() == 1
    counts = data.test.labels.bincount()
    assert len(data.classes) == len(counts) == 10 and counts.min() >= 43 and counts.max() <= 47


def test_digits_are_split_the_same_way_each_time_and_leave_the_random_state_alone() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first, again = datasets.load("digits"), datasets.load("digits")
    assert torch.equal(first.test.images, again.test.images)
    assert torch.equal(first.calibration.images, again.calibration.images)
    assert torch.equal(state, torch.get_rng_state())


def test_no_test_image_is_among_those_a_conversion_sees() -> None:
    data = datasets.load()
    train, calibration, test = (
        {image.numpy().tobytes() for image in part.images}
        for part in (data.train, data.calibration, data.test)
    )
    assert calibration <= train and not test & train


def test_more_calibration_images_begin_with_those_that_fewer_have() -> None:
    few, many, all_there_are = (datasets.load("digits", calibration=n) for n in (7, 300, 10**6))
    assert (len(few.calibration), len(many.calibration), len(all_there_are.calibration)) == (7, 300, 1347)
    assert torch.equal(many.calibration.images[:7], few.calibration.images)
    for wrong in (0, -1, 1.5, True, "256", None):
        with pytest.raises(ValueError, match=r"^calibration = .* a whole number(, 1 or more| below 2\^63)$"):
            datasets.load("digits", calibration=wrong)  # type: ignore[arg-type]


def test_a_split_is_sliced_as_one() -> None:
    test = datasets.load().test
    part = test[10:14]
    assert len(part) == 4
    assert torch.equal(part.images, test.images[10:14]) and torch.equal(part.labels, test.labels[10:14])


def test_a_split_has_one_label_for_each_image() -> None:
    images = torch.zeros(4, 1, 8, 8)
    for labels in (torch.zeros(3), torch.zeros(5), torch.zeros(4, 1), torch.tensor(4)):
        with pytest.raises(
            ValueError, match=r"images have shape \[4, 1, 8, 8\], labels .*one label for each"
        ):
            datasets.Split(images, labels)
    with pytest.raises(ValueError, match=r"labels = \[0, 1, 2, 3\], but it must be a dense tensor"):
        datasets.Split(images, [0, 1, 2, 3])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"labels are torch.float32, but .* labels.long\(\) makes them so"):
        datasets.Split(images, torch.zeros(4))


@pytest.mark.parametrize(("given", "near"), [("mnst", "mnist"), ("CIFAR10", "cifar10"), ("digit", "digits")])
def test_an_unknown_name_is_answered_with_the_nearest(given: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"digits, mnist, .*did you mean '{near}'"):
        datasets.load(given)


def test_archives_that_lie_there_are_unpacked_without_a_network(fashion: Path) -> None:
    data = datasets.load("fashion_mnist", fashion.parents[1])
    assert data.train.images.shape == (300, 1, 28, 28) and len(data.test) == 20
    assert len(data.calibration) == 256 and data.classes[9] == "Ankle boot"
    assert torch.allclose(data.test.images[7], torch.tensor(7 * 25 / 255))
    assert data.test.labels[7] == 7


def test_older_files_of_torchvisions_are_not_read(fashion: Path) -> None:
    """`processed/*.pt` are pickles, which torchvision prefers to the files beside them."""
    processed = fashion.parent / "processed"
    processed.mkdir()
    images, labels = torch.full((20, 28, 28), 7, dtype=torch.uint8), torch.full((20,), 3)
    for name in ("training.pt", "test.pt"):
        torch.save((images, labels), processed / name)
    data = datasets.load("fashion_mnist", root=fashion.parents[1])
    assert len(data.train) == 300 and data.test.labels.unique().numel() > 1


@pytest.mark.parametrize("archives_too", [False, True])
def test_an_unpacked_file_that_is_damaged_is_named(fashion: Path, archives_too: bool) -> None:
    root = fashion.parents[1]
    datasets.load("fashion_mnist", root)
    damaged = fashion / "train-images-idx3-ubyte"
    if archives_too:
        for archive in fashion.glob("*.gz"):
            archive.unlink()
        damaged.write_bytes(damaged.read_bytes()[:-1])  # cut short
    else:
        damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x01")  # one pixel
    with pytest.raises(OSError, match=r"train-images-idx3-ubyte is damaged.*Remove it and load again"):
        datasets.load("fashion_mnist", root)


def test_a_damaged_file_once_removed_comes_back_from_its_archive(fashion: Path) -> None:
    root = fashion.parents[1]
    datasets.load("fashion_mnist", root)
    (fashion / "t10k-images-idx3-ubyte").unlink()
    assert len(datasets.load("fashion_mnist", root).test) == 20


def test_cifar_is_normalised_by_the_training_images(cifar: Path) -> None:
    data = datasets.load("cifar10", cifar.parent)
    assert data.train.images.shape == (300, 3, 32, 32) and data.train.images.is_contiguous()
    black = [-0.4914 / 0.2470, -0.4822 / 0.2435, -0.4465 / 0.2616]
    assert torch.allclose(data.test.images[0, :, 5, 5], torch.tensor(black), atol=1e-6)
    assert data.classes == ("plane", "car") and data.test.labels.tolist() == [3] * 20


def test_a_damaged_cifar_file_is_named_before_anything_is_opened(cifar: Path) -> None:
    (cifar / "test_batch").write_bytes(b"not what it was")
    with pytest.raises(OSError, match=r"test_batch is damaged: .* Remove it and load again"):
        datasets.load("cifar10", cifar.parent)


@pytest.mark.parametrize(
    ("name", "file", "folder"),
    [("cifar10", "batches.meta", "cifar-10-batches-py"), ("mnist", "t10k-labels-idx1-ubyte", "MNIST/raw")],
)
def test_without_a_network_the_error_says_which_files_go_where_and_names_no_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, file: str, folder: str
) -> None:
    import torchvision

    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", NOWHERE + "cifar-10-python.tar.gz")
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [NOWHERE])
    with pytest.raises(OSError, match="could not be downloaded") as caught:
        datasets.load(name, tmp_path)
    text = str(caught.value)
    assert file in text and str(tmp_path / folder) in text
    assert "127.0.0.1" not in text and "\n" not in text


def test_downloads_go_where_snnlab_data_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNNLAB_DATA", raising=False)
    assert datasets.folder() == Path(datasets.__file__).parents[2] / "data"
    monkeypatch.setenv("SNNLAB_DATA", str(tmp_path))
    assert datasets.folder() == tmp_path
    assert datasets.folder("elsewhere") == Path("elsewhere").resolve()


def test_digits_are_scikit_learns() -> None:
    """The kit's own file holds what scikit-learn has, split as its stratified split does it."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    theirs, data = load_digits(), datasets.load("digits")
    order = np.arange(len(theirs.target))
    parts = train_test_split(order, test_size=450, random_state=0, stratify=theirs.target)
    for ours, part in zip((data.train, data.test), parts, strict=True):
        assert torch.equal(ours.images[:, 0], torch.from_numpy(theirs.images[part] / 16.0).float())
        assert torch.equal(ours.labels, torch.from_numpy(theirs.target[part]))
