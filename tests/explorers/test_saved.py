"""A lesson saved and opened again without its kernel: pages in place of "model not found", in a real JupyterLab."""

from pathlib import Path

import pytest
import torch
from torch import nn

from snnlab import convert, explorers
from snnlab.course.prediction import Form
from snnlab.explorers.lasting import Lasting
from tests.browser import browser
from tests.jupyter import lab, run_all

CELLS = (
    "from snnlab import explorers\nexplorers.membrane(current=0.25)",
    "from snnlab.course import predict\npredict('03.2', 'How many?', ['below 50 %', '50 to 95 %', 'above 95 %'])",
)
ALIVE, PAGES = ".jp-OutputArea-child .snnlab-membrane", ".snnlab-lasting"


def test_a_saved_lesson_shows_pages_where_the_widgets_were(tmp_path: Path) -> None:
    with browser("saved lessons are") as chrome, lab(tmp_path, *CELLS, dark=True) as address:
        page = run_all(chrome, address)
        page.wait_for_selector(f"{ALIVE} path.trace", state="attached")
        page.wait_for_selector("text=Record")
        assert [box.is_visible() for box in page.locator(PAGES).all()] == [False, False]
        page.evaluate("() => { window.jupyterapp.commands.execute('docmanager:save'); }")
        page.wait_for_timeout(1500)
        page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll() && 1")
        page.wait_for_timeout(1000)
        page.close()

        page = chrome.new_page(viewport={"width": 600, "height": 1600})
        page.goto(f"{address}&reset")
        for k in range(2):
            page.locator(PAGES).nth(k).wait_for(state="visible", timeout=90_000)
        frame = page.frame_locator(f"{PAGES} iframe")
        frame.locator(".snnlab-membrane path.trace").wait_for(state="attached", timeout=90_000)
        assert not any(gone.is_visible() for gone in page.locator("text=model not found").all())
        assert "How many? [below 50 % | 50 to 95 % | above 95 %]" in page.locator(PAGES).nth(1).inner_text()
        before = frame.locator(".says").inner_text()
        frame.locator("[name=current]").press("ArrowRight")
        assert frame.locator(".says").inner_text() != before, "the page works without a kernel"
        ground = frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        shade = sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(",")))
        assert shade < 150, "the page takes the theme, which is dark"
        box, inside = page.locator(f"{PAGES} iframe").bounding_box(), frame.locator("body").bounding_box()
        assert box and inside and box["height"] >= inside["height"], "the page is seen whole"


def test_every_widget_of_the_course_has_such_a_page() -> None:
    ann = nn.Sequential(nn.Flatten(), nn.Linear(64, 9), nn.ReLU(), nn.Linear(9, 3))
    made = [
        explorers.membrane(),
        explorers.calcium(),
        explorers.energy(),
        explorers.transfer(),
        explorers.unevenness(),
        explorers.network(convert(ann, "opi", torch.rand(4, 1, 8, 8), 4), ann),
    ]
    for widget in made:
        assert "<iframe" in widget.lasting() and "Run the cell" in widget.lasting()
    assert "one &amp; two" in Form("01.1", "one & two", ["a"]).lasting()


def test_a_widget_without_such_a_page_is_not_shown_silently() -> None:
    class Bare(Lasting):
        pass

    with pytest.raises(NotImplementedError):
        Bare().lasting()
