"""ONNX: what onnxruntime computes are the logits of `simulate`, bit for bit, with ONNX's own operators alone."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from snnlab import CATALOGUE, SNN, Method, convert, datasets, exchange, networks, simulate
from snnlab.converters.choices.potentials import half
from snnlab.converters.choices.thresholds import largest_per_neuron
from snnlab.exchange import to_onnx, write_onnx
from snnlab.neurons import IF, LIF, STBIF, BurstIF, CaLIF, HardResetCaLIF

T = 5
DIGITS = datasets.load("digits")
IMAGES = DIGITS.test.images[:9]
PLAIN = {
    "Add", "Cast", "Concat", "Conv", "Div", "Gather", "Greater", "GreaterOrEqual", "Identity", "Less", "LessOrEqual",
    "MatMul", "Mul", "Pad", "Reshape", "Round", "Slice", "Sub", "Transpose", "Where",
}  # fmt: skip


class Odd(nn.Module):
    """Padding by name, groups, stride, dilation, overlapping and odd windows, moves, a layer without a neuron."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, (2, 3), padding="same", dilation=(1, 2))
        self.conv2, self.conv3 = (
            nn.Conv2d(8, 8, 3, 2, 1, groups=4),
            nn.Conv2d(16, 4, 3, dilation=2, padding=2),
        )
        self.pool, self.fc1, self.fc2 = (
            nn.AvgPool2d(3, 1, 1),
            nn.Linear(36, 12),
            nn.Linear(12, 10, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.pool(self.conv1(x)))
        x = torch.relu(self.conv2(x))
        y = torch.nn.functional.pad(x.flip(1), (1, 0, 0, 1))[:, :, 1:, :4]
        x = torch.relu(self.conv3(torch.cat([x, 0.5 * y], 1)))
        x = torch.relu(self.fc1(x[:, :, :3, :3].transpose(1, 2).flatten(1)))
        return self.fc2(x) - 0.25 * x[:, :10]


def mlp(activation: Any = nn.ReLU) -> nn.Module:
    layers = (
        nn.Flatten(),
        nn.Linear(64, 32),
        activation(),
        nn.Linear(32, 24),
        activation(),
        nn.Linear(24, 10),
    )
    return nn.Sequential(*layers)


def network(kind: str, activation: Any = nn.ReLU) -> nn.Module:
    torch.manual_seed(3)
    builders = {"cnn": networks.cnn, "resnet": networks.resnet, "mlp": mlp}
    return Odd().eval() if kind == "odd" else builders[kind](activation).eval()


def own(neuron: Any, threshold: Any = None) -> Method:
    rule = {} if threshold is None else {"threshold": threshold}
    return Method("own", "", "", 2026, neuron=neuron, v0=half, **rule)


def in_onnxruntime(model: onnx.ModelProto, images: Tensor, threads: int = 1) -> Tensor:
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return torch.from_numpy(session.run(None, {"image": images.numpy()})[0])


def assert_same(snn: SNN, T: int | None = None, images: Tensor = IMAGES) -> None:
    run, model = simulate(snn, images, T), to_onnx(snn, T)
    assert max(run.firing_rate.values()) > 0, "nothing spikes, so nothing is compared"
    assert torch.equal(in_onnxruntime(model, images), run.logits)
    assert {node.op_type for node in model.graph.node} <= PLAIN
    assert {node.domain for node in model.graph.node} == {""}


@pytest.mark.parametrize("method", [name for name in CATALOGUE if name != "cos"])
@pytest.mark.parametrize("kind", ["mlp", "cnn", "resnet"])
def test_onnxruntime_gives_the_same_logits(kind: str, method: str) -> None:
    chosen = CATALOGUE[method]
    ann = network(kind, chosen.activation)
    for threshold in (module.threshold for module in ann.modules() if hasattr(module, "threshold")):
        threshold.data.fill_(0.5)  # an untrained one is so high that few spikes come through
    calibration = DIGITS.calibration[:16]
    assert_same(convert(ann, chosen, calibration, T, progress=False))


OWN = {
    "hard reset": own(partial(IF, reset="zero")),
    "leak": own(partial(LIF, leak=0.9)),
    "bursts": own(partial(BurstIF, max_spikes=3)),
    "cap": own(partial(STBIF, cap=2)),
    "calcium": own(partial(CaLIF, decay=0.5, leak=0.95)),
    "a threshold for each neuron": own(IF, largest_per_neuron),
}


@pytest.mark.parametrize("bits", [8, 15, 24])
@pytest.mark.parametrize("method", OWN)
def test_every_neuron_that_is_drawn_fires_as_it_does_here(method: str, bits: int) -> None:
    assert_same(convert(network("cnn"), OWN[method], DIGITS.calibration.images[:16], T, bits=bits))


@pytest.mark.parametrize("bits", [8, 15, 24])
@pytest.mark.parametrize("kind", ["odd", "resnet"])
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_every_layer_computes_the_same_on_every_grid(kind: str, bits: int) -> None:
    snn = convert(network(kind), "signed_calibrated", DIGITS.calibration.images[:16], T, bits=bits)
    assert_same(snn)
    assert_same(convert(network(kind), "opi", DIGITS.calibration.images[:16], T, bits=bits), 7)


def test_layers_along_one_axis_are_drawn_too() -> None:
    torch.manual_seed(0)
    ann = nn.Sequential(
        nn.Conv1d(2, 4, 3, 2, 1), nn.ReLU(), nn.Conv1d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 3)
    )
    images = torch.randn(8, 2, 8)
    assert_same(convert(ann, "opi", images, T), images=images)


def test_any_number_of_images_and_threads_gives_the_same_bits() -> None:
    model = to_onnx(convert(network("cnn"), "opi", DIGITS.calibration.images[:16], T))
    whole = in_onnxruntime(model, IMAGES, threads=2)
    assert torch.equal(torch.cat([in_onnxruntime(model, image[None]) for image in IMAGES]), whole)


def test_a_file_says_what_it_is_and_stands_whole(tmp_path: Path) -> None:
    snn = convert(network("mlp"), "opi", DIGITS.calibration.images[:16], T)
    write_onnx(snn, tmp_path / "new" / "net.onnx", 3)
    model = onnx.load(tmp_path / "new" / "net.onnx")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["net.onnx"]
    assert (model.opset_import[0].version, model.ir_version, model.producer_name) == (17, 8, "snnlab")
    about = json.loads(model.metadata_props[0].value)
    assert about == {"method": "opi", "T": 3, "bits": 24, "largest": float(snn.example.amax())}
    assert torch.equal(in_onnxruntime(model, IMAGES), simulate(snn, IMAGES, 3).logits)
    again = to_onnx(snn, 3)
    assert again.SerializeToString(deterministic=True) == model.SerializeToString(deterministic=True)


def test_another_potential_gives_other_bits() -> None:
    """What would be found: a neuron that begins a little higher."""
    snn = convert(network("cnn"), "opi", DIGITS.calibration.images[:16], T)
    before = simulate(snn, IMAGES).logits
    assert snn.grid is not None
    snn.grid.sites["fc1.act"].v0 += 0.25
    assert not torch.equal(in_onnxruntime(to_onnx(snn), IMAGES), before)


# --- what cannot be written -------------------------------------------------------------------------------------------


def refused(message: str, method: str | Method = "opi", T: int | None = None, **options: Any) -> None:
    chosen = CATALOGUE[method] if isinstance(method, str) else method
    snn = convert(network("cnn", chosen.activation), chosen, DIGITS.calibration.images[:16], 5, **options)
    with pytest.raises(ValueError, match=message):
        to_onnx(snn, T)


def test_a_neuron_that_looks_ahead_is_refused_by_name() -> None:
    refused("layer 'conv1.act' is OffsetSpikeIF, a neuron .*: convert with a method .*max_norm", "cos")


def test_a_neuron_of_another_rule_is_refused_by_name() -> None:
    class Own(IF):
        """Not the kit's."""

    refused("layer 'conv1.act' is Own", own(Own))
    refused("layer 'conv1.act' is HardResetCaLIF", own(HardResetCaLIF))


def test_a_network_without_a_grid_is_refused() -> None:
    refused("exact=False", exact=False)


def test_steps_that_the_conversion_was_not_made_for_are_refused() -> None:
    refused("T = 4, but method 'opt_shift' converted for T = 5 only", "opt_shift", 4)
    refused("T = 0, but it must be a whole number, 1 or more", T=0)
    refused("T = 1025, but", T=1025)


def test_a_layer_that_is_not_written_is_named() -> None:
    torch.manual_seed(0)
    ann = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.ConvTranspose2d(4, 2, 2, 2), nn.Flatten(), nn.Linear(288, 3)
    )
    snn = convert(ann, "opi", IMAGES, T)
    with pytest.raises(ValueError, match=r"layer '2' is ConvTranspose2d.*: it is not written"):
        to_onnx(snn)


def test_without_onnx_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("snnlab.exchange.onnx")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(exchange, "onnx", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"to_onnx needs the package onnx, .*pip install 'snnlab\[onnx\]'"):
        _ = exchange.to_onnx
