"""The course's networks: sizes, names, seeds, and that every use of an activation is one of its own."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from snnlab import networks
from snnlab.activations import QCFS
from snnlab.converters.graph import trace

SMALL = (networks.cnn, networks.resnet)


@pytest.mark.parametrize("build", SMALL)
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_small_networks_take_images_from_8_to_32_pixels(
    build: Callable[..., nn.Module], shape: tuple[int, int, int]
) -> None:
    assert build(shape=shape, classes=7).eval()(torch.zeros(2, *shape)).shape == (2, 7)


@pytest.mark.parametrize("build", [networks.resnet20, networks.vgg16])
def test_the_papers_networks_take_colour_images(build: Callable[..., nn.Module]) -> None:
    assert build(classes=100, width=4).eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 100)


def test_the_papers_networks_have_the_papers_depth() -> None:
    def layers(ann: nn.Module) -> int:  # with weights, shortcuts' projections not counted
        return sum(
            (isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)) or isinstance(m, nn.Linear)
            for m in ann.modules()
        )

    assert layers(networks.resnet20(width=4)) == 20
    assert layers(networks.vgg16(width=4)) == 14  # 13 convolutions; one readout in place of three for 32 x 32


@pytest.mark.parametrize("build", [*SMALL, networks.resnet20, networks.vgg16])
def test_networks_trace_without_a_refusal(build: Callable[..., nn.Module]) -> None:
    shape = (1, 8, 8) if build in SMALL else (3, 32, 32)
    assert trace(build(QCFS), torch.rand(2, *shape)).sites


def test_the_cnns_sites_are_named_like_its_layers() -> None:
    assert list(trace(networks.cnn(), torch.rand(2, 1, 8, 8)).sites) == ["conv1.act", "conv2.act", "fc1.act"]


@pytest.mark.parametrize("build", SMALL)
def test_the_seed_decides_the_weights_and_the_random_state_stays(build: Callable[..., nn.Module]) -> None:
    state = torch.get_rng_state()
    first = nn.utils.parameters_to_vector(build(seed=3).parameters())
    torch.rand(5)
    again = nn.utils.parameters_to_vector(build(seed=3).parameters())
    other = nn.utils.parameters_to_vector(build(seed=4).parameters())
    assert torch.equal(first, again) and not torch.equal(first, other)
    torch.set_rng_state(state)
    build(seed=5)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("build", SMALL)
def test_each_layer_learns_a_threshold_of_its_own(build: Callable[..., nn.Module]) -> None:
    ann = build(lambda: QCFS(levels=4))
    thresholds = [m.threshold for m in ann.modules() if isinstance(m, QCFS)]
    assert (
        len(thresholds) == len({id(t) for t in thresholds}) == len(trace(ann, torch.rand(2, 1, 8, 8)).sites)
    )


@pytest.mark.parametrize("shape", [(8, 8), (1, 7, 8), (0, 8, 8)])
def test_a_shape_that_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"an image is \[channels, height, width\]"):
        networks.cnn(shape=shape)
