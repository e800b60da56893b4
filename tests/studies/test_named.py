"""A study on class folders and networks of one's own: measured as they are, and known by all that they hold."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snnlab import convert, datasets, simulate, training
from snnlab.studies import named, plans, points

DIGITS = datasets.load("digits")
NET = """
import pathlib
from snnlab import networks

def ready():
    return networks.cnn(classes=2, seed={seed})
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for label in range(2):
        (tmp_path / "two" / str(label)).mkdir(parents=True)
        for k, image in enumerate(DIGITS.train.images[DIGITS.train.labels == label][:10]):
            Image.fromarray(np.uint8(255 * image[0])).save(tmp_path / "two" / str(label) / f"{k}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for function in (points._network, points._data, points._sum_of_weights, points._code):
        function.cache_clear()
    return tmp_path


def own(home: Path, seed: int) -> str:
    (home / "net_of_a_study.py").write_text(NET.format(seed=seed))
    sys.modules.pop("net_of_a_study", None)
    points._sum_of_weights.cache_clear()
    points._code.cache_clear()
    return "net_of_a_study:ready"


def point(network: str) -> points.Point:
    return points.Point("opi", network, "two", 0, 8, "constant", (1, 3), 8, 1, 0)


def test_a_study_measures_class_folders_with_a_network_of_ones_own(home: Path) -> None:
    name = own(home, 4)
    (home / "s.yaml").write_text(
        f"methods: opi\nnetworks: '{name}'\ndata: two\nT: [1, 3]\ncalibration: 8\nepochs: 1\n"
    )
    assert plans.read(home / "s.yaml").points() == [point(name)]
    rows = points.measure(point(name))
    data, ann = named.images("two", 8), named.trained(name)
    found = simulate(convert(ann, "opi", data.calibration, 3, progress=False), data.test).accuracy(data.test)
    assert [row["accuracy"] for row in rows] == [float(found[0]), float(found[2])]
    assert rows[0]["ann_accuracy"] == training.accuracy(ann, data.test) and rows[0]["images"] == 4


def test_a_point_is_known_by_the_weights_and_the_images(home: Path) -> None:
    first = points.key(point(own(home, 4)), points.sum_of("two"))
    assert points.key(point(own(home, 4)), points.sum_of("two")) == first
    assert points.key(point(own(home, 5)), points.sum_of("two")) != first, "another seed in the module"
    Image.fromarray(np.full((8, 8), 7, np.uint8)).save(home / "two" / "1" / "3.png")
    assert points.key(point(own(home, 4)), points.sum_of("two")) != first, "another image"


def test_weights_that_come_from_elsewhere_are_in_the_key(home: Path) -> None:
    name = own(home, 4)
    module = (home / "net_of_a_study.py").read_text()
    (home / "net_of_a_study.py").write_text(
        module.replace("seed=4", "seed=int(pathlib.Path('seed.txt').read_text())")
    )
    keys = []
    for seed in ("1", "2"):
        (home / "seed.txt").write_text(seed)
        sys.modules.pop("net_of_a_study", None)
        points._sum_of_weights.cache_clear()
        keys.append(points.key(point(name), "sum"))
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("tw", "data: 'tw' is none of digits, .*no folder of class folders"),
        ("digit", "did you mean 'digits'"),
    ],
)
def test_a_study_names_data_that_there_are_not(home: Path, data: str, said: str) -> None:
    (home / "s.yaml").write_text(f"methods: opi\ndata: {data}\nT: 1\n")
    with pytest.raises(ValueError, match=said):
        plans.read(home / "s.yaml")
