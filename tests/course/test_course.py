"""The course: predictions are kept whatever happens to their file, checks name the mistake that was made."""

import ast
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from snnlab.course import check, looking_back, predict, reveal
from snnlab.course.lessons import Answer, Exercise
from snnlab.course.prediction import Form, Given, record, recorded

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
FRAME = "00"
"""The lesson that says what the course is for: two questions, no exercise."""
NUMBERS = sorted(path.stem[-2:] for path in (ROOT / "snnlab" / "course").glob("lesson_*.py"))


def table(lesson: str, name: str) -> dict[str, Any]:
    from importlib import import_module

    return getattr(import_module(f"snnlab.course.lesson_{lesson}"), name)


EXERCISES: dict[str, Exercise] = {k: e for lesson in NUMBERS for k, e in table(lesson, "EXERCISES").items()}
ANSWERS: dict[str, Answer] = {k: a for lesson in NUMBERS for k, a in table(lesson, "ANSWERS").items()}


@pytest.fixture(autouse=True)
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "folder" / "answers.json"
    monkeypatch.setenv("SNNLAB_ANSWERS", str(path))
    return path


def asked() -> Form:
    return predict("01.1", "How many spikes?", range(17))


# --- predictions ------------------------------------------------------------------------------------------------


def test_the_record_button_writes_the_answer_down(answers: Path) -> None:
    form = asked()
    form.answer.value = 5
    assert not answers.exists()
    form.button.click()
    ((given,),) = json.loads(answers.read_text()).values()
    assert given["answer"] == 5 and datetime.fromisoformat(given["at"]) <= datetime.now(UTC)
    assert "first answer <b>5 (" in form.said.value


def test_without_the_variable_the_answers_lie_beside_the_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SNNLAB_ANSWERS")
    monkeypatch.chdir(tmp_path)
    record("01.1", 6)
    kept = json.loads((tmp_path / ".snnlab" / "predictions.json").read_text())
    assert kept["01.1"][0]["answer"] == 6


def test_no_option_is_chosen_beforehand_and_an_empty_answer_is_not_recorded(answers: Path) -> None:
    assert asked().answer.label == "choose a number"
    for form in (predict("01.4", "How many?", ["0", "about 150", "200"]), asked()):
        assert form.answer.value is None
        form.button.click()
        assert "Choose" in form.said.value
    assert not answers.exists()


def test_the_first_answer_stays_with_its_time_and_another_is_called_the_second() -> None:
    record("01.1", 5)
    (first,) = recorded()["01.1"]
    form = asked()
    assert form.answer.value == 5 and "first answer <b>5" in form.said.value
    for later in (4, 6, 6):
        form.answer.value = later
        form.button.click()
    assert recorded()["01.1"][0] == first and [given.answer for given in recorded()["01.1"]] == [5, 6]
    assert "first answer <b>5 (" in form.said.value and "second answer <b>6 (" in form.said.value
    verdict = reveal("01.1")
    assert verdict.status == "wrong", "it is the first that counts"
    assert "you predicted 5; it is: 6" in verdict.text and "Your second answer was 6 (" in verdict.text


def test_an_answer_without_its_time_is_a_first_answer(answers: Path) -> None:
    answers.parent.mkdir()
    answers.write_text('{"01.1": 5, "01.4": "0"}')
    assert str(recorded()["01.1"][0]) == "5"
    record("01.1", 6)
    assert [given.answer for given in recorded()["01.1"]] == [5, 6] and recorded()["01.4"][0].answer == "0"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of this process cannot be set")
def test_a_time_is_shown_as_the_readers_clock_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    assert str(Given(6, "2026-11-28T18:50:00+00:00")) == "6 (28 Nov 2026, 19:50)"
    monkeypatch.undo()
    time.tzset()


def test_an_earlier_answer_that_is_no_option_any_more_is_no_obstacle() -> None:
    record("01.1", "a dozen")
    assert asked().answer.value is None


DAMAGED = [b"", b"{", b"[1, 2]", b"null", b'{"01.1": ', b"\xff\xfe\x00", b"[" * 100_000, b'{"01.1": [6]}']


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_stops_nothing_and_is_kept_aside(answers: Path, content: bytes) -> None:
    answers.parent.mkdir()
    answers.write_bytes(content)
    assert reveal("01.1").status == "unanswered"
    form = asked()
    form.answer.value = 0
    form.button.click()
    assert recorded()["01.1"][0].answer == 0
    assert answers.with_name(answers.name + ".damaged").read_bytes() == content


def test_a_file_that_cannot_be_written_is_said_in_the_form(answers: Path) -> None:
    answers.parent.write_text("a file where the folder should be")
    form = asked()
    form.answer.value = 3
    form.button.click()
    assert "cannot be written" in form.said.value and "<b>3</b>" in form.said.value
    assert reveal("01.1").status == "unanswered"


def test_an_interrupted_write_leaves_the_old_answers(answers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record("01.1", 5)

    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        record("01.1", 6)
    assert [given.answer for given in recorded()["01.1"]] == [5]
    assert list(answers.parent.iterdir()) == [answers]


def test_where_no_browser_draws_it_the_form_is_its_text() -> None:
    assert repr(asked()) == "Prediction 01.1. How many spikes?  [0 to 16]"
    form = predict("01.4", "How many?", ["0", "about 150", "200"])
    assert repr(form) == "Prediction 01.4. How many?  [0 | about 150 | 200]"


def test_what_a_question_says_is_text_not_markup() -> None:
    assert "z &lt; 1" in predict("01.1", "What if z < 1?", range(17)).children[0].value


@pytest.mark.parametrize("number", ["01.99", "77.1", "", "neuron"])
def test_an_unknown_number_is_named(number: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(number))):
        predict(number, "?", range(3))


def test_options_without_the_true_answer_are_refused() -> None:
    with pytest.raises(ValueError, match="do not allow"):
        predict("01.1", "How many spikes?", range(4))


def test_the_answer_says_what_was_predicted_what_is_true_and_what_tempted() -> None:
    record("01.1", 5)
    assert reveal("01.1").status == "wrong"
    assert reveal("01.1").text.startswith("**01.1: you predicted 5; it is: 6.**")
    assert "Why *5* tempts" in reveal("01.1").text
    record("01.2", 1)
    assert reveal("01.2").passed and "that is right" in reveal("01.2").text
    record("01.3", "a way that nobody thought of")
    assert reveal("01.3").status == "wrong"


def test_without_a_prediction_the_answer_is_folded_away() -> None:
    verdict = reveal("01.1")
    assert verdict.status == "unanswered"
    summary, _, rest = verdict.text.partition("</summary>")
    assert "no prediction" in summary and "6" not in summary.replace("01.1", "")
    assert rest.startswith("\n\n**01.1: 6.**") and rest.endswith("\n\n</details>")


def test_looking_back_says_which_way_each_answer_was_wrong_and_what_to_read_again() -> None:
    assert looking_back("01").status == "unanswered"
    for number, answer in (("01.1", 4), ("01.2", 6), ("01.3", "it falls")):
        record(number, answer)
    record("01.1", 6)
    lines = looking_back("01").text.splitlines()
    assert lines[0] == "**Lesson 01: 0 of 4 first answers were right.**"
    cells = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ") for line in lines[4:]}
    assert cells["01.1"][2:] == ["6", "2 too few", "section 1"] and "; second: 6 (" in cells["01.1"][1]
    assert cells["01.2"][2:] == ["1", "5 too many", "section 2"]
    assert cells["01.3"][3] == ANSWERS["01.3"].tempting["it falls"] and cells["01.3"][4] == "section 4"
    assert cells["01.4"][1:] == ["none", "", "not answered", "section 5"]


def test_looking_back_on_what_was_right_leaves_nothing_to_read_again() -> None:
    for number, answer in table("01", "ANSWERS").items():
        record(number, answer.truth)
    assert looking_back("01").passed and "section" not in looking_back("01").text
    with pytest.raises(ValueError, match="'99' belongs to no lesson"):
        looking_back("99")


@pytest.mark.parametrize("lesson", NUMBERS)
def test_no_answer_breaks_the_table_of_looking_back(lesson: str) -> None:
    for number, answer in table(lesson, "ANSWERS").items():
        record(number, next(iter(answer.tempting)))
    assert {line.count("|") for line in looking_back(lesson).text.splitlines()[2:]} == {6}


@pytest.mark.parametrize("number", ANSWERS)
def test_every_answer_explains_at_least_two_wrong_ones(number: str) -> None:
    answer = ANSWERS[number]
    assert len(answer.tempting) >= 2 and answer.truth not in answer.tempting
    record(number, answer.truth)
    assert reveal(number)._repr_markdown_().startswith(f"**{number}: you predicted")


# --- the lessons ------------------------------------------------------------------------------------------------


def cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]


def text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def tagged(path: Path, tag: str) -> list[str]:
    return [text(cell) for cell in cells(path) if tag in cell["metadata"].get("tags", [])]


def calls(path: Path, name: str) -> list[list[ast.expr]]:
    trees = [ast.parse(text(cell)) for cell in cells(path)]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [node.args for node in nodes if isinstance(node.func, ast.Name) and node.func.id == name]


def numbers(path: Path, name: str) -> list[str]:
    return [ast.literal_eval(args[0]) for args in calls(path, name)]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_asks_at_least_three_questions_and_answers_each(path: Path) -> None:
    asked_for = numbers(path, "predict")
    assert len(asked_for) >= (2 if path.name[:2] == FRAME else 3)
    assert asked_for == numbers(path, "reveal") == list(table(path.name[:2], "ANSWERS"))
    for number, question, options in calls(path, "predict"):
        form = predict(*(eval(ast.unparse(node)) for node in (number, question, options)))
        known = ANSWERS[form.number]
        assert all(show in form.options for show in known.tempting), f"{form.number}: not an option"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_an_answer_names_the_section_that_asks_it_and_the_lesson_ends_by_looking_back(path: Path) -> None:
    section, asked_in, ends = 0, {}, []
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            section = max([section, *map(int, re.findall(r"^## (\d+) ·", text(cell), re.MULTILINE))])
        elif found := re.search(r'^predict\(\s*"(.*?)"', text(cell), re.MULTILINE):
            asked_in[found[1]] = section
        ends.append(text(cell))
    assert asked_in == {number: answer.section for number, answer in table(path.name[:2], "ANSWERS").items()}
    assert ends[-3] == f'looking_back("{path.name[:2]}")' and ends[-1] == "end_kernel()"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_stubs_are_not_done_yet_and_solutions_pass(path: Path) -> None:
    """Each exercise: a stub, `check(number, stub)`, and a folded cell that defines and checks the solution."""
    given = [c for c in map(text, cells(path)) if re.match(r"(import|from) ", c)] + tagged(path, "parameters")
    stubs, solutions = tagged(path, "exercise"), tagged(path, "solution")
    exercises = table(path.name[:2], "EXERCISES")
    assert len(stubs) == len(solutions) == len(exercises) >= (0 if path.name[:2] == FRAME else 2)
    for number, stub, solution in zip(exercises, stubs, solutions, strict=True):
        names: dict[str, Any] = {}
        exec("\n".join(given), names)
        exec(stub, names)
        (function,) = (node.name for node in ast.parse(stub).body if isinstance(node, ast.FunctionDef))
        assert check(number, names[function]).status == "todo"
        assert [f'check("{number}", {function})'] == [
            c.strip() for c in map(text, cells(path)) if c.strip() == f'check("{number}", {function})'
        ]
        assert f'assert check("{number}", ' in solution
        exec(solution, names)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_solutions_are_folded_and_nothing_uses_what_the_student_wrote(path: Path) -> None:
    for cell in cells(path):
        tags = cell["metadata"].get("tags", [])
        assert bool({"solution", "answer"} & set(tags)) == bool(
            cell["metadata"].get("jupyter", {}).get("source_hidden")
        )
    stubs = {node.name for stub in tagged(path, "exercise") for node in ast.parse(stub).body}
    for cell in map(text, cells(path)):
        used = {node.id for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Name)}
        assert not used & stubs or cell.startswith("check(")
