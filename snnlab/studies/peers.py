"""Other simulators on a converted network: the same weights, thresholds and potentials, their own neurons.

A peer is a function of an SNN that gives a `Simulator`. The layers are PyTorch's in all of them; what is theirs is the
neuron and its loop. A peer's spikes are 0 or 1, and a multiplication by the threshold makes activation units of them,
as SpikingJelly's own converter has it. Every run starts from the initial potentials.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor

from snnlab.converters.graph import walk
from snnlab.converters.graph.unroll import Plan, Unroll, channels_last
from snnlab.converters.snn import SNN
from snnlab.neurons import IF

Simulator = Callable[[Tensor, int], Tensor]
"""images [B, ...], T -> mean output [B, ...], activation units"""
Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""current, v -> spikes, v; each [B, ...]"""
Steps = Callable[[Tensor, Tensor], Tensor]
"""current [T, B, ...], v [B, ...] -> spikes [T, B, ...]"""


class Peer(NamedTuple):
    """Another simulator.

    Attributes:
        package: what is imported.
        install: how to get it, for a reader who lacks it.
        build: SNN to Simulator; None for one that cannot run, and `install` says why.
    """

    package: str
    install: str
    build: Callable[[SNN], Simulator] | None


@dataclass(frozen=True)
class Level:
    """A site's numbers as the peers take them: one threshold, or for several 1, and currents in units of them."""

    neuron: IF

    @property
    def one(self) -> bool:
        """Whether the whole layer has one threshold."""
        return self.neuron.threshold.numel() == 1

    @property
    def theta(self) -> float:
        """The threshold that the peer is told."""
        return float(self.neuron.threshold) if self.one else 1.0

    def current(self, z: Tensor) -> Tensor:
        """What the peer's neuron adds up, of z's shape."""
        return z if self.one else z / self.neuron.threshold

    def start(self, z: Tensor) -> Tensor:
        """The potential before the first step, for a current of z's shape, [B, ...]."""
        return torch.empty_like(z).copy_(
            self.neuron.v0 if self.one else self.neuron.v0 / self.neuron.threshold
        )


def levels(snn: SNN) -> dict[str, Level]:
    """Site to Level. Raises: ValueError for a neuron that peers do not have."""
    for name, neuron in snn.sites.items():
        if type(neuron) is not IF or neuron.leak != 1.0 or neuron.reset != "subtract":
            raise ValueError(
                f"the neuron at {name!r} is {neuron}, but other simulators are run with IF that resets by "
                'subtraction: convert with such a method, "robust_norm" for instance'
            )
    return {name: Level(neuron) for name, neuron in snn.sites.items()}


def step_by_step(snn: SNN, neuron_of: Callable[[float], Step]) -> Simulator:
    """The whole network in every step, a neuron of the peer's at each site."""
    sites = {name: (level, neuron_of(level.theta)) for name, level in levels(snn).items()}

    def run(images: Tensor, T: int) -> Tensor:
        potentials: dict[str, Tensor] = {}

        def fire(name: str, _: Any, z: Tensor) -> Tensor:
            level, step = sites[name]
            before = potentials.get(name)
            spikes, potentials[name] = step(level.current(z), level.start(z) if before is None else before)
            return spikes * level.neuron.threshold

        total = walk(snn.graph, images, fire)
        for _ in range(T - 1):
            total = total + walk(snn.graph, images, fire)
        return total / T

    return run


def all_at_once(snn: SNN, neuron_of: Callable[[float], Steps]) -> Simulator:
    """Layer after layer, all steps of it folded into the batch, the peer's neuron over [T, B, ...]."""
    sites = {name: (level, neuron_of(level.theta)) for name, level in levels(snn).items()}
    plan = Plan(snn.graph, coded=True)  # the image is handed in T times

    def fire(name: str, _: Any, z: Tensor) -> Tensor:
        level, steps = sites[name]
        return steps(level.current(z), level.start(z[0])) * level.neuron.threshold

    def run(images: Tensor, T: int) -> Tensor:
        frames = channels_last(images.repeat(T, *[1] * (images.ndim - 1))).unflatten(0, (T, -1))
        return Unroll(plan, {}, T, frames).run(fire).mean(0)

    return run


def spikingjelly_single(snn: SNN) -> Simulator:
    """SpikingJelly's IFNode, step_mode="s"; soft reset, fires at v >= theta."""
    from spikingjelly.activation_based.neuron import IFNode

    def neuron(theta: float) -> Step:
        node = IFNode(theta, v_reset=None, step_mode="s").eval()

        def step(z: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
            node.v = v
            return node(z), node.v

        return step

    return step_by_step(snn, neuron)


def spikingjelly_multi(snn: SNN) -> Simulator:
    """SpikingJelly's IFNode, step_mode="m"."""
    from spikingjelly.activation_based.neuron import IFNode

    def neuron(theta: float) -> Steps:
        node = IFNode(theta, v_reset=None, step_mode="m").eval()

        def steps(z: Tensor, v: Tensor) -> Tensor:
            node.v = v
            spikes: Tensor = node(z)
            node.reset()
            return spikes

        return steps

    return all_at_once(snn, neuron)


def snntorch(snn: SNN) -> Simulator:
    """snnTorch's Leaky without a leak. Its own rule fires at v > theta, so it is handed one that fires at v >= theta.

    It pays for a spike at the beginning of the next step, its default: the spikes are the same, for v0 < theta. With
    reset_delay=False it loses spikes of neurons that still hold a threshold after one.
    """
    from snntorch import Leaky

    def neuron(theta: float) -> Step:
        return Leaky(beta=1.0, threshold=theta, spike_grad=_reached)

    return step_by_step(snn, neuron)


def _reached(above: Tensor) -> Tensor:
    return (above >= 0).to(above.dtype)


def norse(snn: SNN) -> Simulator:
    """Norse's IAF, which resets to zero and nothing else: the same work, but other spikes."""
    from norse.torch.functional.iaf import IAFFeedForwardState, IAFParameters, iaf_feed_forward_step

    def neuron(theta: float) -> Step:
        parameters = IAFParameters(v_th=torch.tensor(theta))

        def step(z: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
            spikes, state = iaf_feed_forward_step(z, IAFFeedForwardState(v), parameters)
            return spikes, state.v

        return step

    return step_by_step(snn, neuron)


def sinabs(snn: SNN) -> Simulator:
    """sinabs' IAF over [B, T, ...], one spike a step at most, reset by subtraction."""
    from sinabs.activation import MembraneSubtract, SingleSpike
    from sinabs.layers import IAF

    def neuron(theta: float) -> Steps:
        def steps(z: Tensor, v: Tensor) -> Tensor:
            layer = IAF(torch.tensor(theta), spike_fn=SingleSpike, reset_fn=MembraneSubtract())
            layer.init_state_with_shape(v.shape)
            layer.v_mem.data = v
            return layer(z.transpose(0, 1)).transpose(0, 1)

        return steps

    return all_at_once(snn, neuron)


EXTRA = "pip install 'snnlab[bench]' (in a checkout: pip install -e '.[bench]')"
PEERS: dict[str, Peer] = {
    "SpikingJelly, single-step": Peer("spikingjelly", EXTRA, spikingjelly_single),
    "SpikingJelly, multi-step": Peer("spikingjelly", EXTRA, spikingjelly_multi),
    "snnTorch": Peer("snntorch", EXTRA, snntorch),
    "Norse": Peer("norse", EXTRA, norse),
    "sinabs": Peer(
        "sinabs", "pip install --no-deps sinabs pbr (it asks for nir 1.0.4 or older, this kit for a newer one)", sinabs
    ),
    "nengo-dl": Peer(
        "nengo_dl", "its last release, 3.6.0, asks for keras.engine, which today's Keras no longer has", None
    ),
    "snntoolbox": Peer(
        "snntoolbox", "its last release, 0.6.0, asks layers for output_shape, which today's Keras no longer has", None
    ),
}  # fmt: skip
"""Name of the row to peer."""


def found() -> tuple[dict[str, Callable[[SNN], Simulator]], list[str]]:
    """The peers that can be imported, and a line for each that cannot: how to install it, or why it does not run."""
    usable: dict[str, Callable[[SNN], Simulator]] = {}
    missing = []
    for name, peer in PEERS.items():
        if peer.build is None:
            missing.append(f"{name} does not run: {peer.install}")
        elif problem := _problem(peer.package):
            missing.append(f"{name} is not here ({problem}): {peer.install}")
        else:
            usable[name] = peer.build
    return usable, missing


def _problem(package: str) -> str:
    """Why a package cannot be imported; nothing if it can."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import_module(package)
    except (ImportError, AttributeError, RuntimeError, OSError) as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return ""
