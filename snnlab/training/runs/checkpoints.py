"""The trained networks that ship: data/checkpoints, each held to the sum in its table.

A wheel brings the table and some of the networks. The others may lie in `checkpoints/` of the user's data folder.
"""

import csv
from pathlib import Path

from snnlab.files import data_folder, in_checkout, kit, regained, short
from snnlab.files.words import meant
from snnlab.neurons.door import door
from snnlab.training.runs.files import Trained, load, sha256

PART = "data/checkpoints"
FOLDER = kit(PART)


def table() -> dict[str, dict[str, str]]:
    """How each network was trained, by name: network, activation, trained, accuracy (percent), sha256, command.

    Raises: FileNotFoundError if it is lost.
    """
    path = FOLDER / "checkpoints.csv"
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}, the table of the trained networks: {regained(PART)}")
    with path.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def file_of(name: str) -> Path:
    """The file of a network of the table. Raises: FileNotFoundError that says where to get it."""
    path, own = FOLDER / f"{name}.safetensors", data_folder(part="checkpoints") / f"{name}.safetensors"
    found = next((one for one in (path, own) if one.is_file()), None)
    if found is None:
        raise FileNotFoundError(f"there is no {path}: {_mend(path)}")
    return found


def _mend(path: Path) -> str:
    """What brings a network's file back, or here for the first time."""
    if in_checkout():
        return regained(f"{PART}/{path.name}")
    return (
        f"this install brings {', '.join(sorted(one.stem for one in FOLDER.glob('*.safetensors')))}; the others lie in "
        f"data/checkpoints of the project's checkout: put {path.name} into {data_folder(part='checkpoints')}"
    )


@door
def shipped(name: str) -> Trained:
    """A network that ships, by its name in the table, e.g. "resnet20-relu".

    Raises: ValueError for a name that is not in the table, or a file that is not what the table says; FileNotFoundError
        for one that is missing. Both say how to get it back. Nothing is half-loaded.
    """
    rows = table()
    if name not in rows:
        raise ValueError(
            f"name = {short(name)}, but the networks that ship are {', '.join(rows)}{meant(name, rows)}"
        )
    path = file_of(name)
    if (found := sha256(path)) != rows[name]["sha256"]:
        raise ValueError(
            f"{path} is damaged: its sha256 is {found[:12]}..., but the table says {rows[name]['sha256'][:12]}...; "
            f"{_mend(path) if path.parent == FOLDER else 'remove it, and get it again'}"
        )
    return load(path)
