"""Tensors by name in a file, as safetensors: nothing in it can run, the same content is the same bytes, and a sum of
all of them stands in the header, so that a flipped bit is found.

The sum is the SHA-256 of the file as it is with zeros in the place of the sum. Files that have none, of other programs
or of this one before it wrote sums, are read without: only their form is checked.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from snnlab.files.places import place, short

VERSION = 2
"""Of the files that are written; files without a sum are of version 1."""
ENTRIES = ("snnlab", "sum")
"""What the header says of the file itself: its version, its sum. Either without the other is a damage."""
NO_SUM = "0" * 64
MOST_HEADER = 2**26
"""Bytes of a header; a longer one is a damage."""
NAMES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "BOOL": "bool",
    "U8": "uint8",
}
NAMES |= {f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)}
"""Types of numbers as PyTorch calls them."""


def pack(tensors: Mapping[str, Tensor], about: Mapping[str, object]) -> bytes:
    """Tensors, and words about them, as the bytes of a file.

    Raises: ValueError for words under a name that the file itself needs, and for a name that is not text.
    """
    if taken := sorted({*ENTRIES} & about.keys()) or sorted({"__metadata__"} & tensors.keys()):
        raise ValueError(f"{taken[0]!r} is a name that the file itself needs: choose another")
    # shared weights are written once for each name: safetensors has no links
    state = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    words = {key: str(value) for key, value in about.items()} | {"snnlab": str(VERSION), "sum": NO_SUM}
    try:
        plain = safetensors.torch.save(state)
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{short(error.object)} is no name of a tensor: it is not text ({error.reason})"
        ) from None
    size = int.from_bytes(plain[:8], "little")
    header = {"__metadata__": dict(sorted(words.items())), **json.loads(plain[8 : 8 + size])}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers after it are aligned
    content = bytearray(len(text).to_bytes(8, "little") + text + plain[8 + size :])
    at = content.index(_entry(NO_SUM))  # in a text a quotation mark would have a stroke before it
    content[at : at + len(_entry(NO_SUM))] = _entry(hashlib.sha256(content).hexdigest())
    return bytes(content)


@dataclass(frozen=True)
class TensorFile:
    """A file of tensors, its header read and its sum checked, its tensors not yet.

    Attributes:
        about: the words about them.
        shapes: the tensors' shapes and types by name, as `describe` gives them.
    """

    path: Path
    about: dict[str, str]
    shapes: dict[str, str]

    @classmethod
    def open(cls, path: str | Path) -> "TensorFile":
        """Raises: FileNotFoundError; ValueError for a file that is damaged, no safetensors, or of a newer version."""
        path = place(path)
        if not path.exists():
            raise FileNotFoundError(f"there is no file {path}")
        if not path.is_file():
            raise ValueError(
                f"{path} is a folder, a device, a pipe or a socket, but a safetensors file is needed"
            )
        try:
            with path.open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                header = json.loads(file.read(size if size <= MOST_HEADER else 0))
            about = header.pop("__metadata__", None) or {}
            shapes = {name: _described(entry) for name, entry in header.items()}
            if not all(isinstance(text, str) for text in about.values()):
                raise TypeError("the words about the tensors are no texts")
        except OSError as error:
            raise OSError(f"{path} cannot be read ({error.strerror})") from None
        except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(not_safetensors(path, error)) from None
        _check_sum(path, 8 + size, about)
        return cls(path, {key: text for key, text in about.items() if key not in ENTRIES}, shapes)

    def read(self) -> dict[str, Tensor]:
        """The tensors by name. Raises: ValueError for a damage, and for NaN or infinite values."""
        try:
            state = safetensors.torch.load(self.path.read_bytes())
        except (SafetensorError, KeyError, RuntimeError, ValueError, OverflowError) as error:
            raise ValueError(not_safetensors(self.path, error)) from None
        for name, value in state.items():
            if value.is_floating_point() and not bool(value.isfinite().all()):
                raise ValueError(
                    f"{self.path} holds NaN or infinite values in {short(name)}, with which nothing can be computed: "
                    "train or fetch it again"
                )
        return state


def describe(tensor: Tensor) -> str:
    """Shape and type, as messages say them."""
    return f"{list(tensor.shape)} {str(tensor.dtype)[6:]}"


def not_safetensors(path: Path, error: object) -> str:
    """What is wrong with a file that is no safetensors, and what to do."""
    with path.open("rb") as file:
        start = file.read(2)
    if start[:1] == b"\x80" or start == b"PK":  # a pickle, or the zip archive that torch.save puts one into
        return (
            f"{path} is a pickle, which can run any code, so it is never opened: load it where you trust it, and "
            "write it with snnlab.training.save"
        )
    return (
        f"{path} is damaged, or not a safetensors file ({short(str(error))[1:-1]}): train or fetch it again"
    )


def _described(entry: Any) -> str:
    shape = [int(side) for side in entry["shape"]]
    return f"{shape} {NAMES.get(entry['dtype'], entry['dtype'])}"


def _entry(digits: str) -> bytes:
    return f'"sum":"{digits}"'.encode()


def _check_sum(path: Path, head: int, about: Mapping[str, str]) -> None:
    version, digits = (about.get(key) for key in ENTRIES)
    if version is None and digits is None:
        return
    newer = version is not None and version.isdecimal() and int(version[:4]) > VERSION
    if newer:
        raise ValueError(
            f"{path} is of a newer snnlab (version {version} of its files, this one reads {VERSION} and older): update "
            "snnlab, or write the file with this one"
        )
    whole = version == str(VERSION) and digits is not None and re.fullmatch("[0-9a-f]{64}", digits)
    if digits is None or not whole or _sum(path, head, digits) != digits:
        raise ValueError(
            f"{path} is damaged: the sum of its contents is not the one that was written with them; train or fetch it "
            "again"
        )


def _sum(path: Path, head: int, digits: str) -> str:
    """Of a file as it is with zeros in the place of its sum."""
    with path.open("rb") as file:
        found = hashlib.sha256(file.read(head).replace(_entry(digits), _entry(NO_SUM), 1))
        while part := file.read(2**20):
            found.update(part)
    return found.hexdigest()
