"""`snnlab doctor` sees each trouble that is planted, says what to do, and never ends in a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from snnlab.cli import doctor

QUICK = "from snnlab.cli import doctor; doctor._kernel = lambda: iter(()); "
"""The kernel is tried where a test is about it; it takes as long as PyTorch takes to be imported."""
RUN = "import sys; from snnlab import cli; sys.exit(cli.main(['doctor', '--json']))"


def diagnosis(planted: str = "", **environment: str | None) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code and checks by name, of a process of its own in which something is planted."""
    given = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", planted + RUN], env=given, capture_output=True, text=True, check=False
    )
    assert done.stderr == "", done.stderr
    return done.returncode, {check["name"]: check for check in json.loads(done.stdout)}


def test_nothing_is_wrong_where_nothing_is_planted(tmp_path: Path) -> None:
    """Here the kernel is tried, too, and finds no home: so do users of a container."""
    code, checks = diagnosis(HOME="/proc/nobody", SNNLAB_DATA=str(tmp_path / "not" / "yet"))
    states = {name: check["state"] for name, check in checks.items()}
    assert code == 0, checks
    assert states.pop("settings of Jupyter") == "warning"
    assert "trouble" not in states.values()
    assert states["kernel"] == states["lessons"] == states["explorers"] == states["data"] == "ok"
    assert checks["data"]["found"] == str(tmp_path / "not" / "yet")
    assert not (tmp_path / "not").exists(), "a check changes nothing"


LOST = """
from importlib import metadata
real = metadata.version
def version(name):
    if name == "safetensors":
        raise metadata.PackageNotFoundError(name)
    return real(name)
metadata.version = version
"""
PLANTED = {
    "Python": ("doctor.OLDEST = (9, 0); ", "3.11 or newer"),
    "safetensors": (
        LOST,
        "pip install",
    ),
    "memory": ("doctor._free_memory = lambda: 5e8; ", "Close other programs"),
    "lessons": ("from snnlab.cli import lab; lab.FIRST_LESSON = 'none.ipynb'; ", ""),
    "explorers": ("doctor._package = lambda wing: __import__('pathlib').Path('WING'); ", "again"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_trouble_has_its_line_and_what_to_do(name: str, tmp_path: Path) -> None:
    planted, todo = PLANTED[name]
    (tmp_path / "one.py").write_text('SCRIPTS = ("lost.js",)')
    code, checks = diagnosis(f"from snnlab import cli; {QUICK}{planted.replace('WING', str(tmp_path))}")
    assert (code, checks[name]["state"]) == (1, "trouble"), checks
    assert todo in checks[name]["todo"]
    assert sum(check["state"] == "trouble" for check in checks.values()) == 1


@pytest.mark.skipif(
    not Path("/proc").is_dir(), reason="there is no folder that nobody can write, not even root"
)
def test_what_cannot_be_written_is_said() -> None:
    lost = {
        "SNNLAB_DATA": "/proc/nobody",
        "SNNLAB_ANSWERS": "/proc/nobody/answers.json",
        "HOME": "/proc/nobody",
    }
    code, checks = diagnosis(QUICK, **lost)
    assert code == 1
    assert checks["data"]["state"] == checks["trained networks"]["state"] == "trouble"
    assert "SNNLAB_DATA" in checks["data"]["todo"]
    assert checks["predictions"]["state"] == checks["settings of Jupyter"]["state"] == "warning"


def test_without_a_home_a_browser_or_sense_there_is_still_an_answer() -> None:
    code, checks = diagnosis(
        QUICK + "doctor.BROWSERS = (); ", HOME=None, PATH="", BROWSER=None, OMP_NUM_THREADS="999"
    )
    assert code == 0
    assert checks["browser"]["state"] == "warning" and "--no-browser" in checks["browser"]["todo"]
    assert checks["threads"]["state"] == "warning"


def test_a_kernel_without_pytorch_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('operator torchvision::nms does not exist')")
    code, checks = diagnosis(PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    assert (code, checks["kernel"]["state"]) == (1, "trouble")
    assert "nms does not exist" in checks["kernel"]["found"]


def test_a_package_that_is_older_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.metadata, "version", lambda _: "0.0.1+cpu")
    assert {check.state for check in doctor._packages() if check.name != "packages"} == {"warning"}
    monkeypatch.setattr(doctor.metadata, "version", lambda _: "99999.10")
    assert [check.state for check in doctor._packages()] == ["ok"]
