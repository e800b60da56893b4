"""What a classification costs: synaptic operations counted one by one, and energy by published figures.

Per image, with T steps:

    MACs of a layer   multiplications with addition in one forward pass of the ANN; padding counts, biases do not
    SOPs of a layer   synaptic operations: for each spike that arrives, an addition at every synapse that it reaches

    E_ANN = e_mac * sum MACs
    E_SNN = e_mac * (MACs of the layers that see the image) * (1, or T) + e_add * sum SOPs of the others

The image's layers compute the same in every step: 1 if their result is kept, T if not. With Poisson coding the image
comes as spikes, so its layers have SOPs too, and no MACs. A figure leaves out what moves
data: memory, addresses, the potentials. In hardware that is most of it, and the ANN it is compared with could be
quantised as well. So CAVEAT goes with every number.

References:
  1) Energies at 45 nm: Horowitz 2014, ISSCC
  2) The comparison: Rathi & Roy 2021, DIET-SNN; Xiong et al. 2025, eq. 18, where (1 - c/b) b is b - c
  3) Why it flatters spikes: Yan et al. 2024, arXiv 2409.08290; Dampfhoffer et al. 2023, IEEE TETCI
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from snnlab.converters.graph import Weighted
from snnlab.converters.graph.unroll import Plan, Unroll
from snnlab.converters.snn import SNN
from snnlab.datasets.given import Given
from snnlab.files.language import said
from snnlab.neurons import IF
from snnlab.neurons.door import door
from snnlab.simulators.coding import Coding, Poisson, coded
from snnlab.simulators.simulation import each_batch, few_at_once, prepared

CAVEAT = (
    "Arithmetic only: memory and data movement, which dominate in hardware, are left out, and the ANN could be "
    "quantised too. Against a network quantised to as many levels as there are steps, spikes win only if they are "
    "rarer than about 0.06 a neuron and step (Yan et al. 2024, T from 5 to 10)."
)
BATCH = 32  # images at a time


class Technology(NamedTuple):
    """Energy of an operation, pJ: multiply with add, and add."""

    mac: float
    add: float


FLOAT32 = Technology(4.6, 0.9)
"""45 nm, 32-bit floating point: 3.7 + 0.9, and 0.9.    Horowitz 2014"""
INT8 = Technology(0.23, 0.03)
"""45 nm, 8-bit integers: 0.2 + 0.03, and 0.03.    Horowitz 2014"""


@dataclass(frozen=True)
class Layer:
    """One layer with weights, per image.

    Attributes:
        macs: of the ANN's forward pass.
        image: those of them whose input is the image's, the same in every step.
        currents: those whose input changes but is no spike: of a layer with no neuron between.
        sops: over all T steps, for the spikes among the inputs.
    """

    macs: int
    image: int
    currents: int
    sops: float

    @property
    def fed_by(self) -> str:
        """What its inputs are: "image", "currents", "spikes", or several of them."""
        spikes = self.image + self.currents < self.macs
        kinds = {"image": self.image, "currents": self.currents, "spikes": spikes}
        return " and ".join(kind for kind, some in kinds.items() if some)


@dataclass(frozen=True)
class Energy:
    """What `measure` counted, per image.

    Attributes:
        T: steps.
        layers: by name, in order.
        spikes: sent by each site over the T steps, those taken back included; a burst is one packet. What pixels send
            is not among them.
        neurons: of each site.
        runs: how often each layer runs through the T steps: 2 if its neurons look ahead.
    """

    T: int
    layers: dict[str, Layer]
    spikes: dict[str, float]
    neurons: dict[str, int]
    runs: int = 1

    @property
    def macs(self) -> int:
        """Of the whole ANN."""
        return sum(layer.macs for layer in self.layers.values())

    @property
    def sops(self) -> float:
        """Of the whole spiking network, over all steps and runs."""
        return self.runs * sum(layer.sops for layer in self.layers.values())

    @property
    def rate(self) -> float:
        """Spikes per neuron and step, over all sites."""
        return sum(self.spikes.values()) / sum(self.neurons.values()) / self.T

    @door
    def ann(self, technology: Technology = FLOAT32) -> float:
        """Of the ANN, nJ."""
        return technology.mac * self.macs / 1000

    @door
    def snn(self, technology: Technology = FLOAT32, *, image_once: bool = True) -> float:
        """Of the spiking network, nJ; image_once: whether what the image's layers compute is kept for all steps."""
        often = 1 if image_once else self.T
        macs = sum(often * layer.image + self.T * layer.currents for layer in self.layers.values())
        return (technology.mac * macs + technology.add * self.sops) / 1000

    @door
    def ratio(self, technology: Technology = FLOAT32, *, image_once: bool = True) -> float:
        """E_SNN / E_ANN; once the image's layers are kept, (c e_mac + (b - c) e_add) / (a e_mac).    Xiong 2025, eq. 18

        There a are the ANN's operations, b the spiking network's, c those of its first layer.
        """
        return self.snn(technology, image_once=image_once) / self.ann(technology)

    @door
    def break_even(self, technology: Technology = FLOAT32, *, image_once: bool = True) -> float:
        """The rate, spikes per neuron and step, at which both cost the same; below 0 if none can.

        SOPs are taken to grow with the rate, as they do if all layers fire alike more or less.
        """
        spare = self.ann(technology) - self.snn(technology._replace(add=0.0), image_once=image_once)
        paid = technology.add * self.sops / 1000
        return self.rate * spare / paid if paid > 0 else float("inf")


@door
def measure(
    snn: SNN,
    data: Given,
    T: int | None = None,
    *,
    coding: Coding = "constant",
    seed: int = 0,
    progress: bool = True,
) -> Energy:
    """Count spikes and synaptic operations of a converted network, mean over images.

    Args:
        data: images [N, ...] or a Split.
        T: steps, >= 1; None takes what the network was converted for.
        coding, seed: as in simulate.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    images, T = prepared(snn, data, T)
    count, sums = _Counter(snn, T, coded(snn, coding, seed)), dict[str, float]()
    for found in each_batch(
        snn, images.split(few_at_once(snn, T, BATCH)), count, said("counting spikes"), progress=progress
    ):
        for name, value in (found.sops | found.spikes).items():
            sums[name] = sums.get(name, 0.0) + value
    first: _Count = found  # what a layer is, is the same in every batch
    mean = {name: value / len(images) for name, value in sums.items()}
    layers = {
        name: Layer(macs, *first.analog[name], mean[f"sops {name}"]) for name, macs in first.macs.items()
    }
    spikes = {name: mean[f"spikes {name}"] for name in first.neurons}
    runs = 2 if any(neuron.looks_ahead for neuron in snn.sites.values()) else 1
    return Energy(T, layers, spikes, first.neurons, runs)


@dataclass
class _Count:
    """What one batch adds up."""

    macs: dict[str, int] = field(default_factory=dict)
    analog: dict[str, tuple[int, int]] = field(default_factory=dict)  # from the image, from currents
    neurons: dict[str, int] = field(default_factory=dict)
    sops: dict[str, float] = field(default_factory=dict)
    spikes: dict[str, float] = field(default_factory=dict)


class _Carried(NamedTuple):
    """What is on its way at each place: how many spikes, and whether spikes, the image's values or currents can be."""

    number: Tensor  # [B, ...]
    spikes: Tensor  # [1, ...], 0 or above
    image: Tensor
    currents: Tensor


@dataclass(frozen=True)
class _Counter:
    """Counts one batch after the other; holds nothing that changes."""

    snn: SNN
    T: int
    coder: Poisson | None

    @torch.inference_mode()
    def __call__(self, images: Tensor, first: int) -> _Count:
        """Images [B, ...], of which the first is number `first` of all."""
        frames = None if self.coder is None else self.coder.steps(images, first)(self.T)
        return _reach(self.snn, images, frames, _spikes(self.snn, self.T, images, frames))


def _reach(snn: SNN, images: Tensor, frames: Tensor | None, events: dict[str, Tensor]) -> _Count:
    """How many synapses each spike of the network's run reaches, layer by layer."""
    found = _Count()
    if frames is None:
        none, everywhere = torch.zeros_like(images[:1]), torch.ones_like(images[:1])
        carried = {snn.graph.input: _Carried(torch.zeros_like(images), none, everywhere, none)}
    else:
        carried = {snn.graph.input: _spiking(frames.count_nonzero(0).float())}
    for node in snn.graph.nodes:
        inputs = tuple(carried[other] for other in node.inputs)
        if node.site:
            count = events[node.name]
            found.neurons[node.name] = count[0].numel()
            found.spikes[f"spikes {node.name}"] = float(count.sum())
            carried[node] = _spiking(count)
        elif isinstance(node.kind, Weighted):
            carried[node] = _enter(found, node.name, node.kind, inputs[0])
        else:
            spread: Any = node.kind.spread
            carried[node] = _Carried(*(spread(*values) for values in zip(*inputs, strict=True)))
    return found


def _spiking(count: Tensor) -> _Carried:
    """What leaves a place that sends so many spikes, [B, ...], and nothing else."""
    none, everywhere = torch.zeros_like(count[:1]), torch.ones_like(count[:1])
    return _Carried(count, everywhere, none, none)


def _spikes(snn: SNN, T: int, images: Tensor, frames: Tensor | None) -> dict[str, Tensor]:
    """For each site how often each neuron sends something in T steps, [B, ...]."""
    counts: dict[str, Tensor] = {}

    def at_neuron(name: str, neuron: IF, current: Tensor) -> Tensor:
        output, _ = neuron(current)
        counts[name] = output.count_nonzero(0).float()
        return output

    plan = Plan(snn.runs, frames is not None)
    Unroll(plan, plan.static(images), T, frames).run(at_neuron)
    return counts


def _enter(found: _Count, name: str, layer: Weighted, inputs: _Carried) -> _Carried:
    """A layer with weights: its MACs, who feeds it, and the synapses that the spikes reach. It makes currents.

    Of the image's values alone it makes values that stay the same in every step, as the image's do.
    """
    reached = layer.spread(inputs.number.double())
    spikes, image, currents = (layer.spread((part > 0).double()) for part in inputs[1:])
    whole = float(layer.spread(torch.ones_like(inputs.image).double()).sum())
    macs = layer.macs(inputs.image.shape[1:], reached.shape[1:])
    found.macs[name], found.sops[f"sops {name}"] = macs, float(reached.sum())
    found.analog[name] = (
        round(macs * float(image.sum()) / whole),
        round(macs * float(currents.sum()) / whole),
    )
    moving = ((spikes > 0) | (currents > 0)).float()
    return _Carried(torch.zeros_like(reached), torch.zeros_like(moving), (image > 0) * (1 - moving), moving)
