# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 13, build your own: what its notebook does not show."""

from random import Random

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
        section=3,
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
        section=4,
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


def divides_by_all(a: Tensor, k: float) -> float:
    """Your standard deviation divides by n. PyTorch's `.std()` divides by n - 1, as for a sample."""
    firing = a[a > 0]
    return float(firing.mean() + k * firing.std(correction=0))


def takes_the_median(a: Tensor, k: float) -> float:
    """You take the median. Asked for is the mean."""
    return float(a[a > 0].quantile(0.5) + k * a[a > 0].std())


def goes_below_the_mean(a: Tensor, k: float) -> float:
    """You subtract. The threshold lies k standard deviations above the mean."""
    return mean_plus_sigmas(a, -k)


def counts_the_zeros_in_the_mean(a: Tensor, k: float) -> float:
    """Your mean counts the zeros in. Leave them out of both: of the mean and of the standard deviation."""
    return float(a.mean() + k * a[a > 0].std())


def counts_the_zeros_in_the_spread(a: Tensor, k: float) -> float:
    """Your standard deviation counts the zeros in. Leave them out of both: of it and of the mean."""
    return float(a[a > 0].mean() + k * a.std())


def multiplies_both(a: Tensor, k: float) -> float:
    """You multiply the mean by k, too. Only the standard deviation is taken k times."""
    return float(k * (a[a > 0].mean() + a[a > 0].std()))


def starts_from_the_largest(a: Tensor, k: float) -> float:
    """You go up from the largest activation. Go up from the mean."""
    return float(a.max() + k * a[a > 0].std())


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


def trusts_the_precedence(theta: float, share: float, T: int) -> float:
    """You multiply the half step by T; so does `theta / 2 * T`. For theta / (2 T) put brackets: `theta / (2 * T)`."""
    return share * theta * (1 - 1 / T) + theta / 2 * T


def forgets_to_shrink(theta: float, share: float, T: int) -> float:
    """The factor (1 - 1 / T) is missing from the first term."""
    return share * theta + theta / (2 * T)


def takes_the_share_of_all(theta: float, share: float, T: int) -> float:
    """You multiply both terms by the share. The half step is added in full."""
    return share * (theta * (1 - 1 / T) + theta / (2 * T))


def leaves_theta_out(theta: float, share: float, T: int) -> float:
    """You leave theta out of the half step. A potential has the unit of the threshold."""
    return share * theta * (1 - 1 / T) + 1 / (2 * T)


def leaves_theta_out_of_the_share(theta: float, share: float, T: int) -> float:
    """You leave theta out of the first term. A potential has the unit of the threshold."""
    return share * (1 - 1 / T) + theta / (2 * T)


def divides_the_first(theta: float, share: float, T: int) -> float:
    """You divide the first term by T. It is multiplied by (1 - 1 / T)."""
    return share * theta / T + theta / (2 * T)


def takes_the_half_step_off(theta: float, share: float, T: int) -> float:
    """You subtract the half step. It is added."""
    return share * theta * (1 - 1 / T) - theta / (2 * T)


def _layer(draw: Random) -> tuple[Tensor, float]:
    """Zeros and at least three values above."""
    values = [0.0] * draw.randint(2, 5) + [draw.randint(1, 32) / 8 for _ in range(draw.randint(3, 7))]
    return torch.tensor(draw.sample(values, len(values)), dtype=torch.float64), draw.choice(
        [0.5, 2.0, 2.5, 3.0]
    )


def _start(draw: Random) -> tuple[float, float, int]:
    return draw.randint(2, 16) / 4, draw.randint(0, 8) / 8, draw.randint(1, 16)


EXERCISES = {
    "13.1": Exercise(
        mean_plus_sigmas,
        [
            (torch.tensor([0.0, 0.0, 1.0, 3.0]).double(), 2.0),
            (torch.tensor([0.5, 0.0, 2.0, 1.0]).double(), 3.0),
        ],
        _layer,
        [
            counts_the_zeros,
            forgets_the_mean,
            forgets_the_factor,
            takes_the_variance,
            clips_at_the_largest,
            divides_by_all,
            takes_the_median,
            goes_below_the_mean,
            counts_the_zeros_in_the_mean,
            counts_the_zeros_in_the_spread,
            multiplies_both,
            starts_from_the_largest,
        ],
        "A rule is a function from a layer to a number. This one looks at spread, and not at ranks.",
    ),
    "13.2": Exercise(
        blend,
        [(1.0, 0.25, 4), (2.0, 0.75, 1), (3.0, 0.5, 8), (1.5, 0.0, 2)],
        _start,
        [
            ignores_the_steps,
            forgets_the_half_step,
            is_always_half,
            adds_a_whole_step,
            trusts_the_precedence,
            forgets_to_shrink,
            takes_the_share_of_all,
            leaves_theta_out,
            leaves_theta_out_of_the_share,
            divides_the_first,
            takes_the_half_step_off,
        ],
        "At one step it is half full whatever the share, over many steps it is the share: a start that depends on T.",
    ),
}
