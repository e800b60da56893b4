"""Plain loops over the steps, the oracles of every network: one on the grid, one on the ANN's own layers."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from snnlab.activations import LearnedRange
from snnlab.converters.conversion import SNN
from snnlab.converters.graph import walk
from snnlab.neurons import IF, State

ACTIVATIONS = ("relu", "relu6", "clamp", "clamp_min", "clip", "hardtanh", "threshold", "_threshold")


def on_the_grid(snn: SNN, x: Tensor, T: int, sent: dict[str, Tensor] | None = None) -> Tensor:
    """One step after the other, every layer in every step. Returns the mean output.

    Args:
        sent: filled with how often each neuron of each site sent something, [B, ...].
    """
    states: dict[str, State] = {}
    total = torch.zeros((), dtype=torch.float64)

    def step(name: str, neuron: Any, current: Tensor) -> Tensor:
        state = states[name] if name in states else neuron.start(current)
        output, states[name] = neuron.step(current, state)
        if sent is not None:
            sent[name] = sent.get(name, 0) + (output != 0).double()
        return output

    with torch.inference_mode():
        for _ in range(T):
            total = total + walk(snn.grid, x, step).double()
    return total / T


class _Stepped(TorchFunctionMode):
    """One step: the k-th activation that the forward calls is the k-th neuron's step."""

    def __init__(self, neurons: list[IF], states: dict[int, State]) -> None:
        super().__init__()
        self.neurons, self.states, self.place = neurons, states, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "").removesuffix("_") not in ACTIVATIONS:
            return func(*args, **(kwargs or {}))
        current = args[0].clone()
        place, self.place = self.place, self.place + 1
        result = func(*args, **(kwargs or {}))
        state = self.states.get(place) or self.neurons[place].start(current)
        output, self.states[place] = self.neurons[place].step(current, state)
        return result.copy_(output)  # in place, if the activation is


def on_the_ann(ann: nn.Module, snn: SNN, x: Tensor, T: int) -> Tensor:
    """The ANN's own forward in float64, once for each step, with neurons where it calls activations."""
    ann = copy.deepcopy(ann).double()
    for module in list(ann.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, LearnedRange):
                setattr(module, name, nn.ReLU())
    neurons = [copy.deepcopy(neuron).double() for neuron in snn.sites.values()]
    states: dict[int, State] = {}
    total = torch.zeros((), dtype=torch.float64)
    with torch.no_grad():
        for _ in range(T):
            with _Stepped(neurons, states) as steps:
                total = total + ann(x.double().clone())
            assert steps.place == len(neurons), "the SNN has other sites than the ANN has activations"
    return total / T
