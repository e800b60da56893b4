# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 13, build your own: what its notebook does not show."""

import torch
from torch import Tensor

from snnlab.course.lessons import Answer, Exercise

ANSWERS = {
    "13.1": Answer(
        "the start",
        "Half full, the network reads nearly all digits. With four steps rounding down is what hurts, and that is what "
        "the start mends.",
        {
            "the neuron": "a spike that can be taken back mends unevenness. It helps a little; but what hurts here is "
            "rounding down.",
            "biases": "they help nearly as much: but they look at images for it. The question was for what looks at "
            "none.",
        },
    ),
    "13.2": Answer(
        "refused, in words",
        "A ReLU has learned no upper end. The rule says so, names the layer, and says what to do.",
        {
            "the largest activation is taken": "a silent substitute would be the worst: a result with another "
            "meaning.",
            "a traceback": "a user's mistake is answered in words here, and a test tries every label of every menu.",
        },
    ),
    "13.3": Answer(
        "depends_on_T",
        "The battery converts for two numbers of steps and compares. The rule looks at T, the declaration denied it.",
        {
            "the accuracy": "the method converts well: each number of steps gets a threshold of its own.",
            "the docstring": "it has one. The battery asks for that, too.",
        },
    ),
    "13.4": Answer(
        "thresholds for each neuron",
        "More than a seventh of the distance goes: neurons of one channel differ, and each gets its own threshold. "
        "It ties the network to images of one size.",
        {
            "trained weights": "they are second here, and first at four steps where the images are harder: see the "
            "next table.",
            "a neuron that looks ahead": "one that takes its spikes back has few offset spikes left, and looking "
            "ahead costs the steps of all layers.",
        },
    ),
}


def mean_plus_sigmas(a: Tensor, k: float) -> float:
    """mean + k standard deviations of the activations above zero."""
    firing = a[a > 0]
    return float(firing.mean() + k * firing.std())


def counts_the_zeros(a: Tensor, k: float) -> float:
    """You count the zeros in. Leave them out: a silent neuron needs no range."""
    return float(a.mean() + k * a.std())


def forgets_the_mean(a: Tensor, k: float) -> float:
    """The mean is missing: mean plus k standard deviations."""
    return k * float(a[a > 0].std())


def forgets_the_factor(a: Tensor, k: float) -> float:
    """You leave out k."""
    return mean_plus_sigmas(a, 1.0)


def takes_the_variance(a: Tensor, k: float) -> float:
    """You take the variance. It has the square of the unit: take its root."""
    return float(a[a > 0].mean() + k * a[a > 0].var())


def clips_at_the_largest(a: Tensor, k: float) -> float:
    """You cap it at the largest activation. The rule does not ask for that."""
    return min(mean_plus_sigmas(a, k), float(a.max()))


def blend(theta: float, share: float, T: int) -> float:
    """share * theta (1 - 1 / T) + theta / (2 T)."""
    return share * theta * (1 - 1 / T) + theta / (2 * T)


def ignores_the_steps(theta: float, share: float, T: int) -> float:
    """You leave T out."""
    return share * theta


def forgets_the_half_step(theta: float, share: float, T: int) -> float:
    """The second term is missing: half a step, theta / (2 T)."""
    return share * theta * (1 - 1 / T)


def is_always_half(theta: float, share: float, T: int) -> float:
    """That is OPI. The share is given."""
    return theta / 2


def adds_a_whole_step(theta: float, share: float, T: int) -> float:
    """You add a whole step: it is half of one."""
    return share * theta * (1 - 1 / T) + theta / T


def _layer(seed: int, size: int) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).relu()


EXERCISES = {
    "13.1": Exercise(
        mean_plus_sigmas,
        [(_layer(0, 40), 2.0), (_layer(1, 60), 3.0), (torch.tensor([0.0, 0.0, 1.0, 3.0]).double(), 2.5)],
        [counts_the_zeros, forgets_the_mean, forgets_the_factor, takes_the_variance, clips_at_the_largest],
        "A rule is a function from a layer to a number. This one looks at spread, and not at ranks.",
    ),
    "13.2": Exercise(
        blend,
        [(1.0, 0.25, 4), (2.0, 0.75, 1), (3.0, 0.5, 8), (1.5, 0.0, 2)],
        [ignores_the_steps, forgets_the_half_step, is_always_half, adds_a_whole_step],
        "At one step it is half full whatever the share, over many steps it is the share: a start that depends on T.",
    ),
}
