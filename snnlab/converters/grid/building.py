"""Putting a network on its grid: one pass, node after node."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.converters.graph import Average, Graph, Max, Move, Node, Sum, Weighted
from snnlab.converters.grid import planes
from snnlab.converters.grid.nodes import Exact, Origin, Rescale
from snnlab.converters.grid.precision import (
    ANALOG_BITS,
    EXACT_BITS,
    FEW_BITS,
    FINEST,
    WEIGHT_BITS,
    Precision,
    Span,
    Sums,
    bits_of,
    first_along,
    laid_out,
    one_number,
    round_weights,
    step_for,
    threshold_of,
    whole_shares,
)

HEADROOM = 8.0  # how far beyond the calibration images another image's values may lie


def build(graph: Graph, example: Tensor, precision: Precision) -> Graph:
    """A network on its grid; example, [1, ...], holds the largest size of a pixel."""
    return _Builder(graph, example, precision).run()


class _Builder:
    """One pass over the network that knows each value's unit, step and bound, and puts down node after node."""

    def __init__(self, graph: Graph, example: Tensor, precision: Precision) -> None:
        self.graph, self.example, self.grid, self.precision = graph, example, Graph(), precision
        self.made: dict[Node, Node] = {}
        self.spans: dict[Node, Span] = {}
        self.negative: dict[Node, bool] = {}  # whether a value can be below 0
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
        self.negative[node] = isinstance(kind, Exact) or any(
            self.negative.get(other, True) for other in inputs
        )
        return node

    def wanted_unit(self, node: Node) -> Tensor:
        """The threshold of the neuron that a layer feeds, if only sums and averages lie between; else 1."""
        for reader in node.readers:
            if reader.site:
                return threshold_of(reader.kind)
            if isinstance(reader.kind, Sum):
                return self.wanted_unit(reader)
            if isinstance(reader.kind, Average | Max):
                unit = self.wanted_unit(reader)  # before a pool the positions are others: one unit a channel
                return unit.flatten(-2).amax(-1)[..., None, None] if unit.ndim > 1 else unit
        return torch.ones((), dtype=torch.float64)

    # --- rules: the image, the neurons, the five kinds -----------------------------------------------------------

    def image(self) -> Node:
        largest = self.example.amax().double().clamp(min=2.0**-40)
        step = step_for(largest, ANALOG_BITS)
        bound = torch.full_like(self.example, float(largest) * HEADROOM, dtype=torch.float64)
        one = torch.ones((), dtype=torch.float64)
        return self.put(Rescale([one], [step]), [self.grid.input], Span(one, step, bound))

    def neuron(self, node: Node) -> Node:
        neuron: Any = node.kind
        unit = threshold_of(neuron)
        feed = self.narrowed(self.in_unit(self.made[node.inputs[0]], unit))
        step, like = self.spans[feed].step, self.spans[feed].bound
        scaled = neuron.in_units_of(unit.to(neuron.threshold.dtype))
        multiples = _fits_float32(neuron) and float(step.amax()) <= 1
        scaled.most_current = float(like.amax())
        grain = step if multiples and self.precision.narrow else torch.tensor(2.0**-24)
        v0 = torch.round(scaled.v0.double() / grain) * grain
        finest = step if bool((v0.remainder(step) == 0).all()) else torch.minimum(step, grain)
        scaled.room = float(finest.amin()) * 2**24 if multiples else None
        scaled.v0, scaled.threshold = laid_out(one_number(v0)), laid_out(one_number(scaled.threshold))
        most = torch.full_like(like, neuron.max_spikes)
        made = self.put(scaled, [feed], Span(unit, torch.ones(1), most), node)
        self.negative[made] = neuron.least_spikes < 0
        return made

    def layer(self, node: Node) -> Node:
        exact = node.kind.with_weights(lambda weight: weight.double())  # type: ignore[operator]
        feed = self.limited(self.uniform(self.made[node.inputs[0]], exact.channel))
        unit, step, bound = self.spans[feed]
        large = bound.amax() / step.amin()
        each = bound / step if self.precision.narrow else large.expand_as(bound)
        terms = exact.spread(each).amax()
        few = large <= 2**FEW_BITS and terms <= 2 ** (EXACT_BITS[torch.float32] - WEIGHT_BITS)
        dtype = torch.float32 if few else torch.float64
        unit_out = self.channel_unit(exact, self.wanted_unit(node), bound)
        units_in = unit.movedim(exact.channel, 0).flatten(1)[:, 0]
        exact.weight.data = exact.weight * exact.by_input(units_in) / exact.by_output(unit_out)
        if exact.bias is not None:
            exact.bias.data = exact.bias / unit_out
        step_in = float(step.amin())
        sums = Sums(self.precision.sums, self.precision.largest, self.finest(node)) if few else Sums(53)
        grain = round_weights(exact, step_in, bound, sums)
        out = exact.bound(bound)
        shape = (-1,) if exact.channel == -1 else (-1, *(1 for _ in out.shape[2:]))
        span = Span(unit_out.reshape(shape), grain.reshape(shape), out)
        high = round(float(large))
        numbers = planes.Few(step_in, -high * self.negative[feed], high, grain) if few else None
        layer = exact.with_weights(lambda weight: weight.to(dtype))
        origin = Origin(units_in.clone(), unit_out.clone(), grain / step_in)
        return self.put(Exact(layer, numbers, origin), [feed], span, node)

    def finest(self, node: Node) -> float:
        """The least step that the sums of a layer need, if they reach a neuron, in units of its threshold."""
        between = (Average, Max, Move, Sum)
        feeds = any(r.site or (isinstance(r.kind, between) and self.finest(r) > 0) for r in node.readers)
        return FINEST if feeds and self.precision.narrow else 0.0

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
        unit, out = first_along(unit, kind.axes, kind(bound)), kind.bound(bound)
        summed, ratio = whole_shares(kind, bound)
        if ratio is None:
            fine = step.amin() * 2.0 ** -sum(bits_of(a) for a in kind.shares.values())
            feed = self.in_float64(feed) if bool(bound.amax() / fine > 2**24) else feed
            return self.put(summed, [feed], Span(unit, fine, out), node)
        feed = self.in_float64(self.limited(feed))
        sums = self.put(summed, [feed], Span(unit, step.amin() * 2.0**-20, out / ratio), node)
        fine = step_for(out.amax(), ANALOG_BITS)
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
        spans = [self.spans[feed] for feed in feeds]
        factors = [
            (ratio.double() * span.unit / unit).expand_as(span.bound)
            for ratio, span in zip(kind.ratios, spans, strict=True)
        ]
        bounds = [factor.abs() * span.bound for factor, span in zip(factors, spans, strict=True)]
        bound, offset = sum(bounds[1:], bounds[0]), kind.offset
        bound = bound if offset is None else bound + (offset.double() / unit).abs()
        ratios, steps, whole = self.terms(factors, spans, bound)
        fine = steps[0]
        for step in steps[1:]:
            fine = torch.minimum(fine, step)
        if offset is not None:
            fine = torch.minimum(fine, step_for(bound.amax(), self.precision.fine))
            offset = torch.round(offset.double() / unit / fine) * fine
        fits, narrow = bool((bound / fine).amax() <= 2**24), self.precision.narrow
        if fits and not narrow and offset is None and not any(ratio is not None for ratio in ratios):
            return self.put(Sum([torch.ones(())] * len(feeds)), feeds, Span(unit, fine, bound), node)
        rescale = Rescale(
            ratios, [step.amin() for step in steps], offset, narrow=narrow and fits, whole=whole
        )
        own = (
            k for k, n in enumerate(node.inputs) if len(n.readers) == 1 and isinstance(feeds[k].kind, Exact)
        )
        rescale.taken = next((k for k in own if ratios[k] is None and not _wide(feeds[k])), None)
        rescale.single = _single(ratios, spans)
        return self.put(rescale, feeds, Span(unit, fine, bound), node)

    def terms(
        self, factors: Sequence[Tensor], spans: Sequence[Span], bound: Tensor
    ) -> tuple[list[Tensor | None], list[Tensor], bool]:
        """Ratio (None: 1) and step of each term of a sum, and whether none of them has to be rounded as it comes."""
        narrow, fine = self.precision.narrow, self.precision.fine
        plain = [bool((factor == 1).all()) for factor in factors]
        exact = [span.step.amax() for span, as_it_is in zip(spans, plain, strict=True) if as_it_is]
        coarse = torch.stack([step_for(bound.amax(), fine), *exact]).amax()
        ratios: list[Tensor | None] = []
        steps, whole = [], narrow
        for factor, span, as_it_is in zip(factors, spans, plain, strict=True):
            spikes = narrow and _is_spikes(span, planes.BYTE - 1)
            if as_it_is:
                ratios.append(None)
                steps.append(span.step if narrow else span.step.amin())
            elif spikes:  # a ratio on the grid of the others, so that nothing is rounded
                ratios.append(laid_out(one_number(torch.round(factor / coarse) * coarse)))
                steps.append(coarse)
            else:
                whole = False
                ratios.append(laid_out(one_number(factor)))
                steps.append(step_for((factor.abs() * span.bound).amax(), fine))
        return ratios, steps, whole

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
        return self.rescaled(feed, ratio, step_for((ratio * bound).amax(), self.precision.fine), unit)

    def narrowed(self, feed: Node) -> Node:
        """A node's values on their way to a neuron, in float32 if the grid is to fit there."""
        unit, step, bound = self.spans[feed]
        if not self.precision.narrow:
            return feed
        if bool((bound / step).amax() > 2**24):
            return self.rescaled(
                feed, torch.ones_like(bound), step_for(bound.amax(), self.precision.fine), unit
            )
        return (
            self.put(Rescale([None], [step.amin()], narrow=True), [feed], self.spans[feed])
            if _wide(feed)
            else feed
        )

    def limited(self, feed: Node) -> Node:
        """A node whose values leave bits for the weights of a layer."""
        unit, step, bound = self.spans[feed]
        if not bool(bound.amax() / step.amin() > 2.0 ** (ANALOG_BITS + 4)):
            return feed
        return self.rescaled(feed, torch.ones_like(bound), step_for(bound.amax(), ANALOG_BITS), unit)

    def in_float64(self, feed: Node) -> Node:
        """A node's values, as they are, in float64."""
        span = self.spans[feed]
        return self.put(Rescale([None], [span.step.amin()]), [feed], span)

    def rescaled(self, feed: Node, ratio: Tensor, step: Tensor, unit: Tensor) -> Node:
        bound = ratio * self.spans[feed].bound
        narrow = self.precision.narrow and bool((bound / step).amax() <= 2**24)
        ratios = [laid_out(one_number(ratio))]
        rescale = Rescale(ratios, [step], narrow=narrow)
        rescale.single = _single(ratios, [self.spans[feed]])
        return self.put(rescale, [feed], Span(unit, step, bound))


def _is_spikes(span: Span, most: int) -> bool:
    """Whether values are whole numbers, and none is larger."""
    return bool((span.step == 1).all() and (span.bound <= most).all())


def _single(ratios: Sequence[Tensor | None], spans: Sequence[Span]) -> frozenset[int]:
    """The terms with a ratio whose values are 0, 1 and -1 alone."""
    terms = zip(ratios, spans, strict=True)
    return frozenset(k for k, (ratio, span) in enumerate(terms) if ratio is not None and _is_spikes(span, 1))


def _fits_float32(neuron: Any) -> bool:
    """Whether a neuron's potentials are multiples of what it is fed: it neither leaks nor moves them otherwise."""
    return neuron.plain and neuron.leak == 1 and not neuron.looks_ahead


def _wide(node: Node) -> bool:
    """Whether what a node of the grid gives is float64."""
    kind: Any = node.kind
    if node.site:
        return False
    if isinstance(kind, Exact):
        return kind.layer.weight.dtype == torch.float64
    return not kind.narrow if isinstance(kind, Rescale) else any(map(_wide, node.inputs)) or not node.inputs
