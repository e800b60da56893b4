# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 14, the pitfalls: what its notebook does not show."""

from random import Random

import torch
from torch import Tensor

from snnlab.course.lessons import Answer, Exercise

ANSWERS = {
    "14.1": Answer(
        "it depends on which steps",
        "If both fire in the same steps, it is half of them; if they take turns, all of them. The pool of the ANN "
        "would say one half in both cases: the larger of two equal numbers.",
        {
            "in half of them": "so it is when both fire in the same steps. Nothing makes them do so.",
            "in all of them": "so it is when they take turns. They may also fire together.",
        },
        section=2,
    ),
    "14.2": Answer(
        "clearly fewer",
        "The addition comes in every step. After two steps it is half a threshold in all, which rounds to the "
        "nearest; after 32 it is eight thresholds, and each neuron says a quarter of its threshold too much.",
        {
            "more": "more steps make the stairs finer. But what is added in each step does not become less.",
            "about as many": "the rounding is already right after two steps. Later the addition is no rounding any "
            "more.",
        },
        section=4,
    ),
    "14.3": Answer(
        "fewer than half",
        "Every potential still holds what the images before have left. Much of it is far below zero: neurons that "
        "were silent for one image start the next one deep in debt.",
        {
            "all of them, as well": "it would be so if the neurons held less than a threshold at the end. Most "
            "that were silent hold far less than zero.",
            "a few less": "a remainder of a threshold would do little harm in 32 steps. A debt has no lower end.",
        },
        section=7,
    ),
}


def analog_share(output: Tensor, threshold: float) -> float:
    """The share of outputs that are neither 0 nor the threshold."""
    return ((output != 0) & (output != threshold)).double().mean().item()


def counts_silence_too(output: Tensor, threshold: float) -> float:
    """You count zeros, too. A spiking neuron that sends no spike sends 0."""
    return (output != threshold).double().mean().item()


def counts_spikes_too(output: Tensor, threshold: float) -> float:
    """You count the spikes, too: everything that is not 0. A spike has the size of the threshold."""
    return (output != 0).double().mean().item()


def returns_what_spikes(output: Tensor, threshold: float) -> float:
    """You return the share that a spiking neuron can send. Asked for is the share that it cannot."""
    return 1 - analog_share(output, threshold)


def returns_the_number(output: Tensor, threshold: float) -> float:
    """You return how many there are. Asked for is their share of all outputs."""
    return analog_share(output, threshold) * output.numel()


def takes_one_for_a_spike(output: Tensor, threshold: float) -> float:
    """You take 1 for a spike. Here a spike has the size of the threshold, which need not be 1."""
    return analog_share(output, 1.0)


def lets_multiples_pass(output: Tensor, threshold: float) -> float:
    """You let twice the threshold pass, too. This neuron sends one spike in a step at most."""
    return (output % threshold != 0).double().mean().item()


def looks_only_above(output: Tensor, threshold: float) -> float:
    """You count outputs above the threshold only. What lies between 0 and the threshold is no spike either."""
    return (output > threshold).double().mean().item()


def looks_only_between(output: Tensor, threshold: float) -> float:
    """You count what lies between 0 and the threshold only. What lies above or below is no spike either."""
    return ((output > 0) & (output < threshold)).double().mean().item()


def forgets_what_is_negative(output: Tensor, threshold: float) -> float:
    """You leave out what is below zero. This neuron cannot send it either."""
    return ((output > 0) & (output != threshold)).double().mean().item()


def ignores_the_sign(output: Tensor, threshold: float) -> float:
    """You take minus the threshold for a spike. This neuron cannot take a spike back."""
    return analog_share(output.abs(), threshold)


def says_only_whether(output: Tensor, threshold: float) -> float:
    """You say whether there are any. Asked for is their share of all outputs."""
    return float(analog_share(output, threshold) > 0)


def looks_at_the_mean(output: Tensor, threshold: float) -> float:
    """You look at means over the steps. They lie between 0 and the threshold by right: look at each step."""
    return analog_share(output.mean(0), threshold)


def keeps_the_neurons_apart(output: Tensor, threshold: float) -> Tensor:
    """You return a share for each neuron. Asked for is one number for all outputs."""
    return ((output != 0) & (output != threshold)).double().mean(0)


Trains = list[list[int]]


def surplus(spikes: Trains) -> float:
    """mean over the steps of the maximum, less the maximum of the means."""
    T = len(spikes[0])
    return _pooled(spikes) / T - max(sum(train) for train in spikes) / T


def returns_the_pooled_rate(spikes: Trains) -> float:
    """You return what the pool lets through. Subtract what a pool of rates would say: the largest rate."""
    return _pooled(spikes) / len(spikes[0])


def returns_the_largest_rate(spikes: Trains) -> float:
    """You return the largest rate. Asked for is how far the pool of spikes lies above it."""
    return max(sum(train) for train in spikes) / len(spikes[0])


def turns_the_sign(spikes: Trains) -> float:
    """Your sign is turned: what the pool of spikes lets through comes first, the largest rate is subtracted."""
    return -surplus(spikes)


def counts_spikes(spikes: Trains) -> float:
    """You return a number of spikes. Asked for are shares of the steps: divide by their number."""
    return surplus(spikes) * len(spikes[0])


def lets_all_through(spikes: Trains) -> float:
    """Your pool adds up the spikes of a step. A maximum lets one through, however many there are."""
    T = len(spikes[0])
    return sum(map(sum, spikes)) / T - max(sum(train) for train in spikes) / T


def averages_the_window(spikes: Trains) -> float:
    """Your pool takes the mean of the window in each step. That is average pooling; a maximum was asked for."""
    T = len(spikes[0])
    return sum(map(sum, spikes)) / len(spikes) / T - max(sum(train) for train in spikes) / T


def compares_with_the_mean(spikes: Trains) -> float:
    """You subtract the mean rate of the window. A max pool of the ANN says the largest."""
    T = len(spikes[0])
    return _pooled(spikes) / T - sum(map(sum, spikes)) / len(spikes) / T


def compares_with_the_smallest(spikes: Trains) -> float:
    """You subtract the smallest rate. A max pool of the ANN says the largest."""
    T = len(spikes[0])
    return _pooled(spikes) / T - min(sum(train) for train in spikes) / T


def compares_with_the_first(spikes: Trains) -> float:
    """You subtract the rate of the first neuron. A max pool of the ANN says the largest of all."""
    T = len(spikes[0])
    return _pooled(spikes) / T - sum(spikes[0]) / T


def asks_for_all(spikes: Trains) -> float:
    """Your pool lets a spike through only where all neurons fire. A maximum does so where any of them fires."""
    T = len(spikes[0])
    return sum(map(min, zip(*spikes, strict=True))) / T - max(sum(train) for train in spikes) / T


def pools_over_time(spikes: Trains) -> float:
    """You take the maximum over the steps of each neuron. Take it over the neurons of each step."""
    T = len(spikes[0])
    return sum(map(max, spikes)) / len(spikes) - max(sum(train) for train in spikes) / T


def divides_by_the_neurons(spikes: Trains) -> float:
    """You divide by the number of neurons. A rate is spikes per step: divide by the number of steps."""
    return surplus(spikes) * len(spikes[0]) / len(spikes)


def leaves_out_the_last_step(spikes: Trains) -> float:
    """You leave out the last step of the pool. `range(T)` ends at T - 1 already."""
    T = len(spikes[0])
    return _pooled([train[:-1] for train in spikes]) / T - max(sum(train) for train in spikes) / T


def _pooled(spikes: Trains) -> int:
    """In how many steps any neuron fires."""
    return sum(map(max, zip(*spikes, strict=True)))


def _outputs(draw: Random) -> tuple[Tensor, float]:
    """Mostly 0 and the threshold, and some of what a neuron cannot send."""
    threshold = draw.choice([0.5, 0.75, 1.0, 2.0])
    values = (
        [0.0] * 4 + [threshold] * 3 + [-threshold, 2 * threshold, threshold / 4, 1.5 * threshold, -0.125, 1.0]
    )
    T, N = draw.randint(2, 6), draw.randint(2, 5)
    rows = [[draw.choice(values) for _ in range(N)] for _ in range(T)]
    return torch.tensor(rows, dtype=torch.float64), threshold


def _window(draw: Random) -> tuple[Trains]:
    T, rates = draw.randint(3, 10), [draw.random() for _ in range(draw.randint(2, 4))]
    return ([[int(draw.random() < rate) for _ in range(T)] for rate in rates],)


EXERCISES = {
    "14.1": Exercise(
        analog_share,
        [
            (torch.tensor([[0.0, 2.0, 0.5], [2.0, 0.0, 0.25]], dtype=torch.float64), 2.0),
            (torch.tensor([[1.0, 0.5], [0.5, -0.5], [0.0, 1.5]], dtype=torch.float64), 0.5),
        ],
        _outputs,
        [
            counts_silence_too,
            counts_spikes_too,
            returns_what_spikes,
            returns_the_number,
            takes_one_for_a_spike,
            lets_multiples_pass,
            looks_only_above,
            looks_only_between,
            forgets_what_is_negative,
            ignores_the_sign,
            says_only_whether,
            looks_at_the_mean,
            keeps_the_neurons_apart,
        ],
        "With this you can ask any program's spiking network whether it is one: hook a layer, look at what it sends.",
    ),
    "14.2": Exercise(
        surplus,
        [
            ([[1, 0, 1, 0], [0, 1, 0, 1]],),
            ([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]],),
            ([[0, 1, 0, 0, 1], [1, 0, 1, 0, 1]],),
        ],
        _window,
        [
            returns_the_pooled_rate,
            returns_the_largest_rate,
            turns_the_sign,
            counts_spikes,
            lets_all_through,
            averages_the_window,
            compares_with_the_mean,
            compares_with_the_smallest,
            compares_with_the_first,
            asks_for_all,
            pools_over_time,
            divides_by_the_neurons,
            leaves_out_the_last_step,
        ],
        "It is never below zero, and the larger the window, the larger it is: the maximum of spikes says too much.",
    ),
}
