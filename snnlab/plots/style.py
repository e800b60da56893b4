"""What all figures share: colours that every kind of eye tells apart, sizes for the last row, the words of a title.

References:
  1) The colours: Okabe & Ito 2008, Color Universal Design
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

if TYPE_CHECKING:
    import plotly.graph_objects as go

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
COLOURS = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY)
MARKS, DASHES = "osD^vP", ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
GREY = "#555555"

_STYLE: Any = {  # large enough for the last row
    "font.size": 13, "axes.titlesize": 14, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "legend.fontsize": 12, "legend.edgecolor": "none", "legend.framealpha": 0.85, "lines.linewidth": 2.2,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3,
    "figure.constrained_layout.use": True,
}  # fmt: skip


@contextlib.contextmanager
def house_figure(
    rows: int = 1, height: float = 4.5, ratios: Sequence[float] | None = None
) -> Iterator[tuple[Figure, Any]]:
    """A figure in the house style, closed at the end, so that a notebook shows it once: where it is returned."""
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(rows, sharex=True, figsize=(9, height), height_ratios=ratios)
        try:
            yield figure, axes
        finally:
            plt.close(figure)


def legend_beside(axes: Any) -> None:
    """The legend right of the axes, where it hides nothing."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def page_style(figure: "go.Figure", title: str) -> None:
    """The house style of a chart in a report's page."""
    margin = {"l": 70, "r": 40, "t": 60, "b": 60}
    figure.update_layout(
        template="plotly_white", title=title, font_size=15, height=420, margin=margin, autosize=True
    )


def ending(curves: Mapping[str, Sequence[float] | Tensor], ann: float | None) -> str:
    """The title of accuracies over time: the best at the end, and the ANN."""
    best = max(curves, key=lambda label: float(curves[label][-1]))
    word = "best " if len(curves) > 1 else ""
    rest = "" if ann is None else f", ANN {100 * ann:.1f} %"
    return f"Accuracy at t = {len(curves[best])}: {word}{best} {100 * float(curves[best][-1]):.1f} %{rest}"
