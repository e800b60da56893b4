"""The anatomy adds up, agrees with what the simulator does and with a plain loop, and finds planted losses."""

import copy
import math
from dataclasses import replace

import matplotlib as mpl
import pytest
import torch
from torch import Tensor, nn

from snnlab import CATALOGUE, Method, convert, datasets, networks, plots, simulate, training
from snnlab.converters.choices.potentials import half, zero
from snnlab.converters.choices.thresholds import largest, percentile
from snnlab.neurons import IF, BurstIF, HardResetCaLIF
from snnlab.simulators import errors
from snnlab.simulators.errors import PARTS, Parts, anatomy, parts

mpl.use("agg")

DATA = datasets.load("digits")
FEW = DATA.test[:40]


def network(name: str, activation: type[nn.Module], trained: bool) -> nn.Module:
    ann = {"cnn": networks.cnn, "resnet": networks.resnet}[name](activation)
    return training.fit(ann, DATA.train[:400], epochs=2) if trained else ann.eval()


def adds_up(part: Parts) -> float:
    whole = sum(getattr(part, name) for name in PARTS)
    return float((whole - (part.output - part.activation)).abs().max())  # type: ignore[operator]


@pytest.mark.parametrize("T", [1, 2, 7, 32])
@pytest.mark.parametrize("trained", [True, False], ids=["trained", "random"])
@pytest.mark.parametrize("name", ["cnn", "resnet"])
@pytest.mark.parametrize("method", ["max_norm", "opi", "qcfs", "snm", "calibration_light", "cos"])
def test_the_parts_add_up_for_every_neuron(method: str, name: str, trained: bool, T: int) -> None:
    ann = network(name, CATALOGUE[method].activation, trained)
    snn = convert(ann, method, DATA.calibration[:64], T, progress=False)
    found = parts(ann, snn, FEW.images[:10], T)
    assert list(found) == list(snn.sites)
    assert max(map(adds_up, found.values())) < 1e-12
    whole = anatomy(ann, snn, FEW, T)
    for layer in whole.layers.values():
        assert abs(sum(layer.means.values()) - (layer.output - layer.activation)) < 1e-12
        assert sum(layer.shares.values()) == pytest.approx(1, abs=1e-9) or layer.distance == 0


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("method", ["robust_norm", "signed_calibrated", "rmpe_lmpc"])
def test_it_sees_what_the_simulator_does(method: str, exact: bool) -> None:
    ann = network("resnet", CATALOGUE[method].activation, True)
    snn = convert(ann, method, DATA.calibration[:64], 8, exact=exact, progress=False)
    run = simulate(snn, FEW.images, 8, record=list(snn.sites))
    found = parts(ann, snn, FEW.images, 8)
    for name, trace in run.traces.items():
        agree = torch.isclose(found[name].output, trace.output.double().mean(0), atol=1e-6)
        same_v = torch.isclose(found[name].v, trace.v[-1].double(), atol=1e-5)
        assert agree.double().mean() > (0.999999 if exact else 0.99)
        assert (same_v | ~agree).double().mean() > 0.99
    whole = anatomy(ann, snn, FEW, 8)
    rates = {name: layer.firing_rate for name, layer in whole.layers.items()}
    assert rates == pytest.approx(run.firing_rate, rel=1e-6 if exact else 1e-2)


def loop(theta: float, v: float, currents: list[float]) -> tuple[int, float]:
    """One IF neuron, a step at a time."""
    count = 0
    for z in currents:
        v += z
        if v >= theta:
            v, count = v - theta, count + 1
    return count, v


def test_a_plain_loop_finds_the_same_parts() -> None:
    """One hidden layer: its currents are known from the first layer's spikes, and all five parts by hand."""
    torch.manual_seed(1)
    ann = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 3)).eval()
    images, T = torch.rand(20, 6), 5
    corrected = copy.deepcopy(ann)
    corrected[2].bias.data += 0.02  # type: ignore[union-attr, operator]
    snn = convert(
        corrected, replace(CATALOGUE["opi"], threshold=percentile(90)), images, T, exact=False, progress=False
    )
    found, theta = parts(ann, snn, images, T)["3"], float(snn.sites["3"].threshold)
    first = simulate(snn, images, T, record=["1"]).traces["1"].output  # [T, N, 8]
    linear, hidden = corrected[2], ann[1](ann[0](images))
    currents = (first.double() @ linear.weight.double().T + linear.bias.double()).detach()  # type: ignore[union-attr, operator]
    seen: list[float] = []
    for n in range(20):
        for k in range(5):
            z = currents[:, n, k].tolist()
            mean = sum(z) / T
            count, v = loop(theta, theta / 2, z)
            even, _ = loop(theta, theta / 2, [mean] * T)
            a = max(0.0, float((hidden[n] @ linear.weight[k] + ann[2].bias[k]).detach()))  # type: ignore[union-attr, index, operator]
            fed, uncorrected = max(0.0, mean), max(0.0, mean - 0.02)
            expected = {
                "inherited": uncorrected - a,
                "corrections": fed - uncorrected,
                "clipping": min(fed, theta) - fed,
                "quantisation": theta * even / T - min(fed, theta),
                "unevenness": theta * (count - even) / T,
            }
            for name, value in expected.items():
                assert float(getattr(found, name)[n, k]) == pytest.approx(value, abs=1e-6), name
            assert bool(found.surplus[n, k]) == (v < 0 < count) and bool(found.missing[n, k]) == (
                v >= theta and count < T
            )
            assert bool(found.outside[n, k]) == (not 0 <= v < theta)
            seen += [name for name, value in expected.items() if abs(value) > 1e-3]
    assert set(seen) == set(PARTS), "the example is too tame to tell the parts apart"


@pytest.mark.parametrize("T", [1, 4, 8])
def test_qcfs_has_no_other_error_than_unevenness_where_steps_are_levels(T: int) -> None:
    ann = training.fit(
        networks.cnn(lambda: CATALOGUE["qcfs"].activation(levels=T)), DATA.train[:400], epochs=2
    )
    snn = convert(ann, "qcfs", DATA.calibration, T, progress=False)
    for layer in anatomy(ann, snn, FEW, T).layers.values():
        assert layer.sizes["clipping"] < 1e-6 and layer.sizes["quantisation"] < 1e-3
    first = parts(ann, snn, FEW.images, T)["conv1.act"]
    assert not first.unevenness.any() and not (first.missing | first.surplus).any() and first.outside.any()


def test_wrong_neurons_are_those_whose_count_even_input_would_change() -> None:
    """For IF with 0 <= v0 < theta: v[T] and the count tell it, without the input."""
    ann = network("resnet", nn.ReLU, True)
    for T in (3, 8, 16):
        snn = convert(ann, "opi", DATA.calibration[:64], T, progress=False)
        for part in parts(ann, snn, FEW.images, T).values():
            uneven = part.unevenness.abs() > 1e-9
            assert (uneven == (part.missing | part.surplus)).double().mean() > 0.9999
            assert int((part.unevenness[part.missing] >= 0).sum()) <= 2
            assert bool((part.outside | ~(part.missing | part.surplus)).all())


def own(threshold: object = largest, v0: object = half, neuron: object = IF) -> Method:
    return Method("own", "own", "nobody", 2026, threshold=threshold, v0=v0, neuron=neuron)  # type: ignore[arg-type]


def test_what_calibration_changed_is_not_inherited() -> None:
    """The first layer inherits nothing from an image; uncorrected layers have no corrections."""
    for method, corrected in (("opi", False), ("calibration_light", True), ("opt_shift", True)):
        ann = network("cnn", CATALOGUE[method].activation, True)
        found = anatomy(ann, convert(ann, method, DATA.calibration[:64], 8, progress=False), FEW, 8)
        assert found.layers["conv1.act"].sizes["inherited"] == 0, method
        changed = max(layer.sizes["corrections"] / layer.activation for layer in found.layers.values())
        assert (changed > 0.01) == corrected and (changed < 1e-4) == (not corrected), (method, changed)
        assert ("corrections" in found.causes) == corrected


def test_planted_losses_are_found_where_they_were_planted() -> None:
    ann = network("cnn", nn.ReLU, True)
    clipping = anatomy(ann, convert(ann, own(percentile(60)), DATA.calibration, 32, progress=False), FEW, 32)
    rounding = anatomy(ann, convert(ann, own(largest, zero), DATA.calibration, 4, progress=False), FEW, 4)
    first = clipping.layers["conv1.act"].shares
    assert max(first, key=first.__getitem__) == "clipping"
    assert rounding.layers["conv1.act"].shares["quantisation"] > 0.99
    assert "quantisation" in rounding.summary() and "'" in rounding.summary()
    broken = convert(ann, own(percentile(99.9)), DATA.calibration, 32, exact=False, progress=False)
    with torch.no_grad():
        broken.sites["conv2.act"].v0.fill_(-1e3)  # a layer that never fires
    losses = anatomy(ann, broken, FEW, 32).losses()
    assert max(losses, key=losses.__getitem__) == "conv2.act" and losses["conv2.act"] > 0.5


def test_bursts_are_clipped_higher_and_other_neurons_add_up_too() -> None:
    ann = network("cnn", nn.ReLU, True)
    low = own(percentile(80))
    single = anatomy(ann, convert(ann, low, DATA.calibration, 16, progress=False), FEW, 16)
    burst = anatomy(
        ann, convert(ann, replace(low, neuron=BurstIF), DATA.calibration, 16, progress=False), FEW, 16
    )
    assert burst.layers["conv1.act"].sizes["clipping"] < 0.05 * single.layers["conv1.act"].sizes["clipping"]
    strange = convert(ann, own(neuron=HardResetCaLIF), DATA.calibration, 7, progress=False)
    assert max(map(adds_up, parts(ann, strange, FEW.images, 7).values())) < 1e-12


def test_with_all_layers_spiking_the_accuracy_is_the_networks_own() -> None:
    ann = network("resnet", nn.ReLU, True)
    for method in ("max_norm", "opi", "snm"):
        snn = convert(ann, method, DATA.calibration, 8, progress=False)
        found = anatomy(ann, snn, FEW, 8)
        last = list(found.layers.values())[-1].accuracy
        assert found.ann_accuracy == pytest.approx(training.accuracy(ann, FEW))
        assert last == pytest.approx(float(simulate(snn, FEW, 8).accuracy(FEW)[-1]), abs=1 / 40 + 1e-9)
        assert sum(found.losses().values()) == pytest.approx(found.ann_accuracy - (last or 0.0))


def test_words_and_pictures() -> None:
    ann = network("cnn", nn.ReLU, True)
    snn = convert(ann, "max_norm", DATA.calibration, 4, progress=False)
    found, unlabelled = anatomy(ann, snn, FEW), anatomy(ann, snn, FEW.images)
    assert found.T == 4 and "loses most" in found.summary() and "differs most" in unlabelled.summary()
    assert len(found.table().splitlines()) == 4 and "accuracy" in found.table()
    with pytest.raises(ValueError, match="hand in a Split"):
        unlabelled.losses()
    assert len(plots.anatomy(found).axes) == 2 and len(plots.anatomy(unlabelled).axes) == 1
    bars = [bar for bar in plots.anatomy_chart(found).data if bar.type == "bar"]
    assert [bar.name for bar in bars] == list(found.causes) and "corrections" not in found.causes
    assert len(plots.anatomy_chart(unlabelled).data) == len(unlabelled.causes)
    heights = [sum(bar.y[k] for bar in bars) for k in range(3)]
    left_out = [
        sum(v for k, v in layer.shares.items() if k not in found.causes) for layer in found.layers.values()
    ]
    whole = [100 * layer.distance / layer.activation for layer in found.layers.values()]
    assert heights == pytest.approx([height * (1 - out) for height, out in zip(whole, left_out, strict=True)])


def test_parts_that_would_fill_the_memory_are_refused_before_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = datasets.load("digits")
    ann = network("cnn", nn.ReLU, trained=False)
    snn = convert(ann, "opi", data.calibration[:16], 4)
    monkeypatch.setattr("snnlab.neurons.settings.memory", lambda: 2e7)
    assert parts(ann, snn, data.test[:2], 4)
    monkeypatch.setattr(errors, "_Dissection", None)
    with pytest.raises(ValueError, match=r"^the parts of 300 images would take some .* with T = 4, .*fewer"):
        parts(ann, snn, data.test[:300], 4)


def test_bad_input_is_named() -> None:
    ann = network("cnn", nn.ReLU, False)
    snn = convert(ann, "calibration_light", DATA.calibration[:32], 4, progress=False)
    wrong: list[tuple[Tensor | object, object, str]] = [
        (FEW, 0, "T = 0"),
        (FEW, 2.5, "T = 2.5"),
        (FEW, 8, "converted for T = 4 only"),
        (FEW.images[:0], 4, "N of 1 or more"),
        ("images", 4, "images come as a tensor"),
    ]
    for data, T, said in wrong:
        with pytest.raises(ValueError, match=said):
            anatomy(ann, snn, data, T)  # type: ignore[arg-type]
    assert math.isfinite(errors.anatomy(ann, snn, FEW.images[:1]).layers["conv1.act"].distance)
