"""The rooms of the package stand in one total order: a file imports only files above it."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = (
    "progress", "neurons", "activations", "datasets", "folders", "layers", "rewiring", "graph", "unroll",
    "segment", "networks", "site", "thresholds", "potentials", "corrections", "tuning", "methods",
    "catalogue", "grid", "conversion", "simulation", "errors", "energy", "training", "saving", "exchange",
    "recipes", "runs", "sweeps", "published", "papers", "claims", "checks", "plots", "explorers", "course",
    "reports", "cli",
)  # fmt: skip


def room(path: Path) -> str:
    return path.relative_to(ROOT / "snnlab").parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The rooms that a file imports, wherever in the file; `import snnlab` and `from snnlab import name` too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    rooms = {name.split(".")[1] for name in found if name.startswith("snnlab.")}
    return rooms & set(ROOMS)


def test_every_file_imports_only_rooms_above_its_own() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "snnlab").rglob("*.py"))
        if room(path) in ROOMS
        for name in imported(path) - {room(path)}
        if ROOMS.index(name) > ROOMS.index(room(path))
    ]
    assert not wrong, f"{wrong}: a room imports only rooms above it in {ROOMS}"


def test_the_order_names_every_room() -> None:
    entries = {
        path for path in (ROOT / "snnlab").iterdir() if path.suffix == ".py" or list(path.glob("*.py"))
    }
    assert {room(path) for path in entries} - {"__init__", "__main__"} == set(ROOMS)


def test_the_architecture_page_prints_the_same_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = page.split("<!-- rooms -->")[1]
    listed = [
        line.split("|")[1].strip().strip("`").rstrip("/") for line in block.splitlines() if "| `" in line
    ]
    assert tuple(name.removesuffix(".py") for name in listed) == ROOMS
