# ruff: noqa: RUF001 # Chinese signs are meant
"""Figures in Chinese: drawn with a font that has its letters, English where there is none, and English as ever."""

import re
from collections.abc import Callable

import pytest
import torch

from snnlab import plots
from snnlab.course import choosing
from snnlab.files.language import spoken, wide
from snnlab.neurons import IF
from snnlab.plots import style
from snnlab.plots.page import PageFigure
from snnlab.simulators.run import Trace

HAN = re.compile(r"[\u4e00-\u9fff]")
SIX = torch.tensor([0.4, 0.8, 0.2, 0.6, 0.0, 0.4])[:, None]
FIRED = torch.tensor([0.0, 0.0, 1.0, 0.0, 1.0, -1.0])[:, None]
TRACE = Trace(SIX, FIRED, torch.tensor(1.0), torch.tensor(0.0))
NEURONS = {"IF": IF(torch.tensor(1.0), 0.5)}
RISING = torch.linspace(0.3, 0.9, 4)
FIGURES: dict[str, tuple[Callable[[], PageFigure], str]] = {
    "membrane": (lambda: plots.membrane(TRACE, [0]), "神经元 0：6 个时间步，1 个脉冲"),
    "rate_against_relu": (lambda: plots.rate_against_relu(NEURONS, 8), "T = 8 个时间步的平均输出"),
    "transfer": (lambda: plots.transfer(torch.floor, 2.0), "量化至多损失"),
    "firing_rates": (lambda: plots.firing_rates({"conv1": 0.25}), "发放率，从 0.250 到 0.250"),
    "activation_histogram": (lambda: plots.activation_histogram(SIX, {"max": 0.8}), "6 个激活值"),
    "accuracy_over_time": (lambda: plots.accuracy_over_time({"opi": RISING}, 0.9), "t = 4 时的精度"),
    "accuracy_at": (lambda: plots.accuracy_at(RISING, 0.9, 2, 4), "第一步之后 30.0 %"),
    "errors": (lambda: choosing.errors_against_threshold(SIX, 4, {"max": 0.8}), "两种误差，一个阈值"),
}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.skipif(style.chinese_font() is None, reason="no font with Chinese letters is installed")
def test_a_figure_is_drawn_and_told_in_chinese(name: str) -> None:
    draw, says = FIGURES[name]
    with spoken("zh"):
        figure = draw()
    assert says in figure.alt
    assert not re.search(r"[a-z]{2,} [a-z]{2,}", figure.alt), "no English is left"
    assert figure.svg().startswith(
        "<svg"
    )  # a letter that the font lacks warns, and here a warning is an error


@pytest.mark.parametrize("name", FIGURES)
def test_without_a_font_a_figure_stays_english(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, _ = FIGURES[name]
    monkeypatch.setattr(style, "chinese_font", lambda: None)
    english = draw()
    with spoken("zh"):
        figure = draw()
    assert figure.alt == english.alt and not HAN.search(english.alt)
    assert _words(figure) == _words(english)


def _words(figure: PageFigure) -> list[str]:
    axes = figure.axes
    titles = [axis.get_title("left") for axis in axes]
    labels = [text for axis in axes for text in (axis.get_xlabel(), axis.get_ylabel())]
    return titles + labels + [text for axis in axes for text in axis.get_legend_handles_labels()[1]]


@pytest.mark.parametrize(
    "draw", [plots.integrate_and_fire, plots.two_inputs, plots.network, plots.conversion]
)
def test_a_drawing_is_told_in_chinese_and_has_the_same_lines(draw: Callable[[], plots.Drawing]) -> None:
    english = draw().svg()
    with spoken("zh"):
        chinese = draw()
    assert HAN.search(chinese.alt) and not HAN.search(english)
    bare = [re.sub(r">[^<]*<|aria-label=\"[^\"]*\"", "><", svg) for svg in (english, chinese.svg())]
    assert bare[0] == bare[1]


def test_a_long_chinese_title_and_a_legend_are_measured_in_their_own_width() -> None:
    title = "每一层相差多少，" * 12
    lines = style.filled(title, 66).split("\n")
    assert "".join(lines) == title
    assert all(40 < wide(line) <= 66 for line in lines[:-1])
    assert not [line for line in lines if line.startswith("，")]
    assert style.filled("Accuracy at t = 8", 66) == "Accuracy at t = 8"
    assert style._letters(["阈值", "ab"], 2) == 6 + 4 + 6 + 2
