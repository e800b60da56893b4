"""Spikes that came as bytes, counted eight neurons at a time."""

import torch
from torch import Tensor

LAST_BITS = 0x0101_0101_0101_0101


def tally(spikes: Tensor, most: int = 1, *, either: bool = False) -> Tensor:
    """Spikes of each neuron over the steps of bytes [T, B, ...], whose steps lie in memory one after the other.

    Eight bytes are added up as one whole number: over 255 / most steps no byte overflows into the next.

    Args:
        most: no byte is larger; none is below 0,
        either: unless this is set: of single spikes of either sign, 1 or -1, whose last bit is 1.
    """
    T, one = len(spikes), spikes[0]
    if one.numel() % 8 or 255 // most < T:
        return (spikes.abs() if either else spikes).sum(0, dtype=torch.int32)
    words = spikes.as_strided((T, one.numel()), (one.numel(), 1)).view(torch.int64)
    words = words.bitwise_and(LAST_BITS) if either else words
    return words.sum(0).view(torch.uint8).as_strided(one.shape, one.stride())
