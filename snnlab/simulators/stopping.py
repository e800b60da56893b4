"""When an image need not be shown any longer: because its class is certain, or because it is likely enough.

Certain. After the last spiking layers a network only adds up: the output of a step is y[t] = b + A s[t], with s[t] what
these layers send, least <= s_j[t] <= most. So in one step a class c can gain on the leading class k by no more than

    D_kc = b_c - b_k + sum_j max((A_cj - A_kj) least_j, (A_cj - A_kj) most_j)

and with the sums L over the steps so far, and n steps left, k is the class after the last step whatever comes, if

    L_k - L_c > n D_kc    for all c        (>= for c > k, since ties go to the lowest class)

Nothing is estimated. What the sums in float64 round is added to n D as a bound of its own; classes with equal rows
are equal in every step, so they need none.

Likely. The largest share of the softmax of L / T, what the mean output would be if nothing more came, is as large as
was asked for. That is an approximation: a later step may change the class. Early sums are small, so a class that
happens to be ahead after two steps of many does not win. The first paper's published code, too, divides the sum so far
by a constant.

References:
  1) A confidence at which to stop: Li, Jones & Furber 2023, ICCV, "Dynamic confidence"; Li et al. 2023, NeurIPS,
     "SEENN"
  2) The gap between the two largest outputs in place of it: Wu et al. 2025, Front. Neurosci. 19:1522788, "cutoff"
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from snnlab.converters.graph import Node, walk
from snnlab.converters.grid import Exact, Rescale
from snnlab.converters.snn import SNN
from snnlab.neurons.door import shown
from snnlab.simulators.run import decide

LOOKS = 16
"""Times that images may leave in a run: steps are computed several at once."""

Stop = Annotated[Literal["certain"] | float, "looked at by rule_of"]
Rule = Callable[[Tensor, int], Tensor]
"""(sums of the output after each step [t, B, K], float64, steps before them) -> whether to stop after it [t, B]"""


def rule_of(snn: SNN, T: int, stop: Stop | None, recorded: bool) -> Rule | None:
    """The rule that `stop` asks for; None if all T steps are to be run.

    Raises: ValueError that names what was given and what is allowed, or the layer for which it cannot be known.
    """
    if stop is None:
        return None
    share = not isinstance(stop, bool | str) and isinstance(stop, int | float) and 0 < stop < 1
    if not share and (not isinstance(stop, str) or stop != "certain"):
        raise ValueError(
            f"stop = {shown(stop)}, but it is 'certain', a share between 0 and 1 as 0.9, or None for all {T} steps"
        )
    if recorded:
        raise ValueError(
            f"stop = {stop!r} with record, but what is recorded is kept for all {T} steps: leave one of them out"
        )
    ahead = next((name for name, neuron in snn.sites.items() if neuron.looks_ahead), None)
    if ahead is not None:
        raise ValueError(
            f"stop = {stop!r}, but {ahead!r} looks ahead over all {T} steps before it sends a spike: leave stop out"
        )
    if (output := silence(snn)[1]).ndim > 2:
        raise ValueError(
            f"stop = {stop!r} asks for one class for an image, but the output is "
            f"[N, {', '.join(map(str, output.shape[1:]))}]: leave stop out"
        )
    return Certain(snn, T) if stop == "certain" else Likely(float(stop), T)


class Likely:
    """Stop where the largest share of the softmax of L / T is `share` or more."""

    def __init__(self, share: float, T: int) -> None:
        self.share, self.T = share, T

    def __call__(self, sums: Tensor, done: int) -> Tensor:
        """Sums [t, B, K] to whether to stop, [t, B]."""
        return torch.softmax(among_classes(sums) / self.T, -1).amax(-1) >= self.share


class Certain:
    """Stop where no other class can catch up any more.

    Attributes:
        gain: [K, K], what class c can gain on class k in one step, at most: D_kc.
        slack: [K, K], what rounding can add to it in T steps.
    """

    def __init__(self, snn: SNN, T: int) -> None:
        self.T = T
        self.gain, self.slack = (value.to(snn.device) for value in _gains(_Readout(snn), T))
        self.first = torch.ones_like(self.gain, dtype=torch.bool).triu(1)  # [k, c]: a tie is k's

    def __call__(self, sums: Tensor, done: int) -> Tensor:
        """Sums [t, B, K] to whether to stop, [t, B]."""
        sums = among_classes(sums)
        ahead = sums.argmax(-1)
        lead = sums.gather(-1, ahead[..., None]) - sums
        left = torch.arange(self.T - done - 1, self.T - done - 1 - len(sums), -1, device=sums.device)
        needed = self.gain[ahead] * left[:, None, None] + self.slack[ahead] * (left > 0)[:, None, None]
        safe = torch.where(self.first[ahead], lead >= needed, lead > needed)
        return safe.scatter(-1, ahead[..., None], True).all(-1)


def among_classes(sums: Tensor) -> Tensor:
    """Sums [t, B, K]; one logit, [t, B] or [t, B, 1], is held against 0: [t, B, 2]."""
    if sums[0, 0].numel() > 1:
        return sums
    sums = sums.reshape(*sums.shape[:2], 1)
    return torch.cat([torch.zeros_like(sums), sums], -1)


def _gains(readout: "_Readout", T: int) -> tuple[Tensor, Tensor]:
    """D and slack, [K, K] each."""
    weights, b, size, rounded = readout.affine()
    if len(b) == 1:
        weights, b, size, rounded = (torch.cat([torch.zeros_like(x), x]) for x in (weights, b, size, rounded))
    least, most = readout.least, readout.most
    rows, slacks = [], []
    for k in range(len(b)):
        differences = weights - weights[k]  # [c, j]
        gains = torch.maximum(differences * least, differences * most).sum(1)
        rows.append(b - b[k] + gains + rounded + rounded[k])
        # each of T + J sums rounds by 2^-53 of at most T times the largest output; four times that is more than enough
        slack = 4 * T * (T + weights.shape[1] + 64) * 2.0**-53 * (size + size[k])
        equal = (differences == 0).all(1) & (b == b[k]) & (rounded == 0) & (rounded[k] == 0)
        slacks.append(slack.masked_fill(equal, 0.0))
    return torch.stack(rows), torch.stack(slacks)


class _Readout:
    """What lies between the last spikes and the output of a network on its grid.

    Raises: ValueError that names what is in the way, and what to do.
    """

    def __init__(self, snn: SNN) -> None:
        if snn.grid is None:
            raise ValueError(
                "stop = 'certain' asks for a network on its grid, where no sum is rounded, and this one was converted "
                "with exact=False: convert again without it, or give a share, stop=0.9"
            )
        self.graph = snn.grid
        self.nodes, self.sites = _behind_spikes(snn)
        self.silence, _ = silence(snn)
        ends = [
            [
                torch.full_like(self.silence[node.name].flatten(), getattr(node.kind, end))
                for node in self.sites
            ]
            for end in ("least_spikes", "max_spikes")
        ]
        self.least, self.most = (torch.cat(parts) for parts in ends)  # [J]

    def affine(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A [K, J] and b [K]; the largest |y| that its sums pass through, and by how much a step rounds, [K] each."""
        zeros = tuple(self.silence[node.name] for node in self.sites)
        largest = [torch.full_like(zero, float(self._most())) for zero in zeros]
        b, size = self._run(zeros, _exactly), self._run(largest, _bound)
        rounded = self._run(zeros, _rounding)
        rows = torch.autograd.functional.jacobian(lambda *s: self._run(s, _exactly), zeros)
        weights = torch.cat([row.flatten(1) for row in rows], 1)
        return weights, b, size, rounded

    def _most(self) -> Tensor:
        return torch.maximum(-self.least, self.most).amax()

    def _run(self, spikes: Any, rule: Callable[..., Tensor]) -> Tensor:
        """The nodes one after the other by a rule, [K]."""
        values = dict(zip(self.sites, spikes, strict=True))
        for node in self.nodes:
            values[node] = rule(node.kind, *(values[other] for other in node.inputs))
        return values[self.graph.result].flatten()


def silence(snn: SNN) -> tuple[dict[str, Tensor], Tensor]:
    """No spikes at each site for one image, [1, ...] zeros, float64; and what the output then is."""
    found: dict[str, Tensor] = {}

    def note(name: str, neuron: Any, current: Tensor) -> Tensor:
        found[name] = torch.zeros(current.shape, dtype=torch.float64, device=current.device)
        return neuron.sends(found[name])

    return found, walk(snn.runs, snn.example, note)


def _behind_spikes(snn: SNN) -> tuple[list[Node], list[Node]]:
    """The nodes through which the last spikes reach the output, in order, and the sites that send them."""
    graph: Any = snn.grid
    found, waiting, moving = {graph.result}, [graph.result], graph.temporal()
    while waiting:
        node = waiting.pop()
        if node not in moving:
            raise ValueError(
                f"stop = 'certain' looks at what the last spikes can do, but the output also takes in "
                f"{node.name!r}, which does not spike: leave stop out, or give a share, stop=0.9"
            )
        if not node.site:
            waiting += [other for other in node.inputs if other not in found]
            found.update(node.inputs)
    order = [node for node in graph.nodes if node in found]
    return [node for node in order if not node.site], [node for node in order if node.site]


def _exactly(kind: Any, *xs: Tensor) -> Tensor:
    """What a node of the grid computes, without its rounding, in float64."""
    if isinstance(kind, Exact):
        return kind.layer.with_weights(lambda weight: weight.double())(*xs)
    if not isinstance(kind, Rescale):
        return kind(*xs)
    return _added(kind, xs, lambda factor: factor)


def _bound(kind: Any, *xs: Tensor) -> Tensor:
    """The largest |y| for |x| up to these."""
    if isinstance(kind, Exact):
        return kind.layer.with_weights(lambda weight: weight.double()).bound(*xs)
    if not isinstance(kind, Rescale):
        return kind.bound(*xs)
    return _added(kind, xs, torch.abs)


def _rounding(kind: Any, *xs: Tensor) -> Tensor:
    """By how much y can be off if each x is off by so much: a term with a ratio is rounded to its step."""
    total = _bound(kind, *xs) - _bound(kind, *(torch.zeros_like(x) for x in xs))
    if isinstance(kind, Rescale) and not (kind.narrow and kind.whole):
        for ratio, step in _terms(kind):
            total = total if ratio is None else total + step / 2
    return total


def _added(kind: Any, xs: Sequence[Tensor], change: Callable[[Tensor], Tensor]) -> Tensor:
    """A Rescale without its rounding, its ratios and offset changed."""
    terms = [x if r is None else x * change(r) for x, (r, _) in zip(xs, _terms(kind), strict=True)]
    total = sum(terms[1:], terms[0])
    return total if kind.offset is None else total + change(kind.offset)


def _terms(kind: Any) -> list[tuple[Tensor | None, Tensor]]:
    return [kind.term(k) for k in range(kind.terms)]


class Outcome:
    """What came out for each image of a batch, up to the step after which it ended.

    Attributes:
        going: numbers of the images that go on.
        done: steps that these were shown for.
        steps: that each image was shown for, [B].
        total: sum of the output over them, [B, ...] float64.
        decided: the class ahead after each step, [T, B, ...], once an image has ended its last; None without classes.
    """

    total: Tensor
    decided: Tensor | None

    def __init__(self, images: Tensor, T: int, rule: Rule | None, class_axis: int | None) -> None:
        self.T, self.rule, self.class_axis, self.done = T, rule, class_axis, 0
        self.going = torch.arange(len(images), device=images.device)
        self.steps = torch.zeros_like(self.going)

    def add(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Take in the next steps' output of those that go on, [t, B, ...]; the steps that each used, and who ended."""
        count, done, going = len(output), self.done, self.going
        before = self.total[going] if done else torch.zeros_like(output[0])
        sums = torch.cat([before[None], output]).cumsum(0)[1:]  # in the order of the steps
        decided = decide(sums, self.class_axis, lead=2)
        if not done:
            self.total = before
            self.decided = None if decided is None else decided.new_empty(self.T, *decided.shape[1:])
        used, ended = (
            torch.full_like(going, count),
            torch.full_like(going, done + count == self.T, dtype=torch.bool),
        )
        if self.rule is not None:
            stops = self.rule(sums, done)
            used = torch.where(stops.any(0), stops.byte().argmax(0) + 1, used)
            ended |= stops.any(0)
        each = torch.arange(len(going), device=going.device)
        self.steps[going] += used
        self.total[going] = sums[used - 1, each]
        if self.decided is not None and decided is not None:
            steps = torch.arange(count, device=going.device)[:, None]
            self.decided[done : done + count, going] = decided[steps.minimum(used - 1), each]
            if self.rule is not None:
                self.decided[done + count :, going] = decided[used - 1, each]
        self.done, self.going = done + count, going[~ended]
        return used, ended

    def until_some_end(self) -> int:
        """Steps until a quarter of those that go on will have ended, if their outputs stay as they were on average.

        That guess decides how many steps are computed at once, and so the time it takes, nothing else.
        """
        left = self.T - self.done
        if self.rule is None or not self.done:
            return left
        steps = torch.arange(self.done + 1, self.T + 1, device=self.going.device).double()
        rate = self.total[self.going] / self.done
        stops = self.rule(steps.reshape(-1, *(1 for _ in rate.shape)) * rate, self.done)
        stops[-1] = True
        expected = int((stops.byte().argmax(0) + 1).sort().values[len(self.going) // 4])
        return min(left, max(expected, -(-self.T // LOOKS)))
