"""Where a neuron's potential starts. Each rule maps a Site, its threshold known, to v0 in activation units."""

import torch
from torch import Tensor

from snnlab.converters.choices.site import Site
from snnlab.neurons.door import door


@door
def zero(site: Site) -> Tensor:
    """v0 = 0: the mean output is rounded down to a multiple of theta / T.    Rueckauer 2017"""
    return torch.zeros_like(site.threshold)


@door
def half(site: Site) -> Tensor:
    """v0 = theta / 2: the mean output is rounded to the nearest multiple.    Bu 2022, AAAI (OPI)"""
    return site.threshold / 2


@door
def offset_rule(site: Site) -> Tensor:
    """v0 = theta / 2 + (T / L) * (shift - 1/2) * theta: what a quantised ANN's rounding asks for; needs no images.

    An activation with L levels that rounds down (shift 0) lies theta / (2 L) below its input in the mean, one that
    rounds to the nearest (shift 1/2) does not; a neuron over T steps lies theta / (2 T) - v0 / T below. Equal
    means give the rule: theta / 2 for every T where shift is 1/2, but (theta / 2) (1 - T / L), negative for
    T > L, where it is 0.
    An activation without levels is taken as exact: theta / 2.
    """
    levels, shift = getattr(site.activation, "levels", None), getattr(site.activation, "shift", 0.5)
    if levels is None:
        return half(site)
    return site.threshold * (0.5 + site.T / levels * (shift - 0.5))


@door
def offset_or_half(site: Site) -> Tensor:
    """The offset rule in fewer steps than the ANN has levels, from L steps on theta / 2.

    There the rule gives nothing or less, and a neuron that starts below zero is silent at first: its spikes come late,
    and the neurons after it fire unevenly. What lies below its input is for a bias to say, evenly
    (corrections.calibrate_offset). Measured with VGG-16, 96.4 % of 1,000 training images of CIFAR-10, T = 16,
    potentials calibrated: 95.1 % so, 92.8 % from the rule.
    """
    return half(site) if getattr(site.activation, "levels", site.T) <= site.T else offset_rule(site)
