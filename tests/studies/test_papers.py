"""The papers' tables on the networks that ship: stopped and gone on with, held against what the paper says."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from signal import Signals
from typing import TypeVar

import pytest
import torch

from benchmarks import all_images
from snnlab.datasets import Data, Split
from snnlab.reports import all_images_table, paper_table
from snnlab.reports import run as report
from snnlab.studies import claims, papers
from snnlab.studies.papers import Network
from snnlab.studies.sweeps import Result
from snnlab.training import runs

METHODS = ("robust_norm", "opi")
T = TypeVar("T")


@pytest.fixture(scope="module")
def noise() -> Data:
    """Images of CIFAR's shape, made up."""
    draw = torch.Generator().manual_seed(0)
    split = Split(torch.randn(24, 3, 32, 32, generator=draw), torch.arange(24) % 10)
    return Data("cifar10", tuple("0123456789"), split, split[:16], split[16:])


def result(method: str, ann: float = 0.9, **accuracy: float) -> Result:
    """T2=0.5: after two steps half is right."""
    curve = {int(T[1:]): value for T, value in accuracy.items()}
    return Result(method, ann, curve, {T: T for T in curve}, 0.1)


def network(*results: Result) -> Network:
    return Network({one.method: one for one in results})


def test_a_run_is_kept_piece_by_piece_and_read_the_second_time(noise: Data, tmp_path: Path) -> None:
    first = papers.run(["resnet20"], noise, 8, 4, methods=METHODS, cache=tmp_path, workers=1)
    own = first.networks["resnet20"].methods
    assert list(own) == list(METHODS) and list(own["opi"].snn_accuracy) == [2, 4]
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == 2
    marked = json.loads(kept[0].read_text())
    marked["result"]["firing_rate"] = 0.123
    kept[0].write_text(json.dumps(marked))
    again = papers.run(["resnet20"], noise, 8, 4, methods=METHODS, cache=tmp_path)
    assert again.networks["resnet20"].methods["opi"].firing_rate == 0.123
    papers.run(["resnet20"], noise, 7, 4, methods=METHODS[:1], cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3  # other images are measured anew
    kept[0].write_text("{")
    with pytest.raises(ValueError, match=r"is damaged .*remove it"):
        papers.run(["resnet20"], noise, 8, 4, methods=METHODS, cache=tmp_path)


def test_more_steps_go_on_from_fewer(noise: Data, tmp_path: Path) -> None:
    def run(T_max: int, cache: Path) -> Result:
        found = papers.run(["resnet20"], noise, 8, T_max, methods=["opt_shift"], cache=cache, workers=1)
        return found.networks["resnet20"].methods["opt_shift"]

    fewer, kept = run(4, tmp_path), set(tmp_path.iterdir())
    assert len(kept) == 2  # a conversion for each T
    more = run(8, tmp_path)
    assert kept < set(tmp_path.iterdir()) and len(set(tmp_path.iterdir())) == 3
    assert fewer.snn_accuracy.items() < more.snn_accuracy.items() and more.seconds > fewer.seconds
    whole = run(8, tmp_path / "other")
    assert replace(more, seconds=0) == replace(
        whole, seconds=0
    )  # rates and thresholds are those of T = 8, too


def test_two_processes_find_what_one_finds(noise: Data, tmp_path: Path) -> None:
    methods = ("robust_norm", "opt_shift", "qc_ann")
    found = [
        papers.run(["resnet20"], noise, 8, 8, methods=methods, cache=tmp_path / f"{n}", workers=n).networks
        for n in (1, 2)
    ]
    one, two = ({name: replace(r, seconds=0) for name, r in f["resnet20"].methods.items()} for f in found)
    assert one == two and list(one) == list(methods)
    assert found[0]["resnet20"].residual == found[1]["resnet20"].residual
    assert set(found[0]["resnet20"].residual) == {"qc_ann"}


RUN = """
import sys, torch
from snnlab.studies import papers
from snnlab.datasets import Data, Split
split = Split(torch.zeros(2000, 3, 32, 32), torch.zeros(2000, dtype=torch.long))
data = Data("cifar10", tuple("0123456789"), split, split[:16], split)
if __name__ == "__main__":
    papers.run(["vgg16"], data, 2000, 128, methods=["robust_norm", "opi"], cache=sys.argv[1], workers=2)
"""


@pytest.mark.parametrize("signal", ["SIGINT", "SIGKILL"])
def test_no_process_outlives_a_run_that_is_stopped(signal: str, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(RUN)
    cache = tmp_path / "cache"
    run = subprocess.Popen([sys.executable, script, cache], start_new_session=True, stderr=subprocess.PIPE)
    workers = _wait_for(lambda: _children(run.pid) if len(_children(run.pid)) >= 2 else [])
    _wait_for(lambda: all(_busy(worker) for worker in workers))
    (os.killpg if signal == "SIGINT" else os.kill)(run.pid, getattr(Signals, signal))
    run.communicate(timeout=60)
    assert _wait_for(lambda: not any(_alive(worker) for worker in workers))
    assert not list(cache.glob("*"))  # nothing half done


def _children(pid: int) -> list[int]:
    """The worker processes of a run, without multiprocessing's own helper."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _alive(int(folder.name)):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def _busy(pid: int) -> bool:
    """Whether it has computed for some seconds: longer than imports take."""
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK") > 5


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wait_for(what: Callable[[], T], seconds: float = 120) -> T:
    """What the call returns, as soon as that is something."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.1)
    return found


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"names": ["resnet21"]}, "network = 'resnet21', but it is one of resnet20, vgg16"),
        ({"methods": ["cos"]}, "method = 'cos', but it is one of max_norm"),
        ({"images": 0}, "images = 0.*from 1 to 8"),
        ({"images": 9}, "images = 9.*from 1 to 8"),
        ({"T_max": 1}, "T_max = 1.*2 or more"),
        ({"workers": 0}, "workers = 0, but at least one"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is(noise: Data, tmp_path: Path, change, says) -> None:
    given = {"names": ["resnet20"], "data": noise, "images": 8, "T_max": 4, "cache": tmp_path}
    with pytest.raises(ValueError, match=says):
        papers.run(**{**given, **change})
    assert not list(tmp_path.iterdir())


def test_the_run_that_ships_is_of_the_networks_that_ship() -> None:
    shipped = papers.load()
    assert set(shipped.networks) == set(papers.NETWORKS) and shipped.images >= 1000
    for name, own in shipped.networks.items():
        assert own.methods and set(own.methods) <= set(papers.METHODS), name
        assert set(own.residual) <= set(papers.FIGURE_3)
        for method in own.methods.values():
            assert {2, 4, 8} <= set(method.snn_accuracy) <= set(papers.STEPS)
            assert method.latency[8] == 8 and 0 <= method.snn_accuracy[8] <= 1


def test_what_is_saved_is_read_again_and_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "papers.json"
    papers.save(papers.load(), path)
    assert papers.load(path) == papers.load() and path.read_bytes() == papers.SHIPPED.read_bytes()
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"papers.json is damaged.*git checkout"):
        papers.load(path)
    with pytest.raises(FileNotFoundError, match="brings it back"):
        papers.load(tmp_path / "other.json")


def test_a_claim_holds_fails_or_cannot_be_told() -> None:
    clear = network(result("max_norm", T8=0.1), result("robust_norm", T8=0.5), result("qc_ann", T8=0.8))
    said = {v.row: v for v in claims.verdicts("table 1", clear, 1000)}
    assert said["max_norm"].holds and said["robust_norm"].holds and said["qc_ann"].holds
    assert said["tcl"].holds is None and "cannot be told" in said["tcl"].sentence  # it was not run
    turned = network(result("max_norm", T8=0.5), result("robust_norm", T8=0.1), result("qc_ann", T8=0.8))
    worst = claims.verdicts("table 1", turned, 1000)[0]
    assert worst.holds is False
    assert worst.sentence == (
        "`max_norm`: that it is the worst choice below T = 64 does not hold here at T = 8 "
        "(T = 8: `robust_norm` 10.0%, `max_norm` 50.0%)."
    )
    close = network(result("max_norm", T8=0.51), result("robust_norm", T8=0.5))
    assert claims.verdicts("table 1", close, 1000)[0].holds is None  # a point, on 1,000 images
    assert claims.verdicts("table 1", close, 10_000)[0].holds is False
    ahead = network(result("max_norm", T8=0.5), result("robust_norm", T8=0.51))
    assert claims.verdicts("table 1", ahead, 1000)[0].holds is None  # nor is a point a proof
    assert claims.verdicts("table 1", ahead, 10_000)[0].holds is True


def test_a_verdict_covers_every_T_that_the_claim_covers_and_the_run_has() -> None:
    early = result("qc_ann", T8=0.8, T16=0.8, T128=0.5)
    late = network(early, result("robust_norm", T8=0.5, T16=0.79, T64=0.6, T128=0.7))
    best = claims.verdicts("table 1", late, 1000)[-1]
    assert best.row == "qc_ann" and best.holds is False
    assert best.sentence.endswith(
        "does not hold here at T = 128 (T = 128: `qc_ann` 50.0%, `robust_norm` 70.0%); cannot be told here at T = 16; "
        "holds here at T = 8."
    )
    within = network(result("max_norm", T32=0.5, T64=0.9), result("robust_norm", T32=0.8, T64=0.1))
    assert claims.verdicts("table 1", within, 1000)[0].holds is True  # it is said for less than 64 steps


def test_the_worst_pair_of_a_claim_decides() -> None:
    one_behind = network(result("max_norm", T8=0.3), result("robust_norm", T8=0.5), result("tcl", T8=0.1))
    worst = claims.verdicts("table 1", one_behind, 1000)[0]
    assert worst.holds is False and "`tcl` 10.0%, `max_norm` 30.0%" in worst.evidence


@pytest.mark.parametrize("name", papers.NETWORKS)
def test_no_verdict_on_the_run_that_ships_leaves_a_T_out(name: str) -> None:
    shipped = papers.load()
    own = shipped.networks[name]
    for table in claims.ROWS:
        for verdict in claims.verdicts(table, own, shipped.images):
            covered = {f.T for f in verdict.found}
            assert covered, verdict.row
            if "below" not in verdict.claim and "from T" not in verdict.claim:
                assert covered == set(own.methods[verdict.row].snn_accuracy) == set(papers.STEPS)
    contrary = {v.row: v for v in claims.verdicts("table 1", own, shipped.images)}["qc_ann"]
    assert contrary.holds is False and "T = 128" in contrary.evidence  # its table says so


def test_every_row_of_every_table_has_a_claim_of_methods_that_are_run() -> None:
    full = network(*(result(name, T2=0.5, T4=0.5, T8=0.5, T16=0.5, T32=0.5) for name in papers.METHODS))
    for table, rows in claims.ROWS.items():
        found = claims.verdicts(table, full, 1000)
        assert [verdict.row for verdict in found] == list(rows)
        assert all(verdict.evidence for verdict in found), table
        assert all(verdict.holds is None for verdict in found[:-1]), "a tie proves nothing"
    assert claims.verdicts("table 3", full, 1000)[-1].holds is False  # rmpe, 40 points from its ANN


def test_a_table_holds_own_and_published_figures() -> None:
    from snnlab.datasets.published import load

    text = paper_table(
        ["qc_ann", "opi"], network(result("qc_ann", T8=0.5)), load(network="vgg16", data="cifar10"), 8
    )
    assert "|50.0 (93.0)" in text.data and "opi" not in text.data


def test_the_report_shows_the_run_that_ships_without_any_images(tmp_path: Path) -> None:
    out = report("papers", {}, tmp_path / "out")
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))
    own = papers.load().networks["resnet20"].methods
    assert {name: one["ann_accuracy"] for name, one in found["methods"].items()} == pytest.approx(
        {name: one.ann_accuracy for name, one in own.items()}, rel=1e-5
    )
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "the run that ships with the kit" in page and "ResNet-20, CIFAR-10" in page


def test_what_every_test_image_says_is_of_the_networks_and_methods_that_ship() -> None:
    with all_images.RESULT.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows and [row for row in rows if not all_images.holds(row)] == []
    other = {"sha256": "0" * 12, "network": "none", "method": "none", "choices": "neuron = IF"}
    assert not any(all_images.holds(rows[0] | {name: value}) for name, value in other.items())


@pytest.mark.parametrize("network", papers.NETWORKS)
def test_what_every_test_image_says_stands_in_a_table(network: str) -> None:
    text = all_images_table(network).data
    rows = [line.split("|") for line in text.splitlines()[2:]]
    assert {row[0].strip("`") for row in rows} <= set(runs.table())
    names = {row[1].split(",")[0].strip("`") for row in rows}
    assert (
        {"qcfs", {"resnet20": "signed_calibrated", "vgg16": "rmpe"}[network]} <= names <= set(papers.METHODS)
    )
    for _, _, T, ann, snn, span, lost, seconds in rows:
        low, high = map(float, span.split(" to "))
        assert low < float(snn) < high < low + 2
        assert int(T) in papers.STEPS and float(seconds) >= 0
        assert float(lost) == pytest.approx(float(ann) - float(snn), abs=0.006)
