"""A figure for a page: drawn in the page's own colours, light or dark, with a text for those who do not see it.

A picture of dots would stay white in a dark theme. So a notebook gets the figure as SVG inside its page, and each of
the house's colours there is a CSS variable, which the theme of the page sets.
"""

import html
import io
import re

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

INK, PAPER, GREY, LINE = "#222223", "#fffffe", "#555556", "#d9d9da"
"""Text and axes, background, what stands back, grid: each used for nothing else, so that it can be told in the SVG."""

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"

_THEME = {  # colour: its CSS variable, and what it is in a dark theme
    INK: ("--jp-content-font-color1", None),
    PAPER: ("--jp-layout-color0", None),
    GREY: ("--jp-content-font-color2", None),
    LINE: ("--jp-border-color2", None),
    BLUE: ("--snnlab-blue", "#5ab4ec"),
    ORANGE: ("--snnlab-orange", "#f0b429"),
    GREEN: ("--snnlab-green", "#2fd0a0"),
    RED: ("--snnlab-red", "#ff9a52"),
    PURPLE: ("--snnlab-purple", "#f08cc4"),
    SKY: ("--snnlab-sky", "#3d7ea6"),
}
_DARK = ";".join(f"{name}:{dark}" for name, dark in _THEME.values() if dark)
_STYLE = (
    f'<style>[data-jp-theme-light="false"] .snnlab-figure{{{_DARK}}}'
    ".snnlab-figure svg{width:100%;max-width:680px;height:auto;display:block}</style>"
)


class PageFigure(Figure):
    """A Matplotlib figure that a notebook shows in its theme's colours; `savefig` writes it as any other.

    Attributes:
        alt: what the picture shows, in words and numbers.
    """

    alt: str = ""

    def _repr_html_(self) -> str:
        return f'{_STYLE}<div class="snnlab-figure">{self.svg()}</div>'

    def svg(self) -> str:
        """The figure as an SVG element, its colours CSS variables, its text the `alt`."""
        file = io.StringIO()
        with plt.rc_context({"svg.fonttype": "path", "svg.image_inline": True}):
            self.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        drawn = file.getvalue()
        drawn = drawn[drawn.index("<svg") :]
        for color, (name, _) in _THEME.items():
            drawn = drawn.replace(color, f"var({name}, {color})")
        told = f'<svg role="img" aria-label="{html.escape(self.alt)}"><title>{html.escape(self.alt)}</title>'
        return re.sub(
            r"<svg([^>]*)>", lambda found: told.replace("<svg", f"<svg{_sized(found[1])}", 1), drawn, count=1
        )


def _sized(attributes: str) -> str:
    """The root's attributes without its width and height, which the page gives."""
    return re.sub(r'\s(width|height)="[^"]*"', "", attributes)
