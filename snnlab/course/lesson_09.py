# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 09, two phases: what its notebook does not show."""

import math
from random import Random

from snnlab.course.lessons import Answer, Exercise, eighths

ANSWERS = {
    "09.1": Answer(
        "more than 95 %",
        "Rounding down takes less than one step from an activation, and with eight levels a step is an eighth of the "
        "threshold. Digits bear that; four levels cost several points, and with two the network guesses.",
        {
            "about 10 %": "so it is with two levels: what lies below half of the threshold becomes zero, and that is "
            "nearly everything.",
            "about 60 %": "the network has never met a staircase. But a fine one is hardly different from a ReLU.",
        },
    ),
    "09.2": Answer(
        "fewer than 30 %",
        "Lower thresholds have finer levels, but the old weights expect exact values. The new weights know that only "
        "three values can come, and read more than 90 % even with the old thresholds.",
        {
            "about 60 %": "half of the change, half of the repair? The two halves do not share it evenly.",
            "more than 90 %": "it is the other way round: that is what the new weights read with the old thresholds.",
        },
    ),
    "09.3": Answer(
        "falls",
        "MaxNorm clips nothing already. A higher threshold can only make the steps coarser.",
        {
            "rises": "the summary raises thresholds where the error is. But that error is rounding, and it "
            "grows with "
            "the threshold.",
            "stays": "nothing is clipped before or after, true. The other error grows.",
        },
        section=3,
    ),
}


def threshold_gradient(z: float, threshold: float, levels: int) -> float:
    """q - z / theta inside, 1 above, 0 below, q = floor(L z / theta) / L."""
    if z < 0:
        return 0.0
    if z > threshold:
        return 1.0
    return int(levels * z / threshold) / levels - z / threshold


def is_the_clips(z: float, threshold: float, levels: int) -> float:
    """That is the gradient of a clip. Below the threshold the heights of the levels move with it."""
    return 1.0 if z > threshold else 0.0


def is_the_level_only(z: float, threshold: float, levels: int) -> float:
    """You hold z / theta fixed: when theta grows it falls, and straight through the floor that counts. Subtract it."""
    if z < 0:
        return 0.0
    return min(1.0, int(levels * z / threshold) / levels)


def has_no_gradient_above(z: float, threshold: float, levels: int) -> float:
    """Above the threshold the output is theta: its gradient there is 1."""
    return 0.0 if z > threshold else threshold_gradient(z, threshold, levels)


def rounds_to_the_nearest(z: float, threshold: float, levels: int) -> float:
    """You round to the nearest level. This activation rounds down."""
    if z < 0 or z > threshold:
        return threshold_gradient(z, threshold, levels)
    return int(levels * z / threshold + 0.5) / levels - z / threshold


def goes_on_below_zero(z: float, threshold: float, levels: int) -> float:
    """Below zero the output is 0 whatever the threshold: no gradient."""
    return threshold_gradient(z, threshold, levels) if z >= 0 else -z / threshold


def rounds_up(z: float, threshold: float, levels: int) -> float:
    """You round up. This activation rounds down."""
    if z < 0 or z > threshold:
        return threshold_gradient(z, threshold, levels)
    return math.ceil(levels * z / threshold) / levels - z / threshold


def does_not_stop_above(z: float, threshold: float, levels: int) -> float:
    """You go on above the threshold. There the output is theta itself: its gradient is 1."""
    return 0.0 if z < 0 else int(levels * z / threshold) / levels - z / threshold


def turns_the_sign(z: float, threshold: float, levels: int) -> float:
    """Between 0 and the threshold your sign is turned: it is q - z / theta."""
    inside = threshold_gradient(z, threshold, levels)
    return -inside if z <= threshold else inside


def leaves_the_threshold_out(z: float, threshold: float, levels: int) -> float:
    """You subtract z. It is z / theta that is subtracted: q and the gradient have no unit."""
    if z < 0 or z > threshold:
        return threshold_gradient(z, threshold, levels)
    return int(levels * z / threshold) / levels - z


def counts_levels(z: float, threshold: float, levels: int) -> float:
    """You leave q undivided: it is floor(L z / theta) over L."""
    if z < 0 or z > threshold:
        return threshold_gradient(z, threshold, levels)
    return int(levels * z / threshold) - z / threshold


def gives_theta_above(z: float, threshold: float, levels: int) -> float:
    """Above the threshold you return theta, which is the output. Its gradient there is 1."""
    return threshold if z > threshold else threshold_gradient(z, threshold, levels)


def takes_the_tie_for_above(z: float, threshold: float, levels: int) -> float:
    """At z = theta exactly you take the case above. The one inside, q - z / theta, holds up to there: 0."""
    return 1.0 if z >= threshold else threshold_gradient(z, threshold, levels)


def returns_the_output(z: float, threshold: float, levels: int) -> float:
    """You return the activation. Asked for is its derivative with respect to the threshold."""
    return min(threshold, threshold * is_the_level_only(z, threshold, levels))


def raised(thresholds: list[float], errors: list[float], output_error: float, gain: float) -> list[float]:
    """theta_l (1 + gain E e_l / sum e)."""
    whole = sum(errors)
    return [t * (1 + gain * output_error * e / whole) for t, e in zip(thresholds, errors, strict=True)]


def lowers_them(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """You lower the thresholds. (It would work better. But the summary raises them.)"""
    return raised(thresholds, errors, output_error, -gain)


def shares_nothing(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """Every layer is raised by the whole error: give each only its share, e_l over the sum."""
    return [t * (1 + gain * output_error) for t in thresholds]


def forgets_the_sum(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """Divide each layer's error by the sum over the layers: shares add up to 1."""
    return [t * (1 + gain * output_error * e) for t, e in zip(thresholds, errors, strict=True)]


def adds_to_them(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """You add. Thresholds differ in size from layer to layer: raise each by a share of itself."""
    whole = sum(errors)
    return [t + gain * output_error * e / whole for t, e in zip(thresholds, errors, strict=True)]


def forgets_the_gain(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """You leave out `gain`."""
    return raised(thresholds, errors, output_error, 1.0)


def forgets_the_output_error(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """You leave the output's error out: with no error there, nothing is to be raised."""
    return raised(thresholds, errors, 1.0, gain)


def returns_the_rise(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """You return by how much they rise. Asked for are the new thresholds: add the old ones."""
    return [
        new - old for new, old in zip(raised(thresholds, errors, output_error, gain), thresholds, strict=True)
    ]


def returns_the_factors(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """You return the factors. Asked for are the new thresholds: multiply the old ones by them."""
    return raised([1.0 for _ in thresholds], errors, output_error, gain)


def divides_by_the_largest(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """You divide by the largest error. Shares of the sum are asked for: they add up to 1."""
    return [t * (1 + gain * output_error * e / max(errors)) for t, e in zip(thresholds, errors, strict=True)]


def divides_by_the_mean(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """You divide by the mean error. Shares of the sum are asked for: they add up to 1."""
    return raised(thresholds, errors, output_error * len(errors), gain)


def shares_by_threshold(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """You share by the thresholds. A layer's share is that of its error: e_l over the sum of all e."""
    return raised(thresholds, thresholds, output_error, gain)


def raises_all_alike(
    thresholds: list[float], errors: list[float], output_error: float, gain: float
) -> list[float]:
    """You give every layer the same share. A layer's share is that of its error: e_l over the sum of all e."""
    return raised(thresholds, [1.0 for _ in errors], output_error, gain)


def _input(draw: Random) -> tuple[float, float, int]:
    threshold = draw.choice([0.5, 1.0, 2.0])
    return draw.randint(-4, 12) * threshold / 9, threshold, draw.choice([2, 4, 8])


def _layers(draw: Random) -> tuple[list[float], list[float], float, float]:
    size = draw.randint(2, 4)
    return (
        eighths(draw, size, 1, 4),
        eighths(draw, size, 1, 2),
        draw.randint(1, 64) / 8,
        draw.choice([0.25, 0.5, 2.0]),
    )


EXERCISES = {
    "09.1": Exercise(
        threshold_gradient,
        [
            (0.7, 1.0, 4),
            (-0.5, 2.0, 8),
            (2.5, 2.0, 4),
            (1.3, 2.0, 8),
            (0.45, 1.0, 2),
            (1.8, 2.0, 2),
            (2.0, 2.0, 4),
        ],
        _input,
        [
            is_the_clips,
            is_the_level_only,
            has_no_gradient_above,
            rounds_to_the_nearest,
            goes_on_below_zero,
            rounds_up,
            does_not_stop_above,
            turns_the_sign,
            leaves_the_threshold_out,
            counts_levels,
            gives_theta_above,
            takes_the_tie_for_above,
            returns_the_output,
        ],
        "Every activation pulls at the threshold now, so it feels how coarse its levels are: no decay is needed.",
    ),
    "09.2": Exercise(
        raised,
        [
            ([1.0, 2.0], [0.1, 0.3], 0.5, 0.5),
            ([2.0, 4.0, 3.0], [0.2, 0.2, 0.6], 0.4, 0.25),
            ([1.5], [0.5], 0.2, 2.0),
        ],
        _layers,
        [
            lowers_them,
            shares_nothing,
            forgets_the_sum,
            adds_to_them,
            forgets_the_gain,
            forgets_the_output_error,
            returns_the_rise,
            returns_the_factors,
            divides_by_the_largest,
            divides_by_the_mean,
            shares_by_threshold,
            raises_all_alike,
        ],
        "Written down, it is clear what it does: every threshold rises, in every round.",
        entries=("for layer",),
    ),
}
