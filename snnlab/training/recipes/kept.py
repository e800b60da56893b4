"""prepare: a network trained as a recipe says, once; what is trained is kept and found again.

A result is a file of its own for every network, data set, seed and list of stages, so recipes that begin alike share
the beginning, and an interrupted recipe goes on after the last stage that was finished.
"""

import contextlib
import hashlib
import json
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from snnlab import files, training
from snnlab.converters.methods import Method
from snnlab.datasets import Data
from snnlab.files import place
from snnlab.files.language import said
from snnlab.neurons.door import check, door
from snnlab.progress import progress_bar
from snnlab.training.recipes.catalogue import find
from snnlab.training.recipes.stages import Recipe, Stage

VERSION = 1
"""Of the way to train: raised when the same settings lead to other weights than before."""


@door
def prepare(
    recipe: str | Recipe | Method,
    network: Callable[..., nn.Module],
    data: Data,
    *,
    T: int = 8,
    levels: int | None = None,
    seed: int = 0,
    epochs_scale: float = 1.0,
    cache: str | Path | None = None,
    retrain: bool = False,
    progress: bool = True,
) -> nn.Module:
    """The network trained as the recipe says, in evaluation mode; trained on first use, read from its file after.

    Only training images are looked at.

    Args:
        recipe: a name of RECIPES, a method that asks for one of them (or its name), or a Recipe.
        network: called with seed=...; gives the untrained network, with ReLU: networks.cnn, or
            partial(networks.resnet20, width=32).
        T: steps that the spiking network will run; matters only to recipes that depend on T.
        levels: of every activation that rounds, >= 1; None takes the recipe's own, or T where it says so.
        seed: of the first weights and of the order of the images.
        epochs_scale: multiplies every stage's epochs; a quarter for a first look.
        cache: folder of the results; None takes `trained/` beside the downloaded data (datasets.folder), and reads
            what lies in the checkout's, too.
        retrain: train again, whatever there is, and write over it.
        progress: show a progress bar over the stages; a training of over a second shows its own below it.
    Raises: ValueError for a setting out of range, a damaged file, which is trained again only if you say so, or, before
        any training, a folder that cannot be written.
    """
    stages = find(recipe).at(T, epochs_scale, levels).stages
    ann = check("network()", network(seed=seed), nn.Module).eval()
    folder = place(cache) if cache is not None else files.data_folder(part="trained")
    about = {"network": _named(network), "data": data.name, "seed": str(seed), "version": str(VERSION)}
    start = f"{_digest(*_bytes(ann))} {_digest(*_tensors(data))}"
    paths = [_path(folder, about, stages[: k + 1], start) for k in range(len(stages))]
    kept = paths if cache is not None else [files.kept(f"trained/{path.name}") for path in paths]
    found = max((k for k, path in enumerate(kept) if path.is_file() and not retrain), default=-1)
    if found < len(stages) - 1:
        files.probe(paths[-1], name="cache" if cache is not None else "the place that SNNLAB_DATA sets")
    with progress_bar(total=len(stages), unit=said("stage"), disable=not progress) as bar:
        for k, (stage, path) in enumerate(zip(stages, paths, strict=True)):
            bar.set_description(f"{about['network']}: {stage.name}", refresh=False)
            if k <= found:
                ann = stage.arrange(ann, data.train[:2])  # what it learned is read below
            if k == found:  # the stages before it need not be read
                ann = _read(ann, kept[k])
            elif k > found:
                with _told(stage, k, len(stages)):
                    ann = stage.run(ann, data.train, seed)
                settings = json.dumps([one.settings() for one in stages[: k + 1]])
                _keep(ann, path, {**about, "stages": settings, "torch": torch.__version__})
            bar.update()
    return ann


def _keep(ann: nn.Module, path: Path, about: dict[str, str]) -> None:
    """Write a network; one that cannot be kept any more, on a disk that is full by now, say, is not lost for this call.

    In a folder where nobody may replace another's files, somebody else may have been quicker with the same network.
    """
    try:
        training.save(ann, path, **about)
    except OSError as error:
        if not path.is_file():
            line = f"{path} could not be written ({error.strerror}): this network will be trained again"
            warnings.warn(line, stacklevel=3)


@contextlib.contextmanager
def _told(stage: Stage, k: int, stages: int) -> Iterator[None]:
    """An interrupt says what is kept: the stages before this one."""
    try:
        yield
    except KeyboardInterrupt:
        kept = "the stages before it are kept, so prepare goes on from there" if k else "nothing is kept yet"
        raise KeyboardInterrupt(
            f"training stopped in stage {stage.name!r}, {k + 1} of {stages}; {kept}"
        ) from None


def _read(ann: nn.Module, path: Path) -> nn.Module:
    try:
        training.load(ann, path)
    except ValueError as error:
        raise ValueError(
            f"{error}. To train this network again call prepare(..., retrain=True), or remove the file"
        ) from None
    return ann.eval()


def _path(folder: Path, about: dict[str, str], stages: tuple[Stage, ...], start: str) -> Path:
    """A readable name, and twelve digits of all that the weights depend on."""
    constants = {"smoothing": training.SMOOTHING, "weight_decay": training.WEIGHT_DECAY}
    key = json.dumps([about, constants, start, [stage.settings() for stage in stages]], sort_keys=True)
    names = "+".join(stage.name for stage in stages)
    title = f"{about['network']}-{about['data']}-{names}-seed{about['seed']}"
    return folder / f"{title}-{_digest(key.encode())}.safetensors"


def _named(network: Callable[..., nn.Module]) -> str:
    while isinstance(network, partial):
        network = network.func
    name = getattr(network, "__name__", type(network).__name__)
    return "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in name)


def _bytes(ann: nn.Module) -> list[bytes | memoryview]:
    """What tells one untrained network from another: its layers, and its first weights."""
    return [repr(ann).encode(), *(_raw(value) for value in ann.state_dict().values())]


def _tensors(data: Data) -> list[memoryview]:
    return [_raw(data.train.images), _raw(data.train.labels)]


def _raw(tensor: Tensor) -> memoryview:
    return tensor.detach().cpu().contiguous().numpy().ravel().data  # no copy: CIFAR is 0.6 GB


def _digest(*parts: bytes | memoryview) -> str:
    sum_ = hashlib.sha256()
    for part in parts:
        sum_.update(part)
    return sum_.hexdigest()[:12]
