"""The unevenness explorer's page: spikes that mouse and keys move, a sentence that says what happened, refusals."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from snnlab import explorers
from snnlab.neurons import NEURONS
from tests.browser import browser
from tests.jupyter import lab, opened


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the unevenness explorer's page is") as opened_browser:
        yield opened_browser


SAYINGS = [
    ("even", "if", "Right: v[T] = 0 lies from 0 to below θ"),
    ("extra", "if", "Two spikes too many: sent before the rest of the input was known."),
    ("missing", "if", "One spike missing: the charge is there, but it came too late"),
    ("from_nothing", "if", "ReLU says 0. Arriving evenly it would make no spikes; in this order two"),
    ("from_nothing", "zero_threshold", "yet no spike stands that should not"),
    ("extra", "zero_threshold", "takes back one spike in a step, and the steps are over"),
    ("silent", "if", "would be a false alarm"),
    ("clipped", "if", "this is clipping, whatever the order"),
    ("extra", "lif", "loses charge"),
]  # fmt: skip


def test_the_weight_of_spikes_that_there_are_none_of_has_no_slider(chrome: Browser) -> None:
    page = chrome.new_page()
    page.set_content(explorers.unevenness("clipped").html())
    sliders = [page.locator(f"[name={name}]") for name in ("weight_plus", "weight_minus")]
    assert [slider.is_visible() for slider in sliders] == [True, False]
    page.locator(".minus button").first.click()
    assert [slider.is_visible() for slider in sliders] == [True, True]
    page.close()


@pytest.mark.parametrize(("example", "kind", "text"), SAYINGS)
def test_the_sentence_says_what_is_to_be_seen(chrome: Browser, example: str, kind: str, text: str) -> None:
    page = chrome.new_page()
    page.set_content(explorers.unevenness(example, kind=kind).html())
    assert text in page.inner_text(".says")


def shown(page: Page) -> tuple[str, str]:
    """The trains as the buttons have them."""
    rows = [page.locator(f".train.{name} button") for name in ("plus", "minus")]
    on = [[row.nth(t).get_attribute("aria-pressed") for t in range(row.count())] for row in rows]
    return tuple("".join("01"[state == "true"] for state in row) for row in on)  # type: ignore[return-value]


def step(page: Page, name: str, t: int) -> Any:
    return page.locator(f".train.{name} button").nth(t - 1)


def test_a_spike_is_dragged_with_the_mouse_and_clicked_away(chrome: Browser) -> None:
    page = chrome.new_page(viewport={"width": 900, "height": 1200})
    page.set_content(explorers.unevenness("extra").html())
    before = page.inner_html("svg")
    start, end = (step(page, "plus", t).bounding_box() for t in (3, 5))
    page.mouse.move(start["x"] + 9, start["y"] + 9)
    page.mouse.down()
    page.mouse.move(start["x"] + 40, start["y"] + 9, steps=3)
    page.mouse.move(end["x"] + 9, end["y"] + 9, steps=5)
    assert shown(page) == ("11001", "00011")  # while it is dragged
    page.mouse.up()
    assert shown(page) == ("11001", "00011") and page.inner_html("svg") != before
    assert page.input_value("[name=example]") == "own"
    step(page, "plus", 5).click()
    assert shown(page) == ("11000", "00011")
    step(page, "minus", 1).click()
    assert shown(page) == ("11000", "10011")
    page.mouse.move(300, 20)
    assert shown(page) == ("11000", "10011")


def test_a_spike_is_moved_and_toggled_with_the_keyboard(chrome: Browser) -> None:
    page = chrome.new_page()
    page.set_content(explorers.unevenness("extra").html())
    step(page, "plus", 3).focus()
    page.keyboard.press("ArrowRight")
    assert shown(page) == ("11010", "00011")
    page.keyboard.press("ArrowRight")  # the focus went with it
    assert shown(page) == ("11001", "00011")
    page.keyboard.press("ArrowRight")  # the last step
    assert shown(page) == ("11001", "00011")
    page.keyboard.press("Enter")
    assert shown(page) == ("11000", "00011")
    page.keyboard.press(" ")
    assert shown(page) == ("11001", "00011")
    step(page, "plus", 1).focus()
    page.keyboard.press("ArrowRight")  # over the spike in step 2
    assert shown(page) == ("01101", "00011")
    step(page, "plus", 1).focus()
    page.keyboard.press("ArrowRight")  # no spike to move: only the focus goes on
    assert shown(page) == ("01101", "00011")
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused) == "input of weight 1, step 2: a spike"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_fewer_steps_cut_the_trains_and_more_add_silence(chrome: Browser) -> None:
    page = chrome.new_page()
    page.set_content(explorers.unevenness("extra").html())
    page.locator("[name=T]").fill("3")
    assert shown(page) == ("111", "000")
    page.locator("[name=T]").fill("6")
    assert shown(page) == ("111000", "000000")
    page.select_option("[name=example]", "missing")
    assert shown(page) == ("00111", "11000") and page.input_value("[name=T]") == "5"


def test_a_move_keeps_the_distribution_and_the_table_names_every_kind(chrome: Browser) -> None:
    page = chrome.new_page()
    page.set_content(explorers.unevenness("extra").html())
    rows = page.locator("tbody tr")
    assert rows.count() == len(NEURONS)
    assert (
        rows.nth(0).inner_text().split("\t")[:3] == ["IF", "4", "+2"] and "63 %" in rows.nth(0).inner_text()
    )
    page.select_option("[name=example]", "missing")  # the same spikes
    assert (
        rows.nth(0).inner_text().split("\t")[:3] == ["IF", "1", "\N{MINUS SIGN}1"]
        and "63 %" in rows.nth(0).inner_text()
    )
    assert "all 100 orders" in str(page.text_content("svg"))


def test_wrong_trains_and_numbers_are_refused_in_the_page(chrome: Browser) -> None:
    html = explorers.unevenness("extra").html()
    for right, wrong, said in (
        ('"plus": "11100"', '"plus": "1110"', "plus = “1110”, but the first input is 5 digits, 0 or 1"),
        ('"minus": "00011"', '"minus": "0002x"', "minus = “0002x”, but"),
        ('"threshold": 0.5', '"threshold": 0', "threshold = 0, but here it goes from 0.25 to 2."),
        ('"T": 5', '"T": 9', "T = 9, but here it goes from 1 to 8."),
        ('"share": 0.0', '"share": NaN', "share = NaN, but"),
    ):
        assert html.count(right) == 1
        page = chrome.new_page()
        errors: list[Any] = []
        page.on("pageerror", lambda error, errors=errors: errors.append(error))
        page.set_content(html.replace(right, wrong))
        page.wait_for_selector(".snnlab-unevenness.wrong")
        assert said in page.inner_text(".says") and not errors
        page.select_option("[name=example]", "even")
        assert page.locator(".snnlab-unevenness.wrong").count() == 0


@pytest.mark.parametrize("width", [360, 1200])
def test_no_part_sticks_out_of_the_page(chrome: Browser, width: int) -> None:
    page = chrome.new_page(viewport={"width": width, "height": 900})
    page.set_content(explorers.unevenness(plus="1" * 8, minus="10101010", weight_minus=-1.265625).html())
    page.wait_for_selector("path.trace", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_moved_spike_reaches_the_kernel_in_jupyterlab(chrome: Browser, tmp_path: Path) -> None:
    source = (
        "from pathlib import Path\nfrom snnlab import explorers\n"
        "a = explorers.unevenness()\ndisplay(explorers.membrane(), a)\n"
        "a.observe(lambda change: Path('said.txt').write_text(change.new), 'plus')"
    )
    with lab(tmp_path, source) as address:
        page = opened(chrome, address)
        page.wait_for_selector(".snnlab-unevenness path.trace", state="attached")
        step(page, "plus", 3).focus()
        page.keyboard.press("ArrowRight")
        assert shown(page) == ("11010", "00011")
        for _ in range(100):
            if (tmp_path / "said.txt").exists():
                break
            page.wait_for_timeout(100)
        assert (tmp_path / "said.txt").read_text() == "11010"


def test_values_from_python_are_checked() -> None:
    assert explorers.unevenness(threshold=0.3).threshold == 0.3
    assert explorers.unevenness("missing").example == "missing"
    own = explorers.unevenness(plus="1100", minus="0011")
    assert (own.example, own.T) == ("own", 4)
    for arguments, message in (
        ({"example": "odd"}, "example = 'odd'.*'even', 'extra'"),
        ({"kind": "izhikevich"}, "kind = 'izhikevich'.*'if', 'lif'"),
        ({"plus": "11x00"}, "plus = '11x00'.*0 or 1"),
        ({"plus": 11100}, "plus = 11100, but it must be a text"),
        ({"plus": ""}, "plus = ''.*1 to 8 digits"),
        ({"minus": "0" * 9}, "minus = '000000000'.*1 to 8 digits"),
        ({"minus": "0011"}, "minus = '0011' and plus = '11100'.*as many steps"),
        ({"threshold": 0}, "threshold = 0.*0.25 to 2"),
        ({"threshold": float("nan")}, "threshold = nan"),
        ({"share": 1}, "share = 1.*0 to 0.984375"),
        ({"weight_minus": 1}, "weight_minus = 1.*-2 to 0"),
        ({"weight_plus": "much"}, "weight_plus = 'much'.*number"),
        ({"T": 5}, "T = 5.*what can be set is threshold, share"),
        ({"leak": 0.5}, "leak = 0.5.*what can be set"),
    ):
        with pytest.raises(ValueError, match=message):
            explorers.unevenness(**arguments)
    with pytest.raises(ValueError, match="plus = '2'"):
        own.plus = "2"
    with pytest.raises(ValueError, match="T = 9"):
        own.T = 9
