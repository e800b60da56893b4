"""A comparison shared out among processes: the same bits as in one, each network trained once, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snnlab import CATALOGUE
from snnlab.converters.catalogue import register
from snnlab.files.tensors import TensorFile
from snnlab.reports import sharing, subjects
from snnlab.studies import workers
from snnlab.studies.sweeps import Result
from snnlab.training import recipes

ROOT = Path(__file__).parents[2]
FEW = (
    "max_norm",
    "opt_shift",
    "calibration_light",
    "qcfs",
    "dual_phase",
    "qc_ann",
    "rmpe",
    "cos",
    "signed_calibrated",
)
SMALL: dict[str, Any] = {"levels": 4, "seed": 1, "epochs": 1, "images": 40}
OWN = """
import multiprocessing, os
from snnlab import networks

def dies(*, seed):
    if multiprocessing.parent_process() is not None:
        os._exit(3)
    return networks.cnn(seed=seed)

def refuses(*, seed):
    raise ValueError(f"there is no network for seed {seed}")
"""
RUN = """
import torch
from snnlab import reports
if __name__ == "__main__":
    torch.set_num_threads(1)
    reports.compare("cnn", "digits", [128, 256], levels=8, seed=0, epochs=2, workers=2)
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None) -> Iterator[None]:
    (tmp_path / "nets_to_share.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(subjects, "CATALOGUE", {name: CATALOGUE[name] for name in FEW})
    monkeypatch.setenv("SNNLAB_DATA", str(tmp_path / "data"))
    yield
    sys.modules.pop("nets_to_share", None)


def timeless(found: dict[str, Result]) -> dict[str, Result]:
    return {name: replace(result, seconds=0) for name, result in found.items()}


def trained(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "trained").glob("*.safetensors")}


def test_processes_find_what_one_finds_and_train_what_it_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sharing.compare("cnn", "digits", [3, 1], **SMALL, workers=1)
    monkeypatch.setenv("SNNLAB_DATA", str(tmp_path / "other"))
    two = sharing.compare("cnn", "digits", [3, 1], **SMALL, workers=2)
    assert timeless(one) == timeless(two) and list(one) == list(two) == list(FEW)
    assert list(two["rmpe"].snn_accuracy) == [1, 3] and two["rmpe"].ann_accuracy * 40 % 1 == 0
    assert trained(tmp_path / "data") == trained(tmp_path / "other") != {}


def test_each_stage_is_trained_once_and_before_what_needs_it() -> None:
    subject = sharing.Subject("cnn", "digits", (1, 2), 0, 0, 8, 0, 12)
    tasks = sharing._tasks(subject, tuple(CATALOGUE))
    jobs = [(task.argument.method, task.argument.stages) for task in tasks]
    stages = {
        tuple(str(stage.settings()) for stage in recipe.stages[: k + 1])
        for recipe in map(recipes.find, CATALOGUE)
        for k in range(len(recipe.stages))
    }
    assert sum(stages_ > 0 for _, stages_ in jobs) == len(stages) == 9
    assert sorted(name for name, stages_ in jobs if not stages_) == sorted(CATALOGUE)
    done: set[str] = set()
    for task in tasks:
        assert task.needs <= done, task
        done.add(task.name)
    methods = [name for name, stages_ in jobs if not stages_]
    assert methods.index("signed_calibrated") < methods.index("threshold_finetune") < methods.index("cos")
    assert methods.index("cos") < methods.index("max_norm"), "the longest do not come first"
    ready = sharing._tasks(replace(subject, network="resnet20-relu"), ("opi", "max_norm"))
    assert len(ready) == 2 and not any(task.needs for task in ready), "what is trained was to be trained"


def test_what_is_no_setting_or_fails_is_told_as_in_one_process() -> None:
    with pytest.raises(ValueError, match=r"steps = .*whole numbers, 1 or more"):
        sharing.compare("cnn", "digits", [0], **SMALL, workers=2)
    for count in (1, 2):
        with pytest.raises(ValueError, match=r"^there is no network for seed 1$"):
            sharing.compare("nets_to_share:refuses", "digits", [1], **SMALL, workers=count)


def test_a_process_that_dies_is_one_line() -> None:
    with pytest.raises(RuntimeError, match=r"a process that worked on .* died, 3 times") as found:
        sharing.compare("nets_to_share:dies", "digits", [1], **SMALL, workers=2)
    assert "\n" not in str(found.value) and found.value.__suppress_context__


def test_a_method_of_ones_own_is_judged_in_the_process_that_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    own = register(replace(CATALOGUE["max_norm"], name="known_here_alone"))
    try:
        known = {name: CATALOGUE[name] for name in ("max_norm", own.name)}
        monkeypatch.setattr(subjects, "CATALOGUE", known)
        monkeypatch.setattr(sharing, "Workers", lambda *_: pytest.fail("processes were started"))
        found = timeless(sharing.compare("cnn", "digits", [2], **SMALL, workers=2))
        assert replace(found[own.name], method="max_norm") == found["max_norm"]
    finally:
        del CATALOGUE[own.name]


def test_a_process_a_core_but_none_where_threads_are_wished_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    asked: list[int] = []
    monkeypatch.setattr(sharing, "_shared", lambda *given: asked.append(given[2]))
    monkeypatch.setattr(sharing.Subject, "judge", lambda *_: asked.append(1))
    for count, threads in ((1, 1), (3, 1), (64, 1), (3, 2)):
        monkeypatch.setattr(sharing, "allowed", lambda count=count: count)
        torch.set_num_threads(threads)
        sharing.compare("cnn", "digits", [1], **SMALL)
    torch.set_num_threads(1)
    assert asked == [1, 3, sharing.MOST, 1]


@pytest.mark.parametrize(
    ("said", "few"), [("1", True), ("", False), ("0", False), ("4,2", False), ("9999", False)]
)
def test_fewer_cores_are_used_where_the_environment_says_so(
    said: str, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    every = workers.allowed()
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert 1 <= every <= (os.cpu_count() or 1) and workers.allowed() == (1 if few else every)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_a_comparison_that_is_stopped(how: signal.Signals, tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    (tmp_path / "run.py").write_text(RUN)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(
        [sys.executable, "run.py"], env=env, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not list((tmp_path / "data").glob("trained/*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.05)
    children = psutil.Process(run.pid).children(recursive=True)
    assert sum("spawn_main" in " ".join(child.cmdline()) for child in children) == 2
    (os.killpg if how == signal.SIGINT else os.kill)(run.pid, how)
    _, err = run.communicate(timeout=60)
    assert run.returncode != 0 and ("KeyboardInterrupt" in err) == (how == signal.SIGINT), err
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive, "a process lives on"
    for path in (tmp_path / "data" / "trained").glob("*.safetensors"):
        assert TensorFile.open(path).read(), "what is there is whole"
