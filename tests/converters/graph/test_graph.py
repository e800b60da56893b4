"""Tracing: nothing is missed, nothing is carried along silently, the function stays the same."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab.activations import QCFS
from snnlab.converters.graph import fold_bn, trace, walk


class Reused(nn.Module):
    """One ReLU module used twice, functional ReLUs, in-place ones, a residual sum, a functional reshape."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.drop, self.fc = nn.Dropout(0.5), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        batch = x.size(0)
        x = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.conv2(x)) + x
        y = torch.relu(F.relu(y) - 0.25 * x).relu_()
        y = F.avg_pool2d(y, 2)
        return self.fc(self.drop(y).view(batch, -1))


def images(n: int = 5) -> Tensor:
    return torch.rand(n, 2, 4, 4, generator=torch.Generator().manual_seed(0))


def settled(model: nn.Module, x: Tensor) -> nn.Module:
    """The model with batch norms that have seen something, in evaluation mode."""
    model.train()
    model(x + torch.randn_like(x))
    return model.eval()


def test_every_use_of_a_relu_becomes_a_site_of_its_own() -> None:
    assert list(trace(Reused(), images()).sites) == ["relu", "relu#2", "relu#3", "relu#4", "relu#5"]


def test_sites_carry_the_networks_dotted_names() -> None:
    block = nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU(), nn.Conv2d(2, 2, 1), QCFS())

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer1 = block

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(self.layer1(x)).flatten(1)

    assert list(trace(Net(), images()).sites) == ["layer1.1", "layer1.3", "relu"]


def test_tracing_keeps_the_function_and_leaves_the_network_alone() -> None:
    torch.manual_seed(0)
    model = settled(Reused(), images())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    graph = trace(model.train(), images())
    assert model.training and all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert torch.allclose(walk(graph, images()), model.eval()(images()), atol=1e-6)


OPERATIONS = {
    "conv": lambda c: nn.Conv2d(c, c, 3, padding=1),
    "bn": nn.BatchNorm2d,
    "relu": lambda c: nn.ReLU(inplace=True),
    "pool": lambda c: nn.AvgPool2d(3, 1, 1),
    "drop": lambda c: nn.Dropout(0.3),
    "one": lambda c: nn.Conv2d(c, c, 1, bias=False),
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=8), st.integers(0, 1000))
def test_random_networks_keep_their_function(names: list[str], seed: int) -> None:
    torch.manual_seed(seed)
    layers = [OPERATIONS[name](3) for name in names]
    model = nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    settled(model, images())
    assert torch.allclose(walk(trace(model, images()), images()), model(images()), atol=1e-5)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layer", ["conv", "grouped", "linear"])
def test_a_folded_batch_norm_computes_the_same(layer: str, bias: bool) -> None:
    torch.manual_seed(1)
    linear = layer == "linear"
    first = (
        nn.Linear(6, 4, bias=bias)
        if linear
        else nn.Conv2d(6, 4, 3, groups=1 + (layer == "grouped"), bias=bias)
    )
    norm = nn.BatchNorm1d(4) if linear else nn.BatchNorm2d(4)
    x = torch.randn(50, 6) if linear else torch.randn(50, 6, 5, 5)
    both = settled(nn.Sequential(first, norm), x)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    assert torch.allclose(fold_bn(first, norm)(x), both(x), atol=1e-5)


class Branch(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x) if x.sum() > 0 else x


class Gate(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x) * x


class AlwaysDrops(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(F.relu(x), 0.5)


class InPlaceThroughAView(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        F.relu_(flat)
        return x.sum(dim=1) + flat


REFUSED = {
    "max pooling": (nn.MaxPool2d(2), r"layer 'odd' is MaxPool2d.*use nn.AvgPool2d and retrain"),
    "gelu": (nn.GELU(), r"layer 'odd' is GELU.*use nn.ReLU and retrain"),
    "sigmoid": (nn.Sigmoid(), r"layer 'odd' is Sigmoid.*nn.ReLU"),
    "leaky relu": (nn.LeakyReLU(), r"layer 'odd' is LeakyReLU.*nn.ReLU"),
    "layer norm": (nn.LayerNorm(4), r"layer 'odd' is LayerNorm.*BatchNorm2d"),
    "softmax": (nn.Softmax(1), r"layer 'odd' is Softmax.*return the logits"),
    "batch statistics": (
        nn.BatchNorm2d(2, track_running_stats=False),
        r"'odd' is BatchNorm2d.*running statistics",
    ),
    "a branch": (Branch(), r"cannot be traced in layer 'odd'.*depends on the data"),
    "a product": (Gate(), r"mul\(\) in layer 'odd'.*only sums of layers"),
    "dropout that never stops": (AlwaysDrops(), r"dropout\(\) in layer 'odd'.*training=self.training"),
    "a view changed in place": (InPlaceThroughAView(), r"relu_\(\) in layer 'odd' changes in place.*view"),
    "a bicubic layer": (nn.Upsample(scale_factor=2, mode="bicubic"), r"layer 'odd' is Upsample.*'bilinear'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_converted_is_refused_by_name(name: str) -> None:
    odd, message = REFUSED[name]
    model = nn.Sequential()
    for layer, module in (
        ("conv", nn.Conv2d(2, 2, 1)),
        ("relu", nn.ReLU()),
        ("conv2", nn.Conv2d(2, 2, 1)),
        ("relu2", nn.ReLU()),
        ("odd", odd),
    ):
        model.add_module(layer, module)
    with pytest.raises(ValueError, match=message):
        trace(model, images())


def test_every_refusal_is_listed_at_once() -> None:
    model = nn.Sequential(nn.Conv2d(2, 2, 1), nn.Sigmoid(), nn.ReLU(), nn.GELU())
    with pytest.raises(ValueError, match=r"(?s)'1' is Sigmoid.*'3' is GELU"):
        trace(model, images())


def test_a_network_without_activations_is_refused() -> None:
    with pytest.raises(ValueError, match="no ReLU"):
        trace(nn.Sequential(nn.Linear(2, 2)), torch.rand(3, 2))


def test_more_than_one_input_or_output_is_refused() -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return F.relu(x + y)

    class Pair(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return F.relu(x), x

    with pytest.raises(ValueError, match="reads 2 inputs"):
        trace(Two(), images())
    with pytest.raises(ValueError, match="must return one tensor"):
        trace(Pair(), images())


def test_an_in_place_relu_is_seen_by_later_readers_of_its_input() -> None:
    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.act = nn.Conv2d(2, 2, 1), nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            z = self.conv(x)
            y = self.act(z)
            return (y + z).flatten(1)  # z was changed: 2 * relu

    model = InPlace()
    assert torch.allclose(walk(trace(model, images()), images()), model(images()), atol=1e-6)
