"""Where a neuron's threshold comes from. Each rule maps a Site to a threshold in activation units.

References:
  1) Diehl et al. 2015, IJCNN: the largest activation
  2) Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.2.2: a high percentile
"""

import numpy as np
import torch
from torch import Tensor

from snnlab.site import Rule, Site


def largest(site: Site) -> Tensor:
    """theta = max a: nothing is clipped, and one outlier makes every step theta / T coarse.    Diehl 2015"""
    return site.target.amax()


def percentile(p: float) -> Rule:
    """theta = p-th percentile of all activations, zeros included.    Rueckauer 2017, section 2.2.2

    Args:
        p: percent, 0 < p <= 100; 99.9 is usual.
    Raises: ValueError if p is outside.
    """
    if not 0 < p <= 100:
        raise ValueError(f"p = {p}, but a percentile lies in (0, 100]")

    def rule(site: Site) -> Tensor:
        values = site.target.detach().cpu().numpy()
        return torch.tensor(float(np.percentile(values, p)), dtype=site.target.dtype)

    rule.__name__ = f"percentile({p})"
    return rule


def trained(site: Site) -> Tensor:
    """theta = what the activation learned as its upper end.    Ho & Chang 2021, Bu et al. 2022"""
    return site.activation.theta.detach()  # type: ignore[operator]
