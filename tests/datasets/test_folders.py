"""One's own images: class folders become a data set, the same one each time, and mistakes are named."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision.transforms._presets import ImageClassification

from snnlab.datasets import folders


def write(path: Path, number: int, colour: int = 0, sides: tuple[int, int] = (20, 14)) -> None:
    """Images of one colour each, the k-th a little redder than the one before."""
    path.mkdir(parents=True)
    for k in range(number):
        Image.new("RGB", sides, (k, colour, 255)).save(path / f"{k:02}.png")


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """photos/{cat, dog}: 10 and 7 images."""
    write(tmp_path / "photos" / "dog", 7, colour=200)
    write(tmp_path / "photos" / "cat", 10)
    (tmp_path / "photos" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "photos" / "cat" / "notes.txt").write_text("not an image")
    return tmp_path / "photos"


@pytest.fixture
def parted(tmp_path: Path) -> Path:
    """ImageNet's layout: train of 6 and 5 images, val of 3 and 2."""
    for part, numbers in (("train", (6, 5)), ("val", (3, 2))):
        for name, number in zip(("n01", "n02"), numbers, strict=True):
            write(tmp_path / "imagenet" / part / name, number, colour=10 * (part == "val"))
    return tmp_path / "imagenet"


def reds(split: folders.Split) -> list[int]:
    """Which image is which, from its red."""
    return [round(float(image[0].mean()) * 255) for image in split.images]


PLAIN = folders.preparation(8, mean=(0, 0, 0), std=(1, 1, 1))


def test_a_fifth_of_each_class_is_held_out_the_same_each_time(flat: Path) -> None:
    data, again = folders.load(flat, transform=PLAIN), folders.load(flat, transform=PLAIN)
    assert data.name == "photos" and data.classes == ("cat", "dog")
    assert data.train.labels.tolist() == [0] * 8 + [1] * 6 and data.test.labels.tolist() == [0, 0, 1]
    assert sorted(reds(data.train)[:8] + reds(data.test)[:2]) == list(range(10))
    assert data.train.images.shape == (14, 3, 8, 8) and data.train.images.dtype == torch.float32
    for part in ("train", "calibration", "test"):
        assert torch.equal(getattr(data, part).images, getattr(again, part).images)


def test_train_and_val_folders_are_the_two_parts(parted: Path) -> None:
    data = folders.load(str(parted), transform=PLAIN, calibration=4)
    assert data.classes == ("n01", "n02") and len(data.calibration) == 4
    assert data.train.labels.tolist() == [0] * 6 + [1] * 5 and data.test.labels.tolist() == [0] * 3 + [1] * 2
    assert torch.all(data.test.images[:, 1] > 0) and torch.all(
        data.calibration.images[:, 1] == 0
    )  # from train


def test_a_train_folder_alone_is_parted(parted: Path) -> None:
    (parted / "val").rename(parted / "other")
    data = folders.load(parted, transform=PLAIN)
    assert data.classes == ("n01", "n02") and (len(data.train), len(data.test)) == (9, 2)


def test_a_class_may_be_called_train(flat: Path) -> None:
    (flat / "dog").rename(flat / "train")
    assert folders.load(flat, transform=PLAIN).classes == ("cat", "train")


def test_some_of_each_class_are_drawn_the_same_each_time(flat: Path) -> None:
    data = folders.load(flat, transform=PLAIN, per_class=2)
    assert data.train.labels.tolist() == [0, 0, 1, 1] and data.test.labels.tolist() == [0, 0, 1]
    assert reds(data.train) == reds(folders.load(flat, transform=PLAIN, per_class=2).train) != [0, 1, 0, 1]
    assert set(reds(data.train)) <= set(reds(folders.load(flat, transform=PLAIN).train))


def test_the_usual_preparation_is_what_torchvisions_networks_are_trained_with(tmp_path: Path) -> None:
    write(tmp_path / "a", 3, sides=(300, 260))
    write(tmp_path / "b", 3, sides=(240, 400))
    ours = folders.load(tmp_path)
    theirs = folders.load(tmp_path, transform=ImageClassification(crop_size=224))
    assert ours.train.images.shape == (4, 3, 224, 224)
    assert torch.allclose(ours.train.images, theirs.train.images, atol=1e-6)


def test_one_mean_makes_grey_images(flat: Path) -> None:
    data = folders.load(flat, transform=folders.preparation(8, mean=[0.5], std=[0.25]))
    assert data.train.images.shape == (14, 1, 8, 8)


def test_a_missing_folder_and_one_without_classes_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"no folder .*nowhere; it must hold a folder of images for each class"
    ):
        folders.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"holds no class folders.*give each class a folder.*dog"):
        folders.load(tmp_path)
    (tmp_path / "cat").mkdir()
    with pytest.raises(FileNotFoundError, match="holds one class folder, 'cat', but there must be two"):
        folders.load(tmp_path)
    (tmp_path / "dog").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"class folder .*cat holds no images \(.jpg, .*put some there"
    ):
        folders.load(tmp_path)


def test_validation_images_that_are_not_sorted_into_classes_are_named(parted: Path) -> None:
    for name in ("n01", "n02"):
        for file in (parted / "val" / name).iterdir():
            file.rename(parted / "val" / f"{name}_{file.name}")
        (parted / "val" / name).rmdir()
    with pytest.raises(FileNotFoundError, match="val holds no class folders"):
        folders.load(parted)
    write(parted / "val" / "n03", 1)
    write(parted / "val" / "n01", 1)
    with pytest.raises(ValueError, match=r"val has the class 'n03', which .*train has not"):
        folders.load(parted)


@pytest.mark.parametrize("content", [b"nothing that PIL knows", b""])
def test_a_broken_image_is_named(flat: Path, content: bytes) -> None:
    (flat / "dog" / "03.png").write_bytes(content)
    with pytest.raises(
        OSError, match=r"dog.03\.png cannot be read as an image \(cannot identify.*\): replace or rem"
    ):
        folders.load(flat, transform=PLAIN)


def test_an_image_cut_short_is_named(flat: Path) -> None:
    file = flat / "cat" / "05.png"
    Image.effect_noise((64, 64), 50).convert("RGB").save(file)
    file.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(OSError, match=r"05\.png cannot be read as an image"):
        folders.load(flat, transform=PLAIN)


def test_a_class_of_one_image_cannot_be_parted(tmp_path: Path) -> None:
    write(tmp_path / "a", 2)
    write(tmp_path / "b", 1)
    with pytest.raises(ValueError, match="b holds one image, but training and test need at least one each"):
        folders.load(tmp_path)


def test_more_than_fits_is_refused_before_it_is_read(flat: Path) -> None:
    with pytest.raises(
        ValueError, match=r"17 images of 3 x 224 x 224 take 0.0 GB.*per_class=\.\.\..*size="
    ) as caught:
        folders.load(flat, most_bytes=1e6)
    assert "most_bytes" in str(caught.value)
    with pytest.raises(ValueError, match=r"per_class=\.\.\. below 2"):
        folders.load(flat, most_bytes=1e6, per_class=2)


def test_a_transform_that_gives_several_sizes_is_named(flat: Path) -> None:
    from torchvision.transforms import ToTensor

    Image.new("RGB", (9, 9)).save(flat / "dog" / "00.png")
    with pytest.raises(
        ValueError, match=r"\.png becomes \[3, 9, 9\], but the first image \[3, 14, 20\]: the transform"
    ):
        folders.load(flat, transform=ToTensor())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, "size = 0, but it must be a whole number, 1 or more"),
        ({"per_class": 0}, "per_class = 0, but it must be a whole number"),
        ({"calibration": 1.5}, "calibration = 1.5"),
    ],
)
def test_a_setting_out_of_range_is_named(flat: Path, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        folders.load(flat, **arguments)


def test_means_and_deviations_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match="three numbers each, or one"):
        folders.preparation(8, mean=(0.5, 0.5), std=(0.5, 0.5))
    with pytest.raises(ValueError, match="std is above 0"):
        folders.preparation(8, mean=(0.5,), std=(0,))
