# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 05, where to start: what its notebook does not show."""

from random import Random

from snnlab.course.lessons import Answer, Exercise

ANSWERS = {
    "05.1": Answer(
        "a quarter of a step too high",
        "Rounding down loses half a step on average. A start of 3/4 theta adds three quarters of a step to the mean: "
        "a quarter more than is lost.",
        {
            "not at all": "that is so for theta / 2, where what the start adds is what rounding down loses.",
            "three quarters of a step too high": "that is what the start adds. But rounding down loses half a step.",
        },
    ),
    "05.2": Answer(
        "Opt sends fewer",
        "After half of the steps Opt has added a quarter of a threshold, and OPI all of its half. After the last step "
        "both have added theta / 2, and for constant input only the sum counts: then they agree.",
        {
            "the same": "in the end it is so. Before, a part of what Opt adds is still to come.",
            "Opt sends more": "it adds something in every step. OPI has added everything before the first.",
        },
        section=2,
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
        section=3,
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
        section=3,
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


def leaves_the_start_out(threshold: float, v0: float, T: int) -> float:
    """You leave `v0` out: it raises every output by v0 / T."""
    return -threshold / (2 * T)


def adds_the_loss(threshold: float, v0: float, T: int) -> float:
    """You add what rounding loses. It makes the output smaller: subtract it."""
    return v0 / T + threshold / (2 * T)


def counts_the_start_in_every_step(threshold: float, v0: float, T: int) -> float:
    """You count `v0` in every step. It is there once, so over T steps it raises the mean by v0 / T."""
    return v0 - threshold / (2 * T)


def loses_half_a_threshold(threshold: float, v0: float, T: int) -> float:
    """You lose half a threshold. Lost is half a step of the staircase, and a step is theta / T high."""
    return v0 / T - threshold / 2


def halves_the_start(threshold: float, v0: float, T: int) -> float:
    """You halve `v0` too. The start raises the output by all of v0 / T; the 2 belongs to the half step only."""
    return (v0 - threshold) / (2 * T)


def counts_in_thresholds(threshold: float, v0: float, T: int) -> float:
    """You divide by theta. Output and input are in activation units, and so is their difference."""
    return mean_error(threshold, v0, T) / threshold


def gives_the_size(threshold: float, v0: float, T: int) -> float:
    """You return the size of the error. It has a sign: negative while the output is too low."""
    return abs(mean_error(threshold, v0, T))


def adds_up_the_steps(threshold: float, v0: float, T: int) -> float:
    """You multiply by T: that is the sum over the steps. Asked for is the mean."""
    return T * T * mean_error(threshold, v0, T)


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


def turns_the_shift_round(threshold: float, T: int, levels: int, shift: float) -> float:
    """Your shift has the wrong sign: an ANN that rounds up more (a larger shift) needs a higher start."""
    return threshold / 2 - T / levels * (shift - 0.5) * threshold


def starts_from_empty(threshold: float, T: int, levels: int, shift: float) -> float:
    """The first term is missing: theta / 2 is what makes up for the neuron's own rounding down."""
    return T / levels * (shift - 0.5) * threshold


def takes_the_whole_shift(threshold: float, T: int, levels: int, shift: float) -> float:
    """You take the shift itself. What counts is how far it is from 1/2, rounding to the nearest."""
    return threshold / 2 + T / levels * shift * threshold


def forgets_the_ratio(threshold: float, T: int, levels: int, shift: float) -> float:
    """You leave T / L out. The ANN errs by a share of theta / L; over T steps that is T times as much charge."""
    return threshold / 2 + (shift - 0.5) * threshold


def forgets_the_levels(threshold: float, T: int, levels: int, shift: float) -> float:
    """You forget to divide by L: a step of the ANN is theta / L high."""
    return threshold / 2 + T * (shift - 0.5) * threshold


def forgets_the_steps_of_the_neuron(threshold: float, T: int, levels: int, shift: float) -> float:
    """You forget T: what the output lacks, it lacks in every step, so the charge is T times as much."""
    return threshold / 2 + (shift - 0.5) * threshold / levels


def _error(draw: Random) -> tuple[float, float, int]:
    return draw.randint(2, 32) / 4, draw.randint(0, 32) / 4, draw.randint(1, 9)


def _start(draw: Random) -> tuple[float, int, int, float]:
    return (
        draw.randint(2, 16) / 4,
        draw.randint(1, 16),
        draw.randint(1, 16),
        draw.choice([0.0, 0.25, 0.5, 0.75]),
    )


EXERCISES = {
    "05.1": Exercise(
        mean_error,
        [(1.0, 0.0, 4), (2.0, 1.0, 8), (1.5, 1.0, 2), (3.0, 0.75, 5)],
        _error,
        [
            forgets_the_steps,
            rounds_to_the_nearest,
            loses_a_whole_step,
            has_the_sign_wrong,
            leaves_the_start_out,
            adds_the_loss,
            counts_the_start_in_every_step,
            loses_half_a_threshold,
            halves_the_start,
            counts_in_thresholds,
            gives_the_size,
            adds_up_the_steps,
        ],
        "It is zero at v0 = theta / 2, whatever T and theta are: that is OPI.",
    ),
    "05.2": Exercise(
        start_for,
        [(1.0, 2, 8, 0.0), (2.0, 4, 8, 0.5), (1.5, 16, 8, 0.0), (3.0, 8, 8, 0.0), (2.0, 3, 4, 0.25)],
        _start,
        [
            is_always_half,
            ignores_the_shift,
            stays_above_zero,
            turns_the_ratio_round,
            leaves_the_threshold_out,
            turns_the_shift_round,
            starts_from_empty,
            takes_the_whole_shift,
            forgets_the_ratio,
            forgets_the_levels,
            forgets_the_steps_of_the_neuron,
        ],
        "No image went into it: the rule knows only how the network was taught to round.",
    ),
}
