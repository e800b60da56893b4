"""NIR files that Norse writes: IAF neurons send the same spikes here, leaky ones are refused by name."""

from typing import Any

import pytest
import torch
from torch import nn

from snnlab import simulate
from snnlab.exchange import read_nir

norse = pytest.importorskip("norse.torch", reason="norse is of the extra bench")
export = pytest.importorskip("norse.torch.utils.export_nir")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
T = 6


def written(neuron: nn.Module) -> tuple[nn.Module, Any]:
    torch.manual_seed(0)
    net = norse.SequentialState(nn.Linear(8, 12), neuron, nn.Linear(12, 3))
    for parameter in net.parameters():  # dyadic, so that float32 rounds nothing
        parameter.data = (parameter.data * 64).round() / 16
    return net, export.to_nir(net, torch.zeros(1, 8))


def test_what_norse_wrote_sends_the_same_spikes_here() -> None:
    net, graph = written(norse.IAFCell())
    images = (64 * torch.rand(5, 8)).round() / 64
    run = simulate(read_nir(graph, T=T), images[:, None])  # Norse writes the batch as an axis of one image
    state, total = None, torch.zeros(())
    with torch.no_grad():
        for _ in range(T):
            output, state = net(images, state)
            total = total + output.double()
    assert min(run.firing_rate.values()) > 0.1 and torch.equal(run.logits[:, 0], total / T)


def test_its_leaky_neurons_are_refused_by_name() -> None:
    _, graph = written(norse.LIFBoxCell())
    with pytest.raises(ValueError, match=r"node '1' is nir\.LIF: this kit reads Input, Output, IF"):
        read_nir(graph, T=T)
