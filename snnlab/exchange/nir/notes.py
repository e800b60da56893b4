"""What this kit notes in a NIR graph's metadata, so that the same bits come back; and the sum that tells of a damage.

The sum is the SHA-256 of all nodes, edges and notes, whatever the file around them looks like.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import nir
import numpy as np

from snnlab.files import short

VERSION = 3
"""Of the notes; those of version 1 have no sum, those of 2 no average that is written as a convolution."""
KEYS = ("snnlab", "snnlab_sum")
"""Under which notes and sum stand in the metadata; from version 2 on either without the other is a damage."""
MOST_STEPS = 2**20


def noted(graph: nir.NIRGraph, about: Mapping[str, Any]) -> nir.NIRGraph:
    """The graph with its notes and their sum."""
    graph.metadata["snnlab"] = json.dumps(about)
    graph.metadata["snnlab_sum"] = content_sum(graph)
    return graph


def notes(graph: nir.NIRGraph) -> dict[str, Any]:
    """What `noted` noted; nothing, if another program wrote the graph.

    Raises: ValueError for notes that are damaged, of a newer version, or of another graph.
    """
    text, digits = (graph.metadata.get(key) for key in KEYS)
    if text is None and digits is None:
        return {}
    try:
        about = json.loads(text)
        version = about["version"]
    except (TypeError, ValueError, KeyError, RecursionError):
        raise ValueError(_damaged("they cannot be read")) from None
    if type(version) is int and version > VERSION:
        raise ValueError(
            f"the graph is of a newer snnlab (version {version} of its notes, this one reads {VERSION} and older): "
            "update snnlab, or write the graph with this one"
        )
    if version not in (1, 2, 3) or (version > 1) != (digits is not None):
        raise ValueError(_damaged(f"version {short(version)}"))
    if version > 1 and digits != content_sum(graph):
        raise ValueError(_damaged("the sum is another"))
    if wrong := [name for name, fits in ENTRIES.items() if name not in about or not fits(about[name], graph)]:
        raise ValueError(_damaged(f"{wrong[0]} = {short(about.get(wrong[0]))}"))
    if about.keys() != ENTRIES.keys():
        raise ValueError(_damaged("unknown entries"))
    return about


def check_numbers(graph: nir.NIRGraph) -> None:
    """Raises: ValueError that names the node that holds NaN or infinite values, but a neuron's without a leak."""
    for name, node in graph.nodes.items():
        endless = ("tau", "tau_mem", "r") if isinstance(node, nir.LIF | nir.CubaLIF) else ()
        for key, value in node.to_dict().items():
            numbers = np.asarray(value)
            if key == "metadata" or numbers.dtype.kind != "f":
                continue
            if not (np.isfinite(numbers) | ((key in endless) & np.isposinf(numbers))).all():
                raise ValueError(
                    f"node {short(name)} holds NaN or infinite values in {key}: export it without them"
                )


def content_sum(graph: nir.NIRGraph) -> str:
    """Of nodes, edges and notes, 64 hexadecimal digits; the same after a file was written and read."""
    nodes = {name: _plain(node.to_dict()) for name, node in graph.nodes.items()}
    rest = {key: value for key, value in graph.metadata.items() if key != "snnlab_sum"}
    whole = [sorted(nodes.items()), [list(edge) for edge in graph.edges], _plain(rest)]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """As text: a number or an array by its kind, shape and bytes, since a file gives numbers back as NumPy's."""
    if isinstance(value, Mapping):
        return sorted((str(key), _plain(entry)) for key, entry in value.items() if not _is_empty(entry))
    if isinstance(value, str | bytes):
        return value if isinstance(value, str) else value.decode(errors="replace")
    array = np.asarray(value)
    array = array.astype(np.int64) if array.dtype.kind in "iub" else array
    return [str(array.dtype), list(array.shape), hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()]


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping) and not value)


def _damaged(why: str) -> str:
    return (
        f"the graph's metadata 'snnlab' are damaged, or of another graph ({why}): write it again, or take them out "
        "([graph.metadata.pop(key, None) for key in ('snnlab', 'snnlab_sum')]) to read it as any other program's"
    )


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < math.inf


def _is_order(names: Any, graph: nir.NIRGraph) -> bool:
    """Whether each node stands once, after those that lead to it."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return False
    place = {name: k for k, name in enumerate(names)}
    known = len(place) == len(names) and place.keys() == graph.nodes.keys()
    return known and all(a in place and b in place and place[a] < place[b] for a, b in graph.edges)


def _are_rounded(rounded: Any, graph: nir.NIRGraph) -> bool:
    """Whether they are [from, to, steps] of the graph's edges."""
    edges = {tuple(edge) for edge in graph.edges}
    return isinstance(rounded, list) and all(
        isinstance(entry, list)
        and len(entry) == 3
        and all(isinstance(name, str) for name in entry[:2])
        and tuple(entry[:2]) in edges
        and isinstance(entry[2], list)
        and all(map(_is_number, entry[2]))
        for entry in rounded
    )


def _are_scales(scales: Any, graph: nir.NIRGraph) -> bool:
    kinds = (nir.Scale, nir.Affine, nir.Conv2d)
    return isinstance(scales, dict) and all(
        _is_number(step) and isinstance(graph.nodes.get(name), kinds) for name, step in scales.items()
    )


ENTRIES: dict[str, Callable[[Any, nir.NIRGraph], bool]] = {
    "version": lambda value, _: type(value) is int,
    "method": lambda value, _: isinstance(value, str),
    "depends_on_T": lambda value, _: isinstance(value, bool),
    "T": lambda value, _: type(value) is int and 1 <= value <= MOST_STEPS,
    "largest": lambda value, _: type(value) in (int, float) and math.isfinite(value),
    "order": _is_order,
    "scales": _are_scales,
    "rounded": _are_rounded,
}
"""What is noted, each with whether it can be."""
