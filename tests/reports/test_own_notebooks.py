"""Any notebook as a report: its parameters cell is read and held to, never run to be listed; a failure is told once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from snnlab import cli
from snnlab.reports import ParameterError, check, declared, names
from snnlab.reports.folder import FILES, LEFTOVER

ROOT = Path(__file__).parents[2]
LONG = int(os.environ.get("SNNLAB_HOSTILE", "1"))
KINDS = """from typing import Annotated, Literal
from pydantic import Field
from snnlab.reports.kinds import Range, Steps
Share = Annotated[float, Range(0, 1)]
"""
PARAMETERS = """T: Annotated[int, Range(1, 4096)] = 16  # time steps
share: Share = 0.5  # of the images
few: Annotated[int, Field(ge=1, le=2**31 - 1)] = 3
kind: Literal["a", "b"] = "a"  # which
steps: Steps = 4
title = "plain"  # shown
on: bool = True
sizes: list[int] = [1, 2]
double = 2 * T
late = double + 1  # follows T
"""


def own(folder: Path, parameters: str = PARAMETERS, *more: str, above: str = KINDS) -> Path:
    cells = [nbformat.v4.new_code_cell(cell) for cell in (above, parameters, *more)]
    cells[1].metadata["tags"] = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# My <b>own</b>"), *cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "my.ipynb")
    return folder / "my.ipynb"


def test_names_types_bounds_defaults_and_help_are_those_of_the_cell(tmp_path: Path) -> None:
    assert [(p.name, p.default, p.help, p.listed) for p in declared(own(tmp_path))] == [
        ("T", 16, "time steps", "a whole number from 1 to 4096"),
        ("share", 0.5, "of the images", "a number from 0 to 1"),
        ("few", 3, "", "a whole number from 1 to 2147483647"),
        ("kind", "a", "which", "one of a, b"),
        ("steps", 4, "", "a whole number from 1 to 1024"),
        ("title", "plain", "shown", "a text"),
        ("on", True, "", "true or false"),
        ("sizes", [1, 2], "", "a list, each a whole number, written [1,2,4]"),
    ]


def test_listing_runs_no_line_of_the_file(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    touch = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    path = own(tmp_path, f"T: int = 1\nx = {touch}\ny: ({touch}, int)[1] = 2", above=f"{touch}\nK = {touch}")
    with pytest.raises(ParameterError, match=r"parameter 'y' of my\.ipynb is annotated"):
        declared(path)
    assert [p.name for p in declared(own(tmp_path, f"T: int = 1\nx = {touch}", above=touch))] == ["T"]
    assert not mark.exists()


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("T: int = 'x'", "'T' of my.ipynb starts as 'x', but must be a whole number"),
        ("T: Annotated[int, Range(1, 9)] = 0", "starts as 0, but must be a whole number from 1 to 9"),
        ("T: Nosuch = 1", "annotated 'Nosuch', which is not known"),
        ("T: Annotated[int, Range(1, 9**9**9)] = 1", "not known"),
        ("T: int = 1; U: int = 2*T", "two statements in line 1"),
        ("T: int = 1\nT: int = 2", "'T' twice"),
        ("%matplotlib inline", "no plain Python"),
        ("T: Literal[open] = 1", "not known"),
    ],
)
def test_a_cell_that_cannot_be_held_to_is_named(cell: str, says: str, tmp_path: Path, capsys) -> None:
    assert cli.main(["report", str(own(tmp_path, cell)), "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert says in err and err.count("\n") == 1 and not (tmp_path / "out").exists()


def test_what_is_computed_follows_and_text_is_text(tmp_path: Path, capsys) -> None:
    show = "import json\nprint(json.dumps([T, double, late, title]))"
    path, title = own(tmp_path, PARAMETERS, show), "</script>'\"\\\n{x}"
    argv = ["report", str(path), "-p", "T=100", "-p", f"title={title}", "--out", str(tmp_path / "<i>out")]
    assert cli.main(argv) == 0
    executed = nbformat.read(tmp_path / "<i>out" / "report.ipynb", as_version=4)
    said = [output.text for cell in executed.cells for output in cell.get("outputs", [])]
    assert [json.loads(text) for text in said] == [[100, 200, 201, title]]
    page = (tmp_path / "<i>out" / "report.html").read_text(encoding="utf-8")
    assert "</script>'" not in page and "<i>out" not in page
    assert {path.name for path in (tmp_path / "<i>out").iterdir()} == set(FILES)
    assert cli.main([*argv[:2], "-p", "double=3", "--out", str(tmp_path / "other")]) == 2
    assert "'double' is no parameter: my.ipynb computes it" in capsys.readouterr().err


def test_a_cell_that_fails_is_told_once_and_its_report_marked(tmp_path: Path, capsys) -> None:
    path = own(tmp_path, PARAMETERS, "x = 1", "raise KeyError('<script>gone')", "never = 1")
    assert cli.main(["report", str(path), "--out", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert err.count("Traceback (most recent call last)") == 1
    assert "in cell 5: KeyError: '<script>gone'" in err and f"marked as failed: {tmp_path / 'out'}" in err
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "This report failed" in page and "<script>gone" not in page
    assert "cell 5" in json.loads((tmp_path / "out" / "results.json").read_text())["failed"]
    assert {one.name for one in tmp_path.iterdir()} == {"my.ipynb", "out"}


BAD = (
    "", " ", "0", "-1", "1e9", "nan", "x" * 5000, "9" * 5000, "None", "[]", "[0]", "[1,1]", "{}", "qcsf", "<b>", "\x00",
    "\ud800", "1_0", "٣", "true", "1.5", "[1,2", "é",
)  # fmt: skip


def bad_parameters(count: int) -> list[tuple[str, str, str]]:
    """Reports with a bad parameter each, drawn from a seed; what happens to be allowed is left out."""
    draw, found = random.Random(0), []
    every = {name: declared(name) for name in names()}
    while len(found) < count:
        report = draw.choice(list(every))
        parameter, text = draw.choice(every[report]), draw.choice(BAD)
        name = (
            parameter.name if draw.random() < 0.85 else draw.choice(("", parameter.name.upper() + "x", text))
        )
        try:
            check(report, {name: text})
        except ParameterError:
            found.append((report, name, text))
    return found


@pytest.mark.parametrize(("report", "name", "text"), bad_parameters(150 * LONG), ids=lambda _: "")
def test_a_bad_parameter_is_one_line_before_a_kernel_starts(
    report: str, name: str, text: str, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr("snnlab.reports.running.probe", lambda _: pytest.fail("the folder was already tried"))
    try:
        code = cli.main(["report", report, "-p", f"{name}={text}", "--out", str(tmp_path / "out")])
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n")) == (2, "", 1) and len(said.err) < 900
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_and_a_list_do_not_wait_for_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from snnlab import cli; cli.main(['report', 'nosuch', '--out', 'x']);"
        "cli.main(['report', '--list']);"
        "cli.main(['report', 'conversion', '--help']); sys.exit('torch' in sys.modules or 'nbformat' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "'nosuch'" in done.stderr
    assert "T = 16  time steps\n      a whole number from 1 to 1024" in done.stdout


def test_ctrl_c_to_all_says_in_one_line_what_is_kept(tmp_path: Path) -> None:
    """As a terminal sends it: to the command, its kernel and whatever else is of its group."""
    (tmp_path / "tmp").mkdir()
    path = own(tmp_path, "results: str = ''", "import time\ntime.sleep(60)", above="import sys")
    child = subprocess.Popen(
        [sys.executable, "-m", "snnlab", "report", str(path), "--out", str(tmp_path / "out")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
    )  # fmt: skip
    while child.poll() is None and not list(tmp_path.glob(f"{LEFTOVER}*/new/report.ipynb")):
        time.sleep(0.05)
    time.sleep(2)
    os.killpg(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=60)
    last = err.replace("\r", "\n").strip().splitlines()
    assert child.returncode == 130 and "Traceback" not in err and "zmq" not in err.lower(), err
    assert last[-1].startswith("snnlab: stopped; ") and "is as it was" in last[-1]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["my.ipynb", "tmp"]
    assert not list((tmp_path / "tmp").glob("snnlab-*"))
    living = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path / "tmp" / "snnlab-kernel-") not in living, "a kernel lives on"
