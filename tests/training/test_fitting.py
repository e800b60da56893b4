"""What can be fitted: one logit or K, images and labels in whatever they come; all else is refused before it starts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from snnlab import training
from snnlab.datasets import Split

DRAW = torch.Generator().manual_seed(0)
IMAGES = torch.randn(200, 1, 2, 2, generator=DRAW)
LABELS = (IMAGES.flatten(1).sum(1) > 0).long()  # a plane parts them


class Squeezed(nn.Module):
    """[N, 1] to [N]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.squeeze(1)


def network(*last: nn.Module, outputs: int = 1) -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, outputs), *last)


def weights(ann: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(ann.parameters()).detach().clone()


# --- one logit


@pytest.mark.parametrize("last", [(), (Squeezed(),)], ids=["[N, 1]", "[N]"])
def test_one_logit_learns_to_tell_two_classes_apart(last: tuple[nn.Module, ...]) -> None:
    ann, split = network(*last), Split(IMAGES, LABELS)
    training.fit(ann, split, epochs=20)
    assert training.accuracy(ann, split) >= 0.98
    assert training.accuracy(ann, Split(IMAGES, 1 - LABELS)) <= 0.02


def test_both_shapes_of_one_logit_learn_the_same() -> None:
    flat, column = (training.fit(network(*last), (IMAGES, LABELS), epochs=2) for last in ((Squeezed(),), ()))
    assert torch.equal(weights(flat), weights(column))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_step_goes_down_the_gradient_of_the_binary_cross_entropy(smoothing: float) -> None:
    ann = network().double()
    split = Split(IMAGES.double(), LABELS)
    p = torch.sigmoid(ann(split.images)[:, 0])
    y = LABELS.double() * (1 - smoothing) + smoothing / 2  # moved towards 1/2
    loss = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
    expected = weights(ann) - 0.5 * torch.cat(
        [g.flatten() for g in torch.autograd.grad(loss, ann.parameters())]
    )  # type: ignore[arg-type]
    right = training.step(ann, split, torch.optim.SGD(ann.parameters(), lr=0.5), smoothing)
    assert torch.allclose(weights(ann), expected, rtol=0, atol=1e-12)
    assert right == int(((p > 0.5) == LABELS).sum())


def test_one_logit_is_the_same_as_two_of_which_the_first_stays_at_0() -> None:
    class Both(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.pad(x, (1, 0))  # [N, 1] -> [N, 2]

    one, two = network().double(), network(Both()).double()
    for ann in (one, two):
        training.fit(ann, Split(IMAGES.double(), LABELS), epochs=2)
    assert torch.allclose(weights(one), weights(two), rtol=0, atol=1e-12)


# --- what it may come in


@pytest.mark.parametrize(
    "given",
    [
        lambda: (IMAGES, LABELS),
        lambda: (IMAGES.numpy(), LABELS.numpy()),
        lambda: TensorDataset(IMAGES, LABELS.float()),
        lambda: DataLoader(TensorDataset(IMAGES, LABELS), batch_size=64),
        lambda: Split(IMAGES, LABELS.int()),
    ],
    ids=["pair", "arrays", "Dataset", "DataLoader", "int32"],
)
def test_whatever_the_images_come_in_the_network_learns_the_same(given: Callable[[], Any]) -> None:
    expected = training.fit(network(outputs=2), Split(IMAGES, LABELS), epochs=1)
    got = training.fit(network(outputs=2), given(), epochs=1)
    assert torch.equal(weights(got), weights(expected))
    assert training.accuracy(got, given()) == training.accuracy(expected, Split(IMAGES, LABELS))


def test_a_network_in_float64_learns_in_float64() -> None:
    ann = training.fit(network(outputs=2).double(), Split(IMAGES.double(), LABELS), epochs=1)
    assert weights(ann).dtype == torch.float64


# --- what is refused


def changed(value: float) -> Tensor:
    labels = LABELS.double()
    labels[17] = value
    return labels


BROKEN = torch.where(torch.arange(200)[:, None, None, None] == 17, torch.nan, IMAGES)
WRONG: list[tuple[Any, str]] = [
    ((IMAGES, changed(2)), r"labels of split hold 2, but .* from 0 to 1"),
    ((IMAGES, changed(-1)), r"labels of split hold -1, but"),
    ((IMAGES, changed(-100)), r"labels of split hold -100, but"),
    ((IMAGES, LABELS + 1), r"labels of split hold 2, but .*renumber them"),
    (Split(IMAGES, LABELS - 1), r"labels of split hold -1, but"),
    ((IMAGES, changed(0.5)), r"labels of split hold 0.5, but they must be whole numbers"),
    ((IMAGES, changed(torch.nan)), r"labels of split hold nan"),
    ((IMAGES, changed(torch.inf)), r"labels of split hold inf"),
    ((IMAGES, LABELS == 1), r"labels of split are torch.bool"),
    ((IMAGES, LABELS.cfloat()), r"labels of split are torch.complex64"),
    ((IMAGES, ["cat", "dog"] * 100), r"labels of split are list"),
    ((IMAGES, None), r"split holds images without labels"),
    ((IMAGES, LABELS[:-1]), r"labels of split have shape \[199\], but there are 200 images"),
    ((IMAGES[:-1], LABELS), r"labels of split have shape \[200\], but there are 199 images"),
    ((IMAGES, LABELS[:, None]), r"labels of split have shape \[200, 1\]"),
    ((IMAGES, F.one_hot(LABELS)), r"labels of split have shape \[200, 2\]"),
    ((BROKEN, LABELS), r"split holds NaN or infinite values, in 1 of 200 images, .*index 17"),
    (Split(BROKEN, LABELS), r"split holds NaN or infinite"),
    (Split(IMAGES.byte(), LABELS), r"split holds torch.uint8"),
    (Split(IMAGES[:0], LABELS[:0]), r"split holds no images"),
    (IMAGES, r"split holds images without labels"),
    (IMAGES.numpy().astype(np.float64), r"split holds images without labels"),
    ("digits", r"split is str"),
]


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize(("given", "said"), WRONG, ids=[said for _, said in WRONG])
def test_images_and_labels_that_do_not_fit_are_named_before_the_training(
    given: Any, said: str, outputs: int
) -> None:
    ann = network(nn.BatchNorm1d(outputs), nn.Dropout(0.5), outputs=outputs).train()
    before, state = {name: value.clone() for name, value in ann.state_dict().items()}, torch.get_rng_state()
    for use in (training.fit, training.accuracy):
        with pytest.raises(ValueError, match=said):
            use(ann, given)
    assert all(torch.equal(value, before[name]) for name, value in ann.state_dict().items())
    assert ann.training and torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("ann", "shape"),
    [
        (nn.Conv2d(1, 3, 2), r"\[2, 3, 1, 1\]"),
        (nn.Identity(), r"\[2, 1, 2, 2\]"),
        (nn.Flatten(0), r"\[8\]"),
        (nn.Sequential(nn.Flatten(), nn.LSTM(4, 3)), "tuple"),
        (nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0), nn.Unflatten(0, (1, 2))), r"\[1, 2\]"),
    ],
    ids=["map", "image", "too many", "tuple", "axes the wrong way round"],
)
def test_an_output_that_is_no_classifiers_is_shown(ann: nn.Module, shape: str) -> None:
    for use in (training.fit, training.accuracy):
        with pytest.raises(ValueError, match=f"output for 2 images is {shape}, but fit trains classifiers: "):
            use(ann, Split(IMAGES, LABELS))


def test_a_label_beyond_the_outputs_is_named_with_their_number() -> None:
    with pytest.raises(ValueError, match="labels of split hold 3, but the network tells 3 classes apart"):
        training.fit(network(outputs=3), (IMAGES, changed(3)))


def test_one_image_alone_is_not_trained_on() -> None:
    with pytest.raises(ValueError, match="images in split = 1, but it must be a whole number, 2 or more"):
        training.fit(network(outputs=2), Split(IMAGES[:1], LABELS[:1]))
