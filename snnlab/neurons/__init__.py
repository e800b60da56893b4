"""What a spiking neuron does in one step, and over a sequence of steps: one short rule for each kind."""

from snnlab.neurons.burst import BurstIF
from snnlab.neurons.calcium import CaLIF, HardResetCaLIF
from snnlab.neurons.counter import CounterIF
from snnlab.neurons.integrate import IF, LIF, State
from snnlab.neurons.offset import OffsetSpikeIF
from snnlab.neurons.signed import SNM, STBIF, SignedIF, ZeroThresholdIF

NEURONS: dict[str, type[IF]] = {
    "if": IF,
    "lif": LIF,
    "burst": BurstIF,
    "snm": SNM,
    "zero_threshold": ZeroThresholdIF,
    "st_bif": STBIF,
    "ca_lif": CaLIF,
    "ca_lif_hard_reset": HardResetCaLIF,
}
"""Every kind by the name that the explorers show; each is called with (threshold, v0)."""

__all__ = [
    "IF",
    "LIF",
    "NEURONS",
    "SNM",
    "STBIF",
    "BurstIF",
    "CaLIF",
    "CounterIF",
    "HardResetCaLIF",
    "OffsetSpikeIF",
    "SignedIF",
    "State",
    "ZeroThresholdIF",
]
