"""A class's predictions on one page: counted rightly, without names, whatever lies in the folders."""

import json
import os
import random
import re
import time
from pathlib import Path

import pytest

from snnlab import cli
from snnlab.course import gathering, prediction
from snnlab.course.lessons import answers_of


def hand_in(folder: Path, name: str, answers: dict[str, list[object]]) -> None:
    path = folder / name / ".snnlab" / "predictions.json"
    path.parent.mkdir(parents=True)
    given = {number: [{"answer": one, "at": ""} for one in said] for number, said in answers.items()}
    path.write_text(json.dumps(given), encoding="utf-8")


def counted(page: str) -> dict[str, dict[str, int]]:
    """What the page says: question to answer to number of people."""
    found: dict[str, dict[str, int]] = {}
    for number, table in re.findall(
        r"<h2>(\S+):.*?</h2>\s*<p>.*?</p>\s*<table>(.*?)</table>", page, re.DOTALL
    ):
        rows = re.findall(r"<td>(.*?)(?: &#10003;)?</td>.*?</span>(\d+)</td>", table)
        found[number] = {answer: int(count) for answer, count in rows}
    return found


def test_first_answers_are_counted(tmp_path: Path) -> None:
    draw, wanted = random.Random(0), {}
    for k in range(30):
        said = draw.choice([5, 6, 7])
        wanted[str(said)] = wanted.get(str(said), 0) + 1
        hand_in(tmp_path, f"name-{k}", {"01.1": [said, 99]} | ({"02.1": [3]} if k < 4 else {}))
    page = gathering.page([tmp_path])
    assert counted(page) == {"01.1": wanted, "02.1": {"3": 4}}
    assert "Readers: 30." in page and "name-" not in page
    assert f"{wanted['6']} of 30 right" in page and answers_of("01")["01.1"].truth == 6


def test_in_chinese_the_page_is_chinese_and_its_counts_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k, answer in enumerate(["its equations do not say", "1 ms, as in models of the brain"]):
        hand_in(tmp_path / "class", f"name-{k}", {"00.1": [answer], "01.1": [6]})
    out, counts = tmp_path / "class.html", []
    for tongue in ("en", "zh", "en", "zh"):  # a page in another language is replaced
        monkeypatch.setenv("SNNLAB_LANGUAGE", "en")
        asked = ["gather", str(tmp_path / "class"), "--out", str(out), "--language", tongue]
        assert cli.main(asked) == 0
        counts.append([list(each.values()) for each in counted(out.read_text(encoding="utf-8")).values()])
    page = out.read_text(encoding="utf-8")
    assert counts[0] == counts[1] == [[1, 1], [2]]
    assert '<html lang="zh-CN">' in page and "<title>全班的预测</title>" in page and "2 份中答对 1 份" in page
    assert "它的方程里没有说 &#10003;" in page
    text = re.sub("<style>.*?</style>|<[^>]*>", "|", page, flags=re.DOTALL)
    assert not re.findall("[A-Za-z]{2,} [a-z]{2,}", text)


def test_a_reader_who_hands_in_twice_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first file, a copy, a fuller one, and a classmate who thinks the same in the same second."""
    for name in ("ada", "bob"):
        monkeypatch.setenv("SNNLAB_ANSWERS", str(tmp_path / f"{name}-predictions.json"))
        prediction.record("01.1", 5.0)
        time.sleep(0.01)  # not in the same millisecond
    early = (tmp_path / "ada-predictions.json").read_bytes()
    monkeypatch.setenv("SNNLAB_ANSWERS", str(tmp_path / "ada-predictions.json"))
    prediction.record("01.1", 6.0)
    prediction.record("02.1", 3.0)
    for name in ("ada-predictions (1).json", "old/predictions.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(early)
    page = gathering.page([tmp_path])
    assert (
        counted(page)["01.1"]["5"] == 2 and sum(counted(page)["02.1"].values()) == 1 and "Readers: 2." in page
    )


def test_the_true_answer_stands_there_even_if_nobody_gave_it(tmp_path: Path) -> None:
    hand_in(tmp_path, "one", {"01.1": [5]})
    assert counted(gathering.page([tmp_path])) == {"01.1": {"5": 1, "6": 0}}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"01.1": 3', b"\xff\xfe", b"[" * 100_000, b'{"01.1": [{"answer": null}]}'],
)
def test_a_damaged_file_holds_nothing(content: bytes, tmp_path: Path) -> None:
    hand_in(tmp_path, "good", {"01.1": [6]})
    (tmp_path / "predictions-bad.json").write_bytes(content)
    assert counted(gathering.page([tmp_path])) == {"01.1": {"6": 1}}


def test_the_page_says_what_was_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown to a class: without the question an answer says nothing."""
    asked = {f"{lesson:02}": answers_of(f"{lesson:02}") for lesson in range(15)}
    for lesson, answers in asked.items():
        questions = gathering._questions(lesson)
        assert set(questions) == set(answers) and all(questions.values())
    hand_in(tmp_path, "one", {"01.1": [6]})
    assert "<p>Threshold 1, start at 0, input 0.375 in each of 16 steps." in gathering.page([tmp_path])
    gathering._questions.cache_clear()
    monkeypatch.setattr(gathering, "kit", lambda _: tmp_path / "nowhere")
    assert counted(gathering.page([tmp_path])) == {"01.1": {"6": 1}}
    gathering._questions.cache_clear()


@pytest.mark.parametrize("name", ["predictions (1).json", "Ada Lovelace_1815_file_predictions.json"])
def test_a_name_that_a_browser_or_a_server_has_given_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('{"01.1": [{"answer": "6", "at": ""}]}')
    page = gathering.page([tmp_path])
    assert counted(page) == {"01.1": {"6": 1}} and "Ada" not in page


def test_a_file_without_answers_is_named_to_the_instructor_and_not_to_the_class(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(tmp_path, "good", {"01.1": [6]})
    (tmp_path / "predictions-ada.json").write_text('{"01.1": [')
    assert cli.main(["gather", str(tmp_path), "--out", str(tmp_path / "class.html")]) == 0
    assert "predictions-ada.json holds no answer, and is left out" in capsys.readouterr().err
    assert "ada" not in (tmp_path / "class.html").read_text(encoding="utf-8")


def test_words_of_a_file_stay_words(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    hand_in(
        tmp_path,
        "evil",
        {"01.1": [evil], evil: [1], "../../01.1": [1], "99.1": [1], "01.99": [2], "\u0660\u0661.1": [3]},
    )
    page = gathering.page([tmp_path])
    assert "<script>" not in page and list(counted(page)) == ["01.1"]
    hand_in(tmp_path, "long", {"01.1": ["x" * 100_000]})
    assert len(gathering.page([tmp_path])) < 5_000


def test_pipes_and_large_files_are_passed_over(tmp_path: Path) -> None:
    hand_in(tmp_path, "good", {"01.1": [6]})
    os.mkfifo(tmp_path / "predictions-pipe.json")
    (tmp_path / "predictions-large.json").write_text(" " * (gathering.MOST_BYTES + 1))
    assert counted(gathering.page([tmp_path])) == {"01.1": {"6": 1}}


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_in(tmp_path, "one", {"01.1": [5]})
    out = tmp_path / "class.html"
    for _ in range(2):  # its own page is replaced
        assert cli.main(["gather", str(tmp_path), "--out", str(out)]) == 0
    assert counted(out.read_text(encoding="utf-8")) == {"01.1": {"5": 1, "6": 0}}
    mine = tmp_path / "mine.html"
    mine.write_text("mine")
    capsys.readouterr()
    for given in (
        [str(tmp_path), "--out", str(mine)],
        [str(tmp_path / "nobody"), "--out", str(tmp_path / "x.html")],
        [str(mine), "--out", str(tmp_path / "x.html")],
    ):
        assert cli.main(["gather", *given]) == 2
        said = capsys.readouterr().err
        assert said.startswith("snnlab: ") and said.count("\n") == 1
    assert mine.read_text() == "mine" and not (tmp_path / "x.html").exists()
