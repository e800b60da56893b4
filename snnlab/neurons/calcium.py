"""Neurons with a calcium trace: the bipolar one for conversion, and a leaky one with hard reset as a contrast.

Reference: Gao et al. 2023, Front. Neurosci. 17:1141701. No code of it is public, and what can be read of it does not
agree: its title speaks of a bipolar neuron, summaries of a leaky one with hard reset. Both are reconstructions.
"""

import math

import torch
from torch import Tensor

from snnlab.neurons.door import door
from snnlab.neurons.firing import reached
from snnlab.neurons.integrate import IF, State
from snnlab.neurons.signed import GATE, SignedIF


class CaLIF(SignedIF):
    """Bipolar Ca-LIF: a signed neuron whose right to take a spike back fades with its calcium.

        s[t] = +1 if v >= theta;   -1 if v <= -theta and c > 0.001;   c <- decay * c + s[t]      after Gao 2023

    With decay = 1 and no leak it is SNM. With less, an old spike is past taking back.

    Args:
        threshold, v0: as IF.
        decay: share of the calcium kept in a step, 0 to 1.
        leak: share of the potential kept in a step, 0 to 1.
    """

    @door
    def __init__(
        self,
        threshold: float | Tensor = 1.0,
        v0: float | Tensor = 0.0,
        decay: float = 1.0,
        leak: float = 1.0,
    ) -> None:
        super().__init__(threshold, v0, negative=1.0, decay=decay, leak=leak)


class HardResetCaLIF(IF):
    """Leaky Ca-LIF with hard reset, whose calcium clamps the reset: a contrast, not for conversion.

        s[t] = 1 if v >= theta                    fired on the potential of the step before: one step late
        v <- v + (z[t] - v) / tau                 charge towards z
        v <- 0 where s[t] = 1 and c > 0.001;  rest * theta where s[t] = 1 and there is no calcium
        c <- (1 - 1 / tau_c) * c;  c <- 1 where s[t] = 1

    The potential tends to z, so an input up to theta is never heard, and above it the interval between spikes is
    about tau * ln(z / (z - theta)): no ReLU.

    Args:
        threshold, v0: as IF.
        tau: >= 1, steps in which v moves towards z.
        tau_c: >= 1, steps in which calcium fades.
        rest: finite, where a neuron without calcium is reset to, in thresholds; 0 makes the clamp idle.
    """

    @door
    def __init__(
        self,
        threshold: float | Tensor = 1.0,
        v0: float | Tensor = 0.0,
        tau: float = 4.0,
        tau_c: float = 4.0,
        rest: float = 0.0,
    ) -> None:
        super().__init__(threshold, v0, reset="zero")
        for name, value, least in (("tau", tau, 1), ("tau_c", tau_c, 1), ("rest", rest, -math.inf)):
            number = not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
            if not number or value < least:
                allowed = (
                    "a finite number of thresholds" if name == "rest" else "a number of steps, 1 or more"
                )
                raise ValueError(f"{name} = {value!r}, but it must be {allowed}")
        self.tau, self.tau_c, self.rest = float(tau), float(tau_c), float(rest)

    def start(self, current: Tensor) -> State:
        """As IF; without calcium."""
        state = super().start(current)
        return state._replace(calcium=torch.zeros_like(state.v))

    def step(self, current: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: current [B, ...] to output = threshold * spike [B, ...], and the next state."""
        assert state.calcium is not None
        spike = reached(state.v, self.threshold, self.threshold)
        fired = spike != 0
        floor = torch.where(state.calcium > GATE, 0.0, self.rest * self.threshold)
        v = torch.where(fired, floor.to(state.v.dtype), state.v + (current - state.v) / self.tau)
        calcium = ((1 - 1 / self.tau_c) * state.calcium).masked_fill(fired, 1.0)
        output = (self.threshold * spike).to(self.threshold.dtype)
        return output, State(v, state.count + spike, calcium)

    def settings(self) -> dict[str, object]:
        """Time constants and the reset."""
        return {"tau": self.tau, "tau_c": self.tau_c, "rest": self.rest}
