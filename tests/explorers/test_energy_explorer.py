"""The energy explorer: its numbers are those of snnlab.simulators.energy, and it says what is seen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page

from snnlab import explorers
from snnlab.explorers.energy import CHOICES, RANGES, EnergyExplorer
from snnlab.simulators.energy import FLOAT32, INT8, Energy, Layer, Technology
from tests.browser import ask, browser

MODULE = str(EnergyExplorer._esm)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the energy explorer is") as opened_browser:
        yield opened_browser


def cases(n: int) -> list[dict]:
    draw = torch.Generator().manual_seed(0)

    def number(name: str) -> float:
        low, high = RANGES[name]
        return low + (high - low) * float(torch.rand((), generator=draw))

    return [
        {name: number(name) for name in RANGES}
        | {"T": k % 64 + 1, "precision": CHOICES["precision"][k % 3], "image": CHOICES["image"][k % 2]}
        for k in range(n)
    ]


def test_the_numbers_are_those_of_the_package(chrome: Browser) -> None:
    settings, page = cases(600), chrome.new_page()
    for p, cost, even in zip(
        settings, ask(page, MODULE, settings, "costs"), ask(page, MODULE, settings, "breakEven"), strict=True
    ):
        prices = {"float32": FLOAT32, "int8": INT8, "own": Technology(p["mac"], p["add"])}[p["precision"]]
        macs = 10**9
        first = round(p["first"] * macs)
        layers = {
            "a": Layer(first, first, 0, 0.0),
            "b": Layer(macs - first, 0, 0, (macs - first) * p["T"] * p["rate"]),
        }
        made = Energy(p["T"], layers, {"x": 100 * p["T"] * p["rate"]}, {"x": 100})
        once = p["image"] == "once"
        assert cost["image"] + cost["spikes"] == pytest.approx(made.ratio(prices, image_once=once), rel=1e-6)
        assert even == pytest.approx(p["T"] * made.break_even(prices, image_once=once), rel=1e-5, abs=1e-6)


def opened(chrome: Browser, tmp_path: Path, width: int = 1100, **settings: Any) -> Page:
    page = chrome.new_page(viewport={"width": width, "height": 900})
    page.goto(explorers.energy(**settings).save(tmp_path / "energy.html").as_uri())
    page.wait_for_selector("path.trace", state="attached")
    return page


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, "Memory and data movement"),
        ({"T": 64, "rate": 0.25}, "costs 3"),
        ({"image": "each", "T": 64, "first": 0.25}, "as much as the whole ANN"),
        ({"precision": "int8"}, "Break-even at 7.6"),
    ],
)
def test_the_sentence_says_what_is_seen(chrome: Browser, tmp_path: Path, settings: dict, text: str) -> None:
    assert text in opened(chrome, tmp_path, **settings).inner_text(".says")


def test_keys_move_it_and_nonsense_is_refused(chrome: Browser, tmp_path: Path) -> None:
    page = opened(chrome, tmp_path)
    assert not page.is_visible("[name=mac]")
    page.select_option("[name=precision]", "own")
    before = page.inner_html("svg")
    for name, key in (
        ("T", "PageUp"),
        ("rate", "ArrowRight"),
        ("first", "PageUp"),
        ("mac", "PageDown"),
        ("add", "PageUp"),
    ):
        page.focus(f"[name={name}]")
        page.keyboard.press(key)
        assert page.inner_html("svg") != before, name
        before = page.inner_html("svg")
    for name, typed in (("T", "0"), ("rate", "2"), ("mac", "0"), ("first", "")):
        page.fill(f"[data-number={name}]", typed)
        page.press(f"[data-number={name}]", "Enter")
        assert f"{name} = {typed or 'nothing'}, but here it goes from" in page.inner_text(".says")
    page.set_content(explorers.energy().html().replace('"T": 8', '"T": -1'))
    page.wait_for_selector(".snnlab-energy.wrong")


@pytest.mark.parametrize("width", [360, 1200])
def test_no_part_sticks_out_of_the_page(chrome: Browser, tmp_path: Path, width: int) -> None:
    page = opened(chrome, tmp_path, width, precision="own")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"precision": "int4"}, "precision = 'int4'.*'float32', 'int8', 'own'"),
        ({"image": "never"}, "image = 'never'"),
        ({"T": 0}, "T = 0.*1 to 64"),
        ({"rate": -0.1}, "rate = -0.1"),
        ({"mac": 0}, "mac = 0"),
        ({"joule": 1}, "joule = 1.*T, rate, first"),
    ],
)
def test_bad_input_is_named(given: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        explorers.energy(**given)
