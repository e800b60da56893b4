"""Drawings that explain and show no data: a network before and after its conversion, and one of its layers."""

from html import escape

from snnlab.plots.page import BLUE, GREEN, GREY, INK, PAPER, RED, on_page, themed

WIDTH = 600
"""Units of a drawing; a page shows it this wide or narrower, so its text is large."""


class Drawing:
    """A picture of boxes and arrows that a notebook shows in its theme's colours.

    Attributes:
        alt: what it shows, in words.
    """

    def __init__(self, height: int, alt: str, *parts: str) -> None:
        self.height, self.alt, self.parts = height, alt, parts

    def _repr_html_(self) -> str:
        return on_page(self.svg())

    def svg(self) -> str:
        """The drawing as an SVG element, its colours CSS variables, its text the `alt`."""
        drawn = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" font-size="14" '
            f'font-family="system-ui, sans-serif" fill="{INK}">{"".join(self.parts)}</svg>'
        )
        return themed(drawn, self.alt)


def network() -> Drawing:
    """An ANN of two layers and a readout, and below it the spiking network that it becomes."""
    return Drawing(
        286,
        "Two rows of boxes. Above, the ANN: image, weights, ReLU, weights, ReLU, weights, logits; numbers go from "
        "box to box. Below, the spiking network: the image comes in every step; the same weights; a neuron in place of "
        "each ReLU; spikes go from neuron to weights; at the end their mean over the steps is the logits.",
        _text(0, 18, "ANN: one pass; each layer sends its activations a", weight="bold"),
        _row(34, "image", "ReLU", "logits", BLUE),
        *(_text(x, 58, "a", GREY) for x in (243, 420)),
        *(_line(x, 92, x, 188, GREY, dashed=True) for x in (198, 375)),
        _text(286, 136, "a neuron in place", GREY, middle=True),
        _text(286, 154, "of each ReLU", GREY, middle=True),
        _row(190, "image", "neuron", "mean", GREEN),
        *(_spikes(x, 204) for x in (234, 411)),
        _text(
            0, 274, "Spiking network: T steps; each layer sends spikes; at the end, their mean", weight="bold"
        ),
    )


def conversion() -> Drawing:
    """One layer of an ANN, what becomes of its parts, and what compares with what at the end."""
    return Drawing(
        326,
        "Above, a layer of the ANN: weights, batch norm, ReLU, and its activation a. Below, the converted layer: the "
        "weights and the batch norm are folded into new weights; the ReLU has become an integrate-and-fire neuron with "
        "a threshold, which sends spikes. Their mean is the output phi, about a while a is at most the threshold; the "
        "firing rate, spikes per step, is about a divided by the threshold.",
        _text(0, 18, "A layer of the ANN", weight="bold"),
        _box(0, 34, 110, "weights", "W, b"),
        _arrow(110, 62, 140),
        _box(140, 34, 120, "batch norm", "γ, β, μ, σ"),  # noqa: RUF001
        _arrow(260, 62, 320),
        _box(320, 34, 110, "ReLU", color=BLUE),
        _arrow(430, 62, 480),
        _text(486, 58, "activation"),
        _text(486, 76, "a", BLUE, weight="bold"),
        *(_line(x, 92, 130, 168, GREY) for x in (55, 200)),
        _text(130, 118, "fold", GREY, middle=True),
        _line(375, 92, 375, 168, GREY),
        _text(385, 126, "activations of some training", GREY),
        _text(385, 144, "images set the threshold θ", GREY),
        _box(75, 170, 110, "weights", "W′, b′"),  # noqa: RUF001
        _arrow(185, 198, 305),
        _text(192, 190, "current z[t]", GREY),
        _box(305, 170, 140, "IF neuron", "threshold θ", color=GREEN),
        _spikes(452, 184),
        _arrow(445, 198, 492),
        _text(498, 194, "spikes, mean"),
        _text(498, 212, "output φ", GREEN, weight="bold"),
        _text(0, 262, "The converted layer", weight="bold"),
        _text(0, 288, "Mean output of T steps:  φ ≈ a  while a ≤ θ, and θ above."),
        _text(0, 312, "Firing rate (spikes per step):  φ / θ ≈ a / θ = activation / threshold.", RED),
    )


def _row(y: int, first: str, unit: str, last: str, color: str) -> str:
    """image, then twice weights and a unit, then weights and the end: one network, from left to right."""
    parts = [_box(0, y, 64, first), _arrow(64, y + 28, 90)]
    for x in (90, 267):
        parts += [_box(x, y, 68, "weights"), _arrow(x + 68, y + 28, x + 78)]
        parts += [_box(x + 78, y, 62, unit, color=color), _arrow(x + 140, y + 28, x + 177)]
    parts += [_box(444, y, 68, "weights"), _arrow(512, y + 28, 534), _box(534, y, 64, last)]
    return "".join(parts)


def _box(x: float, y: float, width: float, *lines: str, color: str = INK) -> str:
    """A box 56 high with one or two lines in its middle."""
    first = y + 33 - 9 * (len(lines) - 1)
    frame = (
        f'<rect x="{x + 1}" y="{y}" width="{width - 2}" height="56" rx="6" fill="{PAPER}" stroke="{color}" '
        f'stroke-width="{1.5 if color == INK else 2.5}"/>'
    )
    return frame + "".join(
        _text(x + width / 2, first + 18 * k, line, middle=True) for k, line in enumerate(lines)
    )


def _arrow(x: float, y: float, to: float) -> str:
    """From left to right."""
    return _line(x, y, to - 4, y) + f'<path d="M{to},{y}l-8,-4.5v9z" fill="{INK}"/>'


def _line(x: float, y: float, x2: float, y2: float, color: str = INK, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<path d="M{x},{y}L{x2},{y2}" stroke="{color}" stroke-width="1.5" fill="none"{dash}/>'


def _spikes(x: float, y: float) -> str:
    """Four strokes over an arrow, unevenly."""
    strokes = "".join(f"M{x + dx},{y}v10" for dx in (0, 6, 16, 22))
    return f'<path d="{strokes}" stroke="{INK}" stroke-width="2" fill="none"/>'


def _text(
    x: float, y: float, text: str, color: str = INK, *, weight: str = "normal", middle: bool = False
) -> str:
    anchor = "middle" if middle else "start"
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-weight="{weight}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )
