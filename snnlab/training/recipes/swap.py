"""What is exchanged in a trained network, its weights kept: activations, max pools, and batch norms, by folding."""

import copy
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from snnlab.activations import LearnedRange
from snnlab.converters.graph import ACTIVATIONS, read, trace
from snnlab.converters.graph.layers import describe, is_max_pool
from snnlab.datasets import Split

Activation = Callable[[], nn.Module]

MOST_VALUES = 2**22
"""Values that a percentile looks at, at each site: all of them up to here, beyond it a sample."""


def swap_activations(
    ann: nn.Module, factory: Activation, split: Split | None = None, percentile: float = 99.9
) -> nn.Module:
    """A copy of the network with other activations, each made by `factory`; the weights are kept.

    Learned thresholds start, each at its own site, at a percentile of the activations that the old network has for
    the images of `split`, zeros included; without images they go on from the threshold that the old activation
    had learned, or where it had none, from the factory's own.

    Args:
        factory: called once for each activation module; one that the forward uses twice stays one.
        split: training images, or None.
        percentile: percent, 0 < percentile <= 100.
    Raises: ValueError for activations that are function calls, by name, or a percentile out of range.
    """
    if not 0 < percentile <= 100:
        raise ValueError(f"percentile = {percentile}, but it lies in (0, 100]")
    kinds = (*ACTIVATIONS, type(factory()))
    _refuse_calls(ann, kinds)
    swapped = copy.deepcopy(ann)
    old = {name: module for name, module in swapped.named_modules() if isinstance(module, kinds)}
    starts = _percentiles(swapped, old, split, percentile) if split is not None else _learned(old)
    like = next(swapped.parameters(), torch.empty(0))
    new = {id(module): _started(factory().to(like), starts.get(name)) for name, module in old.items()}
    for name, module in list(swapped.named_modules(remove_duplicate=False)):
        if id(module) in new:
            _put(swapped, name, new[id(module)].train(module.training))
    return swapped


def average_pools(ann: nn.Module) -> nn.Module:
    """A copy of the network with an average pool in place of each max pool that spikes would reach.

    A pool that `convert` carries exactly, before the first neurons or moved there, stays. The weights have not seen
    averages: fine-tune the copy (`training.fit`, a few epochs at a small lr), then convert it.

    Args:
        ann: its max pools are modules; one that the forward uses twice is exchanged at both places if at either.
    Raises: ValueError for max pools that are function calls, or that no average pool equals in shape, by name.
    """
    graph, modules = read(ann)
    averaged = copy.deepcopy(ann)
    for node in graph.nodes:
        if "fate" in node.meta or not is_max_pool(node, modules.get(str(node.target))):
            continue
        if node.op != "call_module":
            raise ValueError(
                f"{describe(node, modules)} is a function call, which cannot be exchanged: use a module, "
                "self.pool = nn.AvgPool2d(...), and retrain"
            )
        name = str(node.target).split("#", maxsplit=1)[0]
        _put(averaged, name, _averaging(modules[str(node.target)], describe(node, modules)))
    return averaged


def _averaging(pool: nn.Module, described: str) -> nn.Module:
    """The average pool over the windows of a max pool."""
    average = getattr(nn, type(pool).__name__.replace("Max", "Avg"))
    if hasattr(pool, "output_size"):
        return average(pool.output_size)
    if pool.dilation not in (1, (1,), (1, 1), (1, 1, 1)):
        raise ValueError(f"{described}: no average pool is dilated; use one without dilation and retrain")
    return average(pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode)


def fold_batch_norms(ann: nn.Module) -> nn.Module:
    """A copy in evaluation mode whose batch norms are folded into the layers before them; identities stand in.

    Unlike `trace`, it keeps the network's own class and forward.
    """
    graph, folded = trace(ann), copy.deepcopy(ann).eval()
    for node in graph.graph.nodes:
        if (norm := node.meta.get("folded")) is None:
            continue
        if "#" in (layer := str(node.target)) + norm:
            raise ValueError(
                f"{layer!r} and {norm!r} are later uses of a layer and a batch norm, which cannot be folded for each "
                "use; give each use layers of its own"
            )
        _put(folded, layer, copy.deepcopy(graph.module(node)))
        _put(folded, norm, nn.Identity())
    return folded.eval()


def _refuse_calls(ann: nn.Module, kinds: tuple[type[nn.Module], ...]) -> None:
    graph = trace(ann, kinds)
    calls = [str(node.target) for node in graph.graph.nodes if node.meta.get("call")]
    if calls:
        raise ValueError(
            f"activations {', '.join(map(repr, calls))} are function calls (as F.relu is), which cannot learn a "
            "threshold: use a module, self.act = nn.ReLU(), one for each use"
        )


def _put(ann: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, leaf = name.rpartition(".")
    ann.get_submodule(parent).add_module(leaf, module)


def _started(module: nn.Module, threshold: float | None) -> nn.Module:
    if threshold is not None and isinstance(module, LearnedRange):
        module.start_at(threshold)
    return module


def _learned(old: dict[str, nn.Module]) -> dict[str, float]:
    return {name: module.theta.item() for name, module in old.items() if isinstance(module, LearnedRange)}


@torch.inference_mode()
def _percentiles(
    ann: nn.Module, old: dict[str, nn.Module], split: Split, percentile: float
) -> dict[str, float]:
    """What lies below the given percentile of each activation's outputs; its largest value where that is zero."""
    seen: dict[str, list[np.ndarray]] = {name: [] for name in old}
    draw = np.random.default_rng(0)
    parts = -(-len(split) // 256)

    def note(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def hook(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
            values, most = output.detach().float().cpu().numpy().ravel(), MOST_VALUES // parts
            seen[name].append(values if values.size <= most else draw.choice(values, most))

        return hook

    handles = [module.register_forward_hook(note(name)) for name, module in old.items()]
    modes = [(module, module.training) for module in ann.modules()]
    ann.eval()
    for part in _parts(ann, split):
        ann(part)
    for module, mode in modes:
        module.training = mode
    for handle in handles:
        handle.remove()
    values = {name: np.concatenate(kept) for name, kept in seen.items() if kept}
    return {name: float(np.percentile(v, percentile)) or float(v.max()) for name, v in values.items()}


def _parts(ann: nn.Module, split: Split) -> Iterator[Tensor]:
    like = next(ann.parameters(), split.images)
    return (split.images[k : k + 256].to(like) for k in range(0, len(split), 256))
