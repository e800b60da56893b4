"""Synaptic operations against a brute-force count over every synapse; energies against the formulas."""

import pytest
import torch
from torch import Tensor, nn

from snnlab import Method, convert, datasets, networks, simulate
from snnlab.converters.choices.potentials import half
from snnlab.converters.choices.thresholds import percentile
from snnlab.neurons import BurstIF, OffsetSpikeIF, ZeroThresholdIF
from snnlab.simulators import energy
from snnlab.simulators.energy import FLOAT32, INT8, Energy, Layer, Technology, measure

DATA = datasets.load("digits")


def own(**choices: object) -> Method:
    return Method("own", "own", "nobody", 2026, threshold=percentile(99), v0=half, **choices)  # type: ignore[arg-type]


def synapses(layer: nn.Module, shape: tuple[int, ...]) -> Tensor:
    """How many outputs each input of shape [...] reaches: one input at a time."""
    reached = torch.zeros(shape)
    for place in range(reached.numel()):
        one = torch.zeros(reached.numel())
        one[place] = 1.0
        weightless = {
            name: torch.ones_like(p) if name == "weight" else torch.zeros_like(p)
            for name, p in layer.named_parameters()
        }
        reached.view(-1)[place] = torch.func.functional_call(
            layer, weightless, one.view(1, *shape)
        ).count_nonzero()
    return reached


@pytest.mark.parametrize(
    "second",
    [
        nn.Conv2d(2, 3, 3, padding=1),
        nn.Conv2d(2, 4, 3, stride=2, padding=1),
        nn.Conv2d(2, 4, 2, groups=2),
        nn.Conv2d(2, 3, 3, dilation=2, padding=2, bias=False),
    ],
    ids=str,
)
def test_every_synapse_is_counted_once_for_each_spike(second: nn.Module) -> None:
    torch.manual_seed(0)
    ann = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), second, nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)
    )
    images, T = torch.rand(4, 1, 5, 5), 6
    ann(images)
    snn = convert(ann.eval(), own(), images, T, progress=False)
    outputs = simulate(snn, images, T, record=["1", "3"]).traces
    first = (outputs["1"].output != 0).sum(0).float()  # [N, 2, 5, 5]
    last = (outputs["3"].output != 0).sum(0).float()
    found = measure(snn, images, T)
    expected = float((first * synapses(second, (2, 5, 5))).sum()) / 4
    assert found.layers["2"] == Layer(found.layers["2"].macs, 0, 0, pytest.approx(expected))
    assert found.layers["5"].sops == pytest.approx(float(last.sum()) * 3 / 4)
    assert found.layers["0"] == Layer(2 * 25 * 9, 2 * 25 * 9, 0, 0.0)
    assert found.spikes["1"] == pytest.approx(float(first.sum()) / 4) and found.neurons["1"] == 50
    shape = second(torch.zeros(1, 2, 5, 5)).shape
    assert found.layers["2"].macs == shape.numel() * second.weight[0].numel()  # type: ignore[operator, index, union-attr]


def test_a_spike_goes_through_a_pool_to_every_synapse_behind_it() -> None:
    torch.manual_seed(0)
    pools = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(2 * 4, 5))
    ann = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), *pools).eval()
    images = torch.rand(3, 1, 4, 4)
    snn = convert(ann, own(), images, 4, progress=False)
    found = measure(snn, images)
    assert found.layers["4"].sops == pytest.approx(5 * found.spikes["1"])
    adaptive = networks.resnet().eval()
    found = measure(convert(adaptive, own(), DATA.calibration[:32], 4, progress=False), DATA.test[:8])
    assert found.layers["fc"].sops == pytest.approx(10 * found.spikes["blocks.2.act"])


def test_a_layer_behind_a_layer_computes_with_currents_in_every_step() -> None:
    ann = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5), nn.Linear(5, 3)).eval()
    images = torch.rand(8, 4)
    found = measure(convert(ann, own(), images, 3, progress=False), images)
    assert [layer.fed_by for layer in found.layers.values()] == ["image", "spikes", "currents"]
    only = Technology(1000.0, 0.0)
    assert found.snn(only) == 4 * 6 + 3 * 5 * 3 and found.snn(only, image_once=False) == 3 * (4 * 6 + 5 * 3)


def test_spikes_taken_back_bursts_and_runs_ahead_are_counted() -> None:
    ann = networks.cnn().eval()
    plain = measure(convert(ann, own(), DATA.calibration[:32], 8, progress=False), DATA.test[:8])
    signed = convert(ann, own(neuron=ZeroThresholdIF), DATA.calibration[:32], 8, progress=False)
    run = simulate(signed, DATA.test[:8], 8, record=["conv2.act"])
    sent = run.traces["conv2.act"].output
    assert (sent < 0).any()
    found = measure(signed, DATA.test[:8])
    assert found.spikes["conv2.act"] == pytest.approx(float((sent != 0).sum()) / 8)
    burst = convert(ann, own(neuron=BurstIF), DATA.calibration[:32], 8, progress=False)
    assert measure(burst, DATA.test[:8]).rate <= 1.0
    ahead = measure(
        convert(ann, own(neuron=OffsetSpikeIF, depends_on_T=True), DATA.calibration[:32], 8, progress=False),
        DATA.test[:8],
    )
    assert (
        ahead.runs == 2
        and ahead.sops == 2 * sum(layer.sops for layer in ahead.layers.values())
        and plain.runs == 1
    )


MADE = Energy(4, {"a": Layer(1000, 1000, 0, 0.0), "b": Layer(2000, 0, 0, 1500.0)}, {"x": 40.0}, {"x": 100})


def test_energies_are_the_formulas_with_their_figures() -> None:
    assert MADE.macs == 3000 and MADE.sops == 1500 and MADE.rate == 0.1
    assert MADE.ann() == pytest.approx(4.6 * 3) and MADE.ann(INT8) == pytest.approx(0.23 * 3)
    assert MADE.snn() == pytest.approx(4.6 + 0.9 * 1.5) and MADE.snn(image_once=False) == pytest.approx(
        4 * 4.6 + 1.35
    )
    a, b, c = 3000, 2500, 1000  # equation 18: operations of the ANN, of the SNN, of its first layer
    assert MADE.ratio() == pytest.approx((c * 4.6 + (b - c) * 0.9) / (a * 4.6))


@pytest.mark.parametrize("technology", [FLOAT32, INT8])
def test_at_the_break_even_rate_both_cost_the_same(technology: Technology) -> None:
    rate = MADE.break_even(technology)
    grown = {"a": MADE.layers["a"], "b": Layer(2000, 0, 0, 1500.0 * rate / 0.1)}
    there = Energy(4, grown, {"x": 400 * rate}, {"x": 100})
    assert there.rate == pytest.approx(rate) and there.ratio(technology) == pytest.approx(1)
    assert MADE.break_even(image_once=False) < 0 < MADE.break_even()


def test_bad_input_is_named_and_the_caveat_is_there() -> None:
    snn = convert(networks.cnn().eval(), own(), DATA.calibration[:32], 4, progress=False)
    for data, T, said in (
        (DATA.test[:0], 4, "N of 1 or more"),
        (DATA.test, 0, "T = 0"),
        (DATA.test, 1.5, "T = 1.5"),
    ):
        with pytest.raises(ValueError, match=said):
            measure(snn, data, T)  # type: ignore[arg-type]
    assert "memory" in energy.CAVEAT
