"""What a rule is called with: one call of a function in the network's forward, and what its tensors stand for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from snnlab.converters.graph.graph import Node
from snnlab.converters.graph.words import BATCH

if TYPE_CHECKING:
    from snnlab.converters.graph.tracing import Tracer


class Refusal(ValueError):
    """A layer that cannot be carried through; the text says why, and what to do. Without a text, by its name."""


@dataclass(eq=False)
class Value:
    """What a tensor of the network's forward stands for.

    Attributes:
        node: the node that computes it.
        tensor: the forward's own; kept, so that it is known again.
        batch: the axis of the batch in it.
        data: its values as the graph has them, [B, ...].
        stale: the call that changed its memory through another tensor, if one did.
    """

    node: Node
    tensor: Tensor
    batch: int
    data: Tensor = field(repr=False)
    stale: str = ""

    def axis(self, given: int) -> int:
        """One of the tensor's axes as the graph counts them, the batch first."""
        place = given % self.tensor.ndim
        if place == self.batch:
            raise Refusal(BATCH)
        return place + 1 if place < self.batch else place

    def numbers(self, first: int, apart: int) -> Tensor:
        """The numbers first, first + 1, ... in place of one image's values, `apart` more for the next image's."""
        count = self.data[0].numel()
        one = torch.arange(first, first + count, dtype=torch.float64).reshape(self.data.shape[1:])
        both = torch.stack([one + apart * k for k in range(len(self.data))]).movedim(0, self.batch)
        return torch.empty_like(self.tensor, dtype=torch.float64).copy_(both)  # in the tensor's memory layout


@dataclass(eq=False)
class Call:
    """One call of a function in the network's forward."""

    tracer: "Tracer"
    name: str
    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any
    inputs: list[Value]

    def get(self, place: int, name: str, default: Any = None) -> Any:
        """An argument by its place or name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)

    def value(self, argument: Any) -> Value | None:
        """What a tensor stands for; None for what does not depend on the image."""
        return self.tracer.value(argument)

    def first(self, batch_first: bool = True) -> Value:
        """The first argument, which must be the one that depends on the image."""
        value = self.value(self.get(0, "input"))
        if value is None or len(self.inputs) > 1:
            raise Refusal
        if batch_first and value.batch != 0:
            raise Refusal(BATCH)
        return value

    def emit(self, kind: nn.Module, *inputs: Node, tensor: Tensor | None = None, batch: int = 0) -> Value:
        """The node that computes the result, or `tensor`, in which the batch is the axis `batch`."""
        return self.tracer.emit(self, kind, inputs, self.result if tensor is None else tensor, batch)

    def step(self, kind: nn.Module, *inputs: Node) -> Node:
        """A node on the way to the result."""
        return self.tracer.step(self, kind, inputs)


Rule = Callable[[Call], Any]
"""The value that stands for a call's result, or one for each of several."""


def tensors(argument: Any) -> Iterator[Tensor]:
    """Every tensor in an argument, in lists and dictionaries too."""
    if isinstance(argument, Tensor):
        yield argument
    elif isinstance(argument, tuple | list):
        for inner in argument:
            yield from tensors(inner)
    elif isinstance(argument, dict):
        yield from tensors(list(argument.values()))
