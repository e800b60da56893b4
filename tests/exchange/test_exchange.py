"""NIR: what is written is read back to the bit, another simulator sends the same spikes, and the rest is refused."""

from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab import CATALOGUE, SNN, Method, convert, datasets, networks, simulate
from snnlab.converters.choices.site import Site
from snnlab.converters.choices.thresholds import largest_per_neuron
from snnlab.exchange import read_nir, to_nir, write_nir
from snnlab.exchange.nir import writing
from snnlab.neurons import IF
from snnlab.simulators import energy, errors

T = 8
DIGITS = datasets.load("digits")
IMAGES = DIGITS.test.images[:12]


def largest_per_channel(site: Site) -> Tensor:
    return site.target.transpose(0, 1).flatten(1).amax(1).reshape(-1, *(1 for _ in site.target.shape[2:]))


METHODS: dict[str, Method] = {
    **{name: CATALOGUE[name] for name in ("max_norm", "robust_norm", "qcfs")},
    "hard_reset": Method("hard_reset", "", "", 2026, neuron=partial(IF, reset="zero")),
    "per_channel": Method("per_channel", "", "", 2026, threshold=largest_per_channel, depends_on_T=True),
    "per_neuron": Method("per_neuron", "", "", 2026, threshold=largest_per_neuron),
}


class Odd(nn.Module):
    """Groups, overlapping windows, layers without a neuron between, means and numbers in the forward."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, padding="same"), nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.conv3, self.norm = nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8)
        self.norm.running_mean.normal_()
        self.relu, self.drop, self.fc = nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 10)
        self.fc2 = nn.Linear(10, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv1(x))
        y = self.norm(F.avg_pool2d(self.conv2(x), 3, stride=1, padding=1))
        x = F.relu(0.5 * x + self.conv3(y))
        x = F.avg_pool2d(x, 3, stride=2)
        x = self.fc(self.drop(x.mean((2, 3))))
        return x + self.fc2(F.relu(x))


def network(kind: str, activation: Any = nn.ReLU) -> nn.Module:
    torch.manual_seed(3)
    return (
        {"cnn": networks.cnn, "resnet": networks.resnet}[kind](activation) if kind != "odd" else Odd().eval()
    )


@cache
def converted(kind: str = "cnn", method: str = "max_norm", bits: int = 24) -> SNN:
    chosen = METHODS[method]
    return convert(network(kind, chosen.activation), chosen, DIGITS.calibration.images[:50], T, bits=bits)


def spikes(snn: SNN) -> dict[str, Tensor]:
    """Each site's spikes, [T, N, ...]."""
    traces = simulate(snn, IMAGES, T, record=list(snn.sites)).traces
    return {name: trace.output / snn.sites[name].threshold for name, trace in traces.items()}


def assert_same(snn: SNN, other: SNN) -> None:
    ours, theirs = simulate(snn, IMAGES, T), simulate(other, IMAGES, T)
    assert torch.equal(ours.logits, theirs.logits) and torch.equal(ours.predictions, theirs.predictions)
    assert sum(ours.firing_rate.values()) > 0 and ours.firing_rate == theirs.firing_rate
    before, after = spikes(snn), spikes(other)
    assert list(before) == list(after)
    assert all(torch.equal(before[name].round(), after[name]) for name in before)


@pytest.mark.parametrize("kind", ["cnn", "resnet", "odd"])
@pytest.mark.parametrize("method", METHODS)
def test_a_network_written_and_read_gives_the_same_spikes(kind: str, method: str, tmp_path: Path) -> None:
    if kind == "odd" and method == "qcfs":
        method = "robust_norm"  # its ReLUs are plain
    snn = converted(kind, method)
    write_nir(snn, tmp_path / "new" / "net.nir")
    assert_same(snn, read_nir(tmp_path / "new" / "net.nir"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["net.nir"]


def test_a_graph_need_not_become_a_file() -> None:
    snn = converted("resnet")
    assert_same(snn, read_nir(to_nir(snn)))


def test_a_network_that_was_read_can_be_written_again() -> None:
    snn = converted("resnet", "qcfs")
    assert_same(snn, read_nir(to_nir(read_nir(to_nir(snn)))))


def test_averages_and_flattens_are_written_as_most_readers_take_them() -> None:
    """A convolution that averages, and axes counted from the last, so that a batch before them does not matter."""
    nodes = to_nir(converted("cnn")).nodes
    pool, flatten = nodes["pool"], nodes["flatten"]
    ours = F.conv2d(IMAGES.expand(-1, 32, -1, -1), torch.tensor(pool.weight), stride=pool.stride)
    assert torch.equal(ours, F.avg_pool2d(IMAGES.expand(-1, 32, -1, -1), 2)) and not pool.bias.any()
    assert nn.Flatten(flatten.start_dim, flatten.end_dim)(ours).shape == (len(IMAGES), 512)


@pytest.mark.parametrize("kind", ["cnn", "odd"])
def test_a_file_of_before_is_read_alike(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Averages were nir.AvgPool2d until version 3 of the notes."""
    snn = converted(kind)
    with monkeypatch.context() as before:
        before.setattr(writing, "VERSION", 2)
        before.setattr(writing, "average_node", lambda window, *_: nir.AvgPool2d(*np.array(window).T))
        graph = to_nir(snn)
    assert '"version": 2' in graph.metadata["snnlab"]
    assert any(isinstance(node, nir.AvgPool2d) for node in graph.nodes.values())
    assert_same(snn, read_nir(graph))


def test_an_oblong_average_stays_one() -> None:
    """NIR's convolutions have square kernels."""
    ann = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AvgPool2d((2, 3)), nn.Flatten(), nn.Linear(24, 10))
    snn = convert(ann, "max_norm", IMAGES, T)
    graph = to_nir(snn)
    assert isinstance(graph.nodes["2"], nir.AvgPool2d)
    assert_same(snn, read_nir(graph))


def test_it_is_read_in_units_of_its_thresholds() -> None:
    snn = converted("cnn", "qcfs")
    back = read_nir(to_nir(snn))
    assert list(back.sites) == list(snn.sites)
    for name, neuron in back.sites.items():
        assert float(neuron.threshold) == 1.0
        assert torch.allclose(neuron.v0, (snn.sites[name].v0 / snn.sites[name].threshold).double())
    assert "read from NIR, converted with qcfs" in back.summary()
    assert "conv1.act nir.IF -> IF(threshold=1, v0=0.5, reset='subtract')" in " ".join(back.summary().split())


def test_its_synaptic_operations_are_counted_alike() -> None:
    snn = converted("resnet", "per_channel")
    ours, theirs = energy.measure(snn, IMAGES, T), energy.measure(read_nir(to_nir(snn)), IMAGES, T)
    assert ours.sops == theirs.sops and ours.spikes == theirs.spikes
    assert [(n, layer.macs) for n, layer in ours.layers.items()] == [
        (n, x.macs) for n, x in theirs.layers.items()
    ]


def test_a_conversion_for_one_T_stays_for_one_T() -> None:
    graph = to_nir(converted("cnn", "per_channel"))
    with pytest.raises(ValueError, match="converted for T = 8 only; leave T out"):
        read_nir(graph, T=4)
    with pytest.raises(ValueError, match="converted for T = 8 only"):
        simulate(read_nir(graph), IMAGES, 4)


def test_it_cannot_be_compared_with_an_ann_by_mistake() -> None:
    with pytest.raises(ValueError, match="in units of its thresholds, which cannot be compared"):
        errors.anatomy(network("cnn"), read_nir(to_nir(converted())), IMAGES, T)


# --- another simulator -----------------------------------------------------------------------------------------------


def in_spikingjelly(
    path: Path, dtype: torch.dtype, *, told: bool, images: Tensor = IMAGES
) -> tuple[dict[str, Tensor], Tensor]:
    """What SpikingJelly makes of a file: each site's spike counts [N, ...], mean output.

    Args:
        told: of the metadata, which SpikingJelly does not read: the soft reset, and v0.
    """
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    model, counts = import_from_nir(path, dt=1.0, dtype=dtype), {}
    for name, node in nir.read(path).nodes.items():
        if isinstance(node, nir.IF):
            wrapped = model.get_submodule(name.replace(".", "_"))
            if told and node.metadata["reset"] == "subtract":
                wrapped.module.v_reset = None
            if told and "v0" in node.metadata:
                v0 = torch.from_numpy(node.metadata["v0"]).to(dtype)
                wrapped.module.v = v0.expand(len(images), *v0.shape)

            def count(_: Any, __: Any, output: Any, name: str = name) -> None:
                counts[name] = counts.get(name, 0) + output[0]

            wrapped.register_forward_hook(count)
    total, state = torch.zeros(()), None
    with torch.no_grad():
        for _ in range(T):
            output, state = model(images.to(dtype), state)
            total = total + output.double()
    return counts, total / T


@pytest.mark.parametrize("kind", ["cnn", "resnet"])
@pytest.mark.parametrize("method", ["max_norm", "qcfs", "per_channel"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_spikingjelly_counts_the_same_spikes(
    kind: str, method: str, dtype: torch.dtype, tmp_path: Path
) -> None:
    """Neuron by neuron, in every layer; its readout differs by no more than its own rounding."""
    snn = converted(kind, method)
    write_nir(snn, tmp_path / "net.nir")
    counts, logits = in_spikingjelly(tmp_path / "net.nir", dtype, told=True)
    for name, sent in spikes(snn).items():
        assert sent.sum() > 0 and torch.equal(counts[name].double(), sent.round().sum(0)), name
    ours = simulate(snn, IMAGES, T).logits
    assert torch.allclose(logits, ours, rtol=0, atol=2e-6 * float(ours.abs().amax()))


@pytest.mark.parametrize("kind", ["cnn", "resnet"])
def test_spikingjelly_need_not_be_told_of_a_reset_to_zero(kind: str, tmp_path: Path) -> None:
    snn = converted(kind, "hard_reset")
    write_nir(snn, tmp_path / "net.nir")
    counts, _ = in_spikingjelly(tmp_path / "net.nir", torch.float64, told=False)
    assert all(torch.equal(counts[name], sent.round().sum(0)) for name, sent in spikes(snn).items())


def test_a_reader_that_resets_to_zero_counts_other_spikes(tmp_path: Path) -> None:
    snn = converted()
    write_nir(snn, tmp_path / "net.nir")
    counts, _ = in_spikingjelly(tmp_path / "net.nir", torch.float64, told=False)
    assert any(not torch.equal(counts[name], sent.round().sum(0)) for name, sent in spikes(snn).items())


# --- files that others wrote -----------------------------------------------------------------------------------------


def test_what_spikingjelly_wrote_sends_the_same_spikes_here(tmp_path: Path) -> None:
    from spikingjelly.activation_based import functional, layer, neuron
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    torch.manual_seed(0)
    theirs = nn.Sequential(
        layer.Conv2d(1, 4, 3, padding=1), neuron.IFNode(), layer.AvgPool2d(2, 2), layer.Flatten(),
        layer.Linear(64, 20), neuron.IFNode(v_threshold=0.5), layer.Linear(20, 10, bias=False),
    )  # fmt: skip
    for parameter in theirs.parameters():  # dyadic, so that float32 rounds nothing
        parameter.data = (parameter.data * 256).round() / 64
    export_to_nir(theirs, IMAGES[:1], save_path=tmp_path / "theirs.nir")
    run = simulate(read_nir(tmp_path / "theirs.nir", T=T, dt=1e-4), IMAGES)
    functional.reset_net(theirs)
    with torch.no_grad():
        logits = torch.stack([theirs(IMAGES) for _ in range(T)]).double().mean(0)
    assert torch.equal(run.logits, logits) and min(run.firing_rate.values()) > 0


def others(**change: Any) -> nir.NIRGraph:
    """A network such as another program might write; nodes given by name are put in place of its own, None left out."""
    generator = np.random.default_rng(0)

    def weights(*shape: int) -> Any:
        return (generator.integers(-64, 65, shape) / 32).astype(np.float32)

    full, steps = np.ones((3, 4, 4)), np.array([0.5, 1.0, 2.0])[:, None, None]
    nodes: dict[str, Any] = {
        "in": nir.Input({"input": np.array([1, 8, 8])}),
        "conv": nir.Conv2d((8, 8), weights(3, 1, 3, 3), 2, 1, 1, 1, weights(3)),
        "act": nir.IF(2 * full, steps * full, 0 * full),
        "scale": nir.Scale(0.25 * full),
        "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flat": nir.Flatten({"input": np.array([3, 2, 2])}, 0, -1),
        "fc": nir.Linear(weights(10, 12)),
        "out": nir.Output({"output": np.array([10])}),
    }
    nodes |= change
    names = [name for name in nodes if nodes[name] is not None]
    return nir.NIRGraph({name: nodes[name] for name in names}, list(pairwise(names)), type_check=False)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_channels_may_have_thresholds_and_resistances_of_their_own(reset: Any) -> None:
    graph = others()
    run = simulate(read_nir(graph, T=T, reset=reset), IMAGES)
    conv, fc = graph.nodes["conv"], graph.nodes["fc"]
    current = 2 * F.conv2d(IMAGES, torch.tensor(conv.weight), torch.tensor(conv.bias), 2, 1)
    theta, v, total = torch.tensor([0.5, 1.0, 2.0])[:, None, None], torch.zeros(()), torch.zeros(())
    for _ in range(T):
        v = v + current
        spike = (v >= theta).float()
        v = v - theta * spike if reset == "subtract" else v * (1 - spike)
        pooled = F.avg_pool2d(0.25 * spike, 2) * 4
        total = total + pooled.flatten(1) @ torch.tensor(fc.weight).T
    assert torch.equal(run.logits, (total / T).double())


def test_anothers_network_gives_the_same_bits_in_any_chunk_and_precision() -> None:
    snn = read_nir(others(), T=T)
    run = simulate(snn, IMAGES)
    assert torch.equal(run.logits, simulate(snn, IMAGES, chunk=3).logits)
    assert torch.equal(run.logits, simulate(snn, IMAGES, dtype=torch.float64).logits)
