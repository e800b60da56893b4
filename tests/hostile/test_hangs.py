"""What used to hang, or to be changed by somebody's files: pipes among pictures, start-up files, kernels that die."""

import os
from pathlib import Path

import nbformat
import pytest
from doors import limited
from jupyter_client.manager import AsyncKernelManager
from PIL import Image

from snnlab.datasets import folders
from snnlab.reports import ReportError
from snnlab.reports.execution import execute


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    for k in range(12):
        path = tmp_path / "classes" / "ab"[k % 2] / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 10 * k).save(path)
    return tmp_path / "classes"


def notebook(tmp_path: Path, code: str) -> Path:
    cells = [nbformat.v4.new_code_cell(text) for text in ("results = ''", code)]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "one.ipynb")
    return tmp_path / "one.ipynb"


@pytest.mark.skipif(os.name != "posix", reason="there are no named pipes")
def test_a_pipe_among_the_pictures_is_named(classes: Path) -> None:
    os.mkfifo(classes / "a" / "x.png")
    with (
        limited(),
        pytest.raises(OSError, match=r"x\.png cannot be read as an image \(it is a device, a pipe"),
    ):
        folders.load(classes, size=8)


def test_what_macos_leaves_beside_pictures_is_passed_over(classes: Path) -> None:
    before = folders.load(classes, size=8)
    (classes / "a" / "._0.png").write_bytes(b"\0\5\26\7")
    after = folders.load(classes, size=8)
    assert [len(before.train), len(before.test)] == [len(after.train), len(after.test)]


def test_nobodys_start_up_files_run_in_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    for file in (startup / "00.py", tmp_path / "python.py"):
        file.write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()", encoding="utf-8")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "python.py"))
    (tmp_path / "out").mkdir()
    execute(notebook(tmp_path, "print(1 + 1)"), {}, tmp_path / "out")
    assert not (tmp_path / "ran").exists()


def test_a_kernel_that_dies_at_its_start_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "dead" / "ipykernel").mkdir(parents=True)
    (tmp_path / "dead" / "ipykernel" / "__init__.py").write_text("raise SystemExit(3)", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "dead"))
    (tmp_path / "out").mkdir()
    with pytest.raises(ReportError, match=r"did not start \(Kernel died.*--version` work\?$") as raised:
        execute(notebook(tmp_path, "pass"), {}, tmp_path / "out")
    assert "\n" not in str(raised.value) and caplog.text == ""


@pytest.mark.parametrize("safe", ["", "1"])
def test_a_kernel_finds_its_packages_and_not_the_reports_own_files(
    safe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With PYTHONSAFEPATH Python puts no program's folder in front."""
    monkeypatch.setenv("PYTHONSAFEPATH", safe)
    (tmp_path / "out").mkdir()
    code = "import importlib.util, snnlab\nprint([importlib.util.find_spec(name) for name in ('running', 'cells')])"
    executed = execute(notebook(tmp_path, code), {}, tmp_path / "out")
    assert executed.cells[-1].outputs[0].text == "[None, None]\n"


def test_a_kernel_ends_in_order_and_does_not_wait_for_the_tracker_of_resources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which heeds no signal: what waits for it is killed after some seconds, and leaves undone what was to be done."""
    monkeypatch.setattr(AsyncKernelManager.shutdown_wait_time, "default_value", 120.0)  # on a busy machine
    (tmp_path / "out").mkdir()
    ends = (
        "import atexit\nfrom multiprocessing import resource_tracker\nfrom pathlib import Path\n"
        f"resource_tracker.ensure_running()\natexit.register(Path({str(tmp_path / 'ended')!r}).touch)\n"
        "print(resource_tracker._resource_tracker._pid > 0, get_ipython().kernel._process_children())"
    )
    executed = execute(notebook(tmp_path, ends), {}, tmp_path / "out")
    assert executed.cells[-1].outputs[0].text == "True []\n" and (tmp_path / "ended").exists()
