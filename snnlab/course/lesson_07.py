# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 07, neurons that take a spike back: what its notebook does not show."""

import math
from random import Random

from snnlab.course.lessons import Answer, Exercise, eighths

ANSWERS = {
    "07.1": Answer(
        4,
        "Each of the first four steps brings a whole threshold, so each sends a spike. The four steps after them take "
        "the same charge away again, but a spike that is sent is sent. The mean input is 0, the mean output 1/2.",
        {
            0: "that is what the mean input asks for, and what the ReLU says. But the neuron cannot wait for the mean: "
            "it fires as soon as it can.",
            8: "only the first four steps bring charge.",
        },
    ),
    "07.2": Answer(
        1,
        "The potential must fall to -1 before a spike is taken back. It starts the second half at 0.5, so the first "
        "step down reaches only -0.5: that one costs nothing. Three spikes come back, one stays.",
        {
            0: "four spikes out and four steps down. But the first step down ends at -0.5, above -1.",
            4: "that is IF. This neuron has negative spikes, and uses three of them.",
        },
        section=2,
    ),
    "07.3": Answer(
        "0",
        "Below zero is now enough: each of the four steps down takes one spike back. Nothing is left of a "
        "burst that meant nothing.",
        {
            "1": "that is SNM, whose negative spikes wait for -1.",
            "-1": "the memory forbids it: the fourth spike back brings the count to zero, and no more can follow.",
        },
        section=4,
    ),
    "07.4": Answer(
        "at least 1.3 times as many",
        "A spike that is sent and taken back is two spikes. The net count is nearer to the truth, but every "
        "correction is paid for.",
        {
            "fewer: it takes spikes back": "fewer are left in the end. But the one that takes back is sent, too.",
            "about as many": "so it would be if hardly a spike had to be taken back. With uneven input many must.",
        },
        section=5,
    ),
    "07.5": Answer(
        "IF",
        "What an IF neuron has before it pays is, by the books, its start and all its input, less a threshold for each "
        "spike so far. The counter says just that. It is a reset by subtraction, written without one.",
        {
            "SNM": "it counts its spikes too. But its count permits a spike of -1, and the counter has none.",
            "none": "there is no reset in it, and there is a memory. But a threshold less for each spike sent is what "
            "a reset by subtraction leaves, and v is a memory too.",
        },
        section=6,
    ),
}


def signed_train(current: list[float], threshold: float, v0: float) -> list[float]:
    """SNM: +1 at v >= theta, -1 at v <= -theta if the net count is above zero."""
    return _train(current, threshold, v0, threshold)


def _train(
    current: list[float], threshold: float, v0: float, level: float, gated: bool = True, subtract: bool = True
) -> list[float]:
    v, net, spikes = v0, 0, []
    for z in current:
        v = v + z
        spike = 1 if v >= threshold else -1 if v <= -level and v < 0 and (net > 0 or not gated) else 0
        v = v - threshold * (spike if subtract else max(spike, 0))
        net = net + spike
        spikes.append(spike)
    return list(spikes)


def never_takes_back(current: list[float], threshold: float, v0: float) -> list[float]:
    """That is IF: it never sends -1. When v <= -theta and something was sent, take a spike back."""
    return _train(current, threshold, v0, math.inf)


def forgets_the_gate(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron sends -1 although nothing is left to take back. Count what was sent, and look at the count first."""
    return _train(current, threshold, v0, threshold, gated=False)


def takes_back_below_zero(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron takes a spike back as soon as v < 0. That is the next one of the lesson; SNM waits for -theta."""
    return _train(current, threshold, v0, 0.0)


def is_not_paid_back(current: list[float], threshold: float, v0: float) -> list[float]:
    """A spike taken back must be paid back: after a spike of -1 the potential rises by one threshold."""
    return _train(current, threshold, v0, threshold, subtract=False)


def takes_back_only_below(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron waits until v < -theta. The convention is `<=`, as firing is `>=`."""
    v, net, spikes = v0, 0, []
    for z in current:
        v = v + z
        spike = 1 if v >= threshold else -1 if v < -threshold and net > 0 else 0
        v, net = v - threshold * spike, net + spike
        spikes.append(spike)
    return list(spikes)


def counts_only_upwards(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your memory counts the spikes sent and forgets those taken back: it must be the net count."""
    v, sent, spikes = v0, 0, []
    for z in current:
        v = v + z
        spike = 1 if v >= threshold else -1 if v <= -threshold and sent > 0 else 0
        v, sent = v - threshold * spike, sent + max(spike, 0)
        spikes.append(spike)
    return list(spikes)


def fires_only_above(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron fires at `v > threshold`. The convention is `>=`: a potential that just reaches it fires."""
    v, net, spikes = v0, 0, []
    for z in current:
        v = v + z
        spike = 1 if v > threshold else -1 if v <= -threshold and net > 0 else 0
        v, net = v - threshold * spike, net + spike
        spikes.append(spike)
    return list(spikes)


def resets_to_zero(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron sets v to zero after a spike. Subtract threshold x spike: what is above the threshold stays."""
    v, net, spikes = v0, 0, []
    for z in current:
        v = v + z
        spike = 1 if v >= threshold else -1 if v <= -threshold and net > 0 else 0
        v, net = 0.0 if spike else v, net + spike
        spikes.append(spike)
    return list(spikes)


def pays_one(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron pays 1 for a spike. It should pay the threshold, which is 1 only in some of the tests."""
    v, net, spikes = v0, 0, []
    for z in current:
        v = v + z
        spike = 1 if v >= threshold else -1 if v <= -threshold and net > 0 else 0
        v, net = v - spike, net + spike
        spikes.append(spike)
    return list(spikes)


def forgets_v0(current: list[float], threshold: float, v0: float) -> list[float]:
    """You forgot `v0`: the potential does not start at zero, it starts there."""
    return signed_train(current, threshold, 0.0)


def fires_before_charging(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron fires before it adds the step's input, so that every spike is one step late. Charge first."""
    return signed_train([0.0, *current[:-1]], threshold, v0)


def returns_the_net_count(current: list[float], threshold: float, v0: float) -> list[float]:
    """You return the net count after each step. Asked for are the spikes: 1, 0 or -1."""
    spikes = signed_train(current, threshold, v0)
    return [sum(spikes[: t + 1]) for t in range(len(spikes))]


def returns_the_output(current: list[float], threshold: float, v0: float) -> list[float]:
    """You return threshold x spike, which is what the neuron emits. Asked for are the spikes: 1, 0 or -1."""
    return [threshold * spike for spike in signed_train(current, threshold, v0)]


def returns_in_the_loop(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your list ends after the first step: `return` stands inside the loop. Move it to the left, behind the loop."""
    return signed_train(current[:1], threshold, v0)


def settled_count(current: list[float], threshold: float, v0: float) -> int:
    """max(0, floor((sum z + v0) / theta))."""
    return max(0, math.floor((sum(current) + v0) / threshold))


def may_be_negative(current: list[float], threshold: float, v0: float) -> int:
    """Your count falls below zero. The memory stops it there: a neuron cannot take back what it never sent."""
    return math.floor((sum(current) + v0) / threshold)


def leaves_out_v0(current: list[float], threshold: float, v0: float) -> int:
    """You left out `v0`: the potential that was there before the first step is charge too."""
    return settled_count(current, threshold, 0.0)


def rounds_to_the_nearest(current: list[float], threshold: float, v0: float) -> int:
    """You round to the nearest whole number. A spike needs a whole threshold: round down. (`v0` does the rest.)"""
    return max(0, math.floor((sum(current) + v0) / threshold + 0.5))


def counts_in_units_of_one(current: list[float], threshold: float, v0: float) -> int:
    """A spike costs one threshold, not 1: divide the charge by the threshold."""
    return settled_count(current, 1.0, v0)


def stops_at_the_steps(current: list[float], threshold: float, v0: float) -> int:
    """Your count stops at the number of steps. But the neuron goes on sending after its input has ended."""
    return min(len(current), settled_count(current, threshold, v0))


def drops_negative_inputs(current: list[float], threshold: float, v0: float) -> int:
    """You add up only the positive inputs. What comes in negative takes spikes back."""
    return settled_count([max(z, 0.0) for z in current], threshold, v0)


def rounds_up(current: list[float], threshold: float, v0: float) -> int:
    """You round up. A spike needs a whole threshold: round down."""
    return max(0, math.ceil((sum(current) + v0) / threshold))


def rounds_towards_zero(current: list[float], threshold: float, v0: float) -> int:
    """Your count falls below zero, where `int` rounds up besides. Take the maximum of 0 and the count."""
    return int((sum(current) + v0) / threshold)


def does_not_round(current: list[float], threshold: float, v0: float) -> float:
    """You return a fraction. Spikes are whole: round down."""
    return max(0.0, (sum(current) + v0) / threshold)


def subtracts_v0(current: list[float], threshold: float, v0: float) -> int:
    """You subtracted `v0`. It was there at the start, so it counts with what came in."""
    return settled_count(current, threshold, -v0)


def drops_the_sign(current: list[float], threshold: float, v0: float) -> int:
    """You take the size of the charge. Negative charge makes no spike: there the count is 0."""
    return math.floor(abs(sum(current) + v0) / threshold)


def returns_the_charge(current: list[float], threshold: float, v0: float) -> float:
    """You return the value that the spikes carry. Asked for is their number: leave out the threshold."""
    return threshold * settled_count(current, threshold, v0)


def _input(draw: Random) -> tuple[list[float], float, float]:
    threshold = draw.choice([0.5, 1.0, 2.0])
    return eighths(draw, draw.randint(4, 10), -2, 2), threshold, threshold * draw.randrange(8) / 8


def _charge(draw: Random) -> tuple[list[float], float, float]:
    threshold = draw.choice([0.5, 1.0, 2.0])
    return eighths(draw, draw.randint(2, 4), -1, 3), threshold, threshold * draw.randrange(8) / 8


TRAINS = [
    ([1.0] * 4 + [-1.0] * 4, 1.0, 0.5),
    ([-0.5] * 8, 1.0, 0.0),
    ([0.75, 0.75, -0.5, -0.5, -0.75, 0.5, 1.0], 0.5, 0.25),
    ([2.0, 0.0, -3.0, -1.0, -1.0, 2.0], 1.0, 0.0),
    ([1.0, -1.0, -1.0, -1.0], 1.0, 0.0),
    ([1.0, 1.0, -2.0, -1.0, -1.0, -1.0, 0.25], 1.0, 0.0),
]
CHARGES = [
    ([0.75, 0.5, -0.25], 1.0, 0.5),
    ([0.5, 0.25], 1.0, 0.5),
    ([-0.5, -0.75], 1.0, 0.0),
    ([1.0, 0.25, 0.375], 0.5, 0.125),
    ([5.0, 0.25], 1.0, 0.0),
    ([2.0, -1.75, 0.5], 2.0, 1.0),
]

EXERCISES = {
    "07.1": Exercise(
        signed_train,
        TRAINS,
        _input,
        [
            never_takes_back,
            forgets_the_gate,
            takes_back_below_zero,
            is_not_paid_back,
            takes_back_only_below,
            counts_only_upwards,
            fires_only_above,
            resets_to_zero,
            pays_one,
            forgets_v0,
            fires_before_charging,
            returns_the_net_count,
            returns_the_output,
            returns_in_the_loop,
        ],
        "This is the signed neuron with memory: one more comparison than IF, and one counter.",
        entries=("in step",),
    ),
    "07.2": Exercise(
        settled_count,
        CHARGES,
        _charge,
        [
            may_be_negative,
            leaves_out_v0,
            rounds_to_the_nearest,
            counts_in_units_of_one,
            stops_at_the_steps,
            drops_negative_inputs,
            rounds_up,
            rounds_towards_zero,
            does_not_round,
            subtracts_v0,
            drops_the_sign,
            returns_the_charge,
        ],
        "No order appears in it: once the input has ended, only the sum counts. That is a ReLU, rounded down.",
    ),
}
