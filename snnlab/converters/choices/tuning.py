"""What is tuned once the whole network spikes: thresholds, by gradient or by a rule of thumb.

A tuning sees the spiking network, the ANN and labelled calibration images; "keep the best" looks at the fifth of
them that is held out.

References:
  1) In the loop: surrogate gradients, Neftci et al. 2019, IEEE Signal Processing Magazine 36(6)
  2) Feedback of the output's error to thresholds: what summaries tell of Wang et al. 2022, arXiv 2205.07473; the
     paper itself does something else (the method dual_phase)
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab.converters.choices.optimizers import Adam
from snnlab.converters.choices.site import check_positive
from snnlab.converters.graph import Graph, walk
from snnlab.converters.graph.unroll import Plan, Unroll
from snnlab.datasets import Split
from snnlab.files.language import said
from snnlab.neurons import IF
from snnlab.neurons.door import door
from snnlab.neurons.settings import whole
from snnlab.progress import progress_bar

Tuning = Callable[[Graph, Graph, Split, int], None]
"""(spiking network, ANN, labelled images, T): changes the neurons of the first in place."""


@door
def threshold_finetune(epochs: int = 3, lr: float = 1e-2, batch: int = 32) -> Tuning:
    """Learn the thresholds with the spiking network in the loop; weights stay.

        loss = cross-entropy of the mean logits over T steps,   Adam on log theta,   v0 = theta / 2

    Gradients pass each spike as if it were a triangle of width theta around the threshold, and reach theta through
    the comparison, the reset and the spike's own size. The thresholds are good for this T only. It often goes by
    the name of TCL, whose paper learns one clip for all T together with the weights, without a spike.

    Args:
        epochs: passes over four fifths of the images, >= 1.
        lr: Adam's learning rate, a share of theta a step, > 0. batch: images a step, >= 1.
    Raises: ValueError if an argument is out of range.
    """
    epochs, batch = whole(epochs, "epochs"), whole(batch, "batch")
    check_positive(lr=lr)

    def tuning(snn: Graph, _: Graph, images: Split, T: int) -> None:
        fitting, held_out = _parts(images)
        sites: dict[str, IF] = snn.sites  # type: ignore[assignment]
        logs = {name: nn.Parameter(neuron.threshold.log()) for name, neuron in sites.items()}
        optimizer, order = Adam(logs.values(), lr), torch.Generator().manual_seed(0)
        best, least = _thresholds(sites), float("inf")
        for epoch in progress_bar(range(epochs + 1), said("thresholds in the loop"), unit=said("epoch")):
            with torch.no_grad():
                _set(sites, {name: log.exp() for name, log in logs.items()})
                loss = float(_loss(snn, held_out, T))
            if loss < least:
                best, least = _thresholds(sites), loss
            parts = torch.randperm(len(fitting), generator=order).split(batch) if epoch < epochs else ()
            for part in parts:
                with torch.enable_grad():
                    _set(sites, {name: log.exp() for name, log in logs.items()})
                    optimizer.zero_grad()
                    _loss(snn, fitting[part], T).backward()
                optimizer.step()
        _set(sites, best)

    tuning.__doc__ = threshold_finetune.__doc__
    tuning.__name__ = f"threshold_finetune({epochs})"
    return tuning


@door
def threshold_feedback(rounds: int = 5, gain: float = 0.5) -> Tuning:
    """Raise thresholds from the output back, each by its layer's share of the error; keep the best.

        theta_l <- theta_l * (1 + gain * E * e_l / sum_k e_k),   e_l = mean |phi_l - a_l|,   E = |error| / |logits|

    A threshold above the largest activation clips nothing and makes every step coarser, so seldom is a round kept.

    Args:
        rounds: >= 1. gain: > 0.
    Raises: ValueError if an argument is out of range.
    """
    rounds = whole(rounds, "rounds")
    check_positive(gain=gain)

    def tuning(snn: Graph, ann: Graph, images: Split, T: int) -> None:
        fitting, held_out = _parts(images)
        sites: dict[str, IF] = snn.sites  # type: ignore[assignment]
        best, least = _thresholds(sites), float(_gap(snn, ann, held_out, T)[0])
        for _ in progress_bar(range(rounds), said("thresholds by feedback")):
            error, shares = _gap(snn, ann, fitting, T)
            total = sum(shares.values()) or 1.0
            for name in reversed(sites):
                sites[name].threshold = sites[name].threshold * (1 + gain * error * shares[name] / total)
            if (now := float(_gap(snn, ann, held_out, T)[0])) < least:
                best, least = _thresholds(sites), now
        for name, theta in best.items():
            sites[name].threshold = theta

    tuning.__doc__ = threshold_feedback.__doc__
    tuning.__name__ = f"threshold_feedback({rounds})"
    return tuning


def run(snn: Graph, images: Tensor, T: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean logits [N, K] and the mean output at each site [N, ...], activation units, with gradients if asked for."""
    plan, rates = Plan(snn), {}

    def at_neuron(name: str, neuron: IF, current: Tensor) -> Tensor:
        output, _ = neuron(current)
        rates[name] = output.mean(0)
        return output

    return Unroll(plan, plan.static(images), T).run(at_neuron).mean(0), rates


def _loss(snn: Graph, images: Split, T: int) -> Tensor:
    return F.cross_entropy(run(snn, images.images, T)[0], images.labels)


def _gap(snn: Graph, ann: Graph, images: Split, T: int) -> tuple[float, dict[str, float]]:
    """The relative error of the logits, and each site's mean |phi - a|."""
    logits, rates = run(snn, images.images, T)
    activations: dict[str, Tensor] = {}

    def at_site(name: str, module: nn.Module, current: Tensor) -> Tensor:
        activations[name] = module(current)
        return activations[name]

    goal = walk(ann, images.images, at_site)
    gaps = {name: float((rates[name] - activations[name]).abs().mean()) for name in rates}
    return float((logits - goal).abs().mean() / goal.abs().mean()), gaps


def _parts(images: Split) -> tuple[Split, Split]:
    """Four fifths to fit, a fifth to judge by."""
    last = len(images) - max(1, len(images) // 5)
    return images[: max(1, last)], images[last:]


def _thresholds(sites: dict[str, IF]) -> dict[str, Tensor]:
    return {name: neuron.threshold.detach().clone() for name, neuron in sites.items()}


def _set(sites: dict[str, IF], thresholds: dict[str, Tensor]) -> None:
    for name, theta in thresholds.items():
        sites[name].threshold, sites[name].v0 = theta, theta.detach() / 2
