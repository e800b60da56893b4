"""What `--out` may be: nothing of anybody's is replaced, and what cannot be written is known before the work."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from snnlab import cli, datasets, files, reports, training
from snnlab.reports.folder import FILES, LEFTOVER, MARKED, MARKER, put, target
from snnlab.training import runs

SETTINGS = runs.Settings("cnn", "digits")


def prepared(folder: Path) -> None:
    """All that a path may lead to."""
    (folder / "folder").mkdir()
    (folder / "text.txt").write_text("mine")
    (folder / "empty.safetensors").touch()
    training.save(
        runs.Settings("resnet", "digits").build(), folder / "other.safetensors", settings=SETTINGS.text()
    )
    training.save(
        SETTINGS.build(), folder / "seed.safetensors", settings=runs.Settings("cnn", "digits", seed=3).text()
    )
    training.save(SETTINGS.build(), folder / "bare.safetensors")
    (folder / "link").symlink_to("text.txt")
    (folder / "circle").symlink_to("circle")
    (folder / "astray").symlink_to("nowhere/else/at/all")
    os.mkfifo(folder / "pipe")
    for name, held in {
        "results": {"results.json": "{}", "params.json": "{}"},
        "named": dict.fromkeys(FILES, "mine"),
        "notes": {MARKER: MARKED, "report.html": "", "notes.txt": "mine"},
    }.items():
        (folder / name).mkdir()
        for file, text in held.items():
            (folder / name / file).write_text(text)
    (folder / "nested").mkdir()
    (folder / "nested" / MARKER).write_text(MARKED)
    (folder / "nested" / "results.json").mkdir()
    (folder / "nested" / "results.json" / "mine").touch()


def listing(folder: Path) -> dict[str, object]:
    """All below a folder, with its contents and times."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        is_file = stat.S_ISREG(status.st_mode)
        found[str(path.relative_to(folder))] = path.read_bytes() if is_file else status.st_mode
    return found


WAYS = ("{}", "./{}", "folder/../{}", "{}/")
TRAIN = (
    *(
        way.format(name)
        for name in ("folder", "pipe", "text.txt", "seed.safetensors", "link")
        for way in WAYS[:3]
    ),
    *(
        "text.txt/net",
        "pipe/net",
        "text.txt/a/b/net",
        "circle",
        "circle/net",
        "empty.safetensors",
        "bare.safetensors",
    ),
    *(
        "x" * 256,
        "é" * 200,
        "x" * 5000,
        "a/" + "y" * 256,
        ".",
        "..",
        "/",
        "/dev/null",
        "/dev/full",
        "/dev/stdin",
    ),
    *(
        "/proc/net.safetensors",
        "/proc/1/x/net",
        "/sys/net.safetensors",
        "~nosuchuser/net",
        "~nosuchuser",
        "a\0b",
        "results",
    ),
)
REPORT = (
    *(way.format(name) for name in ("text.txt", "results", "named", "notes", "nested") for way in WAYS[:3]),
    *(
        "pipe",
        "circle",
        "link",
        "text.txt/out",
        "x" * 256,
        "x" * 5000,
        ".",
        "..",
        "/",
        "/dev/null",
        "/proc/out",
        "/proc/1/x/out",
    ),
    *("~nosuchuser/out", "a\0b", "nested/"),
)


def refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    try:
        code = cli.main(argv)
    except SystemExit as stop:
        code = int(str(stop.code))
    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n")) == (2, "", 1) and len(said.err) < 1700, said
    return said.err


@pytest.fixture
def untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A folder with all sorts of things in it, in which the test runs; and what sees that they are as they were."""
    folder = tmp_path / "here"
    folder.mkdir()
    prepared(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(training, "step", lambda *_: pytest.fail("it was trained before --out was looked at"))
    monkeypatch.setattr(
        datasets, "load", lambda *_: pytest.fail("images were loaded before --out was looked at")
    )
    before = listing(tmp_path)

    def check() -> None:
        assert listing(tmp_path) == before

    return check


@pytest.mark.parametrize("out", TRAIN, ids=range(len(TRAIN)))
def test_train_replaces_nothing_and_says_so_before_the_work(
    out: str, untouched: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--out" in refused(["train", "cnn", "--data", "digits", "--out", out], capsys)
    untouched()


@pytest.mark.parametrize("out", REPORT, ids=range(len(REPORT)))
def test_a_report_replaces_nothing_and_says_so_before_the_work(
    out: str, untouched: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--out" in refused(["report", "conversion", "--out", out], capsys)
    untouched()


def test_too_little_room_is_known_before_the_work(
    untouched: Callable[[], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("usage", (), {"free": 1000})())
    assert "0 MB are free" in refused(["train", "cnn", "--data", "digits", "--out", "new/net"], capsys)
    assert "0 MB are free" in refused(["report", "conversion", "--out", "new/report"], capsys)
    untouched()


def test_what_may_be_replaced_is(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    assert runs.place_for(SETTINGS, path) == path and runs.place_for(SETTINGS, tmp_path / "a" / "b" / "net")
    assert list(tmp_path.iterdir()) == []
    training.save(SETTINGS.build(), path, settings=SETTINGS.text())
    assert runs.place_for(SETTINGS, path) == path
    path.write_text("mine")
    assert runs.place_for(SETTINGS, path, force=True) == path and path.read_text() == "mine"
    with pytest.raises(ValueError, match="is a folder"):
        runs.place_for(SETTINGS, tmp_path, force=True)


def test_a_report_with_the_marker_is_replaced_whole(tmp_path: Path) -> None:
    for text in ("first", "second"):
        with files.scratch(tmp_path, LEFTOVER) as building:
            (building / "new").mkdir()
            for name in FILES:
                (building / "new" / name).write_text(MARKED if name == MARKER else text)
            put(building / "new", target(tmp_path / "out"), building / "old")
    assert (tmp_path / "out" / "report.html").read_text() == "second" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_files_have_the_mode_that_the_umask_gives(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        training.save(SETTINGS.build(), tmp_path / "net.safetensors")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "net.safetensors").stat().st_mode) == 0o666 & ~umask


def test_a_disk_that_fails_during_the_training_is_one_line_that_says_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write, calls = files.write, [0]

    def full(path: Path, content: bytes) -> None:
        calls[0] += 1
        if calls[0] == 2:
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(files, "write", full)
    out = tmp_path / "net.safetensors"
    argv = ["train", "cnn", "--data", "digits", "--epochs", "3", "--threads", "1", "--out", str(out)]
    assert cli.main(argv) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert (
        "net.safetensors.going cannot be written (No space left on device); 1 whole epochs are kept there"
        in said
    )
    assert cli.main(argv) == 0 and [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def test_a_report_whose_folder_vanishes_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(notebook: Path, values: object, folder: Path) -> None:
        shutil.rmtree(tmp_path / "there")
        (folder / "report.ipynb").write_text(json.dumps({}))

    monkeypatch.setattr("snnlab.reports.execution.execute", gone)
    (tmp_path / "there").mkdir()
    with pytest.raises(
        reports.ReportError, match=r"cannot be written to .*No such file.*nothing of it is kept"
    ):
        reports.run("conversion", {}, tmp_path / "there" / "out")


NUMBERS = (
    *("--threads", "--levels", "--width", "--jitter", "--epochs", "--batch", "--seed"),
    *("--lr", "--threshold", "--smoothing", "--threshold-decay", "--norm-decay"),
)
VALUES = ("1e30", "1e300", "9" * 5000, "-1", "nan", "inf", "x" * 5000, "-9" * 3000, "1000000000000")


@pytest.mark.parametrize("option", NUMBERS)
@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_every_number_has_two_bounds_and_every_echo_is_cut(
    option: str, value: str, untouched: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["train", "resnet20", "--activation", "qcfs", f"{option}={value}", "--out", "new"]
    assert option[2:].split("-", maxsplit=1)[0] in refused(argv, capsys)
    untouched()
