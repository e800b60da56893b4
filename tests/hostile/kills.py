"""What test_kills.py kills: functions that a fresh process can find by name, each with its own imports done before."""

import os
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from snnlab import datasets, files
from snnlab.reports.folder import FILES, LEFTOVER, MARKED, MARKER, put, target
from snnlab.training import runs

SETTINGS = runs.Settings("cnn", "digits", epochs=2, augment=())


def begin(begins: Connection, work: Callable[..., None], given: tuple[object, ...]) -> None:
    """Say that this process stands, then work, in silence."""
    torch.set_num_threads(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    begins.send(True)
    work(*given)


def save(path: Path, content: bytes) -> None:
    for _ in range(9):
        files.write(path, content)


def train(path: Path) -> None:
    data = datasets.load("digits")
    few = replace(data, train=data.train[:100], calibration=data.calibration[:20], test=data.test[:20])
    runs.run(SETTINGS, few, path)


def report(folder: Path, text: str, times: int = 1) -> None:
    for _ in range(times):
        with files.scratch(folder, LEFTOVER) as building:
            (building / "new").mkdir()
            for name in FILES:
                (building / "new" / name).write_text(MARKED if name == MARKER else text * 10**5)
            put(building / "new", target(folder / "out"), building / "old")
