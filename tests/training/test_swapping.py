"""Activations exchanged in a trained network, batch norms folded, and weights of few bits."""

from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab import datasets, networks
from snnlab.activations import QCFS, Clip, QuantClip, RateNorm
from snnlab.converters.graph import trace, walk
from snnlab.datasets import Split
from snnlab.training import recipes
from snnlab.training.recipes.weights import Rounded


@pytest.fixture(scope="module")
def few() -> Split:
    return datasets.load().train[:128]


def lived(ann: nn.Module, images: Tensor) -> nn.Module:
    """The network with batch norms that have seen images."""
    ann.train()(images)
    return ann.eval()


# --- swap_activations


def test_swapped_thresholds_start_at_the_percentile_of_their_own_site(few: Split) -> None:
    ann = lived(networks.resnet(), few.images)
    before = {name: value.clone() for name, value in ann.state_dict().items()}
    swapped = recipes.swap_activations(ann, QuantClip, few, percentile=99)
    seen: dict[str, Tensor] = {}

    def note(name: str, activation: nn.Module, z: Tensor) -> Tensor:
        return seen.setdefault(name, activation(z))

    with torch.inference_mode():
        walk(trace(ann, few.images), few.images, note)
    got = {name: m.theta.item() for name, m in swapped.named_modules() if isinstance(m, QuantClip)}
    expected = {name: np.percentile(value.numpy(), 99) for name, value in seen.items()}
    assert got == pytest.approx(expected, rel=1e-4) and len(set(got.values())) == 7
    assert all(torch.equal(before[name], value) for name, value in ann.state_dict().items())
    assert all(torch.equal(before[name], swapped.state_dict()[name]) for name in before)
    assert not swapped.training


def test_without_images_a_learned_threshold_goes_on(few: Split) -> None:
    ann = networks.cnn(partial(Clip, threshold=3.5))
    for kind in (QCFS, RateNorm):
        swapped = recipes.swap_activations(ann, kind)
        assert swapped.get_submodule("conv1.act").theta.item() == pytest.approx(3.5, rel=1e-4)
    fresh = recipes.swap_activations(networks.cnn(), partial(QCFS, threshold=0.7))
    assert fresh.get_submodule("fc1.act").theta.item() == pytest.approx(0.7)
    assert isinstance(recipes.swap_activations(ann, nn.ReLU).get_submodule("fc1.act"), nn.ReLU)


class Called(nn.Module):
    """A network that calls its activation."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten, self.hidden, self.out = nn.Flatten(), nn.Linear(64, 8), nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.relu(self.hidden(self.flatten(x))))


class Twice(Called):
    """A network that uses one module for two activations."""

    def __init__(self) -> None:
        super().__init__()
        self.between, self.relu = nn.Linear(8, 8), nn.ReLU()
        self.again = self.relu

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.again(self.between(self.relu(self.hidden(self.flatten(x))))))


def test_new_activations_have_the_precision_of_the_network(few: Split) -> None:
    swapped = recipes.swap_activations(networks.cnn().double(), RateNorm, few)
    assert {value.dtype for value in swapped.state_dict().values() if value.is_floating_point()} == {
        torch.float64
    }


def test_a_function_call_is_named(few: Split) -> None:
    with pytest.raises(ValueError, match=r"'relu' are function calls .* use a module"):
        recipes.swap_activations(Called(), Clip, few)


def test_a_module_under_two_names_stays_one(few: Split) -> None:
    swapped = recipes.swap_activations(Twice(), Clip, few)
    assert swapped.relu is swapped.again and isinstance(swapped.relu, Clip)


def test_a_silent_layer_gets_a_threshold_all_the_same(few: Split) -> None:
    ann = Twice()
    nn.init.constant_(ann.hidden.bias, -1e3)
    nn.init.constant_(ann.between.bias, -1e3)
    assert recipes.swap_activations(ann, Clip, few).relu.theta.item() > 0


def test_a_percentile_out_of_range_is_named(few: Split) -> None:
    with pytest.raises(ValueError, match="percentile = 0"):
        recipes.swap_activations(networks.cnn(), Clip, few, percentile=0)


# --- weights of few bits


def test_folding_keeps_the_function_and_the_class(few: Split) -> None:
    ann = lived(networks.resnet(QCFS), few.images)
    folded = recipes.fold_batch_norms(ann, few.images)
    assert type(folded) is type(ann) and not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    assert any(isinstance(m, nn.BatchNorm2d) for m in ann.modules())
    relu, images = recipes.swap_activations(ann, nn.ReLU), few.images  # off the steps of the staircase
    torch.testing.assert_close(
        recipes.fold_batch_norms(relu, images)(images), relu(images), rtol=1e-4, atol=1e-5
    )


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.integers(2, 16), st.floats(1e-3, 1e3))
def test_weights_round_to_a_symmetric_grid_of_each_channel(seed: int, bits: int, size: float) -> None:
    draw = torch.Generator().manual_seed(seed)
    weight = size * torch.randn(5, 3, 2, 2, dtype=torch.float64, generator=draw)
    weight[3] = 0
    weight[4] *= 100
    weight.requires_grad_()
    rounded = Rounded(bits)(weight)
    most = 2 ** (bits - 1) - 1
    scale = weight.detach().abs().amax((1, 2, 3), keepdim=True) / most
    whole = rounded.detach() / scale.clamp(min=1e-12)
    torch.testing.assert_close(whole, whole.round(), rtol=0, atol=1e-9)
    assert whole.abs().max() <= most + 1e-9 and bool(((rounded - weight).abs() <= 0.5001 * scale).all())
    upstream = torch.randn(weight.shape, dtype=torch.float64, generator=draw)
    assert torch.equal(torch.autograd.grad((rounded * upstream).sum(), weight)[0], upstream)


def test_baked_weights_are_plain_and_compute_the_same(few: Split) -> None:
    ann = recipes.fold_batch_norms(lived(networks.cnn(), few.images), few.images)
    names = set(ann.state_dict())
    images = few.images
    rounding = recipes.quantize_weights(ann, bits=4)
    logits = rounding(images)
    with pytest.raises(ValueError, match=r"weights of layer 'conv1\.conv' are rounded already"):
        recipes.quantize_weights(rounding)
    baked = recipes.bake_weights(rounding)
    assert torch.equal(baked(images), logits) and set(baked.state_dict()) == names
    assert type(baked.get_submodule("conv1.conv")) is nn.Conv2d
    first = baked.get_submodule("conv1.conv").weight[0]  # type: ignore[index]
    assert len(first.unique()) <= 9


def test_rounding_before_folding_is_refused(few: Split) -> None:
    with pytest.raises(ValueError, match=r"'conv1\.bn' is a batch norm, .*\.fold_batch_norms"):
        recipes.quantize_weights(networks.cnn())
    with pytest.raises(ValueError, match="bits = 1"):
        recipes.quantize_weights(recipes.fold_batch_norms(networks.cnn(), few.images), bits=1)
