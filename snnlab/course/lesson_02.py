# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 02, clipping and quantisation: what its notebook does not show."""

from random import Random

import torch
from torch import Tensor

from snnlab.course.choosing import errors, staircase
from snnlab.course.lessons import Answer, Exercise, eighths

ANSWERS = {
    "02.1": Answer(
        3,
        "Eight steps bring 8 x 0.625 = 5, and 1 was there: 6 units of charge pay for three spikes at 2 each.",
        {
            2: "five units pay for two spikes. But the neuron did not start empty.",
            5: "eight times 0.625. That counts charge; a spike costs two units of it.",
            6: "that is the charge, with what was there at the start. A spike costs two units of it.",
        },
    ),
    "02.2": Answer(
        "more than twice as large",
        "The highest activation is far from the others. A threshold there clips nothing, but makes every step "
        "theta / T about half as coarse again, and it is the square that counts. The percentile "
        "clips one activation in a thousand, and those few cost little.",
        {
            "smaller": "nothing is clipped, so one of two errors is gone. But the other one has grown by more.",
            "about the same": "what one error gains, the other loses? The two are nowhere near the same size here.",
        },
        section=2,
    ),
    "02.3": Answer(
        "the largest activation",
        "The quantisation error falls with the square of T. The clipping error does not know T at all: in "
        "the end it is all that is left, and the threshold that clips nothing wins.",
        {
            "the 99.9 percentile": "it won at T = 8. But sixteen times the steps make quantisation 256 times "
            "smaller, and clipping not at all.",
            "no difference": "at a large T everything converges, does it not? To the *clipped* activation.",
        },
        section=3,
    ),
    "02.4": Answer(
        "about 70 %",
        "Rounding down loses half a step for an activation that is not zero, on average. Half a step is 6 % of the "
        "*threshold*, but the threshold is made for the largest activations, and the typical one is much smaller.",
        {
            "about 95 %": "half a step of eight is 1/16, about 6 %. Of the threshold, though, not of the activation.",
            "about 100 %": "the errors would cancel if they had both signs. Rounding down has only one.",
        },
        section=4,
    ),
}


def mean_output(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """theta / T * clip(floor((T z + v0) / theta), 0, T)."""
    return staircase(z, threshold, v0, T)


def forgets_the_upper_clip(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """Nothing stops your count at `T`: a neuron fires at most once a step, so clip the count from above too."""
    return threshold / T * ((T * z + v0) / threshold).floor().clamp(min=0)


def forgets_the_lower_clip(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """Your neuron fires a negative number of spikes for a negative input: clip the count at 0 too."""
    return threshold / T * ((T * z + v0) / threshold).floor().clamp(max=T)


def forgets_to_clip(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """You do not clip: a count of spikes lies between 0 and `T`."""
    return threshold / T * ((T * z + v0) / threshold).floor()


def forgets_v0(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """You forgot `v0`: it is there before the first input, and counts once."""
    return staircase(z, threshold, 0.0, T)


def counts_v0_in_every_step(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """You count `v0` in every step. It is there once, at the start: T z + v0, not T (z + v0)."""
    return threshold / T * (T * (z + v0) / threshold).floor().clamp(0, T)


def divides_by_T_twice(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """You divided by the steps twice: inside the floor stands all the charge, T z + v0."""
    return threshold / T * ((z + v0 / T) / threshold).floor().clamp(0, T)


def rounds_to_nearest(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """You round to the nearest number. Charge short of a threshold makes no spike: take the floor."""
    return threshold / T * ((T * z + v0) / threshold + 0.5).floor().clamp(0, T)


def rounds_up(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """You round up. Charge short of a threshold makes no spike: take the floor."""
    return threshold / T * ((T * z + v0) / threshold).ceil().clamp(0, T)


def leaves_out_the_floor(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """You do not round: a neuron fires whole spikes. Take the floor of the count."""
    return threshold / T * ((T * z + v0) / threshold).clamp(0, T)


def returns_the_count(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """You return the number of spikes. Each carries the threshold, and the mean is over `T` steps."""
    return staircase(z, threshold, v0, T) * T / threshold


def returns_the_firing_rate(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """You return spikes per step. The mean output is in activation units: each spike carries the threshold."""
    return staircase(z, threshold, v0, T) / threshold


def returns_the_sum(z: Tensor, threshold: float, v0: float, T: int) -> Tensor:
    """You return what the neuron emitted altogether. Asked for is the mean over the `T` steps."""
    return staircase(z, threshold, v0, T) * T


def best_threshold(activations: Tensor, candidates: list[float], T: int) -> float:
    """The candidate with the least sum of squares of (mean output - activation), v0 = theta / 2."""
    return min(candidates, key=lambda theta: errors(activations, theta, T).total)


def starts_empty(activations: Tensor, candidates: list[float], T: int) -> float:
    """Your neurons start at v0 = 0. Here they start half full: theta / 2, with the theta that is tried."""
    return min(candidates, key=lambda theta: errors(activations, theta, T, share=0.0).total)


def sees_only_clipping(activations: Tensor, candidates: list[float], T: int) -> float:
    """You chose the threshold that clips least. Activations below it have an error too: they are quantised."""
    return min(candidates, key=lambda theta: errors(activations, theta, T).clipping)


def sees_only_quantisation(activations: Tensor, candidates: list[float], T: int) -> float:
    """You chose the threshold that quantises best. Activations above it have an error too: they are clipped."""
    return min(candidates, key=lambda theta: errors(activations, theta, T).quantisation)


def forgets_the_square(activations: Tensor, candidates: list[float], T: int) -> float:
    """You added up absolute errors. Asked for are squares: a large error counts more than two half as large."""
    return min(candidates, key=lambda theta: float((_rate(activations, theta, T) - activations).abs().sum()))


def lets_errors_cancel(activations: Tensor, candidates: list[float], T: int) -> float:
    """Your errors cancel, because they have signs. Square each one before you add up."""
    return min(candidates, key=lambda theta: abs(float((_rate(activations, theta, T) - activations).sum())))


def takes_the_worst_candidate(activations: Tensor, candidates: list[float], T: int) -> float:
    """You chose the largest error. Asked for is the threshold of the least."""
    return max(candidates, key=lambda theta: errors(activations, theta, T).total)


def returns_the_error(activations: Tensor, candidates: list[float], T: int) -> float:
    """You return the least error. Asked for is the threshold that has it."""
    return min(errors(activations, theta, T).total for theta in candidates)


def returns_the_index(activations: Tensor, candidates: list[float], T: int) -> float:
    """You return the place of the best candidate in the list. Asked for is the candidate."""
    return candidates.index(best_threshold(activations, candidates, T))


def takes_the_largest_activation(activations: Tensor, candidates: list[float], T: int) -> float:
    """You return the largest activation. It clips nothing, but try the candidates: most do better."""
    return float(activations.max())


def takes_the_smallest_candidate(activations: Tensor, candidates: list[float], T: int) -> float:
    """You return the smallest candidate. It has the finest steps, but clips most: compare the sums of squares."""
    return min(candidates)


def takes_the_largest_candidate(activations: Tensor, candidates: list[float], T: int) -> float:
    """You return the largest candidate. It clips least, but has the coarsest steps: compare the sums of squares."""
    return max(candidates)


def starts_at_one_half(activations: Tensor, candidates: list[float], T: int) -> float:
    """Your neurons start at v0 = 1/2. Half full is half of the threshold that you try: theta / 2."""

    def cost(theta: float) -> float:
        return float((staircase(activations, theta, 0.5, T) - activations).square().sum())

    return min(candidates, key=cost)


def looks_at_the_largest_error(activations: Tensor, candidates: list[float], T: int) -> float:
    """You compare the largest single error of each candidate. Asked for is the sum of squares over all activations."""
    return min(candidates, key=lambda theta: float((_rate(activations, theta, T) - activations).abs().max()))


def _rate(activations: Tensor, threshold: float, T: int) -> Tensor:
    return staircase(activations, threshold, threshold / 2, T)


_Z = torch.tensor([-0.5, 0.25, 0.75, 1.0, 1.5, 2.5], dtype=torch.float64)
_ALIKE = torch.tensor([0.875] * 7 + [3.0], dtype=torch.float64)  # the largest error is not the largest sum
_A = torch.tensor([0.0, 0.25, 0.25, 0.5, 0.75, 1.0, 1.5, 3.0], dtype=torch.float64)


def _inputs(draw: Random) -> tuple[Tensor, float, float, int]:
    theta, T = (
        draw.choice([0.5, 1.0, 2.0, 4.0]),
        draw.choice([1, 2, 4, 8]),
    )  # powers of 2: no division is rounded
    z = torch.tensor(eighths(draw, 12, -2, 5), dtype=torch.float64)
    return z, theta, theta * draw.randrange(8) / 8, T


def _layer(draw: Random) -> tuple[Tensor, list[float], int]:
    """Many small activations and few large ones, as real layers have them."""
    largest = draw.choice([1, 8])
    a = torch.tensor([round(64 * largest * draw.random() ** 3) / 64 for _ in range(20)], dtype=torch.float64)
    return a, draw.sample([k / 4 for k in range(3, 40)], 10), draw.choice([1, 2, 3, 4, 8, 16])


EXERCISES = {
    "02.1": Exercise(
        mean_output,
        [(_Z, 2.0, 0.0, 4), (_Z, 2.0, 1.0, 8), (_Z, 1.0, 0.25, 16)],
        _inputs,
        [
            forgets_the_upper_clip,
            forgets_the_lower_clip,
            forgets_to_clip,
            forgets_v0,
            counts_v0_in_every_step,
            divides_by_T_twice,
            rounds_to_nearest,
            rounds_up,
            leaves_out_the_floor,
            returns_the_count,
            returns_the_firing_rate,
            returns_the_sum,
        ],
        "Sixteen steps or a thousand, you now know the outcome without running one of them.",
        entries=("for input",),
    ),
    "02.2": Exercise(
        best_threshold,
        [(_A, [1.0, 2.0, 4.0], 2), (_A, [1.0, 2.0, 4.0], 32), (_ALIKE, [1.0, 2.0, 2.5], 1)],
        _layer,
        [
            starts_empty,
            sees_only_clipping,
            sees_only_quantisation,
            forgets_the_square,
            lets_errors_cancel,
            takes_the_worst_candidate,
            returns_the_error,
            returns_the_index,
            takes_the_largest_activation,
            takes_the_smallest_candidate,
            takes_the_largest_candidate,
            starts_at_one_half,
            looks_at_the_largest_error,
        ],
        "This rule is known as MMSE, minimum mean squared error (Li et al. 2021).",
    ),
}
