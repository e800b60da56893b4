"""What all explorers share: hosted by anywidget in a notebook, or alone in one HTML file that needs nothing else."""

import html
import json
from pathlib import Path

import anywidget

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ margin: 12px; background: #fff; }}</style>
</head>
<body>
<div class="explorer"></div>
<script type="module">
{module}
const values = {values};
const model = {{ get: (name) => values[name], set: (name, value) => {{ values[name] = value; }},
  save_changes() {{}}, on() {{}}, off() {{}} }};
render({{ model, el: document.querySelector(".explorer") }});
</script>
</body>
</html>
"""


def module(*names: str) -> str:
    """One JavaScript module out of the files named, in this folder: shared parts first, the explorer's own last."""
    folder = Path(__file__).parent
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


class Explorer(anywidget.AnyWidget):
    """An interactive piece that simulates in the browser: a JavaScript module with `render`, and its parameters.

    A subclass sets `_esm` to `module(...)`, whose last file exports `default { render }` and no other `render`, and
    `names` to the traits that the module reads.
    """

    title = "snnlab explorer"
    names: tuple[str, ...] = ()

    def html(self) -> str:
        """One page with the module inlined: works with no kernel and no network."""
        values = json.dumps({name: getattr(self, name) for name in self.names})
        return PAGE.format(title=html.escape(self.title), module=str(self._esm), values=values)

    def save(self, path: str | Path) -> Path:
        """Write `html()` to a file."""
        path = Path(path)
        path.write_text(self.html(), encoding="utf-8")
        return path

    def iframe(self, height: int = 640) -> str:
        """`html()` within a page of other things; height in pixels."""
        page, title = html.escape(self.html()), html.escape(self.title)
        return (
            f'<iframe title="{title}" srcdoc="{page}" style="width:100%;height:{height}px;border:0"></iframe>'
        )
