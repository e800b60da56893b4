"""Other simulators: what they make of this kit's NIR files, and that their own send the same spikes here."""

from functools import partial
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmarks import readers
from snnlab import Method, convert, datasets, simulate
from snnlab.exchange import read_nir, write_nir
from snnlab.neurons import IF

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
T = 6
DIGITS = datasets.load("digits")


# --- this kit's files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", readers.READERS, ids=lambda reader: str(reader[0]))
@pytest.mark.parametrize("kind", readers.NETWORKS)
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_a_reader_that_is_told_of_the_reset_gives_the_same_logits(
    reader: Any, kind: str, reset: str, tmp_path: Path
) -> None:
    """As the table of docs/exchange.md has it."""
    _, package, _, read = reader
    pytest.importorskip(package, reason=f"{package} is not installed (docs/exchange.md)")
    torch.manual_seed(0)
    method = Method("plain", "", "", 2026, neuron=partial(IF, reset=reset))
    snn = convert(readers.NETWORKS[kind](), method, DIGITS.calibration.images[:50], readers.T)
    write_nir(snn, tmp_path / "net.nir")
    images = DIGITS.test.images[:10]
    found = partial(read, tmp_path / "net.nir", images, reset)
    assert readers.judged(found, simulate(snn, images).logits) == "equal"


# --- theirs ----------------------------------------------------------------------------------------------------------


def dyadic(net: nn.Module) -> nn.Module:
    """So that float32 rounds nothing."""
    for parameter in net.parameters():
        parameter.data = (parameter.data * 64).round() / 16
    return net


def stepped(net: Any, images: Tensor, *, state: bool = False) -> Tensor:
    """The mean output of T steps."""
    kept, total = None, torch.zeros(())
    with torch.no_grad():
        for _ in range(T):
            output, kept = net(images, kept) if state else (net(images), None)
            total = total + output.double()
    return total / T


@pytest.mark.parametrize("leaky", [False, True])
def test_what_norse_wrote_sends_the_same_spikes_here(leaky: bool) -> None:
    """It writes the batch as an axis of one image, and tau dt-fold: of its dt = 1e-3 comes 1e-6 here."""
    norse = pytest.importorskip("norse.torch", reason="norse is not installed (docs/exchange.md)")
    export = pytest.importorskip("norse.torch.utils.export_nir")
    torch.manual_seed(0)
    lif = norse.LIFBoxParameters(tau_mem_inv=torch.tensor(500.0))
    neuron = norse.LIFBoxCell(lif) if leaky else norse.IAFCell()
    net: Any = dyadic(norse.SequentialState(nn.Linear(8, 12), neuron, nn.Linear(12, 3)))
    images = (64 * torch.rand(20, 8)).round() / 16
    graph = export.to_nir(net, torch.zeros(1, 8))
    run = simulate(read_nir(graph, T=T, dt=1e-6 if leaky else 1.0), images[:, None])
    assert min(run.firing_rate.values()) > 0.1
    assert torch.allclose(run.logits[:, 0], stepped(net, images, state=True), rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # its own, where tau is infinite
@pytest.mark.parametrize(("beta", "reset"), [(1.0, "subtract"), (1.0, "zero"), (0.9, "zero")])
def test_what_snntorch_wrote_sends_the_same_spikes_here(beta: float, reset: Any, tmp_path: Path) -> None:
    """With beta and thresholds in its neurons' shape, and the batch left out: else its own export fails."""
    snntorch = pytest.importorskip("snntorch")
    export = pytest.importorskip("snntorch.export_nir")

    def leaky(*shape: int) -> nn.Module:
        betas, thresholds = torch.full(shape, beta), torch.ones(shape)
        neuron: nn.Module = snntorch.Leaky(betas, thresholds, init_hidden=True, reset_mechanism=reset)
        return neuron

    torch.manual_seed(0)
    conv, act, pool = nn.Conv2d(1, 4, 3, padding=1), leaky(4, 8, 8), nn.AvgPool2d(2)
    net = nn.Sequential(conv, act, pool, nn.Flatten(), nn.Linear(64, 20), leaky(20), nn.Linear(20, 10))
    for parameter in net.parameters():
        parameter.data *= 2
    images = torch.rand(20, 1, 8, 8)
    nir.write(tmp_path / "theirs.nir", export.export_to_nir(net, images[:1], ignore_dims=[0]))
    run = simulate(read_nir(tmp_path / "theirs.nir", T=T, dt=1e-4, reset=reset), images)
    for module in net.modules():
        if isinstance(module, snntorch.Leaky):
            module.reset_mem()
    assert min(run.firing_rate.values()) > 0.01
    assert torch.allclose(run.logits, stepped(net, images), rtol=0, atol=2e-6)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_what_sinabs_wrote_sends_the_same_spikes_here(reset: Any) -> None:
    """With one spike a step at most, and no least potential, which are not its defaults."""
    layers = pytest.importorskip("sinabs.layers", reason="sinabs is not installed (docs/exchange.md)")
    export = pytest.importorskip("sinabs.nir")
    activation = pytest.importorskip("sinabs.activation")
    after = activation.MembraneSubtract() if reset == "subtract" else activation.MembraneReset()
    iaf = partial(layers.IAFSqueeze, num_timesteps=T, spike_fn=activation.SingleSpike, reset_fn=after)
    torch.manual_seed(0)
    conv, pool, flat = nn.Conv2d(1, 4, 3, padding=1), layers.SumPool2d(2), nn.Flatten()
    net = dyadic(nn.Sequential(conv, iaf(), pool, flat, nn.Linear(64, 20), iaf(), nn.Linear(20, 10)))
    images = (64 * torch.rand(20, 1, 8, 8)).round() / 64
    steps = images.repeat_interleave(T, 0)
    graph = export.to_nir(net, steps)
    for module in net.modules():
        if isinstance(module, layers.IAFSqueeze):
            module.reset_states()
    run = simulate(read_nir(graph, T=T, reset=reset), images)
    with torch.no_grad():
        wanted = net(steps).unflatten(0, (-1, T)).double().mean(1)
    assert min(run.firing_rate.values()) > 0.05 and torch.equal(run.logits, wanted)


# --- neurons with a leak, as Lava-style graphs have them -------------------------------------------------------------

FULL = np.ones(12)
CUBA: dict[str, Any] = {"tau_syn": 0.5 * FULL, "tau_mem": 2.0 * FULL, "r": 4 * FULL, "v_leak": 0 * FULL}
LEAKY: dict[str, tuple[nir.NIRNode, float, float]] = {  # node, leak and gain of a step of 0.5
    "LIF": (nir.LIF(tau=2.0 * FULL, r=8 * FULL, v_leak=0 * FULL, v_threshold=2 * FULL), 0.75, 2.0),
    "CubaLIF": (nir.CubaLIF(**CUBA, v_threshold=2 * FULL, w_in=np.array(3.0)), 0.75, 3.0),
    "without a leak": (nir.LIF(np.inf * FULL, np.inf * FULL, 0 * FULL, 2 * FULL), 1.0, 1.0),
}


def graph_of(neuron: nir.NIRNode) -> nir.NIRGraph:
    weight = np.random.default_rng(0).integers(-16, 33, (12, 8)) / 16
    return nir.NIRGraph.from_list(
        nir.Affine(weight.astype(np.float32), np.zeros(12, np.float32)), neuron, nir.Linear(np.eye(12))
    )


@pytest.mark.parametrize("kind", LEAKY)
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_a_leaky_neuron_takes_a_step_of_eulers(kind: str, reset: Any, tmp_path: Path) -> None:
    node, leak, gain = LEAKY[kind]
    graph = graph_of(node)
    nir.write(tmp_path / "leaky.nir", graph)
    images = (16 * torch.rand(20, 8)).round() / 16
    run = simulate(read_nir(tmp_path / "leaky.nir", T=T, dt=0.5, reset=reset), images)
    current = gain * images.double() @ torch.tensor(graph.nodes["affine"].weight).double().T
    v, total = torch.zeros(()), torch.zeros(())
    for _ in range(T):
        v = leak * v + current
        spike = (v >= 2).double()
        v, total = v - 2 * spike if reset == "subtract" else v * (1 - spike), total + spike
    assert 0.1 < float(total.mean()) / T < 0.9 and torch.equal(run.logits, total / T)


@pytest.mark.parametrize(
    ("node", "dt", "message"),
    [
        (
            LEAKY["CubaLIF"][0],
            0.25,
            r"nir\.CubaLIF: its current outlasts a step.*tau_syn = dt \(here 0\.25\)",
        ),
        (LEAKY["LIF"][0], 4.0, r"nir\.LIF: tau must be .* at least dt = 4, .*hand in the dt"),
        (nir.LIF(FULL.cumsum(), FULL, 0 * FULL, FULL), 0.5, r"nir\.LIF: tau must be one number for a layer"),
        (nir.LIF(FULL, FULL, FULL, FULL), 0.5, r"nir\.LIF: .* and v_leak 0; hand in"),
        (nir.CubaLI(**CUBA), 0.5, r"nir\.CubaLI: this kit reads .*sums up without a leak: take it out"),
        (nir.LI(FULL, FULL, 0 * FULL), 0.5, r"nir\.LI: this kit reads .*or make it a LIF"),
    ],
)
def test_a_leaky_neuron_that_means_something_else_is_named(
    node: nir.NIRNode, dt: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read_nir(graph_of(node), T=T, dt=dt)
