"""The transfer explorer: its staircases are the neuron's and the ANN's, its losses what NumPy finds."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page

from snnlab import explorers
from snnlab.activations import QCFS
from snnlab.explorers.transfer import RANGES, Transfer
from snnlab.neurons import IF
from tests.browser import ask, browser

MODULE = str(Transfer._esm)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the transfer explorer is") as opened_browser:
        yield opened_browser


def cases(n: int) -> list[dict]:
    """Numbers as the sliders give them, and activations on a grid where ties are frequent: 40 a setting."""
    draw = torch.Generator().manual_seed(0)
    settings = []
    for _ in range(n):
        whole = {
            name: int(torch.randint(int(low), int(high) + 1, (), generator=draw))
            for name, (low, high) in RANGES.items()
            if name != "share"
        }
        threshold = int(torch.randint(1, 513, (), generator=draw)) / 128
        share = int(torch.randint(0, 64, (), generator=draw)) / 64
        values = (torch.randint(0, 640, (40,), generator=draw) / 128).sort().values.tolist()
        weights = torch.randint(1, 6, (40,), generator=draw).double().tolist()
        settings.append(
            {"threshold": threshold, "share": share, "values": values, "weights": weights, **whole}
        )
    return settings


def differing(page: Page, code: str, settings: list[dict]) -> int:
    """Settings for which the neuron, stepped in Python, makes another number of spikes somewhere."""
    wrong = 0
    for p, said in zip(settings, ask(page, code, settings, "transferOf"), strict=True):
        z = torch.tensor(p["values"], dtype=torch.float64)
        _, state = IF(p["threshold"], p["share"] * p["threshold"])(z.expand(p["T"], -1))
        wrong += state.count.tolist() != said["spikes"]
    return wrong


def test_the_staircase_is_the_neurons(chrome: Browser) -> None:
    settings = cases(300)
    assert differing(chrome.new_page(), MODULE, settings) == 0
    for right, bug in (
        ("share * threshold) / threshold", "share) / threshold"),
        ("Math.min(T, Math.max(0, Math.floor(", "Math.min(T, Math.max(0, Math.round("),
        ("Math.min(T, Math.max(0,", "Math.min(99, Math.max(0,"),
    ):
        assert MODULE.count(right) == 1
        assert differing(chrome.new_page(), MODULE.replace(right, bug), settings) > 0


def test_the_anns_staircase_is_qcfs(chrome: Browser) -> None:
    settings = [
        p | {"threshold": 2.0 ** (k % 4 - 1), "levels": 2 ** (k % 5)} for k, p in enumerate(cases(100))
    ]
    for p, said in zip(settings, ask(chrome.new_page(), MODULE, settings, "transferOf"), strict=True):
        act = QCFS(p["levels"], p["threshold"]).double().eval()
        expected = act(torch.tensor(p["values"], dtype=torch.float64))
        assert said["ann"] == pytest.approx(expected.tolist(), abs=1e-12)
    relu = ask(chrome.new_page(), MODULE, [settings[0] | {"levels": 0}], "transferOf")[0]["ann"]
    assert relu == settings[0]["values"]


def test_the_losses_are_what_numpy_finds_and_the_best_threshold_is_best(chrome: Browser) -> None:
    settings, page = cases(60), chrome.new_page()
    said, swept = (ask(page, MODULE, settings, name) for name in ("losses", "sweep"))
    for p, now, over in zip(settings, said, swept, strict=True):
        assert (now["clipping"], now["quantisation"]) == pytest.approx(by_numpy(p), abs=1e-12)
        above = np.average(np.array(p["values"]) > p["threshold"], weights=p["weights"])
        assert now["above"] == pytest.approx(above, abs=1e-12)
        sums = [point["clipping"] + point["quantisation"] for point in over["curve"]]
        assert over["best"]["clipping"] + over["best"]["quantisation"] == min(sums)
        some = over["curve"][37]
        again = by_numpy(p | {"threshold": some["threshold"]})
        assert (some["clipping"], some["quantisation"]) == pytest.approx(again, abs=1e-9)


def by_numpy(p: dict) -> tuple[float, float]:
    a, theta = np.array(p["values"]), p["threshold"]
    count = np.clip(np.floor((p["T"] * a + p["share"] * theta) / theta), 0, p["T"])
    square = (theta * count / p["T"] - a) ** 2
    parts = (np.average(square * part, weights=p["weights"]) for part in (a > theta, a <= theta))
    clipping, quantisation = map(float, parts)
    return clipping, quantisation


def opened(chrome: Browser, tmp_path: Path, width: int = 1100, **settings: Any) -> Page:
    page = chrome.new_page(viewport={"width": width, "height": 900})
    page.goto(explorers.transfer(**settings).save(tmp_path / "transfer.html").as_uri())
    page.wait_for_selector("path.trace", state="attached")
    return page


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"threshold": 0.5, "T": 32}, "higher: less clipping"),
        ({"threshold": 3.0, "T": 2}, "lower: finer steps"),
        ({"threshold": 1.5, "T": 4}, "No threshold does much better"),
        ({"T": 8, "levels": 8, "share": 0.5}, "exactly what the ANN says"),
        ({"T": 8, "levels": 4}, "dotted"),
    ],
)
def test_the_sentence_says_what_is_seen(chrome: Browser, tmp_path: Path, settings: dict, text: str) -> None:
    assert text in opened(chrome, tmp_path, **settings).inner_text(".says")


def test_keys_move_it_and_typed_nonsense_is_refused_in_words(chrome: Browser, tmp_path: Path) -> None:
    page = opened(chrome, tmp_path)
    before = page.inner_html("svg")
    for name, key in (("threshold", "PageDown"), ("T", "ArrowRight"), ("share", "End"), ("levels", "PageUp")):
        page.focus(f"[name={name}]")
        page.keyboard.press(key)
        assert page.inner_html("svg") != before, name
        before = page.inner_html("svg")
    for name, typed in (("threshold", "0"), ("T", "0"), ("share", "1"), ("levels", "-1"), ("threshold", "")):
        page.fill(f"[data-number={name}]", typed)
        page.press(f"[data-number={name}]", "Enter")
        assert f"{name} = {typed or 'nothing'}, but here it goes from" in page.inner_text(".says")
    page.set_content(explorers.transfer().html().replace('"T": 4', '"T": 0'))
    page.wait_for_selector(".snnlab-transfer.wrong")
    assert page.inner_text(".says") == "T = 0, but it must be a whole number of steps, 1 or more."


@pytest.mark.parametrize("width", [360, 1200])
def test_no_part_sticks_out_of_the_page(chrome: Browser, tmp_path: Path, width: int) -> None:
    page = opened(chrome, tmp_path, width, T=64)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def outlying() -> torch.Tensor:
    """Activations of a layer, 100,000, half of them zeros and a few far out."""
    draw = torch.Generator().manual_seed(0)
    return torch.randn(100, 1000, generator=draw, dtype=torch.float64).relu() ** 2


@pytest.mark.parametrize("T", [2, 8, 32, 128])
def test_the_best_threshold_is_that_of_all_the_layers_activations(chrome: Browser, T: int) -> None:
    """The page holds 512 numbers for 100,000 activations; sums and minimum are those of the 100,000."""
    layer = outlying()
    widget = explorers.transfer(layer, T=T, share=0.5)
    settings = {name: getattr(widget, name) for name in widget.names}
    over = ask(chrome.new_page(), MODULE, [settings], "sweep")[0]
    every = {"values": layer.flatten().numpy(), "weights": np.ones(layer.numel()), "T": T, "share": 0.5}
    sums = {point["threshold"]: point["clipping"] + point["quantisation"] for point in over["curve"]}
    for threshold in list(sums)[15::16]:
        assert sums[threshold] == pytest.approx(sum(by_numpy({**every, "threshold": threshold})), rel=0.02)
    best = min(sums, key=lambda threshold: sum(by_numpy({**every, "threshold": threshold})))
    assert over["best"]["threshold"] == pytest.approx(best, rel=0.05)


def test_activations_of_any_shape_and_size_become_groups() -> None:
    layer = outlying().reshape(100, 10, 10, 10) * 30
    widget = explorers.transfer(layer, T=8)
    assert 400 < len(widget.values) <= 512 and widget.values == sorted(widget.values)
    assert widget.values[-1] == float(layer.max()) and widget.weights[-1] == 1
    assert widget.top == 2 ** math.ceil(math.log2(float(layer.max())))
    assert widget.values[0] == 0 and widget.weights[0] == int((layer == 0).sum())
    assert sum(widget.weights) == layer.numel()
    assert np.average(widget.values, weights=widget.weights) == pytest.approx(float(layer.mean()), rel=1e-9)
    assert explorers.transfer(layer, threshold=50).threshold == 50.0
    few = explorers.transfer(torch.tensor([[0.0, 3.0]]))
    assert few.values == [0, 3] and few.weights == [1, 1] and few.top == 4 and few.threshold == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"threshold": 0}, "threshold = 0.*0.0078125 to 4"),
        ({"threshold": 5.0}, "threshold = 5.0"),
        ({"threshold": float("nan")}, "threshold = nan"),
        ({"T": 0}, "T = 0.*whole number, 1 to 128"),
        ({"T": 2.0}, "T = 2.0"),
        ({"share": 1.0}, "share = 1.0.*0 to 0.984"),
        ({"levels": -1}, "levels = -1"),
        ({"activations": torch.zeros(3)}, "one of them above 0"),
        ({"activations": torch.tensor([-1.0, 2.0])}, "must be 0 to"),
        ({"activations": torch.zeros(0)}, "one activation or more"),
        ({"activations": [1.0]}, "activations = .1.0., but it must be a dense tensor"),
    ],
)
def test_bad_input_is_named(given: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        explorers.transfer(**given)


def test_a_trait_set_from_python_is_checked_too() -> None:
    widget = explorers.transfer()
    with pytest.raises(ValueError, match="T = 0"):
        widget.T = 0
    with pytest.raises(ValueError, match="threshold = 99"):
        widget.threshold = 99.0
    widget.threshold = 1.001
    assert widget.threshold == 1.001
