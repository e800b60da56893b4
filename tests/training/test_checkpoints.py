"""The trained networks that ship: each is in the table, whole, and what the table says."""

import pickle
import re
import shutil
from pathlib import Path

import pytest
import torch

from snnlab.cli import parser
from snnlab.files import places
from snnlab.studies import named
from snnlab.training import runs
from snnlab.training.runs.checkpoints import FOLDER

NAMES = list(runs.table())


def test_every_network_that_ships_is_in_the_table_and_they_are_small() -> None:
    files = sorted(FOLDER.glob("*.safetensors"))
    assert sorted(NAMES) == [path.stem for path in files]
    assert sum(path.stat().st_size for path in files) < 40 * 2**20


@pytest.mark.parametrize("name", NAMES)
def test_a_network_is_what_the_table_says(name: str) -> None:
    row, trained = runs.table()[name], runs.shipped(name)
    assert trained.ann(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    assert f"{100 * float(trained.about['accuracy']):.2f}" == row["accuracy"]
    assert (
        f"{trained.settings.epochs} epochs" in row["trained"] and trained.settings.network == row["network"]
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_command_in_the_table_asks_for_the_settings_in_the_file(name: str) -> None:
    command = runs.table()[name]["command"].split()
    assert command[0] == "snnlab"
    args, settings = parser().parse_args(command[1:]), runs.shipped(name).settings
    for field in (
        "network",
        "activation",
        "width",
        "epochs",
        "lr",
        "threshold",
        "threshold_decay",
        "norm_decay",
        "smoothing",
        "jitter",
    ):
        assert getattr(args, field) == getattr(settings, field), field
    assert bool(args.start) == bool(settings.start)
    if args.start:
        assert settings.start in {row["sha256"] for row in runs.table().values()}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of checkpoints, to be damaged."""
    folder = tmp_path / "data" / "checkpoints"
    shutil.copytree(FOLDER, folder)
    monkeypatch.setattr("snnlab.training.runs.checkpoints.FOLDER", folder)
    monkeypatch.setenv("SNNLAB_DATA", str(tmp_path / "own"))
    return folder


def test_a_missing_damaged_or_replaced_file_is_named_with_what_mends_it(copied: Path) -> None:
    path = copied / f"{NAMES[0]}.safetensors"
    mend = (
        rf"{re.escape(str(path))}.*`git checkout -- data/checkpoints/{NAMES[0]}.safetensors` brings it back"
    )
    whole = path.read_bytes()
    for damaged in (
        whole[:-1],
        whole[:100],
        b"",
        whole[:-1] + bytes([whole[-1] ^ 1]),
        pickle.dumps({"weight": 1}),
    ):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=mend):
            runs.shipped(NAMES[0])
    path.unlink()
    with pytest.raises(FileNotFoundError, match=mend):
        runs.shipped(NAMES[0])


def test_what_an_install_does_not_bring_is_said_and_may_lie_in_the_user_s_folder(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "site" / "snnlab")
    own = tmp_path / "own" / "checkpoints"
    path = copied / f"{NAMES[0]}.safetensors"
    whole = path.read_bytes()
    path.unlink()
    with pytest.raises(
        FileNotFoundError, match=rf"brings {NAMES[1]}.*put {path.name} into {re.escape(str(own))}"
    ):
        runs.shipped(NAMES[0])
    own.mkdir(parents=True)
    (own / path.name).write_bytes(whole)
    assert runs.shipped(NAMES[0]).about["accuracy"] and named.trained_on(NAMES[0]) == "cifar10"
    (own / path.name).write_bytes(whole[:-1])
    with pytest.raises(ValueError, match=r"is damaged.*remove it, and get it again"):
        runs.shipped(NAMES[0])


def test_a_name_that_is_none_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'resnet20_relu'.*ship are.*did you mean 'resnet20-relu'"):
        runs.shipped("resnet20_relu")


def test_a_lost_table_is_missed_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snnlab.training.runs.checkpoints.FOLDER", tmp_path)
    with pytest.raises(
        FileNotFoundError,
        match="table of the trained networks: `git checkout",
    ):
        runs.shipped("resnet20-relu")
