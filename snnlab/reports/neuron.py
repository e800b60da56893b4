"""What the neuron's report shows: one neuron's steps for one input, and its mean output over a grid of inputs and T."""

from collections.abc import Mapping, Sequence

import torch

from snnlab.files import short
from snnlab.neurons import NEURONS
from snnlab.neurons.door import door
from snnlab.neurons.integrate import IF
from snnlab.neurons.settings import check_memory, whole
from snnlab.simulators.run import Trace

MOST_SHOWN = 2**12
"""Steps in one picture."""


@door
def one_kind(kind: str, threshold: float, share: float) -> IF:
    """A neuron of a kind that NEURONS names, which starts at v0 = share * threshold. Raises: ValueError."""
    if kind not in NEURONS:
        raise ValueError(f"kind = {short(kind)}, but it is one of {', '.join(NEURONS)}")
    return NEURONS[kind](threshold, share * threshold)


@door
def shown_one_input(neuron: IF, z: float, T: int) -> Trace:
    """What one neuron does in T steps of the same input z, activation units: a trace [T, 1]."""
    T = whole(T, "T", most=MOST_SHOWN)
    current, potentials = torch.full((T, 1), z, dtype=torch.float64), list[torch.Tensor]()
    with torch.inference_mode():
        output, _ = neuron(current, None, potentials)
    return Trace(torch.stack(potentials), output, neuron.threshold, neuron.v0)


@door
def mean_outputs(neuron: IF, inputs: Sequence[float], steps: Sequence[int]) -> dict[int, list[float]]:
    """The mean output over T steps of each constant input, by T; activation units."""
    z = torch.tensor(inputs, dtype=torch.float64)
    for T in steps:
        check_memory(
            50 * whole(T, "steps") * len(z),
            f"steps of {T} for {len(z)} inputs would take some {{}}",
            "fewer steps",
        )
    with torch.inference_mode():
        return {T: neuron(z.expand(T, -1))[0].double().mean(0).tolist() for T in steps}


@door
def farthest(outputs: Mapping[int, Sequence[float]], inputs: Sequence[float], top: float) -> dict[int, float]:
    """By T the largest distance of a mean output from ReLU clipped at top. Raises: ValueError."""
    if short_of := [T for T, ys in outputs.items() if len(ys) != len(inputs)]:
        raise ValueError(
            f"outputs for T = {short_of[0]} are {len(outputs[short_of[0]])}, inputs {len(inputs)}"
        )
    wanted = [min(max(z, 0.0), top) for z in inputs]
    return {T: max(abs(y - w) for y, w in zip(ys, wanted, strict=True)) for T, ys in outputs.items()}
