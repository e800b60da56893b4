"""Networks and images by the names that a report, or a study file, has for them.

A network is a kind that is trained (`cnn`), one that ships (`resnet20-relu`; `shipped-resnet20` is the one that the
method asks for), a checkpoint of `snnlab train`, or one's own function, `module:function`. With a parameter `seed` such
a function builds a network that the method's recipe trains; without any it gives one that is trained. Its module is
imported, so it runs. Images are a data set by its name, or a folder of class folders.
"""

import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from snnlab import datasets
from snnlab.converters.methods import Method
from snnlab.datasets import Data, Split, folders
from snnlab.files import place, short
from snnlab.files.words import meant
from snnlab.neurons.door import check
from snnlab.studies.papers import NETWORK_OF
from snnlab.studies.papers import NETWORKS as PAPERS
from snnlab.training import runs
from snnlab.training.runs.files import described

Kind = Literal["trained", "own", "made", "checkpoint", "shipped"]
OWN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
"""What a user's own function or method is named by: module:name."""
SHIPPED = tuple(f"shipped-{name}" for name in PAPERS)
"""Of the networks that ship the one that a method asks for."""
EPOCHS = 12
"""Of a recipe's first stage; a number that somebody names scales all stages."""
TRAINED = ("own", "trained")
"""Kinds that a recipe trains; the others are as they are."""


def network_kind(name: str) -> Kind:
    """What a network's name means. Raises: ValueError that says what it may be."""
    if OWN.fullmatch(name):
        return _kind_of_own(name)
    if name.endswith(".safetensors"):
        if not here(name).is_file():
            raise ValueError(f"there is no checkpoint {short(name)}")
        return "checkpoint"
    table = runs.table()
    if name in table or name in SHIPPED:
        return "shipped"
    if name not in runs.NETWORKS:
        words = [*runs.NETWORKS, *SHIPPED, *table]
        raise ValueError(
            f"{short(name)} is none of {', '.join(words)}, no FILE.safetensors and no module:function"
            f"{meant(name, words)}"
        )
    return "trained"


def _kind_of_own(name: str) -> Kind:
    function = own(name)
    if not callable(function):
        raise ValueError(f"{short(name)} is no function")
    try:
        wanted = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        raise ValueError(f"{short(name)} is a function that does not say what it takes") from None
    stars = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [p.name for p in wanted if p.default is p.empty and p.kind not in stars and p.name != "seed"]
    if needed:
        raise ValueError(
            f"{short(name)} wants {', '.join(needed)}, but it is called with `seed` alone, if it has one, for a "
            "network to train, else with nothing, for one that is trained: give the others defaults, or wrap it"
        )
    return "own" if any(p.name == "seed" for p in wanted) else "made"


def own(name: str) -> Any:
    """What module:name names; its module is looked for in the current folder, too. Raises: ValueError."""
    if (folder := str(here("."))) not in sys.path:
        sys.path.append(folder)
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a module of the user's raises
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ValueError(f"{short(name)} cannot be imported ({said})") from None


def builder(name: str, data: Data) -> Callable[..., nn.Module]:
    """What builds the untrained network of that name for these images; called with seed=..."""
    build = runs.NETWORKS.get(name)
    if build is None:
        made: Callable[..., nn.Module] = own(name)
        return made
    if name in runs.settings.WIDTHS:
        return partial(build, classes=len(data.classes))
    return partial(build, shape=data.test.images.shape[1:], classes=len(data.classes))


def shipped(name: str, method: Method) -> str:
    """The name as it is; of `shipped-resnet20` the shipped network that the method converts."""
    if name not in SHIPPED:
        return name
    activation = type(method.activation())
    return f"{name.removeprefix('shipped-')}-{NETWORK_OF.get(activation, activation.__name__)}"


def trained(name: str) -> nn.Module:
    """The network of that name, which is trained: one's own, a checkpoint's, one that ships. Raises: ValueError."""
    if OWN.fullmatch(name):
        return _made(name)
    return (runs.load(here(name)) if name.endswith(".safetensors") else runs.shipped(name)).ann


def _made(name: str) -> nn.Module:
    function = own(name)
    try:
        ann = function()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ValueError(f"{short(name)} fails ({said})") from None
    made: nn.Module = check(f"{name}()", ann, nn.Module)
    return made.eval()


def trained_on(name: str) -> str:
    """The data set that a network was trained on, if its file says so; else nothing. Raises: ValueError, OSError."""
    if name.endswith(".safetensors"):
        return described(here(name))[0].data
    ships = not OWN.fullmatch(name) and name not in runs.NETWORKS
    return described(runs.checkpoints.file_of(name))[0].data if ships else ""


def images(name: str, calibration: int = datasets.CALIBRATION, size: int = 0, like: str = "") -> Data:
    """The data set of that name, or the images of class folders: values 0 to 1, grey where all are grey.

    Args:
        size: of images in class folders: side of a square in pixels, resized and cut; 0 leaves them as they are.
        like: the data set as which those are normalised, because the network was trained on it; none by itself.
    Raises: ValueError for a name that is neither; what `datasets.load` and `folders.load` raise.
    """
    check_images(name)
    if name in datasets.NAMES:
        return datasets.load(name, calibration=calibration)
    plain = folders.preparation(size or None, (0.0,) * 3, (1.0,) * 3, share=1.0)
    return _dressed(folders.load(here(name), transform=plain, calibration=calibration), like)


def check_images(name: str) -> None:
    """Whether there is such a data set, or folder. Raises: ValueError that says what it may be."""
    if name not in datasets.NAMES and not here(name).is_dir():
        raise ValueError(
            f"{short(name)} is none of {', '.join(datasets.NAMES)}, and no folder of class folders (one for each "
            f"class, with its images in it){meant(name, datasets.NAMES)}"
        )


def _dressed(data: Data, like: str) -> Data:
    parts = [data.train, data.calibration, data.test]
    if all(bool((part.images == part.images[:, :1]).all()) for part in parts):
        parts = [Split(part.images[:, :1].contiguous(), part.labels) for part in parts]
    elif like in datasets.standard.STATISTICS:
        mean, std = (torch.tensor(one).reshape(-1, 1, 1) for one in datasets.standard.STATISTICS[like])
        parts = [Split((part.images - mean) / std, part.labels) for part in parts]
    return replace(data, train=parts[0], calibration=parts[1], test=parts[2])


def here(path: str) -> Path:
    """A path as the user wrote it, in the folder where the user is: a report's kernel runs in another."""
    return place(path if path.startswith("~") else Path(os.environ.get("SNNLAB_FROM", "")) / path)
