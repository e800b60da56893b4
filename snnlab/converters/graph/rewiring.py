"""What is rewired in a graph before it is read: calls in place, and max pools that no spike has reached yet.

A maximum of spikes is not the spikes of the maximum. But the first neurons see the same current in every step, and
for an activation f that never falls

    max over the window of f(z)  =  f(max over the window of z),

so a max pool that follows the first neurons can come before them, where it sees a value that does not change over the
steps. That is the one max pool of a ResNet for ImageNet. Nothing is approximated, and fewer neurons are left.

References:
  1) Max pooling in conversion: Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.2.6
"""

from torch import fx, nn

from snnlab.converters.graph.layers import DROPOUTS, INPLACE, describe, is_max_pool, is_view


def resolve_inplace(graph: fx.Graph, model: nn.Module) -> None:
    """After an in-place call every later reader of the input sees the result: say so in the graph."""
    order = {node: i for i, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if not _is_inplace(node, model):
            continue
        changed = node.all_input_nodes[0]
        for alias in _aliases(changed, model):
            later = [user for user in alias.users if order[user] > order[node]]
            if later and alias is not changed:
                raise ValueError(
                    f"{describe(node, model)} changes in place what other layers read through a view; "
                    "use the version that is not in place"
                )
            for user in later:
                user.replace_input_with(alias, node)


def move_max_pools(
    graph: fx.Graph, modules: dict[str, nn.Module], monotone: tuple[type[nn.Module], ...]
) -> None:
    """Move max pools before the first neurons; where one sees no spikes, node.meta["fate"] says what became of it.

    Args:
        graph: its sites marked.
        modules: by name, for the nodes that call one.
        monotone: types of activations that never fall, elementwise.
    """
    spiking: set[fx.Node] = set()  # nodes that change over the steps
    for node in list(graph.nodes):
        if is_max_pool(node, modules.get(str(node.target))):
            before = node.all_input_nodes[0]
            if _is_first(before, spiking) and isinstance(modules[str(before.target)], monotone):
                _swap(before, node)
                node.meta["fate"] = (
                    f"moved before {str(before.target)!r}: exact there, since nothing spikes yet"
                )
            elif before not in spiking:
                node.meta["fate"] = "kept: exact here, since nothing spikes yet"
        if "site" in node.meta or not spiking.isdisjoint(node.all_input_nodes):
            spiking.add(node)


def _is_first(node: fx.Node, spiking: set[fx.Node]) -> bool:
    """Whether a node is an activation with no other before it that feeds one layer alone."""
    return "site" in node.meta and len(node.users) == 1 and spiking.isdisjoint(node.all_input_nodes)


def _swap(activation: fx.Node, pool: fx.Node) -> None:
    """z -> activation -> pool becomes z -> pool -> activation."""
    pool.replace_all_uses_with(activation)
    pool.replace_input_with(activation, activation.all_input_nodes[0])
    activation.args = (pool,)
    pool.append(activation)


def _is_inplace(node: fx.Node, model: nn.Module) -> bool:
    if node.op == "call_module":
        module = model.get_submodule(str(node.target))
        return bool(getattr(module, "inplace", False)) and not isinstance(
            module, DROPOUTS
        )  # which do nothing
    return node.target in INPLACE or node.kwargs.get("inplace", False) is True


def _aliases(node: fx.Node, model: nn.Module) -> list[fx.Node]:
    """The node, and what it is a view of or what is a view of it."""
    found = [node]
    while is_view(found[-1], model):
        found.append(found[-1].all_input_nodes[0])
    return found + [user for user in node.users if is_view(user, model)]
