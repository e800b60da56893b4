"""The documentation's pages: every public name stands in the reference with its arguments, and the pages are built."""

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from importlib import import_module
from pathlib import Path

import pytest

import snnlab

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MODULES = re.findall(r"^\.\. names:: (\S+)$", (DOCS / "reference.rst").read_text("utf-8"), re.MULTILINE)
sys.path.insert(0, str(DOCS))

import kit  # noqa: E402 - the pages' own module
from equations import EQUATIONS  # noqa: E402

EVERYWHERE = set(re.findall(r"^- ``(\w+)``: ", (DOCS / "reference.rst").read_text("utf-8"), re.MULTILINE))
"""Arguments that the reference explains once."""
PIECES = ("snnlab.plots", "snnlab.reports")
"""What the cells of the kit's own notebooks call: of these the first line says what is drawn or told."""
GATHERED = {"converters", "simulators", "studies"}
"""Wings whose names stand in `snnlab` itself, or in a room of theirs."""


def functions() -> list[tuple[str, Callable[..., object]]]:
    found = [
        (f"{module}.{name}", getattr(import_module(module), name))
        for module in MODULES
        for name in kit.public(module)
    ]
    return [(name, value) for name, value in found if inspect.isfunction(value)]


def test_the_reference_has_every_public_module() -> None:
    asked = {module.__name__ for name in dir(snnlab) if inspect.ismodule(module := getattr(snnlab, name))}
    assert asked - {f"snnlab.{name}" for name in GATHERED} == set(MODULES) - {"snnlab"}
    assert set(snnlab.__all__) == set(kit.public("snnlab"))


@pytest.mark.parametrize(("name", "function"), functions(), ids=[name for name, _ in functions()])
def test_a_public_function_says_what_its_arguments_are(name: str, function: Callable[..., object]) -> None:
    """Each argument is named in the docstring, or means the same everywhere."""
    told = inspect.getdoc(function)
    assert told, f"{name} has no docstring"
    asked = [] if name.startswith(PIECES) else inspect.signature(function).parameters.keys() - EVERYWHERE
    unsaid = [each for each in asked if not re.search(rf"\b{each}\b", told)]
    assert not unsaid, f"{name} says nothing of {unsaid}"


@pytest.mark.parametrize("name", ["convert", "simulate", "register", "check_method"])
def test_the_first_names_have_a_line_for_each_argument(name: str) -> None:
    function = getattr(snnlab, name)
    told = inspect.getdoc(function) or ""
    for each in inspect.signature(function).parameters.keys() - EVERYWHERE:
        assert re.search(rf"^    (.*\b)?{each}(, \w+)*: ", told, re.MULTILINE), f"{name}({each})"
    if name in ("convert", "simulate"):
        assert "[" in told, "no shape"


def test_every_choice_of_the_catalogue_has_its_equation() -> None:
    asked = set()
    for method in snnlab.CATALOGUE.values():
        about = method.describe()
        for choice in kit.CHOICES:
            chosen = about[choice] if isinstance(about[choice], list) else [about[choice]]
            asked |= {re.split(r"[(<]", one)[0] for one in chosen if one}
    assert asked == set(EQUATIONS)


def test_links_lead_to_the_site_s_own_pages() -> None:
    text = "[a](../notebooks/00_x.ipynb) [b](security.md#part) [c](../snnlab/progress.py) [d](https://e.org)"
    text += " ![p](img/a.png)"
    turned = kit.linked(text, DOCS)
    assert turned == (
        '<a href="lessons/00_x.html">a</a> [b](security.md#part) c [d](https://e.org) ![p](img/a.png)'
    )


def test_docstrings_keep_their_equations() -> None:
    lines = [
        "Head.",
        "",
        "    v <- v * `x`",
        "",
        "Args:",
        "    a, b: of *all*",
        "Raises: ValueError if",
        "    so.",
    ]
    assert kit.plain(lines) == [
        *(
            "Head.",
            "",
            ".. code-block:: text",
            "",
            "    v <- v * `x`",
            "",
            "Args:",
            "    a: of \\*all\\*",
            "    b: of \\*all\\*",
        ),
        *("", "Raises: ValueError if so."),
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages without the lessons, built as `make docs` does it: a warning is an error."""
    pytest.importorskip("sphinx")
    out = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return out


def test_the_built_reference_has_every_name(site: Path) -> None:
    page = (site / "reference.html").read_text("utf-8")
    for module in MODULES:
        for name in kit.public(module):
            if not inspect.ismodule(getattr(import_module(module), name)):
                assert f'id="{module}.{name}"' in page, f"{module}.{name}"
    assert "Annotated[" not in unescape(page)


def test_the_built_catalogue_has_every_method_with_its_equations(site: Path) -> None:
    page = (site / "catalogue.html").read_text("utf-8")
    for method in snnlab.CATALOGUE.values():
        assert f"<h2>{method.name}" in page and method.paper in unescape(page)
    assert page.count('<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"') >= 4 * len(
        snnlab.CATALOGUE
    )


def test_the_pages_ask_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(https?:[^"]+)"', page.read_text("utf-8")
        )
        assert not loaded, (page.name, loaded)
    assert (site / "start.html").read_text("utf-8").count("make lab")


def test_every_link_within_the_pages_leads_somewhere(site: Path) -> None:
    lessons = {path.stem for path in (ROOT / "notebooks").iterdir() if path.suffix in (".ipynb", ".md")} | {
        "index"
    }
    for page in site.glob("*.html"):
        for href in map(unescape, re.findall(r'href="([^"]+)"', page.read_text("utf-8"))):
            target, _, place = href.partition("#")
            target = target.partition("?")[0]
            if re.match(r"\w+:", href) or not target:
                continue
            if target.startswith("lessons/"):
                assert target.removeprefix("lessons/").removesuffix(".html") in lessons, (
                    f"{page.name}: {href}"
                )
                continue
            assert (site / target).is_file(), f"{page.name}: {href}"
            if place and target.endswith(".html"):
                assert f'id="{place}"' in (site / target).read_text("utf-8"), f"{page.name}: {href}"
