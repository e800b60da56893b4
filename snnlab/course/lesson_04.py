# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 04, learning the range: what its notebook does not show."""

from random import Random

from snnlab.course.lessons import Answer, Exercise, eighths

ABOVE, BELOW, ALL = "those above it", "those below it", "all of them"
ANSWERS = {
    "04.1": Answer(
        ABOVE,
        "Above the threshold the output is the threshold itself, so only there does moving it change anything. "
        "What lies "
        "below passes as it is.",
        {
            BELOW: "they are what the neuron says with its spikes. But the clip lets them through unchanged, "
            "wherever it is.",
            ALL: "in the quantised activation that is so, because the width of its steps is theta / L. A clip "
            "has no steps.",
        },
    ),
    "04.2": Answer(
        "the ANN as well as before, the spiking network better",
        "Decay pulls every threshold down. More is clipped, and the weights learn to live with it; each of the T steps "
        "is finer, and with four steps that is what counts.",
        {
            "the ANN worse, the spiking network better": "clipping is a loss of information. But the weights are "
            "trained together with the thresholds, and find another way.",
            "both worse: more is clipped": "with hundreds of steps it might be so. With four, coarse steps cost more "
            "than the clip.",
        },
        section=2,
    ),
    "04.3": Answer(
        "lower, in all layers",
        "With a single step a layer can say 0 or theta, nothing between. Many activations round to the nearer of the "
        "two better when theta is lower, and the loss of the output finds that out.",
        {
            "higher, in all layers": "a higher threshold clips less. But with one step hardly any activation "
            "would reach "
            "half of it, and the layer would be silent.",
            "unchanged": "the percentile is a good rule for many steps. It does not know that there is only one.",
        },
        section=4,
    ),
    "04.4": Answer(
        "more than 95 %",
        "An empty neuron rounds down, and a ResNet rounds down layer after layer. With MaxNorm's coarse steps that was "
        "nearly the whole loss: the start mends it, and the thresholds stay as they are.",
        {
            "fewer than 20 %, too": "the thresholds are as high as before, and the steps as coarse. But now each layer "
            "rounds to the nearest of them.",
            "about 60 %": "half the loss for half a step? Errors of both signs cancel, those of one sign add up.",
        },
        section=5,
    ),
}


def threshold_gradient(z: list[float], upstream: list[float], threshold: float) -> float:
    """sum of upstream over z >= theta: da/dtheta = 1 there, 0 elsewhere."""
    return sum(g for x, g in zip(z, upstream, strict=True) if x >= threshold)


def takes_those_below(z: list[float], upstream: list[float], threshold: float) -> float:
    """You take the inputs below the threshold: that is the gradient for z. The threshold's comes from those above."""
    return sum(g for x, g in zip(z, upstream, strict=True) if 0 < x < threshold)


def takes_all(z: list[float], upstream: list[float], threshold: float) -> float:
    """You add up all gradients. Below the threshold the output does not depend on it."""
    return sum(upstream)


def counts_only(z: list[float], upstream: list[float], threshold: float) -> float:
    """You count the clipped inputs. Each has its own gradient from above: add those up."""
    return float(sum(x >= threshold for x in z))


def weighs_by_the_excess(z: list[float], upstream: list[float], threshold: float) -> float:
    """You weigh each gradient by how far the input lies above. The output there is theta, whatever z is: weight 1."""
    return sum(g * (x - threshold) for x, g in zip(z, upstream, strict=True) if x >= threshold)


def leaves_the_tie_out(z: list[float], upstream: list[float], threshold: float) -> float:
    """An input exactly at the threshold counts as clipped here: `>=`."""
    return sum(g for x, g in zip(z, upstream, strict=True) if x > threshold)


def takes_the_mean(z: list[float], upstream: list[float], threshold: float) -> float:
    """You take the mean. One threshold serves all inputs, so their gradients add up."""
    return threshold_gradient(z, upstream, threshold) / len(z)


def turns_the_sign(z: list[float], upstream: list[float], threshold: float) -> float:
    """Your sign is turned: where the input is clipped the output is theta, and da / dtheta is +1."""
    return -threshold_gradient(z, upstream, threshold)


def adds_up_the_inputs(z: list[float], upstream: list[float], threshold: float) -> float:
    """You add up inputs. Asked for are the gradients that arrive for them: `upstream`."""
    return sum(x for x in z if x >= threshold)


def weighs_by_the_output(z: list[float], upstream: list[float], threshold: float) -> float:
    """You multiply by theta. That is the output; its derivative with respect to theta is 1."""
    return threshold * threshold_gradient(z, upstream, threshold)


def weighs_by_the_input(z: list[float], upstream: list[float], threshold: float) -> float:
    """You multiply each gradient by its input, as for a weight. A clipped output does not depend on z: weight 1."""
    return sum(g * x for x, g in zip(z, upstream, strict=True) if x >= threshold)


def compares_the_gradients(z: list[float], upstream: list[float], threshold: float) -> float:
    """You compare `upstream` with the threshold. It is the input that is clipped: compare `z`."""
    return sum(g for g in upstream if g >= threshold)


def clips_negatives_too(z: list[float], upstream: list[float], threshold: float) -> float:
    """You count inputs below -theta as clipped. They are cut off at 0, and the threshold has no part in that."""
    return sum(g for x, g in zip(z, upstream, strict=True) if abs(x) >= threshold)


def surrogate(v: list[float], threshold: float) -> list[float]:
    """max(0, 1 - |u|), u = (v - theta) / theta: the triangle that stands in for the derivative of a spike."""
    return [max(0.0, 1 - abs((x - threshold) / threshold)) for x in v]


def peaks_at_zero(v: list[float], threshold: float) -> list[float]:
    """Your triangle peaks at v = 0. It must peak where a spike is decided: at the threshold."""
    return [max(0.0, 1 - abs(x / threshold)) for x in v]


def only_where_it_fired(v: list[float], threshold: float) -> list[float]:
    """You give a gradient only where a spike was fired. Silent neurons would never learn to fire."""
    return [s if x >= threshold else 0.0 for s, x in zip(surrogate(v, threshold), v, strict=True)]


def goes_below_zero(v: list[float], threshold: float) -> list[float]:
    """Far from the threshold your triangle is negative. Cut it off at 0."""
    return [1 - abs((x - threshold) / threshold) for x in v]


def ignores_the_width(v: list[float], threshold: float) -> list[float]:
    """Your triangle is one unit wide whatever the threshold. Measure the distance in thresholds."""
    return [max(0.0, 1 - abs(x - threshold)) for x in v]


def is_the_true_one(v: list[float], threshold: float) -> list[float]:
    """That is the true derivative of a step, 0 everywhere: nothing can be learned from it."""
    return [0.0 for _ in v]


def is_a_box(v: list[float], threshold: float) -> list[float]:
    """You give 1 everywhere within a threshold's distance. It must fall: 1 at the threshold, 0 a threshold away."""
    return [1.0 if abs(x - threshold) <= threshold else 0.0 for x in v]


def is_twice_as_wide(v: list[float], threshold: float) -> list[float]:
    """Your triangle is twice as wide: it must be 0 a whole threshold away, not two."""
    return [max(0.0, 1 - abs(x - threshold) / (2 * threshold)) for x in v]


def is_half_as_wide(v: list[float], threshold: float) -> list[float]:
    """Your triangle is half as wide: it must be 0 a whole threshold away, not half a one."""
    return [max(0.0, 1 - abs(x - threshold) / (threshold / 2)) for x in v]


def only_where_it_was_silent(v: list[float], threshold: float) -> list[float]:
    """You give a gradient only below the threshold. The triangle falls on both sides of it."""
    return [s if x < threshold else 0.0 for s, x in zip(surrogate(v, threshold), v, strict=True)]


def is_a_ramp(v: list[float], threshold: float) -> list[float]:
    """Below the threshold yours goes on rising: take the absolute value of the distance."""
    return [max(0.0, 1 - (x - threshold) / threshold) for x in v]


def returns_in_the_loop(v: list[float], threshold: float) -> list[float]:
    """Your list ends after the first potential: `return` stands inside the loop. Move it behind the loop."""
    return surrogate(v[:1], threshold)


def _batch(draw: Random) -> tuple[list[float], list[float], float]:
    threshold, size = draw.choice([0.5, 1.0, 1.5]), draw.randint(4, 7)
    return [threshold, *eighths(draw, size - 1, -2, 3)], eighths(draw, size, -2, 2), threshold


def _potentials(draw: Random) -> tuple[list[float], float]:
    return eighths(draw, draw.randint(4, 7), -1, 4), draw.choice([0.5, 1.0, 2.0])


BATCHES = [
    ([0.5, 1.5, 2.5, -1.0], [0.25, -0.5, 1.0, 2.0], 1.0),
    ([2.0, 0.25, 1.75], [0.5, 0.5, 0.75], 2.0),
    ([0.5, 4.0, 3.0], [1.0, -0.25, 0.5], 1.5),
]
POTENTIALS = [
    ([0.0, 0.5, 1.0, 1.5, 2.5, -1.0], 1.0),
    ([0.0, 1.0, 2.0, 3.0, 5.0], 2.0),
    ([0.25, 0.5, 0.75, -0.5], 0.5),
]

EXERCISES = {
    "04.1": Exercise(
        threshold_gradient,
        BATCHES,
        _batch,
        [
            takes_those_below,
            takes_all,
            counts_only,
            weighs_by_the_excess,
            leaves_the_tie_out,
            takes_the_mean,
            turns_the_sign,
            adds_up_the_inputs,
            weighs_by_the_output,
            weighs_by_the_input,
            compares_the_gradients,
            clips_negatives_too,
        ],
        "So the loss sees only what is clipped, never how coarse the steps are: that is why decay must speak "
        "for them.",
    ),
    "04.2": Exercise(
        surrogate,
        POTENTIALS,
        _potentials,
        [
            peaks_at_zero,
            only_where_it_fired,
            goes_below_zero,
            ignores_the_width,
            is_the_true_one,
            is_a_box,
            is_twice_as_wide,
            is_half_as_wide,
            only_where_it_was_silent,
            is_a_ramp,
            returns_in_the_loop,
        ],
        "With it a loss can be followed backwards through every spike, to a threshold or to a weight.",
        entries=("for potential",),
    ),
}
