"""A traced network: nodes of five kinds in the order of execution, and the walk over them."""

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from snnlab.converters.threads import threads_for

AtSite = Callable[[str, nn.Module, Any], Tensor]


@dataclass(eq=False)
class Node:
    """One step of a network's forward; what it computes is `kind`.

    Attributes:
        name: the user's: a layer's dotted name, or that of the layer and the function called in it.
        kind: one of the five kinds, the activation or neuron of a site, or nothing for the image.
        inputs: the nodes that it reads.
        site: whether it is an activation, later a neuron.
        was: the user's layer as PyTorch prints it; empty for a function that was called.
        call: the function's name.
        scope: the layer in whose forward the call stands; empty for the network's own.
        fate: what became of it, if it was not simply kept.
        folded: the layers that were folded into it.
    """

    name: str
    kind: nn.Module
    inputs: tuple["Node", ...] = ()
    site: bool = False
    was: str = ""
    call: str = ""
    scope: str = ""
    fate: str = ""
    folded: tuple[str, ...] = ()
    readers: list["Node"] = field(default_factory=list, repr=False)

    @property
    def said(self) -> str:
        """As the user knows it: layer 'features.3' is MaxPool2d(...), or the call and where it is made."""
        if self.was:
            return f"layer {self.name.split('#')[0]!r} is {self.was.splitlines()[0].rstrip('(')}"
        return f"{self.call}() in " + (f"layer {self.scope!r}" if self.scope else "the network's forward")


class Graph(nn.Module):
    """The nodes in the order of execution; the first is the image, `result` the one that holds the output.

    Names are data: modules are registered under numbers, so no name ever becomes an attribute or code.
    """

    def __init__(self) -> None:
        super().__init__()
        self.input = Node("image", nn.Identity())
        self.nodes: list[Node] = []
        self.result = self.input
        self.entered: set[str] = set()  # the ANN's layers that its forward ran
        self.bits: int | None = None  # of a grid's weights
        self.kinds = nn.ModuleList()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Graph":
        """Node after node: a copy that went from node to reader would be as deep as the network is long."""
        memo[id(self)] = copied = Graph()
        made = {self.input: copied.input}
        for node in self.nodes:
            kind, inputs = copy.deepcopy(node.kind, memo), tuple(made[other] for other in node.inputs)
            made[node] = replace(node, kind=kind, inputs=inputs, readers=[])
        copied.nodes, copied.result = [made[node] for node in self.nodes], made[self.result]
        copied.entered, copied.bits = set(self.entered), self.bits
        copied.wire()
        return copied.train(self.training)

    def spare(self, word: str, taken: Iterable[str] = ()) -> str:
        """The word, or if it is taken, here or there, the first of word#2, word#3, ... that is not."""
        taken = {*taken, *(node.name for node in self.nodes)}
        names = (word if k == 1 else f"{word}#{k}" for k in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)

    def add(self, node: Node) -> Node:
        """Append a node; its name gets a number if it is taken."""
        node.name = self.spare(node.name)
        self.nodes.append(node)
        self.kinds.append(node.kind)
        for other in dict.fromkeys(node.inputs):
            other.readers.append(node)
        return node

    def wire(self) -> None:
        """Note who reads what, and keep the kinds as submodules; after every change of the nodes."""
        self.kinds = nn.ModuleList(node.kind for node in self.nodes)
        for node in (self.input, *self.nodes):
            node.readers = []
        for node in self.nodes:
            for other in dict.fromkeys(node.inputs):
                other.readers.append(node)

    def put(self, node: Node, kind: nn.Module) -> None:
        """Exchange what a node computes."""
        node.kind = kind
        self.kinds[self.nodes.index(node)] = kind

    def named(self, name: str) -> Node:
        """The node of that name. Raises: ValueError with the names there are."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise ValueError(
            f"there is no layer {name!r}; there are {', '.join(repr(node.name) for node in self.nodes)}"
        )

    @property
    def sites(self) -> dict[str, nn.Module]:
        """Name to activation or neuron, in the order of execution."""
        return {node.name: node.kind for node in self.nodes if node.site}

    def temporal(self, coded: bool = False) -> set[Node]:
        """The nodes that change over the steps: the sites and all after them; with a coded image all."""
        found: set[Node] = {self.input} if coded else set()
        for node in self.nodes:
            if node.site or not found.isdisjoint(node.inputs):
                found.add(node)
        return found

    def last_uses(self) -> dict[Node, list[Node]]:
        """For each node the values that no later node reads."""
        last: dict[Node, Node] = {}
        for node in self.nodes:
            last.update(dict.fromkeys(node.inputs, node))
        freed: dict[Node, list[Node]] = {node: [] for node in self.nodes}
        for value, reader in last.items():
            if value is not self.result:
                freed[reader].append(value)
        return freed

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Every weight, threshold and potential by the user's name of its node."""
        for node in self.nodes:
            for key, value in node.kind.state_dict().items():
                yield f"{node.name}.{key}", value


def walk(graph: Graph, images: Tensor, at_site: AtSite | None = None) -> Tensor:
    """The network's output for images [B, ...], node after node; values are freed after their last use.

    Args:
        at_site: called with (name, module, input) at each site; its result takes the activation's place.
    """
    values: dict[Node, Tensor] = {graph.input: images}
    freed = graph.last_uses()
    with threads_for(images.numel()):
        for node in graph.nodes:
            inputs = [values[other] for other in node.inputs]
            if node.site and at_site is not None:
                values[node] = at_site(node.name, node.kind, inputs[0])
            else:
                values[node] = node.kind(*inputs)
            for other in freed[node]:
                values.pop(other, None)
    return values[graph.result]
