"""A report's page: light or dark as the reader's system, and its charts told in words for those who do not see them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import nbformat
import pytest
from playwright.sync_api import Browser

from snnlab import plots
from snnlab.plots.theme import BLUE, DARK_COLOURS
from snnlab.reports.page import PLOTLY, page, told
from snnlab.reports.site import Lesson, rendered
from snnlab.studies.sweeps import Result
from tests.axe import stumbles
from tests.browser import browser

CURVES = plots.accuracy_chart({"qcfs": [0.5, 0.75, 0.875], "opi": [0.25, 0.5, 0.625]}, ann=0.9)
RATES = plots.rates_chart({"conv": 0.125, "fc": 0.25})
TABLE = plots.comparison_chart(
    {"opi": Result("opi", 0.75, {2: 0.5, 4: 0.25}, {2: 2, 4: 4}, 0.1, {}, {}, 1.0)}
)


def written(figure: Any) -> dict[str, Any]:
    """As a notebook keeps it."""
    return dict(json.loads(figure.to_json()))


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the charts of a report's page are") as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with three charts, some code and a table."""
    new = nbformat.v4
    outputs = [new.new_output("display_data", {PLOTLY: written(chart)}) for chart in (CURVES, RATES, TABLE)]
    cells = [
        new.new_markdown_cell("# Charts\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
        new.new_code_cell("print('x')", outputs=outputs),
    ]
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(new.new_notebook(cells=cells)), encoding="utf-8")
    return path


def shade(colour: str) -> int:
    """The sum of red, green and blue, 0 to 765."""
    return sum(map(int, re.findall(r"\d+", colour)[:3]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_and_its_charts_are_light_or_dark_as_the_readers_system(
    chrome: Browser, report: Path, scheme: Literal["light", "dark"]
) -> None:
    opened = chrome.new_context(color_scheme=scheme).new_page()
    opened.goto(report.as_uri())
    opened.wait_for_function("document.querySelectorAll('.js-plotly-plot .xtick text').length > 3")
    assert stumbles(opened) == []
    seen = opened.evaluate("""() => [
      getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
      getComputedStyle(document.querySelector(".js-plotly-plot .main-svg")).backgroundColor,
      getComputedStyle(document.querySelector(".js-plotly-plot .xtick text")).fill]""")
    ground, ink, chart, tick = map(shade, seen)
    assert ground == chart and ink == tick
    assert (ground > 700 and ink < 200) if scheme == "light" else (ground < 100 and ink > 600)
    lines = opened.evaluate(
        "[...document.querySelectorAll('.js-plotly-plot')].map(p => p.data[0].line?.color)"
    )
    assert lines[0] == (BLUE if scheme == "light" else DARK_COLOURS[BLUE])
    opened.emulate_media(media="print")  # paper is white, whatever the screen was
    opened.wait_for_function(
        "getComputedStyle(document.querySelector('.js-plotly-plot .main-svg')).backgroundColor == 'rgb(255, 255, 255)'"
    )
    opened.emulate_media(media="screen")
    opened.wait_for_function(
        "was => getComputedStyle(document.querySelector('.js-plotly-plot .main-svg')).backgroundColor == was",
        arg=seen[2],
    )
    opened.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    opened.wait_for_function(
        "was => getComputedStyle(document.querySelector('.js-plotly-plot .main-svg')).backgroundColor != was",
        arg=seen[2],
    )


def test_a_chart_is_told_in_its_own_numbers(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert re.findall(r'aria-label="([^"]+)" class="plotly-figure" role="figure"', text) == [
        told(written(c)) for c in (CURVES, RATES, TABLE)
    ]
    assert told(written(CURVES)).endswith(
        "x: time t [steps], y: accuracy [%]. qcfs: 50 at 1, 87.5 at 3. opi: 25 at 1, 62.5 at 3. ANN: 90 at 0, 90 at 3."
    )
    assert told(written(RATES)).endswith("x: spikes per step and neuron. 0.125 at conv, 0.25 at fc.")
    assert told(written(TABLE)) == (
        "Accuracy [%] after T steps. x: time steps T. opi: 50 at 2, 25 at 4, 75 at ANN."
    )
    assert told({"data": [{"type": "scatter", "name": "no numbers"}]}) == "A chart. no numbers."


MANY = plots.accuracy_chart(
    {f"a method with a long name {k}": [0.1, 0.2 + k / 10, 0.9] for k in range(5)}, ann=0.95
)


def test_lines_printed_one_by_one_stand_in_one_box(tmp_path: Path) -> None:
    new = nbformat.v4
    printed = [new.new_output("stream", name="stdout", text=f"line {k}\n") for k in range(3)]
    book = new.new_notebook(
        cells=[new.new_markdown_cell("# A title"), new.new_code_cell("", outputs=printed)]
    )
    lesson = Lesson("01", "A title", "", tmp_path / "01_title.ipynb")
    for made in (page(book), rendered(book, lesson, (None, None), "")):
        [box] = [box for box in re.findall(r"<pre>(.*?)</pre>", made, re.DOTALL) if "line 0" in box]
        assert "line 1" in box and "line 2" in box


def test_no_button_of_a_chart_sends_it_out(chrome: Browser, report: Path) -> None:
    page = chrome.new_page()
    page.goto(report.as_uri())
    page.locator(".modebar-btn").first.wait_for(state="attached")
    buttons = page.locator(".modebar-btn").evaluate_all("all => all.map((one) => one.dataset.title)")
    assert "Download plot as a PNG" in buttons and not [name for name in buttons if "hare" in name], buttons


@pytest.mark.parametrize("width", [390, 600, 1400])
def test_titles_stay_at_every_width_above_their_charts_and_legends(
    chrome: Browser, tmp_path: Path, width: int
) -> None:
    new = nbformat.v4
    outputs = [
        new.new_output("display_data", {PLOTLY: written(chart)}) for chart in (CURVES, RATES, TABLE, MANY)
    ]
    path = tmp_path / "report.html"
    path.write_text(page(new.new_notebook(cells=[new.new_code_cell("", outputs=outputs)])), encoding="utf-8")
    opened = chrome.new_context(viewport={"width": width, "height": 900}).new_page()
    opened.goto(path.as_uri())
    opened.wait_for_function("document.querySelectorAll('.js-plotly-plot .gtitle').length == 4")
    found = opened.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot')].map(place => {
      const box = element => element && element.getBoundingClientRect().toJSON();
      return [place.querySelector('.gtitle').textContent, box(place), box(place.querySelector('.gtitle')),
              box(place.querySelector('.legend')), place.getBoundingClientRect().top + place._fullLayout._size.t];
    })"""
    )
    for (title, place, words, legend, plot), chart in zip(found, (CURVES, RATES, TABLE, MANY), strict=True):
        assert title.replace(" ", "") == chart.layout.title.text.replace(" ", "")
        assert (
            place["left"] <= words["left"]
            and words["right"] <= place["right"]
            and place["top"] <= words["top"]
        )
        assert words["bottom"] <= plot
        assert legend is None or words["bottom"] <= legend["top"] + 8 or legend["top"] > plot
    opened.close()


def test_of_many_lines_the_one_under_the_pointer_stands_out(chrome: Browser, tmp_path: Path) -> None:
    results = {f"m{k}": Result(f"m{k}", 1.0, {2: 0.2 + k / 10, 4: 0.9}, {2: 2, 4: 4}, 0.1) for k in range(6)}
    new, path = nbformat.v4, tmp_path / "report.html"
    chart = new.new_output("display_data", {PLOTLY: written(plots.steps_chart(results))})
    path.write_text(page(new.new_notebook(cells=[new.new_code_cell("", outputs=[chart])])), encoding="utf-8")
    opened = chrome.new_page()
    opened.goto(path.as_uri())
    opened.wait_for_function("!!document.querySelector('.js-plotly-plot')?._ev?._events?.plotly_hover")
    x, y = opened.evaluate("""() => {
      const place = document.querySelector('.js-plotly-plot'), line = place.data[2];
      const { xaxis, yaxis } = place._fullLayout, box = place.getBoundingClientRect();
      return [box.left + xaxis._offset + xaxis.d2p(line.x[0]), box.top + yaxis._offset + yaxis.d2p(line.y[0])];
    }""")
    faint = "document.querySelector('.js-plotly-plot').data.map(line => line.opacity ?? 1).join()"
    for steps in (
        1,
        4,
        16,
    ):  # away at once, in a hurry, slowly: no hover that comes late leaves the lines faint
        opened.mouse.move(x - 40, y - 40)
        opened.mouse.move(x, y, steps=8)
        opened.wait_for_function(f"{faint} == '0.2,0.2,1,0.2,0.2,0.2'")
        opened.mouse.move(2, 2, steps=steps)
        opened.wait_for_timeout(200)  # Plotly may tell of a pointer that has gone up to 50 ms ago
        opened.wait_for_function(f"{faint} == '1,1,1,1,1,1' && !document.querySelector('.hoverlayer *')")
