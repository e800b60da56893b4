"""A neuron that keeps no reset: it holds what came in against a count of what went out.

Reference: what summaries tell of SNM, Wang et al. 2022, IJCAI. The paper's own neuron takes spikes back: signed.SNM.
"""

from torch import Tensor

from snnlab.neurons.door import door
from snnlab.neurons.firing import reached
from snnlab.neurons.integrate import IF, State


class CounterIF(IF):
    """Spike counter: fires while its input exceeds what it has already paid out; its count never goes down.

        V[t] = v0 + sum_{i<=t} z[i] - theta * S[t-1]        S: the spikes so far            told of Wang 2022
        s[t] = 1 if V[t] >= theta else 0
        S[t] = S[t-1] + s[t]

    Conservation of charge says the same of IF: its potential before a reset is v0 + sum z - theta * S. So this is IF,
    spike for spike, whatever the input. A memory alone mends nothing; SNM's is there to permit a spike of -1.

    Args:
        threshold, v0: as IF.
    """

    @door
    def __init__(self, threshold: float | Tensor = 1.0, v0: float | Tensor = 0.0) -> None:
        super().__init__(threshold, v0)

    def start(self, current: Tensor) -> State:
        """As IF; v0 is the first charge."""
        state = super().start(current)
        return state._replace(charge=state.v)

    def step(self, current: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: current [B, ...] to output [B, ...], and the next state; the charge keeps all that came in."""
        assert state.charge is not None
        charge = state.charge + current
        spike = reached(charge - self.threshold * state.count, self.threshold, self.threshold)
        count = state.count + spike
        output = (self.threshold * spike).to(self.threshold.dtype)
        return output, State(charge - self.threshold * count, count, charge=charge)

    def settings(self) -> dict[str, object]:
        """None: threshold and v0 say all."""
        return {}
