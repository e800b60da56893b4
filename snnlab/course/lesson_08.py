# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 08, calcium and its gate: what its notebook does not show."""

import math
from random import Random

from snnlab.course.lessons import Answer, Exercise

ANSWERS = {
    "08.1": Answer(
        5,
        "When the input turns, calcium has faded to about 1. The first spike back takes a whole 1 off it, and what is "
        "left is below zero: the gate shuts, and five spikes stand for an input that came to nothing.",
        {
            1: "that is SNM, which knows for ever how many spikes it has sent.",
            0: "nothing came in on average, so nothing should go out. But even SNM would keep one, in its dead zone.",
            6: "a spike comes back while there is calcium, and there is some when the input turns: enough for one.",
        },
    ),
    "08.2": Answer(
        "none",
        "With decay = 1 calcium is the sum of all spikes, positive and negative: the net count, SNM's memory.",
        {
            "about 1 %": "the gate opens above 0.001 and not above 0. But a sum of whole numbers is never in between.",
            "about a quarter": "calcium sounds like another thing. With decay = 1 it is the count.",
        },
        section=2,
    ),
    "08.3": Answer(
        "in every fifth step",
        "In each step the potential covers a quarter of its distance to the input: 0.375, 0.66, 0.87, 1.03. Four "
        "steps to the threshold, the spike in the step after, and the reset throws away what was above.",
        {
            "in every step": "that is IF, to which each step brings more than a threshold. Here the membrane takes up "
            "a quarter of the distance.",
            "in every second step": "the input is above the threshold, but the potential only creeps towards it.",
        },
        section=4,
    ),
    "08.4": Answer(
        "it guesses",
        "Thresholds are the 99.9th percentile of the activations, so nearly all inputs lie below them: nearly all "
        "neurons are silent for ever, and the next layer hears nothing.",
        {
            "like IF": "more steps mend rounding. Here the curve itself is wrong: it is 0 up to the threshold.",
            "some points below IF": "where the curve is wrong for a few inputs that holds. Here it is wrong for nearly "
            "all of them.",
        },
        section=4,
    ),
}


def calcium_trace(spikes: list[float], decay: float) -> list[float]:
    """c <- decay * c + s[t], from 0."""
    trace, c = [], 0.0
    for s in spikes:
        c = decay * c + s
        trace.append(c)
    return trace


def counts_without_fading(spikes: list[float], decay: float) -> list[float]:
    """Your calcium does not fade: multiply what is there by `decay` before the spike is added."""
    return calcium_trace(spikes, 1.0)


def fades_after_the_spike(spikes: list[float], decay: float) -> list[float]:
    """Your newest spike has faded already: first what is there fades, then the spike is added."""
    return [decay * c for c in calcium_trace(spikes, decay)]


def ignores_spikes_back(spikes: list[float], decay: float) -> list[float]:
    """Your calcium rises with every spike. One of -1 takes 1 away."""
    return calcium_trace([abs(s) for s in spikes], decay)


def stops_at_zero(spikes: list[float], decay: float) -> list[float]:
    """You keep calcium at 0 or above. This model lets it fall below: the next spike must make up for it first."""
    trace, c = [], 0.0
    for s in spikes:
        c = max(0.0, decay * c + s)
        trace.append(c)
    return trace


def is_set_to_one(spikes: list[float], decay: float) -> list[float]:
    """Your calcium is set by a spike, as in the hard-reset neuron. Here a spike is added to what is there."""
    trace, c = [], 0.0
    for s in spikes:
        c = s or decay * c
        trace.append(c)
    return trace


def forgets_the_past(spikes: list[float], decay: float) -> list[float]:
    """You return the spikes. Calcium remembers: add each spike to what is left of those before it."""
    return list(spikes)


def fades_by_the_rest(spikes: list[float], decay: float) -> list[float]:
    """You keep 1 - decay of it. `decay` is the share that stays."""
    return calcium_trace(spikes, 1 - decay)


def fades_by_an_amount(spikes: list[float], decay: float) -> list[float]:
    """You subtract `decay`. It is a share: multiply by it."""
    trace, c = [], 0.0
    for s in spikes:
        c = c - decay + s
        trace.append(c)
    return trace


def shares_out(spikes: list[float], decay: float) -> list[float]:
    """You weigh the new spike with 1 - decay, as a moving average does. Here it counts in full."""
    return [(1 - decay) * c for c in calcium_trace(spikes, decay)]


def hears_no_spike_back(spikes: list[float], decay: float) -> list[float]:
    """You leave out spikes of -1. Each takes 1 away."""
    return calcium_trace([max(s, 0.0) for s in spikes], decay)


def starts_at_one(spikes: list[float], decay: float) -> list[float]:
    """Your calcium starts at 1. It starts at 0."""
    return [c + decay ** (t + 1) for t, c in enumerate(calcium_trace(spikes, decay))]


def returns_the_end(spikes: list[float], decay: float) -> float:
    """You return what is there in the end. Asked for is a list: the calcium after each step."""
    return calcium_trace(spikes, decay)[-1]


def returns_in_the_loop(spikes: list[float], decay: float) -> list[float]:
    """Your list ends after the first step: `return` stands inside the loop. Move it to the left, behind the loop."""
    return calcium_trace(spikes[:1], decay)


def interval(z: float, threshold: float, tau: float) -> float:
    """The least k with z (1 - (1 - 1/tau)^k) >= theta, and one more; infinite for z <= theta."""
    if z <= threshold:
        return math.inf
    v, k = 0.0, 0
    while v < threshold:
        v, k = v + (z - v) / tau, k + 1
    return k + 1


def forgets_the_late_spike(z: float, threshold: float, tau: float) -> float:
    """You are a step short: the neuron looks at the potential of the step before, so it fires one step later."""
    return interval(z, threshold, tau) - 1


def integrates_without_leak(z: float, threshold: float, tau: float) -> float:
    """You add z / tau in each step. The potential moves by a share of what is missing, (z - v) / tau, ever less."""
    return math.ceil(threshold * tau / z) + 1 if z > 0 else math.inf


def hears_small_inputs(z: float, threshold: float, tau: float) -> float:
    """An input up to the threshold never fires: the answer is `math.inf`."""
    return interval(z, threshold, tau) if z > threshold else round(tau * 4)


def is_the_continuous_one(z: float, threshold: float, tau: float) -> float:
    """tau ln(z / (z - theta)) is the interval in continuous time. Here time goes in steps: count them."""
    return tau * math.log(z / (z - threshold)) if z > threshold else math.inf


def fires_only_above(z: float, threshold: float, tau: float) -> float:
    """Your neuron waits until v > threshold. It fires from `v >= threshold` on."""
    return interval(z, threshold * (1 + 1e-9), tau)


def counts_one_too_many(z: float, threshold: float, tau: float) -> float:
    """You count a step too many: the steps until v >= threshold, and one more."""
    return interval(z, threshold, tau) + 1


def leaks_nothing_but_itself(z: float, threshold: float, tau: float) -> float:
    """You add all of z and divide only v by tau. The potential moves by (z - v) / tau: both are divided."""
    if tau * z <= threshold:
        return math.inf
    v, k = 0.0, 0
    while v < threshold:
        v, k = v + z - v / tau, k + 1
    return k + 1


def moves_at_once(z: float, threshold: float, tau: float) -> float:
    """Your potential is there after a single step. It moves by (z - v) / tau in each: by a share of what is missing."""
    return 2 if z > threshold else math.inf


def takes_the_threshold_for_one(z: float, threshold: float, tau: float) -> float:
    """Your threshold is always 1. It is given."""
    return interval(z, 1.0, tau)


def returns_the_rate(z: float, threshold: float, tau: float) -> float:
    """You return spikes per step. Asked for are the steps from one spike to the next."""
    return 1 / interval(z, threshold, tau)


def gives_zero_for_never(z: float, threshold: float, tau: float) -> float:
    """You return 0 where it never fires. The spike never comes: the answer is `math.inf`."""
    return interval(z, threshold, tau) if z > threshold else 0


def fires_at_the_threshold_itself(z: float, threshold: float, tau: float) -> float:
    """An input just at the threshold never fires either: the potential comes ever nearer to it, but never there."""
    return 10 * tau if z == threshold else interval(z, threshold, tau)


def _spikes(draw: Random) -> tuple[list[float], float]:
    return [draw.choice([-1.0, 0.0, 1.0, 1.0]) for _ in range(draw.randint(4, 8))], draw.choice(
        [0.25, 0.5, 0.75]
    )


def _drive(draw: Random) -> tuple[float, float, float]:
    return draw.randint(-4, 32) / 8, draw.choice([0.5, 1.0, 1.5, 2.0]), draw.choice([2.0, 4.0, 8.0])


TRAINS = [
    ([1.0, 0.0, 0.0, 1.0], 0.5),
    ([1.0, 1.0, -1.0, 0.0, -1.0], 0.25),
    ([1.0, -1.0, 0.0, 1.0, 1.0], 0.75),
    ([0.0, 1.0, 1.0, 1.0, -1.0, 0.0], 0.5),
]
INPUTS = [
    (2.0, 1.0, 4.0),
    (1.5, 1.0, 4.0),
    (0.75, 1.0, 4.0),
    (3.0, 2.0, 2.0),
    (1.25, 0.5, 8.0),
    (-0.5, 1.0, 4.0),
    (2.0, 1.0, 2.0),
    (1.0, 1.0, 4.0),
]

EXERCISES = {
    "08.1": Exercise(
        calcium_trace,
        TRAINS,
        _spikes,
        [
            counts_without_fading,
            fades_after_the_spike,
            ignores_spikes_back,
            stops_at_zero,
            is_set_to_one,
            forgets_the_past,
            fades_by_the_rest,
            fades_by_an_amount,
            shares_out,
            hears_no_spike_back,
            starts_at_one,
            returns_the_end,
            returns_in_the_loop,
        ],
        "One line: what is there fades, what happens is added.",
        entries=("in step",),
    ),
    "08.2": Exercise(
        interval,
        INPUTS,
        _drive,
        [
            forgets_the_late_spike,
            integrates_without_leak,
            hears_small_inputs,
            is_the_continuous_one,
            fires_only_above,
            counts_one_too_many,
            leaks_nothing_but_itself,
            moves_at_once,
            takes_the_threshold_for_one,
            returns_the_rate,
            gives_zero_for_never,
            fires_at_the_threshold_itself,
        ],
        "One over this interval is the neuron's rate, and it is no straight line: so it does not convert.",
        endless="An input up to the threshold never gets there: return `math.inf` for it, before the loop.",
    ),
}
