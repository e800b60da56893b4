"""How an image is shown to a spiking network: as the same current in every step, or as spikes drawn at random.

With T steps the mean of a pixel x in [0, 1] that sends spikes has the variance x (1 - x) / T. The sources of the
methods mention both codings.

References:
  1) Poisson spikes: Diehl et al. 2015, IJCNN
  2) A constant current, which has no such noise: Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.2
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from snnlab.converters.graph import Max
from snnlab.converters.snn import SNN
from snnlab.neurons.door import door
from snnlab.neurons.settings import whole

Coding = Literal["constant", "poisson"]
SEEDS = 2**63
"""Seeds below it are different keys of the generator."""


class Poisson:
    """Each pixel sends spikes of one size, in each step with the chance that its mean asks for.

        x[t] = sign(x) * m * s[t],     s[t] = 1 with probability |x| / m, else 0

    The draws are whole numbers of a generator of each image's own (Philox), so they are the same on every machine,
    whatever the batch and the chunk.

    Args:
        largest: m > 0, the size of a spike; pixels beyond it send one in every step.
        seed: 0 to 2^63 - 1.
    """

    @door
    def __init__(self, largest: float, seed: int) -> None:
        self.largest, self.seed = largest, seed

    @door
    def steps(self, images: Tensor, first: int) -> Callable[..., Tensor]:
        """A function that gives the next so many steps, [steps, B, ...], of all images or of those of some numbers.

        Args:
            images: [B, ...], of which the first is number `first` of all.
        """
        if images.ndim < 2 or not len(images):
            raise ValueError(
                f"images have shape {list(images.shape)}, but they must be [B, ...], B of 1 or more"
            )
        draws = [np.random.Philox(key=[self.seed, first + k]) for k in range(len(images))]
        size, sent = images[0].numel(), images.sign() * self.largest
        chances = images.double().abs() / self.largest * 2.0**53

        def frames(count: int, which: Tensor | None = None) -> Tensor:
            few = range(len(images)) if which is None else which.tolist()
            raw = np.stack([draws[k].random_raw(count * size) >> np.uint64(11) for k in few])
            drawn = torch.from_numpy(raw.astype(np.int64)).reshape(len(few), count, *images.shape[1:])
            chance, spike = (all_ if which is None else all_[which] for all_ in (chances, sent))
            return (drawn.transpose(0, 1).to(chance) < chance).to(spike) * spike

        return frames


@door
def coded(snn: SNN, coding: Coding, seed: int) -> Poisson | None:
    """What shows images to a network; None for a constant current.

    Raises: ValueError that names the argument, or the layer, what was given and what is allowed.
    """
    seed = whole(seed, "seed", 0, SEEDS - 1)
    if coding == "constant":
        return None
    for node in snn.graph.nodes:
        if isinstance(node.kind, Max):
            raise ValueError(
                f"{node.said}, and with coding = 'poisson' what reaches it changes from step to step: a maximum of "
                "spikes is not the spikes of the maximum; take coding = 'constant', or retrain with an average pool"
            )
    return Poisson(float(snn.example.abs().amax()) or 1.0, seed)
