"""Where a neuron's potential starts. Each rule maps a Site, its threshold known, to v0 in activation units."""

import torch
from torch import Tensor

from snnlab.site import Site


def zero(site: Site) -> Tensor:
    """v0 = 0: the mean output is rounded down to a multiple of theta / T.    Rueckauer 2017"""
    return torch.zeros_like(site.threshold)


def half(site: Site) -> Tensor:
    """v0 = theta / 2: the mean output is rounded to the nearest multiple.    Bu 2022, AAAI (OPI)"""
    return site.threshold / 2
