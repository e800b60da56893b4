"""What lesson 03 shows: two networks side by side, and the shortcut that it warns of."""

import pytest
import torch
from torch import nn

import snnlab
from snnlab import datasets, networks, training
from snnlab.course import naive
from snnlab.course.comparison import compare
from snnlab.neurons import IF

DATA = datasets.load("digits")


@pytest.fixture(scope="module")
def ann() -> nn.Module:
    return training.fit(networks.cnn(), DATA.train, epochs=3)


def test_at_large_T_rate_and_activation_agree_layer_after_layer(ann: nn.Module) -> None:
    layers = compare(ann, snnlab.convert(ann, "opi", DATA.calibration, 256), DATA.test.images[:4], 256)
    assert list(layers) == ["conv1.act", "conv2.act", "fc1.act"]
    assert all(layer.error < 0.05 and layer.silent < 0.05 for layer in layers.values())


def test_spellings_compute_the_same_function_with_the_same_weights() -> None:
    outputs = [naive.residual(s).eval()(DATA.test.images[:8]) for s in ("separate", "reused", "functional")]
    assert torch.equal(outputs[0], outputs[1]) and torch.equal(outputs[0], outputs[2])


def test_the_shortcut_gives_one_neuron_a_module_not_one_a_use() -> None:
    swapped = {
        s: naive.swap(naive.residual(s), DATA.test.images[:8]) for s in ("separate", "reused", "functional")
    }
    neurons = {s: sum(isinstance(m, IF) for m in network.modules()) for s, network in swapped.items()}
    assert neurons == {"separate": 5, "reused": 3, "functional": 3}


def test_the_shortcut_starts_each_run_from_empty_memories() -> None:
    swapped = naive.swap(naive.residual("reused"), DATA.test.images[:8])
    first = naive.run(swapped, DATA.test.images[:8], 4)
    assert torch.equal(first, naive.run(swapped, DATA.test.images[:8], 4))
