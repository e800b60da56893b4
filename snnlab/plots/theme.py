"""The house's colours, and how a drawing takes those of the page around it, light or dark.

A picture of dots would stay white in a dark theme. So a notebook gets the figure as SVG inside its page, and each of
the house's colours there is a CSS variable, which the theme of the page sets. A page that has no theme of its own
follows the reader's system.
"""

import html
import re

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
DARK_THEME = {
    "--jp-layout-color0": "#111111",
    "--jp-layout-color1": "#212121",
    "--jp-content-font-color1": "#ececec",
    "--jp-content-font-color2": "#b3b3b3",
    "--jp-border-color2": "#4a4a4a",
}
"""What a dark theme of Jupyter sets, for pages that have none."""

DARK_COLOURS = {color: dark or DARK_THEME[name] for color, (name, dark) in _THEME.items()}
"""Each of the house's colours in the dark, for what cannot have CSS variables."""

_OWN = ";".join(f"{name}:{dark}" for name, dark in _THEME.values() if dark)
_THEMES = ";".join(f"{name}:{dark}" for name, dark in DARK_THEME.items())
_STYLE = (
    f'<style>[data-jp-theme-light="false"] .snnlab-figure{{{_OWN}}}'
    "@media screen and (prefers-color-scheme:dark){body:not([data-jp-theme-light]) .snnlab-figure"
    f"{{{_OWN};{_THEMES}}}}}"
    ".snnlab-figure svg{width:100%;max-width:680px;height:auto;display:block}</style>"
)


def on_page(svg: str) -> str:
    """An SVG element with the theme's colours, as HTML."""
    return f'{_STYLE}<div class="snnlab-figure">{svg}</div>'


def themed(svg: str, alt: str) -> str:
    """An SVG element with its colours as CSS variables, as wide as the page lets it be, and told in words.

    Args:
        svg: begins with `<svg ...>`; its colours are the house's.
        alt: plain text.
    """
    for color, (name, _) in _THEME.items():
        svg = svg.replace(color, f"var({name}, {color})")
    told = f'<svg role="img" aria-label="{html.escape(alt)}"><title>{html.escape(alt)}</title>'
    return re.sub(
        r"<svg([^>]*)>", lambda found: told.replace("<svg", f"<svg{_sized(found[1])}", 1), svg, count=1
    )


def _sized(attributes: str) -> str:
    """The root's attributes without its width and height, which the page gives."""
    return re.sub(r'\s(width|height)="[^"]*"', "", attributes)
