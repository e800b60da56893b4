"""The trained networks that ship with the checkout: data/checkpoints, each held to the sum in its table."""

import csv
import difflib
from pathlib import Path

from snnlab.files import short
from snnlab.neurons.door import door
from snnlab.training.runs.files import Trained, load, sha256

FOLDER = Path(__file__).parents[3] / "data" / "checkpoints"


def table() -> dict[str, dict[str, str]]:
    """How each network was trained, by name: network, activation, trained, accuracy (percent), sha256, command.

    Raises: FileNotFoundError where the project's checkout is not at hand.
    """
    path = FOLDER / "checkpoints.csv"
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}: the trained networks come with the project's checkout")
    with path.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


@door
def shipped(name: str) -> Trained:
    """A network that ships, by its name in the table, e.g. "resnet20-relu".

    Raises: ValueError for a name that is not in the table, or a file that is not what the table says; FileNotFoundError
        for one that is missing. Both say how to get it back. Nothing is half-loaded.
    """
    rows = table()
    if name not in rows:
        near = difflib.get_close_matches(name, rows, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"name = {short(name)}, but the networks that ship are {', '.join(rows)}{hint}")
    path = FOLDER / f"{name}.safetensors"
    mend = f"`git checkout -- {path.relative_to(FOLDER.parents[1])}` brings it back"
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}: {mend}")
    if (found := sha256(path)) != rows[name]["sha256"]:
        raise ValueError(
            f"{path} is damaged: its sha256 is {found[:12]}..., but the table says {rows[name]['sha256'][:12]}...; "
            f"{mend}"
        )
    return load(path)
