"""What comes out and what goes in: one logit, maps, regressions; images and labels as people hold them."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from snnlab import convert, simulate
from snnlab.converters.snn import SNN
from snnlab.datasets import Split
from snnlab.simulators import energy, errors
from snnlab.simulators.run import decide

T = 24


def images(n: int = 10) -> Tensor:
    return torch.rand(n, 2, 6, 6, generator=torch.Generator().manual_seed(7))


HEADS = {
    "[N, 1]": lambda: [nn.Flatten(), nn.Linear(144, 1)],
    "[N]": lambda: [nn.Flatten(), nn.Linear(144, 1), nn.Flatten(0)],
    "[N, 3]": lambda: [nn.Flatten(), nn.Linear(144, 3)],
    "[N, 3, 6, 6]": lambda: [nn.Conv2d(4, 3, 1)],
}


def network(head: str) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), *HEADS[head]()).eval()


def converted(head: str = "[N, 3]", method: str = "opi") -> SNN:
    return convert(network(head), method, images(), T, progress=False)


@pytest.mark.parametrize("head", ["[N, 1]", "[N]"])
def test_one_logit_says_whether_it_is_above_0(head: str) -> None:
    run = simulate(converted(head), images())
    assert run.output.shape == ((10, 1) if head == "[N, 1]" else (10,)) and run.logits is run.output
    assert run.predictions.shape == (T, 10) and run.predictions.unique().tolist() == [0, 1]
    assert torch.equal(run.predictions[-1], (run.output.reshape(-1) > 0).long())
    assert run.accuracy(run.output.reshape(-1) > 0)[-1] == 1, "labels of two classes may be true and false"


def test_the_output_of_any_shape_is_that_of_the_network() -> None:
    for head in HEADS:
        with torch.no_grad():
            target = network(head)(images()).double()
        got = simulate(converted(head, "max_norm"), images(), 512).output
        assert got.shape == target.shape and got.dtype == torch.float64
        assert float((got - target).abs().max()) < 0.02 * float(target.abs().max()), head


def test_a_map_has_classes_where_their_axis_is_named() -> None:
    snn = converted("[N, 3, 6, 6]")
    plain, named = simulate(snn, images()), simulate(snn, images(), class_axis=1)
    assert plain.decided is None and torch.equal(plain.output, named.output)
    for asked in (lambda: plain.predictions, lambda: plain.accuracy(torch.zeros(10))):
        with pytest.raises(ValueError, match=r"\[10, 3, 6, 6\], which names no class.*class_axis=1"):
            asked()
    assert named.predictions.shape == (T, 10, 6, 6) and torch.equal(
        named.predictions[-1], named.output.argmax(1)
    )
    places = named.predictions[-1].clone()
    places[0] = (places[0] + 1) % 3
    assert named.accuracy(places).shape == (T,) and float(named.accuracy(places)[-1]) == pytest.approx(0.9)
    last = simulate(snn, images(), class_axis=-3)
    assert torch.equal(last.predictions, named.predictions)
    with pytest.raises(ValueError, match=r"labels have shape \[10\].*\[10, 6, 6\]"):
        named.accuracy(torch.zeros(10))


@pytest.mark.parametrize("axis", [0, 2, -3, 7, True, 1.0, "1"])
def test_an_axis_that_the_output_has_not_is_named(axis: object) -> None:
    with pytest.raises(ValueError, match=r"class_axis = .*the output is \[N, 3\]"):
        simulate(converted(), images(2), class_axis=axis)  # type: ignore[arg-type]


def test_the_class_is_decided_alike_whatever_axes_come_first() -> None:
    steps = torch.randn(5, 4, 3, 2, generator=torch.Generator().manual_seed(0))  # [T, N, K, W]
    for axis in (1, 2, -1, -2):
        each = torch.stack([decide(step, axis) for step in steps])  # type: ignore[arg-type]
        assert torch.equal(decide(steps, axis, lead=2), each)  # type: ignore[arg-type]
    assert decide(torch.tensor([[1.0, 1.0, 0.0]])) == torch.tensor([0]), "ties go to the lowest class"


def test_a_regression_is_read_as_classes_and_says_so() -> None:
    run = simulate(converted(), images())
    assert torch.equal(run.predictions[-1], run.output.argmax(1))
    assert "regression" in type(run).predictions.__doc__


@pytest.mark.parametrize("head", HEADS)
def test_the_anatomy_has_accuracies_only_where_there_are_classes(head: str) -> None:
    snn, labelled = converted(head), Split(images(), torch.zeros(10, dtype=torch.int64))
    found = errors.anatomy(network(head), snn, labelled, progress=False)
    if head == "[N, 3, 6, 6]":
        assert found.ann_accuracy is None and all(layer.accuracy is None for layer in found.layers.values())
        assert "differs most" in found.summary() and found.table()
        with pytest.raises(ValueError, match=r"no accuracies.*classes"):
            found.losses()
    else:
        assert found.ann_accuracy is not None
        run = simulate(snn, labelled)
        assert found.layers["1"].accuracy == pytest.approx(float(run.accuracy(labelled)[-1]))
    assert energy.measure(snn, images(), progress=False).macs > 0


# --- labels


def test_labels_come_as_a_split_a_tensor_an_array_or_a_list() -> None:
    run = simulate(converted(), images())
    labels = run.predictions[-1].clone()
    labels[0] = (labels[0] + 1) % 3
    held = [
        labels,
        labels.int(),
        labels.double(),
        labels.numpy(),
        labels.tolist(),
        tuple(labels.tolist()),
        list(labels),
    ]
    for given in [*held, Split(images(), labels)]:
        assert float(run.accuracy(given)[-1]) == 0.9


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "labels are NoneType"),
        ("cats", "labels are str"),
        (["a"] * 10, "labels are list, but they must be whole numbers"),
        ([0.5] * 10, "labels hold 0.5"),
        (torch.full((10,), float("nan")), "labels hold nan"),
        ([0, 1], r"labels have shape \[2\], but 10 images were run"),
        (0, r"labels have shape \[\]"),
        (np.zeros((10, 3)), r"labels have shape \[10, 3\].*\[10\]"),
        (Split(images(3), torch.zeros(3, dtype=torch.int64)), r"labels have shape \[3\]"),
    ],
    ids=str,
)
def test_labels_that_do_not_fit_are_named(labels: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(converted(), images()).accuracy(labels)


# --- images and steps


class Pictures(Dataset):
    """Images with their labels, one by one."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, k: int) -> tuple[Tensor, int]:
        return images()[k], k % 3


def test_images_come_as_people_hold_them_all_of_them_in_their_order() -> None:
    snn, labels = converted(), torch.zeros(10, dtype=torch.int64)
    expected = simulate(snn, images()).output
    held = [images().numpy(), images().double(), list(images()), [image.numpy() for image in images()]]
    labelled = [Split(images(), labels), (images(), labels), Pictures(), TensorDataset(images(), labels)]
    loaders = [DataLoader(Pictures(), batch_size=4), DataLoader(TensorDataset(images()), batch_size=3)]
    for given in [*held, *labelled, *loaders]:
        assert torch.equal(simulate(snn, given).output, expected), type(given)
    assert torch.equal(snn(images().numpy()), expected)


@pytest.mark.parametrize("steps", [np.int64(7), np.int32(7), torch.tensor(7), np.array(7)], ids=repr)
def test_the_steps_come_from_numpy_and_torch_too(steps: object) -> None:
    run = simulate(converted(), images(2), steps)  # type: ignore[arg-type]
    assert run.T == 7 and type(run.T) is int and len(run.predictions) == 7
    assert torch.equal(run.output, simulate(converted(), images(2), 7).output)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            images()[0],
            r"\[2, 6, 6\], but .* images \[N, 2, 6, 6\]: a single image needs a batch axis, image\[None\]",
        ),
        (
            images()[None],
            r"\[1, 10, 2, 6, 6\].*frames of events are no image; take one, or their mean over time",
        ),
        (images()[:, :1], r"\[10, 1, 6, 6\], but the network was converted for images \[N, 2, 6, 6\]$"),
        (images()[..., :5], r"\[10, 2, 6, 5\]"),
        (
            images().where(torch.arange(10).reshape(-1, 1, 1, 1) != 3, float("nan")),
            "NaN.*first of them at index 3",
        ),
        (images() / 0, "NaN or infinite"),
        ((images() * 255).byte(), "floating-point"),
        (images()[:0], "N of 1 or more"),
        ("pictures", "is str"),
        (None, "is NoneType"),
    ],
    ids=["one image", "frames", "channels", "size", "NaN", "infinite", "bytes", "none", "text", "nothing"],
)
def test_images_that_do_not_fit_are_named_by_every_door(given: object, message: str) -> None:
    snn = converted()
    doors = {
        "data": [simulate, energy.measure, lambda *both: errors.parts(network("[N, 3]"), *both)],
        "images": [SNN.__call__],
    }
    for name, entrances in doors.items():
        for door in entrances:
            with pytest.raises(ValueError, match=f"^{name}.*{message}"):
                door(snn, given)  # type: ignore[operator]
