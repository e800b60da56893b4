"""What is exchanged in a trained network, its weights kept: activations, max pools, and batch norms, by folding."""

import copy
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from snnlab.activations import LearnedRange
from snnlab.converters.graph import Graph, Max, Node, fold_bn, record, trace
from snnlab.datasets.given import Given, images_of
from snnlab.neurons.door import check, door

Activation = Callable[[], nn.Module]

MOST_VALUES = 2**22
"""Values that a percentile looks at, at each site: all of them up to here, beyond it a sample."""


@door
def swap_activations(
    ann: nn.Module, factory: Activation, split: Given | None = None, percentile: float = 99.9
) -> nn.Module:
    """A copy of the network with other activations, each made by `factory`; the weights are kept.

    Learned thresholds start, each at its own site, at a percentile of the activations that the old network has for
    the images of `split`, zeros included; without images they go on from the threshold that the old activation
    had learned, or where it had none, from the factory's own.

    Args:
        factory: called once for each activation module; one that the forward uses twice stays one.
        split: training images, or None; without, activations that are function calls are not noticed.
        percentile: percent, 0 < percentile <= 100.
    Raises: ValueError for activations that are function calls, by name, or a percentile out of range.
    """
    if not 0 < percentile <= 100:
        raise ValueError(f"percentile = {percentile}, but it lies in (0, 100]")
    kinds = (nn.ReLU, nn.ReLU6, LearnedRange, type(check("factory()", factory(), nn.Module)))
    images = None if split is None else images_of(split, "split")
    if images is not None:
        _refuse_calls(trace(ann, images[:2], kinds))
    swapped = copy.deepcopy(ann)
    old = {name: module for name, module in swapped.named_modules() if isinstance(module, kinds)}
    starts = _percentiles(swapped, old, images, percentile) if images is not None else _learned(old)
    like = next(swapped.parameters(), torch.empty(0))
    new = {
        id(module): _started(check("factory()", factory(), nn.Module).to(like), starts.get(name))
        for name, module in old.items()
    }
    for name, module in list(swapped.named_modules(remove_duplicate=False)):
        if id(module) in new:
            _put(swapped, name, new[id(module)].train(module.training))
    return swapped


@door
def average_pools(ann: nn.Module, images: Given) -> nn.Module:
    """A copy of the network with an average pool in place of each max pool that spikes would reach.

    A pool that `convert` carries exactly, before the first neurons or moved there, stays. The weights have not seen
    averages: fine-tune the copy (`training.fit`, a few epochs at a small lr), then convert it.

    Args:
        ann: its max pools are modules; one that the forward uses twice is exchanged at both places if at either.
        images: some of those it was trained for, whatever `images_of` reads; only their shape counts.
    Raises: ValueError for max pools that are function calls, or that no average pool equals in shape, by name.
    """
    graph, averaged = record(ann, images_of(images, "images")), copy.deepcopy(ann)
    for node in graph.nodes:
        if node.fate or not _is_max_pool(node):
            continue
        if not node.was:
            raise ValueError(
                f"{node.said} is a function call, which cannot be exchanged: use a module, "
                "self.pool = nn.AvgPool2d(...), and retrain"
            )
        _put(averaged, node.scope, _averaging(ann.get_submodule(node.scope), node.said))
    return averaged


def _is_max_pool(node: Node) -> bool:
    return isinstance(node.kind, Max) or "max_pool" in node.call


def _averaging(pool: nn.Module, described: str) -> nn.Module:
    """The average pool over the windows of a max pool."""
    average = getattr(nn, type(pool).__name__.replace("Max", "Avg"))
    if hasattr(pool, "output_size"):
        return average(pool.output_size)
    if pool.dilation not in (1, (1,), (1, 1), (1, 1, 1)):
        raise ValueError(f"{described}: no average pool is dilated; use one without dilation and retrain")
    return average(pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode)


@door
def fold_batch_norms(ann: nn.Module, images: Given) -> nn.Module:
    """A copy in evaluation mode whose batch norms are folded into the layers before them; identities stand in.

    Unlike `trace`, it keeps the network's own class and forward.

    Args:
        images: some of those it was trained for, whatever `images_of` reads; only their shape counts.
    """
    graph, folded = trace(ann, images_of(images, "images")), copy.deepcopy(ann).eval()
    for layer, norm in ((node.name, node.folded[0]) for node in graph.nodes if node.folded):
        if "#" in layer + norm:
            raise ValueError(
                f"{layer!r} and {norm!r} are later uses of a layer and a batch norm, which cannot be folded for each "
                "use; give each use layers of its own"
            )
        if isinstance(own := dict(folded.named_modules()).get(norm), nn.modules.batchnorm._BatchNorm):
            _put(folded, layer, fold_bn(folded.get_submodule(layer), own))
            _put(folded, norm, nn.Identity())
    return folded.eval()


def _refuse_calls(graph: Graph) -> None:
    calls = [node.name for node in graph.nodes if node.site and not node.was]
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
    ann: nn.Module, old: dict[str, nn.Module], images: Tensor, percentile: float
) -> dict[str, float]:
    """What lies below the given percentile of each activation's outputs; its largest value where that is zero."""
    seen: dict[str, list[np.ndarray]] = {name: [] for name in old}
    draw = np.random.default_rng(0)
    parts = -(-len(images) // 256)

    def note(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def hook(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
            values, most = output.detach().float().cpu().numpy().ravel(), MOST_VALUES // parts
            seen[name].append(values if values.size <= most else draw.choice(values, most))

        return hook

    handles = [module.register_forward_hook(note(name)) for name, module in old.items()]
    modes = [(module, module.training) for module in ann.modules()]
    ann.eval()
    for part in _parts(ann, images):
        ann(part)
    for module, mode in modes:
        module.training = mode
    for handle in handles:
        handle.remove()
    values = {name: np.concatenate(kept) for name, kept in seen.items() if kept}
    return {name: float(np.percentile(v, percentile)) or float(v.max()) for name, v in values.items()}


def _parts(ann: nn.Module, images: Tensor) -> Iterator[Tensor]:
    like = next(ann.parameters(), images)
    return (images[k : k + 256].to(like) for k in range(0, len(images), 256))
