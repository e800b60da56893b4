"""What the documents claim is there: links lead somewhere, the first look in code runs, names are the catalogue's."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from benchmarks import other_networks
from snnlab import CATALOGUE

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/hosts.md",
        "docs/installing.md",
        "docs/instructor.md",
        "docs/performance.md",
        "docs/security.md",
        "docs/your_own_network.md",
        "data/README.md",
        "notebooks/glossary.md",
        "notebooks/references.md",
    )
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_the_first_look_in_code_runs_and_is_right() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("## A first look in code")[1].split("\n## ")[0]
    code = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))
    names: dict[str, object] = {}
    with redirect_stdout(io.StringIO()):
        exec(compile(code, "README.md", "exec"), names)
    accuracy = names["run"].accuracy(names["data"].test.labels)
    assert len(accuracy) == 16
    assert accuracy[-1] > 0.97


def test_the_readme_names_every_method() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)`", readme, re.MULTILINE)) == set(CATALOGUE)


def test_the_table_of_other_networks_has_each_of_them() -> None:
    parts = (ROOT / "docs/your_own_network.md").read_text(encoding="utf-8").split(other_networks.MARK)
    assert len(parts) == 3
    head, *rows = [line.strip("| ").split(" | ") for line in parts[1].splitlines() if line.startswith("| ")]
    asked = {f"torchvision {name}" for name in other_networks.TORCHVISION}
    asked |= {f"timm {name}" for name in other_networks.TIMM}
    assert {row[0].split(",")[0] for row in rows[1:]} == asked
    assert head[:2] == ["network", "converts"]
    for row in rows[1:]:
        assert row[1].startswith("no: ") or (row[1] == "yes" and len(row) == len(head))
