"""Train a network, measure it, keep it. Same seed, same bits on the same machine; nothing is ever unpickled."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from snnlab.activations import QuantClip
from snnlab.datasets import Split


def fit(
    ann: nn.Module, split: Split, epochs: int = 12, seed: int = 0, batch: int = 64, lr: float = 0.1
) -> nn.Module:
    """Train in place by SGD with momentum 0.9 and a cosine schedule on the cross-entropy; returns ann, in eval mode.

    Interrupted (Ctrl-C), the network keeps the steps done so far and is left in evaluation mode.

    Args:
        split: training images; nothing else is looked at.
        epochs: passes over them, >= 1. seed: of order and dropout. batch: images a step. lr: at the start, > 0.
    Raises: ValueError for a setting out of range.
    """
    for name, value in (("epochs", epochs), ("batch", batch), ("lr", lr)):
        if not value > 0:
            raise ValueError(f"{name} = {value}, but it must be greater than 0")
    optimizer = torch.optim.SGD(_groups(ann), lr=lr, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * -(-len(split) // batch))
    bar = tqdm(total=epochs * len(split), desc="training", unit="image", leave=False, delay=1.0)
    order = torch.Generator().manual_seed(seed)
    with bar, _training(ann, seed):
        for epoch in range(1, epochs + 1):
            right = 0
            for part in torch.randperm(len(split), generator=order).split(batch):
                right += _step(ann, split[part], optimizer)
                schedule.step()
                bar.update(len(part))
            bar.set_postfix(epoch=f"{epoch}/{epochs}", accuracy=f"{right / len(split):.3f}")
    return ann


def _groups(ann: nn.Module) -> list[dict[str, object]]:
    """Weights decay; learned thresholds do not, nor do batch norms and biases."""
    thresholds = {id(m.threshold) for m in ann.modules() if isinstance(m, QuantClip)}
    decayed = [p for p in ann.parameters() if p.ndim > 1 and id(p) not in thresholds]
    others = [p for p in ann.parameters() if p.ndim <= 1 or id(p) in thresholds]
    return [{"params": decayed, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0.0}]


def _step(ann: nn.Module, part: Split, optimizer: torch.optim.Optimizer) -> int:
    logits = ann(part.images)
    optimizer.zero_grad()
    F.cross_entropy(logits, part.labels).backward()
    optimizer.step()
    return int((logits.argmax(1) == part.labels).sum())


@contextlib.contextmanager
def _training(ann: nn.Module, seed: int) -> Iterator[None]:
    """Train mode and a random state of its own inside; evaluation mode and the old random state after."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ann.train()
        try:
            yield
        finally:
            ann.eval()


@torch.inference_mode()
def accuracy(ann: nn.Module, split: Split) -> float:
    """The share of images classified correctly in evaluation mode, 0 to 1."""
    mode = ann.training
    ann.eval()
    right = sum(
        int((ann(x).argmax(1) == y).sum())
        for x, y in zip(split.images.split(256), split.labels.split(256), strict=True)
    )
    ann.train(mode)
    return right / len(split)


def save(ann: nn.Module, path: str | Path, **about: object) -> None:
    """Write the weights as safetensors, whole or not at all; `about` is kept beside them as text."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        state = {name: value.contiguous() for name, value in ann.state_dict().items()}
        save_file(state, scratch, {key: str(value) for key, value in about.items()})
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def load(ann: nn.Module, path: str | Path) -> dict[str, str]:
    """Read weights written by `save` into ann, all of them or none; returns what was said about them.

    Raises: FileNotFoundError; ValueError for a file that is damaged, not safetensors, or of another network.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}; train the network, or name another file")
    try:
        with safe_open(path, framework="pt") as file:
            about, state = file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path} is not a whole safetensors file ({error}): it is damaged or of another kind; pickled "
            "checkpoints (.pt, .pth) are never opened. Train or fetch it again"
        ) from None
    _check_state(ann.state_dict(), state, path)
    ann.load_state_dict(state)
    return about


def _check_state(own: dict[str, Tensor], state: dict[str, Tensor], path: Path) -> None:
    for name in sorted(own.keys() ^ state.keys()):
        where = "the checkpoint" if name in own else "the network"
        raise ValueError(f"{path} is of another network: {name!r} is missing in {where}")
    for name, value in state.items():
        if value.shape != own[name].shape:
            raise ValueError(
                f"{path} is of another network: {name!r} has shape {list(value.shape)} there, "
                f"{list(own[name].shape)} here"
            )
