"""Long trainings: killed and gone on with to the same bits; what is damaged or does not fit is named."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from snnlab import datasets, training
from snnlab.activations import LearnedRange
from snnlab.cli import main
from snnlab.datasets import Data, Split
from snnlab.training import runs
from snnlab.training.runs.augmentation import augment

DIGITS = runs.Settings("cnn", "digits", epochs=3, augment=("crop",))


@pytest.fixture(scope="module")
def few() -> Data:
    data = datasets.load("digits")
    return replace(data, train=data.train[:200], calibration=data.calibration[:50], test=data.test[:50])


def weights(path: Path) -> bytes:
    return path.read_bytes()


def same(one: Path, other: Path) -> bool:
    a, b = runs.load(one).ann.state_dict(), runs.load(other).ann.state_dict()
    return all(torch.equal(a[name], b[name]) for name in a)


class Stopped(Exception):
    """In place of a power cut."""


def test_stopped_after_any_epoch_it_goes_on_to_the_same_bits(
    few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole.safetensors"
    runs.run(DIGITS, few, whole)
    steps, step = [0], training.step

    def cut(*given: object) -> int:
        steps[0] += 1
        if steps[0] == 3:  # in the second epoch, again and again
            raise KeyboardInterrupt
        return step(*given)  # type: ignore[arg-type]

    parts = tmp_path / "parts.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(training, "step", cut)
        with pytest.raises(KeyboardInterrupt, match=r"1 whole epochs are kept.*the same command goes on"):
            runs.run(DIGITS, few, parts)
        assert not parts.exists() and parts.with_name("parts.safetensors.going").exists()
    runs.run(DIGITS, few, parts)
    assert same(whole, parts) and not parts.with_name("parts.safetensors.going").exists()


def test_killed_with_signal_nine_it_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "snnlab",
        "train",
        "cnn",
        "--data",
        "digits",
        "--epochs",
        "6",
        "--threads",
        "1",
    ]
    going = tmp_path / "killed.safetensors.going"
    child = subprocess.Popen(
        [*command, "--out", str(tmp_path / "killed.safetensors")], stderr=subprocess.DEVNULL
    )
    while not going.exists() and child.poll() is None:
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL and not (tmp_path / "killed.safetensors").exists()
    for name in ("killed", "whole"):
        subprocess.run(
            [*command, "--out", str(tmp_path / f"{name}.safetensors")], check=True, capture_output=True
        )
    assert same(tmp_path / "killed.safetensors", tmp_path / "whole.safetensors")


def test_what_is_left_of_another_training_is_refused_by_its_settings(few: Data, tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    runs.run(replace(DIGITS, epochs=1), few, out)
    going = out.with_name(out.name + ".going")
    training.save(nn.Linear(1, 1), going, settings=DIGITS.text(), epoch=1)
    with pytest.raises(ValueError, match=r"begun with epochs = 3, now 2; lr = 0.1, now 0.2: give the same"):
        runs.run(replace(DIGITS, epochs=2, lr=0.2), few, out, force=True)
    older = json.dumps(
        {k: v for k, v in json.loads(DIGITS.text()).items() if k not in ("norm_decay", "smoothing")}
    )
    training.save(nn.Linear(1, 1), going, settings=older, epoch=1)
    with pytest.raises(ValueError, match="is of another network"):  # so the settings were taken for the same
        runs.run(DIGITS, few, out, force=True)
    going.write_bytes(going.read_bytes()[:50])
    with pytest.raises(ValueError, match=r"is damaged.*--fresh"):
        runs.run(DIGITS, few, out, force=True)
    runs.run(replace(DIGITS, epochs=1), few, out, fresh=True)
    assert not going.exists()


def test_another_activation_goes_on_from_a_checkpoint(few: Data, tmp_path: Path) -> None:
    relu, qcfs = tmp_path / "relu.safetensors", tmp_path / "qcfs.safetensors"
    runs.run(replace(DIGITS, epochs=2), few, relu)
    settings = replace(DIGITS, activation="qcfs", levels=4, epochs=1, lr=1e-9, start=runs.sha256(relu))
    trained = runs.run(settings, few, qcfs, start=relu)
    assert trained.settings == settings and trained.ann.conv1.act.levels == 4  # type: ignore[union-attr]
    before = runs.load(relu).ann.conv2.conv.weight  # type: ignore[union-attr]
    assert torch.allclose(trained.ann.conv2.conv.weight, before, atol=1e-6)  # type: ignore[union-attr, arg-type]
    with pytest.raises(ValueError, match="is a cnn for digits, but this training is of resnet for digits"):
        runs.run(replace(settings, network="resnet"), few, qcfs, start=relu, force=True)


def test_the_learning_rate_falls_along_a_cosine_and_test_images_are_left_alone(
    few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, rates, step = [], [], training.step

    def watched(ann: nn.Module, part: Split, optimizer: torch.optim.Optimizer, smoothing: float) -> int:
        seen.append(part.images)
        rates.append(optimizer.param_groups[0]["lr"])
        return step(ann, part, optimizer, smoothing)

    monkeypatch.setattr(training, "step", watched)
    runs.run(replace(DIGITS, epochs=2, augment=()), few, tmp_path / "net.safetensors")
    assert rates[0] == 0.1 and rates[2] == pytest.approx(0.05) and rates == sorted(rates, reverse=True)
    images = torch.cat(seen)
    assert len(images) == 400 and torch.equal(images.sum(), 2 * few.train.images.sum())


def test_thresholds_start_where_they_are_told_also_in_a_network_that_goes_on(
    few: Data, tmp_path: Path
) -> None:
    slow = replace(DIGITS, activation="qcfs", threshold=8.0, epochs=1, lr=1e-9)
    first = runs.run(slow, few, tmp_path / "first.safetensors")
    again = replace(slow, threshold=3.0, start=runs.sha256(tmp_path / "first.safetensors"))
    second = runs.run(again, few, tmp_path / "second.safetensors", start=tmp_path / "first.safetensors")
    for trained, threshold in ((first, 8.0), (second, 3.0)):
        found = [m.theta.item() for m in trained.ann.modules() if isinstance(m, LearnedRange)]
        assert found == pytest.approx([threshold] * 3, abs=1e-6)


def test_batch_norms_decay_when_they_are_told_to(few: Data, tmp_path: Path) -> None:
    """At so small a learning rate the loss moves nothing, and the decay what it is told to: batch norms, no weights."""
    sizes = {}
    for decay in (0.0, 50.0):
        settings = replace(DIGITS, norm_decay=decay, epochs=1, lr=1e-4)
        ann = runs.run(settings, few, tmp_path / f"{decay}.safetensors").ann
        sizes[decay] = {name: p.detach().clone() for name, p in ann.named_parameters()}
    gamma = "conv1.bn.weight"
    assert bool((sizes[50.0][gamma] < 0.99 * sizes[0.0][gamma]).all())
    torch.testing.assert_close(
        sizes[50.0]["conv1.conv.weight"], sizes[0.0]["conv1.conv.weight"], rtol=0, atol=1e-3
    )


def test_labels_are_smoothed_as_told(few: Data) -> None:
    ann, part = DIGITS.build().eval(), few.train[:20]
    for smoothing in (0.0, 0.1):
        training.step(ann, part, torch.optim.SGD(ann.parameters(), lr=0.0), smoothing)
        found = [p.grad.clone() for p in ann.parameters() if p.grad is not None]
        ann.zero_grad()
        soft = (1 - smoothing) * nn.functional.one_hot(part.labels, 10) + smoothing / 10
        (-(soft * ann(part.images).log_softmax(1)).sum(1).mean()).backward()
        expected = [p.grad for p in ann.parameters()]
        torch.testing.assert_close(found, expected)
        ann.zero_grad()


@pytest.mark.parametrize("name", ["crop", "flip", "cutout", "autoaugment"])
def test_augmentation_keeps_shapes_and_repeats_itself(name: str) -> None:
    images = torch.rand(16, 3, 32, 32)
    made = []
    for _ in range(2):
        torch.manual_seed(5)
        made.append(augment(images, (name,), torch.Generator().manual_seed(5)))
    assert made[0].shape == images.shape and torch.equal(*made) and not torch.equal(made[0], images)
    assert torch.equal(augment(images, (), torch.Generator()), images)


def test_each_image_is_moved_by_itself_and_keeps_its_pixels() -> None:
    images = torch.zeros(200, 1, 32, 32)
    images[:, 0, 16, 16] = 1.0
    moved = augment(images, ("crop",), torch.Generator().manual_seed(0))
    places = {tuple(image[0].nonzero()[0].tolist()) for image in moved}
    assert bool((moved.sum((1, 2, 3)) == 1).all()) and len(places) > 60
    assert all(12 <= row <= 20 and 12 <= column <= 20 for row, column in places)


WRONG = [
    (["vgg"], "network = 'vgg', but it is one of cnn"),
    (["cnn", "--data", "cifar"], "data = 'cifar'"),
    (["cnn", "--data", "digits", "--activation", "tanh"], "activation = 'tanh'"),
    (["cnn", "--data", "digits", "--epochs", "0"], "epochs = 0"),
    (["cnn", "--data", "digits", "--lr", "nan"], "lr = nan"),
    (["cnn", "--data", "digits", "--lr", "1e6"], "the loss became"),
    (["cnn", "--data", "digits", "--threshold-decay", "-1"], "threshold_decay = -1.0"),
    (["cnn", "--data", "digits", "--norm-decay", "inf"], "norm_decay = inf"),
    (
        ["cnn", "--data", "digits", "--smoothing", "1"],
        "smoothing = 1.0, but it must be a number, 0 or more and at most 0.99",
    ),
    (
        ["cnn", "--data", "digits", "--jitter", "-1", "--activation", "qcfs"],
        "jitter = -1.0, but it must be a number, 0 or more",
    ),
    (["cnn", "--data", "digits", "--jitter", "1"], "jitter = 1.0, but relu rounds nothing"),
    (["cnn", "--data", "digits", "--threshold", "2"], "threshold = 2.0, but relu learns none"),
    (["cnn", "--data", "digits", "--threshold", "0", "--activation", "qcfs"], "threshold = 0.0"),
    (["cnn", "--data", "digits", "--width", "8"], "width = 8"),
    (["cnn", "--data", "digits", "--augment", "blur"], "augment = 'blur'"),
    (["cnn", "--data", "digits", "--start", "none.safetensors"], "there is no checkpoint none.safetensors"),
    (["resnet20", "--data", "digits"], "resnet20 takes colour images"),
]


@pytest.mark.parametrize(("given", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_mistake_is_one_line(
    given: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *given, "--out", str(tmp_path / "net.safetensors")]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert said in last and "Traceback" not in last


@pytest.mark.parametrize("network", ["resnet18", "resnet20", "vgg16"])
def test_networks_of_the_papers_come_in_widths(network: str) -> None:
    ann = runs.Settings(network, width=4).build().eval()
    assert ann(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    with pytest.raises(ValueError, match="width = 0"):
        runs.Settings(network, width=0)


def test_checkpoints_are_read_or_named(few: Data, tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    runs.run(replace(DIGITS, epochs=1), few, out)
    trained = runs.load(out)
    assert float(trained.about["accuracy"]) == pytest.approx(
        training.accuracy(trained.ann, few.test), abs=1e-4
    )
    with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
        runs.load(tmp_path / "none.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(weights(out)[:-100])
    with pytest.raises(ValueError, match="is damaged"):
        runs.load(tmp_path / "cut.safetensors")
    torch.save(trained.ann.state_dict(), tmp_path / "pickle.safetensors")
    with pytest.raises(ValueError, match="is a pickle"):
        runs.load(tmp_path / "pickle.safetensors")
    training.save(trained.ann, tmp_path / "bare.safetensors")
    with pytest.raises(ValueError, match="does not say how"):
        runs.load(tmp_path / "bare.safetensors")


def test_in_bfloat16_every_step_sees_the_weights_that_the_last_one_left(few: Data, tmp_path: Path) -> None:
    """Autocast keeps rounded weights: with one for the whole training, only batch norms and biases learned."""
    settings = replace(DIGITS, epochs=6, batch=20, augment=())
    exact = runs.run(settings, few, tmp_path / "float32.safetensors").ann
    rounded = runs.run(replace(settings, bf16=True), few, tmp_path / "bf16.safetensors").ann
    losses = [
        float(nn.functional.cross_entropy(ann(few.train.images), few.train.labels).detach())
        for ann in (exact, rounded)
    ]
    assert losses[1] < 1.2 * losses[0]
