# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 12, all methods side by side: what its notebook does not show."""

import math
from random import Random

from snnlab.course.lessons import Answer, Exercise

ANSWERS = {
    "12.1": Answer(
        "about half",
        "Half of the methods take an ordinary ReLU network as it is; the others ask for an activation that clips or "
        "rounds, and so for a training of their own.",
        {
            "nearly all": "conversion is known for needing no training. It is the older half, and some of the "
            "newest, "
            "that need none.",
            "hardly any": "the other half trains with a clip or a staircase, but that is not the only way.",
        },
    ),
    "12.2": Answer(
        "16",
        "Each of the three layers sees all four steps once before it answers, and then runs its own four: four times "
        "four in all, one after the other.",
        {
            "4": "so the paper counts: the steps of the final run. But no answer is there before the others are "
            "done.",
            "8": "one run ahead for the whole network would be that. But each layer needs the final output of the "
            "layer before it.",
        },
        section=3,
    ),
    "12.3": Answer(
        "no",
        "At eight steps nearly all are within a point of their ANN, and a point is four images. Where the task "
        "is easy, "
        "a ranking is noise.",
        {
            "yes": "the numbers differ, and one is the highest. But most lie within four images of it: that is chance.",
            "only for the signed neurons": "at eight steps they are no further from the best than most others.",
        },
        section=4,
    ),
    "12.4": Answer(
        "more than ten points worse",
        "A silent neuron may get charge and still not reach its threshold, and then nothing of it is seen. The "
        "next pass measures what is still missing.",
        {
            "as good": "at eight steps it is, to two points: there a charge of less than a threshold matters less.",
            "more than ten points better": "three passes could overdo it if they only added. With the sign each asks "
            "what is missing now, and takes back what is too much.",
        },
        section=5,
    ),
}


def steps_to(accuracy: dict[int, float], goal: float, share: float) -> float:
    """The fewest steps from which on the accuracy stays at share * goal; infinite if it never does."""
    reached = math.inf
    for T in sorted(accuracy, reverse=True):
        if accuracy[T] < share * goal:
            break
        reached = T
    return reached


def stops_at_the_first(accuracy: dict[int, float], goal: float, share: float) -> float:
    """You take the first time. If the accuracy falls again later, one could not know when to stop."""
    return min((T for T, value in accuracy.items() if value >= share * goal), default=math.inf)


def forgets_the_goal(accuracy: dict[int, float], goal: float, share: float) -> float:
    """You compare with the share alone: it is a share of the ANN's accuracy."""
    return steps_to(accuracy, 1.0, share)


def wants_more(accuracy: dict[int, float], goal: float, share: float) -> float:
    """Exactly the share is enough: compare with `>=`."""
    reached = math.inf
    for T in sorted(accuracy, reverse=True):
        if accuracy[T] <= share * goal:
            break
        reached = T
    return reached


def gives_up(accuracy: dict[int, float], goal: float, share: float) -> float:
    """If the accuracy never gets there, the answer is `math.inf`, not the last number of steps."""
    found = steps_to(accuracy, goal, share)
    return max(accuracy) if math.isinf(found) else found


def trusts_the_order(accuracy: dict[int, float], goal: float, share: float) -> float:
    """The steps are not sorted in the dictionary. Sort them."""
    reached = math.inf
    for T in reversed(list(accuracy)):
        if accuracy[T] < share * goal:
            break
        reached = T
    return reached


def stops_at_the_last(accuracy: dict[int, float], goal: float, share: float) -> float:
    """You return the most steps that reach it. Asked for is from when on: the fewest from which it stays."""
    return math.inf if math.isinf(steps_to(accuracy, goal, share)) else max(accuracy)


def forgets_the_share(accuracy: dict[int, float], goal: float, share: float) -> float:
    """You wait for all of the ANN's accuracy. A share of it is enough."""
    return steps_to(accuracy, goal, 1.0)


def subtracts_the_share(accuracy: dict[int, float], goal: float, share: float) -> float:
    """You subtract: (1 - share) below the ANN is another line. It is a share: multiply."""
    return steps_to(accuracy, goal - (1 - share), 1.0)


def returns_the_accuracy(accuracy: dict[int, float], goal: float, share: float) -> float:
    """You return the accuracy. Asked for is the number of steps."""
    reached = steps_to(accuracy, goal, share)
    return accuracy[int(reached)] if reached < math.inf else math.inf


def goes_one_too_far(accuracy: dict[int, float], goal: float, share: float) -> float:
    """You return the number of steps at which it is missed for the last time. Asked for is the one after it."""
    missed = [T for T in accuracy if accuracy[T] < share * goal]
    return max(missed) if missed else min(accuracy)


def takes_the_best(accuracy: dict[int, float], goal: float, share: float) -> float:
    """You return the steps with the highest accuracy. Enough is a share of the ANN's."""
    return (
        math.inf if math.isinf(steps_to(accuracy, goal, share)) else max(accuracy, key=lambda T: accuracy[T])
    )


def counts_how_many(accuracy: dict[int, float], goal: float, share: float) -> float:
    """You count how many numbers of steps reach it. Asked for is the fewest steps from which on all do."""
    return sum(value >= share * goal for value in accuracy.values())


def latency(T: int, layers: int, looks_ahead: bool) -> int:
    """T, or T (1 + layers) for neurons that look ahead."""
    return T * (1 + layers) if looks_ahead else T


def counts_the_last_run(T: int, layers: int, looks_ahead: bool) -> int:
    """You count the final run only. Layers that look ahead have run before it."""
    return T


def looks_ahead_once(T: int, layers: int, looks_ahead: bool) -> int:
    """You count one run ahead for all layers. Each needs the final spikes of the layer before it: one for each."""
    return 2 * T if looks_ahead else T


def forgets_the_final_run(T: int, layers: int, looks_ahead: bool) -> int:
    """After the runs ahead comes the one that counts: add it."""
    return T * layers if looks_ahead else T


def always_waits(T: int, layers: int, looks_ahead: bool) -> int:
    """Ordinary neurons wait for nobody: in each step all layers answer."""
    return T * (1 + layers)


def adds_the_layers(T: int, layers: int, looks_ahead: bool) -> int:
    """You add one step for each layer. Each layer runs through all T steps before the next one can."""
    return T + layers if looks_ahead else T


def waits_for_the_wrong_ones(T: int, layers: int, looks_ahead: bool) -> int:
    """Your two cases are swapped: neurons that look ahead wait, ordinary ones do not."""
    return latency(T, layers, not looks_ahead)


def never_looks_ahead_in_vain(T: int, layers: int, looks_ahead: bool) -> int:
    """You count both runs for each layer. The runs ahead are one for each layer, the run that counts is one for all."""
    return 2 * T * layers if looks_ahead else T


def multiplies_for_all(T: int, layers: int, looks_ahead: bool) -> int:
    """You count the layers one after the other for ordinary neurons, too. They answer in the same step."""
    return T * (1 + layers) if looks_ahead else T * layers


def forgets_the_steps(T: int, layers: int, looks_ahead: bool) -> int:
    """You count runs. Each takes T steps: multiply."""
    return 1 + layers if looks_ahead else 1


def adds_a_run(T: int, layers: int, looks_ahead: bool) -> int:
    """You count a run too many: one ahead for each layer, and one that counts."""
    return T * (2 + layers) if looks_ahead else T


def _curve(draw: Random) -> tuple[dict[int, float], float, float]:
    steps = draw.sample([1, 2, 4, 8, 16, 32], draw.randint(3, 6))
    return {T: draw.randint(3, 8) / 8 for T in steps}, draw.choice([0.75, 1.0]), draw.choice([0.5, 0.75, 1.0])


def _network(draw: Random) -> tuple[int, int, bool]:
    return draw.randint(1, 32), draw.randint(2, 20), draw.random() < 0.5


CURVES = [
    ({1: 0.1, 2: 0.5, 4: 0.9, 8: 0.99, 16: 0.98}, 0.99, 0.9),
    ({1: 0.9, 2: 0.5, 4: 0.95, 8: 0.96}, 1.0, 0.9),
    ({1: 0.1, 2: 0.2}, 0.9, 0.9),
    ({4: 0.75, 1: 0.25, 8: 0.8, 2: 0.8}, 0.75, 1.0),
    ({2: 0.7, 4: 0.75}, 0.75, 0.95),
    ({4: 0.95, 1: 0.2, 8: 0.96, 2: 0.5}, 1.0, 0.9),
]

EXERCISES = {
    "12.1": Exercise(
        steps_to,
        CURVES,
        _curve,
        [
            stops_at_the_first,
            forgets_the_goal,
            wants_more,
            gives_up,
            trusts_the_order,
            stops_at_the_last,
            forgets_the_share,
            subtracts_the_share,
            returns_the_accuracy,
            goes_one_too_far,
            takes_the_best,
            counts_how_many,
        ],
        "One number that two methods can be compared by, whatever their ANN's accuracy.",
    ),
    "12.2": Exercise(
        latency,
        [(4, 3, True), (8, 1, True), (2, 19, True), (16, 5, False)],
        _network,
        [
            counts_the_last_run,
            looks_ahead_once,
            forgets_the_final_run,
            always_waits,
            adds_the_layers,
            waits_for_the_wrong_ones,
            never_looks_ahead_in_vain,
            multiplies_for_all,
            forgets_the_steps,
            adds_a_run,
        ],
        "A step is a step, whatever it is called.",
    ),
}
