"""The command line: quick, in one line about mistakes, and JupyterLab opens on the first lesson."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import snnlab
from snnlab import CATALOGUE, cli
from snnlab.cli.lab import FIRST_LESSON
from snnlab.cli.options import SHELLS
from snnlab.files import places

COMMAND = [sys.executable, "-m", "snnlab"]


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """What stderr says of a mistake: one line, and exit code 2."""
    try:
        code = cli.main(argv)
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1), (code, out, err)
    return err


@pytest.mark.parametrize("port", ["0", "65536", "-1", "eighty", "8888.0", "", "9" * 5000])
def test_a_bad_port_is_refused(capsys: pytest.CaptureFixture[str], port: str) -> None:
    assert "a port is a whole number from 1 to 65535" in refused(capsys, "lab", f"--port={port}")


def test_a_missing_or_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "COMMAND" in refused(capsys)
    assert "'jump'" in refused(capsys, "jump")
    assert "--jump" in refused(capsys, "methods", "--jump")


def test_without_lessons_it_says_where_they_come_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "site" / "snnlab")
    monkeypatch.chdir(tmp_path)
    message = refused(capsys, "lab", "--no-browser")
    assert str(tmp_path / "site" / "notebooks") in message
    assert "install snnlab again" in message


def test_report_parameters_are_checked_at_the_door(capsys: pytest.CaptureFixture[str]) -> None:
    assert "KEY=VALUE, not 'T'" in refused(capsys, "report", "conversion", "-p", "T", "--out", "x")
    assert "KEY=VALUE, not '=4'" in refused(capsys, "report", "conversion", "-p", "=4", "--out", "x")
    twice = refused(capsys, "report", "conversion", "-p", "T=4", "-p", "T=8", "--out", "x")
    assert "'T' is given 2 times" in twice
    assert "--out" in refused(capsys, "report", "conversion")


def test_a_mistake_in_a_report_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    message = refused(capsys, "report", "conversion", "-p", "tea=4", "--out", str(tmp_path / "out"))
    assert "tea" in message
    assert list(tmp_path.iterdir()) == []


def test_without_the_kit_s_reports_one_is_asked_for_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "site" / "snnlab")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", "conversion", "--out", "out"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    assert "install snnlab again" in err


def test_methods_lists_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["methods"]) == 0
    table = capsys.readouterr().out
    assert all(method.name in table and method.paper in table for method in CATALOGUE.values())


def test_methods_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["methods", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in listed] == list(CATALOGUE)
    keys = {"name", "title", "paper", "year", *cli.CHOICES, "needs", "depends_on_T"}
    assert all(set(entry) == keys for entry in listed)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"snnlab {snnlab.__version__}\n"


@pytest.mark.parametrize("name", cli.EXAMPLES)
def test_a_command_s_help_ends_in_an_example_that_can_be_typed_and_the_exit_codes(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(cli.EXAMPLES) == set(commands()), "a command without an example"
    *_, example, codes = commands()[name].format_help().splitlines()
    program, *typed = shlex.split(example.removeprefix("example: "))
    assert (program, typed[0]) == ("snnlab", name)
    assert cli.parser().parse_args(typed).command == name
    assert codes.startswith("exit codes: 0; 1 ") and "2 a mistake" in codes


def commands() -> dict[str, cli.Parser]:
    [found] = [action.choices for action in cli.parser()._actions if action.dest == "command"]
    return found


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_a_script_that_the_shell_reads(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--print-completion", shell])
    script = capsys.readouterr().out
    assert all(name in script for name in cli.EXAMPLES) and "scheduler" in script
    if program := shutil.which(shell):
        done = subprocess.run([program, "-n"], input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_tab_key_completes_commands_options_and_folders(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--print-completion", "bash"])
    script = capsys.readouterr().out
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for words, wanted in (("tr", "train"), ("study --sche", "--scheduler"), ("study --out f", "folder")):
        ask = f"COMP_WORDS=(snnlab {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))"
        ask += "; _shtab_snnlab; echo ${COMPREPLY[@]}"
        asked = ["bash", "-c", f"{script}\n{ask}"]
        done = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.stdout.split() == [wanted], done.stderr


def test_help_does_not_wait_for_torch() -> None:
    code = "import sys; from snnlab import cli; cli.parser().format_help(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "numpy", "jupyterlab", "snnlab.converters.methods"} & set(loaded.split())


@pytest.mark.parametrize(("own", "wanted"), [(None, "10000"), ("7", "7")])
def test_how_long_threads_wait_is_said_before_torch_reads_it(own: str | None, wanted: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    environment |= {} if own is None else {"GOMP_SPINCOUNT": own}
    code = "import os, sys, snnlab; print(os.environ['GOMP_SPINCOUNT'], 'torch' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [wanted, "False"]


def test_a_reader_that_leaves_early_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*COMMAND, "methods"], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[str]) -> str:
    """The page at url, once the server of process answers."""
    for _ in range(300):
        assert process.poll() is None, process.stderr
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read(), "utf-8")
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"nothing answered at {url} for a minute")


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is not sent this way on Windows")
@pytest.mark.parametrize("home", ["", "/proc/nobody"], ids=["home", "no home"])
def test_lab_opens_the_first_lesson_and_ends_with_ctrl_c(home: str, tmp_path: Path) -> None:
    """Also where home cannot be written: the search for language servers hung there, and Ctrl-C with it."""
    port, log = free_port(), tmp_path / "log"
    environment = os.environ | {"JUPYTER_TOKEN": "tried", "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    environment |= (
        {"HOME": home}
        if home
        else {
            "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
            "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        }
    )
    with log.open("w") as file:
        command = [*COMMAND, "lab", "--no-browser", f"--port={port}"]
        process = subprocess.Popen(command, stderr=file, text=True, env=environment, start_new_session=True)
    try:
        contents = f"http://127.0.0.1:{port}/api/contents"
        address = f"{contents}/notebooks/{FIRST_LESSON}?content=0&token=tried"
        assert json.loads(wait_for(address, process))["type"] == "notebook"
        guide = f"{contents}/docs/your_own_network.md?content=0&token=tried"
        assert json.loads(wait_for(guide, process))["type"] == "file", "the lessons link to it"
        assert f"/lab/tree/notebooks/{FIRST_LESSON}" in log.read_text()
        plugin = "@jupyterlab/notebook-extension:tracker"
        settings = wait_for(f"http://127.0.0.1:{port}/lab/api/settings/{plugin}?token=tried", process)
        code = json.loads(settings)["schema"]["properties"]["codeCellConfig"]["default"]
        assert code["lineWrap"] is True, "code scrolls sideways on a narrow page"
        plugin = "@jupyterlab/docmanager-extension:plugin"
        settings = wait_for(f"http://127.0.0.1:{port}/lab/api/settings/{plugin}?token=tried", process)
        viewers = json.loads(settings)["schema"]["properties"]["defaultViewers"]["default"]
        assert viewers["markdown"] == "Markdown Preview", "a link to the glossary would open its source"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 0
    finally:
        process.kill()
    assert "Traceback" not in log.read_text()
    assert ("so the lab forgets its settings" in log.read_text()) == bool(home)
