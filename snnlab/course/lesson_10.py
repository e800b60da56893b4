# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 10, calibration layer by layer: what its notebook does not show."""

from random import Random

import torch
from torch import Tensor

from snnlab.converters.choices.site import Site
from snnlab.course.lessons import Answer, Exercise, eighths


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
        section=2,
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
        section=3,
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
        section=5,
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


def divides_by_the_steps(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """You divide by T. A mean output that lacks d lacks a charge of T d: multiply."""
    return v0 + sum(x - y for x, y in zip(a, phi, strict=True)) / len(a) / T


def looks_at_one_image(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """You look at the first image only. Take the mean over all of them."""
    return v0 + T * (a[0] - phi[0])


def leaves_out_what_it_sends(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """You leave `phi` out. What is missing is what should be there, `a`, less what is: `phi`."""
    return v0 + T * sum(a) / len(a)


def leaves_out_what_it_should(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """You leave `a` out. What is missing is what should be there, `a`, less what is: `phi`."""
    return v0 - T * sum(phi) / len(a)


def only_ever_raises(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """Your start never falls. A neuron that sends too much must start lower."""
    return max(v0, calibrated(v0, a, phi, T))


def stays_above_zero(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """You keep the start at 0 or above. It may become a debt."""
    return max(0.0, calibrated(v0, a, phi, T))


def multiplies_all_by_T(v0: float, a: list[float], phi: list[float], T: int) -> float:
    """You multiply the old start by T, too. It is a charge already, and is there once."""
    return calibrated(T * v0, a, phi, T)


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


def one_for_each_image(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """You take the mean over positions only, and get a bias for each image. It goes over the images, too."""
    return bias + (a - phi).mean(2)


def sums_images(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """You add up over the images. One bias serves all of them: take the mean."""
    return bias + (a - phi).sum(0).mean(1)


def sums_both(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """You add up over images and positions. One bias serves all of them: take the mean."""
    return bias + (a - phi).sum((0, 2))


def drops_the_sign_of_each(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """You take |a - phi|. A channel that sends too much must get less: keep the sign."""
    return bias + (a - phi).abs().mean((0, 2))


def leaves_phi_out(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """You leave `phi` out. What a channel lacks is what should be there, `a`, less what is: `phi`."""
    return bias + a.mean((0, 2))


def takes_the_first_position(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """You look at the first position only."""
    return bias + (a - phi)[:, :, 0].mean(0)


def takes_the_largest_gap(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """You take each channel's largest gap. Asked for is the mean."""
    return bias + (a - phi).amax((0, 2))


def takes_the_median(bias: Tensor, a: Tensor, phi: Tensor) -> Tensor:
    """You take each channel's median gap. Asked for is the mean."""
    return bias + (a - phi).transpose(0, 1).flatten(1).quantile(0.5, dim=1)


def _tensor(draw: Random, *shape: int) -> Tensor:
    count = torch.Size(shape).numel()
    return torch.tensor(eighths(draw, count, 0, 2), dtype=torch.float64).reshape(shape)


def _maps(draw: Random) -> tuple[Tensor, Tensor, Tensor]:
    images, channels, positions = draw.sample([2, 3, 4], 3)
    shape = images, channels, positions
    return _tensor(draw, channels), _tensor(draw, *shape), _tensor(draw, *shape)


def _neuron(draw: Random) -> tuple[float, list[float], list[float], int]:
    images = draw.randint(2, 5)
    (v0,) = eighths(draw, 1, -1, 1)
    return v0, eighths(draw, images, 0, 2), eighths(draw, images, 0, 2), draw.choice([2, 3, 4, 8])


NEURONS = [
    (0.5, [1.0, 0.5, 0.25], [0.75, 0.75, 0.0], 4),
    (-0.25, [0.0, 0.5], [0.25, 0.75], 8),
    (0.0, [2.0, 1.0, 1.5, 0.5], [1.5, 1.25, 1.0, 0.5], 2),
]
_GAPS = [
    [[0.5, 0.0, 0.25], [1.0, 0.5, 0.0]],
    [[0.0, 0.25, 0.5], [0.0, -0.5, 0.5]],
]  # two images, two channels
MAPS = [(torch.tensor([0.5, -1.0]), torch.tensor(_GAPS) + 1, torch.ones(2, 2, 3))]

EXERCISES = {
    "10.1": Exercise(
        new_bias,
        MAPS,
        _maps,
        [
            one_for_all,
            sums_positions,
            overwrites_the_bias,
            turns_it_round,
            takes_the_first_image,
            one_for_each_image,
            sums_images,
            sums_both,
            drops_the_sign_of_each,
            leaves_phi_out,
            takes_the_first_position,
            takes_the_largest_gap,
            takes_the_median,
        ],
        "The same idea as LMPC with one number a channel, given anew in every step instead of once.",
        entries=("for channel",),
    ),
    "10.2": Exercise(
        calibrated,
        NEURONS,
        _neuron,
        [
            drops_the_sign,
            forgets_the_steps,
            sets_instead_of_adding,
            adds_up_the_images,
            goes_the_wrong_way,
            divides_by_the_steps,
            looks_at_one_image,
            leaves_out_what_it_sends,
            leaves_out_what_it_should,
            only_ever_raises,
            stays_above_zero,
            multiplies_all_by_T,
        ],
        "A Newton step with slope one: charge that is given comes out as spikes, unless the neuron is silent or "
        "full.",
    ),
}
