"""The conversion explorer: every method, knob and combination works or says why not; nothing fails silently."""

import random
import re
import sys
from collections.abc import Iterator
from html import escape
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import snnlab
from snnlab import datasets, networks, training
from snnlab.activations import QCFS
from snnlab.explorers import conversion
from snnlab.explorers.conversion import CODINGS, OWN, PAGES, SHARES, ConversionExplorer, tuned
from snnlab.explorers.network import moved
from snnlab.progress import progress_bar
from tests.browser import browser

pytestmark = pytest.mark.usefixtures("one_thread")
FULL = datasets.load("digits")
DATA = datasets.Data(**{**vars(FULL), "calibration": FULL.calibration[:16], "train": FULL.train[:200]})
T = 8


@pytest.fixture(scope="module")
def anns() -> list[nn.Module]:
    return [training.fit(networks.cnn(kind), FULL.train, epochs=2) for kind in (nn.ReLU, QCFS)]


@pytest.fixture
def explorer(
    anns: list[nn.Module], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> ConversionExplorer:
    """With a network for what neither of the two fits; what it trains is kept for the next test."""
    folder = tmp_path_factory.getbasetemp() / "trained"
    real = conversion.recipes.prepare
    monkeypatch.setattr(
        conversion.recipes,
        "prepare",
        lambda *given: real(*given, cache=folder, epochs_scale=0.1, progress=False),
    )
    return ConversionExplorer(anns, DATA, T, images=20, network=networks.cnn)


def states(draw: torch.Generator) -> Iterator[dict[str, Any]]:
    """All methods with all entries of the other menus, and the ends of the sliders; then 50 values of each slider."""
    for name in snnlab.CATALOGUE:
        yield {"method": name}
        yield from ({"coding": coding, "T": t} for coding, t in product(CODINGS, (1, T)))
        yield from ({"scale": scale} for scale in (0.125, 2.0))
        yield from ({"share": share} for share in SHARES)
    names = list(snnlab.CATALOGUE)
    for _ in range(50):
        name, t, eighths = (
            int(torch.randint(*span, (), generator=draw)) for span in ((0, 23), (1, T + 1), (1, 17))
        )
        yield {"method": names[name]}
        yield {"T": t, "scale": eighths / 8}


def walk(explorer: ConversionExplorer, steps: Iterator[dict[str, Any]]) -> int:
    """Go through the states; each shows a picture and a text of what was computed, or says why not."""
    walked = 0
    for state in steps:
        for knob, value in state.items():
            getattr(explorer, knob).value = value
        check_state(explorer)
        walked += 1
    return walked


def check_state(explorer: ConversionExplorer) -> None:
    says, t = explorer.says.value, explorer.T.value
    if explorer.refused:
        assert explorer.refused in says and not explorer.picture.value
        return
    shown = re.search(
        r"After <b>(\d+)</b> steps? .* <b>([\d.]+) %</b> of 20 test images right, the ANN ([\d.]+)", says
    )
    assert shown and int(shown[1]) == t and f"at t = {t}," in explorer.picture.value
    right = (explorer.run.predictions[t - 1] == explorer.test.labels).double().mean()
    assert shown[2] == f"{100 * right:.1f}"
    method = snnlab.CATALOGUE[explorer.method.value]
    assert explorer.snn.method.name == method.name and says.startswith(escape(method.title))
    assert (t if method.depends_on_T else explorer.T.max) == explorer.snn.T and len(
        explorer.accuracy
    ) == explorer.snn.T
    for name, neuron in explorer.snn.sites.items():
        assert f"{name} {float(neuron.threshold.min()):.2f}" in says


def test_every_method_and_every_knob_shows_what_it_computed(explorer: ConversionExplorer) -> None:
    assert list(explorer.bench.fitting) == list(snnlab.CATALOGUE) and not explorer.bench.left_out
    assert walk(explorer, states(torch.Generator().manual_seed(0))) == 23 * (1 + 4 + 2 + 10) + 100


def test_the_knobs_are_exactly_those_that_the_walk_turns(explorer: ConversionExplorer) -> None:
    knobs = {name for name, value in vars(explorer).items() if value in explorer.knobs}
    assert knobs == {"method", "coding", "T", "scale", "share"} and len(explorer.knobs) == 5


CALLBACKS = [
    (ConversionExplorer, name)
    for name in (
        "_take_method",
        "_take_T",
        "_take_coding",
        "_compute",
        "_simulate",
        "_show",
        "_sentences",
        "answer",
    )
]
CALLBACKS += [(conversion.Bench, "ann"), (conversion.Bench, "snn")]
CALLBACKS += [(conversion, name) for name in ("tuned", "_span", "accuracy_at", "convert", "simulate", "find")]


@pytest.mark.parametrize(("where", "name"), CALLBACKS, ids=[name for _, name in CALLBACKS])
def test_an_exception_planted_anywhere_turns_the_walk_red(
    explorer: ConversionExplorer, monkeypatch: pytest.MonkeyPatch, where: Any, name: str
) -> None:
    def planted(*_: Any, **__: Any) -> None:
        raise TypeError("planted")

    monkeypatch.setattr(where, name, planted)
    with pytest.raises(TypeError, match="planted"):
        walk(explorer, states(torch.Generator().manual_seed(0)))
    if name != "answer":  # which is the one that says so
        assert "TypeError: planted. This is a mistake of snnlab, not yours" in explorer.says.value
        assert not explorer.picture.value


def test_what_a_method_refuses_is_said_in_words_and_the_old_numbers_are_gone(
    explorer: ConversionExplorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: Any, **__: Any) -> None:
        raise ValueError("layer 'a' < 3: too small; take another")

    with monkeypatch.context() as patched:
        patched.setattr(conversion, "convert", refusing)
        explorer.scale.value = 0.5
        assert explorer.says.value == (
            "<b>This setting shows nothing.</b> layer &#x27;a&#x27; &lt; 3: too small; take another"
        )
        assert explorer.refused and not explorer.picture.value
        explorer.T.value = 3
        explorer.coding.value = "Poisson spikes"
        assert explorer.refused and not explorer.picture.value, "it is the setting before that would be shown"
    explorer.scale.value = 1.0
    check_state(explorer)
    assert not explorer.refused


def test_without_a_network_to_train_only_what_fits_is_offered_and_the_rest_is_named(
    anns: list[nn.Module],
) -> None:
    explorer = ConversionExplorer(anns[:1], DATA, T, images=20)
    fitting = {name for name, method in snnlab.CATALOGUE.items() if method.activation is nn.ReLU}
    assert set(explorer.bench.fitting) == fitting == set(dict(explorer.method.options).values())
    assert set(explorer.bench.left_out) == set(snnlab.CATALOGUE) - fitting
    assert "with QCFS: qcfs, ca_lif, cos;" in explorer.says.value and "network=" in explorer.says.value
    with pytest.raises(ValueError, match="no method fits any of these networks"):
        ConversionExplorer([], DATA, T)


def test_a_network_is_trained_for_a_method_with_a_bar_once(
    explorer: ConversionExplorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = next(label for label, name in explorer.method.options.items() if name == "tcl")
    assert label == "tcl (its own network, trained when chosen)" and explorer.bench.fitting["tcl"] is None
    real, bars, trained = conversion.recipes.prepare, [], []

    def slow(*given: Any) -> nn.Module:
        trained.append(given[0])
        with progress_bar(total=2, desc="training", delay=0.0, mininterval=0.0) as bar:
            bar.update()
        return real(*given)

    monkeypatch.setattr(conversion.recipes, "prepare", slow)
    explorer.bar.observe(lambda change: bars.append(change.new), "value")
    for name in ("tcl", "max_norm", "tcl"):
        explorer.method.value = name
    assert trained == ["tcl"] and any("training:  50%" in bar for bar in bars) and explorer.bar.value == ""
    check_state(explorer)


def test_what_it_shows_is_what_convert_and_simulate_give(
    explorer: ConversionExplorer, anns: list[nn.Module]
) -> None:
    for name, coding, t in (("opi", "constant current", 8), ("calibration_light", "Poisson spikes", 3)):
        explorer.method.value, explorer.coding.value, explorer.T.value = name, coding, t
        snn = snnlab.convert(anns[0], name, DATA.calibration, t)
        run = snnlab.simulate(snn, DATA.test[:20], t, coding=CODINGS[coding])
        assert torch.equal(explorer.accuracy[:t], run.accuracy(DATA.test[:20]))


def test_a_method_brings_its_own_start_and_the_sliders_convert_anew(explorer: ConversionExplorer) -> None:
    explorer.method.value = "max_norm"
    before, picture = explorer.snn.sites["conv1.act"], explorer.picture.value
    explorer.scale.value, explorer.share.value = 0.25, "0.5"
    after = explorer.snn.sites["conv1.act"]
    assert after.threshold == 0.25 * before.threshold and after.v0 == 0.5 * after.threshold
    assert explorer.picture.value != picture
    explorer.method.value = "opi"
    assert (explorer.scale.value, explorer.share.value) == (1.0, OWN)
    assert "v0, in thresholds: 0.50, 0.50, 0.50." in explorer.says.value


def test_T_moves_the_mark_without_a_conversion_where_the_method_is_the_same_for_all_T(
    explorer: ConversionExplorer,
) -> None:
    snn, picture = explorer.snn, explorer.picture.value
    explorer.T.value = 7
    assert explorer.snn is snn and explorer.picture.value != picture
    explorer.method.value = "calibration_light"
    snn = explorer.snn
    explorer.T.value = 6
    assert explorer.snn is not snn and explorer.snn.T == 6
    assert "This method converts for one T: here for 6" in explorer.says.value


def test_thresholds_are_not_scaled_by_nothing() -> None:
    with pytest.raises(ValueError, match="scale = 0"):
        tuned("opi", scale=0)


def test_on_a_page_it_runs_the_networks_itself_and_counts_what_simulate_counts(
    anns: list[nn.Module], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    explorer = ConversionExplorer(anns, DATA, T, images=20)
    assert "<iframe" not in explorer.lasting()
    monkeypatch.setenv(PAGES, "1")
    assert "<iframe" in explorer.lasting() and "Run the cell" not in explorer.lasting()
    made = explorer.page()
    assert {"max_norm", "opi", "qcfs", "snm"} <= set(made.snns) and not {"cos", "calibration_light"} & set(
        made.snns
    )
    draw = random.Random(0)
    with browser("the conversion explorer's page is") as chrome:
        page = chrome.new_page()
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.goto(made.save(tmp_path / "page.html").as_uri())
        for name, snn in made.snns.items():
            page.select_option("[name=method]", name)
            scale = draw.randint(1, 16) / 8 if page.is_visible("[name=scale]") else 1.0
            knobs = {"scale": scale, "shift": draw.randint(-8, 8) / 16, "t": draw.randint(1, T)}
            for knob, value in knobs.items():
                if page.is_visible(f"[name={knob}]"):
                    page.fill(f"[data-number={knob}]", str(value))
                    page.press(f"[data-number={knob}]", "Enter")
            page.wait_for_function(
                "document.querySelector('.says').textContent.includes('of 20 test images right')"
            )
            says, dtype = (
                page.inner_text(".says"),
                None if knobs["scale"] == 1 == knobs["shift"] + 1 else torch.float64,
            )
            run = snnlab.simulate(
                moved(snn, scale, knobs["shift"]), explorer.test, T, dtype=dtype or torch.float32
            )
            right = 100 * float(run.accuracy(explorer.test)[int(knobs["t"]) - 1])
            assert f"the spiking network of {name} gets {right:.1f} % of 20" in says, (knobs, says)
            ann = 100 * training.accuracy(made.ann_of[name], explorer.test)
            assert f"the ANN {ann:.1f} %" in says


def test_what_a_page_cannot_hold_is_a_picture_there(
    explorer: ConversionExplorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PAGES, "1")
    monkeypatch.setattr(sys.modules["snnlab.explorers.network"], "LIMIT", 1000)
    assert "<iframe" not in explorer.lasting() and "<svg" in explorer.lasting() + explorer.picture.value
