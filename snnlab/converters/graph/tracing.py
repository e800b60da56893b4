"""Trace an ANN into a graph of five kinds of node, by running it on two images and watching each function it calls.

What is seen are functions, not modules, with the numbers they were really called with. So `F.relu` is found and one
ReLU module used twice becomes two sites; a weight that is normalised, pruned or parametrised is what it computes; a
subclass, a hook, a stride set in the forward, a default, a branch on a shape are what they do. What has no rule is
refused by name, never carried along. Each node is compared with the call that it stands for.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from torch.overrides import TorchFunctionMode, resolve_name

from snnlab.activations import LearnedRange
from snnlab.converters.graph.calls import Call, Refusal, Value, tensors
from snnlab.converters.graph.copies import check_inputs, plain_copy
from snnlab.converters.graph.graph import Graph, Node
from snnlab.converters.graph.kinds import Max
from snnlab.converters.graph.rewriting import fold_factors, move_max_pools, prune
from snnlab.converters.graph.rules import CONSTANTS, RULES, SHAPES
from snnlab.converters.graph.words import NOT_FOLLOWED, advice
from snnlab.converters.threads import threads_for

ACTIVATIONS: tuple[type[nn.Module], ...] = (LearnedRange,)
"""Module types that are sites as a whole; ReLU and its kin are found as functions."""


class Refused(nn.Module):
    """In place of a kind: what cannot be carried through, and why."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.refused = text


def trace(ann: nn.Module, images: Tensor, activations: tuple[type[nn.Module], ...] = ACTIVATIONS) -> Graph:
    """The network as a graph: batch norm folded, one named site for each use of an activation. ann is left as it is.

    The graph computes what ann computes in evaluation mode; a max pool that follows the first neurons comes before
    them, where nothing spikes yet (rewriting.py). Sites carry the ANN's dotted names (`layer1.0.relu`), the second use
    of a module or of `F.relu` in one forward gets `#2`.

    Args:
        images: some of those it was trained for, [N, ...], float32 or float64; two are run, in their precision.
        activations: module types that are sites.
    Raises: ValueError that names each layer that cannot be converted faithfully, and what to do about it.
    """
    with threads_for(images[:2].numel()):
        graph = record(ann, images, activations)
    spiking = graph.temporal()
    refused = [text for node in graph.nodes if (text := _problem(node, node in spiking))]
    if not refused and not graph.sites:
        refused.append(
            "the network has no ReLU (or other activation that becomes a neuron): nothing can spike"
        )
    if refused:
        raise ValueError("the network cannot be converted faithfully:\n  " + "\n  ".join(refused))
    fold_factors(graph)
    return graph


def _problem(node: Node, spiking: bool) -> str:
    """Why a node cannot be converted; nothing if it can, or if it only follows one that cannot."""
    text = advice("max_pool") if isinstance(node.kind, Max) and spiking else getattr(node.kind, "refused", "")
    return f"{node.said}: {text}" if text else ""


def record(ann: nn.Module, images: Tensor, activations: tuple[type[nn.Module], ...] = ACTIVATIONS) -> Graph:
    """What `trace` starts from, with nothing refused yet.

    Raises: ValueError if the forward cannot be followed.
    """
    model = plain_copy(ann).to(images.dtype)
    check_inputs(model)
    leaves = tuple(kind for kind in activations if kind not in (nn.ReLU, nn.ReLU6))
    with torch.inference_mode(False), torch.no_grad():
        few = images[:2] if len(images) > 1 else images.repeat(2, *(1 for _ in images.shape[1:]))
        graph = Tracer(model, leaves).run(few.detach().clone())
    prune(graph)
    move_max_pools(graph)
    return graph


def fold_bn(layer: nn.Module, norm: nn.Module) -> nn.Module:
    """One layer that computes norm(layer(x)) in evaluation mode.

        W' = W g / sqrt(var + eps),   b' = beta + (b - mu) g / sqrt(var + eps)      Rueckauer 2017, section 2.2.1

    Args:
        layer: a convolution or nn.Linear.
        norm: the batch norm that follows it, with running statistics.
    """
    fuse: Any = fuse_linear_bn_eval if isinstance(layer, nn.Linear) else fuse_conv_bn_eval
    return fuse(layer.eval(), norm.eval())


class Tracer(TorchFunctionMode):
    """Watches one forward and writes down a node for each call whose result depends on the image.

    Args:
        model: in evaluation mode.
        leaves: module types that become sites as a whole.
    """

    def __init__(self, model: nn.Module, leaves: tuple[type[nn.Module], ...]) -> None:
        super().__init__()
        self.model, self.leaves = model, leaves
        self.names = {id(module): name for name, module in model.named_modules()}
        self.graph = Graph()
        self.values: dict[int, Value] = {}
        self.data: dict[Node, Tensor] = {}
        self.constants = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
        self.running: list[nn.Module] = []
        self.paused = 0

    def run(self, images: Tensor) -> Graph:
        """Run the forward; the graph it leaves."""
        given = images.clone()
        self.data[self.graph.input] = images
        self.keep(Value(self.graph.input, given, 0, self.data[self.graph.input]))
        handles = (
            nn.modules.module.register_module_forward_pre_hook(self.enter),
            nn.modules.module.register_module_forward_hook(self.leave),
        )
        try:
            with self:
                result = self.model(given)
        except Refusal as refusal:
            raise ValueError(str(refusal)) from None
        except Exception as error:  # noqa: BLE001 - whatever the network's own forward raises
            self.fail(error, images)
        finally:
            for handle in handles:
                handle.remove()
        value = self.value(result)
        if value is None:
            raise ValueError(_no_output(result))
        if value.batch != 0:
            raise ValueError(
                "the network's output has the batch on another axis than the first: put it first"
            )
        self.graph.result = value.node
        return self.graph

    def fail(self, error: Exception, images: Tensor) -> NoReturn:
        """The network's own error, where it arose, on which images."""
        names = [name for module in self.running if (name := self.names.get(id(module), ""))]
        where = f" in layer {names[-1]!r}" if names else ""
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        shape = ", ".join(["N", *map(str, images.shape[1:])])
        frames = (
            ". Frames of events are no image: take one, or their mean over time" if images.ndim == 5 else ""
        )
        raise ValueError(
            f"the network's forward fails{where} on images [{shape}] ({reason}): hand in images [N, ...] as it was "
            f"trained with{frames}"
        ) from error

    # --- modules -----------------------------------------------------------------------------------------------------

    def enter(self, module: nn.Module, _: Any) -> None:
        """A module of the network starts."""
        if id(module) in self.names:
            self.running.append(module)
            self.graph.entered.add(self.names[id(module)])
            self.paused += isinstance(module, self.leaves)

    def leave(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        """A module has ended: a leaf is a site; another whose result nobody saw being made is refused."""
        if id(module) not in self.names:
            return
        inputs = [value for tensor in tensors(args) if (value := self.value(tensor)) is not None]
        call = Call(self, type(module).__name__, type(module).forward, args, {}, output, inputs)
        if isinstance(module, self.leaves):
            self.paused -= 1
            if not self.paused and inputs:
                self.keep(self.site(call, copy.deepcopy(module), inputs[0], output))
        elif inputs and not self.paused:
            for tensor in tensors(output):
                if self.value(tensor) is None and id(tensor) not in self.constants:
                    self.keep(self.refuse(call, tensor, NOT_FOLLOWED))
        self.running.pop()

    # --- functions ---------------------------------------------------------------------------------------------------

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Every function of PyTorch that the forward calls."""
        kwargs = kwargs or {}
        if self.paused:
            return func(*args, **kwargs)
        inputs = [value for tensor in tensors([*args, kwargs]) if (value := self.value(tensor)) is not None]
        name = _plain_name(func)
        for value in inputs:
            if value.stale:
                raise Refusal(value.stale)
        version = inputs[0].tensor._version if inputs else 0
        call = Call(self, name, func, args, kwargs, func(*args, **kwargs), inputs)
        if not inputs or name in CONSTANTS or (name in SHAPES and not isinstance(call.result, Tensor)):
            self.constants |= {id(tensor): tensor for tensor in tensors(call.result)}
            return call.result
        self.paused += 1
        try:
            found = self.follow(call)
        finally:
            self.paused -= 1
        for value in found:
            self.keep(value)
        if inputs[0].tensor._version != version:
            self.spoil(call, inputs[0].tensor)
        return call.result

    def follow(self, call: Call) -> list[Value]:
        """The values of a call's results."""
        results = list(tensors(call.result))
        if call.name == "__setitem__":
            results = [call.inputs[0].tensor]
        if not results:
            raise Refusal(
                f"the network's forward cannot be traced{self.where()}({call.name}): a branch or loop that depends on "
                "the data has no spiking counterpart; write the forward without it"
            )
        told = any(isinstance(value.node.kind, Refused) for value in call.inputs)
        if told or call.kwargs.get("out") is not None or call.name not in RULES:
            return [self.refuse(call, result) for result in results]
        try:
            found = RULES[call.name](call)
        except Refusal as refusal:
            return [self.refuse(call, result, str(refusal)) for result in results]
        except (RuntimeError, TypeError, IndexError) as error:
            text = f"the kit's rule for it fails here ({str(error).splitlines()[0]}); write it in another way"
            return [self.refuse(call, result, text) for result in results]
        return [found] if isinstance(found, Value) else list(found)

    def where(self) -> str:
        """The layer that runs, in words."""
        name = self.names.get(id(self.running[-1]), "") if self.running else ""
        return f" in layer {name!r} " if name else " "

    def spoil(self, call: Call, changed: Tensor) -> None:
        """Other tensors over the memory that a call has changed are no longer what they were."""
        memory = changed.untyped_storage().data_ptr()
        said = self.node(call, nn.Identity(), ()).said.replace(f"{call.name}(", f"{call.name}_(")
        for value in self.values.values():
            if value.tensor is not changed and value.tensor.untyped_storage().data_ptr() == memory:
                value.stale = (
                    f"{said} changes in place what other layers read through a view; use the version that is not in "
                    "place"
                )

    # --- values and nodes --------------------------------------------------------------------------------------------

    def value(self, tensor: Any) -> Value | None:
        """What a tensor stands for."""
        return self.values.get(id(tensor)) if isinstance(tensor, Tensor) else None

    def keep(self, value: Value) -> None:
        """Know a tensor again."""
        self.values[id(value.tensor)] = value

    def node(self, call: Call, kind: nn.Module, inputs: Sequence[Node], *, step: bool = False) -> Node:
        """A node named as the user knows what is called."""
        module, path = self.layer()
        whole = module is not None and not step and not (call.name == "pad" and hasattr(module, "weight"))
        name = path if whole else ".".join(filter(None, (path, call.name)))
        return Node(name, kind, tuple(inputs), was=str(module) if whole else "", call=call.name, scope=path)

    def layer(self) -> tuple[nn.Module | None, str]:
        """The layer that runs, if it is one of PyTorch's or a leaf, and its dotted name."""
        module = self.running[-1] if self.running else self.model
        known = str(type(module).forward.__module__).startswith("torch.nn") or isinstance(module, self.leaves)
        path = self.names.get(id(module), "")
        return (module if known and path else None), path

    def step(self, call: Call, kind: nn.Module, inputs: Sequence[Node]) -> Node:
        """A node on the way to a call's result."""
        node = self.graph.add(self.node(call, kind, inputs, step=True))
        self.data[node] = kind(*(self.data[other] for other in inputs))
        return node

    def emit(self, call: Call, kind: nn.Module, inputs: Sequence[Node], tensor: Tensor, batch: int) -> Value:
        """The node that computes a call's result, compared with it."""
        expected = tensor.detach().movedim(batch, 0).to(self.data[self.graph.input].dtype, copy=True)
        got = kind(*(self.data[other] for other in inputs))
        allowed = 1e-3 * float(expected.abs().amax()) + 1e-6
        if got.shape != expected.shape or not float((got - expected).abs().amax()) <= allowed:
            raise Refusal("the kit's rule for it computes something else here; write it in another way")
        node = self.graph.add(self.node(call, kind, inputs))
        self.data[node] = expected
        return Value(node, tensor, batch, expected)

    def site(self, call: Call, activation: nn.Module, value: Value, result: Tensor) -> Value:
        """An activation."""
        made = self.emit(call, activation, (value.node,), result, value.batch)
        made.node.site = True
        return made

    def refuse(self, call: Call, result: Tensor, text: str = "") -> Value:
        """In place of a node: why there is none; without a text by the names of layer and function."""
        module, _ = self.layer()
        names = [call.name] if module is None else [type(module).__name__, call.name]
        told = call.name in RULES and any(isinstance(value.node.kind, Refused) for value in call.inputs)
        kind = Refused("" if told else text or advice(*names))
        node = self.node(call, kind, [value.node for value in call.inputs])
        batch = next((axis for axis, size in enumerate(result.shape) if size == 2), 0)
        return Value(self.graph.add(node), result, batch, result.detach().clone())


def _plain_name(func: Callable[..., Any]) -> str:
    """A function's name without its module; an attribute's own; of a form in place that of the plain one."""
    parts = (resolve_name(func) or getattr(func, "__name__", "")).split(".")
    name = parts[-2] if parts[-1] == "__get__" else parts[-1]
    return name if name.endswith("__") else name.removesuffix("_")


def _no_output(result: Any) -> str:
    if isinstance(result, Tensor):
        return (
            "the network's output does not depend on the images, or in a way that cannot be followed (a "
            "torch.autograd.Function, compiled code, NumPy): write the forward with PyTorch's functions"
        )
    kind = type(result).__name__
    keys = f" with the entries {', '.join(map(repr, result))}" if isinstance(result, dict) else ""
    return (
        f"the network returns a {kind}{keys}, but it must return one tensor, the logits; wrap it in a module that "
        "returns them alone"
    )
