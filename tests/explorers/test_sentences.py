"""Every sentence of an explorer is derived from what was computed: true of thousands of settings, all of them said."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from snnlab.explorers.calcium import KINDS as CALCIUM_KINDS
from snnlab.explorers.host import module
from snnlab.explorers.membrane import KINDS
from tests.browser import browser
from tests.explorers import claims
from tests.explorers.test_explorers import cases

MEMBRANE = module("neurons.js", "drives.js", "drawing.js", "account.js", "membrane.js")
CALCIUM = module("neurons.js", "drives.js", "drawing.js", "account.js", "calcium.js")


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the explorers' sentences are") as opened:
        yield opened


def told(chrome: Browser, code: str, settings: list[dict[str, Any]]) -> Iterator[tuple[dict, dict, str]]:
    """Settings, run and sentence of each."""
    script = """async ([code, settings]) => {
      const { simulate, describe } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
      return JSON.stringify(settings.map((p) => { const run = simulate(p); return [p, run, describe(p, run)]; })); }"""
    page = chrome.new_page()
    yield from json.loads(page.evaluate(script, [code, settings]))
    page.close()


def problems(
    chrome: Browser, code: str, settings: list[dict], check: Callable[..., list[str]]
) -> tuple[list[str], str]:
    """What is untrue, and all that was said."""
    found, said = [], []
    for p, run, text in told(chrome, code, settings):
        found += [f"{problem} ({p})" for problem in check(p, run, text)]
        said.append(text)
    return found, "\n".join(said)


def membrane_cases() -> list[dict]:
    drawn = [p for kind in KINDS for p in cases(kind, 3000)]
    few = [{**p, "v0": 0.0, "current": p["current"] / 8, "leak": 0.75} for p in drawn if "leak" in p][:2000]
    exact = [{**p, "current": 0.5, "threshold": 0.5, "v0": 0.25, "arrival": "constant"} for p in drawn[::40]]
    return drawn + few + exact


def test_the_membranes_sentences_are_true_of_thousands_of_settings(chrome: Browser) -> None:
    found, said = problems(chrome, MEMBRANE, membrane_cases(), claims.membrane)
    assert not found, found[:5]
    for pattern, _ in claims.ACCOUNT + claims.HARD_RESET:
        opening = pattern.split("{")[0].split("(")[0].replace("\\", "")[:24]
        assert opening in said, f"never said: {pattern}"


def test_the_calciums_sentences_are_true_of_thousands_of_settings(chrome: Browser) -> None:
    drawn = [p for kind in CALCIUM_KINDS for p in cases(kind, 4000)]
    drawn += [{**p, "leak": 1.0, "decay": 1.0} for p in drawn[:1000] if p["kind"] == "ca_lif"]
    found, said = problems(chrome, CALCIUM, drawn, claims.calcium)
    assert not found, found[:5]
    assert "this is SNM" in said and "the gate is shut" in said


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("leaked += (1 - n.leak) * before", "leaked += (1 - n.leak) * after"),
        ("pulls[name] * Math.sign(gap) >", "pulls[name] >"),
        ("gap < 0 ? missing", "gap > 0 ? missing"),
        ('n.reset === "zero" && run.spike[t]', "run.spike[t]"),
        ("[name, -charge / T]", "[name, charge / T]"),
        ("if (left < 0) return", "if (left < 1) return"),
        ("run.z[0] / (1 - n.leak)", "run.z[0] / n.leak"),
        ("run.v.at(-1) > -n.negative", "run.v.at(-1) < -n.negative"),
    ],
)
def test_a_sentence_that_names_the_wrong_cause_is_found(chrome: Browser, right: str, wrong: str) -> None:
    assert MEMBRANE.count(right) == 1
    found, _ = problems(chrome, MEMBRANE.replace(right, wrong), membrane_cases()[::5], claims.membrane)
    assert found
