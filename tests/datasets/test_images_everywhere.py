"""Every public function that takes images takes them however people hold them, and says what holds none."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from snnlab import convert, simulate, training
from snnlab.activations import QCFS
from snnlab.datasets import Data, Split
from snnlab.explorers.network import network
from snnlab.simulators import energy, errors
from snnlab.studies import sweeps
from snnlab.training import recipes
from tests.datasets.test_given import IMAGES, LABELLED, LABELS, UNLABELLED


def calls() -> dict[str, Callable[[Any], Any]]:
    """Every public function that takes images; what each gives, as something that can be compared."""
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    ann = nn.Sequential(*layers).eval()
    pooled = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 3))
    snn = convert(ann, "opi", IMAGES, 3, progress=False)
    small = Data("small", ("a", "b", "c"), *[Split(IMAGES, LABELS)] * 3)

    def fit(data: Any) -> Any:
        return training.fit(copy.deepcopy(ann), data, epochs=1).state_dict()

    def compare(data: Any) -> Any:
        found = sweeps.compare(
            ["opi"], lambda seed: copy.deepcopy(ann), small, (2,), test=data, epochs_scale=0.1
        )
        return [found["opi"].ann_accuracy, found["opi"].snn_accuracy, found["opi"].potentials]

    return {
        "convert": lambda data: convert(ann, "opi", data, 3, progress=False).graph.state_dict(),
        "convert, tuned": lambda data: convert(
            ann, "threshold_finetune", data, 3, progress=False
        ).graph.state_dict(),
        "simulate": lambda data: simulate(snn, data).output,
        "snn()": snn,
        "fit": fit,
        "accuracy": lambda data: training.accuracy(ann, data),
        "anatomy": lambda data: str(errors.anatomy(ann, snn, data)),
        "parts": lambda data: str(errors.parts(ann, snn, data)),
        "energy": lambda data: str(energy.measure(snn, data)),
        "compare": compare,
        "swap_activations": lambda data: recipes.swap_activations(ann, QCFS, data).state_dict(),
        "average_pools": lambda data: str(recipes.average_pools(pooled, data)),
        "fold_batch_norms": lambda data: str(recipes.fold_batch_norms(ann, data)),
        "explorer": lambda data: json.dumps(network(snn, samples=data).samples),
    }


CALLS = calls()
NEED_LABELS = ("convert, tuned", "fit", "accuracy", "compare")


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, Tensor) else one == other


@pytest.mark.parametrize("name", CALLS)
def test_every_function_takes_images_however_they_are_held(
    name: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("SNNLAB_DATA", str(tmp_path))
    wanted = CALLS[name](Split(IMAGES, LABELS))
    for how, data in LABELLED.items():
        assert same(CALLS[name](data()), wanted), f"{name} of {how} gives something else than of a Split"
    plain = None if name in NEED_LABELS else CALLS[name](IMAGES)
    for how, data in UNLABELLED.items():
        if name in NEED_LABELS:
            with pytest.raises(ValueError, match=r"holds images without labels, .*Split"):
                CALLS[name](data())
        else:
            assert same(CALLS[name](data()), plain), f"{name} of {how} gives something else than of a tensor"


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("wrong", ["a path", 7, None, (IMAGES * 255).byte(), [], IMAGES * torch.nan], ids=str)
def test_every_function_refuses_what_holds_no_images(name: str, wrong: Any) -> None:
    if wrong is None and name in ("explorer", "compare", "swap_activations"):
        return  # may be left out there
    with pytest.raises(ValueError, match=r"(is|holds) ") as raised:
        CALLS[name](wrong)
    assert len(str(raised.value)) < 500 and "\n" not in str(raised.value)
