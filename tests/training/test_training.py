"""Training: the accuracy it promises, the same bits from the same seed, and checkpoints that are whole."""

import os
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from snnlab import datasets, networks, training
from snnlab.activations import QCFS
from snnlab.datasets import Data, Split


@pytest.fixture(scope="module")
def data() -> Data:
    return datasets.load()


@pytest.fixture(scope="module")
def few(data: Data) -> Split:
    return data.train[:129]


def weights(ann: nn.Module) -> list[Tensor]:
    return [value.clone() for value in ann.state_dict().values()]


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("activation", [nn.ReLU, QCFS])
def test_the_small_network_learns_digits(data: Data, activation: type[nn.Module]) -> None:
    ann = training.fit(networks.cnn(activation), data.train, epochs=12, seed=0)
    assert training.accuracy(ann, data.test) >= 0.99


def test_the_same_seed_gives_the_same_bits_whatever_was_drawn_before(few: Split) -> None:
    def trained(seed: int) -> list[Tensor]:
        torch.rand(7)
        ann = nn.Sequential(networks.cnn(QCFS), nn.Dropout(0.2))
        return weights(training.fit(ann, few, epochs=2, seed=seed))

    first = trained(0)
    assert same(first, trained(0)) and not same(first, trained(1))


def test_training_leaves_the_random_state_alone_and_the_network_in_eval_mode(few: Split) -> None:
    state = torch.get_rng_state()
    ann = training.fit(networks.cnn(), few, epochs=1)
    assert torch.equal(state, torch.get_rng_state())
    assert not any(module.training for module in ann.modules())


def test_a_learned_threshold_moves_by_its_gradient_alone(few: Split) -> None:
    groups = training.parameter_groups(networks.resnet(QCFS))
    free = {id(p) for group in groups if group["weight_decay"] == 0 for p in group["params"]}  # type: ignore[attr-defined]
    ann = networks.resnet(partial(QCFS, levels=4))
    assert len(free) == sum(p.ndim <= 1 for p in ann.parameters())
    before = [m.threshold.item() for m in ann.modules() if isinstance(m, QCFS)]
    training.fit(ann, few, epochs=1)
    after = [m.threshold.item() for m in ann.modules() if isinstance(m, QCFS)]
    assert all(a != b for a, b in zip(before, after, strict=True))


class Interrupted(nn.Module):
    """A layer that meets Ctrl-C in its n-th step."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def forward(self, x: Tensor) -> Tensor:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return x


def test_an_interrupt_keeps_the_last_whole_epoch_and_says_which(few: Split) -> None:
    plain = networks.cnn()
    ann = nn.Sequential(plain, Interrupted(steps=3 * 5 + 2))  # five steps an epoch: in the fourth
    with pytest.raises(
        KeyboardInterrupt, match="stopped in epoch 4 of 6; the network is as it was after epoch 3"
    ):
        training.fit(ann, few, epochs=6)
    assert not ann.training and all(bool(w.isfinite().all()) for w in weights(ann))
    assert int(plain.get_submodule("conv1.bn").num_batches_tracked) == 15  # type: ignore[arg-type]


def test_an_interrupt_in_the_first_epoch_leaves_the_network_as_it_was(few: Split) -> None:
    ann = nn.Sequential(networks.cnn(), Interrupted(steps=3))
    before = weights(ann)
    with pytest.raises(KeyboardInterrupt, match="before the training"):
        training.fit(ann, few)
    assert same(before, weights(ann))


def test_one_image_over_a_batch_is_no_batch_of_one(data: Data) -> None:
    ann = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.BatchNorm1d(10))  # needs two images at least
    training.fit(ann, data.train[:33], epochs=1, batch=32)


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"epochs": 0}, "epochs"), ({"batch": 1}, "batch"), ({"lr": 0.0}, "lr"), ({"epochs": 1.5}, "epochs")],
)
def test_a_setting_out_of_range_is_named(few: Split, settings: dict[str, int], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} = "):
        training.fit(networks.cnn(), few, **settings)


def test_a_rate_that_explodes_says_so_and_what_to_do(few: Split) -> None:
    ann = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    with pytest.raises(ValueError, match="train with a smaller lr"):
        training.fit(ann, few, lr=1e6)


def test_accuracy_counts_in_eval_mode_and_brings_each_modules_mode_back(data: Data) -> None:
    ann = nn.Sequential(networks.cnn(), nn.Dropout(0.9)).train()
    ann[0].eval()
    expected = (ann.eval()(data.test.images).argmax(1) == data.test.labels).double().mean()
    ann.train()
    ann[0].eval()
    assert training.accuracy(ann, data.test) == pytest.approx(expected.item(), abs=1e-12)
    assert ann.training and ann[1].training and not ann[0].training
    with pytest.raises(ValueError, match="no images"):
        training.accuracy(ann, data.test[:0])


def test_a_checkpoint_comes_back_with_what_was_said_about_it(tmp_path: Path, few: Split) -> None:
    ann = training.fit(networks.cnn(QCFS), few, epochs=1)
    training.save(ann, tmp_path / "deep" / "cnn.safetensors", data="digits", epochs=1)
    other = networks.cnn(QCFS, seed=9)
    assert training.load(other, tmp_path / "deep" / "cnn.safetensors") == {"data": "digits", "epochs": "1"}
    assert same(weights(ann), weights(other))
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["cnn.safetensors"]


def test_a_module_used_under_two_names_is_saved_too(tmp_path: Path) -> None:
    layer = nn.Linear(3, 3)
    training.save(nn.Sequential(layer, layer), tmp_path / "shared.safetensors")
    assert training.load(nn.Sequential(layer, layer), tmp_path / "shared.safetensors") == {}


def test_a_failed_save_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cnn.safetensors"
    training.save(networks.cnn(), path)
    old = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        training.save(networks.cnn(seed=1), path)
    assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no checkpoint .*nowhere\.safetensors"):
        training.load(networks.cnn(), tmp_path / "nowhere.safetensors")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "cnn.pt"
    torch.save(networks.cnn().state_dict(), path)
    with pytest.raises(ValueError, match=r"is a pickle, .* never opened"):
        training.load(networks.cnn(), path)


@pytest.mark.parametrize("keep", [0, 5, 1000])
def test_a_checkpoint_cut_short_is_called_damaged_and_nothing_is_loaded(tmp_path: Path, keep: int) -> None:
    path, ann = tmp_path / "cnn.safetensors", networks.cnn()
    training.save(networks.cnn(seed=5), path)
    path.write_bytes(path.read_bytes()[:keep])
    before = weights(ann)
    with pytest.raises(ValueError, match="is damaged"):
        training.load(ann, path)
    assert same(before, weights(ann))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (networks.cnn(QCFS), r"'conv1\.act\.threshold' is only in the file"),
        (
            networks.cnn(classes=3),
            r"'fc2\.weight' is \[3, 64\] float32 in the file, \[10, 64\] float32 in the net",
        ),
        (networks.resnet(), r"'conv1\.conv\.weight' is only in the network; .*, and \d+ more"),
        (
            networks.cnn().double(),
            r"'conv1\.conv\.weight' is .* float64 in the file, .* float32 in the network",
        ),
    ],
    ids=["another activation", "other classes", "another network", "another precision"],
)
def test_weights_of_another_network_are_named_and_none_is_loaded(
    tmp_path: Path, other: nn.Module, said: str
) -> None:
    path, ann = tmp_path / "other.safetensors", networks.cnn(seed=1)
    training.save(other, path)
    before = weights(ann)
    with pytest.raises(ValueError, match=said):
        training.load(ann, path)
    assert same(before, weights(ann))


@pytest.mark.parametrize(
    "wrap", [nn.DataParallel, torch.optim.swa_utils.AveragedModel], ids=lambda w: w.__name__
)
def test_a_wrapper_is_not_in_the_file_and_one_in_a_file_is_seen_through(wrap, tmp_path: Path) -> None:
    ann, plain, wrapped = networks.cnn(seed=1), networks.cnn(seed=2), wrap(networks.cnn(seed=3))
    training.save(wrap(ann), tmp_path / "plain.safetensors")
    training.save_tensors(wrap(ann).state_dict(), tmp_path / "wrapped.safetensors")
    training.load(wrapped, tmp_path / "plain.safetensors")
    training.load(plain, tmp_path / "wrapped.safetensors")
    for loaded in (plain, wrapped.module):
        assert all(torch.equal(ann.state_dict()[name], value) for name, value in loaded.state_dict().items())
