"""What a classification costs: synaptic operations counted one by one, and energy by published figures.

Per image, with T steps:

    MACs of a layer   multiplications with addition in one forward pass of the ANN; padding counts, biases do not
    SOPs of a layer   synaptic operations: for each spike that arrives, an addition at every synapse that it reaches

    E_ANN = e_mac * sum MACs
    E_SNN = e_mac * (MACs of the layers that see the image) * (1, or T) + e_add * sum SOPs of the others

The image's layers compute the same in every step: 1 if their result is kept, T if not. A figure leaves out what moves
data: memory, addresses, the potentials. In hardware that is most of it, and the ANN it is compared with could be
quantised as well. So CAVEAT goes with every number.

References:
  1) Energies at 45 nm: Horowitz 2014, ISSCC
  2) The comparison: Rathi & Roy 2021, DIET-SNN; Xiong et al. 2025, eq. 18, where (1 - c/b) b is b - c
  3) Why it flatters spikes: Yan et al. 2024, arXiv 2409.08290; Dampfhoffer et al. 2023, IEEE TETCI
"""

import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, fx, nn

from snnlab.converters.choices.segment import AFFINE
from snnlab.converters.conversion import SNN
from snnlab.converters.graph import evaluate
from snnlab.converters.graph.layers import POOL_CALLS, POOLS, SCALINGS
from snnlab.converters.graph.unroll import Unroll, static_values, temporal_nodes
from snnlab.converters.grid import Rescale
from snnlab.datasets import Split
from snnlab.neurons import IF
from snnlab.progress import progress_bar
from snnlab.simulators.simulation import channels_last, check_run, one_thread_each

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
        fed_by: "image", the same in every step; "spikes"; or "currents", of a layer with no neuron between.
        macs: of the ANN's forward pass.
        sops: over all T steps; 0 unless fed by spikes.
    """

    fed_by: Literal["image", "spikes", "currents"]
    macs: int
    sops: float


@dataclass(frozen=True)
class Energy:
    """What `measure` counted, per image.

    Attributes:
        T: steps.
        layers: by name, in order.
        spikes: sent by each site over the T steps, those taken back included; a burst is one packet.
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

    def ann(self, technology: Technology = FLOAT32) -> float:
        """Of the ANN, nJ."""
        return technology.mac * self.macs / 1000

    def snn(self, technology: Technology = FLOAT32, *, image_once: bool = True) -> float:
        """Of the spiking network, nJ; image_once: whether what the image's layers compute is kept for all steps."""
        steps = {"image": 1 if image_once else self.T, "currents": self.T, "spikes": 0}
        macs = sum(steps[layer.fed_by] * layer.macs for layer in self.layers.values())
        return (technology.mac * macs + technology.add * self.sops) / 1000

    def ratio(self, technology: Technology = FLOAT32, *, image_once: bool = True) -> float:
        """E_SNN / E_ANN; once the image's layers are kept, (c e_mac + (b - c) e_add) / (a e_mac).    Xiong 2025, eq. 18

        There a are the ANN's operations, b the spiking network's, c those of its first layer.
        """
        return self.snn(technology, image_once=image_once) / self.ann(technology)

    def break_even(self, technology: Technology = FLOAT32, *, image_once: bool = True) -> float:
        """The rate, spikes per neuron and step, at which both cost the same; below 0 if none can.

        SOPs are taken to grow with the rate, as they do if all layers fire alike more or less.
        """
        spare = self.ann(technology) - self.snn(technology._replace(add=0.0), image_once=image_once)
        paid = technology.add * self.sops / 1000
        return self.rate * spare / paid if paid > 0 else float("inf")


def measure(snn: SNN, data: Tensor | Split, T: int | None = None, *, progress: bool = True) -> Energy:
    """Count spikes and synaptic operations of a converted network, mean over images.

    Args:
        data: images [N, ...] or a Split.
        T: steps, >= 1; None takes what the network was converted for.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    images = data.images if isinstance(data, Split) else data
    T = snn.T if T is None else T
    check_run(snn, images, T)
    device = next(snn.graph.buffers()).device
    sums: dict[str, float] = {}
    first: _Count | None = None
    bar = progress_bar(total=len(images), desc="counting spikes", unit="image", disable=not progress)
    with bar, one_thread_each(device) as pool:
        for found in pool.map(partial(_count, snn, T), images.split(BATCH)):
            first = first or found
            for name, value in (found.sops | found.spikes).items():
                sums[name] = sums.get(name, 0.0) + value
            bar.update(found.images)
    assert first is not None
    mean = {name: value / len(images) for name, value in sums.items()}
    layers = {
        name: Layer(first.fed_by[name], first.macs[name], mean.get(f"sops {name}", 0.0))
        for name in first.macs
    }
    spikes = {name: mean[f"spikes {name}"] for name in first.neurons}
    runs = 2 if any(neuron.looks_ahead for neuron in snn.sites.values()) else 1
    return Energy(T, layers, spikes, first.neurons, runs)


@dataclass
class _Count:
    """What one batch adds up."""

    images: int
    fed_by: dict[str, Any]
    macs: dict[str, int]
    neurons: dict[str, int]
    sops: dict[str, float]
    spikes: dict[str, float]


@torch.inference_mode()
def _count(snn: SNN, T: int, images: Tensor) -> _Count:
    """Spikes of the network as it runs; then how many synapses each of them reaches, layer by layer."""
    images = channels_last(images.float().to(next(snn.graph.buffers()).device))
    events = _spikes(snn, T, images)
    found = _Count(len(images), {}, {}, {}, {}, {})
    for name, count in events.items():
        found.neurons[name] = count[0].numel()
        found.spikes[f"spikes {name}"] = float(count.sum())
    static = static_values(snn.graph, images)
    values: dict[fx.Node, Tensor] = {}
    currents: set[fx.Node] = set()  # values that a layer with weights made, and no neuron has seen
    for node in snn.graph.graph.nodes:
        layer = snn.graph.module(node) if node.op == "call_module" and "site" not in node.meta else None
        if isinstance(layer, AFFINE):
            _enter(found, node, layer, values, static, currents)
        if "site" in node.meta:
            values[node] = events[str(node.target)]
        elif node.op != "output" and node.meta["temporal"]:
            values[node] = _passed_on(snn, node, layer, values, static)
            if isinstance(layer, AFFINE) or any(other in currents for other in node.all_input_nodes):
                currents.add(node)
    return found


def _spikes(snn: SNN, T: int, images: Tensor) -> dict[str, Tensor]:
    """For each site how often each neuron sends something in T steps, [B, ...]."""
    graph = snn.graph if snn.grid is None else snn.grid
    counts: dict[str, Tensor] = {}

    def at_neuron(name: str, neuron: IF, current: Tensor) -> Tensor:
        output, _ = neuron(current)
        counts[name] = output.count_nonzero(0).float()
        return output

    unroll = Unroll(graph, static_values(graph, images), T)
    for node in temporal_nodes(graph):
        unroll.advance(node, at_neuron)
    return counts


def _enter(
    found: _Count,
    node: fx.Node,
    layer: nn.Module,
    values: dict[fx.Node, Tensor],
    static: dict[fx.Node, Any],
    currents: set[fx.Node],
) -> None:
    """A layer with weights: its MACs, who feeds it, and the synapses that the spikes reach."""
    name, feed = str(node.target), node.all_input_nodes[0]
    shape = layer(static[feed][:1] if not feed.meta["temporal"] else values[feed][:1]).shape
    found.macs[name] = int(shape.numel() * layer.weight[0].numel())  # type: ignore[index]
    if not feed.meta["temporal"]:
        found.fed_by[name] = "image"
    elif feed in currents:
        found.fed_by[name] = "currents"
    else:
        found.fed_by[name] = "spikes"
        found.sops[f"sops {name}"] = float(_ones(layer)(values[feed]).sum(dtype=torch.float64))


def _ones(layer: nn.Module) -> nn.Module:
    """The layer with every weight 1: its outputs count the spikes that reach them."""
    ones = copy.deepcopy(layer)
    for name, parameter in ones.named_parameters():
        parameter.data.fill_(1.0 if name == "weight" else 0.0)
    return ones


def _passed_on(
    snn: SNN,
    node: fx.Node,
    layer: nn.Module | None,
    values: dict[fx.Node, Tensor],
    static: dict[fx.Node, Any],
) -> Tensor:
    """The spikes that leave a node: a pool and a scaling pass each on, a layer with weights makes currents of them."""

    def value(other: fx.Node) -> Any:
        if other in values:
            return values[other]
        still = static[other]
        return torch.zeros_like(still) if isinstance(still, Tensor) else still

    if node.target in SCALINGS or isinstance(layer, Rescale):
        return next(values[other] for other in node.all_input_nodes if other in values)
    passed = evaluate(snn.graph, node, value)
    if isinstance(layer, POOLS) or node.target in POOL_CALLS:
        return passed * _window(layer, value(node.all_input_nodes[0]), passed)
    return passed


def _window(pool: nn.Module | None, before: Tensor, after: Tensor) -> float:
    """How many values an average is taken over."""
    size = getattr(pool, "kernel_size", None) if pool is not None else None
    if size is None:
        return before[0].numel() / after[0].numel()
    sides = before.ndim - 2
    return float(torch.tensor(size if isinstance(size, tuple) else (size,) * sides).prod())
