# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 12, all methods side by side: what its notebook does not show."""

import math

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
    ),
    "12.4": Answer(
        2,
        "What is told of SNM is MaxNorm with its reset written another way. What is told of dual phase starts from "
        "MaxNorm's thresholds and may only raise them, which helps nothing: it keeps them.",
        {
            0: "each has a name and a paper of its own. But of two papers just the new idea was lost in the telling.",
            1: "the spike counter of lesson 07 is one. Raised thresholds are the other: section 4 had it.",
            5: "the thresholds tuned in the loop, and LMPC as it is printed, are good methods; a hard reset is far "
            "worse than MaxNorm.",
        },
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
        [stops_at_the_first, forgets_the_goal, wants_more, gives_up, trusts_the_order],
        "One number that two methods can be compared by, whatever their ANN's accuracy.",
    ),
    "12.2": Exercise(
        latency,
        [(4, 3, True), (8, 1, True), (2, 19, True), (16, 5, False)],
        [counts_the_last_run, looks_ahead_once, forgets_the_final_run, always_waits],
        "A step is a step, whatever it is called.",
    ),
}
