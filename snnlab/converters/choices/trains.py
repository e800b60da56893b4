"""Train: what a neuron sent over all steps, for all calibration images, kept as bits."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

Part = slice | Tensor
"""Some of the images: a slice, or whole numbers [n]."""


class Train:
    """threshold * spike of every step, [T, N, ...]: one bit for a spike, one more if some are taken back.

    As floats the spikes of one layer of a ResNet-20 for 256 images and 128 steps take 2 GB, as bits 64 MB.

    Args:
        outputs: what the neuron sent, [T, n, ...], for some images after others.
        threshold: theta, broadcasts against [N, ...].
        images: N.
    """

    def __init__(self, outputs: Iterable[Tensor], threshold: Tensor, images: int) -> None:
        self.threshold, self.images, self.T, done = threshold.detach(), images, 0, 0
        self.planes: list[
            np.ndarray
        ] = []  # binary digits of the spikes' size, then their sign: [T / 8, N, ...]
        for output in outputs:
            self.T, few = len(output), output.shape[1]
            spikes = (output / self.threshold).round().to(torch.int8).numpy()
            self._keep(spikes, slice(done, done + few))
            done += few
        self.shape = (self.T, images, *self.planes[0].shape[2:])

    def _keep(self, spikes: np.ndarray, place: slice) -> None:
        size = np.abs(spikes)
        digits = [spikes < 0, *(size >> k & 1 for k in range(max(1, int(size.max()).bit_length())))]
        while len(self.planes) < len(digits):
            self.planes.append(np.zeros((-(-self.T // 8), self.images, *spikes.shape[2:]), np.uint8))
        for plane, digit in zip(self.planes, digits, strict=False):
            plane[:, place] = np.packbits(digit.astype(bool), axis=0)

    def __getitem__(self, part: Part) -> Tensor:
        """The outputs for some of the images, [T, n, ...]."""
        index = part if isinstance(part, slice) else part.numpy()
        taken, *digits = (np.unpackbits(plane[:, index], axis=0, count=self.T) for plane in self.planes)
        spikes = torch.from_numpy(digits[0])
        for k, digit in enumerate(digits[1:], start=1):
            spikes = spikes + (torch.from_numpy(digit) << k)
        output = spikes.to(self.threshold.dtype) * self.threshold
        return torch.where(torch.from_numpy(taken).bool(), -output, output) if taken.any() else output
