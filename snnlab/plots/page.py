"""A figure for a page: drawn in the page's own colours, light or dark, with a text for those who do not see it."""

import io

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from snnlab.plots.theme import on_page, themed


class PageFigure(Figure):
    """A Matplotlib figure that a notebook shows in its theme's colours; `savefig` writes it as any other.

    Attributes:
        alt: what the picture shows, in words and numbers.
    """

    alt: str = ""

    def _repr_html_(self) -> str:
        return on_page(self.svg())

    def svg(self) -> str:
        """The figure as an SVG element, its colours CSS variables, its text the `alt`."""
        file = io.StringIO()
        with plt.rc_context({"svg.fonttype": "path", "svg.image_inline": True}):
            self.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        drawn = file.getvalue()
        return themed(drawn[drawn.index("<svg") :], self.alt)
