"""Explorers for everybody: nothing serious by axe-core, light and dark; by keyboard; at twice the size."""

from collections.abc import Iterator

import pytest
import torch
from playwright.sync_api import Browser, Page
from torch import nn

from snnlab import convert, explorers
from snnlab.datasets import Split
from snnlab.explorers.accuracies import accuracies
from tests.axe import stumbles
from tests.browser import browser


def network() -> explorers.NetworkExplorer:
    torch.manual_seed(0)
    ann = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3))
    images = torch.rand(4, 1, 8, 8)
    return explorers.network(convert(ann, "opi", images, 4), ann, images[:2], classes=["cat", "dog", "owl"])


def accuracy() -> explorers.NetworkExplorer:
    shown = network()
    images = Split(torch.rand(6, 1, 8, 8), torch.tensor([0, 1, 2] * 2))
    return accuracies(shown.snns, shown.ann_of, images)


MADE = {
    "accuracy": accuracy,
    "membrane": explorers.membrane,
    "signed": lambda: explorers.membrane(kind="snm"),
    "calcium": explorers.calcium,
    "energy": explorers.energy,
    "transfer": explorers.transfer,
    "unevenness": explorers.unevenness,
    "network": network,
}


CUT = """() => [...document.querySelectorAll(".snnlab-explorer svg")].flatMap((svg) => {
  const room = svg.getBoundingClientRect();
  const beyond = ({ left, right }) => left < room.left - 1 || right > room.right + 1;
  const cut = [...svg.querySelectorAll("text")].filter((text) => beyond(text.getBoundingClientRect()));
  return cut.map((text) => text.textContent);
})"""


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("how explorers are used by keyboard and screen reader is") as opened:
        yield opened


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {name: make().html() for name, make in MADE.items()}


def opened(chrome: Browser, text: str, width: int = 1400) -> Page:
    page = chrome.new_page(viewport={"width": width, "height": 900}, color_scheme="light")
    page.set_content(text)
    page.locator(".says:not(:empty)").wait_for()
    return page


@pytest.mark.parametrize("name", MADE)
def test_nothing_serious_is_found_and_nothing_scrolls_sideways(
    name: str, chrome: Browser, texts: dict[str, str]
) -> None:
    """Light; and dark at twice the size, where a window of 1400 pixels has 700 of the page's."""
    page = opened(chrome, texts[name])
    assert stumbles(page) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 700, "height": 450})
    assert stumbles(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    page.close()


@pytest.mark.parametrize("width", [320, 360, 700])
@pytest.mark.parametrize("name", MADE)
def test_no_text_of_a_picture_is_cut_off(
    name: str, width: int, chrome: Browser, texts: dict[str, str]
) -> None:
    page = opened(chrome, texts[name], width)
    page.wait_for_function(
        f"({CUT})().length === 0", timeout=10_000
    )  # it is drawn once more when its width is known
    page.close()


def test_a_slider_without_a_name_would_be_found(chrome: Browser, texts: dict[str, str]) -> None:
    page = opened(chrome, texts["energy"])
    page.locator("[name=rate]").evaluate("slider => slider.removeAttribute('aria-label')")
    page.locator(".says").evaluate("said => said.style.color = '#eee'")
    assert sorted(line.split(":")[0] for line in stumbles(page)) == ["color-contrast", "label"]
    page.close()


@pytest.mark.parametrize("name", MADE)
def test_every_control_is_reached_by_tab_and_what_it_does_is_said(
    name: str, chrome: Browser, texts: dict[str, str]
) -> None:
    page = opened(chrome, texts[name])
    wanted = page.evaluate(
        """() => [...document.querySelectorAll("input, select, button, .pad[tabindex], summary")]
          .filter((one) => one.offsetParent && !one.disabled).map((one, k) => (one.dataset.met = k))"""
    )
    assert wanted
    met = set()
    for _ in range(len(wanted) + 5):
        page.keyboard.press("Tab")
        met.add(page.evaluate("document.activeElement.dataset.met"))
    assert {str(k) for k in wanted} <= met
    assert page.locator(".says").get_attribute("aria-live") == "polite"
    page.close()


def test_a_digit_is_drawn_by_keyboard(chrome: Browser, texts: dict[str, str]) -> None:
    page = opened(chrome, texts["network"])
    drawn = "pad => pad.toDataURL()"
    before = page.locator(".pad").evaluate(drawn)
    page.locator(".pad").focus()
    for key in ("Space", "ArrowRight", "Space", "ArrowDown", "Space"):
        page.keyboard.press(key)
    assert page.locator(".pad").evaluate(drawn) != before
    page.close()


def test_a_spike_is_moved_and_removed_by_keyboard(chrome: Browser, texts: dict[str, str]) -> None:
    page = opened(chrome, texts["unevenness"])
    pressed = (
        """() => [...document.querySelectorAll(".plus button")].map((one) => one.ariaPressed === "true")"""
    )
    before, said = page.evaluate(pressed), page.inner_text(".says")
    page.locator(".plus button").nth(before.index(True)).focus()
    page.keyboard.press("ArrowRight")
    moved = page.evaluate(pressed)
    assert moved != before and sum(moved) == sum(before)
    page.keyboard.press("Enter")
    assert sum(page.evaluate(pressed)) == sum(before) - 1
    assert page.inner_text(".says") != said
    page.close()
