"""The Ca-LIF explorer: potential, calcium and spikes are Python's, bit for bit; it says what is seen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page

from snnlab import explorers
from snnlab.explorers.calcium import CHOICES, KINDS, RANGES, Calcium
from snnlab.neurons import NEURONS
from tests.browser import ask, browser
from tests.explorers.test_explorers import cases, currents

MODULE = str(Calcium._esm)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the Ca-LIF explorer is") as opened_browser:
        yield opened_browser


def differing(page: Page, code: str, kind: str, n: int) -> int:
    """Settings for which a spike, a bit of a potential or of the calcium differs."""
    groups: dict[tuple, list[dict]] = {}
    for p in cases(kind, n):
        groups.setdefault(tuple(p[name] for name in (*KINDS[kind], "arrival")), []).append(p)
    wrong = 0
    for group in groups.values():
        theta, v0 = (
            torch.tensor([p[name] for p in group], dtype=torch.float64) for name in ("threshold", "v0")
        )
        longest = max(p["T"] for p in group)
        z = torch.tensor([currents(p, longest) for p in group], dtype=torch.float64).T
        neuron = NEURONS[kind](theta, v0, **{name: group[0][name] for name in KINDS[kind]})
        state, steps = neuron.start(z[0]), []
        for current in z:
            output, state = neuron.step(current, state)
            steps.append(torch.stack([(output / theta).round(), state.v, state.calcium]))
        expected = torch.stack(steps)  # [T, 3, settings]
        for k, (p, run) in enumerate(zip(group, ask(page, code, group, "simulate"), strict=True)):
            spikes, v, calcium = expected[: p["T"], :, k].T.tolist()
            wrong += (run["spike"], run["v"], run["calcium"]) != (spikes, v, calcium)
    return wrong


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_javascript_is_the_python_neuron_bit_for_bit(chrome: Browser, kind: str) -> None:
    assert differing(chrome.new_page(), MODULE, kind, 10_000) == 0


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("ca_lif", "run.calcium.push(state.calcium)", "run.calcium.push(state.count)"),
        ("ca_lif", "p.decay * calcium + spike", "p.decay * calcium + Math.abs(spike)"),
        ("ca_lif_hard_reset", "spike ? 1 : faded", "faded"),
        ("ca_lif_hard_reset", "const spike = v >= p.threshold", "const spike = v > p.threshold"),
    ],
)
def test_a_planted_bug_is_found(chrome: Browser, kind: str, right: str, wrong: str) -> None:
    assert MODULE.count(right) == 1
    assert differing(chrome.new_page(), MODULE.replace(right, wrong), kind, 1500) > 0


def test_the_rate_curve_is_what_python_says(chrome: Browser) -> None:
    settings = [{**p, "arrival": "constant"} for kind in KINDS for p in cases(kind, 20)]
    for p, curve in zip(settings, ask(chrome.new_page(), MODULE, settings, "rateCurve"), strict=True):
        neuron = NEURONS[p["kind"]](p["threshold"], p["v0"], **{name: p[name] for name in KINDS[p["kind"]]})
        z = torch.tensor([point["z"] for point in curve], dtype=torch.float64)
        _, state = neuron(z.expand(p["T"], -1))
        expected = (p["threshold"] * state.count.double() / p["T"]).tolist()
        assert [point["rate"] for point in curve] == pytest.approx(expected, abs=1e-12)


def test_controls_are_the_same_in_both_languages(chrome: Browser) -> None:
    script = """async (module) => {
      const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
      return (await import(url)).CONTROLS; }"""
    controls = chrome.new_page().evaluate(script, MODULE)
    assert {name: (how["min"], how["max"]) for name, how in controls.items() if "min" in how} == RANGES
    assert {name: tuple(how["options"]) for name, how in controls.items() if "options" in how} == CHOICES


def opened(chrome: Browser, tmp_path: Path, width: int = 1100, **settings: Any) -> Page:
    page = chrome.new_page(viewport={"width": width, "height": 900})
    page.goto(explorers.calcium(**settings).save(tmp_path / "calcium.html").as_uri())
    page.wait_for_selector("path.trace", state="attached")
    return page


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"current": 0.125, "T": 24, "decay": 0.5}, "the gate is shut"),
        ({"decay": 1.0}, "this is SNM"),
        ({"arrival": "constant", "current": 0.3}, "What is missing waits in the potential"),
        ({"leak": 0.5, "arrival": "constant", "current": 0.5}, "The leak took"),
        ({"threshold": 0.5, "decay": 1.0}, "one spike in a step, and the steps are over"),
        ({"v0": 0.5, "T": 4}, "and v[T] is not so low"),
        (
            {"kind": "ca_lif_hard_reset", "arrival": "constant", "current": 1.5, "T": 4},
            "it fires a step late",
        ),
        ({"kind": "ca_lif_hard_reset", "arrival": "constant", "current": 0.9}, "not heard"),
        ({"kind": "ca_lif_hard_reset", "arrival": "constant", "current": 1.5}, "no ReLU"),
    ],
)
def test_the_sentence_says_what_is_seen(chrome: Browser, tmp_path: Path, settings: dict, text: str) -> None:
    assert text in opened(chrome, tmp_path, **settings).inner_text(".says")


def test_keys_move_it_kinds_change_sliders_and_nonsense_is_refused(chrome: Browser, tmp_path: Path) -> None:
    page = opened(chrome, tmp_path)
    before = page.inner_html("svg")
    for name, key in (
        ("current", "ArrowRight"),
        ("decay", "PageDown"),
        ("threshold", "ArrowLeft"),
        ("T", "Home"),
    ):
        page.focus(f"[name={name}]")
        page.keyboard.press(key)
        assert page.inner_html("svg") != before, name
        before = page.inner_html("svg")
    for kind, own in KINDS.items():
        page.select_option("[name=kind]", kind)
        shown = {n for n in (*CHOICES, *RANGES) if page.is_visible(f"[name={n}]")}
        assert shown == {"kind", "arrival", "current", "threshold", "v0", "T", *own}
    for name, typed in (("threshold", "0"), ("T", "0"), ("tau", "0.5"), ("v0", "nan")):
        page.evaluate(f"document.querySelector('[data-number={name}]').type = 'text'")
        page.fill(f"[data-number={name}]", typed)
        page.press(f"[data-number={name}]", "Enter")
        assert f"{name} = {typed}, but here it goes from" in page.inner_text(".says")
    page.set_content(explorers.calcium().html().replace('"decay": 0.875', '"decay": 1.5'))
    page.wait_for_selector(".snnlab-calcium.wrong")
    assert page.inner_text(".says") == "decay = 1.5, but it must be a share from 0 to 1."


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("width", [360, 1200])
def test_no_part_sticks_out_of_the_page(chrome: Browser, tmp_path: Path, width: int, kind: str) -> None:
    page = opened(chrome, tmp_path, width, T=64, kind=kind)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not page.evaluate("""() => {
      const edge = document.querySelector("svg").getBoundingClientRect();
      const texts = [...document.querySelectorAll("svg text")].map((t) => [t.textContent, t.getBoundingClientRect()]);
      const out = (box) => box.right > edge.right + 1 || box.left < edge.left || box.bottom > edge.bottom + 1;
      return texts.filter(([, box]) => out(box)).map(([text]) => text); }""")


def test_the_gate_is_shaded_where_it_is_open_and_only_there(chrome: Browser, tmp_path: Path) -> None:
    page = opened(chrome, tmp_path)
    assert (
        page.locator("rect.open").count() == 1
        and page.locator("path.back").get_attribute("d").count("M") == 4
    )
    assert page.locator("path.threshold:not(.shut)").get_attribute("d").count("M") == 1
    page.select_option("[name=kind]", "ca_lif_hard_reset")
    assert page.locator("path.threshold").count() == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "if"}, "kind = 'if'.*'ca_lif', 'ca_lif_hard_reset'"),
        ({"arrival": "never"}, "arrival = 'never'"),
        ({"threshold": 0}, "threshold = 0"),
        ({"T": 0}, "T = 0.*1 to 64"),
        ({"decay": 1.5}, "decay = 1.5.*0 to 1"),
        ({"tau": 2.0}, "tau = 2.0.*'ca_lif' adds decay, leak"),
        ({"kind": "ca_lif_hard_reset", "tau": 0.5}, "tau = 0.5.*1 to 16"),
        ({"v0": float("inf")}, "v0 = inf"),
        ({"current": "much"}, "current = 'much'"),
    ],
)
def test_bad_input_is_named(given: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        explorers.calcium(**given)
