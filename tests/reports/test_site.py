"""The course as pages: in a browser with no network every slider is alive, and questions are answered in the page."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from PIL import Image
from playwright.sync_api import Browser

from snnlab import cli
from snnlab.course.lessons import answers_of
from snnlab.reports import ReportError, site
from tests.axe import stumbles
from tests.browser import browser
from tests.reports.walking import Visit

ROOT = Path(__file__).parents[2]
SCHEMES = "light", "dark"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the pages of the course are") as opened:
        yield opened


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lesson 01 as a page, made by somebody who has answered its first question."""
    folder = tmp_path_factory.mktemp("lesson")
    mine = folder / "answers.json"
    mine.write_text(json.dumps({"01.1": [{"answer": 7, "at": "2026-11-01T00:00:00+00:00"}]}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNNLAB_ANSWERS", str(mine))
        assert cli.main(["export", "1", "--out", str(folder / "lesson.html")]) == 0
    return folder / "lesson.html"


def test_every_slider_of_a_lesson_moves_its_picture(chrome: Browser, lesson: Path) -> None:
    assert lesson.stat().st_size < 3_000_000
    visit = Visit(chrome, lesson)
    frames = [frame.content_frame for frame in visit.page.locator("iframe").all()]
    assert len(frames) >= 2
    for frame in frames:
        sliders = frame.locator("input[type=range]").all()
        assert sliders
        for slider in sliders:
            if not slider.is_visible() or slider.is_disabled():
                continue
            before = frame.locator("body").inner_html()
            at_end = slider.evaluate("slider => Number(slider.value) >= Number(slider.max)")
            slider.press("ArrowLeft" if at_end else "ArrowRight")
            assert frame.locator("body").inner_html() != before, slider.get_attribute("name")
    visit.close()


def test_a_question_is_answered_in_the_page_and_remembered(chrome: Browser, lesson: Path) -> None:
    visit = Visit(chrome, lesson)
    asked, folded = visit.page.locator(".snnlab-question"), visit.page.locator("details", has_text="01.1:")
    assert asked.count() == len(answers_of("01"))
    assert "you predicted" not in visit.page.locator("main").text_content(), (
        "the exporter's own answers stay at home"
    )
    assert folded.first.get_attribute("open") is None
    first = asked.first
    first.locator("button").click()
    assert "Choose an answer first" in first.inner_text()
    first.locator("select").select_option("6")
    first.locator("button").click()
    assert "first answer 6" in first.inner_text()
    first.locator("select").select_option("5")
    first.locator("button").click()
    assert "first answer 6" in first.inner_text() and "second answer 5" in first.inner_text()
    for k in range(2):  # and when it is opened again
        page = visit.again() if k else visit.page
        opened = page.locator("details[open]", has_text="you predicted 6, and that is right")
        assert opened.count() >= 1 and "3, 3, 2" in page.inner_text("main")
        row = page.locator(".looking-back tr", has_text="01.1").inner_text().split("\t")
        assert [cell.strip() for cell in row] == ["01.1", "6; second: 5", "6", "right", ""]
        assert "1 of 4" in page.locator(".looking-back caption").inner_text()
    visit.close()


def test_looking_back_says_which_way_an_answer_was_wrong_and_leads_to_what_is_to_be_read_again(
    chrome: Browser, lesson: Path
) -> None:
    """As the table in a notebook does."""
    visit = Visit(chrome, lesson)
    asked, rows = visit.page.locator(".snnlab-question"), visit.page.locator(".looking-back tr")
    assert [cell.strip() for cell in rows.nth(3).inner_text().split("\t")] == [
        "01.3", "none", "", "not answered", "section 4",
    ]  # fmt: skip
    asked.nth(0).locator("select").select_option("8")
    asked.nth(2).locator("input").nth(0).check()
    for number in (0, 2):
        asked.nth(number).locator("button").click()
    assert visit.page.locator("details[open]", has_text="01.1: you predicted 8; it is: 6.").count()
    number, words = (rows.nth(k).inner_text().split("\t") for k in (1, 3))
    assert number[1:] == ["8", "6", "2 too many", "section 1"]
    assert words[3] == answers_of("01")["01.3"].tempting["it grows with the current"]
    rows.nth(3).locator("a").click()
    assert visit.page.locator("h2:target").inner_text().startswith("4 ")
    visit.close()


@pytest.mark.parametrize(
    ("printed", "columns"),
    [
        ("a    1\nbcd  2\n", True),
        ("one line  with blanks\n", False),
        ("  two lines\n  moved in\n", False),
    ],
)
def test_what_is_printed_in_columns_is_not_broken(printed: str, columns: bool) -> None:
    assert site.in_columns(printed) == columns


def _contrast(picture: bytes) -> int:
    """Between the lightest and the darkest pixel, 0 to 765."""
    with Image.open(io.BytesIO(picture)) as image:
        sums = [sum(colour) for _, colour in image.convert("RGB").getcolors(10**6) or []]
    return max(sums) - min(sums)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1400, 600, 390])
def test_a_page_is_as_wide_as_the_window_and_has_its_colours(
    width: int, scheme: str, chrome: Browser, lesson: Path
) -> None:
    visit = Visit(chrome, lesson, width, scheme)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    ground = visit.page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    shade = sum(map(int, re.findall(r"\d+", ground)[:3]))
    assert (shade < 150) == (scheme == "dark")
    code = visit.page.locator(".highlight pre").first.screenshot()
    assert _contrast(code) > 300, "code is read in the dark, too"
    visit.close()


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (600, "dark")])
def test_nothing_serious_is_found_in_a_lesson(width: int, scheme: str, chrome: Browser, lesson: Path) -> None:
    visit = Visit(chrome, lesson, width, scheme)
    assert stumbles(visit.page) == []
    assert visit.page.locator("img:not([alt])").count() == 0
    visit.close()


def test_nothing_in_a_page_asks_for_what_a_page_has_not(lesson: Path) -> None:
    text = lesson.read_text(encoding="utf-8")
    body = re.sub(r"<(script|style|iframe).*?</\1>", "", text, flags=re.DOTALL)
    for words in (
        "Run the cell to",
        "not done yet",
        "model not found",
        "blue bar below",
        "And check:",
        "not with the cell",
        "$$",
        r"\frac",
        "?v[0]",
    ):
        assert words not in body, words
    made = re.search(r"<footer>(.*?)</footer>", body)
    assert made and re.fullmatch(
        r"Executed on \d{4}-\d\d-\d\d with snnlab [\d.]+, torch [\d.]+, numpy [\d.]+, Python [\d.]+ in \d+ s\.",
        made[1],
    )


@pytest.mark.parametrize(
    ("markdown", "wanted"),
    [
        ("$a_1$ and `$b$`", ["<msub>", "<code>$b$</code>"]),
        ("$$x = 1 \\tag{I1}$$", ['display="block"', "<span>(I1)</span>"]),
        ("$$\\begin{aligned} a &= b \\\\ &+ c \\end{aligned}$$", ["<mtable", "<mtd"]),
        ("[two](02_clipping_and_quantisation.ipynb#a)", ['href="02_clipping_and_quantisation.html#a"']),
        ("the [page](../docs/x.md) says", ["the page says"]),
        ("a [word](glossary.md#mean-output)", ['href="glossary.html#mean-output"']),
        ("the [paper](https://arxiv.org/abs/1)", ['href="https://arxiv.org/abs/1"']),
        ("[below](#section)", ['href="#section"']),
        ("```\n$5 and $6\n```", ["$5 and $6"]),
        ("## What $v[T]$ says", [">What <math", "</math> says<", 'id="What--says"']),
        ("a < b & c", ["&lt;", "&amp;"]),
        ("in ($v[T]$), here", ['<span class="whole">(<math', "</math>),</span> here"]),
        ("这里是 $v[T]$。对", ['<span class="whole"><math', "</math>。</span>对"]),
    ],
)
def test_prose(markdown: str, wanted: list[str]) -> None:
    found = site.prose(markdown, {"02_clipping_and_quantisation.html", "glossary.html"})
    assert all(part in found for part in wanted), found
    assert "<mi>&</mi>" not in found and "@equation" not in found


def test_without_pages_beside_it_a_text_has_no_link_to_one() -> None:
    found = site.prose("a [word](glossary.md#x) of [two](02_clipping_and_quantisation.ipynb)")
    assert "href" not in found and "a word of two" in found


def notebook(path: Path, number: str, code: str) -> None:
    new = nbformat.v4
    head = f"# {number} · A <b> title\n\nAfter this lesson you can\n\n- see $x_1$.\n\n**Time:** short."
    cells = [new.new_markdown_cell(head), new.new_code_cell(code)]
    spec = {"name": "python3", "display_name": "Python 3"}
    metadata = {"kernelspec": spec, "language_info": {"name": "python"}}
    made = new.new_notebook(cells=cells, metadata=metadata)
    nbformat.write(made, path / f"{number}_title.ipynb")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    folder.mkdir()
    for number in ("01", "02", "03"):
        notebook(folder, number, f"print({number!r})")
    return folder


def test_the_pages_lead_to_each_other(course: Path, tmp_path: Path, chrome: Browser) -> None:
    out = tmp_path / "site"
    assert site.write(course, out) == out and site.write(course, out) == out
    visit = Visit(chrome, out / "index.html")
    assert stumbles(visit.page) == []
    assert visit.page.locator("ol.lessons > li").count() == 3 and visit.page.locator("ol math").count() == 3
    visit.page.click("text=01 · A <b> title")
    seen = []
    while visit.page.locator("nav").first.locator("[rel=next]").count():
        seen.append(visit.page.title())
        visit.page.locator("nav").last.locator("[rel=next]").click()
    assert [*seen, visit.page.title()] == [f"{number} · A <b> title" for number in ("01", "02", "03")]
    visit.page.locator("nav").first.locator("text=All lessons").click()
    assert visit.page.url.endswith("index.html")
    visit.close()


def test_both_languages_link_every_page_with_its_twin(course: Path, tmp_path: Path, chrome: Browser) -> None:
    (course / "glossary.md").write_text("# Glossary\n\n### word\n\nWhat it means.\n", encoding="utf-8")
    out = site.write(course, tmp_path / "site", ("en", "zh"))
    pages = sorted(path.name for path in out.glob("*.html"))
    assert len(pages) == 5 and sorted(path.name for path in (out / "zh").glob("*.html")) == pages
    visit = Visit(chrome, out / "index.html")
    for name in pages:
        visit.page.goto((out / name).as_uri())
        assert visit.page.get_attribute("html", "lang") == "en"
        visit.page.click("nav >> text=中文 >> nth=0")
        assert visit.page.url.endswith(f"/zh/{name}") and visit.page.get_attribute("html", "lang") == "zh-CN"
        assert re.match(r"\d{4}-\d\d-\d\d 用 snnlab [\d.]+, torch ", visit.page.inner_text("footer"))
        visit.page.click("nav >> text=English >> nth=0")
        assert visit.page.url == (out / name).as_uri()
    visit.close()
    assert "中文" not in (site.write(course, tmp_path / "one") / "index.html").read_text("utf-8")


def test_what_was_answered_in_a_page_is_handed_in_as_a_file(
    chrome: Browser, lesson: Path, tmp_path: Path
) -> None:
    visit = Visit(chrome, lesson)
    asked = visit.page.locator(".snnlab-question").first
    asked.locator("select").select_option("6")
    asked.locator("button").click()
    with visit.page.expect_download() as handed:
        visit.page.locator(".looking-back button").click()
    assert handed.value.suggested_filename == "predictions.json"
    handed.value.save_as(tmp_path / "class" / "predictions-a.json")
    visit.close()
    assert cli.main(["gather", str(tmp_path / "class"), "--out", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "Readers: 1." in page and "01.1: 1 of 1 right" in page


def test_the_first_page_shows_the_network_at_work(tmp_path: Path, chrome: Browser) -> None:
    """It is taken from the first lesson that has it."""
    folder = tmp_path / "course"
    folder.mkdir()
    made = (
        "import torch\nfrom torch import nn\nfrom snnlab import convert, explorers\n"
        "ann = nn.Sequential(nn.Flatten(), nn.Linear(64, 9), nn.ReLU(), nn.Linear(9, 3))\n"
        "explorers.network(convert(ann, 'opi', torch.rand(4, 1, 8, 8), 4), ann)"
    )
    for number, code in (("01", "1"), ("02", made)):
        notebook(folder, number, code)
    visit = Visit(chrome, site.write(folder, tmp_path / "site") / "index.html")
    assert visit.page.locator("iframe").count() == 1
    page = visit.page.locator("iframe").content_frame
    before = page.locator("[aria-live]").first.inner_text()
    page.locator("button", has_text="Step").click()
    assert page.locator("[aria-live]").first.inner_text() != before
    visit.close()


def test_a_lesson_that_fails_leaves_no_site(course: Path, tmp_path: Path) -> None:
    notebook(course, "02", "raise RuntimeError('so it is')")
    with pytest.raises(ReportError, match="so it is"):
        site.write(course, tmp_path / "site")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["course"]


@pytest.mark.parametrize("lesson", ["99", "x", "0x1", "-1", "²"])
def test_an_unknown_lesson_is_one_line(
    lesson: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["export", "--out", str(tmp_path / "x.html"), "--", lesson]) == 2
    said = capsys.readouterr().err
    assert said.startswith("snnlab: there is no lesson") and "00, 01, 02" in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_of_somebodys_is_no_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert cli.main(["export", "--out", str(tmp_path)]) == 2
    assert "holds 'mine.txt'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
