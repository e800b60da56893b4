"""The explorers: the JavaScript is the Python neuron, bit for bit; a key press moves the picture, and nothing else."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page

from benchmarks.slider_latency import measured
from snnlab import explorers
from snnlab.explorers.membrane import RANGES
from snnlab.neurons import IF
from tests.browser import browser
from tests.jupyter import lab, opened

ROOT = Path(__file__).parents[1]
MODULE = Path(explorers.__file__).with_name("membrane.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the explorers' pictures, sliders and their JavaScript are") as opened_browser:
        yield opened_browser


def cases(n: int) -> list[dict]:
    """Settings of all kinds: dyadic as the sliders give them (ties are exact), and any float."""
    draw = torch.Generator().manual_seed(0)
    columns = {}
    for name, (low, high) in RANGES.items():
        values = low + (high - low) * torch.rand(n, generator=draw, dtype=torch.float64)
        dyadic = torch.rand(n, generator=draw) < 0.7
        columns[name] = torch.where(dyadic, (values * 64).round() / 64, values)
    columns["T"] = torch.randint(1, 129, (n,), generator=draw)
    leaks = torch.cat([torch.ones(10), torch.arange(0, 64, 7) / 64, torch.rand(10, generator=draw)]).double()
    columns["leak"] = leaks[torch.randint(len(leaks), (n,), generator=draw)]
    zero = torch.rand(n, generator=draw) < 0.4
    return [
        {name: column[i].item() for name, column in columns.items()}
        | {"reset": "zero" if zero[i] else "subtract"}
        for i in range(n)
    ]


def in_javascript(page: Page, module: str, settings: list[dict]) -> list[dict]:
    script = """async ([module, settings]) => {
      const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
      const { simulate } = await import(url);
      return JSON.stringify(settings.map(simulate));
    }"""
    return json.loads(page.evaluate(script, [module, settings]))


def in_python(group: list[dict]) -> Iterator[tuple[list[float], list[float]]]:
    """Spikes and potentials of settings that share leak and reset, all at once."""
    theta, v0, z = (
        torch.tensor([p[name] for p in group], dtype=torch.float64) for name in ("threshold", "v0", "current")
    )
    potentials: list[torch.Tensor] = []
    neuron = IF(theta, v0, group[0]["leak"], group[0]["reset"])
    output, _ = neuron(z.expand(max(p["T"] for p in group), -1), potentials=potentials)
    spikes, v = (output != 0).double(), torch.stack(potentials)
    return ((spikes[: p["T"], i].tolist(), v[: p["T"], i].tolist()) for i, p in enumerate(group))


def differing(page: Page, module: str, settings: list[dict]) -> int:
    """Settings for which a spike or a bit of a potential differs."""
    groups: dict[tuple, list[dict]] = {}
    for p in settings:
        groups.setdefault((p["leak"], p["reset"]), []).append(p)
    runs = zip(
        in_javascript(page, module, list(chain(*groups.values()))),
        chain(*map(in_python, groups.values())),
        strict=True,
    )
    return sum(run["spike"] != spikes or run["v"] != v for run, (spikes, v) in runs)


def test_the_javascript_is_the_python_neuron_bit_for_bit(chrome: Browser) -> None:
    assert differing(chrome.new_page(), MODULE, cases(10_000)) == 0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("v >= threshold", "v > threshold"),
        ("leak * v + current", "leak * (v + current)"),
        ("let v = v0", "let v = 0"),
    ],
)
def test_a_planted_bug_is_found(chrome: Browser, right: str, wrong: str) -> None:
    assert MODULE.count(right) == 1
    assert differing(chrome.new_page(), MODULE.replace(right, wrong), cases(300)) > 0


def test_the_sliders_reach_what_python_allows(chrome: Browser) -> None:
    script = """async (module) => {
      const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
      return (await import(url)).SLIDERS; }"""
    sliders = chrome.new_page().evaluate(script, MODULE)
    assert {name: (how["min"], how["max"]) for name, how in sliders.items()} == RANGES


def boxes(page: Page) -> list[dict | None]:
    """Where everything stands: the controls, the picture, the line of text."""
    return [
        part.bounding_box()
        for part in page.query_selector_all(".snnlab-membrane :is(input, select, svg, .says)")
    ]


def press(page: Page, slider: str, key: str) -> tuple[str, str]:
    """The picture and the text after a key press on a slider."""
    page.focus(f".snnlab-membrane [name={slider}]")
    page.keyboard.press(key)
    return page.inner_html(".snnlab-membrane svg"), page.inner_text(".snnlab-membrane .says")


def test_one_html_file_works_with_no_kernel_and_no_network(chrome: Browser, tmp_path: Path) -> None:
    path = explorers.membrane(current=0.25, T=8).save(tmp_path / "membrane.html")
    context = chrome.new_context(offline=True)
    page, requests, errors = context.new_page(), [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108 - playwright marks the handler
    page.goto(path.as_uri())
    page.wait_for_selector("path.trace", state="attached")
    before, text, places = page.inner_html("svg"), page.inner_text(".says"), boxes(page)
    assert text.startswith("2 spikes in 8 steps: the mean output 0.25 is exactly ReLU(z) = 0.25")
    for slider, key in (("current", "ArrowRight"), ("threshold", "PageDown"), ("v0", "End"), ("T", "Home")):
        after, now = press(page, slider, key)
        assert after != before and now, slider
        before = after
    page.select_option("[name=reset]", "zero")
    assert boxes(page) == places
    assert not errors and requests == [path.as_uri()]


@pytest.mark.parametrize("width", [360, 1200])
def test_no_part_sticks_out_of_the_page(chrome: Browser, tmp_path: Path, width: int) -> None:
    page = chrome.new_page(viewport={"width": width, "height": 900})
    page.goto(explorers.membrane(T=128).save(tmp_path / "membrane.html").as_uri())
    page.wait_for_selector("path.trace", state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


SAYINGS = [
    ({"current": -0.5}, "silent, as ReLU is"),
    ({"current": -0.5, "v0": 2.0}, "come from v[0] alone"),
    ({"current": 1.5}, "Clipped"),
    ({"current": 0.3, "reset": "zero", "T": 32}, "throws away"),
    ({"current": 0.2, "leak": 0.75, "T": 64}, "never fires"),
    ({"current": 0.5, "leak": 0.75}, "takes a share"),
    ({"current": 0.3, "T": 7}, "no charge is lost"),
]


@pytest.mark.parametrize(("settings", "text"), SAYINGS, ids=[text for _, text in SAYINGS])
def test_the_line_of_text_says_what_is_to_be_seen(
    chrome: Browser, tmp_path: Path, settings: dict, text: str
) -> None:
    page = chrome.new_page()
    page.goto(explorers.membrane(**settings).save(tmp_path / "membrane.html").as_uri())
    page.wait_for_selector("path.trace", state="attached")
    assert text in page.inner_text(".says")


def test_a_key_press_in_jupyterlab_moves_the_picture_and_the_kernel_follows(
    chrome: Browser, tmp_path: Path
) -> None:
    source = (
        "from pathlib import Path\nfrom snnlab import explorers\na, b = explorers.membrane(), explorers.membrane()\n"
        "display(a, b)\na.observe(lambda change: Path('said.txt').write_text(str(change.new)), 'current')"
    )
    with lab(tmp_path, source) as address:
        page = opened(chrome, address)
        page.wait_for_selector(".snnlab-membrane >> nth=1")
        other = page.locator(".snnlab-membrane svg").nth(1).inner_html()
        before, places = page.inner_html(".snnlab-membrane svg"), boxes(page)
        after, text = press(page, "current", "ArrowRight")
        assert after != before and "0.3281" in text
        assert boxes(page) == places
        assert page.locator(".snnlab-membrane svg").nth(1).inner_html() == other
        for _ in range(100):
            if (tmp_path / "said.txt").exists():
                break
            page.wait_for_timeout(100)
        assert (tmp_path / "said.txt").read_text() == "0.328125"
        result = measured(page, 40)  # a report, no pass or fail: the machine may be busy
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build" / "slider_latency.json").write_text(json.dumps(result, indent=2) + "\n")
        assert result["presses"] > 0 and result["frames_drawn"] == 90


def test_values_from_python_are_checked_and_rounded_to_the_sliders_steps() -> None:
    assert explorers.membrane(current=0.3).current == 19 / 64
    for arguments, message in (
        ({"threshold": 0}, "threshold = 0.*0.25 to 2"),
        ({"T": 0}, "T = 0.*1 to 128"),
        ({"T": 2.5}, "T = 2.5.*whole number"),
        ({"leak": 1.5}, "leak = 1.5.*0.0 to 1.0"),
        ({"current": "much"}, "current = 'much'.*number"),
        ({"current": float("nan")}, "current = nan"),
        ({"reset": "soft"}, "reset = 'soft'.*'subtract' or 'zero'"),
    ):
        with pytest.raises(ValueError, match=message):
            explorers.membrane(**arguments)


def test_an_iframe_holds_the_whole_explorer(chrome: Browser) -> None:
    page = chrome.new_page()
    page.set_content(f"<p>before</p>{explorers.membrane().iframe()}")
    assert page.frame_locator("iframe").locator("path.trace").count() == 1
