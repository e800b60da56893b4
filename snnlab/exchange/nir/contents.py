"""What a NIR file holds, read in a process of its own: on a damaged file HDF5 may run without end, or crash.

Both happen to whoever calls HDF5 (HDFGroup/hdf5 issue 1707), and neither can be caught, stopped by Ctrl-C or undone.
So this file, run as a program, reads a file with nothing but h5py, and writes plain arrays to its standard output.
"""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

LONGEST = 30.0
"""Seconds, and one more for each MB; a file of 100 MB takes one or two."""
LARGEST_RATIO = 1100
"""Of what is read to the file's size; HDF5's own compression does not reach 1,033."""
SMALL = 2**28
"""Bytes that may be read from a file of any size."""


def contents(path: Path) -> dict[str, Any]:
    """The file's graph as nested dicts of arrays and texts, as `nir.dict2NIRNode` takes it.

    Raises: ValueError that says what HDF5 made of a damaged file, or that it crashed or came to no end.
    """
    limit = LONGEST + path.stat().st_size / 1e6
    command = [sys.executable, "-P", __file__, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise ValueError(f"reading it came to no end within {limit:.0f} seconds") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() if done.returncode == 1 else []
        raise ValueError(lines[-1] if lines else f"HDF5 crashed on it, exit code {done.returncode}")
    return _nested(io.BytesIO(done.stdout))


def _nested(stream: BinaryIO) -> dict[str, Any]:
    """What `_write` wrote."""
    whole: dict[str, Any] = {}
    for *above, name, kind in json.loads(stream.readline()):
        inner = whole
        for group in above:
            inner = inner[group]
        inner[name] = {} if kind == "group" else _plain(np.lib.format.read_array(stream, allow_pickle=False))
    return whole


def _plain(value: np.ndarray) -> Any:
    """As h5py and nir give it: one text as str, several as an array of bytes, one number as NumPy's."""
    if value.dtype.kind != "S":
        return value if value.ndim else value[()]
    return value.astype(object) if value.ndim else value.item().decode()


def _write(path: str, out: BinaryIO) -> None:
    """A line of JSON, [groups..., name, "group" or "values"] for each part of the graph, then the values' arrays."""
    import h5py  # here alone, so that a process that reads no file needs no HDF5

    parts: list[list[str]] = []
    values: list[np.ndarray] = []
    left = max(SMALL, LARGEST_RATIO * Path(path).stat().st_size)

    def walk(group: Any, above: list[str]) -> None:
        nonlocal left
        for name, item in group.items():
            if isinstance(item, h5py.Group):
                parts.append([*above, name, "group"])
                walk(item, [*above, name])
            elif isinstance(item, h5py.Dataset):
                left -= item.nbytes
                if left < 0:
                    raise ValueError(f"{name} would be larger than a file of this size can hold")
                parts.append([*above, name, "values"])
                values.append(
                    np.asarray(item[()], dtype="S" if h5py.check_string_dtype(item.dtype) else None)
                )

    with h5py.File(path, "r") as file:
        walk(file["node"], [])
    out.write(json.dumps(parts).encode() + b"\n")
    for value in values:
        np.lib.format.write_array(out, value, allow_pickle=False)


if __name__ == "__main__":
    try:
        _write(sys.argv[1], sys.stdout.buffer)
    except Exception as error:  # noqa: BLE001 - whatever HDF5 makes of a damaged file
        sys.exit((str(error) or type(error).__name__).splitlines()[0])
