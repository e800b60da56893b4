"""Killed at any moment: what was there stays whole, the next run clears what is left, and goes on to the same bits."""

import multiprocessing
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from cases import LONG
from kills import begin, report, save, train

from snnlab import files
from snnlab.files import locks
from snnlab.files.tensors import pack
from snnlab.reports.folder import FILES

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows"),
]
MOMENTS = 30 * LONG
# Forked from a server that has imported and no more: a fork of a test's own process, with the threads that earlier
# tests left in it, can wait for ever for a lock that none of its threads holds.
FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(["torch", "snnlab.training.runs", "snnlab.reports.folder"])


def killed(longest: float, draw: random.Random, work: Callable[..., None], *given: object) -> None:
    """Start work in a process of its own, and kill it at a moment drawn from its duration, once it has begun."""
    begun, begins = FRESH.Pipe(duplex=False)
    child = FRESH.Process(target=begin, args=(begins, work, given))
    child.start()
    begins.close()
    begun.recv()
    time.sleep(longest * draw.random())
    child.kill()
    child.join()


def duration(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_a_killed_save_leaves_the_old_file_whole_and_the_next_clears_up(tmp_path: Path) -> None:
    path, draw = tmp_path / "net.safetensors", random.Random(0)
    one, other = (pack({"weights": torch.full((10**6,), float(k))}, {}) for k in (1, 2))
    longest, left = duration(lambda: files.write(path, one)), 0
    for _ in range(MOMENTS):
        killed(longest, draw, save, path, other)
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
    whole, path, draw = tmp_path / "whole" / "net", tmp_path / "parts" / "net", random.Random(1)
    train(tmp_path / "first" / "net")  # the first one takes longer: imports
    longest = duration(lambda: train(whole))
    left = 0
    for k in range(MOMENTS):
        killed(2 * longest, draw, train, path)  # for a fresh process is slower
        left += (tmp_path / "parts").exists() and len(list((tmp_path / "parts").iterdir())) > 0
        if k % 3 == 2:
            train(path)
            assert path.read_bytes() == whole.read_bytes() and list(path.parent.iterdir()) == [path]
            path.unlink()
    assert left > 0


def test_a_killed_report_leaves_the_old_one_whole_and_the_next_clears_up(tmp_path: Path) -> None:
    draw, left = random.Random(2), 0
    longest = duration(lambda: report(tmp_path, "a"))
    for _ in range(MOMENTS):
        killed(4 * longest, draw, report, tmp_path, "b", 9)
        left += len(list(tmp_path.iterdir())) > 1
        if (tmp_path / "out").exists():
            assert {name.name for name in (tmp_path / "out").iterdir()} == set(FILES)
            assert len({(tmp_path / "out" / name).read_text() for name in FILES[1:]}) == 1
        report(tmp_path, "a")
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
