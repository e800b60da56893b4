"""Any network that a user brings: what it computes is what is converted."""

import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune

from snnlab import convert, simulate
from snnlab.converters.graph import trace, walk
from tests.converters.graph.small import HALF, Middle, Net, approaches, images, refusal

pytestmark = pytest.mark.usefixtures("one_thread")


# --- what a weight is


def weight_norm(layer: nn.Module) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # the old style is deprecated, and still in many networks
        nn.utils.weight_norm(layer)
    nn.init.uniform_(layer.weight_g, 0.5, 1.5)


def new_weight_norm(layer: nn.Module) -> None:
    parametrizations.weight_norm(layer)
    nn.init.uniform_(layer.parametrizations.weight.original0, 0.5, 1.5)


def spectral_norm(layer: nn.Module) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        nn.utils.spectral_norm(layer)


class Squared(nn.Module):
    """A parametrisation of one's own."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight * weight.abs()


WEIGHTS: dict[str, Callable[[nn.Module], Any]] = {
    "weight_norm": weight_norm,
    "weight_norm, new style": new_weight_norm,
    "spectral_norm": spectral_norm,
    "spectral_norm, new style": parametrizations.spectral_norm,
    "pruned": lambda layer: prune.l1_unstructured(layer, "weight", 0.4),
    "pruned channels": lambda layer: prune.ln_structured(layer, "weight", 0.5, n=2, dim=0),
    "a parametrisation": lambda layer: parametrize.register_parametrization(layer, "weight", Squared()),
}


@pytest.mark.parametrize("trained", [True, False], ids=["just trained", "loaded"])
@pytest.mark.parametrize("name", WEIGHTS)
def test_a_weight_is_what_its_layer_computes_with(name: str, trained: bool) -> None:
    ann = Net()
    for layer in (ann.conv, ann.conv2):
        WEIGHTS[name](layer)
    ann.train()(images()), ann.eval()
    if not trained:
        state = copy.deepcopy({key: value.detach() for key, value in ann.state_dict().items()})
        ann.load_state_dict(state)
    plain = Net()
    with torch.no_grad():
        ann(images())
        for layer, other in ((ann.conv, plain.conv), (ann.conv2, plain.conv2)):
            other.weight.copy_(layer.weight)
        assert torch.allclose(ann(images()), plain(images()), atol=1e-6)
    one, other = (
        simulate(convert(a, HALF, images(), 8, progress=False), images()).logits for a in (ann, plain)
    )
    assert torch.allclose(one, other, rtol=0, atol=1e-6)
    approaches(ann)


# --- what the forward does


def test_hooks_that_change_values_are_what_they_do() -> None:
    ann = Net()
    ann.conv2.register_forward_hook(lambda layer, given, y: y - 0.3 * y.flip(2))
    ann.conv2.register_forward_pre_hook(lambda layer, given: (2 * given[0],))
    approaches(ann)


def test_a_hook_that_only_looks_changes_nothing() -> None:
    ann, seen = Net(), []
    ann.conv.register_forward_hook(lambda layer, given, y: seen.append(y.shape))
    approaches(ann)
    assert seen


class Cornet(Net):
    """One block run twice, whose stride the forward sets."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.block, self.skip = nn.Conv2d(4, 4, 3, 2, 1), nn.Conv2d(4, 4, 1, 2)
        self.norms = nn.ModuleList(nn.BatchNorm2d(4) for _ in range(times))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        for t, norm in enumerate(self.norms):
            skip = self.skip(x) if t == 0 else x
            self.block.stride = (2, 2) if t == 0 else (1, 1)
            x = F.relu(norm(self.block(x)) + skip)
        return self.fc(x.mean((2, 3)))


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_stride_set_in_the_forward_is_the_one_at_each_call(times: int) -> None:
    approaches(Cornet(times).eval())


class Defaults(Net):
    def forward(self, x: Tensor, return_features: bool = False, scale: float = 1.0, **more: Any) -> Any:
        y = F.relu(self.conv(x))
        return (self.end(scale * y), y) if return_features else self.end(scale * y)


class Shapes(Net):
    def forward(self, x: Tensor) -> Tensor:
        if x.ndim == 4 and x.shape[1] == 2 and x.size(-1) > 4 and len(x) >= 1 and x.is_floating_point():
            x = F.relu(self.conv(x))
        batch, channels, *sides = x.shape
        assert x.dim() == 4 and sides[0] == 6
        return self.end(x.view(batch, channels, -1).view(batch, channels, *sides))


class InEvaluation(Net):
    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        if self.training:
            x = x * torch.rand_like(x)
        return self.end(F.dropout(x, 0.5, self.training))


class Precise(Net):
    def forward(self, x: Tensor) -> Tensor:
        return self.end(F.relu(self.conv(x)).double().mul(0.5).to(x.dtype))


class WithConstants(Net):
    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.conv(x))
        mask = torch.ones_like(y[:, :1]) * torch.arange(6.0).reshape(6, 1) / 6
        return self.end(torch.cat([y[:, 1:], torch.zeros_like(y[:, :1])], 1) * mask + torch.eye(6))


@pytest.mark.parametrize("kind", [Defaults, Shapes, InEvaluation, WithConstants, Precise])
def test_what_pythons_values_decide_is_traced(kind: type[Net]) -> None:
    approaches(kind())


def test_one_calibration_image_is_enough() -> None:
    approaches(Net(), images(1), calibration=images(1))


def test_more_images_run_than_were_calibrated_with() -> None:
    snn = convert(Net(), HALF, images(2), 8, progress=False)
    assert simulate(snn, images(5)).logits.shape == (5, 3)


def test_a_batch_on_another_axis_within_the_network() -> None:
    class Inside(Net):
        def forward(self, x: Tensor) -> Tensor:
            x = F.relu(self.conv(x)).permute(2, 3, 0, 1).flatten(0, 1)  # [L, B, C], as a transformer has it
            return self.fc(F.relu(2 * x - x[:1]).mean(0))

    approaches(Inside())


class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


class OwnLayer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return Own.apply(x)


def test_an_autograd_function_of_ones_own_is_what_its_forward_does() -> None:
    approaches(Middle(OwnLayer()))


def test_an_in_place_activation_is_seen_by_those_that_read_its_input() -> None:
    class InPlace(Net):
        def forward(self, x: Tensor) -> Tensor:
            z = self.conv(x)
            return self.end(F.relu_(z) + z)  # z was changed: 2 * relu

    approaches(InPlace())
    with torch.no_grad():
        assert torch.allclose(walk(trace(InPlace(), images()), images()), InPlace()(images()), atol=1e-6)


# --- wrappers, precisions, devices


def compiled_in_place(ann: nn.Module) -> nn.Module:
    ann.compile()
    return ann


WRAPPERS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "DataParallel": nn.DataParallel,
    "torch.compile": torch.compile,
    "compiled in place": compiled_in_place,
    "AveragedModel": torch.optim.swa_utils.AveragedModel,
    "DataParallel of AveragedModel": lambda ann: nn.DataParallel(torch.optim.swa_utils.AveragedModel(ann)),
    "Sequential of torch.compile": lambda ann: nn.Sequential(torch.compile(ann)),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_are_taken_off(name: str) -> None:
    plain = convert(Net(), HALF, images(), 8, progress=False)
    snn = convert(WRAPPERS[name](Net()).eval(), HALF, images(), 8, progress=False)
    assert torch.equal(simulate(snn, images()).logits, simulate(plain, images()).logits)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_network_in_another_precision_is_converted_as_in_float32(dtype: torch.dtype) -> None:
    ann = Net().to(dtype)
    snn = convert(ann, HALF, images().to(dtype), 8, progress=False)
    same = convert(copy.deepcopy(ann).float(), HALF, images().to(dtype).float(), 8, progress=False)
    assert next(ann.parameters()).dtype == dtype
    assert torch.equal(simulate(snn, images()).logits, simulate(same, images()).logits)


def test_parameters_of_several_precisions() -> None:
    ann = Net()
    ann.conv2.double()
    plain = Net()
    snns = [convert(a, HALF, images(), 8, progress=False) for a in (ann, plain)]
    assert torch.equal(*(simulate(snn, images()).logits for snn in snns))


def test_the_network_handed_in_keeps_its_modes_hooks_and_gradients() -> None:
    ann = Net().train()
    ann.conv2.eval()
    ann.conv.requires_grad_(False)
    convert(ann, HALF, images(), 4, progress=False)
    assert ann.training and not ann.conv2.training
    assert not ann.conv.weight.requires_grad and ann.fc.weight.requires_grad and ann.fc.weight.grad is None


@pytest.mark.parametrize("scripted", [torch.jit.script, lambda ann: torch.jit.trace(ann, images())])
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning", "ignore:.*torch.jit"
)
def test_a_script_module_is_named(scripted: Callable[[nn.Module], nn.Module]) -> None:
    assert "the network is a ScriptModule" in refusal(scripted(Net()))
    ann = Net()
    ann.conv2 = scripted(nn.ReLU()) if scripted is torch.jit.script else torch.jit.trace(nn.ReLU(), images())
    assert "layer 'conv2' is a ScriptModule" in refusal(ann)


def test_weights_that_are_not_there_are_named() -> None:
    ann = Net()
    ann.conv2 = nn.LazyConv2d(4, 3)
    assert "layer 'conv2' is LazyConv2d, whose weights are not there yet" in refusal(ann)
    ann.conv2 = nn.Conv2d(4, 4, 3, device="meta")
    assert "layer 'conv2' has 'weight' on the meta device" in refusal(ann)


@pytest.mark.parametrize("ann", [None, "resnet18", torch.rand(3)], ids=["None", "a name", "a tensor"])
def test_what_is_no_network_is_named(ann: object) -> None:
    with pytest.raises(ValueError, match=r"ann = .*, but it must be a network or layer \(torch.nn.Module\)$"):
        convert(ann, "opi", torch.rand(4, 3), 4)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_went_astray_are_named(value: float) -> None:
    ann = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    nn.init.constant_(ann[2].weight, value)
    with pytest.raises(ValueError, match="layer '2' has 'weight' with NaN or infinite values"):
        convert(ann, "opi", torch.rand(4, 3), 4)


def test_a_network_of_a_hundred_layers_is_copied_node_by_node() -> None:
    torch.manual_seed(0)
    layers = (layer for _ in range(150) for layer in (nn.Linear(4, 4), nn.ReLU()))
    snn = convert(nn.Sequential(*layers).eval(), "opi", torch.rand(8, 4), 4, progress=False)
    again = copy.deepcopy(snn)
    x = torch.rand(2, 4)
    assert len(again.sites) == 150 and torch.equal(again(x), snn(x))


def test_a_wide_layer_behind_averages_keeps_bits_for_its_weights() -> None:
    """A sum of 25,088 averages leaves float32 no bits for the weights: it is computed in float64."""
    torch.manual_seed(0)
    pools = (nn.AvgPool2d(4), nn.AdaptiveAvgPool2d(7), nn.Flatten())
    rest = (nn.Linear(512 * 49, 16), nn.ReLU(), nn.Linear(16, 10))
    ann = nn.Sequential(nn.Conv2d(3, 512, 3), nn.ReLU(), *pools, *rest).eval()
    snn = convert(ann, "opi", torch.randn(8, 3, 10, 10), 4, progress=False)
    assert snn.grid is not None and snn.grid.named("5").kind.layer.weight.dtype == torch.float64
