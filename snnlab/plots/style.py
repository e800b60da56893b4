"""What all figures share: colours that every kind of eye tells apart, sizes for the last row, the words of a title.

References:
  1) The colours: Okabe & Ito 2008, Color Universal Design
"""

import contextlib
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import matplotlib.pyplot as plt
from matplotlib.font_manager import fontManager
from torch import Tensor

from snnlab.files.language import language, said, spoken, wide
from snnlab.plots.page import PageFigure
from snnlab.plots.theme import BLUE, GREEN, GREY, INK, LINE, ORANGE, PAPER, PURPLE, RED, SKY

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLOURS = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY)
LINE_LETTERS = 72
"""Letters of a legend that fit beside each other in a figure."""
CAUSES = {
    "inherited": (GREY, ""), "corrections": (GREEN, "x"), "clipping": (PURPLE, "/"), "quantisation": (ORANGE, "."),
    "unevenness": (BLUE, ""),
}  # fmt: skip
"""Colour and hatch of each of the parts of a difference (`simulators/errors.py`)."""
MARKS, DASHES = "osD^vP", ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))

CHINESE = (
    "Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "PingFang SC", "Hiragino Sans GB", "Heiti SC", "Microsoft YaHei", "SimHei", "Noto Sans CJK JP",
)  # fmt: skip
"""Fonts with Chinese letters; of Noto's, which come in one file, an older Matplotlib sees the Japanese one only."""
PIECE = re.compile(r"[\u2e80-\u9fff][，。：；、）]*|[^\u2e80-\u9fff\s]+\s*|\s+")  # noqa: RUF001 # Chinese signs
"""What a line does not break within: a Chinese letter with the sign behind it, any other word with the blank."""

_STYLE: Any = {  # large enough for the last row
    "font.size": 13, "axes.titlesize": 14, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "legend.fontsize": 12, "legend.edgecolor": "none", "legend.framealpha": 0.85, "lines.linewidth": 2.2,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "figure.constrained_layout.use": True, "grid.color": LINE, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK, "hatch.color": PAPER,
    "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER, "legend.facecolor": PAPER,
}  # fmt: skip


def check_some(name: str, values: Any, what: str = "something to draw") -> None:
    """Raises: ValueError that names the argument, for what holds nothing, or is not finite."""
    if not (values.numel() if isinstance(values, Tensor) else len(values)):
        raise ValueError(f"{name} is empty, but it must hold {what}")
    if isinstance(values, Tensor) and not bool(values.isfinite().all()):
        raise ValueError(f"{name} holds NaN or infinite values, but it must hold {what}, finite")


def check_curves(curves: Mapping[str, Sequence[float] | Tensor], name: str = "curves") -> None:
    """Raises: ValueError that names the argument, unless each curve is a series of one finite number or more."""
    check_some(name, curves, "a curve or more, by label")
    for values in curves.values():
        if isinstance(values, Tensor) and values.ndim != 1:
            raise ValueError(
                f"{name} has a curve of shape {list(values.shape)}, but each is a series of numbers, [T]"
            )
        check_some(name, values, "in each curve a number or more")


@cache
def chinese_font() -> str | None:
    """The first of CHINESE that is installed."""
    return next((name for name in CHINESE if name in fontManager.get_font_names()), None)


@contextlib.contextmanager
def _speaking() -> Iterator[dict[str, Any]]:
    """The reader's language, and the font that it takes; English where none is installed, rather than empty boxes."""
    font = None if language() == "en" else chinese_font()
    with contextlib.nullcontext() if font else spoken("en"):
        yield {"font.family": [*plt.rcParams["font.family"], font]} if font else {}


@contextlib.contextmanager
def house_figure(
    rows: int = 1, height: float = 4.5, ratios: Sequence[float] | None = None, columns: int = 1
) -> Iterator[tuple[PageFigure, Any]]:
    """A figure in the house style, closed at the end, so that a notebook shows it once: where it is returned.

    What is said of it is said within, in a language whose letters can be drawn.
    """
    with _speaking() as font, plt.rc_context(_STYLE | font):
        made = plt.subplots(
            rows,
            columns,
            sharex=columns == 1,
            figsize=(8, height),
            height_ratios=ratios,
            FigureClass=PageFigure,
        )
        figure, axes = cast(tuple[PageFigure, Any], made)
        try:
            yield figure, axes
        finally:
            plt.close(figure)


def legend_beside(axes: Any) -> None:
    """The legend right of the axes, where it hides nothing."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def legend_above(axes: Any, columns: int = 3) -> None:
    """The legend between title and axes, where it hides nothing and takes no width: a page may be narrow.

    It has as many columns as asked, or fewer where its names are long.
    """
    title, names = axes.get_title(loc="left"), axes.get_legend_handles_labels()[1]
    columns = next((n for n in range(columns, 1, -1) if _letters(names, n) <= LINE_LETTERS), 1)
    rows = -(-len(names) // columns)
    axes.set_title(title, pad=8 + 19 * rows)
    at = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.2, "borderpad": 0.2}
    axes.legend(ncols=columns, columnspacing=1.2, handlelength=1.8, **at)


def _letters(names: Sequence[str], columns: int) -> int:
    """How wide a legend is: the longest name of each column, and six letters for its line. Columns fill in turn."""
    short, longer = divmod(len(names), columns)
    sizes = [short + (k < longer) for k in range(columns)]
    starts = [sum(sizes[:k]) for k in range(columns)]
    return sum(
        6 + max(map(wide, names[at : at + size]), default=0) for at, size in zip(starts, sizes, strict=True)
    )


def filled(title: str, width: int) -> str:
    """A title in as many lines as it takes."""
    if wide(title) == len(title):
        return textwrap.fill(title, width)
    lines = [""]
    for piece in PIECE.findall(title):
        if lines[-1] and wide(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(map(str.strip, lines))


def titled(figure: PageFigure, axes: Any, title: str) -> None:
    """Title the axes, in as many lines as it takes; it opens the figure's text for those who do not see it."""
    axes.set_title(filled(title, 66))
    figure.alt = said("{title}.").format(title=title)


def page_style(figure: "go.Figure", title: str) -> None:
    """The house style of a chart in a report's page."""
    margin = {"l": 70, "r": 40, "t": 60, "b": 60}
    figure.update_layout(
        template="plotly_white", title=title, font_size=15, height=420, margin=margin, autosize=True
    )


def ending(curves: Mapping[str, Sequence[float] | Tensor], ann: float | None) -> str:
    """The title of accuracies over time: the highest at the end, and the ANN."""
    best = max(curves, key=lambda label: float(curves[label][-1]))
    shown = f"{said(best)} {100 * float(curves[best][-1]):.1f} %"
    shown = said("highest {curve}").format(curve=shown) if len(curves) > 1 else shown
    rest = "" if ann is None else said(", ANN {percent} %").format(percent=f"{100 * ann:.1f}")
    return said("Accuracy at t = {t}: {shown}").format(t=len(curves[best]), shown=shown) + rest
