"""One table: what each of PyTorch's functions is, as one or more nodes of the five kinds.

A rule is called with a Call, which holds the function, its arguments and what it returned, and gives the value that it
makes. Modules need no entry: they call functions. To teach the kit a new layer, add its function to RULES.
"""

import torch
from torch import Tensor, nn

from snnlab.activations import Clip
from snnlab.converters.graph.affine import (
    add,
    batch_norm,
    convolution,
    instance_norm,
    linear,
    matmul,
    negation,
    product,
    quotient,
    reverse_sub,
)
from snnlab.converters.graph.averages import adaptive_pool, average_pool, interpolate, mean
from snnlab.converters.graph.calls import Call, Refusal, Rule, Value
from snnlab.converters.graph.kinds import Max
from snnlab.converters.graph.moves import move, same


def relu(call: Call) -> Value:
    """ReLU, in every form."""
    return _site(call, nn.ReLU())


def relu6(call: Call) -> Value:
    """Clip at 6."""
    return _site(call, Clip(6.0))


def clamp(call: Call) -> Value:
    """From 0 on ReLU, from 0 to c Clip."""
    names = ("min_val", "max_val") if call.name == "hardtanh" else ("min", "max")
    low, high = call.get(1, names[0], -1.0 if call.name == "hardtanh" else None), call.get(2, names[1])
    high = 1.0 if call.name == "hardtanh" and high is None else high
    if low is None or float(low) != 0 or (high is not None and float(high) <= 0):
        raise Refusal
    return _site(call, nn.ReLU() if high is None else Clip(float(high)))


def threshold(call: Call) -> Value:
    """With both numbers 0, ReLU."""
    if (call.get(1, "threshold"), call.get(2, "value")) != (0, 0):
        raise Refusal
    return relu(call)


def maximum(call: Call) -> Value:
    """With zero, ReLU."""
    others = [x for x in call.args if call.value(x) is None]
    if len(others) != 1 or bool(torch.as_tensor(others[0]).any()):
        raise Refusal
    return call.tracer.site(call, nn.ReLU(), call.inputs[0], call.result)


def _site(call: Call, activation: nn.Module) -> Value:
    value = call.first(batch_first=False)
    return call.tracer.site(call, activation.eval().requires_grad_(False), value, call.result)


def max_pool(call: Call) -> Value:
    """Kept where nothing spikes yet, or moved there (rewriting.py); refused elsewhere."""
    value = call.first()
    if not isinstance(call.result, Tensor):
        raise Refusal
    kwargs = {name: given for name, given in call.kwargs.items() if name != "input"}
    return call.emit(Max(call.func, call.args[1:], kwargs), value.node)


MOVES = (
    "view", "view_as", "reshape", "reshape_as", "flatten", "unflatten", "ravel", "permute", "transpose", "swapaxes",
    "swapdims", "movedim", "moveaxis", "T", "mT", "t", "squeeze", "unsqueeze", "expand", "expand_as", "broadcast_to",
    "repeat", "repeat_interleave", "tile", "cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack",
    "column_stack", "chunk", "split", "split_with_sizes", "tensor_split", "hsplit", "vsplit", "unbind", "__getitem__",
    "select", "narrow", "index_select", "gather", "take_along_dim", "roll", "flip", "fliplr", "flipud", "rot90", "pad",
    "unfold", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "native_channel_shuffle", "as_strided",
    "atleast_1d", "atleast_2d", "atleast_3d", "diagonal",
)  # fmt: skip
COPIES = (
    "clone", "contiguous", "float", "double", "half", "bfloat16", "to", "type", "type_as", "cpu", "detach", "data",
    "requires_grad", "positive", "__pos__", "alias", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout",
    "feature_alpha_dropout", "feature_dropout",
)  # fmt: skip
_SIDES = ("1d", "2d", "3d")

RULES: dict[str, Rule] = {
    "relu": relu,
    "relu6": relu6,
    "threshold": threshold,
    **dict.fromkeys(("clamp", "clip", "clamp_min", "hardtanh"), clamp),
    **{f"conv{side}": convolution for side in _SIDES},
    **{f"conv_transpose{side}": convolution for side in _SIDES},
    "linear": linear,
    "maximum": maximum,
    **dict.fromkeys(("matmul", "mm", "__matmul__"), matmul),
    **dict.fromkeys(("add", "__radd__", "sub", "subtract"), add),
    **dict.fromkeys(("rsub", "__rsub__"), reverse_sub),
    **dict.fromkeys(("mul", "__rmul__", "multiply"), product),
    **dict.fromkeys(("div", "divide", "true_divide"), quotient),
    **dict.fromkeys(("neg", "negative"), negation),
    "batch_norm": batch_norm,
    "instance_norm": instance_norm,
    **dict.fromkeys(("mean", "sum"), mean),
    **{f"avg_pool{side}": average_pool for side in _SIDES},
    **{f"adaptive_avg_pool{side}": adaptive_pool for side in _SIDES},
    **dict.fromkeys(("interpolate", "upsample"), interpolate),
    **dict.fromkeys(MOVES, move),
    **dict.fromkeys(COPIES, same),
    **{f"{kind}max_pool{side}": max_pool for kind in ("", "adaptive_") for side in _SIDES},
    **{f"{kind}max_pool{side}_with_indices": max_pool for kind in ("", "adaptive_") for side in _SIDES},
}
"""What a function is; forms in place have the name of the plain one."""

SHAPES = frozenset((
    "size", "shape", "dim", "ndim", "ndimension", "numel", "nelement", "device", "dtype", "layout", "stride",
    "storage_offset", "element_size", "get_device", "requires_grad", "grad_fn", "is_leaf", "is_contiguous",
    "is_floating_point", "is_cuda", "is_quantized", "is_sparse", "is_complex", "is_meta", "names", "__len__",
    "__repr__", "__format__", "__hash__", "itemsize", "nbytes", "type",
))  # fmt: skip
"""What asks for shapes and the like, never for values."""

CONSTANTS = frozenset((
    "zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full", "new_empty",
    "new_tensor", "rand_like", "randn_like",
))  # fmt: skip
"""What makes new values in the shape of others."""
