"""The network that is traced: a copy out of its wrappers, of which nothing is left to chance."""

import copy
import inspect

import torch
from torch import Tensor, nn


def plain_copy(ann: nn.Module) -> nn.Module:
    """A copy on the CPU, in float32 and evaluation mode, out of the wrappers that do not change what it computes.

    Raises: ValueError for what cannot be copied or looked into, by name.
    """
    if not isinstance(ann, nn.Module):
        raise ValueError(f"ann is {type(ann).__name__}, but it must be a network, an nn.Module")
    ann = unwrapped(ann)
    for name, module in ann.named_modules():
        if problem := _problem(module):
            raise ValueError(f"layer {name!r} {problem}" if name else f"the network {problem}")
    memo = {  # of a pruned or normalised layer the weight is a result, which PyTorch refuses to copy
        id(value): value.detach().clone()
        for module in ann.modules()
        for value in vars(module).values()
        if isinstance(value, Tensor) and not value.is_leaf
    }
    copied: nn.Module = copy.deepcopy(ann, memo)
    for module in list(copied.modules()):
        module._compiled_call_impl = None  # what nn.Module.compile leaves
        for name, child in list(module.named_children()):
            module._modules[name] = unwrapped(child)
    return copied.cpu().float().eval().requires_grad_(False)


def unwrapped(ann: nn.Module) -> nn.Module:
    """The network in a wrapper that computes what it computes."""
    parallel = (nn.DataParallel, nn.parallel.DistributedDataParallel, torch.optim.swa_utils.AveragedModel)
    while True:
        if isinstance(ann, parallel):
            ann = ann.module
        elif isinstance(inner := getattr(ann, "_orig_mod", None), nn.Module):  # what torch.compile makes
            ann = inner
        else:
            return ann


def _problem(module: nn.Module) -> str:
    """Why a module's own weights cannot be taken over; nothing if they can."""
    if isinstance(module, torch.jit.ScriptModule):
        return "is a ScriptModule, which cannot be looked into: convert the network it was made of"
    for name, value in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)):
        if nn.parameter.is_lazy(value):
            return f"is {type(module).__name__}, whose weights are not there yet: run the network once"
        if value.is_meta:
            return f"has {name!r} on the meta device, without values: load the weights"
        if value.is_complex() or value.layout != torch.strided:
            return f"has {name!r} as {value.dtype}, {value.layout}, but weights are plain real numbers"
        if not bool(value.isfinite().all()):
            return f"has {name!r} with NaN or infinite values: train it again, at a smaller learning rate"
    return ""


def check_inputs(model: nn.Module) -> None:
    """Raises: ValueError if the forward needs more than the images."""
    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):
        return
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in several]
    if len(needed) > 1:
        raise ValueError(
            f"the network's forward reads {len(needed)} inputs ({', '.join(needed)}), but it must read one, the "
            "images; wrap the network in a module that fixes the others"
        )
