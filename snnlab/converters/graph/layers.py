"""Which layers and functions a spiking network carries through unchanged, and what to say of the rest.

A mean over time passes through a layer unharmed when the layer is affine (convolution, average, sum) or only moves
values about (reshape). Anything else computes something else from spikes than from the activations they stand for.
"""

import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
POOLS = (
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.AvgPool3d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
)
MAX_POOLS = (
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.MaxPool3d,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
    nn.AdaptiveMaxPool3d,
)
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
MOVERS = (nn.Flatten, nn.Unflatten, nn.Identity, nn.PixelShuffle, nn.ChannelShuffle, *DROPOUTS)

ACTIVATION_FUNCTIONS: dict[Any, Callable[[], nn.Module]] = {
    **dict.fromkeys((F.relu, F.relu_, torch.relu, torch.relu_, "relu", "relu_"), nn.ReLU),
    F.relu6: nn.ReLU6,
}
INPLACE: set[Any] = {F.relu_, torch.relu_, "relu_", "add_", "sub_", "mul_", "div_"}
INPLACE |= {operator.iadd, operator.isub, operator.imul, operator.itruediv}

POOL_CALLS: set[Any] = {F.avg_pool1d, F.avg_pool2d, F.avg_pool3d}
POOL_CALLS |= {F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d, torch.mean, "mean"}
MAX_POOL_CALLS: dict[Any, str] = {  # with their names: PyTorch calls all of those in F `fn`
    getattr(home, name): name
    for home, kind in ((F, "max_pool"), (F, "adaptive_max_pool"), (torch, "max_pool"))
    for name in (f"{kind}1d", f"{kind}2d", f"{kind}3d")
}
SUMS: set[Any] = {operator.add, operator.iadd, torch.add, "add", "add_"}
DIFFERENCES: set[Any] = {operator.sub, operator.isub, torch.sub, "sub", "sub_"}
PRODUCTS: set[Any] = {operator.mul, operator.imul, torch.mul, "mul", "mul_"}
QUOTIENTS: set[Any] = {operator.truediv, operator.itruediv, torch.div, "div", "div_"}
NEGATIONS: set[Any] = {operator.neg, torch.neg, "neg"}
SCALINGS = PRODUCTS | QUOTIENTS | NEGATIONS

VIEWS: set[Any] = {
    torch.flatten,
    torch.reshape,
    torch.permute,
    torch.transpose,
    torch.squeeze,
    torch.unsqueeze,
}
VIEWS |= {
    "view",
    "flatten",
    "reshape",
    "permute",
    "transpose",
    "squeeze",
    "unsqueeze",
    "contiguous",
    "movedim",
}
VIEWS |= {"chunk", "split", "unflatten", torch.chunk, torch.split, torch.movedim, operator.getitem}
JOINS: set[Any] = {torch.cat, torch.concat, torch.concatenate}
SHAPE_QUERIES: set[Any] = {"size", "dim", "numel", getattr}

_RETRAIN = "use {} and retrain"
ADVICE: dict[str, str] = {
    "max pool": "a maximum of spikes is not the spikes of the maximum, unless nothing spikes yet; "
    + _RETRAIN.format("nn.AvgPool2d")
    + ": snnlab.training.recipes.average_pools(ann), then training.fit for a few epochs",
    "max": "a maximum of spikes is not the spikes of the maximum; " + _RETRAIN.format("a mean"),
    "softmax": "it belongs to the loss, not to the network: return the logits before it",
    "norm": "it divides by a statistic of the values themselves, which spikes do not have yet; "
    + _RETRAIN.format("nn.BatchNorm2d, which folds into the layer before it,"),
    "gelu": "not piecewise linear, so no spike count equals it; " + _RETRAIN.format("nn.ReLU"),
    "dropout": "it drops values in evaluation mode too; pass training=self.training, or use nn.Dropout",
    "attention": "it multiplies activations with each other; no neuron here does that",
}
_KIND_OF = {  # in this order: a softmax is no maximum, a LayerNorm no activation
    "softmax": ("softmax", "softmin"),
    "max pool": ("maxpool", "max_pool"),
    "max": ("max", "maximum", "amax"),
    "dropout": ("dropout",),
    "attention": ("attention", "matmul", "bmm", "einsum"),
    "norm": ("norm",),
    "gelu": ("gelu", "sigmoid", "tanh", "silu", "swish", "mish", "elu", "softplus", "prelu", "leaky", "celu"),
}


def is_view(node: fx.Node, model: nn.Module) -> bool:
    """Whether a call may return its input's own memory."""
    if node.op == "call_module":
        return isinstance(model.get_submodule(str(node.target)), MOVERS)
    return node.target in VIEWS


def is_known(node: fx.Node, module: nn.Module | None, sizes: set[fx.Node]) -> bool:
    """Whether a node passes means over time through unharmed; `sizes` are nodes that hold shapes."""
    values = [n for n in node.all_input_nodes if n not in sizes]
    if node.op == "call_module":
        if isinstance(module, NORMS):
            return bool(module.track_running_stats)
        return isinstance(module, (*CONVS, nn.Linear, *POOLS, *MOVERS))
    if node.target in VIEWS:
        return len(values) == 1
    if node.target in SUMS | DIFFERENCES:
        return len(node.args) == 2 and not node.kwargs and all(a in values for a in node.args)
    if node.target in SCALINGS:
        nodes = [isinstance(a, fx.Node) for a in node.args]
        return sum(nodes) == 1 and not node.kwargs and (nodes[0] or node.target in PRODUCTS)
    if node.target is F.dropout:
        return not bool(node.kwargs.get("training", True))
    if node.target is F.pad:
        return bool(node.kwargs.get("mode", "constant") == "constant" and not node.kwargs.get("value"))
    return node.target in POOL_CALLS | JOINS


def is_max_pool(node: fx.Node, module: nn.Module | None) -> bool:
    """Whether a node is a maximum over windows, and nothing but the maximum is asked for."""
    if isinstance(module, MAX_POOLS):
        return not module.return_indices
    return node.target in MAX_POOL_CALLS


def describe(node: fx.Node, modules: nn.Module | dict[str, nn.Module]) -> str:
    """A node as its user knows it: layer 'features.3' is MaxPool2d(...), or the call and where it is made."""
    if node.op == "call_module":
        name = str(node.target)
        module = modules[name] if isinstance(modules, dict) else modules.get_submodule(name)
        return f"layer {name!r} is {str(module).splitlines()[0].rstrip('(')}"
    scope = node.meta.get("scope", "")
    return f"{_called(node)}() in " + (f"layer {scope!r}" if scope else "the network's forward")


def _called(node: fx.Node) -> str:
    target: Any = node.target
    name = target if isinstance(target, str) else getattr(target, "__name__", str(target))
    return MAX_POOL_CALLS.get(target, name)


def advice(node: fx.Node, module: nn.Module | None) -> str:
    """Why a layer cannot be carried through, and what to do."""
    if isinstance(module, NORMS):
        return "it has no running statistics, so each image's result depends on its batch; track them and retrain"
    if node.op == "get_attr":
        return "a bare parameter in the forward is not a layer; put it into the bias or weight of one"
    if node.target in SCALINGS | SUMS | DIFFERENCES:
        return "only sums of two layers and products with a number can be carried by spikes; fold others into a layer"
    name = type(module).__name__ if module is not None else _called(node)
    for kind, words in _KIND_OF.items():
        if any(word in name.lower() for word in words):
            return ADVICE[kind]
    return "how it acts on spikes is not known; use convolution, linear, average pooling, ReLU, sums and reshapes"
