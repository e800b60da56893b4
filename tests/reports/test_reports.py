"""Reports: parameters are checked first, the folder is whole or absent, equal settings give equal bytes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import nbformat
import papermill
import pytest
from browser import browser
from hypothesis import given
from hypothesis import strategies as st
from notebook_lint import lint

from snnlab import CATALOGUE, cli, datasets
from snnlab.files import scratch
from snnlab.reports import ParameterError, ReportError, check, declared, kinds, names, run
from snnlab.reports.execution import execute
from snnlab.reports.folder import FILES, LEFTOVER, FailedError, put, target
from snnlab.simulators import coding
from snnlab.studies import papers

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "reports" / "conversion.ipynb"
COMMAND = [sys.executable, "-m", "snnlab", "report"]


def command(out: Path, report: str = "conversion", **params: str) -> list[str]:
    settings = [text for key, value in params.items() for text in ("-p", f"{key}={value}")]
    return [*COMMAND, report, *settings, "--out", str(out)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def start_and_stop(out: Path, stop: signal.Signals, at: str = "new/report.ipynb") -> tuple[int, str]:
    """Start a report, send it a signal once there is this file of it; its exit code, and what it says at the end."""
    process = subprocess.Popen(
        command(out), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    )
    try:
        deadline = time.monotonic() + 120
        while not list(out.parent.glob(f"{LEFTOVER}*/{at}")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(stop)
        said, _ = process.communicate(
            timeout=60
        )  # until nobody, a kernel that was left neither, can write there
        return process.returncode, said
    finally:
        process.kill()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both reports of the acceptance, after one that was killed there; the second is run twice into its folder."""
    parent = tmp_path_factory.mktemp("reports")
    assert start_and_stop(parent / "qcfs", signal.SIGKILL)[0] == -signal.SIGKILL
    assert [path.name[: len(LEFTOVER)] for path in parent.iterdir()] == [LEFTOVER]
    qcfs, max_norm = parent / "qcfs", parent / "max_norm"
    asked = command(qcfs, data="digits", method="qcfs", T="16")
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, f"written: {qcfs}\n"), done.stderr
    assert re.match(r"conversion: \d+ %", done.stderr) and "\r" not in done.stderr, "no progress was shown"
    first = contents(run("conversion", {"method": "max_norm", "T": "4", "epochs": "5"}, max_norm))
    again = contents(run("conversion", {"method": "max_norm", "T": "4", "epochs": "5"}, max_norm))
    assert set(contents(qcfs)) == set(first) == set(FILES)
    assert [name for name in FILES if first[name] != again[name]] == [], "equal settings, other bytes"
    assert sorted(path.name for path in parent.iterdir()) == ["max_norm", "qcfs"], "leftovers are not cleared"
    return {"qcfs": qcfs, "max_norm": max_norm}


def results(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_qcfs_comes_within_a_point_of_its_ann_at_16_steps(reports: dict[str, Path]) -> None:
    found = results(reports["qcfs"])
    assert found["ann_accuracy"] > 0.97
    assert abs(found["snn_accuracy"]["16"] - found["ann_accuracy"]) <= 0.01


def test_max_norm_fails_visibly_at_4_steps(reports: dict[str, Path]) -> None:
    found = results(reports["max_norm"])
    assert found["ann_accuracy"] > 0.97
    assert found["snn_accuracy"]["4"] < 0.5


def test_results_say_what_was_asked_and_what_was_found(reports: dict[str, Path]) -> None:
    found, params = results(reports["qcfs"]), json.loads((reports["qcfs"] / "params.json").read_text())
    assert found["params"] == params == check("conversion", {})
    assert list(found["snn_accuracy"]) == [str(t) for t in range(1, 17)]
    assert set(found["firing_rate"]) == set(found["layers"]) == {"conv1.act", "conv2.act", "fc1.act"}
    assert all(0 < rate <= 1 for rate in found["firing_rate"].values())
    assert {"python", "snnlab", "torch"} <= set(found["versions"])


def test_a_report_of_images_as_spikes_says_so(tmp_path: Path) -> None:
    params = {"T": "4", "epochs": "1", "images": "60", "coding": "poisson"}
    found = results(run("conversion", params, tmp_path / "out"))
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert found["params"]["coding"] == "poisson" and "each shown as random spikes of its pixels" in page
    assert found["layers"]["conv1.act"]["sizes"]["inherited"] > 0.01
    assert list(found["layers"].values())[-1]["accuracy"] == pytest.approx(found["snn_accuracy"]["4"])


def test_what_max_norm_loses_it_loses_in_the_first_layers(reports: dict[str, Path]) -> None:
    layers = list(results(reports["max_norm"])["layers"].values())
    carried = [layer["output"] / layer["activation"] for layer in layers]
    assert carried == sorted(carried, reverse=True) and carried[0] < 0.6 and carried[-1] < 0.1
    assert layers[0]["shares"]["quantisation"] > 0.9 and layers[-1]["shares"]["inherited"] > 0.5
    few = results(reports["qcfs"])["layers"].values()
    assert all(0.9 < layer["output"] / layer["activation"] < 1.1 for layer in few)


def test_the_anatomy_in_the_results_adds_up_and_ends_at_the_networks_accuracy(
    reports: dict[str, Path],
) -> None:
    for name, found in ((name, results(folder)) for name, folder in reports.items()):
        for layer in found["layers"].values():
            assert sum(layer["means"].values()) == pytest.approx(
                layer["output"] - layer["activation"], abs=1e-5
            )
        last = list(found["layers"].values())[-1]["accuracy"]
        assert last == pytest.approx(found["snn_accuracy"][str(found["params"]["T"])], abs=0.005), name


def test_a_report_knows_no_time_and_no_place(reports: dict[str, Path]) -> None:
    for path in reports["qcfs"].iterdir():
        text = path.read_text(encoding="utf-8")
        assert str(reports["qcfs"].parent) not in text and LEFTOVER not in text and str(ROOT) not in text
    notebook = nbformat.read(reports["qcfs"] / "report.ipynb", as_version=4)
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert not [output for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output
                and "\r" in output.text]  # fmt: skip


def test_the_page_is_one_small_file(reports: dict[str, Path]) -> None:
    page = (reports["qcfs"] / "report.html").read_text(encoding="utf-8")
    assert len(page) < 3_000_000
    assert page.count("<script") < 8 and "<script src" not in page and '<link rel="stylesheet"' not in page
    assert "98." in page or "99." in page


def test_the_page_opened_offline_draws_charts_that_answer(reports: dict[str, Path]) -> None:
    with browser("the charts of report.html") as chromium:
        for width in (1280, 390):
            page = chromium.new_context(offline=True, viewport={"width": width, "height": 900}).new_page()
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("pageerror", lambda error: pytest.fail(f"the page failed: {error}"))
            page.goto((reports["qcfs"] / "report.html").as_uri())
            page.wait_for_selector(".plotly-figure.js-plotly-plot .main-svg")
            page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length == 3")
            page.locator(".js-plotly-plot").first.scroll_into_view_if_needed()
            page.locator(".js-plotly-plot .nsewdrag").first.hover()
            page.wait_for_selector(".js-plotly-plot .hoverlayer text")
            before = page.evaluate("document.querySelector('.js-plotly-plot').layout.xaxis.range.join()")
            area = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
            assert area
            page.mouse.move(area["x"] + 0.3 * area["width"], area["y"] + area["height"] / 2)
            page.mouse.down()
            page.mouse.move(area["x"] + 0.7 * area["width"], area["y"] + area["height"] / 2, steps=5)
            page.mouse.up()
            page.wait_for_function(
                "before => document.querySelector('.js-plotly-plot').layout.xaxis.range.join() != before",
                arg=before,
            )
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "scrolls sideways"
            assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.parametrize("at", ["new", "new/report.ipynb"])  # while the kernel starts, and while it runs
@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_report_says_one_line_and_leaves_nothing(
    stop: signal.Signals, code: int, at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(own))
    out = tmp_path / "new" / "report"
    left, said = start_and_stop(out, stop, at)
    assert left in (
        code,
        -stop,
    )  # Python ends by the signal itself if it meets it in an exec, as of a dataclass
    lines = [line for line in said.splitlines() if not line.startswith("conversion: ")]
    assert lines == [f"snnlab: stopped; {out} is as it was, and whole networks trained so far are kept"], (
        repr(said)
    )
    assert list(tmp_path.iterdir()) == [own] and list(own.iterdir()) == []


@pytest.mark.parametrize("report", names())
def test_plain_papermill_knows_every_parameter_and_warns_of_nothing(report: str, caplog) -> None:
    path = NOTEBOOK.with_stem(report)
    inferred = papermill.inspect_notebook(path)
    assert [name for name in inferred if name != "results"] == [p.name for p in declared(report)]
    assert {p.name: p.help for p in declared(report)}.items() <= {
        n: f["help"] for n, f in inferred.items()
    }.items()
    assert caplog.records == []


def test_words_of_the_kinds_are_those_of_the_kit() -> None:
    assert get_args(kinds.Data) == datasets.NAMES and get_args(kinds.Coding) == get_args(coding.Coding)
    assert get_args(kinds.PaperNetwork) == tuple(papers.NETWORKS)
    methods = next(p for p in declared("conversion") if p.name == "method")
    assert methods.choices == tuple(CATALOGUE)


@pytest.mark.parametrize("report", names())
def test_the_notebook_keeps_the_house_rules_and_needs_no_widgets(report: str) -> None:
    """An error in a widget's callback would be swallowed: the report would look finished."""
    path = NOTEBOOK.with_stem(report)
    assert lint(path, report=True) == []
    assert "widgets" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [p.name for p in declared("conversion")])
def test_every_default_and_every_end_of_a_range_is_allowed(name: str) -> None:
    [parameter] = [p for p in declared("conversion") if p.name == name]
    ends = [str(parameter.schema[end]) for end in ("minimum", "maximum") if end in parameter.schema]
    allowed = parameter.choices or ends or (parameter.default,)  # words such as the data's are looked up
    assert [str(check("conversion", {name: text})[name]) for text in allowed] == list(allowed)
    assert check("conversion", {name: str(parameter.default)})[name] == parameter.default


NUMBERS = [p for p in declared("conversion") if "minimum" in p.schema]


def bounds(parameter) -> str:
    return f"from {parameter.schema['minimum']} to {parameter.schema['maximum']}"


NOT_WHOLE = [
    "", " ", "007", "00", "-0", "+5", "16.0", "1e1", "1_0", " 16", "16 ", "0x10", "True", "None", "nan", "inf", "1e999",
    "16,0", "١٦", "1²", "--1", "1;2", "[16]", "16\n", "\x00", "\ud800", "9" * 5000, "-" + "9" * 5000, "T", "1-", "5%",
]  # fmt: skip


@pytest.mark.parametrize("parameter", NUMBERS, ids=lambda p: p.name)
@pytest.mark.parametrize("text", NOT_WHOLE, ids=range(len(NOT_WHOLE)))
def test_a_number_is_written_in_plain_digits(parameter, text: str) -> None:
    with pytest.raises(ParameterError) as refused:
        check("conversion", {parameter.name: text})
    one_good_line(str(refused.value), parameter.name, bounds(parameter))


@pytest.mark.parametrize("parameter", NUMBERS, ids=lambda p: p.name)
@given(number=st.integers())
def test_a_number_is_refused_outside_its_range_and_taken_inside(parameter, number: int) -> None:
    if parameter.schema["minimum"] <= number <= parameter.schema["maximum"]:
        assert check("conversion", {parameter.name: str(number)})[parameter.name] == number
        return
    with pytest.raises(ParameterError) as refused:
        check("conversion", {parameter.name: str(number)})
    one_good_line(str(refused.value), parameter.name, bounds(parameter))


@given(name=st.text(), text=st.text())
def test_no_text_is_taken_for_a_name_or_a_choice_it_is_not(name: str, text: str) -> None:
    known = {p.name: p for p in declared("conversion")}
    if name not in known:
        with pytest.raises(ParameterError) as refused:
            check("conversion", {name: text})
        one_good_line(str(refused.value), *known)
    for parameter in (p for p in known.values() if text not in p.choices and p.choices):
        with pytest.raises(ParameterError) as refused:
            check("conversion", {parameter.name: text})
        one_good_line(str(refused.value), parameter.name, *parameter.choices)


def one_good_line(line: str, *parts: str) -> None:
    """Printable, short, and with all that the reader must know."""
    assert line.isprintable() and len(line) < 600  # the methods alone take 300
    assert not [part for part in parts if part not in line]


@pytest.mark.parametrize(
    ("report", "params", "parts"),
    [
        ("conversion", {"metod": "qcfs"}, ["'metod'", "did you mean 'method'?"]),
        ("conversion", {"t": "16"}, ["'t'", "did you mean 'T'?"]),
        ("conversion", {"method": "QFCS"}, ["'method'", "'QFCS'", "did you mean 'qcfs'?"]),
        (
            "conversion",
            {"coding": "poison"},
            ["'coding'", "one of constant, poisson", "did you mean 'poisson'?"],
        ),
        ("conversion", {"data": "fashion-mnist"}, ["'data'", "did you mean 'fashion_mnist'?"]),
        ("conversion", {"T": "16.0"}, ["'T'", "'16.0'", "from 1 to 1024, in digits: 16"]),
        ("conversion", {"T": "0"}, ["'T'", "'0'", "from 1 to 1024"]),
        ("conversion", {"images": "451"}, ["'images'", "451", "450 test images"]),
        ("conversions", {}, ["'conversions'", "did you mean 'conversion'?"]),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(report, params, parts, tmp_path: Path, capfd) -> None:
    """Exit code 2, before a kernel starts."""
    assert cli.main(command(tmp_path / "a" / "b", report, **params)[3:]) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1
    one_good_line(err.rstrip("\n"), *parts)
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_at_the_real_command_line_shows_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path / "out", method="qfcs"), capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "did you mean 'qcfs'?" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no POSIX")
def test_a_data_set_that_cannot_be_had_is_one_line(tmp_path: Path, capfd, monkeypatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SNNLAB_DATA", str(tmp_path / "file"))
    assert cli.main(command(tmp_path / "out", data="mnist")[3:]) == 1
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and "MNIST" in err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path, capfd) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("x")
    for out, part in (
        (tmp_path / "out", "'thesis.tex'"),
        (tmp_path / "file", "a file"),
        (Path.cwd(), "current"),
    ):
        assert cli.main(command(out)[3:]) == 2
        err = capfd.readouterr().err
        assert err.count("\n") == 1 and part in err
    assert contents(tmp_path / "out") == {"thesis.tex": b"years of work"}


def small(*cells: str) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.cells[0].metadata["tags"] = ["parameters"]
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return notebook


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("1 / T", "in cell 2: ZeroDivisionError: division by zero"),
        ("import os; os._exit(3)", "the kernel died"),
    ],
)
def test_a_cell_that_fails_is_named_and_the_notebook_kept(cell: str, says: str, tmp_path: Path) -> None:
    nbformat.write(small("T: int = 1\nresults: str = ''", cell, "print('never')"), tmp_path / "bad.ipynb")
    with scratch(tmp_path / "a {folder}", LEFTOVER) as folder, pytest.raises(FailedError) as failed:
        execute(tmp_path / "bad.ipynb", {"T": 0}, folder)
    line = str(failed.value)
    assert says in line and "\n" not in line
    assert cell in [one.source for one in failed.value.executed.cells]
    assert [path.name for path in tmp_path.iterdir()] == ["bad.ipynb"]


def test_of_a_progress_bar_nothing_is_kept(tmp_path: Path) -> None:
    standing = "import sys\nfrom tqdm import tqdm\nfor k in tqdm(range(3)):\n    pass\n"
    drawn_over = "print('lost\\r      ', end='\\r', file=sys.stderr)\nprint('kept', file=sys.stderr)"
    nbformat.write(small("results: str = ''", standing + drawn_over, standing), tmp_path / "bar.ipynb")
    (tmp_path / "out").mkdir()
    executed = execute(tmp_path / "bar.ipynb", {}, tmp_path / "out")
    assert [output.text.strip() for cell in executed.cells for output in cell.outputs] == ["kept"]


def test_an_incomplete_folder_is_never_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "params.json").write_text("{}")
    with pytest.raises(ReportError, match=r"report\.html and no report\.ipynb and no results\.json"):
        put(tmp_path / "new", tmp_path / "out", tmp_path / "old")
    assert not (tmp_path / "out").exists()


def test_a_folder_in_use_is_no_leftover(tmp_path: Path) -> None:
    with scratch(tmp_path, LEFTOVER) as first, scratch(tmp_path, LEFTOVER) as second:
        assert first.is_dir() and second.is_dir() and first != second
    dead = tmp_path / f"{LEFTOVER}dead.tmp"
    dead.mkdir()
    with scratch(tmp_path, LEFTOVER):
        assert not dead.exists()
    assert target(tmp_path / "x") == (tmp_path / "x").resolve()
