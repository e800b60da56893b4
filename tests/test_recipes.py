"""Recipes: activations exchanged, weights of few bits, stages, and results that are trained once and found again."""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from torch import Tensor, nn

from snnlab import datasets, networks, recipes, training
from snnlab.activations import QCFS, Clip, QuantClip, RateNorm
from snnlab.catalogue import CATALOGUE
from snnlab.datasets import Data, Split
from snnlab.graph import trace, walk
from snnlab.recipes import RECIPES, Recipe, Stage
from snnlab.recipes.stages import _decayed_thresholds
from snnlab.recipes.weights import Rounded


@pytest.fixture(scope="module")
def data() -> Data:
    return datasets.load()


@pytest.fixture(scope="module")
def few(data: Data) -> Data:
    """Few training images, and test images that spoil whatever looks at them."""
    poison = Split(torch.full((4, 1, 8, 8), torch.nan), torch.zeros(4, dtype=torch.long))
    return replace(data, train=data.train[:128], calibration=data.train[:64], test=poison)


def same(first: nn.Module, second: nn.Module) -> bool:
    a, b = first.state_dict(), second.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def lived(ann: nn.Module, images: Tensor) -> nn.Module:
    """The network with batch norms that have seen images."""
    ann.train()(images)
    return ann.eval()


# --- swap_activations


def test_swapped_thresholds_start_at_the_percentile_of_their_own_site(few: Data) -> None:
    ann = lived(networks.resnet(), few.train.images)
    before = {name: value.clone() for name, value in ann.state_dict().items()}
    swapped = recipes.swap_activations(ann, QuantClip, few.train, percentile=99)
    seen: dict[str, Tensor] = {}

    def note(name: str, activation: nn.Module, z: Tensor) -> Tensor:
        return seen.setdefault(name, activation(z))

    with torch.inference_mode():
        walk(trace(ann), few.train.images, note)
    got = {name: m.theta.item() for name, m in swapped.named_modules() if isinstance(m, QuantClip)}
    expected = {name: np.percentile(value.numpy(), 99) for name, value in seen.items()}
    assert got == pytest.approx(expected, rel=1e-4) and len(set(got.values())) == 7
    assert all(torch.equal(before[name], value) for name, value in ann.state_dict().items())
    assert all(torch.equal(before[name], swapped.state_dict()[name]) for name in before)
    assert not swapped.training


def test_without_images_a_learned_threshold_goes_on(few: Data) -> None:
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


def test_new_activations_have_the_precision_of_the_network(few: Data) -> None:
    swapped = recipes.swap_activations(networks.cnn().double(), RateNorm, few.train)
    assert {value.dtype for value in swapped.state_dict().values() if value.is_floating_point()} == {
        torch.float64
    }


def test_a_function_call_is_named(few: Data) -> None:
    with pytest.raises(ValueError, match=r"'relu' are function calls .* use a module"):
        recipes.swap_activations(Called(), Clip, few.train)


def test_a_module_under_two_names_stays_one(few: Data) -> None:
    swapped = recipes.swap_activations(Twice(), Clip, few.train)
    assert swapped.relu is swapped.again and isinstance(swapped.relu, Clip)


def test_a_silent_layer_gets_a_threshold_all_the_same(few: Data) -> None:
    ann = Twice()
    nn.init.constant_(ann.hidden.bias, -1e3)
    nn.init.constant_(ann.between.bias, -1e3)
    assert recipes.swap_activations(ann, Clip, few.train).relu.theta.item() > 0


def test_a_percentile_out_of_range_is_named(few: Data) -> None:
    with pytest.raises(ValueError, match="percentile = 0"):
        recipes.swap_activations(networks.cnn(), Clip, few.train, percentile=0)


# --- weights of few bits


def test_folding_keeps_the_function_and_the_class(few: Data) -> None:
    ann = lived(networks.resnet(QCFS), few.train.images)
    folded = recipes.fold_batch_norms(ann)
    assert type(folded) is type(ann) and not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    assert any(isinstance(m, nn.BatchNorm2d) for m in ann.modules())
    relu, images = recipes.swap_activations(ann, nn.ReLU), few.train.images  # off the steps of the staircase
    torch.testing.assert_close(recipes.fold_batch_norms(relu)(images), relu(images), rtol=1e-4, atol=1e-5)


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


def test_baked_weights_are_plain_and_compute_the_same(few: Data) -> None:
    ann = recipes.fold_batch_norms(lived(networks.cnn(), few.train.images))
    names = set(ann.state_dict())
    images = few.train.images
    rounding = recipes.quantize_weights(ann, bits=4)
    logits = rounding(images)
    with pytest.raises(ValueError, match=r"weights of layer 'conv1\.conv' are rounded already"):
        recipes.quantize_weights(rounding)
    baked = recipes.bake_weights(rounding)
    assert torch.equal(baked(images), logits) and set(baked.state_dict()) == names
    assert type(baked.get_submodule("conv1.conv")) is nn.Conv2d
    first = baked.get_submodule("conv1.conv").weight[0]  # type: ignore[index]
    assert len(first.unique()) <= 9


def test_rounding_before_folding_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'conv1\.bn' is a batch norm, .*\.fold_batch_norms"):
        recipes.quantize_weights(networks.cnn())
    with pytest.raises(ValueError, match="bits = 1"):
        recipes.quantize_weights(recipes.fold_batch_norms(networks.cnn()), bits=1)


# --- stages


def test_a_decayed_threshold_gets_the_gradient_of_its_square(few: Data) -> None:
    def gradient(decay: float) -> float:
        ann = networks.cnn(partial(Clip, threshold=3.0))
        with _decayed_thresholds(ann, decay):
            F.cross_entropy(ann(few.train.images), few.train.labels).backward()
        return ann.get_submodule("conv1.act").threshold.grad.item()  # type: ignore[union-attr]

    assert gradient(0.25) - gradient(0.0) == pytest.approx(0.75, rel=1e-5)


def test_a_threshold_decays_while_it_trains(few: Data) -> None:
    def theta(decay: float) -> float:
        stage = Stage("clip", Clip, epochs=3, threshold_decay=decay)
        return stage.run(networks.cnn(), few.train).get_submodule("conv1.act").theta.item()

    assert theta(0.1) < theta(0.0) - 0.05


@pytest.fixture(scope="module")
def shared(few: Data) -> tuple[nn.Module, nn.Module]:
    """A network with RateNorm, and what the second stage made of it."""
    first, second = RECIPES["rate_norm"].stages
    ann = first.run(networks.cnn(), few.train)
    return ann, second.run(ann, few.train)


def test_the_second_stage_of_rate_norm_learns_one_share_and_nothing_else(
    shared: tuple[nn.Module, nn.Module],
) -> None:
    before, after = (ann.state_dict() for ann in shared)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if name.endswith(".k")}
    norms = [module for module in shared[1].modules() if isinstance(module, RateNorm)]
    assert len({norm.share.item() for norm in norms}) == 1 and norms[0].k is not norms[1].k
    assert 0 < norms[0].share.item() < 0.92


def test_the_share_stage_gives_gradients_back_and_costs_no_accuracy(
    shared: tuple[nn.Module, nn.Module], few: Data
) -> None:
    before, after = shared
    wanted = [{n for n, p in ann.named_parameters() if p.requires_grad} for ann in shared]
    assert wanted[0] == wanted[1] and len(wanted[0]) > 6
    assert training.accuracy(after, few.train) >= training.accuracy(before, few.train) - 0.005


def test_a_share_that_loses_images_is_taken_back(few: Data, shared: tuple[nn.Module, nn.Module]) -> None:
    learn = partial(recipes.learn_share, weight=1e4)  # no care for the logits
    greedy = Stage("share", None, epochs=4, lr=1.0, learn=learn)
    ann = greedy.run(shared[0], few.train)
    assert training.accuracy(ann, few.train) >= training.accuracy(shared[0], few.train) - 0.005


def test_a_share_needs_rate_norm(few: Data) -> None:
    with pytest.raises(ValueError, match="no RateNorm"):
        recipes.learn_share(networks.cnn(), few.train, Stage("share"), 0)


def test_a_stage_tells_settings_apart_to_the_last_digit() -> None:
    stages = [
        Stage("mine", partial(Clip, threshold=2.0)),
        Stage("mine", partial(Clip, threshold=2.000001)),
        Stage("mine", partial(RateNorm, momentum=0.2)),
        Stage("mine", RateNorm),
        Stage("mine", None),
        Stage("mine", learn=partial(recipes.learn_share, weight=0.2)),
        Stage("mine", learn=recipes.learn_share),
    ]
    assert len({json.dumps(stage.settings()) for stage in stages}) == len(stages)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"name": "two words"}, "two words"),
        ({"epochs": 0}, "epochs = 0"),
        ({"lr": -1.0}, "lr = -1.0"),
        ({"threshold_decay": -1.0}, "threshold_decay = -1.0"),
    ],
)
def test_a_stage_names_a_wrong_setting(setting: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Stage(**{"name": "mine", **setting})  # type: ignore[arg-type]


# --- the catalogue of recipes


def test_every_method_finds_a_recipe_that_trains_its_activation() -> None:
    for method in CATALOGUE.values():
        trained = recipes.find(method).at(4).activation()
        assert isinstance(trained, type(method.activation())), method.name
        assert recipes.find(method.name) is recipes.find(method)


def test_levels_follow_T_where_the_method_says_so() -> None:
    for name, follows in (("dual_phase", True), ("qat", True), ("qcfs", False), ("qc_ann", False)):
        levels = RECIPES[name].at(3).activation().levels
        assert (levels == 3) is follows is RECIPES[name].depends_on_T
    assert RECIPES["relu"].at(8, epochs_scale=0.01).stages[0].epochs == 1


def test_a_misspelt_recipe_is_named_with_what_there_is() -> None:
    with pytest.raises(
        ValueError, match=r"'dual_fase', .* relu, clip_joint, .*; did you mean 'dual_phase'\?"
    ):
        recipes.find("dual_fase")
    with pytest.raises(ValueError, match="T = 0"):
        RECIPES["qat"].at(0)
    with pytest.raises(ValueError, match="epochs_scale = 0"):
        RECIPES["qat"].at(4, 0)


def test_an_activation_without_a_recipe_is_named() -> None:
    method = replace(CATALOGUE["tcl"], name="mine", activation=nn.Hardtanh)
    with pytest.raises(ValueError, match="'mine' needs a network trained with Hardtanh"):
        recipes.find(method)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trained")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_learns_digits_in_half_its_epochs(name: str, data: Data, cache: Path) -> None:
    ann = recipes.prepare(name, networks.cnn, data, epochs_scale=0.5, cache=cache, progress=False)
    assert training.accuracy(ann, data.test) >= 0.985
    if name == "qat":
        weight = ann.get_submodule("conv2.conv").weight[5]  # type: ignore[index]
        whole = weight * 127 / weight.abs().max()
        torch.testing.assert_close(whole, whole.round(), rtol=0, atol=1e-3)


# --- prepare


class Counted:
    """A learner that counts how often it is called, and may be interrupted."""

    def __init__(self, interrupt_in: str = "") -> None:
        self.stages: list[str] = []
        self.interrupt_in = interrupt_in

    def __call__(self, ann: nn.Module, split: Split, stage: Stage, seed: int) -> None:
        self.stages.append(stage.name)
        if stage.name == self.interrupt_in:
            raise KeyboardInterrupt
        recipes.learn_weights(ann, split, stage, seed)

    def __repr__(self) -> str:
        return "counted"


def two_stages(learn: Counted, second: str = "second", lr: float = 0.01) -> Recipe:
    first = Stage("first", epochs=1, learn=learn)
    return Recipe("two", "two", (first, Stage(second, QCFS, epochs=1, lr=lr, start=99.0, learn=learn)))


def test_what_is_trained_once_is_found_again_bit_for_bit(few: Data, tmp_path: Path) -> None:
    learn, get = Counted(), partial(recipes.prepare, data=few, cache=tmp_path, progress=False)
    first = get(two_stages(learn), networks.cnn)
    assert learn.stages == ["first", "second"]
    assert same(first, get(two_stages(learn), networks.cnn)) and learn.stages == ["first", "second"]
    get(two_stages(learn, "other"), networks.cnn)
    assert learn.stages == ["first", "second", "other"], "recipes that begin alike share the beginning"
    assert sorted(path.name.rsplit("-", 1)[0] for path in tmp_path.iterdir()) == [
        "cnn-digits-first+other-seed0", "cnn-digits-first+second-seed0", "cnn-digits-first-seed0",
    ]  # fmt: skip
    assert not first.training


def test_any_other_setting_is_another_file(few: Data, tmp_path: Path) -> None:
    learn, get = Counted(), partial(recipes.prepare, cache=tmp_path, progress=False)
    plain = two_stages(learn)
    get(plain, networks.cnn, few)
    for other in (
        partial(get, two_stages(learn, lr=0.02), networks.cnn, few),
        partial(get, plain, networks.cnn, few, seed=1),
        partial(get, plain, networks.cnn, few, epochs_scale=2),
        partial(get, plain, partial(networks.cnn, classes=12), few),
        partial(get, plain, networks.cnn, replace(few, train=few.train[:100])),
    ):
        files = len(list(tmp_path.iterdir()))
        other()
        assert len(list(tmp_path.iterdir())) > files


def test_a_file_says_how_it_came_about(few: Data, tmp_path: Path) -> None:
    recipes.prepare(two_stages(Counted()), networks.cnn, few, cache=tmp_path, progress=False, seed=3)
    with safe_open(next(tmp_path.glob("*second*")), framework="pt") as file:
        about = file.metadata()
    assert (about["network"], about["data"], about["seed"]) == ("cnn", "digits", "3")
    stages = json.loads(about["stages"])
    assert [stage["name"] for stage in stages] == ["first", "second"] and stages[1]["start"] == 99.0


def test_an_interrupted_recipe_goes_on_after_its_last_whole_stage(few: Data, tmp_path: Path) -> None:
    get = partial(recipes.prepare, network=networks.cnn, data=few, cache=tmp_path, progress=False)
    with pytest.raises(KeyboardInterrupt, match=r"stage 'first', 1 of 2; nothing is kept yet"):
        get(two_stages(Counted(interrupt_in="first")))
    with pytest.raises(KeyboardInterrupt, match=r"stage 'second', 2 of 2; the stages before it are kept"):
        get(two_stages(Counted(interrupt_in="second")))
    again = Counted()
    resumed = get(two_stages(again))
    assert again.stages == ["second"]
    assert same(resumed, get(two_stages(Counted()), cache=tmp_path / "fresh"))


@pytest.mark.parametrize("which", ["second", "first-"])
def test_a_damaged_file_is_named_and_trained_again_only_if_told(
    few: Data, tmp_path: Path, which: str
) -> None:
    get = partial(recipes.prepare, network=networks.cnn, data=few, cache=tmp_path, progress=False)
    whole, learn = get(two_stages(Counted())), Counted()
    path = next(tmp_path.glob(f"*{which}*"))
    path.write_bytes(path.read_bytes()[:500])
    if which == "second":
        with pytest.raises(
            ValueError, match=rf"{re.escape(path.name)} is damaged.* prepare\(\.\.\., retrain=True\)"
        ):
            get(two_stages(learn))
        assert learn.stages == [] and path.stat().st_size == 500
    assert same(whole, get(two_stages(learn), retrain=which == "second"))
    assert same(whole, get(two_stages(learn)))


def test_a_recipe_with_rounded_weights_comes_back_from_its_file(few: Data, tmp_path: Path) -> None:
    get = partial(recipes.prepare, "qat", networks.resnet, few, epochs_scale=0.1, cache=tmp_path)
    trained, read = get(progress=False), get(progress=False)
    images = few.train.images
    assert same(trained, read) and torch.equal(trained(images), read(images))


def test_the_results_lie_beside_the_data(few: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNLAB_DATA", str(tmp_path))
    recipes.prepare(two_stages(Counted()), networks.cnn, few, progress=False)
    assert len(list((tmp_path / "trained").iterdir())) == 2
