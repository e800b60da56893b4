"""The rooms of the package stand in one total order: a file imports only rooms above its own."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = (
    "files", "progress", "neurons", "activations", "networks",
    "datasets.standard", "datasets.given", "datasets.pictures", "datasets.folders", "datasets.published",
    "converters.threads", "converters.graph", "converters.choices", "converters.methods", "converters.catalogue",
    "converters.grid", "converters.snn", "converters.conversion",
    "simulators.run", "simulators.coding", "simulators.stopping", "simulators.simulation",
    "simulators.errors", "simulators.energy",
    "training.fitting", "training.recipes", "training.runs",
    "exchange.saving", "exchange.nir", "exchange.onnx", "exchange.chips",
    "studies.sweeps", "studies.workers", "studies.papers", "studies.claims", "studies.checks",
    "studies.intervals", "studies.named", "studies.plans", "studies.points", "studies.study",
    "studies.subjects", "studies.stopwatch", "studies.peers", "studies.bench",
    "plots", "explorers", "course", "reports", "cli",
)  # fmt: skip
WINGS = tuple(dict.fromkeys(name.split(".")[0] for name in ROOMS))


def room(path: Path) -> str:
    """The room that a file stands in; a wing's own __init__ only gathers what its rooms have."""
    parts = path.relative_to(ROOT / "snnlab").with_suffix("").parts
    return next((name for name in (".".join(parts[:2]), parts[0]) if name in ROOMS), "")


def imported(path: Path) -> set[str]:
    """The rooms that a file imports, wherever in the file; `from snnlab.wing import name` counts as wing.name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    names = [name.split(".")[1:] for name in found if name.startswith("snnlab.")]
    return {room for parts in names if (room := _room_of(parts))}


def _room_of(parts: list[str]) -> str:
    """A name's room; for what a wing gathers (`from snnlab.datasets import Split`) the wing's first room."""
    for name in (".".join(parts[:2]), parts[0]):
        if name in ROOMS:
            return name
    return next((name for name in ROOMS if name.split(".")[0] == parts[0]), "")


def test_every_file_imports_only_rooms_above_its_own() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "snnlab").rglob("*.py"))
        if room(path)
        for name in imported(path) - {room(path)}
        if ROOMS.index(name) > ROOMS.index(room(path))
    ]
    assert not wrong, f"{wrong}: a room imports only rooms above it in {ROOMS}"


def test_the_order_names_every_room() -> None:
    files = [
        path for path in (ROOT / "snnlab").rglob("*.py") if path.name not in ("__init__.py", "__main__.py")
    ]
    assert {room(path) for path in files} == set(ROOMS)


def test_the_root_has_at_most_16_entries() -> None:
    entries = [path.name for path in (ROOT / "snnlab").iterdir() if not path.name.startswith("__")]
    entries.remove("py.typed")  # an empty mark, and no room
    assert len(entries) <= 16, entries
    assert {name.removesuffix(".py") for name in entries} == set(WINGS)


def test_the_architecture_page_prints_the_same_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = page.split("<!-- rooms -->")[1]
    listed = [line.split("|")[1].strip().strip("`") for line in block.splitlines() if "| `" in line]
    assert tuple(name.rstrip("/").removesuffix(".py").replace("/", ".") for name in listed) == ROOMS
