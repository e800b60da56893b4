"""Killed at any moment: what was there stays whole, the next run clears what is left, and goes on to the same bits."""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import RLock

import pytest
import torch
from cases import LONG
from tqdm import tqdm

from snnlab import datasets, files
from snnlab.files import locks
from snnlab.files.tensors import pack
from snnlab.reports.folder import FILES, LEFTOVER, MARKED, MARKER, put, target
from snnlab.training import runs

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]
MOMENTS = 30 * LONG
SETTINGS = runs.Settings("cnn", "digits", epochs=2, augment=())


def killed(work: Callable[[], object], longest: float, draw: random.Random) -> None:
    """Start work in a process of its own, and kill it at a moment drawn from its duration, once it has begun."""
    begun, begins = os.pipe()
    if not (child := os.fork()):
        try:
            # The parent's lock is shared with what it forks, and a child that is killed with it never gives it back.
            tqdm.set_lock(RLock())
            torch.set_num_threads(1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            os.write(begins, b".")
            work()
        finally:
            os._exit(0)
    os.close(begins)
    os.read(begun, 1)
    os.close(begun)
    time.sleep(longest * draw.random())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def duration(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_a_killed_save_leaves_the_old_file_whole_and_the_next_clears_up(tmp_path: Path) -> None:
    path, draw = tmp_path / "net.safetensors", random.Random(0)
    one, other = (pack({"weights": torch.full((10**6,), float(k))}, {}) for k in (1, 2))
    longest, left = duration(lambda: files.write(path, one)), 0
    for _ in range(MOMENTS):
        killed(lambda: [files.write(path, other) for _ in range(9)], longest, draw)
        assert path.read_bytes() in (one, other)
        left += len(list(tmp_path.iterdir())) - 1
        files.write(path, one)
        assert list(tmp_path.iterdir()) == [path]
    assert left > 0, "no save was killed in its middle, so nothing was tried"


def test_another_save_that_lives_is_not_cleared_away(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    (living := tmp_path / ".net.safetensors.0123abcd.tmp").mkdir()
    held = files.hold(living)
    files.write(path, b"mine")
    assert living.exists()
    files.release(held)
    files.write(path, b"mine")
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_training_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    data, draw = datasets.load("digits"), random.Random(1)
    few = replace(data, train=data.train[:100], calibration=data.calibration[:20], test=data.test[:20])
    whole, path = tmp_path / "whole" / "net", tmp_path / "parts" / "net"
    runs.run(SETTINGS, few, tmp_path / "first" / "net")  # the first one takes longer: imports
    longest = duration(lambda: runs.run(SETTINGS, few, whole))
    left = 0
    for k in range(MOMENTS):
        killed(lambda: runs.run(SETTINGS, few, path), longest, draw)
        left += (tmp_path / "parts").exists() and len(list((tmp_path / "parts").iterdir())) > 0
        if k % 3 == 2:
            runs.run(SETTINGS, few, path)
            assert path.read_bytes() == whole.read_bytes() and list(path.parent.iterdir()) == [path]
            path.unlink()
    assert left > 0


def test_a_killed_report_leaves_the_old_one_whole_and_the_next_clears_up(tmp_path: Path) -> None:
    def report(text: str) -> None:
        with files.scratch(tmp_path, LEFTOVER) as building:
            (building / "new").mkdir()
            for name in FILES:
                (building / "new" / name).write_text(MARKED if name == MARKER else text * 10**5)
            put(building / "new", target(tmp_path / "out"), building / "old")

    draw, left = random.Random(2), 0
    longest = duration(lambda: report("a"))
    for _ in range(MOMENTS):
        killed(lambda: [report("b") for _ in range(9)], 4 * longest, draw)
        left += len(list(tmp_path.iterdir())) > 1
        if (tmp_path / "out").exists():
            assert {name.name for name in (tmp_path / "out").iterdir()} == set(FILES)
            assert len({(tmp_path / "out" / name).read_text() for name in FILES[1:]}) == 1
        report("a")
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert left > 0, "no report was killed in its middle, so nothing was tried"


@pytest.mark.parametrize("name", ["snnlab-kernel-x.tmp", "other"])
def test_a_pipe_and_a_foreign_lock_in_the_folder_hang_nothing(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    held = files.hold(tmp_path)
    assert held is not None
    with files.scratch(tmp_path, "snnlab-kernel-") as folder:
        assert folder.is_dir()
    files.release(held)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, locks.NAME])
