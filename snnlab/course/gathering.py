"""What a class has predicted: one page of everybody's first answers, question by question, without names."""

import ast
import html
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from snnlab.course.lessons import Answer, answers_of
from snnlab.course.prediction import Given, answers_in, show
from snnlab.files import kit, place, short
from snnlab.files.language import LANGUAGES, TONGUES, language, said, spoken

NAME = re.compile(r".*predictions.*\.json", re.IGNORECASE)
"""Also what a browser calls a second download, and what a course's server puts before a name."""
MOST_BYTES, MOST_FILES = 10**6, 10_000
"""Of one file of answers, a thousand times what the course asks for; and of files that are looked at."""

PAGE = """<!DOCTYPE html>
<html lang="{tongue}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 860px; margin: 2em auto; padding: 0 1em; }}
table {{ border-collapse: collapse; width: 100%; margin-bottom: 1.5em; }}
td {{ padding: 3px 8px; vertical-align: top; }}
td.count {{ width: 40%; }}
.bar {{ display: inline-block; height: 0.8em; background: #5b6877; margin-right: 0.5em; }}
.true .bar {{ background: #0072b2; }}
.true td:first-child {{ font-weight: 600; }}
</style></head><body>
<h1>{title}</h1>
<p>{about}</p>
{questions}
</body></html>
"""


def page(folders: Sequence[str | Path]) -> str:
    """The page, HTML.

    Args:
        folders: files of answers, or folders that hold them anywhere: predictions.json as a lesson writes it, or
            predictions-NAME.json, or NAME_predictions.json, as they are collected.
    Raises: ValueError if something given is not there, or if no file holds an answer.
    """
    found = _one_each([answers for path in _files(folders) if (answers := answers_in(path))])
    if not found:
        given = ", ".join(short(str(folder)) for folder in folders)
        raise ValueError(
            f"{given}: there is no file of answers; lessons keep them in .snnlab/predictions.json beside the notebooks"
        )
    first = {
        number: [given[number][0].answer for given in found if number in given] for number in _asked(found)
    }
    tables = (_table(number, Counter(map(show, given))) for number, given in first.items())
    about = said(
        "Readers: {people}. First answers only, no names; of several files of one reader the fullest counts. "
        "&#10003; is what is true."
    )
    words = {"tongue": TONGUES[language()], "title": _title(), "about": about.format(people=len(found))}
    return PAGE.format(**words, questions="\n".join(tables))


def _one_each(found: list[dict[str, list[Given]]]) -> list[dict[str, list[Given]]]:
    """Of each reader the file with the most answers. Files are one reader's if they share a first answer, to the
    millisecond in which it was given; of answers without a time, or to the second, nobody can tell.
    """
    seen: set[tuple[str, Given]] = set()
    kept = []
    for answers in sorted(found, key=len, reverse=True):
        marks = {(number, given[0]) for number, given in answers.items() if "." in given[0].at}
        if not marks & seen:
            kept.append(answers)
        seen |= marks
    return kept


def without_answers(folders: Sequence[str | Path]) -> list[Path]:
    """The files that `page` reads and that hold no answer: damaged ones, say. Raises: ValueError as `page` does."""
    return [path for path in _files(folders) if not answers_in(path)]


def own(text: str) -> bool:
    """Whether a text is such a page, in whatever language."""
    titles = []
    for tongue in LANGUAGES:
        with spoken(tongue):
            titles.append(_title())
    return any(f"<title>{title}</title>" in text for title in titles)


def _title() -> str:
    return said("What the class predicted")


def _asked(found: Sequence[Mapping[str, object]]) -> list[str]:
    """The numbers of the course's own questions that anybody answered, in order."""
    return sorted(number for number in set().union(*found) if _answer(number) is not None)


def _files(folders: Sequence[str | Path]) -> Iterator[Path]:
    looked = 0
    for folder in map(place, folders):
        if not folder.exists():
            raise ValueError(f"there is no {short(str(folder))}: name folders or files that hold answers")
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*.json")):
            if (
                path.is_file()
                and (path == folder or NAME.fullmatch(path.name))
                and path.stat().st_size <= MOST_BYTES
            ):
                looked += 1
                if looked > MOST_FILES:
                    raise ValueError(f"there are over {MOST_FILES:,} files of answers: name fewer folders")
                yield path


def _answer(number: str) -> Answer | None:
    """The answer to a question, None if the course asks no such."""
    if not re.fullmatch(r"\d\d\.\d+", number, re.ASCII):
        return None
    try:
        return answers_of(number[:2]).get(number)
    except ValueError:
        return None


def _table(number: str, given: Counter[str]) -> str:
    """One question: each answer that was given, and the true one, with how many gave it."""
    answer = _answer(number)
    assert answer is not None
    truth, whole = show(answer.truth), sum(given.values())
    rows = [(each, given[each]) for each in sorted({truth, *given}, key=lambda each: (-given[each], each))]
    lines = "".join(
        f"<tr{' class=true' if each == truth else ''}><td>{html.escape(short(each)[1:-1])}"
        f'{" &#10003;" if each == truth else ""}</td><td class="count"><span class="bar" '
        f'style="width:{60 * count / whole:.0f}%"></span>{count}</td></tr>'
        for each, count in rows
    )
    right = said("{right} of {whole} right, section {section}")
    right = right.format(right=given[truth], whole=whole, section=answer.section)
    asked = html.escape(said(_questions(number[:2]).get(number, "")))
    return f"<h2>{number}: {right}</h2>\n<p>{asked}</p>\n<table>{lines}</table>"


@cache
def _questions(lesson: str) -> dict[str, str]:
    """A lesson's questions, by their numbers, as its notebook asks them; none, if the notebook cannot be read."""
    found: dict[str, str] = {}
    try:
        for path in kit("notebooks").glob(f"{lesson}_*.ipynb"):
            for cell in json.loads(path.read_text("utf-8"))["cells"]:
                if cell["cell_type"] == "code" and "predict(" in (code := "".join(cell["source"])):
                    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
                    asked = [call for call in calls if ast.unparse(call.func) == "predict"]
                    found |= {
                        ast.literal_eval(call.args[0]): ast.literal_eval(call.args[1]) for call in asked
                    }
    except (OSError, ValueError, KeyError, SyntaxError):
        return {}
    return found
