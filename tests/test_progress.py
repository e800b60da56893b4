"""Progress: in a notebook one output a cell, whatever runs inside what; in a terminal tqdm's bars; in a log lines."""

import ast
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from select import select

import pytest
from jupyter_client.manager import start_new_kernel

from snnlab import progress
from snnlab.files.language import said
from snnlab.progress import progress_bar

NESTED = """
from snnlab.progress import progress_bar

def nested():
    for _ in progress_bar(range(2), "outer", delay=0.0, mininterval=0.0):
        for _ in progress_bar(range(3), "inner", delay=0.0, mininterval=0.0):
            pass
"""


@pytest.fixture(scope="module")
def outputs() -> Iterator:
    """What a cell of a real kernel sends to the page, message by message: (type, content)."""
    manager, client = start_new_kernel()

    def run(code: str) -> list[tuple[str, dict]]:
        client.execute(code)
        found = []
        while True:
            message = client.get_iopub_msg(timeout=60)
            if message["content"].get("execution_state") == "idle":
                return [(kind, content) for kind, content in found if kind not in ("status", "execute_input")]
            found.append((message["msg_type"], message["content"]))

    run(NESTED)
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_bars_inside_bars_are_one_output_and_nothing_is_left_of_it(outputs) -> None:
    sent = outputs("nested()\nnested()")
    assert [kind for kind, _ in sent].count("display_data") == 1 and {kind for kind, _ in sent} == {
        "display_data",
        "update_display_data",
    }
    assert len({content["transient"]["display_id"] for _, content in sent}) == 1
    texts = [content["data"]["text/plain"] for _, content in sent]
    assert any(t.startswith("outer:  50%") and "\ninner:  67%" in t for t in texts), (
        "both are seen, the outer first"
    )
    assert max(t.count("\n") for t in texts) == 1 and texts[-1] == sent[-1][1]["data"]["text/html"] == ""


def test_each_cell_has_its_own_and_what_is_over_at_once_is_not_shown(outputs) -> None:
    first, second = (outputs("nested()")[0][1]["transient"]["display_id"] for _ in range(2))
    assert first != second
    assert outputs("for _ in progress_bar(range(3)): pass") == []


def test_a_bar_that_an_error_breaks_off_is_taken_away(outputs) -> None:
    *bars, error = outputs("for _ in progress_bar(range(3), 'broken', delay=0.0): raise KeyboardInterrupt")
    assert error[0] == "error" and bars[-1][1]["data"]["text/plain"] == ""
    assert not any("broken" in content["data"]["text/plain"] for _, content in outputs("nested()"))


def test_a_kernel_may_be_asked_for_text(outputs) -> None:
    asked = "import os; os.environ['SNNLAB_PROGRESS'] = 'text'; nested(); del os.environ['SNNLAB_PROGRESS']"
    assert {content.get("name") for _, content in outputs(asked)} == {"stderr"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that bars in a log go by, which a test moves on."""
    now = [1000.0]
    monkeypatch.delenv("SNNLAB_PROGRESS", raising=False)
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    monkeypatch.setattr(progress._LogBar, "said", 0.0)
    return now


def test_in_a_log_a_line_now_and_then(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    """The first after two seconds, the next ten seconds later, whatever runs inside what; none at the end."""
    with progress_bar(total=4, desc="outer", unit="stage") as outer:
        for stage in range(4):
            outer.set_postfix_str(f"stage {stage}")
            for _ in progress_bar(range(10), "inner"):
                clock[0] += 1.0
            outer.update()
    assert capsys.readouterr().err.splitlines() == [
        "outer: 0 %, stage 0; inner: 20 %, 00:08 left",
        "outer: 25 %, 00:36 left, stage 1; inner: 20 %, 00:08 left",
        "outer: 50 %, 00:22 left, stage 2; inner: 20 %, 00:08 left",
        "outer: 75 %, 00:10 left, stage 3; inner: 20 %, 00:08 left",
    ]


def test_a_bar_leaves_its_guess_to_one_that_knows(
    capsys: pytest.CaptureFixture[str], clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report's ninth cell works for an hour: two times left, of which one grows, tell nobody anything."""
    told = {"methods 4 %, 12:00 left": "cells: 50 %, methods 4 %, 12:00 left", "": "cells: 50 %, 00:20 left"}
    with progress_bar(total=4, desc="cells", unit="cell") as bar:
        clock[0] += 10.0
        bar.update(2)
        capsys.readouterr()
        for inside, line in told.items():
            clock[0] += 10.0 if inside else 0.0
            progress.tell_inside(bar, inside)
            if not inside:
                monkeypatch.setattr(progress._LogBar, "said", 0.0)
                bar.refresh()
            assert capsys.readouterr().err.splitlines() == [line]
            assert ("<" in str(bar)) == (not inside) and inside in str(bar)


def test_in_a_cell_too_and_its_own_line_comes_back() -> None:
    with progress.shown_by(lambda _: None), progress_bar(total=4, desc="cells", delay=0) as bar:
        bar.update(2)
        before = bar.bar_format
        progress.tell_inside(bar, "methods 4 %, 12:00 left")
        assert "<" not in str(bar) and "12:00 left" in str(bar)
        progress.tell_inside(bar, "")
        assert bar.bar_format == before == progress.FORMAT and "<" in str(bar)


def test_in_chinese_a_line_is_chinese(
    capsys: pytest.CaptureFixture[str], clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNNLAB_LANGUAGE", "zh")
    for _ in progress_bar(range(10), said("training"), unit=said("image")):
        clock[0] += 1.0
    assert capsys.readouterr().err == "训练: 20 %, 还剩 00:08\n"


def words_of(call: ast.Call) -> Iterator[str]:
    """What a bar is called or counts, in words that are not looked up."""
    values = [*call.args[1:2], *(word.value for word in call.keywords if word.arg in ("desc", "unit"))]
    for value in call.args if ast.unparse(call.func).endswith("set_description") else values:
        for node in value.values if isinstance(value, ast.JoinedStr) else [value]:
            if isinstance(node, ast.Constant) and re.search("[A-Za-z]{2}", str(node.value)):
                yield str(node.value)


def test_whatever_bars_say_is_looked_up_in_the_reader_s_language() -> None:
    left = {}
    for path in sorted(Path(progress.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and re.search(
                r"progress_bar$|set_description$", ast.unparse(node.func)
            ):
                left |= {f"{path.name}:{node.lineno}": text for text in words_of(node)}
    assert not left
    told = ast.parse('progress_bar(x, "the share", unit=said("image")); bar.set_description(f"round {k}")')
    assert [text for node in ast.walk(told) if isinstance(node, ast.Call) for text in words_of(node)] == [
        "the share",
        "round ",
    ]


@pytest.mark.parametrize("told", [True, False])
def test_a_training_into_a_file_writes_lines_and_draws_nothing(told: bool, tmp_path: Path) -> None:
    """Here with a fifth of a second for ten seconds, so that there is something to count."""
    script = "import sys; from snnlab import cli, progress; progress.FIRST, progress.EVERY = 0.0, 0.2; "
    script += "sys.exit(cli.main(sys.argv[1:]))"
    asked = ["train", "cnn", "--data=digits", "--epochs=12", "--threads=1", f"--out={tmp_path / 'net'}"]
    began = time.monotonic()
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-c", script, *asked, *([] if told else ["--quiet"])]
        subprocess.run(command, stderr=log, stdout=subprocess.DEVNULL, check=True)
    log = (tmp_path / "log").read_bytes()
    lines = log.decode().splitlines()
    assert b"\r" not in log and b"\x1b" not in log
    assert (1 if told else 0) <= len(lines) <= ((time.monotonic() - began) / 0.2 if told else 0)
    assert all(
        re.fullmatch(r"epoch \d+/12: \d+ %(, \d\d:\d\d left)?(, accuracy .*)?", line) for line in lines
    )


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="Windows has no pseudo-terminals")
def test_a_terminal_has_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNNLAB_PROGRESS", raising=False)
    leader, follower = os.openpty()
    with os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        for _ in progress_bar(range(2), "drawn", delay=0.0, mininterval=0.0, ncols=60, nrows=9):
            pass
        drawn = b""
        while b"\rdrawn:  50%|" not in drawn and select([leader], [], [], 60)[0]:  # it comes in pieces
            drawn += os.read(leader, 10_000)
        assert b"\rdrawn:  50%|" in drawn
    os.close(leader)
