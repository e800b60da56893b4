# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 01, a neuron that counts: what its notebook does not show."""

from random import Random

from snnlab.course.lessons import Answer, Exercise, eighths

ANSWERS = {
    "01.1": Answer(
        6,
        "Sixteen steps bring 16 x 0.375 = 6 units of charge, and each spike pays exactly one threshold. What a "
        "spike leaves over stays in the neuron and counts towards the next one.",
        {
            0: "no single input reaches the threshold. But the potential remembers: it adds them up.",
            5: "three steps to reach the threshold, and 16 / 3 is 5.3. That would be right if a spike emptied the "
            "neuron; here the 0.125 above the threshold stays. (It is also what firing at > instead of >= gives.)",
            16: "the input is there in every step. But a spike costs 1, and a step brings only 0.375.",
        },
    ),
    "01.2": Answer(
        1,
        "A neuron fires at most once a step. The other 5 units are not lost: they are in the potential, "
        "and five more steps without any input would turn them into five more spikes.",
        {
            6: "charge is conserved, so six units should be six spikes. But conservation counts the spikes *and* the "
            "potential that is left: 1 + 5 = 6.",
            5: "it is what stays behind in the potential.",
            0: "nothing comes for 15 steps, but in the last one the potential is far above the threshold.",
        },
        section=2,
    ),
    "01.3": Answer(
        "it does not change",
        "Two inputs reach the threshold, one does not: a spike every second step, at 0.5 as at 0.99. What lies "
        "above the threshold is thrown away by the reset.",
        {
            "it grows with the current": "it would with reset by subtraction, where the surplus brings the next spike "
            "forward.",
            "it falls": "more charge is thrown away as the current grows, but never a spike.",
        },
        section=4,
    ),
    "01.4": Answer(
        "0",
        "The leak takes a quarter of the potential in each step. At v = 0.8 that is 0.2, all that comes in: "
        "the potential settles there, below the threshold of 1, for ever.",
        {
            "about 150": "three quarters of 200. But the leak is a share of the potential, not of the input.",
            "200": "that is the neuron without a leak: 1,000 x 0.2.",
        },
        section=5,
    ),
}


def spike_train(current: list[float], threshold: float, v0: float) -> list[float]:
    """Charge, fire with >=, subtract: 0 or 1 for each step."""
    v, spikes = v0, []
    for z in current:
        v = v + z
        spike = 1 if v >= threshold else 0
        v = v - threshold * spike
        spikes.append(spike)
    return list(spikes)


def fires_only_above(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron fires at `v > threshold`. The convention is `>=`: a potential that just reaches it fires."""
    v, spikes = v0, []
    for z in current:
        v = v + z
        spikes.append(1.0 if v > threshold else 0.0)
        v = v - threshold * spikes[-1]
    return spikes


def resets_to_zero(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron resets to zero: the charge above the threshold should stay. Subtract the threshold instead."""
    v, spikes = v0, []
    for z in current:
        v = v + z
        spikes.append(1.0 if v >= threshold else 0.0)
        v = 0.0 if spikes[-1] else v
    return spikes


def resets_to_v0(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron goes back to `v0` after a spike. `v0` counts only once, before the first step."""
    v, spikes = v0, []
    for z in current:
        v = v + z
        spikes.append(1.0 if v >= threshold else 0.0)
        v = v0 if spikes[-1] else v
    return spikes


def forgets_v0(current: list[float], threshold: float, v0: float) -> list[float]:
    """You forgot `v0`: the potential does not start at zero, it starts there."""
    return spike_train(current, threshold, 0.0)


def fires_before_charging(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron fires before it adds the step's input, so that every spike is one step late. Charge first."""
    return spike_train([0.0, *current[:-1]], threshold, v0)


def never_resets(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron never pays for its spikes: after a spike, subtract the threshold from the potential."""
    return [1.0 if v0 + sum(current[: t + 1]) >= threshold else 0.0 for t in range(len(current))]


def subtracts_one(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron pays 1 for a spike. It should pay the threshold, which is 1 only in some of the tests."""
    v, spikes = v0, []
    for z in current:
        v = v + z
        spikes.append(1.0 if v >= threshold else 0.0)
        v = v - spikes[-1]
    return spikes


def forgets_the_past(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron compares each input alone with the threshold. Add it to the potential of the step before."""
    return [1.0 if z >= threshold else 0.0 for z in current]


def fires_several_times(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron fires several spikes in one step. This one fires at most one; the rest waits in the potential."""
    v, spikes = v0, []
    for z in current:
        v = v + z
        spikes.append(max(0.0, v // threshold))
        v = v - threshold * spikes[-1]
    return spikes


def returns_the_output(current: list[float], threshold: float, v0: float) -> list[float]:
    """You return threshold x spike, which is what the neuron emits. Asked for are the spikes: 0 or 1."""
    return [threshold * spike for spike in spike_train(current, threshold, v0)]


def returns_the_potential(current: list[float], threshold: float, v0: float) -> list[float]:
    """You return the potentials. Asked for are the spikes: 0 or 1 for each step."""
    spikes = spike_train(current, threshold, v0)
    return [v0 + sum(current[: t + 1]) - threshold * sum(spikes[: t + 1]) for t in range(len(current))]


def returns_the_count(current: list[float], threshold: float, v0: float) -> float:
    """You return how many spikes there were. Asked for is a list: 0 or 1 for each step."""
    return sum(spike_train(current, threshold, v0))


def never_falls_below_zero(current: list[float], threshold: float, v0: float) -> list[float]:
    """You keep the potential at 0 or above. It may be negative: what is taken must come in again first."""
    v, spikes = v0, []
    for z in current:
        v = max(0.0, v + z)
        spikes.append(1.0 if v >= threshold else 0.0)
        v = v - threshold * spikes[-1]
    return spikes


def fires_on_the_size(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your neuron fires at `v <= -threshold` too, as if only the size of v counted. It fires at `v >= threshold`."""
    v, spikes = v0, []
    for z in current:
        v = v + z
        spikes.append(1.0 if abs(v) >= threshold else 0.0)
        v = v - threshold * spikes[-1]
    return spikes


def drops_negative_inputs(current: list[float], threshold: float, v0: float) -> list[float]:
    """You leave negative inputs out. They take charge away: add every input, whatever its sign."""
    return spike_train([max(0.0, z) for z in current], threshold, v0)


def returns_in_the_loop(current: list[float], threshold: float, v0: float) -> list[float]:
    """Your list ends after the first step: `return` stands inside the loop. Move it to the left, behind the loop."""
    return spike_train(current[:1], threshold, v0)


def charge_left(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """v[T] = sum z + v0 - theta * (number of spikes)."""
    return sum(current) + v0 - threshold * spikes


def leaves_v0_out(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """You left `v0` out: what the neuron held before the first step is charge too."""
    return sum(current) - threshold * spikes


def takes_v0_away(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """You subtracted `v0`. It was there at the start, so it counts with what came in."""
    return sum(current) - v0 - threshold * spikes


def pays_one_a_spike(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """You subtracted the number of spikes. Each spike costs one threshold, which need not be 1."""
    return sum(current) + v0 - spikes


def takes_the_mean(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """You took the mean of the current. Charge is what came in altogether: the sum over the steps."""
    return sum(current) / len(current) + v0 - threshold * spikes


def turns_the_sign(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """Your sign is turned: left is what came in minus what went out."""
    return threshold * spikes - sum(current) - v0


def stops_at_zero(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """You cut the result at zero. A potential may be negative: a negative current takes charge away."""
    return max(0.0, charge_left(current, threshold, v0, spikes))


def forgets_the_spikes(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """You left the spikes out: each took one threshold from the potential."""
    return sum(current) + v0


def pays_nothing_back(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """You added what the spikes cost. It has left the neuron: subtract it."""
    return sum(current) + v0 + threshold * spikes


def pays_in_every_step(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """You subtracted a threshold for every step. Only steps with a spike cost one: there are `spikes` of them."""
    return sum(current) + v0 - threshold * len(current)


def ignores_negative_inputs(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """You left negative inputs out of the sum. They count: they take charge away."""
    return sum(z for z in current if z > 0) + v0 - threshold * spikes


def counts_in_thresholds(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """You return how many thresholds are left. Asked for is the potential itself: do not divide by the threshold."""
    return charge_left(current, threshold, v0, spikes) / threshold


def takes_the_remainder(current: list[float], threshold: float, v0: float, spikes: int) -> float:
    """You took the remainder of a division by the threshold. The neuron may hold more than one threshold."""
    return (sum(current) + v0) % threshold


def _train(draw: Random) -> tuple[list[float], float, float]:
    threshold = draw.choice([0.5, 1.0, 2.0])
    return eighths(draw, draw.randint(3, 10), -1, 2), threshold, threshold * draw.randrange(8) / 8


def _books(draw: Random) -> tuple[list[float], float, float, int]:
    return *_train(draw), draw.randint(0, 6)


EXERCISES = {
    "01.1": Exercise(
        spike_train,
        [
            ([0.75, 0.5, 0.25, 0.75], 1.0, 0.0),
            ([0.5, 0.5, 0.5, 0.5], 2.0, 0.75),
            ([0.375] * 16, 1.0, 0.0),
            ([1.75, 0.25, -0.5, 2.5, 0.0, 0.0, 0.25], 1.0, 0.25),
            ([0.25, 0.25, 0.375, 0.0, 0.125], 0.5, 0.25),
            ([0.5, -1.0, 0.5, 0.75, -2.5, 1.5, 1.0], 1.0, 0.0),
        ],
        _train,
        [
            fires_only_above,
            resets_to_zero,
            resets_to_v0,
            forgets_v0,
            fires_before_charging,
            never_resets,
            subtracts_one,
            forgets_the_past,
            fires_several_times,
            returns_the_output,
            returns_the_potential,
            returns_the_count,
            never_falls_below_zero,
            fires_on_the_size,
            drops_negative_inputs,
            returns_in_the_loop,
        ],
        "Charge, fire with >=, subtract: these three lines are the whole neuron, here and in every lesson to come.",
        entries=("in step",),
    ),
    "01.2": Exercise(
        charge_left,
        [
            ([0.375] * 16, 1.0, 0.25, 6),
            ([0.5, 0.0, 3.0, 1.0], 0.5, 0.25, 3),
            ([0.5, -2.0, 0.25], 2.0, 0.5, 0),
        ],
        _books,
        [
            leaves_v0_out,
            takes_v0_away,
            pays_one_a_spike,
            takes_the_mean,
            turns_the_sign,
            stops_at_zero,
            takes_the_remainder,
            forgets_the_spikes,
            pays_nothing_back,
            pays_in_every_step,
            ignores_negative_inputs,
            counts_in_thresholds,
        ],
        "You needed no simulation: the books balance, whatever the order in which the input came.",
    ),
}
