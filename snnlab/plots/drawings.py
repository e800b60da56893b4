"""Drawings that explain and show no data: a neuron, a network before and after its conversion, and one layer of it."""

from collections.abc import Mapping
from html import escape

from snnlab.files.language import said
from snnlab.plots.theme import BLUE, GREEN, GREY, INK, PAPER, RED, on_page, themed

WIDTH = 400
"""Units of a drawing: a telephone shows nearly as many pixels, so that its text is read there, too."""
WIDEST = 440
"""Pixels that a page gives a drawing at most; a wider one would shout."""


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
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" font-size="15" '
            f'style="max-width:{WIDEST}px" font-family="system-ui, sans-serif" fill="{INK}">'
            f"{''.join(self.parts)}</svg>"
        )
        return themed(drawn, self.alt)


def integrate_and_fire() -> Drawing:
    """One spiking neuron: what comes in, where it is kept, what goes out."""
    return Drawing(
        296,
        said(
            "An integrate-and-fire neuron. From the left come the spikes of three other neurons, each over a weight; "
            "together they are the current z of the step. The neuron is a vessel whose level is the potential v; a "
            "dashed line in it is the threshold theta. To the right goes a spike whenever the level reaches the "
            "line. Below, the three rules. Charge: add the current to v. Fire: if v is at least theta, send a spike. "
            "Pay: a spike takes theta from v."
        ),
        _text(0, 18, said("One spiking neuron"), weight="bold"),
        _neuron({"w₁": "101100", "w₂": "010010", "w₃": "100101"}),
        _spikes(322, 96, "01001"),
        _text(322, 132, said("spikes s[t]"), GREEN),
        *_rules(),
    )


def two_inputs() -> Drawing:
    """A neuron whose inputs come as spikes: three of weight +1, two of weight -1. What it sends is left open."""
    return Drawing(
        296,
        said(
            "An integrate-and-fire neuron with the threshold theta = 1/2. Its first input has the weight +1 and "
            "sends spikes in the steps 1, 3 and 5; its second has the weight -1 and sends spikes in the steps 2 and "
            "4. What the neuron sends is a question mark. Below, the three rules. Charge: add the current to v. "
            "Fire: if v is at least theta, send a spike. Pay: a spike takes theta from v."
        ),
        _text(0, 18, said("Its input comes as spikes"), weight="bold"),
        _neuron({"+1": "10101", "−1": "01010"}),  # noqa: RUF001
        _text(330, 102, said("spikes ?"), GREEN),
        *_rules(),
    )


def network() -> Drawing:
    """An ANN of two layers and a readout, and beside it the spiking network that it becomes."""
    weights, relu = said("weights"), "ReLU"
    names = (said("image"), weights, relu, weights, relu, weights, "logits")
    parts = []
    for k, name in enumerate(names):
        y = 56 + 60 * k
        unit = name == relu
        becomes = {relu: said("neuron"), "logits": said("mean")}.get(name, name)
        parts += [_box(0, y, 110, name, color=BLUE if unit else INK)]
        parts += [_box(290, y, 110, becomes, color=GREEN if unit else INK)]
        if k < len(names) - 1:
            parts += [_arrow(55, y + 38, y + 60), _arrow(345, y + 38, y + 60)]
        if unit:
            parts += [_line(114, y + 19, 286, y + 19, GREY, dashed=True)]
            parts += [_text(200, y + 12, said("a neuron in place"), GREY, middle=True)]
            parts += [_text(200, y + 36, said("of the ReLU"), GREY, middle=True)]
            parts += [_text(66, y + 54, "a", BLUE), _spikes(356, y + 42, "1011")]
        if name == weights:
            parts += [_text(200, y + 24, said("the same"), GREY, middle=True)]
    return Drawing(
        464,
        said(
            "Two columns of boxes. Left, the ANN in one pass: image, weights, ReLU, weights, ReLU, weights, logits; "
            "each ReLU sends its activations a. Right, the spiking network in T steps: the image comes in every "
            "step; the same weights; a neuron in place of each ReLU, which sends spikes; at the end the mean over "
            "the steps is the logits."
        ),
        _text(0, 18, "ANN", weight="bold"),
        _text(0, 40, said("one pass, activations a")),
        _text(WIDTH - 4, 18, said("Spiking network"), weight="bold", end=True),
        _text(WIDTH - 4, 40, said("T steps, spikes"), end=True),
        *parts,
    )


def conversion() -> Drawing:
    """One layer of an ANN, what becomes of its parts, and what compares with what at the end."""
    return Drawing(
        404,
        said(
            "Left, a layer of the ANN: weights, batch norm, ReLU, and its activation a. Right, the converted layer: "
            "the weights and the batch norm are folded into new weights; the ReLU has become an integrate-and-fire "
            "neuron with a threshold, which training images set, and which sends spikes. Their mean is the output "
            "phi, about a while a is at most the threshold; the firing rate, spikes per step, is about a divided by "
            "the threshold."
        ),
        _text(0, 18, said("A layer of the ANN"), weight="bold"),
        _text(WIDTH - 4, 18, said("The converted layer"), weight="bold", end=True),
        _box(0, 34, 130, said("weights W, b")),
        _arrow(65, 72, 100),
        _box(0, 100, 130, said("batch norm")),
        _line(132, 53, 256, 80, GREY),
        _line(132, 119, 256, 92, GREY),
        _text(182, 92, said("fold"), GREY, middle=True),
        _box(260, 67, 140, said("weights W′, b′")),  # noqa: RUF001
        _arrow(65, 138, 186),
        _arrow(330, 105, 186),
        _text(324, 150, said("current z[t]"), GREY, end=True),
        _box(0, 186, 130, "ReLU", color=BLUE),
        _line(134, 205, 256, 205, GREY, dashed=True),
        _text(195, 197, said("training"), GREY, middle=True),
        _text(195, 225, said("images set θ"), GREY, middle=True),
        _box(260, 186, 140, said("neuron, θ"), color=GREEN),
        _arrow(65, 224, 262),
        _arrow(330, 224, 262),
        _spikes(342, 232, "1011"),
        _text(65, 282, said("activation a"), BLUE, weight="bold", middle=True),
        _text(330, 282, said("mean output φ"), GREEN, weight="bold", middle=True),
        _text(0, 322, said("φ ≈ a  while a ≤ θ, and θ above")),
        _text(0, 352, said("Firing rate, spikes per step:")),
        _text(0, 378, said("φ / θ ≈ a / θ = activation / threshold"), RED),
    )


def _neuron(inputs: Mapping[str, str]) -> str:
    """From weight to spike train: the trains, the sum, the vessel with its threshold, and an arrow to the right."""
    parts = []
    for k, (weight, train) in enumerate(inputs.items()):
        y = 110 + 44 * (k - (len(inputs) - 1) / 2)
        parts += [_spikes(0, y - 14, train), _line(0, y, 80, y), _line(80, y, 121, 110 + 0.2 * (y - 110))]
        parts += [_text(80, y - 8 if y <= 110 else y + 18, weight, BLUE)]
    parts += [f'<circle cx="132" cy="110" r="13" fill="{PAPER}" stroke="{INK}" stroke-width="1.5"/>']
    parts += [_text(132, 115, "Σ", middle=True), _text(143, 152, said("current"), GREY, middle=True)]
    parts += [_text(143, 170, "z[t]", GREY, middle=True), _across(145, 110, 186)]
    parts += [f'<rect x="188" y="112" width="84" height="56" fill="{GREEN}" fill-opacity="0.3"/>']
    parts += [f'<path d="M188,48v120h84v-120" fill="none" stroke="{GREEN}" stroke-width="2.5"/>']
    parts += [_line(180, 74, 282, 74, RED, dashed=True), _text(286, 72, "θ", RED, weight="bold")]
    parts += [_text(230, 148, "v", weight="bold", middle=True), _across(274, 110, 316)]
    return "".join(parts)


def _rules() -> list[str]:
    """The three lines that are the whole neuron."""
    rules = (
        (said("1  charge"), said("v + z[t]: add what comes in")),
        (said("2  fire"), said("v ≥ θ? then send a spike")),
        (said("3  pay"), said("v − θ: a spike costs θ")),  # noqa: RUF001
    )
    return [
        part
        for k, (name, rule) in enumerate(rules)
        for part in (_text(0, 222 + 28 * k, name, weight="bold"), _text(92, 222 + 28 * k, rule))
    ]


def _box(x: float, y: float, width: float, line: str, color: str = INK) -> str:
    """A box 38 high with a word in its middle."""
    frame = (
        f'<rect x="{x + 1}" y="{y}" width="{width - 2}" height="38" rx="6" fill="{PAPER}" stroke="{color}" '
        f'stroke-width="{1.5 if color == INK else 2.5}"/>'
    )
    return frame + _text(x + width / 2, y + 24, line, middle=True)


def _arrow(x: float, y: float, to: float) -> str:
    """Downwards."""
    return _line(x, y, x, to - 4) + f'<path d="M{x},{to}l-4.5,-8h9z" fill="{INK}"/>'


def _across(x: float, y: float, to: float) -> str:
    """An arrow from left to right."""
    return _line(x, y, to - 4, y) + f'<path d="M{to},{y}l-8,-4.5v9z" fill="{INK}"/>'


def _line(x: float, y: float, x2: float, y2: float, color: str = INK, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<path d="M{x},{y}L{x2},{y2}" stroke="{color}" stroke-width="1.5" fill="none"{dash}/>'


def _spikes(x: float, y: float, train: str) -> str:
    """A stroke for each 1 of the train, a place for each step."""
    strokes = "".join(f"M{x + 12 * k + 2},{y}v12" for k, spike in enumerate(train) if spike == "1")
    return f'<path d="{strokes}" stroke="{INK}" stroke-width="2" fill="none"/>'


def _text(
    x: float,
    y: float,
    text: str,
    color: str = INK,
    *,
    weight: str = "normal",
    middle: bool = False,
    end: bool = False,
) -> str:
    anchor = "middle" if middle else "end" if end else "start"
    return (
        f'<text x="{x}" y="{y}" fill="{color}" font-weight="{weight}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )
