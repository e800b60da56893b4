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
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn

from snnlab.converters.graph import Graph, evaluate, mark, source
from snnlab.converters.graph.layers import (
    CONVS,
    DIFFERENCES,
    JOINS,
    MOVERS,
    NORMS,
    POOL_CALLS,
    POOLS,
    PRODUCTS,
    SCALINGS,
    SUMS,
    VIEWS,
    is_max_pool,
)
from snnlab.neurons import IF

ANALOG_BITS = 28  # of analog values that a layer will sum up: an image, a mean over a window of 9
FINE_BITS = 40  # of analog values on their way to a neuron: a shortcut, a batch norm, a change of unit
EXACT_BITS = {torch.float32: 24, torch.float64: 53}
HEADROOM = 8.0  # how far beyond the calibration images another image's values may lie


class Span(NamedTuple):
    """What is known of a node's values for any image, [1, ...] float64: in activation units unit * value."""

    unit: Tensor
    step: Tensor  # a power of two of which every value is a multiple
    bound: Tensor  # no value is larger


class Rescale(nn.Module):
    """x * ratio + offset, rounded to multiples of step: elementwise, in float64."""

    def __init__(self, ratio: Tensor, step: Tensor, offset: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("ratio", ratio / step)
        self.register_buffer("step", step)
        self.register_buffer("offset", None if offset is None else offset / step)

    def forward(self, x: Tensor) -> Tensor:
        y = x.double() * self.ratio  # type: ignore[operator]
        y = y if self.offset is None else y.add_(self.offset)  # type: ignore[arg-type]
        return y.round_().mul_(self.step)  # type: ignore[arg-type]


class Exact(nn.Module):
    """A convolution or linear layer whose weights lie on a grid, in the precision that its sums need."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.to(self.layer.weight.dtype))  # type: ignore[arg-type]


def on_grid(graph: Graph, images: Tensor) -> Graph:
    """A copy of the converted network that computes exactly, in units of its thresholds.

    Args:
        graph: a traced network with neurons at its sites, activation units.
        images: calibration images [N, ...]; only their shape and largest value count.
    """
    return _Rewriter(copy.deepcopy(graph), images).run()


class _Rewriter:
    """One pass over the graph that knows each value's unit, step and bound, and rewrites node after node."""

    def __init__(self, graph: Graph, images: Tensor) -> None:
        self.graph = graph
        self.images = images
        self.units: dict[fx.Node, Any] = {}
        self.steps: dict[fx.Node, Any] = {}
        self.bounds: dict[fx.Node, Any] = {}

    def run(self) -> Graph:
        for node in list(self.graph.graph.nodes):
            self.rewrite(node)
        self.graph.graph.lint()
        self.graph.recompile()
        mark(self.graph)
        return self.graph.requires_grad_(False).eval()

    def rewrite(self, node: fx.Node) -> None:
        module = self.graph.module(node) if node.op == "call_module" else None
        if node.op == "placeholder":
            self.round_images(node)
        elif node.op == "output":
            self.to_unit(node, torch.ones(1))
        elif isinstance(module, IF):
            self.neuron(node, module)
        elif isinstance(module, (*CONVS, nn.Linear)):
            self.layer(node, module)
        elif isinstance(module, NORMS):
            self.norm(node, module)
        elif isinstance(module, POOLS) or node.target in POOL_CALLS or is_max_pool(node, module):
            (self.max_pool if is_max_pool(node, module) else self.pool)(node)
        elif node.target in SUMS | DIFFERENCES and not self.is_shape(node):
            self.sum(node)
        elif node.target in SCALINGS and not self.is_shape(node):
            self.scale(node)
        elif isinstance(module, MOVERS) or node.target in VIEWS | JOINS or module is None:
            self.move(node)
        else:
            raise NotImplementedError(f"no rule for {node.format_node()}")

    # --- what is known of a node ---------------------------------------------------------------------------------

    def span(self, node: fx.Node) -> Span:
        return Span(self.units[node], self.steps[node], self.bounds[node])

    def learn(self, node: fx.Node, unit: Tensor, step: Tensor, bound: Tensor) -> None:
        for known, value in ((self.units, unit), (self.steps, step), (self.bounds, bound)):
            known[node] = value.double().expand_as(bound)

    def is_shape(self, node: fx.Node) -> bool:
        return not any(isinstance(self.bounds[n], Tensor) for n in node.all_input_nodes)

    def wanted_unit(self, node: fx.Node) -> Tensor:
        """The threshold of the neuron that a layer feeds, if only sums and averages lie between; else 1."""
        for user in node.users:
            module = self.graph.module(user) if user.op == "call_module" else None
            if isinstance(module, IF):
                return torch.where(module.threshold.isfinite(), module.threshold, 1.0).double()
            if user.target in SUMS | DIFFERENCES:
                return self.wanted_unit(user)
            if isinstance(module, POOLS) or is_max_pool(user, module):
                unit = self.wanted_unit(user)  # before a pool the positions are others: one unit a channel
                return unit.flatten(-2).amax(-1)[..., None, None] if unit.ndim > 1 else unit
        return torch.ones((), dtype=torch.float64)

    # --- rules ---------------------------------------------------------------------------------------------------

    def round_images(self, node: fx.Node) -> None:
        largest = self.images.abs().amax().double().clamp(min=2.0**-40)
        bound = torch.full_like(self.images[:1], float(largest), dtype=torch.float64)
        self.learn(node, torch.ones(1), torch.zeros(1), bound * HEADROOM)
        step = _step(largest, ANALOG_BITS)
        rounded = self.insert_after(node, Rescale(torch.ones(()).double(), step))
        self.learn(rounded, torch.ones(1), step, bound * HEADROOM)

    def neuron(self, node: fx.Node, neuron: IF) -> None:
        unit = torch.where(neuron.threshold.isfinite(), neuron.threshold, 1.0).double()
        shape = self.bounds[source(node)]
        self.to_unit(node, unit)
        scaled = neuron.in_units_of(unit.to(neuron.threshold.dtype))
        scaled.v0 = torch.round(scaled.v0.double() * 2**24) / 2**24
        self.graph.put(str(node.target), scaled)
        self.learn(node, unit, torch.ones(1), torch.full_like(shape, neuron.max_spikes))

    def layer(self, node: fx.Node, layer: nn.Module) -> None:
        self.make_uniform(node, channel=-1 if isinstance(layer, nn.Linear) else 1)
        self.limit_bits(node)
        unit, step, bound = self.span(source(node))
        few_bits = bound.amax() / step.amin() <= 2**8
        dtype = torch.float32 if few_bits else torch.float64
        exact = copy.deepcopy(layer).double().requires_grad_(False)
        unit_out = self.channel_unit(exact, self.wanted_unit(node), bound)
        _scale_weights(exact, unit, unit_out)
        grain = _round_weights(exact, float(step.amin()), bound, EXACT_BITS[dtype])
        out_bound = _absolute(exact)(bound)
        self.graph.put(str(node.target), Exact(exact.to(dtype)))
        self.learn(
            node, _at_channels(exact, unit_out, out_bound), _at_channels(exact, grain, out_bound), out_bound
        )

    def channel_unit(self, layer: nn.Module, wanted: Tensor, bound: Tensor) -> Tensor:
        """The wanted unit as one number for each output channel, [C]."""
        out = layer(bound)
        channels = out.shape[-1] if isinstance(layer, nn.Linear) else out.shape[1]
        if wanted.numel() == 1:
            return wanted.reshape(1).expand(channels)
        try:
            full = wanted.expand_as(out)
        except RuntimeError:  # a reshape lies between: the neuron will be fed through a Rescale
            return torch.ones(channels, dtype=torch.float64)
        return full.movedim(-1 if isinstance(layer, nn.Linear) else 1, 0).flatten(1).amax(1)

    def norm(self, node: fx.Node, norm: nn.Module) -> None:
        """A batch norm that no layer could take in: a scale and an offset for each channel."""
        unit, _, bound = self.span(source(node))
        gain = (norm.weight if norm.affine else 1.0) / torch.sqrt(norm.running_var + norm.eps)  # type: ignore[operator, arg-type]
        shift = (norm.bias if norm.affine else 0.0) - norm.running_mean * gain  # type: ignore[operator]
        per_channel = (1, -1, *(1 for _ in bound.shape[2:]))
        gain, shift = (value.detach().double().reshape(per_channel) for value in (gain, shift))
        unit_out = self.wanted_unit(node)
        ratio, offset = (gain * unit / unit_out).expand_as(bound), (shift / unit_out).expand_as(bound)
        out_bound = ratio.abs() * bound + offset.abs()
        step = _step(out_bound.amax(), FINE_BITS)
        self.graph.put(str(node.target), Rescale(ratio, step, offset))
        self.learn(node, unit_out, step, out_bound)

    def pool(self, node: fx.Node) -> None:
        """An average: exact if it divides by powers of two, else summed in float64 and rounded to the grid."""
        self.make_uniform(node)
        unit, step, bound = self.span(source(node))
        probe = torch.zeros_like(bound, requires_grad=True)
        with torch.enable_grad():
            shares = torch.autograd.grad(self.apply(node, probe).sum(), probe)[0] * 2.0**12
        out_bound = self.apply(node, bound)
        if bool((shares == shares.round()).all()):
            self.learn(node, unit.amax(), step.amin() * 2.0**-12, out_bound)
            return
        self.rescale_input(node, source(node), unit.amax())
        self.bounds[node] = out_bound
        after = self.insert_after(
            node, Rescale(torch.ones(()).double(), _step(out_bound.amax(), ANALOG_BITS))
        )
        self.learn(after, unit.amax(), _step(out_bound.amax(), ANALOG_BITS), out_bound)

    def max_pool(self, node: fx.Node) -> None:
        """A maximum of exact values that do not spike is one of them; their units must agree within a channel."""
        self.make_uniform(node, channel=1)
        unit, step, bound = self.span(source(node))
        out_bound = self.apply(node, bound)
        self.learn(node, self.apply(node, unit), -self.apply(node, -step), out_bound)

    def sum(self, node: fx.Node) -> None:
        unit = self.wanted_unit(node)
        for operand in dict.fromkeys(node.all_input_nodes):
            self.to_unit(node, unit, operand)
        spans = [self.span(arg) for arg in node.args]  # type: ignore[arg-type]  # y + y has two operands, one node
        bound = spans[0].bound + spans[1].bound
        step = torch.minimum(spans[0].step.amin(), spans[1].step.amin())
        in_float64 = any(
            arg.op == "call_module" and isinstance(self.graph.module(arg), Rescale)
            for arg in node.all_input_nodes
        )
        if bool(bound.amax() / step > 2**24) and not in_float64:  # one operand in float64 makes the sum exact
            self.rescale_input(node, source(node), unit)
        self.learn(node, unit, step, bound)

    def scale(self, node: fx.Node) -> None:
        """A product with a number: in place of the call a Rescale."""
        numbers: list[Any] = [arg for arg in node.args if not isinstance(arg, fx.Node)]
        factor = -1.0 if not numbers else numbers[0] if node.target in PRODUCTS else 1 / numbers[0]
        unit, _, bound = self.span(source(node))
        step = _step((bound * abs(factor)).amax(), FINE_BITS)
        node.args, node.kwargs = (source(node),), {}
        node.op, node.target = "call_module", self.add_module(Rescale(torch.tensor(factor).double(), step))
        self.learn(node, unit, step, bound * abs(factor))

    def move(self, node: fx.Node) -> None:
        for known in (self.units, self.steps, self.bounds):
            known[node] = evaluate(self.graph, node, known.__getitem__)
            if known is not self.bounds and isinstance(known[node], Tensor):  # padding has any unit
                known[node] = torch.where(known[node] == 0, known[node].amax(), known[node])

    # --- rewriting -----------------------------------------------------------------------------------------------

    def apply(self, node: fx.Node, value: Tensor) -> Tensor:
        return evaluate(
            self.graph, node, lambda n: value if isinstance(self.bounds[n], Tensor) else self.bounds[n]
        )

    def make_uniform(self, node: fx.Node, channel: int | None = None) -> None:
        """See that a layer's input has one unit for each input channel (None: one unit)."""
        unit = self.units[source(node)]
        rows = unit.reshape(1, -1) if channel is None else unit.movedim(channel, 0).flatten(1)
        if bool((rows.amax(1) != rows.amin(1)).any()):
            self.to_unit(node, unit.amax())

    def to_unit(self, node: fx.Node, unit: Tensor, operand: fx.Node | None = None) -> None:
        """See that a node reads its input, or one of several, in this unit."""
        operand = source(node) if operand is None else operand
        if bool((self.units[operand] != unit).any()):
            self.rescale_input(node, operand, unit)

    def limit_bits(self, node: fx.Node) -> None:
        """See that a layer's input leaves bits for its weights."""
        unit, step, bound = self.span(source(node))
        if bool(bound.amax() / step.amin() > 2.0 ** (ANALOG_BITS + 4)):
            self.rescale_input(node, source(node), unit, ANALOG_BITS)

    def rescale_input(self, node: fx.Node, operand: fx.Node, unit: Tensor, bits: int = FINE_BITS) -> None:
        old, step, bound = self.span(operand)
        ratio = (old / unit).expand_as(bound)
        if bool((ratio != 1).any()) or bits == ANALOG_BITS:
            step = _step((ratio * bound).amax(), bits)
        step = step.amin()
        ratio = ratio.amax() if bool((ratio == ratio.amax()).all()) else ratio
        with self.graph.graph.inserting_before(node):
            rescale = self.graph.graph.call_module(self.add_module(Rescale(ratio.clone(), step)), (operand,))
        node.replace_input_with(operand, rescale)
        self.learn(rescale, unit, step, ratio * bound)

    def insert_after(self, node: fx.Node, module: nn.Module) -> fx.Node:
        name = self.add_module(module)
        with self.graph.graph.inserting_after(node):
            after = self.graph.graph.call_module(name, (node,))
        node.replace_all_uses_with(after, delete_user_cb=lambda user: user is not after)
        return after

    def add_module(self, module: nn.Module) -> str:
        name = f"rescale#{sum(isinstance(m, Rescale) for m in self.graph.children())}"
        self.graph.add_module(name, module)
        return name


def _step(bound: Tensor, bits: int) -> Tensor:
    """The power of two of which `bound` is at most 2^bits multiples."""
    return torch.exp2(torch.ceil(torch.log2(bound.double().clamp(min=2.0**-60))) - bits)


def _at_channels(layer: nn.Module, values: Tensor, like: Tensor) -> Tensor:
    """One value for each output channel, [C], in the shape that broadcasts against the layer's output."""
    return values if isinstance(layer, nn.Linear) else values.reshape(-1, *(1 for _ in like.shape[2:]))


def _scale_weights(layer: Any, unit_in: Tensor, unit_out: Tensor) -> None:
    """W <- W unit_in / unit_out, b <- b / unit_out: the weight normalisation of Rueckauer 2017."""
    per_row = (-1, *(1 for _ in layer.weight.shape[1:]))
    inputs = unit_in.flatten(0, -2)[0] if isinstance(layer, nn.Linear) else unit_in[0].flatten(1)[:, 0]
    groups = getattr(layer, "groups", 1)
    rows = inputs.reshape(groups, 1, -1).expand(groups, layer.weight.shape[0] // groups, -1).flatten(0, 1)
    rows = rows.reshape(*layer.weight.shape[:2], *(1 for _ in layer.weight.shape[2:]))
    layer.weight.data = layer.weight.data * rows / unit_out.reshape(per_row)
    if layer.bias is not None:
        layer.bias.data = layer.bias.data / unit_out


def _round_weights(layer: Any, step_in: float, bound: Tensor, bits: int) -> Tensor:
    """Round weights and bias so that every possible sum has at most `bits` bits; returns the sums' step, [C]."""
    channel = -1 if isinstance(layer, nn.Linear) else 1
    largest = _absolute(layer)(bound).movedim(channel, 0).flatten(1).amax(1)
    step = _step(largest * (1 + 2.0**-8), bits)  # rounding up may add a little to the largest sum
    rows = (step / step_in).reshape(-1, *(1 for _ in layer.weight.shape[1:]))
    layer.weight.data = torch.round(layer.weight.data / rows) * rows
    if layer.bias is not None:
        layer.bias.data = torch.round(layer.bias.data / step) * step
    return step


def _absolute(layer: Any) -> Any:
    """The layer with |W| and |b|: maps the largest inputs to the largest possible outputs."""
    absolute = copy.deepcopy(layer)
    absolute.weight.data = absolute.weight.data.abs()
    if absolute.bias is not None:
        absolute.bias.data = absolute.bias.data.abs()
    return absolute
