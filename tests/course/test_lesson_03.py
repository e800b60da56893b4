"""What lesson 03 shows: sliders that convert anew, two networks side by side, and the shortcut that it warns of."""

import pytest
import torch
from torch import nn

import snnlab
from snnlab import datasets, networks, training
from snnlab.activations import QCFS
from snnlab.course import naive
from snnlab.course.comparison import compare
from snnlab.explorers.conversion import ConversionExplorer, tuned
from snnlab.neurons import IF

DATA = datasets.load("digits")


@pytest.fixture(scope="module")
def ann() -> nn.Module:
    return training.fit(networks.cnn(), DATA.train, epochs=3)


@pytest.fixture(scope="module")
def explorer(ann: nn.Module) -> ConversionExplorer:
    anns = {name: networks.cnn(QCFS) if name == "qcfs" else ann for name in snnlab.CATALOGUE}
    return ConversionExplorer(anns, DATA, T=16, images=40)


def test_a_method_brings_its_own_start(explorer: ConversionExplorer) -> None:
    explorer.scale.value = 0.5
    explorer.method.value = "opi"
    assert (explorer.scale.value, explorer.share.value) == (1.0, 0.5)
    explorer.method.value = "max_norm"
    assert (explorer.scale.value, explorer.share.value) == (1.0, 0.0)


def test_the_sliders_convert_anew_and_the_picture_follows(explorer: ConversionExplorer) -> None:
    explorer.method.value = "max_norm"
    before, picture = explorer.snn.sites["conv1.act"], explorer.picture.value
    explorer.scale.value, explorer.share.value = 0.25, 0.5
    after = explorer.snn.sites["conv1.act"]
    assert after.threshold == 0.25 * before.threshold
    assert after.v0 == 0.5 * after.threshold
    assert explorer.picture.value != picture


def test_T_moves_the_mark_without_a_conversion(explorer: ConversionExplorer) -> None:
    snn, picture = explorer.snn, explorer.picture.value
    explorer.T.value = 9
    assert explorer.snn is snn
    assert explorer.picture.value != picture
    assert "<b>9</b> steps" in explorer.says.value


def test_the_menu_shows_the_image_as_spikes_without_a_conversion_and_says_so(
    explorer: ConversionExplorer,
) -> None:
    explorer.method.value = "opi"
    snn, steady, picture = explorer.snn, explorer.accuracy, explorer.picture.value
    assert "the same current in every step" in explorer.says.value
    explorer.coding.value = "Poisson spikes"
    expected = snnlab.simulate(snn, DATA.test[:40], 16, coding="poisson").accuracy(DATA.test[:40])
    assert explorer.snn is snn and torch.equal(explorer.accuracy, expected)
    assert explorer.picture.value != picture and "spikes drawn at random" in explorer.says.value
    explorer.coding.value = "constant current"
    assert torch.equal(explorer.accuracy, steady)


def test_what_it_shows_is_what_convert_and_simulate_give(
    explorer: ConversionExplorer, ann: nn.Module
) -> None:
    explorer.method.value = "opi"
    snn = snnlab.convert(ann, "opi", DATA.calibration, 16)
    assert torch.equal(explorer.accuracy, snnlab.simulate(snn, DATA.test[:40], 16).accuracy(DATA.test[:40]))


def test_thresholds_are_not_scaled_by_nothing() -> None:
    with pytest.raises(ValueError, match="scale = 0"):
        tuned("opi", scale=0)


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
