# ruff: noqa: RUF001 # Chinese signs are meant
"""The explorers in Chinese: every text has its twin, and no page shows English words, wherever its controls stand."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser
from torch import nn

from snnlab import CATALOGUE, convert, datasets, explorers, networks
from snnlab.datasets import Split
from snnlab.explorers import conversion
from snnlab.explorers.accuracies import Accuracies, accuracies
from snnlab.explorers.answering import Answering
from snnlab.explorers.conversion import CODINGS, OWN, ConversionExplorer
from snnlab.explorers.host import UNTRANSLATED, Explorer, module
from snnlab.files.language import FOLDER, SAYS, entries, mark, said
from tests.browser import browser
from tests.course.test_translation import catalogue, said_in, terms

FILES = Path(conversion.__file__).parent
LATIN = re.compile(r"(?<![\w.])[A-Za-z][A-Za-z0-9_.-]*")
SHAPES = (
    explorers.Membrane,
    explorers.Calcium,
    explorers.EnergyExplorer,
    explorers.Transfer,
    explorers.Unevenness,
)
KEPT = {
    *("IF", "LIF", "SNM", "ST-BIF", "Ca-LIF", "ReLU", "ANN", "SNN"),  # kinds of neurons and networks
    *("float32", "int8", "nm", "pJ", "v0", "snnlab", "JupyterLab"),  # figures and names
    *("Enter", "decay"),  # a key, and an argument that the lesson calls by name
    *("v", "z", "c", "t", "T", "L"),  # what formulas are made of
}
SETTINGS = {name for kind in (*SHAPES, explorers.NetworkExplorer) for name in kind.names}
"""What a number out of its range is called by."""

WALK = """() => {
  const root = document.querySelector(".snnlab-explorer");
  const seen = new Set();
  function look() {
    const nodes = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) seen.add(nodes.currentNode.data.trim());
    for (const part of root.querySelectorAll("[aria-label]")) seen.add(part.getAttribute("aria-label"));
    if (root.classList.contains("wrong")) seen.add("wrong");
  }
  function put(input, value, event = "input") {
    input.value = value;
    input.dispatchEvent(new Event(event, { bubbles: true }));
    look();
  }
  const sliders = () => {
    for (const slider of root.querySelectorAll("input[type=range]"))
      for (const end of [slider.min, slider.max, slider.getAttribute("value") ?? slider.min]) put(slider, end);
  };
  look();
  sliders();
  for (const menu of root.querySelectorAll("select"))
    for (const { value } of [...menu.options]) {
      put(menu, value);
      sliders();
    }
  for (const button of [...root.querySelectorAll("button")]) {
    button.click();
    look();
    button.click();
    look();
  }
  const shown = [...seen];
  seen.clear();
  for (const number of root.querySelectorAll("input[type=number]"))
    for (const typed of ["", "1e9"]) {
      put(number, typed, "change");
      number.dispatchEvent(new Event("blur"));
    }
  return JSON.stringify([shown, [...seen]]);
}"""


def small() -> explorers.NetworkExplorer:
    torch.manual_seed(0)
    ann = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 8), nn.ReLU(), nn.Linear(8, 3)
    )
    images = torch.rand(4, 1, 8, 8)
    snns = {name: convert(ann, name, images, 4, progress=False) for name in ("opi", "snm")}
    return explorers.network(snns, ann, Split(images[:2], torch.tensor([0, 2])))


def accuracy() -> explorers.NetworkExplorer:
    shown = small()
    return accuracies(shown.snns, shown.ann_of, Split(torch.rand(6, 1, 8, 8), torch.tensor([0, 1, 2] * 2)))


MADE = {
    "accuracy": accuracy,
    "calcium": explorers.calcium,
    "energy": explorers.energy,
    "membrane": explorers.membrane,
    "network": small,
    "rounded": lambda: explorers.membrane(current=0.2, leak=0.7),
    "transfer": explorers.transfer,
    "unevenness": explorers.unevenness,
}


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the explorers in Chinese are") as opened:
        yield opened


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNLAB_LANGUAGE", "zh")


def texts() -> set[str]:
    """The scripts' `say("...")`, the files' `said("...")`, and what a class or a table says."""
    found = {text for path in FILES.glob("*.js") for text in SAYS.findall(path.read_text(encoding="utf-8"))}
    found |= set().union(*map(said_in, FILES.glob("*.py"))) | {*CODINGS, OWN, Answering.refusal}
    kinds = (*SHAPES, explorers.NetworkExplorer, Accuracies, Explorer, Answering, ConversionExplorer)
    return found | {kind.title for kind in kinds}


def places(text: str) -> Counter[str]:
    """What is filled in, and marks of HTML."""
    return Counter(re.findall(r"{[^{}]*}|</?[a-z]+>", text))


def test_every_text_of_the_explorers_has_its_twin_with_the_same_places_and_the_terms() -> None:
    found, twins = texts(), catalogue("explorers")
    missing = [f"<!-- {mark(text)} {text} -->" for text in sorted(found) if mark(text) not in twins]
    assert not missing, "write the twins below these lines: " + ", ".join(missing)
    assert set(twins) == set(map(mark, found)), "no twin is left over"
    for text in found:
        twin = twins[mark(text)]
        assert places(text) == places(twin), text
        for term, allowed in terms().items():
            if re.search(rf"\b{term}s?\b", re.sub("{[^{}]*}", "", text), re.IGNORECASE):
                assert any(word in twin for word in allowed), f"{term} is {' or '.join(allowed)} in: {text}"


def test_no_text_has_one_twin_here_and_another_in_a_lesson() -> None:
    """The catalogues are looked up as one."""
    twins = catalogue("explorers")
    for path in sorted((FOLDER / "zh").glob("*.md")):
        for digits, name, twin in entries(path):
            assert twins.get(digits, twin) == twin, f"{path.name}: {name}"


def test_scripts_say_nothing_that_the_catalogue_would_not_find() -> None:
    """`say` is given a text as it stands, not a template or a name."""
    for path in FILES.glob("*.js"):
        calls = re.findall(r"\bsay\((.)", path.read_text(encoding="utf-8"))
        assert set(calls) <= {'"'}, path.name


def foreign(shown: list[str], kept: set[str]) -> set[str]:
    """Words of another language, with where they stand."""
    return {text for text in shown if any(word.rstrip(".-") not in kept for word in LATIN.findall(text))}


def walked(chrome: Browser, html: str) -> tuple[list[str], list[str]]:
    """All texts that a page shows while its controls are turned; and while numbers out of range are typed."""
    page = chrome.new_page(viewport={"width": 1000, "height": 800})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(html)
    page.locator(".says:not(:empty)").wait_for()
    shown, refused = json.loads(page.evaluate(WALK))
    page.close()
    assert not errors
    return shown, refused


@pytest.mark.usefixtures("chinese", "one_thread")
@pytest.mark.parametrize("name", MADE)
def test_a_page_shows_no_english_words(name: str, chrome: Browser) -> None:
    html = MADE[name]().html()
    assert '<html lang="zh-CN">' in html and re.search("<title>.*[一-鿿]", html)
    shown, refused = walked(chrome, html)
    assert not foreign(shown, KEPT | {"opi", "snm"})
    assert "wrong" not in shown and len(shown) > 20
    assert not foreign(refused, KEPT | SETTINGS | {"opi", "snm", "wrong"})
    assert any("但这里的范围是" in text for text in refused)


@pytest.mark.usefixtures("chinese", "one_thread")
def test_a_word_left_in_english_would_be_found(chrome: Browser) -> None:
    html = explorers.calcium().html()
    twin = said("calcium c[t]; shaded: the gate is open")
    assert html.count(twin) == 1
    shown, _ = walked(chrome, html.replace(twin, "calcium c[t]; shaded: the gate is open"))
    assert foreign(shown, KEPT) == {"calcium c[t]; shaded: the gate is open"}


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("given", "wrong", "text"),
    [
        ('"threshold": 1.0', '"threshold": NaN', "threshold = NaN，但它必须是大于 0 的数。"),
        ('"T": 16', '"T": 0', "T = 0，但它必须是不小于 1 的整数步数。"),
        ('"current": 0.3125', '"current": null', "current = null，但它必须是有限的数。"),
    ],
)
def test_wrong_numbers_are_refused_in_chinese(given: str, wrong: str, text: str, chrome: Browser) -> None:
    page, html = chrome.new_page(), explorers.membrane().html()
    assert html.count(given) == 1
    page.set_content(html.replace(given, wrong))
    assert page.locator(".says").inner_text() == text
    page.close()


def test_the_language_is_that_of_the_moment_when_an_explorer_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    english = explorers.energy()
    assert (
        str(english._esm) == module("drawing.js", "energy.js") and str(english._esm).count(UNTRANSLATED) == 1
    )
    assert '<html lang="en">' in english.html()
    monkeypatch.setenv("SNNLAB_LANGUAGE", "zh")
    twin = explorers.energy()
    assert UNTRANSLATED not in str(twin._esm) and "膜电位" not in str(twin._esm), (
        "only the words of its own scripts"
    )
    rest = str(twin._esm).partition("\n\n// A text")[2]
    assert rest == str(english._esm).partition("\n\n// A text")[2] != "", (
        "the scripts themselves are the same"
    )


@pytest.mark.usefixtures("chinese")
def test_what_stands_in_for_an_explorer_asks_in_chinese_for_its_cell() -> None:
    asks = explorers.membrane().lasting().partition("<iframe")[0]
    assert "运行这个单元格" in asks and not foreign([re.sub("<[^>]*>", "", asks)], KEPT | {"Python"})


@pytest.mark.usefixtures("chinese", "one_thread")
def test_the_conversion_explorer_speaks_chinese() -> None:
    data = datasets.load("digits")
    few = datasets.Data(**{**vars(data), "calibration": data.calibration[:16]})
    explorer = ConversionExplorer([networks.cnn(seed=0)], few, T=4, images=10)
    listed = {
        name for method in CATALOGUE.values() for name in LATIN.findall(f"{method.name} {method.title}")
    }
    layers = set(explorer.snn.sites) | {"code", "network", "networks.cnn", *explorer.bench.left_out.values()}
    for knob in explorer.knobs:
        assert not foreign([knob.description, *getattr(knob, "_options_labels", [])], KEPT | listed)
    heard = []
    for name in explorer.bench.fitting:
        for coding in CODINGS:
            explorer.method.value, explorer.coding.value, explorer.T.value = name, coding, 2
            assert not explorer.refused
            heard.append(explorer.words)
    assert not foreign(heard, KEPT | listed | layers)
    assert all("2 步之后，脉冲网络在 10 张测试图像中答对" in text for text in heard)
    asks = explorer.lasting().partition("</p>")[0]
    assert "请运行这个单元格" in asks and not foreign([re.sub("<[^>]*>", "", asks)], KEPT)
