# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 05, where to start: what its notebook does not show."""

from snnlab.course.lessons import Answer, Exercise

ANSWERS = {
    "05.1": Answer(
        "theta / 2",
        "It moves the staircase left by half a step, so that a value is rounded to the nearest step and not down. "
        "Errors upwards and downwards are equally frequent, and cancel.",
        {
            "0": "an empty neuron seems neutral. It always rounds down, by half a step on average.",
            "theta": "that is a whole spike in advance: everything is rounded up, by half a step on average.",
        },
    ),
    "05.2": Answer(
        "the same",
        "Both have added theta / 2 by the last step, and for constant input only the sum counts.",
        {
            "Opt sends more": "it adds something in every step, but each addition is small: together theta / 2.",
            "Opt sends fewer": "before the last step that can be so. After it the sum is there in full.",
        },
    ),
    "05.3": Answer(
        "about 10 %",
        "Ten classes: it guesses. Rounding down twice, in the ANN to levels of theta / 8 and in the spiking "
        "network to "
        "levels of theta / 2, leaves the next layers little to hear.",
        {
            "about 50 %": "two steps are few, but the loss is no halving: layer after layer rounds down what "
            "little came in.",
            "about 95 %": "the network was trained with a staircase and should be used to it. But its own "
            "stairs are four "
            "times as fine.",
        },
    ),
    "05.4": Answer(
        "below 0",
        "The ANN was trained to lose theta / 16 in the mean, half of its own step. The spiking network's steps "
        "are finer, it "
        "loses less, and is now too high: it must start with a debt.",
        {
            "theta / 2": "with a shift of one half, as in QCFS, that is right for every T. This network rounds down.",
            "exactly 0": "at T = L. Beyond it the spiking network loses less than the ANN did.",
        },
    ),
}


def mean_error(threshold: float, v0: float, T: int) -> float:
    """v0 / T - theta / (2 T), for inputs spread evenly within a step."""
    return v0 / T - threshold / (2 * T)


def forgets_the_steps(threshold: float, v0: float, T: int) -> float:
    """You forget T: the start is spread over all the steps, and a step of the staircase is theta / T high."""
    return v0 - threshold / 2


def rounds_to_the_nearest(threshold: float, v0: float, T: int) -> float:
    """You leave the rounding out. An empty neuron loses half a step: -theta / (2 T)."""
    return v0 / T


def loses_a_whole_step(threshold: float, v0: float, T: int) -> float:
    """You lose a whole step. Within it every value from 0 to theta / T is lost equally often: half on average."""
    return v0 / T - threshold / T


def has_the_sign_wrong(threshold: float, v0: float, T: int) -> float:
    """Your sign is wrong: output minus input. Rounding down makes it negative, a start above 0 raises it."""
    return -mean_error(threshold, v0, T)


def start_for(threshold: float, T: int, levels: int, shift: float) -> float:
    """theta / 2 + (T / L) (shift - 1/2) theta."""
    return threshold / 2 + T / levels * (shift - 0.5) * threshold


def is_always_half(threshold: float, T: int, levels: int, shift: float) -> float:
    """That is right for shift 1/2 only. An ANN that rounds down expects to lose half of its own step."""
    return threshold / 2


def ignores_the_shift(threshold: float, T: int, levels: int, shift: float) -> float:
    """You take every ANN for one that rounds down: its shift must come in."""
    return threshold / 2 * (1 - T / levels)


def stays_above_zero(threshold: float, T: int, levels: int, shift: float) -> float:
    """You keep the start at 0 or above. For more steps than levels it must be a debt."""
    return max(0.0, start_for(threshold, T, levels, shift))


def turns_the_ratio_round(threshold: float, T: int, levels: int, shift: float) -> float:
    """Your ratio is upside down: the ANN's error theta / L becomes T theta / L of potential."""
    return threshold / 2 + levels / T * (shift - 0.5) * threshold


def leaves_the_threshold_out(threshold: float, T: int, levels: int, shift: float) -> float:
    """The second term is a potential too: multiply it by theta."""
    return threshold / 2 + T / levels * (shift - 0.5)


EXERCISES = {
    "05.1": Exercise(
        mean_error,
        [(1.0, 0.0, 4), (2.0, 1.0, 8), (1.5, 1.0, 2), (3.0, 0.75, 5)],
        [forgets_the_steps, rounds_to_the_nearest, loses_a_whole_step, has_the_sign_wrong],
        "It is zero at v0 = theta / 2, whatever T and theta are: that is OPI.",
    ),
    "05.2": Exercise(
        start_for,
        [(1.0, 2, 8, 0.0), (2.0, 4, 8, 0.5), (1.5, 16, 8, 0.0), (3.0, 8, 8, 0.0), (2.0, 3, 4, 0.25)],
        [
            is_always_half,
            ignores_the_shift,
            stays_above_zero,
            turns_the_ratio_round,
            leaves_the_threshold_out,
        ],
        "No image went into it: the rule knows only how the network was taught to round.",
    ),
}
