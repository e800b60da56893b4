"""Train a network, measure it, keep it. On a CPU the same seed gives the same bits; nothing is ever unpickled.

References:
  1) Label smoothing: Szegedy et al. 2016, CVPR, section 7
"""

import contextlib
import copy
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab import files
from snnlab.activations import LearnedRange
from snnlab.converters.choices.optimizers import SGD
from snnlab.converters.graph import unwrapped
from snnlab.converters.threads import threads_for
from snnlab.datasets import Split
from snnlab.datasets.given import Given, split_of
from snnlab.files.language import said
from snnlab.files.tensors import TensorFile, describe, pack
from snnlab.neurons.door import LARGEST_INT, door, shown
from snnlab.neurons.settings import whole
from snnlab.progress import progress_bar

MOST_LR = 1e6
Named = Annotated[Tensor, "by its shape and type alone, so it may be without values"]
SMOOTHING = 0.1  # of labels: no logit need grow without end; held-out digits gain half a point
WEIGHT_DECAY = 5e-4  # of weights; a decayed threshold would clip more and more


@door
def fit(
    ann: nn.Module, split: Given, epochs: int = 12, seed: int = 0, batch: int = 32, lr: float = 0.05
) -> nn.Module:
    """Train in place and return ann, in eval mode: SGD with momentum 0.9, a cosine schedule, smoothed cross-entropy.

    The network has a logit for each of K classes, [N, K], or one for two classes, [N, 1] or [N]: above 0 is class 1.
    Interrupted (Ctrl-C), the network is left as it was after the last whole epoch, in eval mode, and the
    KeyboardInterrupt that goes on says which one that was.

    Args:
        split: training images with labels, all that `split_of` takes (given.py); nothing else is looked at. A
            DataLoader or Dataset is read once, whole, so each epoch sees the same images.
        epochs: passes over them, >= 1.
        seed: of the images' order and of dropout; the global random state stays as it was.
        batch: images a step, at most; >= 2.
        lr: learning rate at the start, > 0.
    Raises: ValueError for a setting out of range, for images, labels and outputs that do not fit, each before the
        training; or when the loss leaves the finite numbers.
    """
    epochs, batch = whole(epochs, "epochs", most=10**6), whole(batch, "batch", 2)
    seed = whole(seed, "seed", 0, LARGEST_INT)
    if not 0 < lr <= MOST_LR:
        raise ValueError(f"lr = {lr:g}, but it must be a number greater than 0, {MOST_LR:g} at most")
    split = _fitting(ann, split)
    if not any(weight.requires_grad for weight in ann.parameters()):
        raise ValueError(
            "ann has no weights to train; a spiking network is trained as the ANN that it was made of"
        )
    whole(len(split), "images in split", 2)
    steps = -(-len(split) // batch)
    optimizer = SGD(parameter_groups(ann), lr=lr, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
    order = torch.Generator().manual_seed(seed)
    bar = progress_bar(total=epochs * len(split), desc=said("training"), unit=said("image"))
    with bar, threads_for(batch * split.images[0].numel()), in_training(ann, seed):
        for epoch in range(1, epochs + 1):
            right = 0
            with _whole(ann, epoch, epochs):
                for part in torch.randperm(len(split), generator=order).tensor_split(steps):
                    right += step(ann, split[part], optimizer)
                    schedule.step()
                    bar.update(len(part))
            share = f"{100 * right / len(split):.1f} %"
            bar.set_postfix({said("accuracy"): share, said("epoch"): f"{epoch}/{epochs}"}, refresh=False)
    return ann


@door
def parameter_groups(ann: nn.Module, norm_decay: float = 0.0) -> list[dict[str, object]]:
    """Weights decay by WEIGHT_DECAY, batch norms and biases by norm_decay, learned thresholds not at all."""
    thresholds = {id(m.threshold) for m in ann.modules() if isinstance(m, LearnedRange)}
    weights = [p for p in ann.parameters() if p.ndim > 1 and id(p) not in thresholds]
    norms = [p for p in ann.parameters() if p.ndim <= 1 and id(p) not in thresholds]
    ranges = [p for p in ann.parameters() if id(p) in thresholds]
    decays = ((weights, WEIGHT_DECAY), (norms, norm_decay), (ranges, 0.0))
    return [{"params": group, "weight_decay": decay} for group, decay in decays if group]


def step(ann: nn.Module, part: Split, optimizer: torch.optim.Optimizer, smoothing: float = SMOOTHING) -> int:
    """One step of the optimiser; the number of images that were classified correctly before it.

    Args:
        part: the images of this step and their labels.
        optimizer: of the network's own parameters.
        smoothing: of the labels, a share from 0 to 1.
    """
    part = _beside(ann, part)
    logits = ann(part.images)
    loss = _loss(logits, part.labels, smoothing)
    if not bool(loss.isfinite()):
        lr = optimizer.param_groups[0]["lr"]
        raise ValueError(
            f"the loss became {loss.item()} at a learning rate of {lr:.3g}: train with a smaller lr"
        )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return int((_predicted(logits) == part.labels).sum())


def _loss(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Smoothed cross-entropy; of one logit the same, with the other class's logit at 0."""
    if not _is_single(logits):
        return F.cross_entropy(logits, labels, label_smoothing=smoothing)
    targets = (labels.to(logits.dtype) * (1 - smoothing) + smoothing / 2).reshape(logits.shape)
    return F.binary_cross_entropy_with_logits(logits, targets)


def _predicted(logits: Tensor) -> Tensor:
    """Classes [N] of logits [N, K], or of one logit, [N, 1] or [N]."""
    return (logits.flatten() > 0).long() if _is_single(logits) else logits.argmax(1)


def _is_single(logits: Tensor) -> bool:
    return logits.ndim == 1 or logits.shape[1] == 1


def _fitting(ann: nn.Module, given: Given) -> Split:
    """Images with labels that ann can be trained on and judged by. Raises: ValueError for any others."""
    split = split_of(given, "split", limit=None)
    if isinstance(given, Split):  # where it is
        split = Split(given.images, split.labels)
    classes = _classes(ann, split[:1])
    if bool((wrong := (split.labels < 0) | (split.labels >= classes)).any()):
        raise ValueError(
            f"labels of split hold {int(split.labels[wrong][0])}, but the network tells {classes} classes apart, so "
            f"they must be whole numbers from 0 to {classes - 1}: renumber them, or give the network more outputs"
        )
    return split


@torch.no_grad()
def _classes(ann: nn.Module, one: Split) -> int:
    """How many classes the network tells apart, by its output for an image; 2 if that is one logit."""
    _check_values(ann)
    image = _beside(ann, one).images
    with in_evaluation(ann), torch.random.fork_rng(devices=[]):
        try:
            logits = ann(torch.cat([image, image]))
        except (RuntimeError, TypeError, NotImplementedError) as error:
            raise ValueError(
                f"the network's forward fails on images [N, {', '.join(map(str, image.shape[1:]))}] "
                f"({str(error).partition(chr(10))[0][:200]}): hand in such as it was made for"
            ) from None
    shape = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if not isinstance(logits, Tensor) or logits.ndim not in (1, 2) or len(logits) != 2 or not logits.numel():
        raise ValueError(
            f"the network's output for 2 images is {shape}, but fit trains classifiers: a logit for each of K "
            "classes, [2, K], or one for two classes, [2, 1] or [2]; end the network with, e.g., nn.Flatten() and "
            "nn.Linear(..., K)"
        )
    if not bool(logits.isfinite().all()):
        raise ValueError("the network gives NaN or infinite values for an image: look at its weights")
    return 2 if _is_single(logits) else logits.shape[1]


def _check_values(ann: nn.Module) -> None:
    if any(weight.is_meta for weight in ann.parameters()):
        raise ValueError("ann has weights without values, on the meta device: load them first")


def _beside(ann: nn.Module, part: Split) -> Split:
    """Images and labels on the network's device, images in its precision."""
    like = next((weight for weight in ann.parameters() if weight.is_floating_point()), part.images)
    return Split(part.images.to(like), part.labels.to(like.device))


@door
@contextlib.contextmanager
def in_training(ann: nn.Module, seed: int) -> Iterator[None]:
    """Train mode and a random state of its own inside; evaluation mode and the old random state after."""
    devices = {parameter.device.index for parameter in ann.parameters() if parameter.is_cuda}
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        ann.train()
        try:
            yield
        finally:
            ann.eval()


@contextlib.contextmanager
def _whole(ann: nn.Module, epoch: int, epochs: int) -> Iterator[None]:
    """An epoch, all of it or nothing: an interrupt puts the network back to where the epoch began."""
    before = copy.deepcopy(ann.state_dict())
    try:
        yield
    except KeyboardInterrupt:
        ann.load_state_dict(before)
        kept = f"after epoch {epoch - 1}" if epoch > 1 else "before the training"
        raise KeyboardInterrupt(
            f"training stopped in epoch {epoch} of {epochs}; the network is as it was {kept}"
        ) from None


@door
@contextlib.contextmanager
def decayed_thresholds(ann: nn.Module, decay: float) -> Iterator[None]:
    """Add decay * threshold to each threshold's gradient: the L2 decay that SGD would give it."""
    found = [m.threshold for m in ann.modules() if isinstance(m, LearnedRange) and m.threshold.requires_grad]
    thresholds = [threshold for threshold in found if threshold.is_leaf] if decay else []
    handles = [t.register_hook(lambda gradient, t=t: gradient + decay * t.detach()) for t in thresholds]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def in_evaluation(ann: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; after it each module's own mode comes back."""
    modes = [(module, module.training) for module in ann.modules()]
    ann.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@door
@torch.inference_mode()
def accuracy(ann: nn.Module, split: Given) -> float:
    """The share of images classified correctly in evaluation mode, 0 to 1; the mode it was in comes back.

    Args:
        split: images with labels; of one logit, [N, 1] or [N], above 0 is class 1.
    Raises: ValueError as `fit`, for images, labels and outputs that do not fit.
    """
    split = _fitting(ann, split)
    with in_evaluation(ann), threads_for(split.images[:256].numel()):
        parts = (_beside(ann, split[k : k + 256]) for k in range(0, len(split), 256))
        right = sum(int((_predicted(ann(part.images)) == part.labels).sum()) for part in parts)
    return right / len(split)


@door
def save(ann: nn.Module, path: str | Path, **about: object) -> None:
    """Write the weights as safetensors, whole or not at all; `about` is kept beside them as text.

    Of a network in a wrapper (DataParallel, torch.compile, AveragedModel) those of the network itself.
    """
    _check_values(ann)
    save_tensors(unwrapped(ann).state_dict(), path, **about)


@door
def save_tensors(tensors: Mapping[str, Tensor], path: str | Path, **about: object) -> None:
    """Write tensors by name as safetensors, whole or not at all; `about` is kept beside them as text."""
    files.write(path, pack(tensors, about))


@door
def load(ann: nn.Module, path: str | Path) -> dict[str, str]:
    """Read weights written by `save` into ann, all of them or none; returns what was said about them.

    Raises: FileNotFoundError; ValueError for a file that is damaged, not safetensors, or of another network.
    """
    ann = unwrapped(ann)
    about, state = load_tensors(path, ann.state_dict())
    ann.load_state_dict(state)
    return about


@door
def load_tensors(path: str | Path, own: Mapping[str, Named]) -> tuple[dict[str, str], dict[str, Tensor]]:
    """What was said about the tensors of a file, and they themselves: those of `own` by name, shape and type.

    Raises: as `load`.
    """
    try:
        file = TensorFile.open(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"there is no checkpoint {path}; train the network, or name another file"
        ) from None
    if unlike := [name for name, value in own.items() if not isinstance(value, Tensor) or value.is_nested]:
        raise ValueError(f"own[{shown(unlike[0])}] = {shown(own[unlike[0]])}, but it must be a tensor")
    names = _unwrapped(file.shapes, own)
    here = {name: describe(value) for name, value in own.items()}
    if wrong := list(
        _differences(here, {names[name]: shape for name, shape in file.shapes.items() if name in names})
    ):
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise ValueError(
            f"{file.path} is of another network: {'; '.join(wrong[:3])}{more}. Nothing was loaded"
        )
    return file.about, {names[name]: value for name, value in file.read().items() if name in names}


def _unwrapped(held: Collection[str], own: Collection[str]) -> dict[str, str]:
    """The names in a file, each with the network's own: without what a wrapper puts before all of them."""
    for prefix in ("module.", "_orig_mod."):
        wrapped = {*held} - {"n_averaged"}
        if wrapped and all(name.startswith(prefix) for name in wrapped) and not wrapped & {*own}:
            return {name: name.removeprefix(prefix) for name in wrapped}
    return {name: name for name in held}


def _differences(here: Mapping[str, str], there: Mapping[str, str]) -> Iterator[str]:
    """In what the tensors of a network and those of a file differ, by name."""
    for name in [*here, *sorted(there.keys() - here.keys())]:
        if name not in there or name not in here:
            yield f"{files.short(name)} is only in {'the network' if name in here else 'the file'}"
        elif here[name] != there[name]:
            yield f"{files.short(name)} is {there[name]} in the file, {here[name]} in the network"
