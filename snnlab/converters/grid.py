"""The converted network on a grid: the same spikes, to the last bit, on every machine and in every order.

A spiking network amplifies rounding: one unit in the last place moves a spike, and the next layer sees another
train. So the network is put where nothing is rounded. In units of each neuron's threshold (weights W theta_prev
/ theta, threshold 1, spikes whole numbers) weights and biases become multiples of 2^-k, with k for each output
channel such that the largest possible sum stays below 2^(24 - k). Then every partial sum is an exact float32
number, and the order of summation does not matter. Sums over analog values (the images) have 53 bits, in
float64, and are computed once.
What is not a sum (a shortcut's scale, the neuron's own step) is elementwise, in one fixed order, in float64.
"""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from snnlab.converters.graph import Average, Graph, Max, Move, Node, Sum, Weighted, walk

ANALOG_BITS = 28  # of analog values that a layer will sum up: an image, a mean over a window of 9
FINE_BITS = 40  # of analog values on their way to a neuron: a shortcut, a batch norm, a change of unit
SHARE_BITS = 12  # of an average's shares, if they are multiples of powers of two
FEW_BITS = 8  # of what comes in: up to here a layer's sums may fit float32
WEIGHT_BITS = 8  # left for its weights there, at least, however many inputs it sums up
EXACT_BITS = {torch.float32: 24, torch.float64: 53}
HEADROOM = 8.0  # how far beyond the calibration images another image's values may lie
TOLERANCE = 1e-2
"""Of the largest current: by so much the grid may differ from the network, all its rounding together."""


class Span(NamedTuple):
    """What is known of a node's values for any image, [1, ...] float64: in activation units unit * value."""

    unit: Tensor
    step: Tensor  # a power of two of which every value is a multiple
    bound: Tensor  # no value is larger


class Rescale(nn.Module):
    """sum_k ratio_k x_k + offset, each term rounded to multiples of its step: elementwise, in float64.

    Args:
        ratios, steps: one for each input; a ratio of None takes the input as it is, exactly.
        offset: rounded already; None for 0.
    """

    def __init__(
        self, ratios: Sequence[Tensor | None], steps: Sequence[Tensor], offset: Tensor | None = None
    ) -> None:
        super().__init__()
        self.terms = len(ratios)
        for k, (ratio, step) in enumerate(zip(ratios, steps, strict=True)):
            self.register_buffer(f"ratio{k}", None if ratio is None else ratio / step)
            self.register_buffer(f"step{k}", step)
        self.register_buffer("offset", offset)

    def term(self, k: int) -> tuple[Tensor | None, Tensor]:
        """Ratio (None: as it is) and step of an input."""
        ratio, step = getattr(self, f"ratio{k}"), getattr(self, f"step{k}")
        return None if ratio is None else ratio * step, step

    def forward(self, *xs: Tensor) -> Tensor:
        """x_k [B, ...], all of one shape, to y, float64."""
        total: Any = self.offset
        for k, x in enumerate(xs):
            ratio, y = getattr(self, f"ratio{k}"), x.double()
            if ratio is not None:
                y = (y * ratio).round_().mul_(getattr(self, f"step{k}"))
            total = y if total is None else total + y
        return total


class Exact(nn.Module):
    """A layer whose weights lie on a grid, in the precision that its sums need."""

    def __init__(self, layer: Weighted) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """x [B, ...] to y [B, ...]."""
        return self.layer(x.to(self.layer.weight.dtype))


def on_grid(graph: Graph, example: Tensor) -> Graph:
    """The converted network so that it computes exactly, in units of its thresholds.

    Args:
        graph: a traced network with neurons at its sites, activation units.
        example: an image's shape, [1, ...], filled with the largest value of the calibration images.
    Raises: ValueError if the grid computes something else than the network.
    """
    grid = _Builder(graph, example.abs()).run()
    _compare(graph, grid, example.abs())
    return grid


class _Builder:
    """One pass over the network that knows each value's unit, step and bound, and puts down node after node."""

    def __init__(self, graph: Graph, example: Tensor) -> None:
        self.graph, self.example, self.grid = graph, example, Graph()
        self.made: dict[Node, Node] = {}
        self.spans: dict[Node, Span] = {}
        self.taken = {node.name for node in graph.nodes}
        self.rules = {
            Weighted: self.layer,
            Average: self.average,
            Sum: self.sum,
            Move: self.move,
            Max: self.max,
        }

    def run(self) -> Graph:
        self.made[self.graph.input] = self.image()
        for node in self.graph.nodes:
            rule = self.neuron if node.site else self.rules[type(node.kind)]
            self.made[node] = rule(node)
        self.grid.result = self.in_unit(self.made[self.graph.result], torch.ones(1))
        return self.grid.requires_grad_(False).eval()

    # --- what is known of a node ---------------------------------------------------------------------------------

    def put(self, kind: nn.Module, inputs: Sequence[Node], span: Span, like: Node | None = None) -> Node:
        """A node of the grid, by the name of the network's own if it stands for one."""
        name = self.grid.spare("rescale", self.taken) if like is None else like.name
        node = Node(name, kind, tuple(inputs), call="rescale")
        if like is not None:
            node.site, node.was, node.call, node.scope = like.site, like.was, like.call, like.scope
        self.spans[self.grid.add(node)] = Span(*(value.double().expand_as(span.bound) for value in span))
        return node

    def wanted_unit(self, node: Node) -> Tensor:
        """The threshold of the neuron that a layer feeds, if only sums and averages lie between; else 1."""
        for reader in node.readers:
            if reader.site:
                return _threshold(reader.kind)
            if isinstance(reader.kind, Sum):
                return self.wanted_unit(reader)
            if isinstance(reader.kind, Average | Max):
                unit = self.wanted_unit(reader)  # before a pool the positions are others: one unit a channel
                return unit.flatten(-2).amax(-1)[..., None, None] if unit.ndim > 1 else unit
        return torch.ones((), dtype=torch.float64)

    # --- rules: the image, the neurons, the five kinds -----------------------------------------------------------

    def image(self) -> Node:
        largest = self.example.amax().double().clamp(min=2.0**-40)
        step = _step(largest, ANALOG_BITS)
        bound = torch.full_like(self.example, float(largest) * HEADROOM, dtype=torch.float64)
        one = torch.ones((), dtype=torch.float64)
        return self.put(Rescale([one], [step]), [self.grid.input], Span(one, step, bound))

    def neuron(self, node: Node) -> Node:
        neuron: Any = node.kind
        unit = _threshold(neuron)
        feed = self.in_unit(self.made[node.inputs[0]], unit)
        scaled = neuron.in_units_of(unit.to(neuron.threshold.dtype))
        scaled.v0 = torch.round(scaled.v0.double() * 2**24) / 2**24
        most = torch.full_like(self.spans[feed].bound, neuron.max_spikes)
        return self.put(scaled, [feed], Span(unit, torch.ones(1), most), node)

    def layer(self, node: Node) -> Node:
        exact = node.kind.with_weights(lambda weight: weight.double())  # type: ignore[operator]
        feed = self.limited(self.uniform(self.made[node.inputs[0]], exact.channel))
        unit, step, bound = self.spans[feed]
        large = bound.amax() / step.amin()
        terms = exact.spread(torch.ones_like(bound)).amax()
        few = large <= 2**FEW_BITS and large * terms <= 2 ** (EXACT_BITS[torch.float32] - WEIGHT_BITS)
        dtype = torch.float32 if few else torch.float64
        unit_out = self.channel_unit(exact, self.wanted_unit(node), bound)
        units_in = unit.movedim(exact.channel, 0).flatten(1)[:, 0]
        exact.weight.data = exact.weight * exact.by_input(units_in) / exact.by_output(unit_out)
        if exact.bias is not None:
            exact.bias.data = exact.bias / unit_out
        grain = _round_weights(exact, float(step.amin()), bound, EXACT_BITS[dtype])
        out = exact.bound(bound)
        shape = (-1,) if exact.channel == -1 else (-1, *(1 for _ in out.shape[2:]))
        span = Span(unit_out.reshape(shape), grain.reshape(shape), out)
        return self.put(Exact(exact.with_weights(lambda weight: weight.to(dtype))), [feed], span, node)

    def channel_unit(self, layer: Weighted, wanted: Tensor, bound: Tensor) -> Tensor:
        """The wanted unit as one number for each output channel, [O]."""
        if wanted.numel() == 1:
            return wanted.reshape(1).expand(layer.outputs)
        try:
            full = wanted.expand_as(layer(bound))
        except RuntimeError:  # a reshape lies between: the neuron will be fed through a Rescale
            return torch.ones(layer.outputs, dtype=torch.float64)
        return full.movedim(layer.channel, 0).flatten(1).amax(1)

    def average(self, node: Node) -> Node:
        """Exact if it divides by powers of two; else whole shares are summed up exactly, then divided and rounded."""
        kind: Any = node.kind
        feed = self.made[node.inputs[0]]
        for axis in kind.axes:
            feed = self.uniform(feed, None, axis)
        unit, step, bound = self.spans[feed]
        unit, out = _first_along(unit, kind.axes, kind(bound)), kind.bound(bound)
        summed, ratio = whole_shares(kind, bound)
        if ratio is None:
            fine = step.amin() * 2.0 ** -sum(_bits(a) for a in kind.shares.values())
            feed = self.in_float64(feed) if bool(bound.amax() / fine > 2**24) else feed
            return self.put(summed, [feed], Span(unit, fine, out), node)
        feed = self.in_float64(self.limited(feed))
        sums = self.put(summed, [feed], Span(unit, step.amin() * 2.0**-20, out / ratio), node)
        fine = _step(out.amax(), ANALOG_BITS)
        return self.put(Rescale([ratio], [fine]), [sums], Span(unit, fine, out))

    def max(self, node: Node) -> Node:
        """A maximum of exact values that do not spike is one of them; their units must agree within a channel."""
        kind: Any = node.kind
        feed = self.uniform(self.made[node.inputs[0]], 1)
        unit, step, bound = self.spans[feed]
        return self.put(copy.deepcopy(kind), [feed], Span(kind(unit), -kind(-step), kind(bound)), node)

    def sum(self, node: Node) -> Node:
        """Each term in the wanted unit; a term that is so already stays exact, another is rounded once."""
        kind: Any = node.kind
        unit, feeds = self.wanted_unit(node), [self.made[other] for other in node.inputs]
        ratios: list[Tensor | None] = []
        steps, bound = [], torch.zeros(1, dtype=torch.float64)
        for ratio, feed in zip(kind.ratios, feeds, strict=True):
            span = self.spans[feed]
            factor = (ratio.double() * span.unit / unit).expand_as(span.bound)
            plain = bool((factor == 1).all())
            ratios.append(None if plain else _one_number(factor))
            steps.append(span.step.amin() if plain else _step((factor.abs() * span.bound).amax(), FINE_BITS))
            bound = bound + factor.abs() * span.bound
        fine, offset = torch.stack(steps).amin(), kind.offset
        if offset is not None:
            shift = offset.double() / unit
            bound = bound + shift.abs()
            fine = torch.minimum(fine, _step(bound.amax(), FINE_BITS))
            offset = torch.round(shift / fine) * fine
        if offset is None and not any(r is not None for r in ratios) and bool(bound.amax() / fine <= 2**24):
            return self.put(Sum([torch.ones(())] * len(feeds)), feeds, Span(unit, fine, bound), node)
        return self.put(Rescale(ratios, steps, offset), feeds, Span(unit, fine, bound), node)

    def move(self, node: Node) -> Node:
        kind, feeds = node.kind, [self.made[other] for other in node.inputs]
        spans = [self.spans[feed] for feed in feeds]
        unit, step, bound = (kind(*values) for values in zip(*spans, strict=True))
        unit, step = (torch.where(v == 0, v.amax(), v) for v in (unit, step))  # padding has any unit
        return self.put(copy.deepcopy(kind), feeds, Span(unit, step, bound), node)

    # --- changes of unit and precision ---------------------------------------------------------------------------

    def uniform(self, feed: Node, channel: int | None, axis: int | None = None) -> Node:
        """A node whose unit is one for each channel, or the same along an axis."""
        unit = self.spans[feed].unit
        rows = unit.movedim(channel, 0).flatten(1) if channel is not None else unit.movedim(axis or 0, -1)
        if not bool((rows.amax(-1) != rows.amin(-1)).any()):
            return feed
        return self.in_unit(feed, unit.amax())

    def in_unit(self, feed: Node, unit: Tensor) -> Node:
        """A node's values in this unit."""
        if not bool((self.spans[feed].unit != unit).any()):
            return feed
        old, _, bound = self.spans[feed]
        ratio = (old / unit).expand_as(bound)
        return self.rescaled(feed, ratio, _step((ratio * bound).amax(), FINE_BITS), unit)

    def limited(self, feed: Node) -> Node:
        """A node whose values leave bits for the weights of a layer."""
        unit, step, bound = self.spans[feed]
        if not bool(bound.amax() / step.amin() > 2.0 ** (ANALOG_BITS + 4)):
            return feed
        return self.rescaled(feed, torch.ones_like(bound), _step(bound.amax(), ANALOG_BITS), unit)

    def in_float64(self, feed: Node) -> Node:
        """A node's values, as they are, in float64."""
        span = self.spans[feed]
        return self.put(Rescale([None], [span.step.amin()]), [feed], span)

    def rescaled(self, feed: Node, ratio: Tensor, step: Tensor, unit: Tensor) -> Node:
        bound = ratio * self.spans[feed].bound
        return self.put(Rescale([_one_number(ratio)], [step]), [feed], Span(unit, step, bound))


def whole_shares(kind: Average, values: Tensor) -> tuple[Average, Tensor | None]:
    """An average of values [1, ...] in which no sum rounds, and what its result is yet to be multiplied with.

    If all shares are multiples of powers of two that is nothing (None). Else equal shares become 1, others are rounded.
    """
    shares = {axis: a.double() for axis, a in kind.shares.items()}
    if all(_bits(a) <= SHARE_BITS for a in shares.values()):
        return copy.deepcopy(kind), None
    ratio = torch.ones_like(kind.bound(values.double()))
    for axis, a in shares.items():
        largest = a.amax(1, keepdim=True)
        if bool(((a == 0) | ((a - largest).abs() < 1e-6 * largest)).all()):
            shares[axis] = (a != 0).double()
            ratio = ratio * largest.reshape(-1, *(1 for _ in ratio.shape[axis + 1 :]))
        else:
            shares[axis] = torch.round(a * 2.0**20) / 2.0**20
    return Average(shares), _one_number(ratio)


def _bits(shares: Tensor) -> int:
    """k for shares that are multiples of 2^-k; more than SHARE_BITS if they are of no such power."""
    scaled = (shares.double() * 2.0**k for k in range(SHARE_BITS + 1))
    return next((k for k, a in enumerate(scaled) if bool((a == a.round()).all())), SHARE_BITS + 1)


def _threshold(neuron: Any) -> Tensor:
    """The unit of a neuron: its threshold; of one that never fires, 1."""
    return torch.where(neuron.threshold.isfinite(), neuron.threshold, 1.0).double()


def _one_number(values: Tensor) -> Tensor:
    """The value itself where all are the same: a product with a number is faster."""
    return values.flatten()[0].clone() if bool((values == values.flatten()[0]).all()) else values.clone()


def _first_along(unit: Tensor, axes: Sequence[int], like: Tensor) -> Tensor:
    """A unit that is the same along some axes, in the shape of what is left of them."""
    for axis in axes:
        unit = unit.narrow(axis, 0, 1)
    return unit.expand_as(like)


def _step(bound: Tensor, bits: int) -> Tensor:
    """The power of two of which `bound` is at most 2^bits multiples."""
    return torch.exp2(torch.ceil(torch.log2(bound.double().clamp(min=2.0**-60))) - bits)


def _round_weights(layer: Weighted, step_in: float, bound: Tensor, bits: int) -> Tensor:
    """Round weights and bias so that every possible sum has at most `bits` bits; returns the sums' step, [O]."""
    largest = layer.bound(bound).movedim(layer.channel, 0).flatten(1).amax(1)
    step = _step(largest * (1 + 2.0**-8), bits)  # rounding up may add a little to the largest sum
    rows = layer.by_output(step / step_in)
    layer.weight.data = torch.round(layer.weight / rows) * rows
    if layer.bias is not None:
        layer.bias.data = torch.round(layer.bias / step) * step
    return step


def _compare(graph: Graph, grid: Graph, example: Tensor) -> None:
    """Feed both the same spikes at every site: what reaches each neuron, and the output, must be the same.

    No neuron decides anything, so what differs is the rounding, or a rule that is wrong.
    """
    draw = torch.Generator().manual_seed(0)
    images = example.double() * (
        2 * torch.rand(2, *example.shape[1:], generator=draw, dtype=torch.float64) - 1
    )
    wanted: dict[str, Tensor] = {}
    spikes: dict[str, Tensor] = {}
    neurons: dict[str, Any] = graph.sites

    def note(name: str, neuron: Any, current: Tensor) -> Tensor:
        wanted[name] = current
        spikes[name] = torch.randint(-1, 2, current.shape, generator=draw).double()
        return spikes[name] * neuron.threshold

    def compare(name: str, neuron: Any, current: Tensor) -> Tensor:
        _same(repr(name), current * (neurons[name].threshold / neuron.threshold), wanted[name])
        return (spikes[name] * neuron.threshold).to(torch.float32)

    with torch.inference_mode():
        expected = walk(copy.deepcopy(graph).double(), images, note)
        _same("the output", walk(grid, images, compare), expected)


def _same(where: str, got: Tensor, wanted: Tensor) -> None:
    allowed = TOLERANCE * float(wanted.abs().amax()) + 1e-9
    if got.shape != wanted.shape or not float((got - wanted).abs().amax()) <= allowed:
        raise ValueError(
            f"on the grid {where} gets something else than in the network, which is a fault of this kit: please report "
            "it; convert(..., exact=False) does without the grid"
        )
