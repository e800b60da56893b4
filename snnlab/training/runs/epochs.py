"""run: a training of hours. After every epoch all that it needs to go on is written; the file goes when it is done.

Order and augmentation of an epoch depend on seed and epoch alone and the learning rate on the step, so weights and
momentum are all there is to keep.
"""

import contextlib
import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from snnlab import files, training
from snnlab.activations import LearnedRange
from snnlab.converters.choices.optimizers import SGD
from snnlab.datasets import Data, Split
from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.progress import progress_bar
from snnlab.training.recipes import swap_activations
from snnlab.training.runs import files as kept
from snnlab.training.runs.augmentation import augment
from snnlab.training.runs.settings import Settings

CLIP_AT = 99.9
"""Percentile of the activations at which thresholds start when a trained network goes on, percent."""


@door
def run(
    settings: Settings,
    data: Data,
    out: str | Path,
    *,
    start: str | Path | None = None,
    fresh: bool = False,
    force: bool = False,
) -> kept.Trained:
    """Train, or go on where an earlier call was stopped; writes `out` when done, and `out` + ".going" until then.

    Only training images are looked at; the test images are classified once, at the end.

    Args:
        data: the images of settings.data.
        out: checkpoint to write; see `place_for`.
        start: checkpoint to start from, whose activations are swapped for those of the settings.
        fresh: begin anew, whatever an earlier call has left.
        force: replace whatever file `out` is.
    Raises: ValueError if `out` cannot be written or replaced, or if what an earlier call has left is damaged, or was
        trained with other settings; ValueError or FileNotFoundError for `start`; OSError, with what is kept and where,
        if the disk fails during the training. KeyboardInterrupt goes on, and says what is kept.
    """
    out = place_for(settings, out, force=force)
    going = out.with_name(out.name + ".going")
    ann = _beginning(settings, data, start).to(_device()).to(memory_format=torch.channels_last)
    with training.decayed_thresholds(ann, settings.threshold_decay):
        optimizer = SGD(
            training.parameter_groups(ann, settings.norm_decay), lr=settings.lr, momentum=0.9, nesterov=True
        )
        done = _resume(ann, optimizer, settings, going) if going.is_file() and not fresh else 0
        _train(ann, optimizer, settings, data.train, done, going)
    accuracy = training.accuracy(ann, data.test)
    about = {"settings": settings.text(), "accuracy": f"{accuracy:.4f}", "torch": torch.__version__}
    with _written(out, f"all {settings.epochs} epochs are kept in {going}"):
        training.save(ann, out, **about)
    going.unlink(missing_ok=True)
    return kept.load(out)


@door
def place_for(settings: Settings, out: str | Path, *, force: bool = False) -> Path:
    """Where a training will write its checkpoint, found out before any work; nothing is left there.

    Args:
        settings: of the training. out: the file.
        force: replace whatever file is there.
    Raises: ValueError if nothing can be written there, if there is no room for the network and twice that for what it
        needs to go on, or if a file is there that is no checkpoint of the same settings, unless forced.
    """
    path = files.probe(out, 3 * kept.size(settings))
    if path.exists() and not force:
        try:
            there = kept.described(path)[0]
        except (ValueError, OSError):
            there = None
        if there != settings:
            kind = (
                "no checkpoint"
                if there is None
                else f"a checkpoint of other settings ({_other(there, settings)})"
            )
            raise ValueError(
                f"--out is {files.short(str(out))}, which is {kind}: name another file, or replace it with --force"
            )
    return path


def _other(there: Settings, settings: Settings) -> str:
    """In what two settings differ."""
    return "; ".join(
        f"{name} = {getattr(there, name)!r}, now {getattr(settings, name)!r}"
        for name in Settings.__dataclass_fields__
        if getattr(there, name) != getattr(settings, name)
    )


@contextlib.contextmanager
def _written(path: Path, left: str) -> Iterator[None]:
    """A file that cannot be written is one line, with what is kept."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise OSError(
            f"{path} cannot be written ({reason}); {left}; mend it, and the same command goes on"
        ) from None


def bf16_pays() -> bool:
    """Whether this machine computes in bfloat16 faster than in float32: GPUs, and CPUs with the instructions for it."""
    cpu = torch.backends.cpu.get_cpu_capability()
    return torch.cuda.is_available() or cpu in ("AVX512", "AMX")


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _beginning(settings: Settings, data: Data, start: str | Path | None) -> nn.Module:
    if start is None:
        return settings.build()
    before = kept.load(start)
    if (before.settings.network, before.settings.data) != (settings.network, settings.data):
        raise ValueError(
            f"{start} is a {before.settings.network} for {before.settings.data}, but this training is of "
            f"{settings.network} for {settings.data}"
        )
    if before.settings.activation == settings.activation == "relu":
        return before.ann
    ann = swap_activations(before.ann, settings.factory(), data.calibration, CLIP_AT)
    if settings.threshold is not None:
        for module in ann.modules():
            if isinstance(module, LearnedRange):
                module.start_at(settings.threshold)
    return ann


def _train(
    ann: nn.Module, optimizer: torch.optim.Optimizer, settings: Settings, split: Split, done: int, going: Path
) -> None:
    steps = -(-len(split) // settings.batch)
    whole = settings.epochs * len(split)
    bar = progress_bar(total=whole, initial=done * len(split), unit=said("image"), smoothing=0.05, leave=True)
    with bar:
        for epoch in range(done, settings.epochs):
            bar.set_description(said("epoch {k}/{epochs}").format(k=epoch + 1, epochs=settings.epochs))
            right, began = 0, time.perf_counter()
            with _told(going, epoch), training.in_training(ann, _seed(settings, epoch)):
                generator = torch.Generator().manual_seed(_seed(settings, epoch))
                order = torch.randperm(len(split), generator=generator).tensor_split(steps)
                for step, part in enumerate(order, start=epoch * steps):
                    _set_lr(optimizer, settings.lr, step / (settings.epochs * steps))
                    images = augment(split.images[part], settings.augment, generator)
                    images = images.contiguous(memory_format=torch.channels_last)
                    with _autocast(settings.bf16):
                        images_and_labels = Split(images, split.labels[part])
                        right += training.step(ann, images_and_labels, optimizer, settings.smoothing)
                    bar.update(len(part))
                _keep(ann, optimizer, settings, going, epoch + 1)
            share, seconds = f"{right / len(split):.1%}", f"{time.perf_counter() - began:.0f}"
            ended = said("accuracy {share}, {seconds} s an epoch")
            bar.set_postfix_str(ended.format(share=share, seconds=seconds))


def _seed(settings: Settings, epoch: int) -> int:
    return 1_000_003 * settings.seed + epoch


def _set_lr(optimizer: torch.optim.Optimizer, lr: float, share: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = lr * 0.5 * (1 + math.cos(math.pi * share))


@contextlib.contextmanager
def _autocast(bf16: bool) -> Iterator[None]:
    """For one step: autocast keeps the rounded weights until it ends, and would never see those that were learned."""
    with torch.autocast(_device(), dtype=torch.bfloat16, enabled=bf16):
        yield


@contextlib.contextmanager
def _told(going: Path, epoch: int) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        kept = f"{epoch} whole epochs are kept in {going}" if epoch else "no epoch was whole yet"
        raise KeyboardInterrupt(f"stopped; {kept}; the same command goes on") from None


def _keep(
    ann: nn.Module, optimizer: torch.optim.Optimizer, settings: Settings, going: Path, epoch: int
) -> None:
    """Weights and momentum, whole or not at all."""
    holder = _Holder(ann, _momentum(ann, optimizer))
    with _written(going, f"{epoch - 1} whole epochs are kept there" if epoch > 1 else "nothing is kept yet"):
        training.save(holder, going, settings=settings.text(), epoch=epoch)


class _Holder(nn.Module):
    """The network, and beside it the momentum of each of its parameters."""

    def __init__(self, ann: nn.Module, momentum: dict[str, Tensor]) -> None:
        super().__init__()
        self.ann = ann
        self.momentum = nn.ParameterDict(
            {name.replace(".", "/"): nn.Parameter(value, False) for name, value in momentum.items()}
        )


def _momentum(ann: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """By parameter; zeros where there was no step yet."""
    return {
        name: optimizer.state[parameter].get("momentum_buffer", torch.zeros_like(parameter)).detach()
        for name, parameter in ann.named_parameters()
    }


def _resume(ann: nn.Module, optimizer: torch.optim.Optimizer, settings: Settings, going: Path) -> int:
    """Put weights and momentum back; the number of whole epochs."""
    advice = "begin anew with --fresh, or name another file with --out"
    try:
        there, about = kept.described(going)
    except ValueError as error:
        raise ValueError(f"{error}: {advice}") from None
    if there != settings:
        raise ValueError(
            f"{going} was begun with {_other(there, settings)}: give the same settings, {advice}"
        )
    epoch = about.get("epoch", "")
    if not (epoch.isdecimal() and 1 <= int(epoch[:9]) <= settings.epochs):
        raise ValueError(
            f"{going} says epoch = {files.short(epoch)}, but it is one of 1 to {settings.epochs}: {advice}"
        )
    holder = _Holder(ann, {name: torch.zeros_like(value) for name, value in ann.named_parameters()})
    training.load(holder, going)
    for name, parameter in ann.named_parameters():
        optimizer.state[parameter]["momentum_buffer"] = holder.momentum[name.replace(".", "/")].data
    return int(epoch)
