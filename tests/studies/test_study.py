"""A study: a file is data, a point is computed once, and a kill costs nothing but the points in flight."""

import errno
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from snnlab import cli, files
from snnlab.files import locks
from snnlab.studies import plans, points, study

ROOT = Path(__file__).parents[2]
LONG = int(os.environ.get("SNNLAB_HOSTILE", "1"))
SMALL = {
    "methods": ["max_norm", "opi", "calibration_light"],
    "networks": "cnn",
    "data": "digits",
    "T": [1, 2, 4],
    "seeds": [0, 1],
    "epochs": 1,
    "images": 40,
    "calibration": 32,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study, whose networks are trained; and its table, made by this process alone."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "small.yaml").write_text(yaml.safe_dump(SMALL))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNNLAB_PROGRESS", "none")
        done = study.run(folder / "small.yaml", folder / "serial", workers=1)
    assert (done.computed, done.known, done.failed) == (10, 0, 0)
    return folder


def table(folder: Path) -> list[dict]:
    """What must be the same each time."""
    return [
        {name: value for name, value in row.items() if name not in points.TIMES} for row in study.load(folder)
    ]


def command(home: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "snnlab", "study", str(home / "small.yaml"), "--out", str(out), *more]


def test_a_row_says_what_was_asked_and_what_was_found(home: Path) -> None:
    rows = study.load(home / "serial")
    assert [(row["method"], row["seed"], row["T"]) for row in rows] == [
        (method, seed, T) for method in SMALL["methods"] for seed in (0, 1) for T in (1, 2, 4)
    ]
    for row in rows:
        assert row["correct"] == round(row["accuracy"] * 40) and 0 < row["firing_rate"] < 1
        assert row["error"] is None and row["torch"] and row["seconds_convert"] > 0
    assert list(rows[0]) == list(study.KINDS)
    assert sorted(path.name for path in (home / "serial").iterdir()) == sorted(
        [study.MARKER, study.JOURNAL, study.TABLE, study.COPY, locks.NAME]
    )


def test_a_point_equals_what_a_plain_loop_finds(home: Path) -> None:
    from snnlab import convert, datasets, networks, simulate
    from snnlab.training import recipes

    data = datasets.load("digits", calibration=32)
    ann = recipes.prepare("relu", networks.cnn, data, seed=1, levels=8, epochs_scale=1 / 12, progress=False)
    for method, T in (("opi", 4), ("calibration_light", 2)):
        accuracy = simulate(
            convert(ann, method, data.calibration, T, progress=False), data.test[:40], T
        ).accuracy(data.test[:40])
        [row] = [r for r in table(home / "serial") if (r["method"], r["seed"], r["T"]) == (method, 1, T)]
        assert row["accuracy"] == accuracy[-1]


def test_dask_gives_the_same_table_as_this_process(home: Path, tmp_path: Path) -> None:
    """The pool is compared below, after kills."""
    pytest.importorskip("distributed")
    more = ("--workers", "2", "--scheduler", "local")
    done = subprocess.run(
        command(home, tmp_path / "out", *more), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "10 points computed" in done.stdout, done.stderr
    assert "Traceback" not in done.stderr and "distributed" not in done.stderr
    assert table(tmp_path / "out") == table(home / "serial")


def test_the_points_of_a_dask_worker_that_is_killed_are_done_by_others(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    process = subprocess.Popen(
        command(home, tmp_path / "out", "--workers", "2", "--scheduler", "local"),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        journal, deadline = tmp_path / "out" / study.JOURNAL, time.monotonic() + 240
        while not (journal.is_file() and journal.stat().st_size):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        children = psutil.Process(process.pid).children(recursive=True)
        workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        assert len(workers) == 2
        workers[0].kill()
        said, errors = process.communicate(timeout=240)
    finally:
        process.kill()
    assert process.returncode == 0 and "10 points computed" in said, errors
    assert "Traceback" not in errors and table(tmp_path / "out") == table(home / "serial")
    assert not any(worker.is_running() for worker in workers)


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, keep = [], study._Journal.keep

    def full(journal: study._Journal, *point: object) -> None:
        if len(kept) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        kept.append(point)
        keep(journal, *point)  # type: ignore[arg-type]

    monkeypatch.setenv("SNNLAB_PROGRESS", "none")
    asked = ["study", str(home / "small.yaml"), "--out", str(tmp_path / "out"), "--workers", "1"]
    with monkeypatch.context() as patch:
        patch.setattr(study._Journal, "keep", full)
        assert cli.main(asked) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "No space left on device" in said and "the same command goes on" in said
    assert cli.main(asked) == 0 and "(7 points computed, 3 known before)" in capsys.readouterr().out
    assert table(tmp_path / "out") == table(home / "serial")


def test_a_point_is_not_computed_twice_but_a_longer_study_goes_on(
    home: Path, tmp_path: Path, monkeypatch
) -> None:
    seen: list[plans.Point] = []
    measure = points.measure
    monkeypatch.setattr(points, "measure", lambda point: seen.append(point) or measure(point))
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(SMALL | {"seeds": [0]}))
    assert study.run(tmp_path / "s.yaml", tmp_path / "out", workers=1).computed == len(seen) == 5
    assert study.run(tmp_path / "s.yaml", tmp_path / "out", workers=1).known == len(seen) == 5
    longer = study.run(home / "small.yaml", tmp_path / "out", workers=1)
    assert (longer.computed, longer.known) == (5, 5) and table(tmp_path / "out") == table(home / "serial")


def test_a_key_changes_with_what_determines_the_result_and_with_nothing_else(
    tmp_path: Path, monkeypatch
) -> None:
    point = plans.Point("opi", "cnn", "digits", 0, 32, "constant", (4,), 8, 1, 40)
    first = points.key(point, "sum")
    assert first == points.key(point, "sum") != points.key(point, "other")
    code, changed = points._code, ROOT / "snnlab" / "converters" / "choices" / "tuning.py"
    monkeypatch.setattr(points, "_code", lambda file: "changed" if file == changed else code(file))
    assert points.key(point, "sum") == first, "a rule of another method"
    assert points.key(points.replace(point, method="threshold_feedback"), "sum") != first
    changed = ROOT / "snnlab" / "converters" / "choices" / "potentials.py"
    assert points.key(point, "sum") != first, "its own rule"
    one, same, other = (tmp_path / f"{k}.py" for k in range(3))
    one.write_text("def f():\n    return 1\n")
    same.write_text('"""Words."""\n\n\ndef f():  # one\n    """More."""\n    return 1\n')
    other.write_text("def f():\n    return 2\n")
    assert code(one) == code(same) != code(other)


def test_a_point_that_fails_is_a_row_with_its_reason(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "mine.py").write_text(
        "from snnlab.networks import cnn\ndef bad(seed):\n    raise ValueError('no <b>net')\n"
    )
    (tmp_path / "s.yaml").write_text(
        yaml.safe_dump(SMALL | {"networks": ["mine:bad", "cnn"], "methods": "opi"})
    )
    done = study.run(tmp_path / "s.yaml", tmp_path / "out", workers=1)
    assert done.failed == 2
    errors = [row["error"] for row in study.load(tmp_path / "out")]
    assert errors == ["ValueError: no <b>net"] * 6 + [None] * 6


def test_two_studies_in_one_folder_at_once(home: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / study.MARKER).touch()
    lock = files.hold(tmp_path / "out")
    assert cli.main(command(home, tmp_path / "out")[3:]) == 2
    assert "another study is running" in capsys.readouterr().err
    files.release(lock)


def test_nothing_of_anybodys_is_replaced(home: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / study.TABLE).write_text("mine")
    (tmp_path / "file").write_text("mine")
    for out in ("out", "file", "file/below"):
        assert cli.main(command(home, tmp_path / out)[3:]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "out" / study.TABLE).read_text() == (tmp_path / "file").read_text() == "mine"


BAD_VALUES = (None, True, -1, 0.5, 1e30, 10**400, "", "x" * 5000, "../..", [], [[]], [1, 1], {"a": 1}, "<script>",
              "os:nothing", "nosuch:thing", "qcsf", "cnn.safetensors", float("nan"), "\x00")  # fmt: skip
BAD_TEXTS = (
    "", "[", "- a", "a: b: c", "methods: [opi]", "T: 4", "methods: &a [opi]\nT: *a",
    "methods: !!python/name:os.system x\nT: 1", "methods: opi\nT: 1\nT: 2", "[" * 5000, "\t",
    "methods: opi\nT: 1\nseed: 3", "1: 2", "methods: opi\nT: 2026-01-01",
)  # fmt: skip


def bad_studies(count: int) -> list[str]:
    """Texts, and a good study with one bad value, drawn from a seed; what happens to be allowed is left out."""
    draw, found = random.Random(0), list(BAD_TEXTS)
    while len(found) < count:
        entry, value = draw.choice(list(plans.Plan.model_fields)), draw.choice(BAD_VALUES)
        value = [value] if draw.random() < 0.3 else value
        if entry == "title" and isinstance(value, str) and len(value) < 300:
            continue
        if not (entry in ("epochs", "levels", "images") and value == 0.5 and entry == "images"):
            found.append(yaml.safe_dump({**SMALL, entry: value}, allow_unicode=True))
    return found


@pytest.mark.parametrize("text", bad_studies(150 * LONG), ids=lambda _: "")
def test_a_mistake_in_a_study_is_one_line_and_nothing_is_left(
    text: str, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(study, "_work", lambda *_: pytest.fail(f"work has begun: {text[:300]}"))
    (tmp_path / "small.yaml").write_text(text)
    assert cli.main(command(tmp_path, tmp_path / "out")[3:]) == 2
    said = capsys.readouterr()
    assert (
        (said.out, said.err.count("\n")) == ("", 1)
        and said.err.isprintable() is False
        and len(said.err) < 900
    )
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


def test_killed_at_random_moments_the_same_command_completes_the_same_table(
    home: Path, tmp_path: Path
) -> None:
    draw, out, left = random.Random(3), tmp_path / "out", 0
    for _ in range(2 if LONG == 1 else 30):
        child = subprocess.Popen(
            command(home, out, "--workers", "2"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        while child.poll() is None and not (out / study.JOURNAL).exists():
            time.sleep(0.02)
        time.sleep(draw.random() * 4)
        child.kill()
        child.wait()
        known = (out / study.JOURNAL).read_text().splitlines()
        assert all(json.loads(line)["rows"] for line in known[:-1])
        left += len(known) < 10
        assert ended(child.pid), "a worker lives on"
        if LONG > 1 and draw.random() < 0.4:
            (out / study.JOURNAL).unlink()
    assert left, "no study was killed in its middle"
    done = subprocess.run(
        command(home, out, "--workers", "2"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert table(out) == table(home / "serial")
    kept = {study.MARKER, study.JOURNAL, study.TABLE, study.COPY, locks.NAME}
    assert {path.name for path in out.iterdir()} == kept


def alive(session: int) -> bool:
    """Whether a process of that session, its workers for instance, lives."""
    found = subprocess.run(
        ["ps", "-o", "stat=", "-s", str(session)], capture_output=True, text=True, check=False
    )
    return any(not line.startswith("Z") for line in found.stdout.split())


def ended(session: int) -> bool:
    """Whether its last process ends within a minute: what multiprocessing keeps books with ends just after it."""
    deadline = time.monotonic() + 60
    while alive(session) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not alive(session)


def test_ctrl_c_says_in_a_line_what_is_kept(home: Path, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(
        yaml.safe_dump(SMALL | {"images": 0, "T": [256, 512], "seeds": [0, 1]})
    )
    child = subprocess.Popen(
        command(tmp_path, tmp_path / "out", "--workers", "2"), cwd=ROOT, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env=os.environ | {"SNNLAB_PROGRESS": "none"},  # a log has a line now and then
    )  # fmt: skip
    while child.poll() is None and not (tmp_path / "out" / study.JOURNAL).exists():
        time.sleep(0.02)
    time.sleep(3)
    os.killpg(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130 and err.count("\n") == 1, err
    assert "points were computed and are kept; the same command goes on" in err
    assert ended(child.pid), "a worker lives on"
    assert (tmp_path / "out" / study.TABLE).is_file()


@pytest.mark.parametrize("path", sorted((ROOT / "studies").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_studies_that_ship_can_be_read(path: Path) -> None:
    plan = plans.read(path)
    assert len(plan.points()) > 20 and plan.title


def test_the_report_shows_the_table_with_intervals_and_text_as_text(home: Path, tmp_path: Path) -> None:
    from snnlab import reports
    from snnlab.studies.intervals import over_seeds, wilson

    rows = study.load(home / "serial")
    bad = rows[0] | {"error": "ValueError: <script>|x", "method": "<b>", "key": "bad"}
    files.write(tmp_path / "t.parquet", study.parquet([*rows, bad]))
    reports.run("study", {"table": str(tmp_path / "t.parquet")}, tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "11 points: 3 methods, 1 network, 2 seeds, T up to 4; 1 points failed" in page, "the headline"
    assert "<script>|x" not in page and "&lt;script&gt;" in page and "<td><b></td>" not in page
    two = [row["accuracy"] for row in rows if (row["method"], row["T"]) == ("opi", 4)]
    low, high = over_seeds(two)
    cell = rf"<td[^>]*>{50 * sum(two):.1f}<br ?/?>{100 * low:.1f} to {100 * high:.1f}</td>"
    assert re.search(cell, page)
    assert (
        "In all lines: network cnn; data digits" in page
        and "the most right" in page
        and '<th style="text-align: right;">data' not in page
    )
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4), "Wilson's own form, by hand"
    assert wilson(0, 10)[0] == 0 and wilson(10, 10)[1] == pytest.approx(1)
