"""Every widget of every lesson, walked through: all menus, sliders and buttons; each text held against a computation.

An explorer's page is walked in a browser (walk.js), the widgets of the kernel here. An exception planted anywhere in a
callback turns the walk red.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import torch
from playwright.sync_api import Browser, Page

from snnlab import CATALOGUE, convert, datasets, explorers, networks, training
from snnlab.converters.snn import SNN
from snnlab.course.building import Builder
from snnlab.course.prediction import Form
from snnlab.explorers.conversion import ConversionExplorer
from snnlab.explorers.host import Explorer
from tests.browser import browser
from tests.explorers import claims, claims_of_networks, claims_of_pages
from tests.explorers.lesson_widgets import LESSONS, Shown, widgets
from tests.explorers.test_conversion_explorer import walk as walk_conversion

pytestmark = pytest.mark.usefixtures("one_thread")
WALK = (Path(__file__).parent / "walk.js").read_text(encoding="utf-8")
SHOWN = [shown for path in LESSONS for shown in widgets(path)]
PAGES = [shown for shown in SHOWN if shown.call.startswith("explorers.")]
CHECKS: dict[str, Callable[..., list[str]]] = {
    "Membrane": claims.membrane,
    "Calcium": claims.calcium,
    "Unevenness": claims_of_pages.unevenness,
    "Transfer": claims_of_pages.transfer,
    "EnergyExplorer": claims_of_pages.energy,
    "NetworkExplorer": claims_of_networks.network,
}
STRIDE = {"Unevenness": 8}
"""Combinations of menus from one to the next at which the sliders go to their ends; the others do so at each."""


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the widgets of the lessons are") as opened:
        yield opened


def named(shown: Shown) -> str:
    return f"{shown.lesson[:2]}-{shown.cell}"


PLAY = """async () => {
  document.querySelector("button.play")?.click();
  await new Promise((ready) => setTimeout(ready, 400)); // twice what a step stands: its clock comes first
}"""


def walked(page: Page, html: str, seed: int, stride: int) -> dict[str, Any]:
    """What the walk through a page has seen; exceptions of its loading, too."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(html)
    if errors:
        return {"errors": errors, "states": []}
    page.evaluate(WALK)
    seen = json.loads(page.evaluate("([seed, stride]) => walk(seed, stride)", [seed, stride]))
    page.evaluate(PLAY)
    page.wait_for_timeout(50)  # what a frame draws later
    return seen | {"errors": seen["errors"] + errors}


def runs(page: Page, widget: Explorer, settings: list[dict]) -> list[Any]:
    """The simulation of each of the settings, for modules that have one; the widget, where it can run itself."""
    if isinstance(widget, explorers.NetworkExplorer):
        return [widget] * len(settings)
    module = str(widget._esm)
    script = """async ([module, settings]) => {
      const { simulate } = await import(URL.createObjectURL(new Blob([module], { type: "text/javascript" })));
      return JSON.stringify(settings.map((p) => (simulate ? simulate(p) : null))); }"""
    return json.loads(page.evaluate(script, [module, settings]))


def problems(chrome: Browser, widget: Explorer, seed: int) -> list[str]:
    """Everything that is wrong with any state of a widget's page, in words."""
    kind, page = type(widget).__name__, chrome.new_page(viewport={"width": 1100, "height": 900})
    seen = walked(page, widget.html(), seed, STRIDE.get(kind, 1))
    found = [f"exception: {error}" for error in seen["errors"]]
    if found:
        return found
    hidden = {name: getattr(widget, name) for name in widget.names}
    settings = [hidden | state["p"] for state in seen["states"]]
    found += [f"{problem}, at {p}" for p, problem in untrue(page, widget, settings, seen["states"])]
    for state in seen["states"]:
        if state["wrong"] or state["broken"] or state["drawn"] < 1000:
            found.append(f"nothing is shown: {state}")
    found += [f"not refused: {says}" for says in seen["refused"] if "but here it goes from" not in says]
    found += [f"{name} moved {n} times only" for name, n in seen["drawn"].items() if n < 50]
    page.close()
    return found


@cache
def small() -> tuple[dict[str, SNN], torch.nn.Module, datasets.Data]:
    """Networks with every kind of node and rule of the page, one of them for a single T; small, so that it is quick."""
    data, nn = datasets.load("digits"), torch.nn
    layers = [nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(18, 10)]
    ann = training.fit(nn.Sequential(*layers), data.train, 3)
    few, methods = data.calibration[:16], {"opi": 8, "signed_calibrated": 4, "snm_counter": 2}
    return {name: convert(ann, name, few, T, progress=False) for name, T in methods.items()}, ann, data


def small_network() -> explorers.NetworkExplorer:
    """The network explorer of these."""
    snns, ann, data = small()
    return explorers.network(snns, ann, data.test[:3], classes=data.classes)


def untrue(
    page: Page, widget: Explorer, settings: list[dict], states: list[dict]
) -> Iterator[tuple[dict, str]]:
    """What a sentence says otherwise than a computation; of a large network's every fourth."""
    kind = type(widget).__name__
    stride = 4 if kind == "NetworkExplorer" and len(widget.html()) > 200_000 else 1
    for p, run, state in list(zip(settings, runs(page, widget, settings), states, strict=True))[::stride]:
        yield from ((state["p"], problem) for problem in CHECKS[kind](p, run, state["says"]))


UNTRUE = [
    (explorers.unevenness, "const off = run.count - right;", "const off = right - run.count;"),
    (explorers.unevenness, "Math.floor(((i + 1) * total(p)", "Math.ceil(((i + 1) * total(p)"),
    (explorers.transfer, "best.threshold < p.threshold)", "best.threshold > p.threshold)"),
    (explorers.transfer, "if (a > p.threshold) {", "if (a > 1.1 * p.threshold) {"),
    (explorers.energy, "(1 - costs(p).image) * mac", "(1 + costs(p).image) * mac"),
    (explorers.energy, "even <= 0", "even >= 0"),
    (small_network, "values.indexOf(Math.max(...values))", "values.lastIndexOf(Math.min(...values))"),
    (small_network, "run.spikes / neurons", "run.spikes / run.t"),
]


@pytest.mark.parametrize(("make", "right", "wrong"), UNTRUE, ids=[right for _, right, _ in UNTRUE])
def test_a_sentence_that_is_not_so_turns_the_walk_red(
    chrome: Browser, make: Callable[..., Explorer], right: str, wrong: str
) -> None:
    widget = make()
    assert str(widget._esm).count(right) == 1
    widget._esm = str(widget._esm).replace(right, wrong)
    assert any("untrue" in problem or "otherwise" in problem for problem in problems(chrome, widget, 1))


@pytest.mark.parametrize("shown", PAGES, ids=named)
def test_every_explorer_of_every_lesson_works_in_every_state(
    chrome: Browser, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what a lesson registers is taken out again: other tests count the methods
    monkeypatch.setitem(CATALOGUE, "mine", CATALOGUE["opi"])
    found = problems(chrome, shown.make(), shown.cell)
    assert not found, (len(found), found[:3])


def test_the_lessons_show_no_other_widgets() -> None:
    for path in LESSONS:
        text = path.read_text(encoding="utf-8")
        assert "ipywidgets" not in text and "anywidget" not in text and "plotly" not in text, path.name
        calls = len(re.findall(r"\bexplorers\.\w+\(|\bConversionExplorer\(|\bBuilder\(|\bpredict\(", text))
        assert calls == len([shown for shown in SHOWN if shown.lesson == path.stem]), path.name
    assert {shown.lesson[:2] for shown in SHOWN} == {f"{k:02}" for k in range(15)} and len(PAGES) > 10


FUNCTION = re.compile(
    r"(?:function \w+\([^\n]*\) \{|=> \{|^    (?:draw|ready)\([^\n]*\) \{)(?=\n)", re.MULTILINE
)
NEVER_CALLED = ("return () => {", "const leave = () => {")
"""What takes an explorer down."""


def plantings() -> Iterator[tuple[Callable[..., Explorer], str, int]]:
    """Every function of the explorers' files, those that they share in the first explorer that uses them."""
    known: set[str] = set()
    for make in (
        explorers.membrane,
        explorers.calcium,
        explorers.unevenness,
        explorers.transfer,
        explorers.energy,
        small_network,
    ):
        module = str(make()._esm)
        for match in FUNCTION.finditer(module):
            around = module[module.rfind("\n", 0, match.start()) : module.find("\n", match.end() + 1)]
            if around not in known and not never_used(module, match[0]):
                known.add(around)
                yield make, module, match.end()


def never_used(module: str, opening: str) -> bool:
    """Shared code that this explorer has and does not use; another one does."""
    name = re.search(r"function (\w+)\(", opening)
    return bool(name) and len(re.findall(rf"\b{name[1]}\b", module)) == 1


PLANTED = list(plantings())[:: 1 if "SNNLAB_EXAMPLES" in os.environ else 8]
"""Every eighth, or with SNNLAB_EXAMPLES in the environment all."""


def planted_in(made: tuple[Callable[..., Explorer], str, int]) -> str:
    make, module, at = made
    return f"{make.__name__}-{module[:at].splitlines()[-1].strip()[:48]}"


@pytest.mark.parametrize("made", PLANTED, ids=planted_in)
def test_an_exception_planted_in_any_function_turns_the_walk_red(chrome: Browser, made: Any) -> None:
    make, module, at = made
    line = module[:at].splitlines()[-1].strip()
    html, page = make().html(), chrome.new_page(viewport={"width": 1100, "height": 900})
    assert html.count(module) == 1
    broken = html.replace(module, f'{module[:at]} throw new Error("planted");{module[at:]}')
    errors = walked(page, broken, 1, 1)["errors"]
    page.close()
    assert any("planted" in error for error in errors) != (line in NEVER_CALLED), line


def leaves(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """The parts of a widget that a reader can touch."""
    children = getattr(widget, "children", ())
    if not children:
        yield widget
    for child in children:
        yield from leaves(child)


@pytest.mark.parametrize("shown", [s for s in SHOWN if s.call.startswith("predict")], ids=named)
def test_every_question_takes_every_answer(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNNLAB_ANSWERS", str(tmp_path / "answers.json"))
    form = shown.make()
    assert isinstance(form, Form)
    parts = list(leaves(form))
    buttons = [part for part in parts if isinstance(part, ipywidgets.Button)]
    assert buttons
    for part in parts:
        for value in answers(part):
            part.value = value
            for button in buttons:
                for callback in button._click_handlers.callbacks:  # click() would swallow what they raise
                    callback(button)
            assert (tmp_path / "answers.json").exists()
            said = " ".join(str(part.value) for part in leaves(form) if isinstance(part, ipywidgets.HTML))
            assert (
                f"{value:g}" in said
                if isinstance(value, float | int)
                else value[:20].replace("'", "&#x27;")[:12] in said
            )


def answers(part: ipywidgets.Widget) -> list[Any]:
    """All entries of a menu; the ends of a range and 50 values in it."""
    if isinstance(part, ipywidgets.RadioButtons | ipywidgets.Dropdown | ipywidgets.ToggleButtons):
        entries = [entry[1] if isinstance(entry, tuple) else entry for entry in part.options]
        return [entry for entry in entries if entry is not None]  # None: nothing is chosen yet
    if hasattr(part, "min") and hasattr(part, "max"):
        draw = torch.Generator().manual_seed(0)
        within = [part.min + (part.max - part.min) * x for x in torch.rand(50, generator=draw).tolist()]
        return [part.min, part.max, *(round(x) if isinstance(part.min, int) else x for x in within)]
    return []


def test_an_exception_planted_in_a_question_turns_the_walk_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planted(*_: Any) -> None:
        raise TypeError("planted")

    monkeypatch.setattr(Form, "_record", planted)
    shown = next(s for s in SHOWN if s.call.startswith("predict"))
    with pytest.raises(TypeError, match="planted"):
        test_every_question_takes_every_answer(shown, tmp_path, monkeypatch)


@pytest.mark.parametrize("shown", [s for s in SHOWN if s.call.startswith("Builder")], ids=named)
def test_the_builder_shows_or_refuses_every_entry_with_every_activation(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "folder", lambda: tmp_path)
    builder = shown.make()
    assert isinstance(builder, Builder)
    builder.data = replace(
        builder.data, calibration=builder.data.calibration[:16], test=builder.data.test[:20]
    )
    builder.T = 2
    builder.answer(builder._changed)
    for activation in builder.menus["activation"].options:
        for name, menu in builder.menus.items():
            for _, label in menu.options if name != "activation" else (activation,):
                menu.value = label
                shown_or_refused(builder)
            if name != "activation":
                menu.value = menu.options[0][1]  # for the menus after it


def shown_or_refused(builder: Builder) -> None:
    if builder.refused:
        assert builder.refused in builder.words and not builder.picture.value
        return
    assert builder.now is not None and f"after {builder.T} steps" in builder.words
    assert builder.words.startswith(f"{float(builder.now[1][-1]):.1%}") and "<svg" in builder.picture.value


@pytest.mark.parametrize("name", ["_changed", "_show"])
def test_an_exception_planted_in_the_builder_is_said_and_raised(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = Builder(networks.cnn, datasets.load("digits"), T=2)

    def planted(*_: Any) -> None:
        raise TypeError("planted")

    monkeypatch.setattr(Builder, name, planted)
    with pytest.raises(TypeError, match="planted"):
        builder.choose(v0="half full")
    assert "a mistake of snnlab" in builder.words and not builder.picture.value


@pytest.mark.parametrize("shown", [s for s in SHOWN if s.call.startswith("Conversion")], ids=named)
def test_the_lessons_conversion_explorer_works_with_every_method(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own networks; fewer images, so that it takes seconds. All other knobs: test_conversion.py."""
    monkeypatch.setattr(datasets, "folder", lambda: tmp_path)
    explorer = shown.make()
    assert isinstance(explorer, ConversionExplorer)
    explorer.bench.data = replace(explorer.bench.data, calibration=explorer.bench.data.calibration[:16])
    explorer.test = explorer.test[:20]
    explorer.bench.made.clear()
    explorer.scale.value = 0.5  # from here on with the fewer images
    methods = list(explorer.bench.fitting)
    assert len(methods) == 23
    walk_conversion(explorer, ({"method": name, "T": t} for name in methods for t in (1, 8)))
