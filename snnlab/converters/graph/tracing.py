"""Trace an ANN into a graph with named activation sites, and walk it.

Tracing sees functions, not modules (torch.fx), so `F.relu` is found and one ReLU module used twice becomes two
sites. Everything in a traced graph is known: activation sites, affine layers, averages, sums and reshapes. What is
not known is refused by name, never carried along.
"""

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from snnlab.activations import LearnedRange
from snnlab.converters.graph.layers import (
    ACTIVATION_FUNCTIONS,
    CONVS,
    NORMS,
    SHAPE_QUERIES,
    advice,
    describe,
    is_known,
)
from snnlab.converters.graph.rewiring import move_max_pools, resolve_inplace

ACTIVATIONS: tuple[type[nn.Module], ...] = (nn.ReLU, nn.ReLU6, LearnedRange)
"""Module types that become activation sites; functional and in-place ReLUs do too."""

AtSite = Callable[[str, nn.Module, Any], Tensor]


class Graph(fx.GraphModule):
    """A traced network: `sites` maps the dotted name of each activation, in order, to its module."""

    @property
    def sites(self) -> dict[str, nn.Module]:
        """Name to activation, in the order of execution."""
        return {str(node.target): self.module(node) for node in self.graph.nodes if "site" in node.meta}

    @property
    def input(self) -> fx.Node:
        """The node that holds the images."""
        return next(iter(self.graph.nodes))

    @property
    def result(self) -> fx.Node:
        """The node that holds the logits."""
        return source(_output(self.graph))

    def module(self, node: fx.Node) -> nn.Module:
        """What a node with a module runs."""
        return self.get_submodule(str(node.target))

    def put(self, name: str, module: nn.Module) -> None:
        """Replace the module called `name`, a site or a layer."""
        parent, _, leaf = name.rpartition(".")
        self.get_submodule(parent).add_module(leaf, module)


def trace(ann: nn.Module, activations: tuple[type[nn.Module], ...] = ACTIVATIONS) -> Graph:
    """A copy of the network as a graph: batch norm folded, one named site per use of an activation.

    The graph computes what ann computes in evaluation mode; a max pool that follows the first neurons comes before
    them, where nothing spikes yet (rewiring.py). Sites carry the ANN's dotted names
    (`layer1.0.relu`), the second use of a module or of `F.relu` in one forward gets `#2`. ann is left as it is.

    Args:
        activations: module types that are sites.
    Raises: ValueError that names each layer that cannot be converted faithfully, and what to do about it.
    """
    graph, modules = read(ann, activations)
    _refuse_unknown(graph, modules)
    traced = Graph({**modules}, graph)
    _fold_bn(traced)
    mark(traced)
    return traced


def read(
    ann: nn.Module, activations: tuple[type[nn.Module], ...] = ACTIVATIONS
) -> tuple[fx.Graph, dict[str, nn.Module]]:
    """What `trace` starts from, with nothing refused yet: every call of the forward, and the modules by name.

    Raises: ValueError if the forward cannot be followed.
    """
    tracer = _Tracer(activations)
    model = copy.deepcopy(ann).eval()
    try:
        graph = tracer.trace(model)
    except Exception as error:  # whatever the ANN's own forward raises when it is fed a symbol
        where = f"in layer {tracer.failed_in!r} " if tracer.failed_in else ""
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"the network's forward cannot be traced {where}({reason}): a branch or loop that depends on the data "
            "has no spiking counterpart; write the forward without it"
        ) from error
    resolve_inplace(graph, model)
    _drop_unused(graph)
    modules = _name_uses(graph, model, activations)
    move_max_pools(graph, modules, ACTIVATIONS)
    return graph, modules


def fold_bn(layer: nn.Module, norm: nn.Module) -> nn.Module:
    """One layer that computes norm(layer(x)) in evaluation mode.

        W' = W g / sqrt(var + eps),   b' = beta + (b - mu) g / sqrt(var + eps)      Rueckauer 2017, section 2.2.1

    Args:
        layer: a convolution or nn.Linear.
        norm: the batch norm that follows it, with running statistics.
    """
    fuse: Any = fuse_linear_bn_eval if isinstance(layer, nn.Linear) else fuse_conv_bn_eval
    return fuse(layer.eval(), norm.eval())


def walk(graph: Graph, images: Tensor, at_site: AtSite | None = None) -> Tensor:
    """The traced network's output for images [B, ...], node after node; values are freed after their last use.

    Args:
        at_site: called with (name, module, input) at each site; its result takes the activation's place.
    """
    values: dict[fx.Node, Any] = {graph.input: images}
    for node in graph.graph.nodes:
        if node.op not in ("placeholder", "output"):
            values[node] = evaluate(graph, node, values.__getitem__, at_site)
            free(values, node)
    return values[graph.result]


def evaluate(
    graph: Graph, node: fx.Node, value: Callable[[fx.Node], Any], at_site: AtSite | None = None
) -> Any:
    """What one node computes, with `value` giving what its inputs computed."""
    args, kwargs = fx.map_arg((node.args, node.kwargs), value)
    if node.op == "call_module":
        module = graph.module(node)
        if at_site is not None and "site" in node.meta:
            return at_site(str(node.target), module, args[0])
        return module(*args, **kwargs)
    if node.op == "call_method":
        return getattr(args[0], str(node.target))(*args[1:], **kwargs)
    return node.target(*args, **kwargs)  # type: ignore[operator]


def source(node: fx.Node) -> fx.Node:
    """The node that feeds this one, or the first of them."""
    return node.all_input_nodes[0]


def free(values: dict[fx.Node, Any], node: fx.Node) -> None:
    """Forget the values that no node after this one reads."""
    for last in node.meta["last_use_of"]:
        values.pop(last, None)


class _Tracer(fx.Tracer):
    """torch.fx's tracer that keeps activations whole and notes in which layer's forward each call was made."""

    def __init__(self, activations: tuple[type[nn.Module], ...]) -> None:
        super().__init__()
        self.activations, self.failed_in = activations, ""

    def call_module(self, m: nn.Module, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().call_module(m, *args, **kwargs)
        except Exception:
            self.failed_in = self.failed_in or self.path_of_module(m)  # the innermost speaks first
            raise

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, self.activations) or super().is_leaf_module(m, module_qualified_name)

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(*args, **kwargs)
        node.meta["scope"] = self.scope.module_path
        return node


def _drop_unused(graph: fx.Graph) -> None:
    """Take out what no output needs; inputs beyond the images must be among it."""
    for node in reversed(list(graph.nodes)):
        if not node.users and node.op != "output" and not _is_first_input(graph, node):
            graph.erase_node(node)
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    if len(inputs) != 1:
        raise ValueError(
            f"the network's forward reads {len(inputs)} inputs ({', '.join(map(str, inputs))}), but it must read "
            "one, the images; wrap the network in a module that fixes the others"
        )
    result = _output(graph).args[0]
    if not isinstance(result, fx.Node):
        raise ValueError(
            f"the network returns {type(result).__name__}, but it must return one tensor, the logits; wrap it in "
            "a module that returns them alone"
        )


def _is_first_input(graph: fx.Graph, node: fx.Node) -> bool:
    return node.op == "placeholder" and node is next(iter(graph.nodes))


def _output(graph: fx.Graph) -> fx.Node:
    return next(node for node in reversed(graph.nodes) if node.op == "output")


def _name_uses(
    graph: fx.Graph, model: nn.Module, activations: tuple[type[nn.Module], ...]
) -> dict[str, nn.Module]:
    """Give each use of a module a module and a name of its own; turn functional activations into modules."""
    modules: dict[str, nn.Module] = {}
    for node in graph.nodes:
        if node.op == "call_module":
            module, name = copy.deepcopy(model.get_submodule(str(node.target))), str(node.target)
        elif node.target in ACTIVATION_FUNCTIONS:
            scope = node.meta["scope"]
            module, name = ACTIVATION_FUNCTIONS[node.target](), f"{scope}.relu" if scope else "relu"
            node.meta["call"] = True
        else:
            continue
        if isinstance(module, activations):
            module = copy.deepcopy(module)
            if hasattr(module, "inplace"):
                module.inplace = False  # type: ignore[assignment]
            node.meta["site"] = True
            node.args, node.kwargs = (node.args[0] if node.args else node.kwargs["input"],), {}
        name = _unique(name, modules)
        node.op, node.target, modules[name] = "call_module", name, module
    return modules


def _unique(name: str, taken: dict[str, nn.Module]) -> str:
    names = (name if k == 1 else f"{name}#{k}" for k in range(1, len(taken) + 2))
    return next(candidate for candidate in names if candidate not in taken)


def _refuse_unknown(graph: fx.Graph, modules: dict[str, nn.Module]) -> None:
    sizes: set[fx.Node] = set()  # nodes that hold shapes, not values: any arithmetic on them is fine
    refused = []
    for node in graph.nodes:
        if node.op in ("placeholder", "output"):
            continue
        if (node.target in SHAPE_QUERIES and node.args[1:] != ("device",)) or (
            node.all_input_nodes and all(n in sizes for n in node.all_input_nodes)
        ):
            sizes.add(node)
        elif node.meta.keys().isdisjoint(("site", "fate")) and not is_known(
            node, modules.get(str(node.target)), sizes
        ):
            refused.append(f"{describe(node, modules)}: {advice(node, modules.get(str(node.target)))}")
    if not refused and not any("site" in node.meta for node in graph.nodes):
        refused.append(
            "the network has no ReLU (or other activation that becomes a neuron): nothing can spike"
        )
    if refused:
        raise ValueError("the network cannot be converted faithfully:\n  " + "\n  ".join(refused))


def _fold_bn(graph: Graph) -> None:
    for node in list(graph.graph.nodes):
        before = node.args[0] if node.args else None
        if node.op != "call_module" or not isinstance(graph.module(node), NORMS):
            continue
        if not isinstance(before, fx.Node) or before.op != "call_module" or len(before.users) > 1:
            continue
        if isinstance(layer := graph.module(before), (*CONVS, nn.Linear)) and _one_to_one(
            layer, graph.module(node)
        ):
            graph.put(str(before.target), fold_bn(layer, graph.module(node)))
            before.meta["folded"] = str(node.target)
            node.replace_all_uses_with(before)
            graph.graph.erase_node(node)
    graph.delete_all_unused_submodules()
    graph.recompile()


def _one_to_one(layer: nn.Module, norm: nn.Module) -> bool:
    """Batch norm over the layer's own channels: not so for a Linear on [B, L, F], whose channels are L."""
    return norm.num_features == getattr(layer, "out_channels", getattr(layer, "out_features", None))


def mark(graph: Graph) -> None:
    """Note in each node whether it changes over the time steps, and which values die with it."""
    last: dict[fx.Node, fx.Node] = {}
    for node in graph.graph.nodes:
        inputs = node.all_input_nodes
        node.meta["temporal"] = "site" in node.meta or any(n.meta["temporal"] for n in inputs)
        node.meta["last_use_of"] = []
        last.update(dict.fromkeys(inputs, node))
    for node, reader in last.items():
        reader.meta["last_use_of"].append(node)
