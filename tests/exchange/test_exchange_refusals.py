"""NIR: what it cannot say is refused on the way out, and what is not known on the way in, by name."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from snnlab import SNN, Method, convert, networks
from snnlab.exchange import read_nir, to_nir, write_nir
from snnlab.exchange.nir.contents import contents
from snnlab.exchange.nir.notes import content_sum
from snnlab.neurons import IF, LIF, SNM, BurstIF, CaLIF, OffsetSpikeIF, ZeroThresholdIF

T = 4
IMAGES = torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def converted(method: str | Method = "max_norm", **options: Any) -> SNN:
    return convert(networks.cnn(), method, IMAGES, T, **options)


# --- what is not known on the way in ----------------------------------------------------------------------------------

ONES = np.ones((3, 8, 8))
UNEVEN = np.arange(1.0, 193.0).reshape(3, 8, 8)
UNREADABLE = {
    "node 'scale' is nir.Delay: this kit reads Input, Output, IF, LIF, CubaLIF, Scale, Conv2d": {
        "scale": nir.Delay(ONES)
    },
    "node 'act' is nir.IF: .* v_reset 0; export it so": {"act": nir.IF(ONES, ONES, -ONES)},
    "node 'act' is nir.IF: r and v_threshold must be finite": {"act": nir.IF(ONES, 0 * ONES)},
    "node 'act' is nir.IF: .* may differ between channels, not within one": {"act": nir.IF(ONES, UNEVEN)},
    "node 'scale' is nir.Scale: .* may differ between channels": {"scale": nir.Scale(UNEVEN)},
    "the graph has no IF or LIF node, so nothing spikes": {"act": None},
    "the graph has 0 Output nodes": {"out": None},
    "the graph has 2 Input nodes": {"scale": nir.Input({"input": np.array([3, 8, 8])})},
}


def others(**change: Any) -> nir.NIRGraph:
    """A graph such as another program might write; nodes by name in place of its own, None leaves one out."""
    nodes: dict[str, Any] = {
        "in": nir.Input({"input": np.array([1, 8, 8])}),
        "conv": nir.Conv2d((8, 8), np.ones((3, 1, 3, 3)), 1, 1, 1, 1, np.zeros(3)),
        "act": nir.IF(ONES, ONES),
        "scale": nir.Scale(ONES),
        "out": nir.Output({"output": np.array([3, 8, 8])}),
    }
    nodes |= change
    names = [name for name in nodes if nodes[name] is not None]
    return nir.NIRGraph({name: nodes[name] for name in names}, list(pairwise(names)), type_check=False)


@pytest.mark.parametrize("message", UNREADABLE)
def test_a_node_that_cannot_be_read_is_named(message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_nir(others(**UNREADABLE[message]), T=T)


def test_a_circle_is_named() -> None:
    graph = others()
    graph.edges.append(("scale", "act"))
    with pytest.raises(
        ValueError, match=r"runs in a circle \(.*scale.*\), but only networks that run forward"
    ):
        read_nir(graph, T=T)


def test_a_node_that_nothing_leads_to_is_named() -> None:
    graph = others()
    graph.edges.remove(("conv", "act"))
    with pytest.raises(ValueError, match=r"node 'act' is nir\.IF: no edge leads to it"):
        read_nir(graph, T=T)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "does not say for how many steps it is made: hand in T"),
        ({"T": 0}, "T = 0, but it must be a whole number, 1 or more"),
        ({"T": T, "dt": 0.0}, "dt = 0, but it must be greater than 0, from 1e-12"),
        ({"T": T, "largest": -1}, "largest = -1, but it must be"),
        ({"T": T, "reset": "soft"}, "reset = 'soft', but it must be one of 'subtract', 'zero'"),
    ],
)
def test_a_bad_option_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_nir(others(), **options)


# --- files that are no good ------------------------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.nir; write one with"):
        read_nir(tmp_path / "none.nir")


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[: len(whole) // 2], lambda _: b"no HDF5", lambda _: b""]
)
def test_a_damaged_file_is_named(damage: Any, tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    write_nir(converted(), path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"net\.nir is damaged, not a NIR file, .*: write it again"):
        read_nir(path)


def test_a_file_that_claims_more_than_it_can_hold_is_not_read(tmp_path: Path) -> None:
    """HDF5 gives a place that was never written as zeros: here 64 GB of them, from a file of 90 KB."""
    path = tmp_path / "net.nir"
    write_nir(converted(), path)
    with h5py.File(path, "a") as file:
        file.create_dataset("node/nodes/fc2/more", (2**33,), "f8", chunks=True)
    with pytest.raises(
        ValueError, match=r"net\.nir is damaged, .*more would be larger than a file of this size"
    ):
        read_nir(path)


def test_a_crash_of_hdf5_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.nir"
    write_nir(converted(), path)
    (tmp_path / "crashes.py").write_text("import os\nos.abort()\n")
    monkeypatch.setattr("snnlab.exchange.nir.contents.__file__", str(tmp_path / "crashes.py"))
    with pytest.raises(ValueError, match=r"net\.nir is damaged, .*HDF5 crashed on it, exit code -?\d+"):
        read_nir(path)


def test_what_is_read_is_what_nir_itself_reads(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    write_nir(converted(), path)
    with h5py.File(path) as file:
        file_says = nir.serialization.hdf2dict(file["node"])
    assert repr(contents(path)) == repr(file_says)
    assert content_sum(nir.read(path)) == content_sum(nir.dict2NIRNode(contents(path)))


@pytest.mark.parametrize("noted", ["", "{}", '{"version": 2}', 3])
def test_damaged_metadata_are_named(noted: Any) -> None:
    graph = to_nir(converted())
    graph.metadata["snnlab"] = noted
    with pytest.raises(ValueError, match="metadata 'snnlab' are damaged"):
        read_nir(graph)


def test_a_graph_that_was_changed_is_not_taken_for_the_one_written() -> None:
    graph = to_nir(converted())
    graph.nodes["more"] = nir.Flatten({"input": np.array([10])}, 0, -1)
    with pytest.raises(ValueError, match=r"of another graph .*: write it again, or take them out"):
        read_nir(graph)


# --- what NIR cannot say ---------------------------------------------------------------------------------------------


KINDS = (SNM, CaLIF, ZeroThresholdIF, OffsetSpikeIF, BurstIF, LIF)


@pytest.mark.parametrize("kind", KINDS)
def test_a_neuron_that_nir_does_not_know_is_named(kind: type[IF]) -> None:
    snn = converted(Method("mine", "", "", 2026, neuron=kind))
    with pytest.raises(
        ValueError, match=rf"layer 'conv1.act' is {kind.__name__}\(.*convert with a method .*: max_norm, "
    ):
        to_nir(snn)


class Between(nn.Module):
    """A convolution, ReLU, whatever is under test, and a readout."""

    def __init__(self, layer: Any, channels: int = 4) -> None:
        super().__init__()
        self.conv, self.relu, self.fc = nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.LazyLinear(10)
        self.layer = layer
        self.eval()(IMAGES[:1])

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.layer(self.relu(self.conv(x))).flatten(1))


class Call(nn.Module):
    """A function of one tensor, called in a forward."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


REFUSED = {
    "layer 'layer' is AdaptiveAvgPool2d.*: from .4, 8, 8. to .4, 3, 3. it is no nir.AvgPool2d": nn.AdaptiveAvgPool2d(
        3
    ),
    "layer 'layer' is AvgPool2d.*it is no nir.AvgPool2d": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "layer 'layer' is Conv2d.*its kernels are square": nn.Conv2d(4, 4, (3, 1)),
    r"pad\(\) in layer 'layer': NIR has no node for it": nn.Conv2d(
        4, 4, 3, padding=1, padding_mode="circular"
    ),
    r"cat\(\) in layer 'layer': NIR has no node for it": Call(lambda x: torch.cat([x, x], 1)),
    r"view\(\) in layer 'layer': it makes .16, 16. of .4, 8, 8.": Call(lambda x: x.view(-1, 16, 16)),
    r"mean\(\) in layer 'layer': it makes .4, 8. of .4, 8, 1.": Call(lambda x: x.mean(3)),
    "layer 'layer' is PixelShuffle.*NIR has no node for it": nn.PixelShuffle(2),
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_layer_that_nir_cannot_say_is_named(message: str) -> None:
    snn = convert(Between(REFUSED[message]), "max_norm", IMAGES, T)
    with pytest.raises(ValueError, match=message):
        to_nir(snn)


def test_layers_on_one_axis_are_named() -> None:
    ann = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24, 10))
    with pytest.raises(ValueError, match=r"layer '0' is Conv1d.*NIR has nn.Conv2d on \[C, H, W\]"):
        to_nir(convert(ann, "max_norm", torch.rand(9, 1, 8), T))


def test_a_network_that_is_not_exact_is_refused() -> None:
    snn = converted(exact=False)
    with pytest.raises(ValueError, match=r"converted with exact=False.*convert it with exact=True"):
        to_nir(snn)
