"""The wheel is the kit: what it holds, and that commands run from it in an empty folder, without the checkout."""

import email
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUN = """
import sys
sys.path = [path for path in sys.path if path != sys.argv[1]]
import snnlab
from snnlab.cli import main
assert not snnlab.__file__.startswith(sys.argv[1] + "/"), "the checkout"
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which an installer unpacks it."""
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def run(site: Path, folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in a folder."""
    folder.mkdir(exist_ok=True)
    home = {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(site)}
    given = {name: value for name, value in os.environ.items() if not name.startswith("SNNLAB_")}
    command = [sys.executable, "-c", RUN, str(ROOT), *arguments]
    done = subprocess.run(command, cwd=folder, env=given | home, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def tracked(*patterns: str) -> set[str]:
    """Files that belong to the project, not what a reader's lab has left beside them."""
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no clone, so nobody knows which files are the project's")
    return {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}


def test_it_holds_the_package_and_all_that_the_commands_read(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    shipped = {name.removeprefix("snnlab/_shipped/") for name in held if name.startswith("snnlab/_shipped/")}
    assert tracked("snnlab") <= held
    assert tracked("notebooks", "studies", "data/published", "data/results", "docs/*.md") <= shipped
    networks = {name for name in shipped if name.endswith(".safetensors")}
    wanted = tracked("data/checkpoints/resnet20-*", "data/checkpoints/vgg16-relu.safetensors")
    assert networks == wanted and len(wanted) == 7
    assert wheel.stat().st_size < 12e6


def test_the_page_that_an_index_shows_leads_nowhere_that_is_not_there(site: Path) -> None:
    (path,) = site.glob("snnlab-*.dist-info/METADATA")
    about = email.message_from_string(path.read_text(encoding="utf-8"))
    links = re.findall(r"\]\(([^)]*)\)|src=\"([^\"]*)\"", str(about.get_payload()))
    assert not [link for link in links if not "".join(link).startswith("https://")]
    assert "Typing :: Typed" in about.get_all("Classifier", []) and (site / "snnlab" / "py.typed").is_file()


def test_the_reports_and_the_lessons_are_found(site: Path, tmp_path: Path) -> None:
    assert run(site, tmp_path / "a", "report", "--list")[1].count("\n") == 5
    code, checks, err = run(site, tmp_path / "a", "doctor")
    assert (code, err) == (0, ""), checks
    assert f"lessons: 15 in {site}" in checks and f"{tmp_path}/a/cache/snnlab/trained" in checks


def test_a_report_of_published_figures_and_the_kit_s_own_results_runs(site: Path, tmp_path: Path) -> None:
    code, out, err = run(site, tmp_path / "b", "report", "papers", "--out", "out")
    assert (code, out) == (0, f"written: {tmp_path / 'b' / 'out'}\n"), err
    assert "resnet20-qcfs" in (tmp_path / "b" / "out" / "report.html").read_text(encoding="utf-8")


def test_a_network_that_did_not_come_is_asked_for_before_the_work(site: Path, tmp_path: Path) -> None:
    code, _, err = run(site, tmp_path / "c", "study", "xiong_2025", "--out", "out")
    assert (code, err.count("\n")) == (2, 1), err
    assert (
        "vgg16-qc_ann.safetensors" in err and str(tmp_path / "c" / "cache" / "snnlab" / "checkpoints") in err
    )
    assert list((tmp_path / "c").iterdir()) == []


def test_the_lessons_are_copied_to_be_worked_in(site: Path, tmp_path: Path) -> None:
    code = "from snnlab.cli import lab; print(lab._opened(None))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(site)}, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    folder = tmp_path / "snnlab-lessons" / "notebooks"
    assert done.stdout == f"{folder}\n"
    assert {path.name for path in folder.iterdir()} == {
        Path(name).name for name in tracked("notebooks/*")
    } - {Path(name).name for name in tracked("notebooks/reports/*")}
