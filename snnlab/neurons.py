"""What a spiking neuron does in one step, and over a sequence of steps.

A neuron is a pure function of its input and its state: `(current, state) -> (output, state)`. Nothing is kept
in the module but its parameters, so there is nothing to reset and a simulation can stop and go on anywhere.

References:
  1) IF with reset by subtraction for conversion: Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.1
  2) The closed form for constant input: Bu et al. 2022, ICLR (QCFS)
"""

import copy
from typing import Literal, NamedTuple, Self, get_args

import torch
from torch import Tensor, nn

Reset = Literal["subtract", "zero"]


class State(NamedTuple):
    """What a neuron carries from one step to the next; both [B, ...]."""

    v: Tensor  # membrane potential after the reset, activation units, float64
    count: Tensor  # type: ignore[assignment]  # net number of spikes so far


class IF(nn.Module):
    """Integrate-and-fire neuron: add up the input, fire at the threshold, pay for the spike.

        v <- leak * v + z[t]                  charge
        s[t] = 1 if v >= theta else 0         fire
        v <- v - theta * s[t]                 reset by subtraction ("subtract", soft)
        v <- 0 where s[t] = 1                 reset to zero ("zero", hard)          Rueckauer 2017, section 2.1

    With leak = 1 and reset by subtraction no charge is lost, whatever the input:

        theta * sum_t s[t] = sum_t z[t] + v0 - v[T]

    and the mean output for a constant input z is ReLU(z), clipped at theta and quantised in steps of theta / T.
    The potential is kept in float64, because it adds up T inputs: its rounding would move spikes.

    Args:
        threshold: theta > 0, activation units; a number or a tensor that broadcasts against [B, ...].
        v0: potential before the first step, activation units, may be negative; number or tensor as above.
        leak: share of the potential kept in each step, 0 to 1; 1 is no leak (leak < 1: a LIF neuron).
        reset: "subtract" or "zero".
    Raises: ValueError that names the argument, what was given and what is allowed.
    """

    threshold: Tensor
    v0: Tensor

    def __init__(
        self,
        threshold: float | Tensor = 1.0,
        v0: float | Tensor = 0.0,
        leak: float = 1.0,
        reset: Reset = "subtract",
    ) -> None:
        super().__init__()
        self.register_buffer("threshold", _number("threshold", threshold))
        self.register_buffer("v0", _number("v0", v0))
        if not bool((self.threshold > 0).all()):
            raise ValueError(f"threshold = {_show(threshold)}, but a threshold must be greater than 0")
        if not bool(self.v0.isfinite().all()):
            raise ValueError(f"v0 = {_show(v0)}, but an initial potential must be finite")
        if not 0.0 <= leak <= 1.0:
            raise ValueError(f"leak = {leak}, but the share of v kept in a step lies in [0, 1]; 1 is no leak")
        if reset not in get_args(Reset):
            raise ValueError(f"reset = {reset!r}, but it is one of {', '.join(map(repr, get_args(Reset)))}")
        self.leak, self.reset = float(leak), reset

    def start(self, current: Tensor) -> State:
        """The state before the first step, for a current of shape [B, ...]."""
        try:
            v = torch.empty_like(current, dtype=torch.float64).copy_(
                self.v0
            )  # in the current's memory layout
            self.threshold.expand_as(current)
        except RuntimeError:
            shapes = f"threshold {list(self.threshold.shape)} and v0 {list(self.v0.shape)}"
            raise ValueError(f"{shapes} must broadcast to a current of shape {list(current.shape)}") from None
        return State(v, torch.zeros_like(current, dtype=self.threshold.dtype))

    def spikes(self, v: Tensor, count: Tensor) -> Tensor:
        """Spikes fired at the potential v before the reset: the one rule in which neuron kinds differ."""
        return (v >= self.threshold).to(self.threshold.dtype)

    def step(self, current: Tensor, state: State) -> tuple[Tensor, State]:
        """One time step: current [B, ...] to output = threshold * spike [B, ...], and the next state."""
        v = state.v + current if self.leak == 1.0 else self.leak * state.v + current
        spike = self.spikes(v, state.count)
        output = self.threshold * spike
        v = v - output if self.reset == "subtract" else v.masked_fill(spike != 0, 0.0)
        return output, State(v, state.count + spike)

    def forward(
        self, current: Tensor, state: State | None = None, potentials: list[Tensor] | None = None
    ) -> tuple[Tensor, State]:
        """All steps: current [T, B, ...] to output [T, B, ...], and the state to go on from.

        Args:
            state: where an earlier call stopped; None starts at v0.
            potentials: a list to which v after each step, [B, ...], is appended.
        """
        if current.ndim < 2 or current.shape[0] < 1:
            raise ValueError(f"current has shape {list(current.shape)}, but must be [T, B, ...] with T >= 1")
        state = self.start(current[0]) if state is None else state
        steps = self._steps if torch.is_grad_enabled() else self._steps_in_place
        return steps(current, state, potentials)

    def _steps(self, current: Tensor, state: State, potentials: list[Tensor] | None) -> tuple[Tensor, State]:
        outputs = []
        for z in current:
            output, state = self.step(z, state)
            outputs.append(output)
            if potentials is not None:
                potentials.append(state.v)
        return torch.stack(outputs), state

    def _steps_in_place(
        self, current: Tensor, state: State, potentials: list[Tensor] | None
    ) -> tuple[Tensor, State]:
        """The same loop over the same rule without new memory in each step, where no gradient asks for it."""
        first, dtype = current[0], self.threshold.dtype
        strides = (first.numel(), *first.stride())  # the current's own memory layout
        outputs = torch.empty_strided(current.shape, strides, dtype=dtype, device=current.device)
        v, count = state.v.clone(), state.count.clone()
        for z, output in zip(current, outputs, strict=True):
            v = v.add_(z) if self.leak == 1.0 else v.mul_(self.leak).add_(z)
            spike = self.spikes(v, count)
            torch.mul(self.threshold, spike, out=output)
            v = v.sub_(output) if self.reset == "subtract" else v.masked_fill_(spike != 0, 0.0)
            count.add_(spike)
            if potentials is not None:
                potentials.append(v.clone())
        return outputs, State(v, count)

    def in_units_of(self, unit: Tensor) -> Self:
        """The same neuron with its potentials measured in `unit`, which broadcasts against its threshold."""
        scaled = copy.deepcopy(self)
        scaled.threshold, scaled.v0 = self.threshold / unit, self.v0 / unit
        return scaled

    def extra_repr(self) -> str:
        leak = "" if self.leak == 1.0 else f", leak={self.leak}"
        return f"threshold={_show(self.threshold)}, v0={_show(self.v0)}{leak}, reset={self.reset!r}"


def _number(name: str, value: float | Tensor) -> Tensor:
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"{name} = {value!r}, but it must be a number or a tensor of numbers") from None
    tensor = tensor if tensor.is_floating_point() else tensor.to(torch.get_default_dtype())
    if bool(tensor.isnan().any()):
        raise ValueError(f"{name} holds NaN, but it must be a number")
    return tensor.detach().clone()


def _show(value: float | Tensor) -> str:
    tensor = torch.as_tensor(value)
    if tensor.numel() == 1:
        return f"{tensor.item():.4g}"
    return f"{tensor.min().item():.4g} to {tensor.max().item():.4g} {list(tensor.shape)}"
