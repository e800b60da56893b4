"""Train: what a neuron sent over all steps, for all calibration images, kept as bits."""

from collections.abc import Iterable

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
            Tensor
        ] = []  # the binary digits of the spikes' size: bytes [T / 8, N, ...], a bit a step
        self.taken: Tensor | None = None  # another such plane: which spikes are taken back, if any are
        for output in outputs:
            self.T, few = len(output), output.shape[1]
            spikes = (output / self.threshold).round_().to(torch.int8)
            self._keep(spikes, slice(done, done + few))
            done += few
        self.shape = (self.T, images, *self.planes[0].shape[2:])

    def _keep(self, spikes: Tensor, place: slice) -> None:
        size = spikes.abs()
        for k in range(max(1, int(size.max()).bit_length())):
            if k == len(self.planes):
                self.planes.append(self._plane(spikes))
            _pack((size >> k).bitwise_and_(1), self.planes[k][:, place])
        if bool((spikes < 0).any()):
            self.taken = self._plane(spikes) if self.taken is None else self.taken
            _pack((spikes < 0).to(torch.int8), self.taken[:, place])

    def _plane(self, spikes: Tensor) -> Tensor:
        """Bytes for all images, in the memory layout of these spikes."""
        one, rows = spikes[0, 0], -(-self.T // 8)
        strides = (self.images * one.numel(), one.numel(), *one.stride())
        return torch.empty_strided((rows, self.images, *one.shape), strides, dtype=torch.uint8).zero_()

    def __getitem__(self, part: Part) -> Tensor:
        """The outputs for some of the images, [T, n, ...]."""
        spikes, *digits = (self._unpack(plane, part) for plane in self.planes)
        for k, digit in enumerate(digits, start=1):
            spikes += digit << k
        if self.taken is not None:
            spikes *= 1 - 2 * self._unpack(self.taken, part)
        return spikes.to(self.threshold.dtype).mul_(self.threshold)

    def mean(self) -> Tensor:
        """The mean output over the steps, [N, ...]."""
        return torch.cat([self[first : first + 8].mean(0) for first in range(0, self.images, 8)])

    def _unpack(self, plane: Tensor, part: Part) -> Tensor:
        """A plane's bits for some of the images, int8 [T, n, ...]."""
        few = plane[:, part] if isinstance(part, slice) else torch.stack([row[part] for row in plane])
        strides = (few[0].numel(), *few[0].stride())
        bits = torch.empty_strided((self.T, *few.shape[1:]), strides, dtype=torch.uint8)
        for t, bit in enumerate(bits):
            torch.bitwise_right_shift(few[t // 8], t % 8, out=bit).bitwise_and_(1)
        return bits.view(torch.int8)


def _pack(bits: Tensor, rows: Tensor) -> None:
    """Write 0 or 1, [T, n, ...], into the bits of bytes [T / 8, n, ...], the first step into the lowest."""
    for t, bit in enumerate(bits):
        rows[t // 8].bitwise_or_(bit.view(torch.uint8) << t % 8)
