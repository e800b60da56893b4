"""All methods on the same network and the same images: who is how accurate after how many steps, and at what cost."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from torch import nn

from snnlab import training
from snnlab.converters.catalogue import CATALOGUE, find
from snnlab.converters.conversion import convert
from snnlab.converters.methods import Method
from snnlab.converters.snn import SNN
from snnlab.datasets import Data, Split
from snnlab.datasets.given import Given, split_of
from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.progress import progress_bar
from snnlab.simulators.simulation import simulate
from snnlab.training import recipes


@dataclass(frozen=True)
class Result:
    """What one method did.

    Attributes:
        method: its name.
        ann_accuracy: of the network that it converts, 0 to 1.
        snn_accuracy: steps to accuracy after so many steps, 0 to 1.
        latency: steps to the steps really used, with those that a neuron looks ahead.
        firing_rate: spikes per step and neuron at the most steps, mean over the sites.
        thresholds, potentials: for each site the mean threshold and initial potential at the most steps.
        seconds: that conversions and simulations took, training left out.
    """

    method: str
    ann_accuracy: float
    snn_accuracy: dict[int, float]
    latency: dict[int, int]
    firing_rate: float
    thresholds: dict[str, float] = field(default_factory=dict)
    potentials: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @door
    def steps_to(self, share: float = 0.99) -> int | None:
        """The fewest steps from which on the accuracy stays at or above share of the ANN's; None if it never does."""
        reached = None
        for T in sorted(self.snn_accuracy, reverse=True):
            if self.snn_accuracy[T] < share * self.ann_accuracy:
                break
            reached = T
        return reached


@door
def compare(
    methods: Iterable[str | Method],
    network: Callable[..., nn.Module],
    data: Data,
    steps: Sequence[int] = (1, 2, 4, 8, 16, 32),
    *,
    test: Given | None = None,
    levels: int | None = None,
    seed: int = 0,
    epochs_scale: float = 1.0,
    cache: str | Path | None = None,
) -> dict[str, Result]:
    """Train what the methods need (once, kept), convert, simulate on the test images; method to Result, in order.

    A method that does not depend on T is converted once, and one run gives all steps; the others are converted for
    each number of steps.

    Args:
        methods: names of the catalogue, or methods of one's own.
        network: called with seed=...; gives the untrained network, with ReLU.
        steps: each >= 1.
        test: images with labels to judge by, whatever `split_of` reads; None takes data.test.
        levels: of every activation that rounds; None takes each recipe's own, 8 where that is the steps': one network
            for all steps.
        seed, epochs_scale, cache: as recipes.prepare takes them.
    Raises: ValueError for steps that are no whole numbers of 1 or more.
    """
    prepared = partial(
        recipes.prepare,
        network=network,
        data=data,
        levels=levels,
        seed=seed,
        epochs_scale=epochs_scale,
        cache=cache,
        progress=False,
    )
    return each(methods, prepared, data, steps, test=test)


@door
def each(
    methods: Iterable[str | Method],
    ann_of: Callable[[Method], nn.Module],
    data: Data,
    steps: Sequence[int] = (1, 2, 4, 8, 16, 32),
    *,
    test: Given | None = None,
) -> dict[str, Result]:
    """`compare` of networks that are had otherwise.

    Args:
        ann_of: called with a method; gives the trained network that it converts.
        methods, data, steps, test: as `compare` takes them.
    Raises: ValueError for steps that are no whole numbers of 1 or more.
    """
    check(steps)
    chosen = [find(method) for method in methods]
    judged = data.test if test is None else split_of(test, "test", None)
    results = {}
    with progress_bar(total=len(chosen), unit=said("method")) as bar:
        for method in chosen:
            bar.set_description(method.name)
            results[method.name] = run(method, ann_of(method), data, sorted(set(steps)), judged)
            bar.update()
    return results


@door
def check(steps: Sequence[int]) -> None:
    """Whether methods can be judged after so many steps. Raises: ValueError."""
    wrong = [T for T in steps if isinstance(T, bool) or not isinstance(T, int) or T < 1]
    if wrong or not steps:
        raise ValueError(
            f"steps = {list(steps)}, but they are whole numbers, 1 or more, at least one of them"
        )


@door
def run(
    method: Method,
    ann: nn.Module,
    data: Data,
    steps: Sequence[int],
    test: Split,
    look: Callable[[SNN], None] | None = None,
) -> Result:
    """One method on a trained network; steps rise. Each network that it converts is shown to `look`.

    Args:
        method: of the catalogue, or one's own. steps: numbers of steps T after which it is judged.
        test: the images that accuracies are counted on.
    """
    if not steps:
        raise ValueError("steps is empty, but there must be a number of steps or more")
    accuracy: dict[int, float] = {}
    latency: dict[int, int] = {}
    began = time.perf_counter()
    for T in steps if method.depends_on_T else steps[-1:]:
        snn = convert(ann, method, data.calibration, T, progress=False)
        if look is not None:
            look(snn)
        spiking = simulate(snn, test, T)
        correct = spiking.accuracy(test)
        accuracy |= {t: float(correct[t - 1]) for t in ((T,) if method.depends_on_T else steps)}
        latency |= {t: t + snn.latency - T for t in ((T,) if method.depends_on_T else steps)}
    rates = spiking.firing_rate.values()
    return Result(
        method.name,
        training.accuracy(ann, test),
        accuracy,
        latency,
        sum(rates) / len(rates),
        *_parameters(snn),
        seconds=time.perf_counter() - began,
    )


def _parameters(snn: SNN) -> tuple[dict[str, float], dict[str, float]]:
    """Mean thresholds, and mean initial potentials, by site."""
    thresholds = {name: float(neuron.threshold.mean()) for name, neuron in snn.sites.items()}
    return thresholds, {name: float(neuron.v0.mean()) for name, neuron in snn.sites.items()}


ALL = tuple(CATALOGUE)
"""The names of the published methods, in order."""
