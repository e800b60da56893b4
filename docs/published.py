"""The project's public address, put where it belongs: `python docs/published.py https://github.com/OWNER/NAME`.

README's badges, the package's links, the citation, the cells of docs/hosts.md that fetch the kit, and docs/colab.ipynb,
which Colab's badge opens: there a lesson alone would not find the kit. Once more, with another address, it moves all.
"""

import json
import re
import sys
from pathlib import Path
from textwrap import dedent
from urllib.parse import quote

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[1]
FIRST = "notebooks/01_a_neuron_that_counts.ipynb"
COLAB, START = "https://colab.research.google.com", "docs/colab.ipynb"
ADDRESS = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")


def badges(owner: str, name: str) -> str:
    """A line for README: each badge with its link."""
    github = f"https://github.com/{owner}/{name}"
    tests, first = f"{github}/actions/workflows/tests.yml", quote(FIRST, safe="")
    pairs = (
        (
            "Binder",
            "https://mybinder.org/badge_logo.svg",
            f"https://mybinder.org/v2/gh/{owner}/{name}/HEAD?labpath={first}",
        ),
        ("Colab", f"{COLAB}/assets/colab-badge.svg", f"{COLAB}/github/{owner}/{name}/blob/HEAD/{START}"),
        ("tests", f"{tests}/badge.svg", tests),
    )
    return " ".join(f"[![{title}]({image})]({link})" for title, image, link in pairs)


def urls(owner: str, name: str) -> str:
    """The table for pyproject.toml."""
    github = f"https://github.com/{owner}/{name}"
    links = {
        "Repository": github,
        "Documentation": f"https://{owner.lower()}.github.io/{name}/",
        "Issues": f"{github}/issues",
        "Changelog": f"{github}/blob/HEAD/CHANGELOG.md",
    }
    return "[project.urls]\n" + "".join(f'{what} = "{link}"\n' for what, link in links.items()) + "\n"


def start(owner: str, name: str, fetch: str) -> str:
    """docs/colab.ipynb: the cell that fetches the kit, an explorer, a conversion, and the lessons."""
    lessons = []
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        title = json.loads(path.read_text("utf-8"))["cells"][0]["source"][0].removeprefix("# ").strip()
        lessons.append(f"- [{title}]({COLAB}/github/{owner}/{name}/blob/HEAD/notebooks/{path.name})")
    package = (ROOT / "docs" / "package.md").read_text("utf-8")
    cells = [
        new_markdown_cell(
            "# snnlab in Colab\n\nThis cell fetches the kit and leaves Colab's own PyTorch as it is."
        ),
        new_code_cell(fetch),
        new_markdown_cell("A neuron to play with:"),
        new_code_cell("from snnlab import explorers\n\nexplorers.membrane()"),
        new_markdown_cell("A network, trained, converted and run:"),
        new_code_cell(block(package, "In code")),
        new_markdown_cell(
            "The lessons. Put the first cell of this page in front of each.\n\n" + "\n".join(lessons)
        ),
    ]
    for k, cell in enumerate(cells):
        cell["id"] = f"cell-{k}"  # else drawn at random
    text: str = nbformat.writes(new_notebook(cells=cells))
    return text + "\n"


def block(page: str, heading: str) -> str:
    """The code under a heading, up to the next heading or prose."""
    under = page[page.index(f"\n## {heading}\n") :]
    return dedent(re.findall(r"(?:^    .+\n(?:^\n(?=    ))*)+", under, flags=re.MULTILINE)[0]).strip()


def put(text: str, path: str, old: str, new: str) -> str:
    """The text with the one place replaced that the pattern finds."""
    text, count = re.subn(old, lambda _: new, text, flags=re.MULTILINE)
    if count != 1:
        raise SystemExit(f"{path} has {count} places for the address, where one was expected: {old}")
    return text


def publish(address: str, root: Path = ROOT) -> None:
    """Write the address into the files of the project.

    Raises:
        SystemExit: for an address of another form, or a file that has no place for it.
    """
    if not (parts := ADDRESS.fullmatch(address)):
        raise SystemExit(f"an address is https://github.com/OWNER/NAME, not {address!r}")
    owner, name = parts.groups()
    github = f"https://github.com/{owner}/{name}"
    scripts, mit = "[project.scripts]\n", "license: MIT\n"
    table = r"(\[project\.urls\]\n(?:.+\n)+\n)?" + re.escape(scripts)
    places = {
        "README.md": {r"\A# snnlab\n\n(\[!\[.*\n\n)?": f"# snnlab\n\n{badges(owner, name)}\n\n"},
        "pyproject.toml": {table: urls(owner, name) + scripts},
        "CITATION.cff": {rf"(repository-code: .*\n)?^{mit}": f"repository-code: {github}\n{mit}"},
        "docs/hosts.md": {
            r"^    REPOSITORY=.*$": f"    REPOSITORY={github}",
            r'^    REPOSITORY = ".*"$': f'    REPOSITORY = "{github}"',
        },
    }
    texts = {path: (root / path).read_text("utf-8") for path in places}
    for path, found in places.items():
        for old, new in found.items():
            texts[path] = put(texts[path], path, old, new)
    texts[START] = start(owner, name, block(texts["docs/hosts.md"], "Colab"))
    for path, text in texts.items():  # when every place has been found
        (root / path).write_text(text, "utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python docs/published.py https://github.com/OWNER/NAME")
    publish(sys.argv[1])
