"""What a file says of itself is not believed: each wrong entry is refused with the file's name."""

import json
import resource
from pathlib import Path
from typing import Any

import nir
import pytest
import torch
from safetensors.torch import save_file

from snnlab import SNN, convert, networks, training
from snnlab.exchange import read_nir, saving, to_nir, write_nir
from snnlab.exchange.nir.notes import content_sum
from snnlab.files.tensors import pack
from snnlab.training import runs

pytestmark = pytest.mark.usefixtures("one_thread")
SETTINGS = runs.Settings("cnn", "digits")
WRONG_SETTINGS: list[tuple[str, Any]] = [
    ("network", "vgg"),
    ("network", None),
    ("network", ["cnn"]),
    ("network", {}),
    ("data", "imagenet"),
    ("data", 3),
    ("activation", "tanh"),
    ("activation", "qcfs"),
    ("levels", 0),
    ("levels", 10**30),
    ("levels", "8"),
    ("levels", 1.5),
    ("levels", True),
    ("width", 20000),
    ("width", 0),
    ("width", -1),
    ("width", 10**400),
    ("width", "16"),
    ("width", 8),
    ("epochs", 0),
    ("epochs", None),
    ("lr", float("nan")),
    ("lr", float("inf")),
    ("lr", -1),
    ("lr", "0.1"),
    ("lr", None),
    ("batch", 1),
    ("batch", []),
    ("threshold", 0),
    ("threshold", "a"),
    ("threshold_decay", -1),
    ("norm_decay", 1e300),
    ("smoothing", 1),
    ("smoothing", None),
    ("jitter", 1e300),
    ("jitter", float("nan")),
    ("augment", "crop"),
    ("augment", ["blur"]),
    ("augment", None),
    ("augment", [[]]),
    ("seed", -1),
    ("seed", 2**70),
    ("seed", None),
    ("bf16", "yes"),
    ("bf16", None),
    ("start", 3),
    ("start", "x" * 64),
    ("start", None),
    ("newer", 1),
    ("__class__", "int"),
    ("self", 1),
]


def refused(path: Path, read: Any, *parts: str) -> None:
    """Refused in one short line that names the file."""
    with pytest.raises(ValueError, match="x") as caught:
        read(path)
    text = str(caught.value)
    assert path.name in text and "\n" not in text and len(text) < 1200, text
    assert all(part in text for part in parts), text


@pytest.mark.parametrize(("name", "value"), WRONG_SETTINGS, ids=lambda v: str(v)[:20])
def test_settings_with_a_wrong_entry(name: str, value: Any, tmp_path: Path) -> None:
    path, said = tmp_path / "x.safetensors", json.loads(SETTINGS.text()) | {name: value}
    training.save(SETTINGS.build(), path, settings=json.dumps(said))
    refused(path, runs.load)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "3", '"cnn"', "{", "{}", "[" * 10**5, '{"network": "cnn"}', "x" * 5000]
)
def test_settings_that_are_none(text: str, tmp_path: Path) -> None:
    training.save(SETTINGS.build(), tmp_path / "x.safetensors", settings=text)
    refused(tmp_path / "x.safetensors", runs.load)


@pytest.mark.parametrize(
    "name", ["network", "data", "activation", "levels", "epochs", "lr", "batch", "seed", "augment"]
)
def test_settings_that_lack_an_entry(name: str, tmp_path: Path) -> None:
    said = {key: value for key, value in json.loads(SETTINGS.text()).items() if key != name}
    training.save(SETTINGS.build(), tmp_path / "x.safetensors", settings=json.dumps(said))
    refused(tmp_path / "x.safetensors", runs.load)


def test_a_small_file_that_asks_for_a_large_network_takes_no_memory(tmp_path: Path) -> None:
    path, said = tmp_path / "x.safetensors", runs.Settings("vgg16", width=1024).text()  # 14 GB of weights
    training.save(runs.Settings("vgg16", width=2).build(), path, settings=said)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path, runs.load, "[2, 3, 3, 3] float32 in the file, [1024, 3, 3, 3] float32 in the network")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers(value: float, tmp_path: Path) -> None:
    ann, path = SETTINGS.build(), tmp_path / "x.safetensors"
    with torch.no_grad():
        ann.fc2.bias[3] = value
    training.save(ann, path, settings=SETTINGS.text())
    refused(path, runs.load, "'fc2.bias'")
    refused(path, lambda file: training.load(networks.cnn(), file), "'fc2.bias'")


def test_a_file_of_a_newer_version_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(pack(SETTINGS.build().state_dict(), {}).replace(b'"snnlab":"2"', b'"snnlab":"3"'))
    refused(path, lambda file: training.load(networks.cnn(), file), "newer snnlab (version 3")


def test_a_file_without_a_sum_is_read_as_before_and_one_that_lost_it_is_not(tmp_path: Path) -> None:
    path, state = tmp_path / "x.safetensors", SETTINGS.build().state_dict()
    save_file(state, path, {"settings": SETTINGS.text(), "accuracy": "0.5"})
    assert runs.load(path).about == {"accuracy": "0.5"}
    for key in (b'"sum"', b'"snnlab"'):
        path.write_bytes(pack(state, {"settings": SETTINGS.text()}).replace(key, key[:2] + b"_" + key[3:]))
        refused(path, runs.load, "is damaged")


@pytest.mark.parametrize("text", ["sum", "snnlab"])
def test_words_do_not_take_the_place_of_the_sum(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{text!r} is a name that the file itself needs"):
        training.save(networks.cnn(), tmp_path / "x", **{text: "1"})
    training.save(networks.cnn(), tmp_path / "x", note='"sum":"' + "0" * 64 + '"')
    assert training.load(networks.cnn(), tmp_path / "x")["note"].startswith('"sum"')


def test_the_same_content_is_the_same_bytes(tmp_path: Path) -> None:
    words = {f"word{k}": k for k in range(20)}
    made = {
        pack(networks.cnn().state_dict(), dict(sorted(words.items(), key=lambda w, k=k: hash((w, k)))))
        for k in range(9)
    }
    assert len(made) == 1


# --- spiking networks -------------------------------------------------------------------------------------------------

WRONG_SNN: list[tuple[str, Any]] = [
    ("T", 0),
    ("T", -1),
    ("T", "8"),
    ("T", None),
    ("T", True),
    ("T", 1.5),
    ("T", 10**30),
    ("method", "max"),
    ("method", None),
    ("method", []),
    ("exact", 1),
    ("exact", None),
    ("shape", [1, 1, 8]),
    ("shape", [2, 1, 8, 8]),
    ("shape", [1, 10**9, 10**9]),
    ("shape", None),
    ("shape", []),
    ("shape", [1, 0, 8, 8]),
    ("shape", [1, "8"]),
    ("shape", [1, 3, 8, 8]),
    ("largest", None),
    ("largest", float("nan")),
    ("largest", "1"),
    ("largest", float("inf")),
    ("strange", 1),
]


@pytest.fixture(scope="module")
def snn() -> SNN:
    return convert(
        networks.cnn(), "max_norm", torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)), 8
    )


def about(snn: SNN) -> dict[str, Any]:
    return {
        "method": "max_norm",
        "T": 8,
        "exact": True,
        "shape": [1, 1, 8, 8],
        "largest": float(snn.example.amax()),
    }


def load(path: Path) -> SNN:
    return saving.load(networks.cnn(), path)


@pytest.mark.parametrize(("name", "value"), WRONG_SNN, ids=lambda v: str(v)[:20])
def test_a_spiking_network_with_a_wrong_entry(name: str, value: Any, snn: SNN, tmp_path: Path) -> None:
    said = json.dumps(about(snn) | {name: value})
    training.save_tensors(dict(snn.graph.tensors()), tmp_path / "x.safetensors", snn=said)
    refused(tmp_path / "x.safetensors", load)


@pytest.mark.parametrize("name", ["T", "method", "exact", "shape", "largest"])
def test_a_spiking_network_that_lacks_an_entry(name: str, snn: SNN, tmp_path: Path) -> None:
    said = {key: value for key, value in about(snn).items() if key != name}
    training.save_tensors(dict(snn.graph.tensors()), tmp_path / "x.safetensors", snn=json.dumps(said))
    refused(tmp_path / "x.safetensors", load, repr(name))


@pytest.mark.parametrize("change", ["v0", "threshold", "shape", "zero", "method"])
def test_a_spiking_network_with_wrong_numbers(change: str, snn: SNN, tmp_path: Path) -> None:
    tensors, path = dict(snn.graph.tensors()), tmp_path / "x.safetensors"
    site = "conv1.act"
    if change in ("v0", "threshold"):
        tensors[f"{site}.{change}"] = torch.tensor(float("nan"))
    elif change == "shape":
        tensors[f"{site}.v0"] = torch.zeros(7, 5)
    elif change == "zero":
        tensors[f"{site}.threshold"] = torch.zeros(())
    saving.save(snn, path)
    if change == "method":  # swapped for another, of the same length
        path.write_bytes(path.read_bytes().replace(b"max_norm", b"min_norm"))
    else:
        training.save_tensors(tensors, path, snn=json.dumps(about(snn)))
    refused(path, load)


# --- NIR --------------------------------------------------------------------------------------------------------------

WRONG_NIR: list[tuple[str, Any]] = [
    ("T", 0),
    ("T", "8"),
    ("T", None),
    ("T", True),
    ("largest", float("nan")),
    ("largest", None),
    ("order", []),
    ("order", None),
    ("order", 3),
    ("scales", []),
    ("scales", {"none": 1}),
    ("rounded", [1]),
    ("rounded", [["a", "b", [1]]]),
    ("rounded", None),
    ("method", None),
    ("depends_on_T", 3),
    ("version", "2"),
    ("version", 0),
    ("version", None),
]


@pytest.mark.parametrize("summed", [True, False], ids=["sum mended", "sum left"])
@pytest.mark.parametrize(("name", "value"), WRONG_NIR, ids=lambda v: str(v)[:20])
def test_a_nir_graph_with_a_wrong_note(name: str, value: Any, summed: bool, snn: SNN, tmp_path: Path) -> None:
    graph, path = to_nir(snn), tmp_path / "x.nir"
    graph.metadata["snnlab"] = json.dumps(json.loads(graph.metadata["snnlab"]) | {name: value})
    if summed:
        graph.metadata["snnlab_sum"] = content_sum(graph)
    nir.write(path, graph)
    refused(path, read_nir, "metadata 'snnlab' are damaged")


def test_nir_notes_of_a_newer_version_and_of_an_older_one(snn: SNN, tmp_path: Path) -> None:
    graph, path = to_nir(snn), tmp_path / "x.nir"
    notes = json.loads(graph.metadata["snnlab"])
    graph.metadata["snnlab"] = json.dumps(notes | {"version": 4})
    nir.write(path, graph)
    refused(path, read_nir, "newer snnlab (version 4")
    graph.metadata = {"snnlab": json.dumps(notes | {"version": 1})}  # as files were before they had a sum
    nir.write(path, graph)
    assert read_nir(path).T == 8


def test_nir_values_that_changed_or_are_no_numbers(snn: SNN, tmp_path: Path) -> None:
    path = tmp_path / "x.nir"
    graph = to_nir(snn)
    graph.nodes["fc2"].weight[0, 0] += 1
    nir.write(path, graph)
    refused(path, read_nir, "the sum is another")
    graph.nodes["fc2"].weight[0, 0] = float("nan")
    graph.metadata = {}
    nir.write(path, graph)
    refused(path, lambda file: read_nir(file, T=8), "node 'fc2' holds NaN")


def test_a_nir_file_gives_the_same_bytes(snn: SNN, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_nir(snn, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
