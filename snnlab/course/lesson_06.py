# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 06, when spikes come unevenly: what its notebook does not show."""

from random import Random

import torch
from torch import Tensor

from snnlab.course.lessons import Answer, Exercise
from snnlab.course.orders import all_orders, placements
from snnlab.neurons import IF

ANSWERS = {
    "06.1": Answer(
        4,
        "With the three positive spikes first the potential is above the threshold in each of the first four steps. "
        "Only then does the negative input take down what has long been sent.",
        {
            2: "one unit of charge pays for two spikes at 1/2 each. That is the sum in the end, but the neuron fires "
            "on what it has so far.",
            3: "three positive spikes, one each. But each brings enough for two, and the surplus fires a step later.",
            5: "three units would pay for six, and there are five steps. But the second negative spike comes in the "
            "last step at the latest, and takes the potential below zero.",
        },
    ),
    "06.2": Answer(
        "v[T] does not tell",
        "Below zero is where a neuron with a negative input belongs: it has sent nothing, and nothing is right. The "
        "same v[T] with a spike standing means that this spike was one too many.",
        {
            "yes, a spike too many": "that would be so if it had fired. A neuron whose input is negative ends there "
            "without a single spike.",
            "no, it is right": "it may be. But if it has fired, then more was paid than came in.",
        },
        section=2,
    ),
    "06.3": Answer(
        "fewer are right",
        "With more steps there are more spikes to be sent too early, and one is enough to make a count "
        "wrong. A spike weighs less, though: the error of the mean output still shrinks.",
        {
            "more are right": "more steps make everything finer, and the mean output does get better. But here the "
            "whole count has to be right, to the spike.",
            "about as many": "early and late spikes would cancel out in the long run. A spike that has been sent "
            "cannot be called back.",
        },
        section=4,
    ),
    "06.4": Answer(
        "more than a quarter",
        "Many activations of a ReLU network are zero because their input is negative. These neurons end below zero, "
        "in silence, and all of them are right.",
        {
            "none": "there is no unevenness here, so no count is wrong. But v[T] outside its range is not the same "
            "as a wrong count.",
            "about 1 %": "not even that many are clipped: the threshold is the 99.9th percentile. The other side is "
            "far more common: v[T] below zero.",
        },
        section=5,
    ),
    "06.5": Answer(
        "it falls, but more slowly than quantisation",
        "A spike too many weighs theta / T, and so does one that is rounded off. But every neuron rounds by less than "
        "a spike at any T, and more counts are wrong after 32 steps than after 4.",
        {
            "it stays as it is": "as the clipping error does. But clipping loses a spike in every step, and an uneven "
            "input only a few in all.",
            "it falls just as fast": "both are counted in spikes of theta / T. But after 32 steps the share of "
            "neurons with a wrong count is larger than after 4.",
        },
        section=5,
    ),
}


def count_orders(plus: int, minus: int, T: int, threshold: float) -> list[int]:
    """How many of all orders make 0, 1, ..., T spikes."""
    return _histogram(IF(threshold), all_orders(plus, minus, T), T)


def moves_only_the_first(plus: int, minus: int, T: int, threshold: float) -> list[int]:
    """You move the spikes of the first input only. Those of the second can come in any steps too."""
    fixed = torch.tensor([0.0] * (T - minus) + [1.0] * minus, dtype=torch.float64)
    return _histogram(IF(threshold), (placements(T, plus) - fixed).T, T)


def moves_only_the_second(plus: int, minus: int, T: int, threshold: float) -> list[int]:
    """You move the spikes of the second input only. Those of the first can come in any steps too."""
    fixed = torch.tensor([1.0] * plus + [0.0] * (T - plus), dtype=torch.float64)
    return _histogram(IF(threshold), (fixed - placements(T, minus)).T, T)


def lets_no_two_meet(plus: int, minus: int, T: int, threshold: float) -> list[int]:
    """You leave out the orders in which both inputs have a spike in the same step. They may; it adds up to 0."""
    currents = all_orders(plus, minus, T)
    return _histogram(IF(threshold), currents[:, currents.abs().sum(0) == plus + minus], T)


def counts_different_sums_once(plus: int, minus: int, T: int, threshold: float) -> list[int]:
    """You count equal sums once. Where spikes of both inputs meet, the sum is 0, and it hides different orders."""
    return _histogram(IF(threshold), all_orders(plus, minus, T).unique(dim=1), T)


def resets_to_zero(plus: int, minus: int, T: int, threshold: float) -> list[int]:
    """Your neuron loses what lies above the threshold: subtract the threshold, do not set v to zero."""
    return _histogram(IF(threshold, reset="zero"), all_orders(plus, minus, T), T)


def starts_half_full(plus: int, minus: int, T: int, threshold: float) -> list[int]:
    """Your neuron starts at half its threshold. Here it starts at v = 0."""
    return _histogram(IF(threshold, threshold / 2), all_orders(plus, minus, T), T)


def fires_above_only(plus: int, minus: int, T: int, threshold: float) -> list[int]:
    """Your neuron does not fire when v is exactly the threshold: compare with >=, not with >."""
    return _histogram(IF(threshold + 1e-6), all_orders(plus, minus, T), T)


def forgets_the_second_input(plus: int, minus: int, T: int, threshold: float) -> list[int]:
    """Your negative input does nothing: its spikes bring -1 each."""
    return _histogram(IF(threshold), all_orders(plus, minus, T, (1.0, 0.0)), T)


def returns_shares(plus: int, minus: int, T: int, threshold: float) -> list[float]:
    """You return shares of all orders. Asked for are their numbers."""
    numbers = count_orders(plus, minus, T, threshold)
    return [number / sum(numbers) for number in numbers]


def leaves_out_zero(plus: int, minus: int, T: int, threshold: float) -> list[int]:
    """Your list begins with one spike. It begins with the number of orders that make none."""
    return count_orders(plus, minus, T, threshold)[1:]


def spikes_off(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """Spikes too many, or missing if negative: count - clip(floor(count + v / theta), 0, T)."""
    return count - _even(v, count, threshold, T)


def forgets_to_clip(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """You do not clip: a silent neuron with a negative input is right, and so is one that fired in every step."""
    return count - (count + v / threshold).floor()


def forgets_the_lower_clip(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """You find spikes too many where none was sent: even arrival makes no fewer than 0, so clip there."""
    return count - (count + v / threshold).floor().clamp(max=T)


def forgets_the_upper_clip(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """You miss spikes in a neuron that fired in every step. That is clipping: even arrival makes no more than T."""
    return count - (count + v / threshold).floor().clamp(min=0)


def has_the_sign_wrong(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """Your sign is the other way round: positive for spikes too many, negative for missing ones."""
    return _even(v, count, threshold, T) - count


def returns_the_even_count(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """You return what even arrival would make. Asked for is how far the neuron's count is from it."""
    return _even(v, count, threshold, T)


def says_only_whether(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """You say whether the count is wrong. Asked for is by how many spikes, and in which direction."""
    return (spikes_off(v, count, threshold, T) != 0).double()


def stops_at_one(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """You never find more than one spike. A potential two thresholds below zero can be two spikes too many."""
    return spikes_off(v, count, threshold, T).clamp(-1, 1)


def forgets_the_floor(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """You return fractions of a spike. Charge short of a threshold makes none: take the floor."""
    return count - (count + v / threshold).clamp(0, T)


def rounds_to_nearest(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """You round to the nearest number of spikes. Charge short of a threshold makes none: take the floor."""
    return count - (count + v / threshold + 0.5).floor().clamp(0, T)


def forgets_the_threshold(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """You take v for a number of spikes. A spike costs one threshold: divide."""
    return count - (count + v).floor().clamp(0, T)


def returns_the_output(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    """You return the error of the mean output. Asked for are spikes: leave out the threshold / T."""
    return threshold / T * spikes_off(v, count, threshold, T)


def _even(v: Tensor, count: Tensor, threshold: float, T: int) -> Tensor:
    return (count + v / threshold).floor().clamp(0, T)


def _histogram(neuron: IF, currents: Tensor, T: int) -> list[int]:
    _, state = neuron(currents)
    return torch.bincount(state.count.long(), minlength=T + 1).tolist()


def _spikes(draw: Random) -> tuple[int, int, int, float]:
    T = draw.randint(3, 5)
    return (
        draw.randint(1, T),
        draw.randint(0, T),
        T,
        draw.choice([0.25, 0.375, 0.5, 0.625, 0.75, 1.0, 1.25, 1.5]),
    )


def _ends(draw: Random) -> tuple[Tensor, Tensor, float, int]:
    """Any count with any potential from three thresholds below zero to three above."""
    threshold, T = draw.choice([0.5, 1.0, 2.0]), draw.randint(1, 6)
    v = torch.tensor([draw.randint(-12, 12) * threshold / 4 for _ in range(12)], dtype=torch.float64)
    return v, torch.tensor([draw.randint(0, T) for _ in v], dtype=torch.float64), threshold, T


_V = torch.tensor([0.25, -0.75, -0.75, 1.0, 1.0, -2.25], dtype=torch.float64)
_COUNT = torch.tensor([2.0, 1.0, 0.0, 3.0, 4.0, 3.0], dtype=torch.float64)


EXERCISES = {
    "06.1": Exercise(
        count_orders,
        [(3, 2, 5, 0.5), (2, 2, 4, 1.0), (3, 1, 5, 0.75), (2, 1, 4, 1.5), (2, 1, 4, 1.25), (4, 1, 5, 1.25)],
        _spikes,
        [
            moves_only_the_first,
            moves_only_the_second,
            lets_no_two_meet,
            counts_different_sums_once,
            resets_to_zero,
            starts_half_full,
            fires_above_only,
            forgets_the_second_input,
            returns_shares,
            leaves_out_zero,
        ],
        "For the five spikes of the examples: 63 of 100 orders are right. You have redrawn the bars of the explorer.",
        entries=("for a count of",),
        counted_from=0,
    ),
    "06.2": Exercise(
        spikes_off,
        [(_V, _COUNT, 1.0, 4), (0.5 * _V, _COUNT, 0.5, 4)],
        _ends,
        [
            forgets_to_clip,
            forgets_the_lower_clip,
            forgets_the_upper_clip,
            has_the_sign_wrong,
            returns_the_even_count,
            says_only_whether,
            stops_at_one,
            forgets_the_floor,
            rounds_to_nearest,
            forgets_the_threshold,
            returns_the_output,
        ],
        "Two numbers that every simulation has at its end, and you know the unevenness error of each neuron.",
        entries=("for neuron",),
    ),
}
