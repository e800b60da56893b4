"""The figures: what they say in numbers, and that a notebook shows each once."""

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Literal
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from playwright.sync_api import Browser

from snnlab import plots
from snnlab.activations import QCFS, QuantClip
from snnlab.neurons import IF
from snnlab.plots import Drawing
from snnlab.simulators.errors import PARTS, Anatomy, Layer
from snnlab.simulators.run import Trace
from tests.browser import browser

mpl.use("agg")  # no screen needed

CURVES = {"qcfs": torch.tensor([0.5, 0.9, 0.99]), "max_norm": [0.1, 0.2, 0.3]}


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser("the drawings are") as opened:
        yield opened


@pytest.fixture
def trace() -> Trace:
    """Two images, three neurons with a threshold each, a constant input of 1/4 a step: [T, N, 3]."""
    neuron = IF(threshold=torch.tensor([1.0, 0.5, 2.0]), v0=torch.tensor([0.5]))
    potentials: list[torch.Tensor] = []
    output, _ = neuron(torch.full((8, 2, 3), 0.25), potentials=potentials)
    return Trace(torch.stack(potentials), output, neuron.threshold, neuron.v0)


def titles(figure: Figure) -> str:
    return " ".join(axes.get_title(loc) for axes in figure.axes for loc in ("left", "center"))


def legends(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().texts]


def draw(figure: Figure) -> None:
    figure.savefig(io.BytesIO(), format="png", dpi=40)


def test_every_figure_draws_names_its_axes_and_is_left_closed(trace: Trace) -> None:
    figures = [
        plots.membrane(trace, (1, 2)),
        plots.rate_against_relu({"v0 = 0": IF(2.0), "half": IF(2.0, v0=1.0)}, T=4),
        plots.transfer(QCFS(4, 2.0)),
        plots.accuracy_over_time(CURVES, ann=0.995),
        plots.firing_rates({"conv1.act": 0.1, "fc1.act": 0.02}),
        plots.activation_histogram(torch.arange(100.0), {"half": 49.5}),
    ]
    for figure in figures:
        draw(figure)
        assert titles(figure).split(".")[0].strip()[:20].replace("\n", " ") in figure.alt
        assert titles(figure).strip()
        assert figure.axes[-1].get_xlabel()
    assert plt.get_fignums() == []


def test_a_membrane_title_counts_the_spikes(trace: Trace) -> None:
    figure = plots.membrane(trace, (0, 0))
    assert "Image 0, neuron 0: 2 spikes in 8 steps" in titles(figure)
    assert "potential v, 0.5 to 0.5" in legends(figure)
    assert "1 spike in 8 steps" in titles(plots.membrane(trace, (0, 2)))
    alone = Trace(trace.v[:, 0], trace.output[:, 0], trace.threshold, trace.v0)
    assert titles(plots.membrane(alone, (1,))).strip().startswith("Neuron 1: ")


def test_a_membrane_shows_the_neurons_own_threshold(trace: Trace) -> None:
    assert "threshold 0.5" in legends(plots.membrane(trace, (1, 1)))


def test_the_potential_rises_to_what_met_the_threshold_and_is_reset_as_in_the_explorers(trace: Trace) -> None:
    line, *_, fires, dots = plots.membrane(trace, (0, 0)).axes[0].lines
    before, after = np.array(line.get_ydata()).reshape(8, 3)[:, :2].T
    assert np.allclose(before, [0.5, 0.75, 0.0, 0.25, 0.5, 0.75, 0.0, 0.25])
    assert np.allclose(after, [0.75, 1.0, 0.25, 0.5, 0.75, 1.0, 0.25, 0.5])
    assert fires.get_label() == "fires" and np.allclose(fires.get_xydata(), [[2, 1.0], [6, 1.0]])
    assert np.allclose(dots.get_ydata(), [0.5, 0.75, 0.0, 0.25, 0.5, 0.75, 0.0, 0.25, 0.5])


def test_a_spike_taken_back_is_drawn_the_other_way(trace: Trace) -> None:
    v = torch.tensor([[0.5], [-0.25], [0.0]])
    output = torch.tensor([[1.0], [0.0], [-1.0]])
    figure = plots.membrane(Trace(v, output, torch.tensor(1.0), torch.tensor(0.0)), (0,))
    assert {"fires", "takes back"} < set(legends(figure)) and "no spikes in 3 steps" in titles(figure)


@pytest.mark.parametrize("index", [(0,), (2, 0), (0, 3), (-1, 0), (0, 0, 0)])
def test_a_neuron_that_was_not_recorded_is_refused_with_what_was(
    trace: Trace, index: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"images and neurons \(2, 3\)"):
        plots.membrane(trace, index)


def test_rates_say_how_far_each_neuron_is_from_relu() -> None:
    z = torch.linspace(-1, 3, 4001, dtype=torch.float64)
    figure = plots.rate_against_relu({"zero": IF(2.0), "half": IF(2.0, v0=1.0)}, 4, z)
    assert {"zero: at most 0.499 off", "half: at most 0.25 off"} < set(legends(figure))


@pytest.mark.parametrize(("activation", "error"), [(QCFS(4, 2.0), "0.25"), (QuantClip(4, 2.0), "0.5")])
def test_transfer_says_the_largest_quantisation_error(activation: QuantClip, error: str) -> None:
    title = titles(plots.transfer(activation))
    assert f"at most {error}; clipping begins at 2" in title


def test_transfer_takes_a_neurons_mean_output_too() -> None:
    neuron = IF(1.0, v0=0.5)
    figure = plots.transfer(lambda z: neuron(z.expand(4, -1))[0].mean(0))
    assert "at most 0.125; clipping begins at 1" in titles(figure)
    assert "activation" in legends(figure)


def test_accuracies_are_shown_in_percent_with_their_last_value() -> None:
    figure = plots.accuracy_over_time(CURVES, ann=0.995)
    assert legends(figure) == ["ANN: 99.5 %", "qcfs: 99.0 %", "max_norm: 30.0 %"]
    assert titles(figure).strip() == "Accuracy at t = 3: highest qcfs 99.0 %, ANN 99.5 %"


def test_a_histogram_says_what_a_threshold_clips() -> None:
    figure = plots.activation_histogram(torch.arange(100.0), {"half": 49.5, "largest": 99.0})
    assert legends(figure) == ["half: 49.5, clips 50 %", "largest: 99, clips 0 %"]
    assert "100 activations, 1 % of them zero, largest 99" in titles(figure)


def test_many_curves_stay_distinct() -> None:
    figure = plots.accuracy_over_time({str(k): [0.1 * k] * 3 for k in range(6)})
    assert len({(line.get_color(), line.get_marker()) for line in figure.axes[0].lines}) == 6


def test_the_charts_hold_plain_numbers_for_the_page() -> None:
    accuracy = plots.accuracy_chart(CURVES, 0.995)
    assert [trace.name for trace in accuracy.data] == ["qcfs", "max_norm", "ANN"]
    assert list(accuracy.data[1].y) == pytest.approx([10, 20, 30])
    assert accuracy.layout.title.text == "Accuracy at t = 3: highest qcfs 99.0 %, ANN 99.5 %"
    rates = plots.rates_chart({"conv1.act": 0.125, "fc1.act": 0.02})
    assert list(rates.data[0].y) == ["conv1.act", "fc1.act"]
    assert list(rates.data[0].text) == ["0.125", "0.020"]
    assert "<div" in accuracy.to_html(full_html=False, include_plotlyjs=False)


def test_a_page_shows_a_figure_in_its_own_colours_and_says_it_in_words(trace: Trace) -> None:
    figure = plots.membrane(trace, (0, 0))
    page = figure._repr_html_()
    svg = page[page.index("<svg") :]
    for own in ("#222223", "#fffffe", "#0072b2", "#d9d9da"):  # every colour of the house is a variable
        assert svg.count(own) == svg.count(f", {own})") > 0
    assert 'data-jp-theme-light="false"' in page and "width=" not in svg.split(">")[0]
    assert 'aria-label="Image 0, neuron 0: 2 spikes in 8 steps. The potential starts at 0.5' in svg


def test_a_figure_has_no_other_colours(trace: Trace) -> None:
    svg = (
        plots.membrane(trace, (0, 0)).svg()
        + plots.firing_rates({"a": 0.5}).svg()
        + plots.transfer(QCFS(4, 2.0)).svg()
    )
    left = set(re.findall(r"#[0-9a-f]{6}", re.sub(r"var\([^)]*\)", "", svg)))
    assert not left


def test_bars_and_lines_say_every_number_in_words() -> None:
    figure = plots.bars(
        {"silent [%]": {"opi": {"conv1": 3.0, "fc1": 9.0}, "qcfs": {"conv1": 1.0, "fc1": 2.0}}}
    )
    draw(figure)
    assert figure.alt == "silent [%], opi: conv1 3, fc1 9; silent [%], qcfs: conv1 1, fc1 2."
    figure = plots.lines({"T = 2": ([0, 1], [5.0, 7.0])}, "Up", "start", "error [%]", {"half": 0.5})
    draw(figure)
    assert figure.alt == "Up. error [%] over start: T = 2 from 5 to 7."


def test_an_accuracy_axis_has_no_tick_above_100_percent() -> None:
    fourth = dict.fromkeys(PARTS, 0.25)
    layer = Layer(1.0, 0.9, 0.1, fourth, fourth, fourth, 0.0, 0.0, 0.1, 0.99)
    figure = plots.anatomy(Anatomy({"a": layer, "b": layer}, 0.995, 4))
    draw(figure)
    assert max(figure.axes[1].get_yticks()) <= 100 and figure.axes[1].get_ylim()[1] < 100.2
    assert "a: 10.0 % of the mean activation, by" in figure.alt


def test_the_legend_of_all_causes_lies_within_the_figure() -> None:
    shares = dict.fromkeys(PARTS, 1 / len(PARTS))
    layer = Layer(1.0, 0.9, 0.1, shares, shares, shares, 0.0, 0.0, 0.1, 0.99)
    figure = plots.anatomy(Anatomy({"a": layer}, 0.995, 4))
    draw(figure)
    legend = figure.axes[0].get_legend()
    assert legend is not None and len(legend.texts) == len(PARTS) == 5
    assert legend.get_window_extent().x1 <= figure.bbox.width + 1


def test_both_drawings_of_a_picture_say_the_same() -> None:
    still, alive = plots.accuracy_over_time(CURVES, 0.995), plots.accuracy_chart(CURVES, 0.995)
    assert " ".join(titles(still).split()) == alive.layout.title.text
    assert still.axes[0].get_xlabel() == alive.layout.xaxis.title.text
    drawn = {line.get_label(): list(line.get_ydata()) for line in still.axes[0].lines}
    assert [list(trace.y) for trace in alive.data] == [*list(drawn.values())[1:], next(iter(drawn.values()))]


def test_the_first_explorer_and_the_first_drawing_do_not_wait_for_matplotlib() -> None:
    code = "import sys; from snnlab import course, explorers, plots; explorers.membrane(); plots.integrate_and_fire(); "
    code += "assert 'bars' in dir(plots) and 'matplotlib' not in sys.modules; plots.bars"
    subprocess.run([sys.executable, "-c", code], check=True)


DRAWINGS = {
    plots.network: {"weights", "neuron", "spikes", "mean"},
    plots.conversion: {"weights", "neuron", "training", "mean"},
    plots.integrate_and_fire: {"neuron", "send", "spikes", "current"},
    plots.two_inputs: {"input", "send", "spikes", "current"},
}


@pytest.mark.parametrize("make", DRAWINGS)
def test_a_drawing_is_told_in_words_and_has_the_themes_colours_alone(make: Callable[[], Drawing]) -> None:
    drawing = make()
    page = drawing._repr_html_()
    svg = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    assert svg.attrib["role"] == "img" and svg.attrib["aria-label"] == drawing.alt
    assert not re.search(r"#[0-9a-f]{6}", re.sub(r"var\([^)]*\)", "", drawing.svg()))
    words = {word for text in svg.findall(".//{*}text") for word in re.findall(r"[a-z]{4,}", text.text or "")}
    assert DRAWINGS[make] <= words & set(re.findall(r"[a-z]{4,}", drawing.alt))


@pytest.mark.parametrize("width", [390, 600])
@pytest.mark.parametrize("make", DRAWINGS)
def test_nothing_of_a_drawing_lies_outside_it_or_on_other_text(
    chrome: Browser, make: Callable[[], Drawing], width: int
) -> None:
    page = chrome.new_page(viewport={"width": width, "height": 600})
    page.set_content(f"<body style='margin:0'>{make()._repr_html_()}")
    measure = (
        "all => all.map(one => one.getBoundingClientRect()).map(box => [box.x, box.y, box.right, box.bottom])"
    )
    boxes = page.eval_on_selector_all("text", measure)
    frame = page.eval_on_selector_all("svg", measure)[0]
    assert len(boxes) > 10 and frame[2] <= width
    assert min(bottom - top for _, top, _, bottom in boxes) >= 14, "letters of a telephone's size"
    for k, (left, top, right, bottom) in enumerate(boxes):
        assert left >= frame[0] and top >= frame[1] and right <= frame[2] and bottom <= frame[3]
        for x, y, x2, y2 in boxes[:k]:
            assert right <= x or x2 <= left or bottom - 5 <= y or y2 <= top + 5
    page.close()


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_on_a_page_without_a_theme_a_figure_follows_the_readers_system(
    chrome: Browser, scheme: Literal["light", "dark"], dark: bool
) -> None:
    page = chrome.new_context(color_scheme=scheme).new_page()
    for body, expected in (("<body>", dark), ('<body data-jp-theme-light="true">', False)):
        page.set_content(body + plots.network()._repr_html_())
        fill = page.eval_on_selector("rect", "rect => getComputedStyle(rect).fill")
        assert (sum(map(int, re.findall(r"\d+", fill))) < 200) == expected, body


@pytest.mark.parametrize(
    "names", [["a", "b", "c"], ["one", "two" * 8, "three" * 8, "four", "five"], ["x" * 55] * 3]
)
def test_a_legend_is_never_wider_than_its_figure(names: list[str]) -> None:
    figure = plots.accuracy_over_time({name + str(k): [0.1, 0.9] for k, name in enumerate(names)}, ann=0.95)
    draw(figure)
    axes, legend = figure.axes[0], figure.axes[0].get_legend()
    assert legend is not None
    box, width = legend.get_window_extent(), figure.bbox.width
    assert box.x1 <= width + 1 and axes.get_window_extent().width > 0.75 * width
