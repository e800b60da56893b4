"""What an ANN trains with, so that it converts well: activations that already know what a spiking neuron can say."""

from collections.abc import Callable

from torch import nn

from snnlab.activations.learned import Clip, LearnedRange, RateNorm
from snnlab.activations.quantized import QCFS, NoisyQuantClip, QuantClip

__all__ = ["ACTIVATIONS_BY_NAME", "QCFS", "Clip", "LearnedRange", "NoisyQuantClip", "QuantClip", "RateNorm"]

ACTIVATIONS_BY_NAME: dict[str, Callable[..., nn.Module]] = {
    "relu": nn.ReLU,
    "clip": Clip,
    "quant_clip": QuantClip,
    "qcfs": QCFS,
    "noisy_quant_clip": NoisyQuantClip,
    "rate_norm": RateNorm,
}
"""What `snnlab train` offers. Fake quantisation of activations is `qcfs` (its docstring says why)."""
