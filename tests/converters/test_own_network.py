"""A user's own network: max pools that can be moved, those that cannot and the way out, and the page that shows it."""

import contextlib
import io
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn

from snnlab import convert, simulate
from snnlab.activations import QCFS, Clip
from snnlab.converters.graph import trace, walk
from snnlab.converters.snn import SNN
from snnlab.neurons import State
from snnlab.training import recipes

pytestmark = pytest.mark.usefixtures("one_thread")

PAGE = Path(__file__).parents[2] / "docs" / "your_own_network.md"
MOVED = "moved before '{}': exact there, since nothing spikes yet"


def images(n: int = 6, channels: int = 2, side: int = 12) -> Tensor:
    return torch.randn(n, channels, side, side, generator=torch.Generator().manual_seed(0))


class Pooled(nn.Module):
    """A stem that ends in a max pool, as ResNets for ImageNet have it, and one more convolution."""

    def __init__(self, activation: Callable[[], nn.Module] = nn.ReLU, pool: nn.Module | None = None) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(2, 5, 3, padding=1), activation()
        self.pool = pool or nn.MaxPool2d(3, 2, 1)
        self.conv2, self.act2, self.fc = nn.Conv2d(5, 4, 3), activation(), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.act(self.conv(x)))
        return self.fc(self.act2(self.conv2(x)).mean((2, 3)))


class Called(Pooled):
    """The same, all by functions, the ReLU in place."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu_(self.conv(x)), 3, stride=2, padding=1)
        return self.fc(F.relu(self.conv2(x)).mean((2, 3)))


def plain_loop(snn: SNN, x: Tensor, T: int) -> Tensor:
    """One step after the other: every layer in every step. Returns the mean logits."""
    states: dict[str, State] = {}
    total = torch.zeros((), dtype=torch.float64)

    def step(name: str, neuron: nn.Module, current: Tensor) -> Tensor:
        state = states.get(name) or neuron.start(current)
        output, states[name] = neuron.step(current, state)
        return output

    with torch.inference_mode():
        for _ in range(T):
            total = total + walk(snn.grid, x, step).double()
    return total / T


def is_exact(snn: SNN, x: Tensor) -> bool:
    """Whether simulation, float64 and the plain loop give the same bits."""
    logits = simulate(snn, x).logits
    others = (simulate(snn, x, dtype=torch.float64, chunk=1).logits, plain_loop(snn, x, snn.T))
    return all(torch.equal(logits, other) for other in others)


# --- max pools that come before the neuron

POOLS = {
    "padded": nn.MaxPool2d(3, 2, 1),
    "with an open end": nn.MaxPool2d(5, 3, ceil_mode=True),
    "dilated": nn.MaxPool2d(3, 1, 1, dilation=2),
    "adaptive": nn.AdaptiveMaxPool2d(5),
}


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6, partial(Clip, 0.4), partial(QCFS, 4, 0.7)])
def test_a_pool_moved_before_the_first_neuron_leaves_the_network_what_it_was(
    name: str, activation: Callable[[], nn.Module]
) -> None:
    torch.manual_seed(0)
    ann = Pooled(activation, POOLS[name]).eval()
    graph = trace(ann, images())
    order = [node.name for node in graph.nodes]
    assert order.index("pool") < order.index("act") and list(graph.sites) == ["act", "act2"]
    with torch.inference_mode():
        assert torch.allclose(walk(graph, images()), ann(images()), atol=1e-6)


@pytest.mark.parametrize("method", ["opi", "signed_calibrated", "calibration_advanced"])
def test_a_moved_pool_is_exact_on_the_grid_and_the_summary_says_so(method: str) -> None:
    torch.manual_seed(0)
    ann = Pooled().eval()
    snn = convert(ann, method, images(), 6)
    assert is_exact(snn, images()) and MOVED.format("act") in snn.summary()
    assert torch.equal(
        simulate(convert(ann, method, images(), 6), images()).logits, simulate(snn, images()).logits
    )


def test_a_pool_that_is_called_and_a_relu_in_place_are_moved_too() -> None:
    torch.manual_seed(0)
    ann = Called().eval()
    snn = convert(ann, "opi", images(), 6)
    lines = [line for line in snn.summary().splitlines() if line.startswith("max_pool2d()")]
    assert len(lines) == 1 and MOVED.format("relu") in lines[0]
    assert is_exact(snn, images())
    with torch.inference_mode():
        assert torch.equal(walk(trace(ann, images()), images()), ann(images()))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["channel", "neuron", "layer"]), st.sampled_from(sorted(POOLS)), st.integers(0, 1000))
def test_a_pool_is_exact_whatever_the_thresholds(thresholds: str, name: str, seed: int) -> None:
    """Before the neuron each channel may have a unit of its own, and each neuron a threshold of its own."""
    from snnlab import Method

    def rule(site) -> Tensor:
        target = site.target
        if target.ndim == 4 and thresholds == "channel":
            return target.amax((0, 2, 3), keepdim=True)[0] + 0.01
        return (target.amax(0) if thresholds == "neuron" else target.amax() * 0.37) + 0.01

    torch.manual_seed(seed)
    ann = Pooled(pool=POOLS[name]).eval()
    assert is_exact(convert(ann, Method("own", "own", "own", 2026, threshold=rule), images(), 3), images(3))


def test_pools_before_any_neuron_are_kept() -> None:
    torch.manual_seed(0)
    ann = nn.Sequential(
        nn.MaxPool2d(2), nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.MaxPool2d(2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(4, 3),
    )  # fmt: skip
    ann.train()(images())
    snn = convert(ann.eval(), "max_norm", images(), 5)
    summary = snn.summary()
    assert summary.count("kept: exact here, since nothing spikes yet") == 2 and MOVED.format("4") in summary
    assert is_exact(snn, images())


def test_a_bias_correction_reaches_the_layer_before_a_moved_pool() -> None:
    torch.manual_seed(0)
    ann = Pooled().eval()
    snn = convert(ann, "calibration_light", images(32), 4)
    assert not torch.equal(snn.graph.named("conv").kind.bias, ann.conv.bias)
    assert is_exact(snn, images())


def test_a_pool_stays_where_its_neurons_feed_others_too_and_is_refused() -> None:
    class Shared(Pooled):
        def forward(self, x: Tensor) -> Tensor:
            x = self.act(self.conv(x))
            return self.fc(self.act2(self.conv2(self.pool(x) + F.avg_pool2d(x, 3, 2, 1))).mean((2, 3)))

    with pytest.raises(ValueError, match=r"'pool' is MaxPool2d.*unless nothing spikes yet.*average_pools"):
        trace(Shared(), images())


def test_a_pool_that_returns_its_indices_is_refused() -> None:
    class Indices(Pooled):
        def forward(self, x: Tensor) -> Tensor:
            x, _ = self.pool(self.act(self.conv(x)))
            return self.fc(self.act2(self.conv2(x)).mean((2, 3)))

    with pytest.raises(ValueError, match=r"'pool' is MaxPool2d.*nn.AvgPool2d"):
        trace(Indices(pool=nn.MaxPool2d(2, return_indices=True)), images())


# --- torchvision's networks


def test_torchvisions_resnet18_converts_as_it_is_and_runs_exactly() -> None:
    torch.manual_seed(0)
    ann, x = torchvision.models.resnet18(weights=None, num_classes=5), images(4, 3, 64)
    with torch.no_grad():
        ann.train()(x)
        ann.eval()
        expected = ann.double()(x.double())
        got = walk(trace(ann, x.double()), x.double())
    assert torch.allclose(got, expected, rtol=0, atol=1e-10 * float(expected.abs().max()))
    snn = convert(ann.float(), "opi", x, 3)
    assert len(snn.sites) == 17 and MOVED.format("relu") in snn.summary()
    assert is_exact(snn, x)


@pytest.mark.parametrize(
    ("name", "moved"), [("densenet121", 1), ("mnasnet0_5", 0), ("shufflenet_v2_x0_5", 1)]
)
def test_other_torchvision_networks_of_relus_are_traced_as_they_are(name: str, moved: int) -> None:
    torch.manual_seed(0)
    ann, x = torchvision.models.get_model(name, weights=None).eval(), images(2, 3, 64)
    graph = trace(ann, x)
    assert sum(bool(node.fate) for node in graph.nodes) == moved
    with torch.inference_mode():
        assert torch.allclose(walk(graph, x), ann(x), rtol=1e-3, atol=1e-5)


# --- max pools between neurons: averages in their place


def vgg() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.Flatten(), nn.Linear(64, 3),
    )  # fmt: skip


def test_a_pool_between_neurons_is_refused_with_the_way_out_which_converts() -> None:
    ann = vgg()
    with pytest.raises(
        ValueError, match=r"(?s)^((?!'2').)*'5' is MaxPool2d.*recipes\.average_pools\(ann, images\)"
    ):
        convert(ann, "opi", images(), 4)
    averaged = recipes.average_pools(ann, images())
    assert isinstance(averaged[2], nn.MaxPool2d) and isinstance(ann[5], nn.MaxPool2d)
    assert repr(averaged[5]) == repr(nn.AvgPool2d(3, 2, 1, ceil_mode=True))
    assert averaged(images()).shape == (6, 3) and averaged.training
    assert is_exact(convert(averaged, "opi", images(), 4), images())


def test_a_pool_used_at_two_places_becomes_an_average_at_both() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.conv2 = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
            self.pool, self.fc = nn.MaxPool2d(2), nn.Linear(36, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.pool(F.relu(self.conv(x)))
            return self.fc(self.pool(F.relu(self.conv2(x))).flatten(1))

    averaged = recipes.average_pools(Twice(), images())
    assert isinstance(averaged.pool, nn.AvgPool2d)
    assert len(convert(averaged, "opi", images(), 2).sites) == 2


def test_adaptive_pools_are_averaged_and_what_has_no_average_is_named() -> None:
    ann = vgg()
    ann[5] = nn.AdaptiveMaxPool2d(4)
    assert repr(recipes.average_pools(ann, images())[5]) == repr(nn.AdaptiveAvgPool2d(4))
    ann[5] = nn.MaxPool2d(2, 1, dilation=2)
    with pytest.raises(ValueError, match=r"layer '5' is MaxPool2d.*no average pool is dilated"):
        recipes.average_pools(ann, images())


def test_a_pool_that_is_called_between_neurons_is_named() -> None:
    class Deep(Called):
        def forward(self, x: Tensor) -> Tensor:
            x = F.relu(self.conv2(F.relu(self.conv(x))))
            return self.fc(F.max_pool2d(x, 3).mean((2, 3)))

    with pytest.raises(ValueError, match=r"max_pool2d\(\) in the network's forward: a maximum of spikes"):
        trace(Deep(), images())
    with pytest.raises(
        ValueError, match=r"max_pool2d\(\) in the network's forward is a function call.*use a module"
    ):
        recipes.average_pools(Deep(), images())


# --- the page


def photographs(root: Path, each: int = 12) -> None:
    """Coloured stripes, upright, lying or slanted, in sizes of their own: three classes that a network can learn."""
    draw = np.random.default_rng(0)
    for name, (across, down) in {"lying": (0.0, 1.0), "slanted": (0.7, 0.7), "upright": (1.0, 0.0)}.items():
        (root / name).mkdir(parents=True)
        for k in range(each):
            height, width = draw.integers(70, 100, 2)
            y, x = np.mgrid[:height, :width]
            wave = np.sin((across * x + down * y) / 3 + draw.uniform(0, 6))
            pixels = (
                127 + 80 * wave[..., None] * draw.uniform(0.5, 1, 3) + draw.normal(0, 10, (height, width, 3))
            )
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / name / f"{k}.jpg")


def test_the_page_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photographs(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 6
    names: dict[str, Any] = {}
    printed = io.StringIO()
    torch.manual_seed(0)
    with contextlib.redirect_stdout(printed):
        for block in blocks:
            exec(compile(block, PAGE.name, "exec"), names)
    assert MOVED.format("relu") in printed.getvalue()
    assert names["run"].accuracy(names["data"].test)[-1] >= 0.8
