"""Recipes: stages, what each method finds, and results that are trained once and found again."""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import nn

from snnlab import datasets, networks, training
from snnlab.activations import QCFS, Clip, RateNorm
from snnlab.converters.catalogue import CATALOGUE
from snnlab.datasets import Data, Split
from snnlab.training import decayed_thresholds, recipes
from snnlab.training.recipes import RECIPES, Recipe, Stage


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


# --- stages


def test_a_decayed_threshold_gets_the_gradient_of_its_square(few: Data) -> None:
    def gradient(decay: float) -> float:
        ann = networks.cnn(partial(Clip, threshold=3.0))
        with decayed_thresholds(ann, decay):
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
    for wrong, said in (
        ({"weight": 0.0}, "start = .*weight = 0.*greater than 0"),
        ({"weight": float("nan")}, "weight = nan, but it must be a finite number"),
        ({"start": float("inf")}, "start = inf, but it must be a finite number"),
    ):
        with pytest.raises(ValueError, match=said):
            recipes.learn_share(networks.cnn(), few.train, Stage("share"), 0, **wrong)


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
        ({"start": 0}, r"start = 0.*\(0, 100\]"),
        ({"start": float("nan")}, "start = nan"),
        ({"weight_bits": 0}, "weight_bits = 0, but it must be a whole number, 2 or more"),
        ({"weight_bits": 1}, "weight_bits = 1, but it must be a whole number, 2 or more"),
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
