"""What all explorers share: hosted by anywidget in a notebook, or alone in one HTML file that needs nothing else."""

import html
import json
from pathlib import Path
from typing import Any, Self

import anywidget

from snnlab.explorers.lasting import Lasting
from snnlab.files.language import TONGUES, language, said, words
from snnlab.plots.theme import DARK_THEME

PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 12px; background: var(--jp-layout-color0, #fff); }}
[data-jp-theme-light="false"] {{ {dark} }}
</style>
</head>
<body>
<div class="explorer"></div>
<script type="module">
{theme}
{module}
const values = {values};
const model = {{ get: (name) => values[name], set: (name, value) => {{ values[name] = value; }},
  save_changes() {{}}, on() {{}}, off() {{}} }};
render({{ model, el: document.querySelector(".explorer") }});
</script>
</body>
</html>
"""


DARK = "; ".join(f"{name}: {value}" for name, value in DARK_THEME.items())

UNTRANSLATED = "const WORDS = {};"
"""The line of words.js that the reader's language stands in for."""

THEME = """
// Light or dark: as the page around it, or else as the reader's system. Within another page as high as what is in it.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
let outside = null;
function theme() {
  document.body.dataset.jpThemeLight = outside?.dataset.jpThemeLight ?? String(!dark.matches);
  const now = outside && window.parent.getComputedStyle(outside);
  for (const name of NAMES) document.body.style.setProperty(name, now ? now.getPropertyValue(name) : "");
}
dark.addEventListener("change", theme);
try {
  outside = window.parent !== window ? window.parent.document.body : null;
  if (outside) {
    new MutationObserver(theme).observe(outside, { attributes: true });
    const fit = () => { window.frameElement.style.height = `${document.body.offsetHeight + 28}px`; };
    new ResizeObserver(fit).observe(document.body);
  }
} catch { /* another site's page: as high as it was made */ }
theme();
""".replace("NAMES", json.dumps([*DARK_THEME, "--jp-content-font-family"]))


def module(*names: str) -> str:
    """One JavaScript module out of the files named, in this folder: shared parts first, the explorer's own last.

    It begins with words.js, whose `say` all of them may use.
    """
    folder = Path(__file__).parent
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in ("words.js", *names))


def translated(script: str) -> str:
    """The module in the reader's language: what its `say("...")` have twins for, handed to words.js."""
    if language() == "en":
        return script
    told = json.dumps(words(script), ensure_ascii=False)
    return script.replace(UNTRANSLATED, f"const WORDS = {told};")


class Explorer(Lasting, anywidget.AnyWidget):
    """An interactive piece that simulates in the browser: a JavaScript module with `render`, and its parameters.

    A subclass sets `_esm` to `module(...)`, whose last file exports `default { render }` and no other `render`, and
    `names` to the traits that the module reads.
    """

    _esm = ""
    title = "snnlab explorer"
    names: tuple[str, ...] = ()

    def __new__(cls, *args: Any, **values: Any) -> Self:
        made: Self = super().__new__(cls, *args, **values)
        made.__dict__["_esm"] = translated(str(cls._esm))  # anywidget makes a trait of it
        return made

    def html(self) -> str:
        """One page with the module inlined: works with no kernel and no network."""
        values = json.dumps({name: getattr(self, name) for name in self.names})
        lang, title = TONGUES[language()], html.escape(said(self.title))
        return PAGE.format(
            lang=lang, title=title, module=str(self._esm), values=values, theme=THEME, dark=DARK
        )

    def save(self, path: str | Path) -> Path:
        """Write `html()` to a file."""
        path = Path(path)
        path.write_text(self.html(), encoding="utf-8")
        return path

    def iframe(self, height: int = 640) -> str:
        """`html()` within a page of other things; height in pixels."""
        page, title = html.escape(self.html()), html.escape(said(self.title))
        return (
            f'<iframe title="{title}" loading="lazy" srcdoc="{page}" style="width:100%;height:{height}px;border:0">'
            "</iframe>"
        )

    def lasting(self) -> str:
        """The page, which works as before; only the kernel no longer follows it."""
        saved = said("{title}, as saved. Run the cell to connect it with Python again.")
        told = html.escape(saved.format(title=said(self.title)))
        return f'<p class="snnlab-kernel">{told}</p>{self.iframe()}'
