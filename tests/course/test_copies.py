"""The copies of a class: no solution in the student's, every answer in the instructor's, equal bytes."""

import ast
import json
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from snnlab import cli
from snnlab.course import copies, own
from snnlab.course.lessons import answers_of, find

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
RUN = LESSONS if os.environ.get("SNNLAB_EXAMPLES") else [LESSONS[1], LESSONS[9]]
"""Lessons whose student copies are run: 01, and 09, which goes on with an exercise's function; or all."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copies.write(ROOT / "notebooks", tmp_path_factory.mktemp("class") / "copies")


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def tagged(notebook: dict[str, Any], tag: str) -> Iterator[str]:
    for cell in notebook["cells"]:
        if tag in cell["metadata"].get("tags", []):
            yield "".join(cell["source"])


def body(source: str) -> set[str]:
    """The lines of a solution that say something, without its heads and its check."""
    lines = (line.strip() for line in source.splitlines())
    return {
        line
        for line in lines
        if len(line) > 8 and not line.startswith(("def ", "assert check", "return spikes"))
    }


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_no_solution_is_left_for_students(lesson: Path, written: Path) -> None:
    source, text = read(lesson), (written / "student" / lesson.name).read_text(encoding="utf-8")
    cells = ["".join(cell["source"]) for cell in read(written / "student" / lesson.name)["cells"]]
    hidden = set().union(*(body(solution) for solution in tagged(source, "solution")))
    stubs = "\n".join(tagged(source, "exercise"))
    found = {line for line in hidden if line not in stubs and any(line in cell for cell in cells)}
    elsewhere = "\n".join(
        "".join(c["source"]) for c in source["cells"] if "solution" not in c["metadata"].get("tags", [])
    )
    assert not {line for line in found if line not in elsewhere}
    assert "The solution" not in text and '"solution"' not in text
    assert not any(cell.get("outputs") for cell in read(written / "student" / lesson.name)["cells"])


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_stub_and_solution_take_the_same(lesson: Path) -> None:
    source = read(lesson)
    pairs = list(zip(tagged(source, "exercise"), tagged(source, "solution"), strict=True))
    assert bool(pairs) == (lesson.name[:2] != "00"), (
        "the lesson that says what the course is for has no exercise"
    )
    for stub, solution in pairs:
        heads = []
        for text in (stub, solution):
            function = next(
                node for node in reversed(ast.parse(text).body) if isinstance(node, ast.FunctionDef)
            )
            heads.append((ast.dump(function.args), ast.dump(function.returns) if function.returns else None))
        assert heads[0] == heads[1], stub


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_instructor_has_every_answer_and_every_hint(lesson: Path, written: Path) -> None:
    notebook = read(written / "instructor" / lesson.name)
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    flat = " ".join(text.split())
    for answer in answers_of(lesson.stem[:2]).values():
        assert " ".join(answer.why.split()) in flat
    exercises = [copies._checked({"source": [solution]}) for solution in tagged(read(lesson), "solution")]
    assert bool(exercises) == (lesson.name[:2] != "00")
    for number in exercises:
        for mistake in find(number, "EXERCISES").mistakes:
            assert " ".join((mistake.__doc__ or "").split()) in flat, (number, mistake.__name__)
    assert not any(cell["metadata"].get("jupyter", {}).get("source_hidden") for cell in notebook["cells"])


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_slides_open_at_sections(lesson: Path, written: Path) -> None:
    cells = read(written / "slides" / lesson.name)["cells"]
    sections = sum(
        "".join(cell["source"]).startswith(("# ", "## ")) for cell in cells if cell["cell_type"] == "markdown"
    )
    kinds = [cell["metadata"]["slideshow"]["slide_type"] for cell in cells]
    assert kinds[0] == "slide" and kinds.count("slide") == sections > 3 and kinds.count("subslide") > sections
    for before, cell in pairwise(cells):  # no slide has two pieces of code
        both = before["cell_type"] == cell["cell_type"] == "code"
        assert not both or cell["metadata"]["slideshow"]["slide_type"] in ("subslide", "skip")
    shown = [
        tuple(c["metadata"].get("tags", ())) for c, kind in zip(cells, kinds, strict=True) if kind != "skip"
    ]
    assert ("parameters",) not in shown and ("kernel",) not in shown
    assert "The values that the text speaks of" not in "".join(
        "".join(cell["source"]) for cell, kind in zip(cells, kinds, strict=True) if kind != "skip"
    )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_copies_are_notebooks(lesson: Path, written: Path) -> None:
    for name in copies.COPIES:
        notebook = nbformat.read(written / name / lesson.name, as_version=4)
        nbformat.validate(notebook)
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
        assert "](../" not in (written / name / lesson.name).read_text(encoding="utf-8")


def test_two_builds_give_equal_bytes(written: Path, tmp_path: Path) -> None:
    again = copies.write(ROOT / "notebooks", tmp_path / "again")
    files = {path.relative_to(written): path.read_bytes() for path in written.rglob("*") if path.is_file()}
    assert files == {
        path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()
    }
    assert len(files) == 3 * (len(LESSONS) + 2) + 1  # glossary and references beside them, and the mark


def test_a_folder_of_copies_is_replaced_only_as_it_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "copies"
    assert cli.main(["student", "--out", str(out)]) == 0
    assert cli.main(["student", "--out", str(out)]) == 0
    mine = out / "student" / LESSONS[0].name
    mine.write_text(mine.read_text(encoding="utf-8") + " ", encoding="utf-8")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert cli.main(["student", "--out", str(out)]) == 2
    assert "not as the kit wrote it" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert [path.name for path in tmp_path.iterdir()] == ["copies"]


@pytest.mark.parametrize("given", [".", "file", "folder", "link"])
def test_nothing_of_anybodys_is_replaced(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    (tmp_path / "link").symlink_to("folder")
    assert cli.main(["student", "--out", given]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"snnlab: --out is '{given}'") and said.count("\n") == 1
    assert (tmp_path / "folder" / "notes.txt").read_text() == (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "link"]


def test_a_lesson_goes_on_with_the_students_function_once_it_is_right() -> None:
    def right(spikes: list[float], fanout: list[int]) -> float:
        return sum(s * f for s, f in zip(spikes, fanout, strict=True))

    def wrong(spikes: list[float], fanout: list[int]) -> float:
        return sum(spikes)

    assert own("11.1", right) is right
    assert own("11.1", wrong) is find("11.1", "EXERCISES").reference


@pytest.mark.parametrize("lesson", RUN, ids=lambda path: path.stem)
def test_a_students_copy_runs_with_every_exercise_open(lesson: Path, written: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(written / "student" / lesson.name, as_version=4)
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()  # raises where a cell fails
    said = json.dumps(notebook)  # each verdict twice: as text and as Markdown
    assert said.count("not done yet") // 2 == sum(1 for _ in tagged(read(lesson), "exercise"))
