"""Neurons that add up what comes in and fire: IF and LIF.

A neuron is a pure function of its input and its state: `(current, state) -> (output, state)`. Nothing is kept
in the module but its parameters, so there is nothing to reset and a simulation can stop and go on anywhere.

References:
  1) IF with reset by subtraction for conversion: Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.1
  2) The closed form for constant input: Bu et al. 2022, ICLR (QCFS)
"""

import copy
import math
from typing import Any, Literal, NamedTuple, Self, get_args

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from snnlab.neurons.counting import tally
from snnlab.neurons.door import door, is_dense, shown
from snnlab.neurons.firing import reached, slope
from snnlab.neurons.settings import check_share, check_size, numbers, shown_numbers

Reset = Literal["subtract", "zero"]


class State(NamedTuple):
    """What a neuron carries from one step to the next; each [B, ...]."""

    v: Tensor  # membrane potential after the reset, activation units, float64; on a grid float32 where it fits
    count: Tensor  # type: ignore[assignment]  # net spikes so far, in v's precision; on a grid int32 if none go back
    calcium: Tensor | None = None  # the same sum, fading; float64; only for neurons that have it
    reach: float | None = None  # on a grid: no |v| so far was larger
    charge: Tensor | None = None  # v0 and all input so far; float64; only for neurons that never reset


class IF(nn.Module):
    """Integrate-and-fire neuron: add up the input, fire at the threshold, pay for the spike.

        v <- leak * v + z[t]                  charge
        s[t] = 1 if v >= theta else 0         fire
        v <- v - theta * s[t]                 reset by subtraction ("subtract", soft)
        v <- 0 where s[t] = 1                 reset to zero ("zero", hard)          Rueckauer 2017, section 2.1

    With leak = 1 and reset by subtraction no charge is lost, whatever the input:

        theta * sum_t s[t] = sum_t z[t] + v0 - v[T]

    and the mean output for a constant input z is ReLU(z), clipped at theta and quantised in steps of theta / T.
    The potential is kept in float64, because it adds up T inputs: its rounding would move spikes. On a grid
    (converters/grid/) it is kept in float32 as long as nothing can be rounded there, and spikes leave as bytes.

    Args:
        threshold: theta > 0, finite, activation units; a number or a tensor that broadcasts against [B, ...].
        v0: potential before the first step, activation units, may be negative; number or tensor as above.
        leak: share of the potential kept in each step, 0 to 1; 1 is no leak (leak < 1: a LIF neuron).
        reset: "subtract" or "zero".
    Raises: ValueError that names the argument, what was given and what is allowed.
    """

    threshold: Tensor
    v0: Tensor
    max_spikes = 1  # in one step
    least_spikes = 0  # -1 where a spike can be taken back
    most_current = float("inf")  # on a grid: no current of a step is larger
    unit: Tensor | None  # of potentials, in activation units, if it is not 1
    room: float | None = None  # on a grid: up to this size float32 holds every potential as it is
    looks_ahead: int = 0  # how often it runs all steps before it sends the first spike

    @door
    def __init__(
        self,
        threshold: float | Tensor = 1.0,
        v0: float | Tensor = 0.0,
        leak: float = 1.0,
        reset: Reset = "subtract",
    ) -> None:
        super().__init__()
        self.register_buffer("threshold", numbers("threshold", threshold))
        self.register_buffer("v0", numbers("v0", v0))
        self.register_buffer("unit", None, persistent=False)
        if not bool(((self.threshold > 0) & self.threshold.isfinite()).all()):
            raise ValueError(
                f"threshold = {shown_numbers(threshold)}, but it must be finite and greater than 0"
            )
        if not bool(self.v0.isfinite().all()):
            raise ValueError(f"v0 = {shown_numbers(v0)}, but an initial potential must be finite")
        check_size("threshold", self.threshold)
        check_size("v0", self.v0)
        check_share("leak", leak, "the share of v kept in a step lies in [0, 1]; 1 is no leak")
        if reset not in get_args(Reset):
            raise ValueError(f"reset = {reset!r}, but it is one of {', '.join(map(repr, get_args(Reset)))}")
        self.leak, self.reset = float(leak), reset

    def start(self, current: Tensor) -> State:
        """The state before the first step, for a current of shape [B, ...]."""
        try:
            wide = self.room is None or current.dtype != torch.float32
            v = torch.empty_like(
                current, dtype=torch.float64 if wide else None
            )  # in the current's memory layout
            v.copy_(self.v0)
            self.threshold.expand_as(current)
        except RuntimeError:
            shapes = f"threshold {list(self.threshold.shape)} and v0 {list(self.v0.shape)}"
            raise ValueError(f"{shapes} must broadcast to a current of shape {list(current.shape)}") from None
        reach = None if self.room is None else float(self.v0.abs().amax())
        counts = (
            self.room is None or self.least_spikes < 0
        )  # others on a grid are counted when they have fired
        none = torch.zeros_like(v) if counts else v.new_zeros((), dtype=torch.int32).expand_as(v)
        return State(v, none, reach=reach)

    def spikes(self, state: State) -> Tensor:
        """Spikes fired at the potential state.v before the reset: the one rule in which most kinds differ.

        A new tensor [B, ...] in v's precision: the loop in place writes into it.
        """
        return reached(state.v, self.threshold, self.threshold)

    def slopes(self, state: State) -> Tensor:
        """theta ds/dv at the potentials state.v, by the surrogate gradient: [B, ...] as v."""
        if type(self).spikes is IF.spikes:
            return slope(state.v, self.threshold, self.threshold, self.threshold)
        with torch.enable_grad():
            v = state.v.detach().requires_grad_()
            paid = (self.spikes(state._replace(v=v)) * self.threshold).sum()
            return torch.autograd.grad(paid, v)[0]

    def step(self, current: Tensor, state: State) -> tuple[Tensor, State]:
        """One time step: current [B, ...] to output = threshold * spike [B, ...], and the next state."""
        charged = state._replace(v=state.v + current if self.leak == 1.0 else self.leak * state.v + current)
        spike = self.spikes(charged)
        paid = self.threshold * spike
        v = charged.v - paid if self.reset == "subtract" else charged.v.masked_fill(spike != 0, 0.0)
        return self.sends(spike), State(v, state.count + spike, state.calcium)

    def forward(
        self, current: Tensor, state: State | None = None, potentials: list[Tensor] | None = None
    ) -> tuple[Tensor, State]:
        """All steps: current [T, B, ...] to output [T, B, ...], and the state to go on from.

        Args:
            state: where an earlier call stopped; None starts at v0.
            potentials: a list to which v after each step, [B, ...], is appended.
        """
        self._check(current, state, potentials)
        if self.room is not None:
            return self._steps_on_grid(current, state, potentials)
        state = self.start(current[0]) if state is None else state
        steps = self._steps if torch.is_grad_enabled() or not self.plain else self._steps_in_place
        return steps(current, state, potentials)

    @staticmethod
    def _check(current: Tensor, state: State | None, potentials: list[Tensor] | None) -> None:
        if not is_dense(current) or current.ndim < 2 or current.shape[0] < 1:
            raise ValueError(
                f"current = {shown(current)}, but it must be a dense tensor of real numbers [T, B, ...] with T >= 1"
            )
        if state is not None and (not isinstance(state, State) or state.v.shape != current.shape[1:]):
            given = shown(state.v if isinstance(state, State) else state)
            raise ValueError(
                f"state = {given}, but for current {list(current.shape)} it must be what an earlier call gave"
            )
        if not isinstance(potentials, list | None):
            raise ValueError(f"potentials = {shown(potentials)}, but it must be a list to append to, or None")

    @property
    def plain(self) -> bool:
        """Whether a step is IF's: charge, `spikes`, pay. A kind with a step of its own takes the loop over it."""
        return type(self).step is IF.step

    def mean_output(self, current: Tensor) -> Tensor:
        """forward(current)[0].mean(0), [B, ...], whose gradient reaches the current alone, in half the time."""
        if not self.plain or self.looks_ahead:
            return self(current)[0].mean(0)
        return _MeanOutput.apply(current, self)

    def _steps(self, current: Tensor, state: State, potentials: list[Tensor] | None) -> tuple[Tensor, State]:
        outputs = []
        for z in current:
            output, state = self.step(z, state)
            outputs.append(output)
            if potentials is not None:
                potentials.append(state.v)
        return torch.stack(outputs), state

    def _steps_in_place(
        self, current: Tensor, state: State, potentials: list[Tensor] | None, charged: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """The same loop over the same rule without new memory in each step, where no gradient asks for it.

        What v was before each spike goes into `charged`, [T, B, ...].
        """
        first, dtype = current[0], self.threshold.dtype
        strides = (first.numel(), *state.v.stride())  # the current's own memory layout, without its gaps
        outputs = torch.empty_strided(current.shape, strides, dtype=dtype, device=current.device)
        now = State(state.v.clone(), state.count.clone(), state.calcium)
        in_thresholds, laid = bool((self.threshold == 1).all()), self.laid_out_as(now.v)
        for t, (z, output) in enumerate(zip(current, outputs, strict=True)):
            now.v.add_(z) if self.leak == 1.0 else now.v.mul_(self.leak).add_(z)
            if charged is not None:
                charged[t].copy_(now.v)
            spike = laid.spikes(now)
            now.count.add_(spike)
            paid = spike if in_thresholds else spike.mul_(laid.threshold)
            now.v.sub_(paid) if self.reset == "subtract" else now.v.masked_fill_(paid != 0, 0.0)
            output.copy_(paid)
            if potentials is not None:
                potentials.append(now.v.clone())
        return outputs, now

    def laid_out_as(self, v: Tensor) -> Self:
        """The same neuron for potentials like these: a threshold for each, in their memory layout and precision.

        One a channel meets values whose channels lie side by side sixteen at a time, which is ten times as slow.
        """
        if self.threshold.numel() == 1:
            return self
        laid, own = copy.copy(self), self.threshold.ndim == v.ndim and len(self.threshold) > 1
        laid._buffers = dict(self._buffers)
        laid.threshold = torch.empty_like(v if own else v[:1]).copy_(self.threshold)
        return laid

    def _steps_on_grid(
        self, current: Tensor, state: State | None, potentials: list[Tensor] | None
    ) -> tuple[Tensor, State]:
        """The same on a grid: outputs are spikes, int8; a few images at a time, whose potentials stay in the cache."""
        assert self.room is not None
        before = self.start(current[0]) if state is None else state
        reach = self._reach(current, before)
        dtype = torch.float32 if reach <= self.room else torch.float64
        held, signed = before.v.to(dtype), self.least_spikes < 0
        v = torch.empty_like(held) if held is before.v and state is not None else held
        count = before.count.to(dtype, copy=state is not None) if signed else before.count
        now = State(v, count, reach=reach)
        strides = (now.v.numel(), *now.v.stride())
        outputs = torch.empty_strided(current.shape, strides, dtype=torch.int8, device=current.device)
        each = max(1, CACHED // now.v[0].numel()) if potentials is None else len(now.v)
        for first in range(0, len(now.v), each):
            few = slice(first, first + each)
            part = State(v[few], count[few])
            self._advance(current[:, few], held[few], part, outputs[:, few], potentials)
        if not signed:
            fired = tally(outputs, self.max_spikes)
            now = now._replace(count=fired.to(torch.int32) if state is None else count + fired)
        return outputs, now

    def _advance(
        self, current: Tensor, v: Tensor, now: State, outputs: Tensor, potentials: list[Tensor] | None
    ) -> None:
        """From potentials v, which stay, to those of now, which is written: the first step needs no copy."""
        for z, output in zip(current, outputs, strict=True):
            v = torch.add(v, z, out=now.v)
            spike = self.spikes(now)
            if self.least_spikes < 0:  # its rule asks for the count; others' is found afterwards
                now.count.add_(spike)
            output.copy_(spike)
            now.v.sub_(spike) if self.reset == "subtract" else now.v.masked_fill_(spike != 0, 0.0)
            if potentials is not None:
                potentials.append(now.v.clone())

    def _reach(self, current: Tensor, state: State) -> float:
        """No potential of these steps is larger: each step adds its current, and pays its spikes.

        Known from what any current can be; where that leaves no room, from what these are. A current that is the same
        in every step is the image's, and nobody knows how large a pixel can be. What is in float64 stays there.
        """
        paid, steady, room = len(current) * self.max_spikes, current.stride(0) == 0, self.room or 0.0
        if torch.float64 in (current.dtype, state.v.dtype) or paid > room:
            return math.inf
        if state.reach is not None and not steady:
            known = state.reach + len(current) * self.most_current + paid
            if known <= room:
                return known
        z = current[:1] if steady else current
        held, largest = (max(float(x.amax()), -float(x.amin())) for x in (state.v, z))
        return held + len(current) * largest + paid

    @door
    def most(self, T: int) -> int:
        """The largest net count that T steps allow."""
        return T * self.max_spikes

    @door
    def in_units_of(self, unit: Tensor) -> Self:
        """The same neuron with its potentials measured in `unit`, which broadcasts against its threshold."""
        if not bool(((unit > 0) & unit.isfinite()).all()):
            raise ValueError(f"unit = {shown(unit)}, but it must hold finite numbers above 0")
        scaled = copy.deepcopy(self)
        scaled.threshold, scaled.v0 = self.threshold / unit, self.v0 / unit
        scaled.unit = torch.as_tensor(unit)
        return scaled

    def in_activation(self, v: Tensor) -> Tensor:
        """Potentials in activation units, float64."""
        return v.double() if self.unit is None else v.double() * self.unit

    def sends(self, spikes: Tensor) -> Tensor:
        """What leaves the neuron for so many spikes: threshold * spikes, on a grid the spikes."""
        return (
            (self.threshold * spikes).to(self.threshold.dtype) if self.room is None else spikes.to(torch.int8)
        )

    def sent(self, output: Tensor) -> Tensor:
        """Outputs in activation units, float64; on a grid, where the threshold is 1, they are spikes."""
        return self.in_activation(output)

    def settings(self) -> dict[str, object]:
        """What distinguishes this neuron from others of its kind, beside threshold and v0."""
        leak = {} if self.leak == 1.0 else {"leak": self.leak}
        return {**leak, "reset": self.reset}

    def extra_repr(self) -> str:
        own = "".join(f", {name}={value!r}" for name, value in self.settings().items())
        return f"threshold={shown_numbers(self.threshold)}, v0={shown_numbers(self.v0)}{own}"


CACHED = 2**16
"""Potentials that several operations in a row find in a core's own cache."""
AT_ONCE = 2**17
"""Elements of several steps that one operation takes in: fewer and the call costs more than the work."""


class _MeanOutput(torch.autograd.Function):
    """All steps without a graph; backward is the loop that autograd would find, from the last step to the first.

    With s'[t] = ds[t]/dv[t], m[t] = dL/dv[t] after the reset and g = dL/d(theta s[t]), the same in each step,

        dL/dz[t] = m[t] + theta s'[t] (g - m[t]),     m[t - 1] = leak dL/dz[t]          reset by subtraction
        dL/dz[t] = theta s'[t] g + (m[t] where s[t] = 0)                                reset to zero
    """

    @staticmethod
    def forward(ctx: Any, current: Tensor, neuron: IF) -> Tensor:
        charged = torch.empty_like(current)
        output, _ = neuron._steps_in_place(current, neuron.start(current[0]), None, charged)
        ctx.neuron = neuron
        ctx.save_for_backward(charged, output)
        return output.mean(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        charged, output = ctx.saved_tensors
        neuron = ctx.neuron.laid_out_as(charged[0])
        theta = neuron.threshold
        g = torch.empty_like(charged[0]).copy_(gradient).div_(len(charged))  # in the current's memory layout
        found = (output.sum(0) / theta).round_()  # the net count
        after, to_current = torch.zeros_like(g), torch.empty_like(charged)  # after: dL/dv after the reset
        at_once = max(1, AT_ONCE // g.numel())
        parts = (tensor.split(at_once) for tensor in (charged, output, to_current))
        for before, paid, to_steps in reversed(list(zip(*parts, strict=True))):
            spikes, counts = (paid / theta).round_(), torch.empty_like(paid)
            for spike, count in reversed(list(zip(spikes, counts, strict=True))):
                count.copy_(found.sub_(spike))
            slopes = neuron.slopes(State(before, counts))
            for spike, to_v, to_step in reversed(list(zip(spikes, slopes, to_steps, strict=True))):
                if neuron.reset == "subtract":
                    torch.addcmul(after, to_v, g - after, out=to_step)
                else:
                    torch.addcmul(after.masked_fill(spike != 0, 0.0), to_v, g, out=to_step)
                after = to_step if neuron.leak == 1.0 else to_step * neuron.leak
        return to_current, None


class LIF(IF):
    """Leaky integrate-and-fire: IF that keeps a share of its potential; a contrast, not for conversion.

        v <- leak * v + z[t],    then as IF

    The leak takes charge that never becomes a spike, so inputs up to (1 - leak) * theta are never heard:

        theta * sum_t s[t] = sum_t z[t] + v0 - v[T] - (1 - leak) * sum_{t<T} v[t]

    Args: as IF.
    """

    @door
    def __init__(
        self,
        threshold: float | Tensor = 1.0,
        v0: float | Tensor = 0.0,
        leak: float = 0.9,
        reset: Reset = "subtract",
    ) -> None:
        super().__init__(threshold, v0, leak, reset)
