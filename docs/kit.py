"""What the pages of the documentation are made of besides text: the catalogue, the lessons, the public names; equations
as MathML, so that a page asks nothing from anywhere.
"""

import inspect
import json
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from docutils import nodes
from equations import EQUATIONS
from latex2mathml.converter import convert as as_mathml
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import snnlab

ROOT = Path(__file__).parents[1]
CHOICES = ("activation", "threshold", "v0", "corrections", "neuron", "tuning")

IMAGES = r"~?(typing\.)?Annotated\[(?:(?!Annotated\[).)*?'looked at by images_of'\]"
"""The type of what is read as images, as a signature writes it."""


class Page(SphinxDirective):
    """A text of the project that lies elsewhere, as a part of this page: what stands before its sections, or these."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """The part, its links turned to where its targets are on the site."""
        file = ROOT / self.arguments[0]
        self.env.note_dependency(str(file))
        text = linked(file.read_text(encoding="utf-8"), file.parent).partition("\n")[2]  # without its title
        text = re.sub(r"^\[!\[.*\n", "", text, flags=re.MULTILINE)  # badges would be asked for elsewhere
        before, mark, sections = text.partition("\n## ")
        if self.arguments[1] == "before":
            return self.parse_text_to_nodes(before)
        return self.parse_text_to_nodes(mark + sections, allow_section_headings=True)


class Catalogue(SphinxDirective):
    """Every method: what is declared of it, and the equation of each choice."""

    def run(self) -> list[nodes.Node]:
        """A section a method, in the catalogue's order."""
        text = "\n\n".join(map(method_text, snnlab.CATALOGUE.values()))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class Lessons(SphinxDirective):
    """The lessons, each a link to its page."""

    def run(self) -> list[nodes.Node]:
        """A list of links."""
        lines = []
        for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
            first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
            title = first.partition("\n")[0].lstrip("# ")
            lines.append(f'- <a href="lessons/{path.stem}.html">{title}</a>')
        return self.parse_text_to_nodes("\n".join(lines))


class Names(SphinxDirective):
    """The public names of a module, each as its docstring says."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """What autodoc makes of each."""
        module = self.arguments[0]
        return self.parse_text_to_nodes("\n\n".join(reference(module, name) for name in public(module)))


def public(module: str) -> list[str]:
    """The names that a module offers: those it lists, or else those it defines."""
    found = import_module(module)
    own = [
        name
        for name, value in vars(found).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module and callable(value)
    ]
    return list(getattr(found, "__all__", own))


def reference(module: str, name: str) -> str:
    """The line that asks autodoc for a name."""
    value = getattr(import_module(module), name)
    if inspect.ismodule(value):
        return ""
    if inspect.isclass(value):
        return f".. autoclass:: {module}.{name}\n   :members:"
    if callable(value):
        return f".. autofunction:: {module}.{name}"
    held = f"By name: {', '.join(map(str, value))}." if isinstance(value, Mapping) else f"``{value!r}``"
    return f".. py:data:: {module}.{name}\n\n   {held}"


def method_text(method: Any) -> str:
    """A method's section, in MyST."""
    about = method.describe()
    lines = [f"## {about['name']}", f"{about['title']}.", f"{about['paper']}, {about['year']}.", ""]
    for choice in CHOICES:
        chosen = about[choice] if isinstance(about[choice], list) else [about[choice]]
        for one in filter(None, chosen):
            lines += [f"**{choice.rstrip('s')}** `{one}`", "", f"$$\n{equation(one)}\n$$", ""]
    needs = "one number of steps T, fixed before" if about["depends_on_T"] else "any number of steps"
    return "\n".join([*lines, f"Needs {about['needs']}; converted for {needs}."])


def equation(choice: str) -> str:
    """The equation of a choice, by its name without what it was called with."""
    return EQUATIONS[re.split(r"[(<]", choice)[0]]


def linked(text: str, folder: Path) -> str:
    """Markdown whose links lead to where their targets are on the site; what is not there is text alone."""

    def lead(found: re.Match[str]) -> str:
        mark, words, target, part = found[1], found[2], (folder / found[3]).resolve(), found[4] or ""
        if target.parent == ROOT / "notebooks" and target.suffix in (".ipynb", ".md"):
            return f'<a href="lessons/{target.stem}.html{part}">{words}</a>'
        if target.is_relative_to(ROOT / "docs"):
            return f"{mark}[{words}]({target.relative_to(ROOT / 'docs').as_posix()}{part})"
        return words

    return re.sub(r"(!?)\[([^\]]*)\]\((?!https?:)([^)#\s]+)(#[^)]*)?\)", lead, text)


def _turn_links(app: Sphinx, name: str, source: list[str]) -> None:
    if app.env.doc2path(name).suffix == ".md":
        source[0] = linked(source[0], Path(app.srcdir))


def plain(lines: list[str]) -> list[str]:
    """A docstring for reStructuredText: `code` as code, an indented equation as it stands."""
    lines = [one for line in _joined(lines) for one in _apart(line)]
    done: list[str] = []
    for k, line in enumerate(lines):
        after_blank = k > 0 and not lines[k - 1].strip()
        if line.startswith("    ") and after_blank and _at_start(lines[:k]):
            done += [".. code-block:: text", ""]
        done.append(line if line.startswith("    ") and _at_start(lines[:k]) else _escaped(line))
    return done


def _joined(lines: list[str]) -> list[str]:
    """Lines in which `Returns: ...` and `Raises: ...` are a paragraph each."""
    done: list[str] = []
    for line in lines:
        if re.match(r"(Returns|Raises): ", line):
            done += ["", line]
        elif line.startswith("    ") and done and re.match(r"(Returns|Raises): ", done[-1]):
            done[-1] += f" {line.strip()}"
        else:
            done.append(line)
    return done


def _apart(line: str) -> list[str]:
    """Arguments that share a line, `v0, T: ...`, one by one."""
    found = re.fullmatch(r"    (\w+(?:, \w+)+): (.+)", line)
    return [f"    {name}: {found[2]}" for name in found[1].split(", ")] if found else [line]


def _at_start(lines: list[str]) -> bool:
    """Whether these lines are followed by no section of arguments."""
    unindented = [line for line in lines if line.strip() and not line.startswith(" ")]
    return not (unindented and re.fullmatch(r"[A-Z]\w+:", unindented[-1].strip()))


def _escaped(line: str) -> str:
    parts = re.split(r"(`[^`]*`)", line)
    return "".join(
        f"`{part}`" if part.startswith("`") else re.sub(r"([*|\\]|\b_|_\b)", r"\\\1", part) for part in parts
    )


def _docstring(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    lines[:] = plain(lines)


def _property(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    if what == "property":  # what stands before a colon is not its type
        lines[:] = plain((inspect.getdoc(obj) or "").splitlines())


def _signature(
    app: Sphinx, what: str, name: str, obj: object, options: object, *told: str
) -> tuple[str, ...]:
    """Signature and result in which whatever `images_of` reads is called by one name."""
    return tuple(re.sub(IMAGES, "Images", text) if text else text for text in told)


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(as_mathml(node.astext()))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.math_block) -> None:
    self.body.append(f'<div class="equation" tabindex="0">{as_mathml(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx asks of an extension."""
    for name, directive in (("page", Page), ("catalogue", Catalogue), ("lessons", Lessons), ("names", Names)):
        app.add_directive(name, directive)
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("source-read", _turn_links)
    app.connect("autodoc-process-docstring", _docstring, priority=400)  # before the arguments are read
    app.connect("autodoc-process-docstring", _property, priority=600)
    app.connect("autodoc-process-signature", _signature)
    return {"parallel_read_safe": True}
