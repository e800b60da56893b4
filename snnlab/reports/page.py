"""A notebook that was run, as one HTML file: opens offline, its plotly charts alive.

nbconvert's own page asks the network for its scripts and leaves plotly's charts blank without them. This one holds
all it needs: plotly.js once, compressed, which the browser unpacks (a third of the size).
"""

import base64
import gzip
import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

import nbformat
from nbconvert import HTMLExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from plotly.offline import get_plotlyjs

from snnlab.files.language import TONGUES, language, said
from snnlab.plots.theme import DARK_COLOURS

PLOTLY = "application/vnd.plotly.v1+json"
HERE = "@plotly.js@"
"""Where the script goes once nbconvert has parsed the page: it need not parse two megabytes more."""
BUTTONS = (
    *("Download plot as a PNG", "Zoom", "Pan", "Box Select", "Lasso Select", "Zoom in", "Zoom out"),
    *(
        "Autoscale",
        "Reset axes",
        "Double-click to zoom back out",
        "Double-click on legend to isolate one trace",
    ),
)
"""What Plotly's own buttons and notices say."""


def page(notebook: nbformat.NotebookNode, failed: str = "") -> str:
    """The page of a notebook: prose, results and charts, with the code folded away; at its head why it failed."""
    exporter = HTMLExporter()
    exporter.register_preprocessor(CoalesceStreamsPreprocessor, enabled=True)  # lines printed one by one
    exporter.raw_template = part("page.html.j2")
    exporter.register_filter("told", told)
    script = base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()
    first = notebook.cells[0]
    title = next(
        (
            line
            for line in first.source.splitlines()
            if first.cell_type == "markdown" and line.startswith("# ")
        ),
        f"# {said('Report')}",
    )
    resources = {
        "plotly": HERE,
        "failed": failed,
        "title": title[2:],
        "style": part("page.css"),
        "plotly_type": PLOTLY,
        "dark_colours": DARK_COLOURS,
        "said": said,
        "tongue": TONGUES[language()],
        "locale": _locale(),
    }
    body, _ = exporter.from_notebook_node(notebook, resources)
    return body.replace(HERE, script)


def _locale() -> str:
    """What Plotly is to call its own buttons, beside its other settings; nothing in English, which it speaks."""
    if language() == "en":
        return ""
    dictionary = {word: said(word) for word in BUTTONS}
    return ", " + json.dumps({"locale": "own", "locales": {"own": {"dictionary": dictionary}}})[1:-1]


def part(name: str) -> str:
    """One of the files that pages are made of, in this folder."""
    return (files("snnlab.reports") / name).read_text(encoding="utf-8")


def told(figure: Mapping[str, Any]) -> str:
    """A chart in words and numbers, for those who do not see it: its title, and each trace from end to end.

    Args:
        figure: as plotly writes it: {"data": [traces], "layout": {...}}.
    """
    layout = figure.get("layout", {})
    axes = [_words(layout.get(axis, {}).get("title")) for axis in ("xaxis", "yaxis")]
    named = ", ".join(f"{axis}: {name}" for axis, name in zip("xy", axes, strict=True) if name)
    parts = [_words(layout.get("title")) or said("A chart"), named, *map(_trace, figure.get("data", []))]
    return " ".join(f"{part}." for part in parts if part)


def _trace(trace: Mapping[str, Any]) -> str:
    """A line by its ends, bars and the rows of a table by every number."""
    name, x, y = trace.get("name"), trace.get("x"), trace.get("y")
    if not isinstance(x, list) or not isinstance(y, list) or not x:
        return str(name or "")
    if trace.get("type") == "heatmap":
        return "; ".join(f"{row}: {_listed(x, numbers)}" for row, numbers in zip(y, trace["z"], strict=True))
    places, numbers = (y, x) if trace.get("orientation") == "h" else (x, y)
    if trace.get("type") != "bar" and len(x) > 2:
        places, numbers = [places[0], places[-1]], [numbers[0], numbers[-1]]
    listed = _listed(places, numbers)
    return f"{name}: {listed}" if name else listed


def _listed(places: Iterable[Any], numbers: Iterable[Any]) -> str:
    """12.5 at 1, 98.3 at 8."""
    return ", ".join(
        said("{number} at {place}").format(
            number=f"{number:.4g}" if isinstance(number, int | float) else number, place=place
        )
        for place, number in zip(places, numbers, strict=True)
    )


def _words(title: Any) -> str:
    """A title, which plotly writes as text or as {"text": ...}."""
    return str(title.get("text", "") if isinstance(title, Mapping) else title or "")
