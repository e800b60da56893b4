"""A damaged file is found: a thousand damages, over all kinds of file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from cases import LONG, damages, heap_damages

from snnlab import convert, networks, training
from snnlab.exchange import read_nir, saving, to_nir, write_nir
from snnlab.exchange.nir.notes import content_sum
from snnlab.studies import study
from snnlab.training import runs

pytestmark = pytest.mark.usefixtures("one_thread")
SETTINGS = runs.Settings("cnn", "digits")


def checkpoint(path: Path) -> Callable[[Path], Any]:
    training.save(SETTINGS.build(), path, settings=SETTINGS.text(), accuracy="0.5")
    return runs.load


def weights(path: Path) -> Callable[[Path], Any]:
    training.save(networks.cnn(), path, epochs=3)
    return lambda file: training.load(networks.cnn(), file)


def spiking(path: Path) -> Callable[[Path], Any]:
    ann = networks.cnn()
    saving.save(convert(ann, "max_norm", torch.rand(4, 1, 8, 8), 4), path)
    return lambda file: saving.load(ann, file)


def contents(path: Path) -> str:
    """All nodes and edges of the network that is read."""
    graph = to_nir(read_nir(path))
    graph.metadata = {}
    return content_sum(graph)


@pytest.mark.parametrize(("kind", "count"), [(checkpoint, 400), (weights, 200), (spiking, 200)])
def test_every_damage_to_tensors_is_found_and_named(kind: Any, count: int, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    read = kind(path)
    read(path)
    passed = []
    for name, bad in damages(path.read_bytes(), count * LONG):
        path.write_bytes(bad)
        try:
            read(path)
            passed.append(name)
        except ValueError as error:
            text = str(error)
            assert "x.safetensors" in text and "\n" not in text and len(text) < 1000, (name, text)
    assert passed == []


@pytest.mark.parametrize(("damaging", "count", "least"), [(damages, 200, 80), (heap_damages, 40, 30)])
def test_a_damage_to_a_nir_file_is_found_or_changes_nothing(
    damaging: Any, count: int, least: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HDF5 keeps empty places in its files: a damage to one of those is none to the graph.

    On some it runs without end, and is stopped. Here that is soon; a good file that takes as long is only refused.
    """
    path = tmp_path / "x.nir"
    snn = convert(networks.cnn(), "max_norm", torch.rand(4, 1, 8, 8), 4)
    write_nir(snn, path)
    whole, found = contents(path), 0
    monkeypatch.setattr("snnlab.exchange.nir.contents.LONGEST", 2.0)
    for name, bad in damaging(path.read_bytes(), count * LONG):
        path.write_bytes(bad)
        try:
            again = contents(path)
        except ValueError as error:
            text, found = str(error), found + 1
            assert "x.nir" in text and "\n" not in text and len(text) < 1000, (name, text)
        else:
            assert again == whole, name
    assert found > least  # the rest are empty places and what is put after the end


def test_a_damage_to_a_table_is_found_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    rows = study.load(Path(__file__).parents[2] / "data/results/comparison.parquet")[:40]
    path.write_bytes(study.parquet(rows))
    found = 0
    assert study.load(path) == rows
    for name, bad in damages(path.read_bytes(), 200 * LONG):
        path.write_bytes(bad)
        try:
            assert study.load(path) == rows, name
        except ValueError as error:
            text, found = str(error), found + 1
            assert "x.parquet" in text and "\n" not in text and len(text) < 1000, (name, text)
    assert found > 120
