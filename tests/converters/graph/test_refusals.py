"""What cannot be carried through by spikes is refused by its name, with the reason that is true, and a way out."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.converters.graph.small import Middle, Net, refusal


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
        (F.logsigmoid, "belongs to the loss"),
    ],
)
def test_what_a_network_returns_is_called_what_it_is(what: Callable[[Tensor], Any], said: str) -> None:
    assert said in refusal(Returns(what))


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
        (lambda x: next(2 * x for _ in range(int(x.max()) + 1)), "depends on the data"),
        (lambda x: float(x.mean()) * x, "depends on the data"),
        (lambda x: x[x > 0].sum() * x, "network's forward"),
        (through_a_view, "changes in place what other layers read through a view"),
        (into_a_part, "writes into a part of a tensor"),
        (lambda x: x.mean(0, keepdim=True) + x, "leave axis 0 alone"),
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
