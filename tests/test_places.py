"""Where to write is found out before the work, also in a checkout that cannot be written and for several users."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from snnlab import files
from snnlab.cli import lab
from snnlab.course import copies, prediction
from snnlab.files import marked, places
from snnlab.reports import site

ROOT = Path(__file__).parents[1]
DROPPED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
"""Root, as everybody is in a container, may write everywhere; without these two rights the modes hold for root, too."""


def obeying(code: str, *args: object, cwd: Path = ROOT, **environment: str) -> str:
    """What a process prints that the modes of files bind."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if os.name != "posix" or (root and shutil.which("setpriv") is None):
        pytest.skip("modes do not bind this user, and there is no setpriv")
    given = {name: value for name, value in os.environ.items() if not name.startswith(("SNNLAB_", "XDG_"))}
    given |= {"PYTHONPATH": str(ROOT)} | environment
    command = [*(DROPPED if root else []), sys.executable, "-c", code, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, env=given, cwd=cwd, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What of a checkout matters here: it has a pyproject.toml, lessons and data."""
    folder = tmp_path / "checkout"
    (folder / "data" / "trained").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    (folder / "docs").mkdir()
    (folder / "notebooks" / lab.FIRST_LESSON).write_text("{}")
    (folder / "docs" / "page.md").write_text("A page")
    (folder / "pyproject.toml").touch()
    return folder


def closed(folder: Path) -> Path:
    """The same folder, which nobody can write any more."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


ASKED = """
import sys
from pathlib import Path
from snnlab import files
from snnlab.cli import lab
from snnlab.files import places
places.PACKAGE = Path(sys.argv[1]) / "snnlab"
print(files.data_folder(part="trained"), files.answers_file(Path(sys.argv[1]) / "notebooks"), *lab.to_work_in())
"""


def test_in_a_checkout_of_ones_own_everything_lies_in_the_checkout(checkout: Path, tmp_path: Path) -> None:
    answers = checkout / "notebooks" / ".snnlab" / "predictions.json"
    said = obeying(ASKED, checkout, HOME=str(tmp_path)).split()
    assert said == [str(checkout / "data" / "trained"), str(answers), str(checkout), "False"]


def test_in_one_that_cannot_be_written_it_lies_in_the_user_s_folders(checkout: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    own = [home / ".cache/snnlab/trained", home / ".local/share/snnlab/predictions.json"]
    said = obeying(ASKED, closed(checkout), cwd=checkout, HOME=str(home)).split()
    assert said == [*map(str, own), str(home / lab.COPY), "True"]
    assert list(home.iterdir()) == [], "asking makes nothing"


def test_what_somebody_else_has_made_there_and_keeps_is_not_written_either(
    checkout: Path, tmp_path: Path
) -> None:
    (checkout / "data" / "trained").chmod(0o555)
    said = obeying(ASKED, checkout, HOME=str(tmp_path)).split()
    assert said[0] == str(tmp_path / ".cache" / "snnlab" / "trained")


def test_snnlab_data_is_before_all_others(checkout: Path, tmp_path: Path) -> None:
    said = obeying(ASKED, checkout, HOME=str(tmp_path), SNNLAB_DATA=str(tmp_path / "new")).split()
    assert said[0] == str(tmp_path / "new" / "trained")


def test_what_the_checkout_has_already_is_read_there(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PACKAGE", checkout / "snnlab")
    monkeypatch.setenv("SNNLAB_DATA", str(tmp_path / "own"))
    common = checkout / "data" / "trained" / "x.safetensors"
    own = tmp_path / "own" / "trained" / "x.safetensors"
    assert files.kept("trained/x.safetensors") == own
    common.touch()
    assert files.kept("trained/x.safetensors") == common
    own.parent.mkdir(parents=True)
    own.touch()
    assert files.kept("trained/x.safetensors") == own, "one's own is before the others'"


TRAINED = """
import sys
from snnlab import datasets, networks
from snnlab.datasets import Data
from snnlab.training import recipes

def learn(*_):
    print("trained")

data = datasets.load("digits")
few = Data("few", data.classes, data.train[:20], data.train[:10], data.test[:10])
try:
    recipes.prepare(recipes.Recipe("r", "r", (recipes.Stage("s", learn=learn),)), networks.cnn, few, progress=False)
except ValueError as error:
    print(error)
"""


def test_no_network_is_trained_where_none_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o555)
    said = obeying(TRAINED, SNNLAB_DATA=str(tmp_path / "shut"))
    assert "trained\n" not in said
    assert "SNNLAB_DATA" in said and "Permission denied" in said and said.count("\n") == 1
    assert obeying(TRAINED, SNNLAB_DATA=str(tmp_path / "open")) == "trained\n"
    assert obeying(TRAINED, SNNLAB_DATA=str(closed(tmp_path / "open"))) == "", (
        "read, though nobody can write there"
    )


def test_a_network_that_could_not_be_kept_in_the_end_is_there_for_this_call(tmp_path: Path) -> None:
    """The disk is full by then, or the folder's owner has closed it: told in a warning."""
    shut = "    import os; print('trained'); os.makedirs(os.environ['SNNLAB_DATA'] + '/trained', 0o555)"
    code = TRAINED.replace('    print("trained")', shut) + "import warnings\n"
    code = "import warnings; warnings.showwarning = lambda text, *_: print(text)\n" + code
    said = obeying(code, SNNLAB_DATA=str(tmp_path / "late"))
    assert said.startswith("trained\n") and "will be trained again" in said


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_predictions_have_the_mode_that_the_umask_gives(
    umask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "predictions.json"
    monkeypatch.setenv("SNNLAB_ANSWERS", str(path))
    before = os.umask(umask)
    try:
        prediction.record("01.1", "2")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_the_lab_s_copy_is_made_once_and_what_was_done_in_it_stays(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(places, "PACKAGE", checkout / "snnlab")
    folder = tmp_path / "mine"
    lesson = folder / "notebooks" / lab.FIRST_LESSON
    assert lab._opened(folder) == folder / "notebooks"
    assert (folder / "docs" / "page.md").read_text() == "A page", "the lessons link to it"
    before = folder.stat().st_ino
    assert lab._opened(folder) == folder / "notebooks"
    assert folder.stat().st_ino == before, "a lab that runs in it keeps its folder"
    (checkout / "notebooks" / lab.FIRST_LESSON).write_text("newer")
    lab._opened(folder)
    assert lesson.read_text() == "newer", "nobody has worked in it"
    lesson.write_text("mine")
    capsys.readouterr()
    assert lab._opened(folder) == folder / "notebooks"
    assert lesson.read_text() == "mine" and "as you left them" in capsys.readouterr().err


def test_the_lab_copies_into_no_folder_of_something_else(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "PACKAGE", checkout / "snnlab")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("years")
    with pytest.raises(lab.Mistake, match=r"thesis.*holds 'thesis\.tex'"):
        lab._opened(tmp_path / "thesis")
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["thesis.tex"]


def test_the_lab_opens_what_was_handed_out_as_it_is(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The student's copy, whole or a lesson of it, beside the other copies or alone: nothing is copied over it."""
    monkeypatch.setattr(places, "PACKAGE", checkout / "snnlab")
    copies.write(ROOT / "notebooks", tmp_path / "class")
    before = sorted(tmp_path.rglob("*"))
    for name in ("student", "instructor", "slides"):
        assert lab._handed_out(tmp_path / "class" / name) == tmp_path / "class" / name
    with pytest.raises(
        lab.Mistake, match=r"in folders of its own: name one, .*instructor or .*slides or .*student"
    ):
        lab._handed_out(tmp_path / "class")
    assert sorted(tmp_path.rglob("*")) == before
    lab._opened(tmp_path / "mine")
    assert lab._handed_out(tmp_path / "mine") is None, "its lessons lie one folder further down"


def test_what_the_kit_wrote_as_something_else_is_not_replaced(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class's copies, a reader's lessons and pages are marked alike, but none takes the place of another."""
    monkeypatch.setattr(places, "PACKAGE", checkout / "snnlab")
    out = copies.write(ROOT / "notebooks", tmp_path / "class")
    lab._opened(tmp_path / "mine")
    with marked.building(tmp_path / "site") as new:
        (new / "index.html").write_text("ten minutes of work")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(lab.Mistake, match=r"wrote as something else, with 'index\.html'"):
        lab._opened(tmp_path / "site")
    for folder in ("mine", "site"):
        with pytest.raises(ValueError, match="wrote as something else"):
            copies.write(ROOT / "notebooks", tmp_path / folder)
    for folder in ("mine", "class"):
        with pytest.raises(ValueError, match="wrote as something else"):
            site.write(checkout / "notebooks", tmp_path / folder)
    assert sorted(tmp_path.rglob("*")) == before
    assert copies.write(ROOT / "notebooks", out) == out, "its own kind it replaces"


AT_ONCE = TRAINED.replace('print("trained")', "sys.stdin.read()").replace(
    "import sys\n", "import sys, torch\n", 1
)


def test_users_who_train_the_same_network_at_once_each_get_it(tmp_path: Path) -> None:
    """In a folder in which nobody may replace another's files, only the first one's is kept; here all are one's own."""
    environment = os.environ | {"SNNLAB_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)}
    users = [
        subprocess.Popen(
            [sys.executable, "-c", AT_ONCE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        for _ in range(3)
    ]  # each waits in its training until its input ends
    said = [user.communicate(timeout=120)[0] for user in users]
    assert said == [""] * 3 and all(user.returncode == 0 for user in users)
    assert len(list((tmp_path / "trained").iterdir())) == 1
