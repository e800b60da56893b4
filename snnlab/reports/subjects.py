"""What a report is about: a network, images and a method, by the names that its parameters have."""

from dataclasses import replace

import torch
from torch import nn

from snnlab import training
from snnlab.converters.catalogue import CATALOGUE, find
from snnlab.converters.choices.potentials import zero
from snnlab.converters.choices.thresholds import largest
from snnlab.converters.conversion import convert
from snnlab.converters.methods import Method
from snnlab.datasets import Data, Split
from snnlab.files import short
from snnlab.neurons.door import check as held
from snnlab.neurons.door import door
from snnlab.studies import named
from snnlab.training import recipes
from snnlab.training.runs.settings import SHAPES

ANY = "max_norm"
"""The method to name where none is meant: every network that ships has one for it."""


@door
def images(data: str, network: str = "", method: str = ANY, size: int = 0) -> Data:
    """The images of a report: a data set, or class folders, normalised as the network's own were.

    Args:
        data: a data set's name, or a folder of class folders (`studies/named.py`).
        network: what is to look at them; a shipped network, or a checkpoint, says what it was trained on.
        method: of which `shipped-...` is the network that it asks for.
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
def methods(name: str, data: Data) -> tuple[str, ...]:
    """The catalogue's methods for the network of that name: of a trained one those that take its activations.

    Raises: ValueError or OSError that says in a line what is wrong.
    """
    if _kind(name) in named.TRAINED or name in named.SHIPPED:
        return tuple(CATALOGUE)
    ann, few = named.trained(name), data.calibration[:2]
    refused = {one: _refusal(ann, method, few) for one, method in CATALOGUE.items()}
    if all(refused.values()):
        raise ValueError(refused[ANY])
    return tuple(one for one, why in refused.items() if not why)


def _refusal(ann: nn.Module, method: Method, few: Split) -> str:
    """Why a method cannot convert a network at all, whatever it would then choose; empty if it can."""
    plain = replace(method, threshold=largest, v0=zero, corrections=(), tuning=None)
    try:
        convert(ann, plain, few, 1, exact=False, progress=False)
    except (ValueError, TypeError, RuntimeError) as error:
        return " ".join(str(error).split())
    return ""


@door
def check(data: str, network: str = "", method: str = "", size: int = 0) -> Data:
    """The images, if the network can look at them and the method can convert it. Raises: ValueError; OSError.

    Args: as `images`; a network of "" is not looked at; for a method of "", any that can convert it will do.
    """
    found = images(data, network, method or ANY, size)
    if not network:
        return found
    kind, name = _kind(network), named.shipped(network, find(method or ANY))
    _check_shape(name, found, data)
    try:
        if kind in named.TRAINED:
            _check_classes(named.builder(name, found)(seed=0), found)
        else:
            ann = named.trained(name)
            _check_classes(ann, found)
            if not method:
                methods(name, found)
            elif why := _refusal(ann, find(method), found.calibration[:2]):
                raise ValueError(why)
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
