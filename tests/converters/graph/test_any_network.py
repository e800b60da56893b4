"""Any network that a user brings: what it computes is what is converted; what cannot be is said in true words."""

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune

from snnlab import Method, convert, simulate
from snnlab.converters.choices.potentials import half
from snnlab.converters.graph import trace, walk

HALF = Method("half", "the largest activation, half of it to start with", "Diehl 2015, Bu 2022", 2022, v0=half)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Layers this small wait for their threads longer than they compute."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def images(n: int = 8) -> Tensor:
    return torch.randn(n, 2, 8, 8, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """Three layers; `forward` is what the tests override."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.conv2, self.fc = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 3)
        for layer in (self.conv, self.conv2, self.fc):
            nn.init.kaiming_normal_(layer.weight)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.end(F.relu(self.conv(x)))

    def end(self, x: Tensor) -> Tensor:
        return self.fc(F.relu(self.conv2(x)).mean((2, 3)))


def approaches(ann: nn.Module, x: Tensor | None = None, *, calibration: Tensor | None = None) -> None:
    """At T = 512 at most 2 % of the largest logit is missing, and less than a third of what is missing at T = 64."""
    x = images() if x is None else x
    with torch.no_grad():
        expected = ann(x.clone()).double()
    snn = convert(ann, HALF, x if calibration is None else calibration, 8, progress=False)
    few, many = (
        float((simulate(snn, x, T).logits - expected).abs().max() / expected.abs().max()) for T in (64, 512)
    )
    assert many <= 0.02 and many <= few / 3 + 1e-3, f"{few:.2%} after 64 steps, {many:.2%} after 512"


def refusal(ann: nn.Module, x: Tensor | None = None) -> str:
    with pytest.raises(ValueError, match=".") as caught:
        convert(ann, HALF, images() if x is None else x, 4, progress=False)
    return str(caught.value)


# --- what a weight is


def weight_norm(layer: nn.Module) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the old style is deprecated, and still in many networks
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
    one, other = (simulate(convert(a, HALF, images(), 8, progress=False), images()).logits for a in (ann, plain))
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


FAULT = pytest.mark.xfail(reason="a change of precision is kept in what the next rule is compared with")


class WithConstants(Net):
    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.conv(x))
        mask = torch.ones_like(y[:, :1]) * torch.arange(6.0).reshape(6, 1) / 6
        return self.end(torch.cat([y[:, 1:], torch.zeros_like(y[:, :1])], 1) * mask + torch.eye(6))


@pytest.mark.parametrize("kind", [Defaults, Shapes, InEvaluation, WithConstants, pytest.param(Precise, marks=FAULT)])
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
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning", "ignore:.*torch.jit")
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


# --- refusals tell the truth


class Returns(Net):
    def __init__(self, what: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.what = what

    def forward(self, x: Tensor) -> Any:
        return self.what(super().forward(x))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (lambda y: {"logits": y, "features": y}, "returns a dict with the entries 'logits', 'features'"),
        (lambda y: (y, y), "returns a tuple"),
        (lambda y: [y], "returns a list"),
        (lambda y: None, "returns a NoneType"),
        (lambda y: y.argmax(1), "argmax"),
        (lambda y: y.detach().numpy(), "(numpy)"),
        (lambda y: torch.zeros(8, 3), "does not depend on the images"),
        (lambda y: y.t(), "the batch on another axis"),
        (lambda y: y.softmax(1), "belongs to the loss"),
        (lambda y: F.log_softmax(y, 1), "belongs to the loss"),
        (lambda y: y.sigmoid(), "belongs to the loss"),
        (lambda y: F.logsigmoid(y), "belongs to the loss"),
    ],
)
def test_what_a_network_returns_is_called_what_it_is(what: Callable[[Tensor], Any], said: str) -> None:
    assert said in refusal(Returns(what))


class Middle(Net):
    """A layer between the first and the second."""

    def __init__(self, odd: nn.Module) -> None:
        super().__init__()
        self.odd = odd

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.odd(self.conv(x)))


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (nn.LeakyReLU(), "below zero it passes on a share of its input"),
        (nn.PReLU(), "below zero it passes on a share of its input"),
        (nn.Hardsigmoid(), "at 0 it is one half"),
        (nn.Hardtanh(), "Clip"),
        (nn.Hardtanh(-0.5, 1), "Clip"),
        (nn.Threshold(0.1, 0), "nn.ReLU"),
        (nn.Hardswish(), "nn.ReLU"),
        (nn.GELU(), "a curve, not piecewise linear"),
        (nn.SiLU(), "a curve, not piecewise linear"),
        (nn.ELU(), "a curve, not piecewise linear"),
        (nn.Softmax(1), "divides by a statistic of the values themselves"),
        (nn.GroupNorm(2, 4), "nn.BatchNorm2d"),
        (nn.InstanceNorm2d(4), "no running statistics"),
        (nn.LocalResponseNorm(2), "LocalResponseNorm"),
        (nn.Upsample(scale_factor=2, mode="bicubic"), "mode='nearest' or 'bilinear'"),
        (nn.ConstantPad2d(1, 0.5), "it pads with a number"),
    ],
    ids=lambda odd: type(odd).__name__ if isinstance(odd, nn.Module) else "",
)
def test_a_refusal_names_the_layer_and_tells_the_truth(odd: nn.Module, said: str) -> None:
    told = refusal(Middle(odd))
    assert f"layer 'odd' is {type(odd).__name__}" in told and said in told
    assert "piecewise linear" in said or "not piecewise linear" not in told
    assert told.strip().count("\n") <= 1, f"more is refused than what is wrong: {told}"


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


class NumpyLayer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.from_numpy(2 * x.detach().numpy())


class CopiedLayer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tensor(x.tolist())


@pytest.mark.parametrize("odd", [NumpyLayer(), CopiedLayer()])
def test_what_cannot_be_followed_is_named(odd: nn.Module) -> None:
    told = refusal(Middle(odd))
    assert "layer 'odd'" in told and "layer 'fc'" not in told


class Written(Net):
    def __init__(self, change: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        changed = self.change(x)
        return self.end(x if changed is None else changed + x)


def branch(x: Tensor) -> Tensor:
    return x if x.sum() > 0 else 2 * x


def through_a_view(x: Tensor) -> None:
    x.flatten(1).mul_(0.5)


def into_a_part(x: Tensor) -> None:
    x[:, 0] = 0.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (branch, "depends on the data"),
        (lambda x: [2 * x for _ in range(int(x.max()) + 1)][0], "depends on the data"),
        (lambda x: float(x.mean()) * x, "depends on the data"),
        (lambda x: x[x > 0].sum() * x, "network's forward"),
        (through_a_view, "changes in place what other layers read through a view"),
        (into_a_part, "writes into a part of a tensor"),
        (lambda x: x.mean(0, keepdim=True) + x, "leave axis 0, the batch, alone"),
        (lambda x: x * x, "only sums of layers and products with a number"),
        (lambda x: x @ x.transpose(2, 3) @ x, "multiplies activations with each other"),
        (lambda x: torch.maximum(x, x.flip(2)), "a maximum of spikes"),
        (lambda x: x.max(), "a maximum of spikes"),
        (lambda x: x.amax((2, 3), keepdim=True), "a maximum of spikes"),
        (lambda x: F.dropout(x, 0.5), "training=self.training"),
        (lambda x: x.sort(1)[0], "sort() in the network's forward"),
        (lambda x: x.abs(), "abs() in the network's forward"),
        (lambda x: x / x.sum((1, 2, 3), keepdim=True), "in the network's forward"),
        (lambda x: x.round(), "round() in the network's forward"),
        (lambda x: torch.where(x > 0.5, x, 0.0), "in the network's forward"),
    ],
)
def test_what_has_no_spiking_counterpart_is_refused(change: Callable[[Tensor], Any], said: str) -> None:
    assert said in refusal(Written(change))


def test_an_in_place_activation_is_seen_by_those_that_read_its_input() -> None:
    class InPlace(Net):
        def forward(self, x: Tensor) -> Tensor:
            z = self.conv(x)
            return self.end(F.relu_(z) + z)  # z was changed: 2 * relu

    approaches(InPlace())
    with torch.no_grad():
        assert torch.allclose(walk(trace(InPlace(), images()), images()), InPlace()(images()), atol=1e-6)
