"""The project's public address, put where it belongs: `python docs/published.py https://github.com/OWNER/NAME`.

README's badges (Binder and Colab open the first lesson with an explorer), the package's links, the citation, and the
cells of docs/hosts.md that fetch the kit. Once more, with another address, it moves them all.
"""

import re
import sys
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parents[1]
FIRST = "notebooks/01_a_neuron_that_counts.ipynb"
ADDRESS = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")


def badges(owner: str, name: str) -> str:
    """A line for README: each badge with its link."""
    github, colab = f"https://github.com/{owner}/{name}", "https://colab.research.google.com"
    tests, first = f"{github}/actions/workflows/tests.yml", quote(FIRST, safe="")
    pairs = (
        (
            "Binder",
            "https://mybinder.org/badge_logo.svg",
            f"https://mybinder.org/v2/gh/{owner}/{name}/HEAD?labpath={first}",
        ),
        ("Colab", f"{colab}/assets/colab-badge.svg", f"{colab}/github/{owner}/{name}/blob/HEAD/{FIRST}"),
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


def put(root: Path, path: str, old: str, new: str) -> None:
    """Replace the one place in a file that the pattern finds."""
    file = root / path
    text, count = re.subn(old, lambda _: new, file.read_text("utf-8"), flags=re.MULTILINE)
    if count != 1:
        raise SystemExit(f"{path} has {count} places for the address, where one was expected: {old}")
    file.write_text(text, "utf-8")


def publish(address: str, root: Path = ROOT) -> None:
    """Write the address into the files of the project.

    Raises:
        SystemExit: for an address of another form, or a file that has no place for it.
    """
    if not (found := ADDRESS.fullmatch(address)):
        raise SystemExit(f"an address is https://github.com/OWNER/NAME, not {address!r}")
    owner, name = found.groups()
    github = f"https://github.com/{owner}/{name}"
    scripts, mit = "[project.scripts]\n", "license: MIT\n"
    table = r"(\[project\.urls\]\n(?:.+\n)+\n)?" + re.escape(scripts)
    put(root, "README.md", r"\A# snnlab\n\n(\[!\[.*\n\n)?", f"# snnlab\n\n{badges(owner, name)}\n\n")
    put(root, "pyproject.toml", table, urls(owner, name) + scripts)
    put(root, "CITATION.cff", rf"(repository-code: .*\n)?^{mit}", f"repository-code: {github}\n{mit}")
    put(root, "docs/hosts.md", r"^    REPOSITORY=.*$", f"    REPOSITORY={github}")
    put(root, "docs/hosts.md", r'^    REPOSITORY = ".*"$', f'    REPOSITORY = "{github}"')


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python docs/published.py https://github.com/OWNER/NAME")
    publish(sys.argv[1])
