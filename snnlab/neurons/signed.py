"""Neurons that can take a spike back: one rule, four published settings.

Input that comes unevenly makes a neuron fire too early. IF can never undo that; a signed neuron sends -1 when its
potential has fallen far enough and there is a spike to take back.

References:
  1) SNM: Wang et al. 2022, IJCAI, "Signed neuron with memory"
  2) Zero threshold: Hu et al. 2023, TPAMI, "Fast-SNN"
  3) ST-BIF: You et al. 2024, ICML, "SpikeZIP-TF"
"""

import math

import torch
from torch import Tensor

from snnlab.neurons.door import door
from snnlab.neurons.firing import reached, slope, tracked
from snnlab.neurons.integrate import IF, State
from snnlab.neurons.settings import check_share

GATE = 1e-3
"""Calcium below this is gone: the gate for negative spikes is shut."""


class SignedIF(IF):
    """Integrate-and-fire with spikes of +1 and -1, where -1 needs something to take back.

        v <- leak * v + z[t]                                                  charge
        s[t] = +1  if v >= theta               and the net count is below the cap
        s[t] = -1  if v <= -negative * theta   and the gate is open           (negative = 0: v < 0)
        v <- v - theta * s[t]                                                 pay, or be paid back
        c <- decay * c + s[t]                                                 the gate's memory: open while c > 0

    With decay = 1 the memory is the net count itself. With any decay the net count n never falls below zero: c = n
    - (1 - decay) * (a sum of earlier, faded counts), so c > 0 implies n > 0. Charge is conserved as in IF.

    Args:
        threshold, v0, leak: as IF.
        negative: >= 0, how far below zero a spike is taken back, in thresholds.
        cap: the largest net count, >= 1; None for no cap.
        decay: share of the gate's memory kept in a step, 0 to 1.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """

    least_spikes = -1

    @door
    def __init__(
        self,
        threshold: float | Tensor = 1.0,
        v0: float | Tensor = 0.0,
        *,
        negative: float = 1.0,
        cap: int | None = None,
        decay: float = 1.0,
        leak: float = 1.0,
    ) -> None:
        super().__init__(threshold, v0, leak)
        if (
            isinstance(negative, bool)
            or not isinstance(negative, int | float)
            or not 0 <= negative < math.inf
        ):
            raise ValueError(f"negative = {negative!r}, but it is a number of thresholds, 0 or more")
        if cap is not None and (isinstance(cap, bool) or not isinstance(cap, int) or cap < 1):
            raise ValueError(
                f"cap = {cap!r}, but the largest net count is a whole number, 1 or more, or None"
            )
        check_share("decay", decay, "the share of the gate's memory kept in a step lies in [0, 1]")
        self.negative, self.cap, self.decay = float(negative), cap, float(decay)

    def start(self, current: Tensor) -> State:
        """As IF; the gate's memory starts empty."""
        state = super().start(current)
        return state if self.decay == 1.0 else state._replace(calcium=torch.zeros_like(state.v))

    @door
    def most(self, T: int) -> int:
        """As IF; no more than the cap."""
        return T if self.cap is None else min(T, self.cap)

    def spikes(self, state: State) -> Tensor:
        """+1, -1 or 0 for each neuron."""
        up = reached(state.v, self.threshold, self.threshold)
        if self.cap is not None:
            up = up * (state.count < self.cap)
        if not tracked(state.v, self.threshold):
            return up.sub_(self._taken(state))
        if self.negative > 0:
            down = reached(-state.v, self.negative * self.threshold, self.threshold)
        else:  # below zero, zero itself is not
            down = 1 - reached(state.v, torch.zeros_like(self.threshold), self.threshold)
        return up - down * self.gate(state)

    def _taken(self, state: State) -> Tensor:
        """1 where a spike is taken back, else 0: the same without a gradient, in half as many passes."""
        fallen = torch.empty_like(state.v)
        if self.negative > 0:
            torch.le(state.v, -self.negative * self.threshold, out=fallen)
        else:
            torch.lt(state.v, 0.0, out=fallen)
        if state.calcium is None and type(self).gate is SignedIF.gate:
            return torch.minimum(fallen, state.count, out=fallen)  # the count is 0 or more
        return fallen.mul_(self.gate(state))

    def slopes(self, state: State) -> Tensor:
        """As IF; spikes that are taken back have a ramp of their own."""
        theta = self.threshold
        if type(self).spikes is not SignedIF.spikes:
            return super().slopes(state)
        up = slope(state.v, theta, theta, theta)
        if self.cap is not None:
            up.mul_(state.count < self.cap)
        return up.add_(slope(state.v, -self.negative * theta, theta, self.gate(state) * theta))

    def gate(self, state: State) -> Tensor:
        """1 where there is something to take back, else 0."""
        memory, level = (state.count, 0.0) if state.calcium is None else (state.calcium, GATE)
        return torch.gt(memory, level, out=torch.empty_like(memory))

    def step(self, current: Tensor, state: State) -> tuple[Tensor, State]:
        """As IF, and the gate's memory fades and takes in the spike."""
        output, after = super().step(current, state)
        if state.calcium is None:
            return output, after
        return output, after._replace(calcium=self.decay * state.calcium + (after.count - state.count))

    @property
    def plain(self) -> bool:
        """As IF; a memory that fades has a step of its own."""
        return type(self).step is SignedIF.step and self.decay == 1.0

    def settings(self) -> dict[str, object]:
        """The numbers in which the published settings differ."""
        own = {"negative": self.negative, "cap": self.cap, "decay": self.decay, "leak": self.leak}
        plain = {"cap": None, "decay": 1.0, "leak": 1.0}
        return {name: value for name, value in own.items() if name not in plain or value != plain[name]}


class SNM(SignedIF):
    """Signed neuron with memory: takes a spike back when v <= -theta and the net count is above zero.

    The memory is the net count. Between -theta and 0 a spike too many stays: up to one in the end.     Wang 2022
    """

    @door
    def __init__(self, threshold: float | Tensor = 1.0, v0: float | Tensor = 0.0) -> None:
        super().__init__(threshold, v0, negative=1.0)


class ZeroThresholdIF(SignedIF):
    """Signed neuron that takes a spike back as soon as v < 0: no spike too many is left standing.     Hu 2023

    Once the input has ended the net count is n = max(0, floor((sum z + v0) / theta)), in whatever order it came.
    """

    @door
    def __init__(self, threshold: float | Tensor = 1.0, v0: float | Tensor = 0.0) -> None:
        super().__init__(threshold, v0, negative=0.0)


class STBIF(SignedIF):
    """Zero-threshold neuron whose net count stays between 0 and the levels of the quantised ANN.     You 2024

    The cap matters where the steps outnumber the levels: once the input has ended, the count settles at
    clip(floor((sum z + v0) / theta), 0, cap), the level that the quantised activation takes. Over T <= cap steps it
    is the zero-threshold neuron; over more, a constant input is cut at cap spikes.

    Args:
        threshold, v0: as IF.
        cap: the largest net count, >= 1.
    """

    @door
    def __init__(self, threshold: float | Tensor = 1.0, v0: float | Tensor = 0.0, cap: int = 8) -> None:
        super().__init__(threshold, v0, negative=0.0, cap=cap)
