"""The interactive pieces: each a small JavaScript module that simulates in the browser, hosted by anywidget."""

from snnlab.explorers.calcium import Calcium, calcium
from snnlab.explorers.energy import EnergyExplorer, energy
from snnlab.explorers.membrane import Membrane, membrane
from snnlab.explorers.network import NetworkExplorer, network
from snnlab.explorers.transfer import Transfer, transfer
from snnlab.explorers.unevenness import Unevenness, unevenness

__all__ = [
    "Calcium",
    "EnergyExplorer",
    "Membrane",
    "NetworkExplorer",
    "Transfer",
    "Unevenness",
    "calcium",
    "energy",
    "membrane",
    "network",
    "transfer",
    "unevenness",
]
