"""The unevenness explorer's arithmetic: Python's neurons bit for bit, and every order of the input counted once."""

import math
from collections import Counter
from collections.abc import Iterator
from itertools import combinations, product

import pytest
import torch
from playwright.sync_api import Browser, Page

from snnlab.explorers import Unevenness
from snnlab.explorers.membrane import KINDS
from snnlab.explorers.unevenness import EXAMPLES, RANGES
from snnlab.neurons import NEURONS
from tests.browser import ask, browser

MODULE = str(Unevenness._esm)
CONSERVING = ("if", "burst", "snm", "zero_threshold", "st_bif", "ca_lif")


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the unevenness explorer is") as opened_browser:
        yield opened_browser


def cases(kind: str, n: int) -> list[dict]:
    """Settings of a kind: quarters, where ties are frequent; numbers as the sliders give them; and any float."""
    draw = torch.Generator().manual_seed(sorted(NEURONS).index(kind))
    columns = {}
    for name in ("threshold", "share", "weight_plus", "weight_minus"):
        low, high = RANGES[name]
        values = low + (high - low) * torch.rand(n, generator=draw, dtype=torch.float64)
        columns[name] = torch.stack([values, (values * 64).round() / 64, (values * 4).floor() / 4])
    grid = torch.randint(0, 3, (n,), generator=draw)  # one for all numbers of a setting
    columns = {name: values[grid, torch.arange(n)].tolist() for name, values in columns.items()}
    steps = torch.randint(1, 9, (n,), generator=draw).tolist()
    bits = torch.randint(0, 2, (n, 2, 8), generator=draw).tolist()
    trains = [["".join(map(str, train[:T])) for train in both] for T, both in zip(steps, bits, strict=True)]
    rows = zip(*columns.values(), strict=True)
    return [
        {**dict(zip(columns, row, strict=True)), "kind": kind, "T": T, "plus": plus, "minus": minus}
        for row, T, (plus, minus) in zip(rows, steps, trains, strict=True)
    ]


def currents(p: dict) -> list[float]:
    weights = p["weight_plus"], p["weight_minus"]
    return [weights[0] * int(a) + weights[1] * int(b) for a, b in zip(p["plus"], p["minus"], strict=True)]


def in_python(kind: str, settings: list[dict]) -> Iterator[tuple[list[float], list[float]]]:
    """Spikes and potentials, of all settings in one go; steps after the last add nothing that is looked at."""
    theta, share = (
        torch.tensor([p[k] for p in settings], dtype=torch.float64) for k in ("threshold", "share")
    )
    longest = max(p["T"] for p in settings)
    rows = [currents(p) + [0.0] * (longest - p["T"]) for p in settings]
    potentials: list[torch.Tensor] = []
    output, _ = NEURONS[kind](theta, share * theta, **KINDS[kind])(
        torch.tensor(rows, dtype=torch.float64).T, potentials=potentials
    )
    spikes, v = (output / theta).round(), torch.stack(potentials)
    return ((spikes[: p["T"], i].tolist(), v[: p["T"], i].tolist()) for i, p in enumerate(settings))


def differing(page: Page, code: str, kind: str, n: int) -> int:
    """Settings for which a spike or a bit of a potential differs."""
    settings = cases(kind, n)
    runs = zip(ask(page, code, settings, "simulate"), in_python(kind, settings), strict=True)
    return sum(run["spike"] != spikes or run["v"] != v for run, (spikes, v) in runs)


@pytest.mark.parametrize("kind", list(NEURONS))
def test_the_browser_simulates_the_python_neuron_bit_for_bit(chrome: Browser, kind: str) -> None:
    assert differing(chrome.new_page(), MODULE, kind, 2_500) == 0  # 20,000 in all


BUGS = [
    ("if", "v0: p.share * p.threshold", "v0: p.share"),
    ("if", "p.weight_minus * Number(p.minus[t])", "p.weight_minus * Number(p.plus[t])"),
    ("lif", "peak >= k * p.threshold", "peak > k * p.threshold"),
    ("snm", "open && peak < 0", "peak < 0"),
    ("burst", "k <= p.max_spikes", "k <= 1"),
]


@pytest.mark.parametrize(("kind", "right", "wrong"), BUGS)
def test_a_planted_bug_in_the_simulation_is_found(chrome: Browser, kind: str, right: str, wrong: str) -> None:
    assert MODULE.count(right) == 1
    assert differing(chrome.new_page(), MODULE.replace(right, wrong), kind, 600) > 0


# --- all orders --------------------------------------------------------------------------------------------------


def counted(p: dict) -> list[int]:
    """Each placement of the spikes written out and run: how many make 0, 1, 2, ... output spikes."""
    T, n = p["T"], (p["plus"].count("1"), p["minus"].count("1"))
    places = product(combinations(range(T), n[0]), combinations(range(T), n[1]))
    rows = [
        [p["weight_plus"] * (t in plus) + p["weight_minus"] * (t in minus) for t in range(T)]
        for plus, minus in places
    ]
    theta = torch.tensor(p["threshold"], dtype=torch.float64)
    neuron = NEURONS[p["kind"]](theta, p["share"] * theta, **KINDS[p["kind"]])
    _, state = neuron(torch.tensor(rows, dtype=torch.float64).T)
    found = Counter(state.count.int().tolist())
    return [found[k] for k in range(max(found) + 1)]


def miscounted(page: Page, code: str, settings: list[dict]) -> int:
    said = ask(page, code, settings, "orders")
    return sum(mine != counted(p) for mine, p in zip(said, settings, strict=True))


@pytest.mark.parametrize("kind", list(NEURONS))
def test_every_order_is_counted_once(chrome: Browser, kind: str) -> None:
    assert miscounted(chrome.new_page(), MODULE, cases(kind, 150)) == 0
    largest = [{**p, "T": 8, "plus": "00001111", "minus": "11110000"} for p in cases(kind, 4)]
    assert sum(counted(largest[0])) == math.comb(8, 4) ** 2 == 4900
    assert miscounted(chrome.new_page(), MODULE, largest) == 0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("known.ways += ways", "known.ways += 1"),
        ("plus - a > left", "plus - a > left + 1"),
        ("after.calcium === after.count ? number", "true ? number"),
        ("[1, 0], [1, 1]", "[1, 0]"),
    ],
)
def test_a_planted_bug_in_the_counting_is_found(chrome: Browser, right: str, wrong: str) -> None:
    assert MODULE.count(right) == 1
    code = MODULE.replace(right, wrong)
    assert miscounted(chrome.new_page(), code, cases("snm", 100) + cases("ca_lif", 100)) > 0


def test_even_arrival_is_an_if_neuron_with_constant_input(chrome: Browser) -> None:
    settings = [p for p in cases("if", 4000) if all(p[k] * 64 % 1 == 0 for k in RANGES)]
    settings = [p for p in settings if p["T"] in (1, 2, 4, 8)]  # so that the mean is exact too
    assert len(settings) > 300
    for p, said in zip(settings, ask(chrome.new_page(), MODULE, settings, "evenly"), strict=True):
        z = torch.full((p["T"], 1), sum(currents(p)) / p["T"], dtype=torch.float64)
        theta = torch.tensor(p["threshold"], dtype=torch.float64)
        output, _ = NEURONS["if"](theta, p["share"] * theta)(z)
        assert (output / theta).cumsum(0)[:, 0].tolist() == said


@pytest.mark.parametrize("kind", CONSERVING)
def test_the_true_share_of_potentials_outside_is_the_share_of_wrong_counts(
    chrome: Browser, kind: str
) -> None:
    """v[T] < 0 with spikes standing, or v[T] >= theta with room for more: exactly then the count is wrong."""
    settings = [p for p in cases(kind, 6000) if all(p[k] * 64 % 1 == 0 for k in RANGES)]
    page = chrome.new_page()
    runs, even = ask(page, MODULE, settings, "simulate"), ask(page, MODULE, settings, "evenly")
    most = KINDS[kind].get("max_spikes", 1)
    wrong = 0
    for p, run, right in zip(settings, runs, even, strict=True):
        v, count = run["v"][-1], run["count"]
        truly = (v < 0 and count > 0) or (v >= p["threshold"] and count < most * p["T"])
        assert truly == (count != right[-1])
        wrong += truly
    assert len(settings) > 500 and wrong > 10


def test_the_examples_are_the_same_in_both_languages_and_show_what_they_are_for(chrome: Browser) -> None:
    script = """async (module) => {
      const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
      const { CONTROLS, EXAMPLES } = await import(url);
      return { CONTROLS, EXAMPLES }; }"""
    said = chrome.new_page().evaluate(script, MODULE)
    assert said["EXAMPLES"] == EXAMPLES
    controls = said["CONTROLS"]
    assert {name: (how["min"], how["max"]) for name, how in controls.items() if "min" in how} == RANGES
    assert list(controls["example"]["options"]) == [*EXAMPLES, "own"]
    assert list(controls["kind"]["options"]) == list(NEURONS)
    settings = [{**example, "kind": "if"} for example in EXAMPLES.values()]
    runs = ask(chrome.new_page(), MODULE, settings, "simulate")
    ends = {name: (run["count"], run["v"][-1]) for name, run in zip(EXAMPLES, runs, strict=True)}
    assert ends == {
        "even": (2, 0), "extra": (4, -1), "missing": (1, 0.5),
        "from_nothing": (2, -3), "silent": (0, -1), "clipped": (5, 2.5),
    }  # fmt: skip
