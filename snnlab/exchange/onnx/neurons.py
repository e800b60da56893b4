"""A neuron's steps as operators of ONNX: each rule of snnlab.neurons once more, in float64, in the same order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from snnlab.exchange.onnx.drawing import BOOL, DOUBLE, Drawing, Value, plain
from snnlab.neurons import IF, LIF, SNM, STBIF, BurstIF, CaLIF, CounterIF, SignedIF, ZeroThresholdIF
from snnlab.neurons.signed import GATE

ZERO, ONE = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)


@dataclass
class Potential:
    """What a neuron carries from step to step, each a value in the graph."""

    v: Value
    count: Value
    calcium: Value


class Steps:
    """One neuron in the graph; `step` draws the next of its steps.

    Args:
        current: of the first step; the state has its shape.
    """

    def __init__(self, draw: Drawing, neuron: IF, current: Value) -> None:
        self.draw, self.neuron, self.spikes = draw, neuron, SPIKES[type(neuron)]
        zeros = self.do("Mul", draw.cast(current, wide=True), ZERO)
        self.now = Potential(self.do("Add", zeros, plain(neuron.v0).double()), zeros, zeros)
        self.theta = plain(neuron.threshold).double()

    def do(self, operator: str, *values: Value | Tensor) -> Value:
        """An operator over float64."""
        return self.draw.compute(operator, *values)

    def reached(self, value: Value, level: Tensor) -> Value:
        """1 where value >= level, else 0."""
        return self.compared("GreaterOrEqual", value, level)

    def compared(self, operator: str, value: Value, level: Tensor) -> Value:
        """1 where it holds, else 0."""
        held = self.draw.put(operator, value.name, self.draw.constant(level, wide=True))
        return Value(self.draw.put("Cast", held, to=DOUBLE), wide=True)

    def step(self, current: Value) -> Value:
        """The output of one step, float32, for its current."""
        now, neuron = self.now, self.neuron
        decay: float = getattr(neuron, "decay", 1.0)
        z = self.draw.cast(current, wide=True)
        kept = now.v if neuron.leak == 1.0 else self.do("Mul", now.v, ONE * neuron.leak)
        charged = self.do("Add", kept, z)
        spike = self.spikes(self, charged)
        paid = spike if bool((self.theta == 1).all()) else self.do("Mul", spike, self.theta)
        calcium = now.calcium
        if decay != 1.0:
            calcium = self.do("Add", self.do("Mul", calcium, ONE * decay), spike)
        self.now = Potential(self.reset(charged, paid), self.do("Add", now.count, spike), calcium)
        return self.draw.cast(paid, wide=False)

    def reset(self, charged: Value, paid: Value) -> Value:
        """The potential after the reset."""
        if self.neuron.reset == "subtract":
            return self.do("Sub", charged, paid)
        fired = self.draw.put("Cast", paid.name, to=BOOL)
        return Value(
            self.draw.put("Where", fired, self.draw.constant(ZERO, wide=True), charged.name), wide=True
        )


def fires(steps: Steps, v: Value) -> Value:
    """IF, LIF, CounterIF, whose rule says the same: 1 where v >= theta."""
    return steps.reached(v, steps.theta)


def bursts(steps: Steps, v: Value) -> Value:
    """BurstIF: one spike for each threshold that is reached."""
    spikes = steps.reached(v, steps.theta)
    for k in range(2, steps.neuron.max_spikes + 1):
        spikes = steps.do("Add", spikes, steps.reached(v, k * steps.theta))
    return spikes


def takes_back(steps: Steps, v: Value) -> Value:
    """SignedIF: +1 above, unless the cap is reached; -1 below, if there is something to take back."""
    neuron: Any = steps.neuron
    up = steps.reached(v, steps.theta)
    if neuron.cap is not None:
        up = steps.do("Mul", up, steps.compared("Less", steps.now.count, ONE * neuron.cap))
    level = neuron.negative * neuron.threshold  # in float32, as the neuron has it
    down = (
        steps.compared("LessOrEqual", v, -plain(level))
        if neuron.negative > 0
        else steps.compared("Less", v, ZERO)
    )
    memory, least = (steps.now.count, ZERO) if neuron.decay == 1.0 else (steps.now.calcium, ONE * GATE)
    return steps.do("Sub", up, steps.do("Mul", down, steps.compared("Greater", memory, least)))


SPIKES: dict[type[IF], Callable[[Steps, Value], Value]] = {
    **dict.fromkeys((IF, LIF, CounterIF), fires),
    **dict.fromkeys((SignedIF, SNM, ZeroThresholdIF, STBIF, CaLIF), takes_back),
    BurstIF: bursts,
}
"""Each kind of neuron that can be drawn, and its rule."""
