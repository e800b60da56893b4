"""A notebook that was run, as one HTML file: opens offline, its plotly charts alive.

nbconvert's own page asks the network for its scripts and leaves plotly's charts blank without them. This one holds
all it needs: plotly.js once, compressed, which the browser unpacks (a third of the size).
"""

import base64
import gzip
from importlib.resources import files

import nbformat
from nbconvert import HTMLExporter
from plotly.offline import get_plotlyjs

PLOTLY = "application/vnd.plotly.v1+json"
HERE = "@plotly.js@"
"""Where the script goes once nbconvert has parsed the page: it need not parse two megabytes more."""


def page(notebook: nbformat.NotebookNode) -> str:
    """The page of a notebook: prose, results and charts, with the code folded away."""
    exporter = HTMLExporter()
    exporter.raw_template = (files("snnlab.reports") / "page.html.j2").read_text(encoding="utf-8")
    script = base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()
    title = next(
        (line for line in notebook.cells[0].source.splitlines() if line.startswith("# ")), "# Report"
    )
    body, _ = exporter.from_notebook_node(
        notebook, {"plotly": HERE, "title": title[2:], "plotly_type": PLOTLY}
    )
    return body.replace(HERE, script)
