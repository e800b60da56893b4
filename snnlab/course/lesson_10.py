# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 10, calibration layer by layer: what its notebook does not show."""

import torch
from torch import Tensor

from snnlab.converters.choices.site import Site
from snnlab.course.lessons import Answer, Exercise


def without_sign(site: Site) -> None:
    """LMPC as it is printed: v0 <- v0 + T * mean |a - phi|, three times. It can only raise potentials."""
    for _ in range(3):
        site.neuron.v0 = site.neuron.v0 + site.T * (site.target - site.rate()).abs().mean(0)


ANSWERS = {
    "10.1": Answer(
        "much smaller, not 0",
        "A neuron turns extra current into spikes one to one, unless it is silent or fires in every step. Some "
        "always "
        "are, so a little of the gap stays.",
        {
            "exactly 0": "it would be nearly 0, if every neuron were between silence and saturation.",
            "larger in the last layer": "errors add up from layer to layer, if nobody mends them on the way. "
            "Here each "
            "layer is mended with what the layers before it really send.",
        },
    ),
    "10.2": Answer(
        "it guesses",
        "The mean of |a - phi| is above zero for every neuron, also for one that is right on average. All "
        "potentials rise, in "
        "each pass, and the network fires without end.",
        {
            "as good": "with two steps and an empty start nearly every neuron does send too little, and then "
            "the sign makes "
            "no difference.",
            "some points less": "the surplus of one layer is input of the next, which is raised again.",
        },
    ),
    "10.3": Answer(
        "layer by layer",
        "A part of what one measurement finds missing in the last layer is missing because the layers before it send "
        "too little. Mend all by it, and the last gets that part twice.",
        {
            "no difference": "it would be none if each layer's error were its own. A part of it is inherited.",
            "all at once": "one measurement of everything looks more consistent. But the first mending changes what "
            "the rest was measured on.",
        },
    ),
    "10.4": Answer(
        "hardly changes",
        "It is made of neurons that are silent below zero, as they should be, and calibration leaves them so. "
        "The share "
        "whose count is wrong does fall.",
        {
            "falls to a tenth": "calibration mends wrong counts. But this share counts all that is outside.",
            "doubles": "charge is given to some neurons and taken from others; the silent ones stay silent.",
        },
    ),
}


def calibrated(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """v0 + T mean (a - phi)."""
    return v0 + T * sum(x - y for x, y in zip(a, phi, strict=True)) / len(a)


def drops_the_sign(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """You take |a - phi|, as the paper prints it. A neuron that sends too much must get less."""
    return v0 + T * sum(abs(x - y) for x, y in zip(a, phi, strict=True)) / len(a)


def forgets_the_steps(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """A mean output that lacks d lacks a charge of T d: it is sent over T steps."""
    return v0 + sum(x - y for x, y in zip(a, phi, strict=True)) / len(a)


def sets_instead_of_adding(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """You replace the potential. phi was measured with the start that was there: add to it."""
    return calibrated(0.0, a, phi, T)


def adds_up_the_images(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """You add up over the images. One start serves all of them: take the mean."""
    return v0 + T * sum(x - y for x, y in zip(a, phi, strict=True))


def goes_the_wrong_way(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """Your sign is turned round: where the spiking neuron lacks something, its start must rise."""
    return v0 - T * sum(x - y for x, y in zip(a, phi, strict=True)) / len(a)


def new_bias(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """bias + mean over images and positions of (a - phi)."""
    return bias + (a - phi).mean((0, 2))


def one_for_all(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """You give all channels the same. Each has a bias of its own: the mean goes over images and positions only."""
    return bias + (a - phi).mean()


def sums_positions(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """You add up over the positions. Every position of a channel gets the same bias: take the mean."""
    return bias + (a - phi).mean(0).sum(1)


def overwrites_the_bias(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """The old bias is gone: add to it."""
    return (a - phi).mean((0, 2))


def turns_it_round(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """Your sign is turned round: a channel that sends too little needs more."""
    return bias + (phi - a).mean((0, 2))


def takes_the_first_image(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """You look at the first image only."""
    return bias + (a - phi)[0].mean(1)


def _maps(seed: int, *shape: int) -> Tensor:
    return torch.randint(0, 9, shape, generator=torch.Generator().manual_seed(seed)).double() / 4


NEURONS = [
    (0.5, [1.0, 0.5, 0.25], [0.75, 0.75, 0.0], 4),
    (-0.25, [0.0, 0.5], [0.25, 0.75], 8),
    (0.0, [2.0, 1.0, 1.5, 0.5], [1.5, 1.25, 1.0, 0.5], 2),
]
MAPS = [(_maps(k, 3), _maps(k + 10, 4, 3, 5), _maps(k + 20, 4, 3, 5)) for k in range(3)]

EXERCISES = {
    "10.1": Exercise(
        new_bias,
        MAPS,
        [one_for_all, sums_positions, overwrites_the_bias, turns_it_round, takes_the_first_image],
        "The same idea as LMPC with one number a channel, given anew in every step instead of once.",
    ),
    "10.2": Exercise(
        calibrated,
        NEURONS,
        [drops_the_sign, forgets_the_steps, sets_instead_of_adding, adds_up_the_images, goes_the_wrong_way],
        "A Newton step with slope one: charge that is given comes out as spikes, unless the neuron is silent or "
        "full.",
    ),
}
