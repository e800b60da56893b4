"""What a report is about: a network, images and a method, by the names that its parameters have."""

from dataclasses import replace

import torch
from torch import nn

from snnlab import training
from snnlab.converters.catalogue import find
from snnlab.converters.choices.potentials import zero
from snnlab.converters.choices.thresholds import largest
from snnlab.converters.conversion import convert
from snnlab.datasets import Data, Split
from snnlab.files import short
from snnlab.neurons.door import check as held
from snnlab.neurons.door import door
from snnlab.studies import named
from snnlab.training import recipes
from snnlab.training.runs.settings import SHAPES


@door
def images(data: str, network: str = "", method: str = "max_norm", size: int = 0) -> Data:
    """The images of a report: a data set, or class folders, normalised as the network's own were.

    Args:
        data: a data set's name, or a folder of class folders (`studies/named.py`).
        network: what is to look at them; a shipped network, or a checkpoint, says what it was trained on.
        method: of which the network is the one that it asks for.
        size: of images in class folders: side of a square in pixels; 0 leaves them as they are.
    Raises: ValueError or OSError that says in a line what is wrong.
    """
    name = named.shipped(network, find(method))
    like = named.trained_on(name) if network and _kind(network) not in named.TRAINED else ""
    return named.images(data, size=size, like=like)


def _kind(network: str) -> named.Kind:
    try:
        return named.network_kind(network)
    except ValueError as error:
        raise ValueError(f"network: {error}") from None


@door
def network(
    name: str,
    method: str,
    data: Data,
    *,
    levels: int | None = None,
    seed: int = 0,
    epochs: int = named.EPOCHS,
) -> nn.Module:
    """The network of that name, in evaluation mode; one that is not trained yet is, by the method's recipe.

    Args:
        name: a kind that is trained, one that ships, a checkpoint, or module:function (`studies/named.py`).
        levels, seed, epochs: of a training; other networks are as they are.
    Raises: ValueError or OSError that says in a line what is wrong.
    """
    if _kind(name) not in named.TRAINED:
        return named.trained(named.shipped(name, find(method)))
    scale = epochs / named.EPOCHS
    return recipes.prepare(
        method, named.builder(name, data), data, levels=levels, seed=seed, epochs_scale=scale
    )


@door
def check(data: str, network: str = "", method: str = "max_norm", size: int = 0) -> Data:
    """The images, if the network can look at them and the method can convert it. Raises: ValueError; OSError.

    Args: as `images`; a network of "" is not looked at.
    """
    found = images(data, network, method, size)
    if not network:
        return found
    kind, name = _kind(network), named.shipped(network, find(method))
    _check_shape(name, found, data)
    try:
        if kind in named.TRAINED:
            _check_classes(named.builder(name, found)(seed=0), found)
        else:
            ann = named.trained(name)
            _check_classes(ann, found)
            plain = replace(find(method), threshold=largest, v0=zero, corrections=(), tuning=None)
            convert(ann, plain, found.calibration[:2], 1, exact=False, progress=False)
    except (ValueError, TypeError, RuntimeError) as error:
        said = " ".join(str(error).split())
        raise ValueError(f"network {short(network)} on data {short(data)}: {said}") from None
    return found


def _check_shape(name: str, found: Data, data: str) -> None:
    wanted, given = SHAPES.get(named.trained_on(name)), tuple(found.test.images.shape[1:])
    if wanted is not None and wanted != given:
        way_out = f"-p size={wanted[1]} resizes images in class folders" if wanted[1:] != given[1:] else (
            "class folders are grey where all their images are"
        )  # fmt: skip
        raise ValueError(
            f"network {short(name)} takes images {list(wanted)}, as {named.trained_on(name)} has, but those of "
            f"{short(data)} are {list(given)}: {way_out}"
        )


def _check_classes(ann: nn.Module, found: Data) -> None:
    held("network()", ann, nn.Module)
    few = found.test.images[:2]
    training.accuracy(ann, Split(few, torch.zeros(len(few), dtype=torch.int64)))
    with torch.inference_mode():
        logits = ann(few)
    told_apart = logits.shape[1] if logits.ndim > 1 and logits.shape[1] > 1 else 2
    if told_apart != len(found.classes):
        raise ValueError(
            f"it tells {told_apart} classes apart, but there are {len(found.classes)} ({short(list(found.classes))}): "
            "give it images of its own classes, in the order in which it was trained on them"
        )
