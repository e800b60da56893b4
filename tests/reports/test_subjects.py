"""A report takes a network and images of one's own; what does not fit is one line, before a kernel starts."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from snnlab import CATALOGUE, cli, convert, datasets, reports, simulate, training
from snnlab.reports import subjects
from snnlab.studies import named
from snnlab.training import runs

DIGITS = datasets.load("digits")
OWN = """
from torch import nn
from snnlab import networks

def build(activation=nn.ReLU, *, seed):
    return networks.cnn(activation, classes=3, seed=seed)

def ready():
    return networks.cnn(classes=3, seed=5)

def of_colours():
    return networks.cnn(shape=(3, 8, 8), classes=3)

def pooled():
    return nn.Sequential(networks.cnn(classes=3)[:2], nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 3))

def wants(a, b, c=3):
    return a

def fails():
    return {}["nothing"]

def gone():
    raise SystemExit(3)

def no_network():
    return 3

number = 3
"""


def class_folders(root: Path, classes: int, each: int = 6, side: int = 8, *, colour: bool = False) -> None:
    for label in range(classes):
        for part, split in (("train", DIGITS.train), ("val", DIGITS.test)):
            (root / part / str(label)).mkdir(parents=True)
            for k, image in enumerate(split.images[split.labels == label][:each]):
                shown = Image.fromarray(np.uint8(255 * image[0])).resize(
                    (side, side), Image.Resampling.NEAREST
                )
                if colour:
                    red, *others = shown.convert("RGB").split()
                    shown = Image.merge("RGB", [red.point(lambda v: 255 - v), *others])
                shown.save(root / part / str(label) / f"{k}.png")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    class_folders(folder / "three", 3)
    class_folders(folder / "ten", 10, each=12)
    class_folders(folder / "large", 10, side=12, colour=True)
    (folder / "empty").mkdir()
    (folder / "nets_of_ours.py").write_text(OWN)
    (folder / "broken_of_ours.py").write_text("1 / 0\n")
    settings = runs.Settings("cnn", "digits", epochs=1, batch=64, augment=())
    runs.run(settings, DIGITS, folder / "net.safetensors")
    return folder


@pytest.fixture(autouse=True)
def _there(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(home)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in ("nets_of_ours", "broken_of_ours"):
        sys.modules.pop(name, None)


def test_a_report_reads_a_checkpoint_and_class_folders_from_where_the_user_is(
    home: Path, tmp_path: Path
) -> None:
    params = {"data": "ten", "network": "net.safetensors", "method": "opi", "T": "3"}
    out = reports.run("conversion", params, tmp_path / "out")
    found = json.loads((out / "results.json").read_text())
    data = named.images("ten")
    ann = runs.load(home / "net.safetensors").ann
    snn = convert(ann, "opi", data.calibration, 3, progress=False)
    assert found["images"] == len(data.test) == 120 and found["params"]["data"] == "ten"
    assert found["ann_accuracy"] == training.accuracy(ann, data.test) > 0.5
    assert list(found["snn_accuracy"].values()) == simulate(snn, data.test).accuracy(data.test).tolist()
    assert str(home) not in (out / "report.ipynb").read_text(), "a report knows no place"


def test_images_of_folders_are_grey_where_all_are_and_as_large_as_wished() -> None:
    grey, colour = named.images("three"), named.images("large", size=8)
    assert grey.classes == ("0", "1", "2") and len(grey.train) == len(grey.test) == 18
    assert grey.test.images.shape[1:] == (1, 8, 8) and colour.test.images.shape[1:] == (3, 8, 8)
    assert named.images("large").test.images.shape[1:] == (3, 12, 12)
    zeros = DIGITS.test.images[DIGITS.test.labels == 0][:6]
    assert torch.equal(grey.test.images[:6], (255 * zeros).byte().float() / 255)
    assert {float(image.sum()) for image in grey.calibration.images} <= {
        float(image.sum()) for image in grey.train.images
    }


def test_colour_images_are_normalised_as_the_networks_own_were() -> None:
    plain, like = named.images("large"), named.images("large", like="cifar10")
    mean, std = (torch.tensor(one).reshape(3, 1, 1) for one in datasets.standard.STATISTICS["cifar10"])
    assert torch.equal(like.test.images, (plain.test.images - mean) / std)
    assert named.trained_on("resnet20-relu") == "cifar10" and named.trained_on("net.safetensors") == "digits"
    shown = subjects.images("large", "shipped-resnet20", "qcfs", 32)
    assert shown.test.images.shape[1:] == (3, 32, 32) and float(shown.test.images.min()) < -1


def test_a_function_with_a_seed_is_trained_and_one_without_is_as_it_is() -> None:
    data = subjects.check("three", "nets_of_ours:build", "qcfs")
    assert named.network_kind("nets_of_ours:build") == "own"
    ann = subjects.network("nets_of_ours:build", "max_norm", data, epochs=1, seed=1)
    first = sys.modules["nets_of_ours"].build(seed=1)
    assert not torch.equal(next(ann.parameters()), next(first.parameters()))
    subjects.check("three", "nets_of_ours:ready", "max_norm")
    ready = subjects.network("nets_of_ours:ready", "max_norm", data)
    own = sys.modules["nets_of_ours"].ready()
    assert all(torch.equal(a, b) for a, b in zip(ready.parameters(), own.parameters(), strict=True))


def test_a_comparison_is_of_the_methods_that_take_the_networks_activations(home: Path) -> None:
    """Those whose own network has the same activation, and of no other; a report of it says what it was given."""
    relu = [name for name, method in CATALOGUE.items() if type(method.activation()) is nn.ReLU]
    data = subjects.check("ten", "net.safetensors")
    assert subjects.methods("net.safetensors", data) == tuple(relu) and 5 < len(relu) < len(CATALOGUE)
    assert subjects.methods("cnn", data) == subjects.methods("shipped-vgg16", data) == tuple(CATALOGUE)
    out = home / "compared"
    given = {"data": "ten", "network": "net.safetensors", "T": "[2,3]"}
    reports.run("comparison", given, out)
    found = json.loads((out / "results.json").read_text())
    assert sorted(found["methods"]) == sorted(relu)
    snn = convert(runs.load(home / "net.safetensors").ann, "opi", data.calibration, 3, progress=False)
    by_hand = [float(simulate(snn, data.test).accuracy(data.test)[t - 1]) for t in (2, 3)]
    assert list(found["methods"]["opi"]["snn_accuracy"].values()) == pytest.approx(by_hand, abs=1e-6)


WRONG = {
    "data=thre": "'thre' is none of digits, mnist, .* and no folder of class folders",
    "data=digit": "did you mean 'digits'",
    "data=empty": "holds no class folders, but there must be two or more",
    "data=three network=net": "'net' is none of cnn, resnet, .* no FILE.safetensors and no module:function",
    "data=three network=resnet20-rel": "did you mean 'resnet20-relu'",
    "data=three network=no.safetensors": "there is no checkpoint 'no.safetensors'",
    "data=three network=nowhere:net": "cannot be imported .ModuleNotFoundError: No module named 'nowhere'",
    "data=three network=broken_of_ours:net": "cannot be imported .ZeroDivisionError",
    "data=three network=nets_of_ours:net": "cannot be imported .AttributeError",
    "data=three network=nets_of_ours:number": "is no function",
    "data=three network=nets_of_ours:wants": "wants a, b, but it is called with `seed` alone",
    "data=three network=nets_of_ours:fails": "'nets_of_ours:fails' fails .KeyError: 'nothing'",
    "data=three network=nets_of_ours:gone": "'nets_of_ours:gone' fails .SystemExit: 3",
    "data=three network=nets_of_ours:no_network": r"= 3, but it must be a network or layer",
    "data=three network=nets_of_ours:of_colours": r"forward fails on images \[N, 1, 8, 8\]",
    "data=three network=nets_of_ours:pooled": "MaxPool2d",
    "data=three network=nets_of_ours:ready method=qcfs": "method 'qcfs' needs a network trained with QCFS",
    "data=ten network=nets_of_ours:ready": "it tells 3 classes apart, but there are 10",
    "data=ten network=nets_of_ours:build": "it tells 3 classes apart, but there are 10",
    "data=three network=resnet20-relu": r"takes images \[3, 32, 32\], as cifar10 has, but .* \[1, 8, 8\]: -p size=32",
    "data=digits network=resnet20-relu": r"takes images \[3, 32, 32\]",
    "data=large network=net.safetensors": r"takes images \[1, 8, 8\], as digits has, but .* \[3, 12, 12\]: -p size=8",
    "data=three size=9 network=cnn": "even sides",
    "data=three size=-1": "parameter 'size' is '-1', but must be a whole number from 0 to 1024",
    "data=three images=19": "parameter 'images' is 19, but three has 18 test images",
}


@pytest.mark.parametrize("report", ["conversion", "comparison"])
@pytest.mark.parametrize("given", WRONG)
def test_what_does_not_fit_is_one_line_before_a_kernel_starts(
    given: str,
    report: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("snnlab.reports.execution.execute", lambda *_: pytest.fail("a kernel was started"))
    if report == "comparison" and "method=" in given:
        return  # it has no such parameter
    chosen = given if "method=" in given or report == "comparison" else f"{given} method=max_norm"
    params = [part for text in chosen.split() for part in ("-p", text)]
    assert cli.main(["report", report, *params, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.search(WRONG[given], said) and len(said) < 600 and not (tmp_path / "out").exists(), said


def test_the_parameters_are_listed_with_all_they_may_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "conversion", "--help"]) == 0
    said = capsys.readouterr().out
    assert "or a FOLDER of class folders" in said and "your module:function" in said
