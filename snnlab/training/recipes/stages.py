"""Stage: one training of a network; Recipe: the stages that a method's network goes through, in order.

References:
  1) RateNorm, and the share that is learned in a second stage: Ding et al. 2021, IJCAI
"""

import contextlib
import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab import training
from snnlab.activations import LearnedRange, QuantClip, RateNorm
from snnlab.converters.choices.optimizers import Adam
from snnlab.datasets import Split
from snnlab.files.language import said
from snnlab.neurons.door import check_fields, door, shown
from snnlab.neurons.settings import whole
from snnlab.progress import progress_bar
from snnlab.training.recipes.swap import Activation, fold_batch_norms, swap_activations
from snnlab.training.recipes.weights import bake_weights, quantize_weights

Learner = Callable[[nn.Module, Split, "Stage", int], None]
"""Trains a network in place on the images of a split, as a stage says, from a seed."""


@door
def learn_weights(ann: nn.Module, split: Split, stage: "Stage", seed: int) -> None:
    """Weights and thresholds together, by `training.fit`; thresholds decay by the stage's own rate."""
    with training.decayed_thresholds(ann, stage.threshold_decay):
        training.fit(ann, split, epochs=stage.epochs, seed=seed, lr=stage.lr)


@door
def learn_share(
    ann: nn.Module, split: Split, stage: "Stage", seed: int, *, start: float = 2.5, weight: float = 0.05
) -> None:
    """One share for all RateNorms, with weights, batch norms and running maxima as they are: how low may it go?

        min over k of   1 - cos(teacher, logits) + weight * mean_l ||r_l||_1 / (||r_l||_2^2 + 1e-5),
        theta_l = sigmoid(k) max_l,     r_l = a_l / theta_l                                       Ding et al. 2021

    The teacher is the network before this stage. The second term bounds the error of rates over few steps; it falls
    with the share, the first rises. An epoch after which more than half a percent of the training images that were
    right are lost is taken back, and is the last.

    Args:
        start: k at the start, finite; 2.5 is a share of 0.92.
        weight: of the second term, > 0; the larger, the lower the share, the better few steps and the worse many.
    Raises: ValueError for a network without RateNorm, or a number out of range.
    """
    if not math.isfinite(start) or not 0 < weight < math.inf:
        raise ValueError(f"start = {start}, weight = {weight}, but start is finite and weight greater than 0")
    norms = [module for module in ann.modules() if isinstance(module, RateNorm)]
    if not norms:
        raise ValueError(
            "the network has no RateNorm, so there is no share to learn: train with RateNorm first"
        )
    teacher, k = copy.deepcopy(ann).eval(), nn.Parameter(torch.full_like(norms[0].k, start))
    least = training.accuracy(teacher, split) - 0.005
    optimizer, order = Adam([k], lr=stage.lr), torch.Generator().manual_seed(seed)
    bar = progress_bar(total=stage.epochs * len(split), desc=said("the share"), unit=said("image"))
    threads = training.threads_for(32 * split.images[0].numel())
    with bar, threads, _shared(norms, k) as omega, _only(ann, k):
        for _ in range(stage.epochs):
            before = k.detach().clone()
            for part in torch.randperm(len(split), generator=order).split(32):
                images = split.images[part].to(k.device)
                with torch.no_grad():
                    target = teacher(images)
                loss = 1 - F.cosine_similarity(target, ann(images), dim=1).mean() + weight * omega()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                bar.update(len(part))
            if training.accuracy(ann, split) < least:
                k.data.copy_(before)
                break


@dataclass(frozen=True)
class Stage:
    """One training, from whatever network the stage before left.

    Attributes:
        name: letters, digits and underscores; part of the name of the file that keeps the result.
        activation: class or factory of the activations to train with; None keeps those of the stage before.
        epochs: passes over the training images, >= 1.
        lr: learning rate at the start, > 0.
        start: percentile of the training images' activations at which learned thresholds start, percent; None goes on
            from what the stage before learned, or from the activation's own start.
        threshold_decay: L2 decay of learned thresholds, >= 0: a larger one clips more, and rounds finer.
        weight_bits: None, or bits of the weights: batch norms are folded before, and weights are rounded from then on.
        levels_are_T: whether the activation's levels are the T that the network is trained for.
        learn: what learns, and how: `learn_weights`, `learn_share`, or a Learner of your own.
    """

    name: str
    activation: Activation | None = nn.ReLU
    epochs: int = 12
    lr: float = 0.05
    start: float | None = None
    threshold_decay: float = 0.0
    weight_bits: int | None = None
    levels_are_T: bool = False
    learn: Learner = learn_weights

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.name.isidentifier():
            raise ValueError(
                f"name = {shown(self.name)}, but a stage's name has letters, digits and underscores only"
            )
        whole(self.epochs, "epochs")
        if not 0 < self.lr < math.inf or not 0 <= self.threshold_decay < math.inf:
            raise ValueError(
                f"lr = {self.lr}, threshold_decay = {self.threshold_decay}, but lr must be greater than 0 and "
                "threshold_decay 0 or more"
            )
        if self.start is not None and not 0 < self.start <= 100:
            raise ValueError(f"start = {self.start}, but it is a percentile in (0, 100], or None")
        if self.weight_bits is not None:
            whole(self.weight_bits, "weight_bits", 2, 16)

    @door
    def arrange(self, ann: nn.Module, split: Split) -> nn.Module:
        """A copy of the network as this stage trains it, and keeps it, without the training."""
        ann, learned = copy.deepcopy(ann), any(isinstance(m, LearnedRange) for m in ann.modules())
        if self.activation is not None and (learned or self.activation is not nn.ReLU):
            images = (split, self.start) if self.start else ()
            ann = swap_activations(ann, self.activation, *images)
        return fold_batch_norms(ann, split.images) if self.weight_bits else ann

    @door
    def run(self, ann: nn.Module, split: Split, seed: int = 0) -> nn.Module:
        """The trained network, in evaluation mode; the one given is left as it is."""
        ann = self.arrange(ann, split)
        if self.weight_bits:
            quantize_weights(ann, self.weight_bits)
        self.learn(ann, split, self, seed)
        return bake_weights(ann).eval()

    def settings(self) -> dict[str, Any]:
        """All that the result depends on but network, images and seed, as plain text and numbers."""
        learn = self.learn.func if isinstance(self.learn, partial) else self.learn
        options = self.learn.keywords if isinstance(self.learn, partial) else {}
        return {
            "name": self.name,
            "activation": _exactly(self.activation()) if self.activation else "kept",
            "epochs": self.epochs,
            "lr": self.lr,
            "start": self.start,
            "threshold_decay": self.threshold_decay,
            "weight_bits": self.weight_bits,
            "learn": f"{getattr(learn, '__qualname__', repr(learn))} {options or ''}".strip(),
        }


@dataclass(frozen=True)
class Recipe:
    """The stages that a network is trained in, each from the result of the one before.

    Attributes:
        name: letters, digits and underscores.
        title: what it does, in a line.
        stages: one or more.
    """

    name: str
    title: str
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.name.isidentifier() or not self.stages:
            raise ValueError(
                f"name = {shown(self.name)}, {len(self.stages)} stages, but a recipe's name has letters, digits and "
                "underscores only, and it has one stage or more"
            )

    @property
    def activation(self) -> Activation:
        """What the network has in the end."""
        return next((stage.activation for stage in reversed(self.stages) if stage.activation), nn.ReLU)

    @property
    def depends_on_T(self) -> bool:
        """Whether the network is trained for one T."""
        return any(stage.levels_are_T for stage in self.stages)

    @door
    def at(self, T: int = 8, epochs_scale: float = 1.0, levels: int | None = None) -> "Recipe":
        """The recipe for T steps, with every stage's epochs multiplied by epochs_scale, one at least.

        With levels every activation that rounds has so many, instead of T or its own number.
        """
        if int(T) != T or T < 1:
            raise ValueError(f"T = {T}, but the number of steps must be a whole number, 1 or more")
        if not 0 < epochs_scale <= 1000:
            raise ValueError(
                f"epochs_scale = {epochs_scale:g}, but it must be a number greater than 0, 1,000 at most"
            )
        return replace(self, stages=tuple(_scaled(stage, T, epochs_scale, levels) for stage in self.stages))


def _exactly(activation: nn.Module) -> str:
    """Its settings as it prints them, and what it starts from with all digits."""
    return f"{activation} from {[value.tolist() for value in activation.state_dict().values()]}"


def _scaled(stage: Stage, T: int, epochs_scale: float, levels: int | None) -> Stage:
    activation: Callable[..., nn.Module] | None = stage.activation
    rounds = isinstance(activation, type) and issubclass(activation, QuantClip)
    if activation is not None and (stage.levels_are_T or (rounds and levels is not None)):
        activation = partial(activation, levels=T if levels is None else levels)
    return replace(stage, activation=activation, epochs=max(1, round(stage.epochs * epochs_scale)))


@contextlib.contextmanager
def _shared(norms: list[RateNorm], k: nn.Parameter) -> Iterator[Callable[[], Tensor]]:
    """Let all norms use k, and give the mean Omega of their last outputs; afterwards each has a k of its own."""
    last: dict[RateNorm, Tensor] = {}
    handles = [n.register_forward_hook(lambda n, _, a: last.update({n: a / n.theta})) for n in norms]
    for norm in norms:
        norm.k = k
    try:
        yield lambda: torch.stack([r.sum() / (r.square().sum() + 1e-5) for r in last.values()]).mean()
    finally:
        for handle in handles:
            handle.remove()
        for norm in norms:
            norm.k = nn.Parameter(k.detach().clone(), requires_grad=False)


@contextlib.contextmanager
def _only(ann: nn.Module, k: nn.Parameter) -> Iterator[None]:
    """Evaluation mode, and gradients for k alone."""
    wanted = [p for p in ann.parameters() if p.requires_grad and p is not k]
    ann.eval()
    for parameter in wanted:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_()
