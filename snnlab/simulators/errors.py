"""Where a conversion loses: at each layer, the difference between ANN and SNN split into what causes it.

With a the ANN's activation f(z), zbar the mean current that the spiking neuron gets over its T steps, zfed what the
ANN's own weights and bias would make of what its layer is fed, phi its mean output, C(x) = min(x, the largest mean
output) and S(x) the mean output of the same neuron if x comes in every step,

    phi - a  =    f(zfed) - f(z)             inherited: layers before feed it something else
                + f(zbar) - f(zfed)          corrections: what the method changed in weights and biases (and the grid)
                + C(f(zbar)) - f(zbar)       clipping: more than a spike in every step, or the cap, cannot be said
                + S(zbar) - C(f(zbar))       quantisation: only some mean outputs exist, beyond the ANN's own rounding
                + phi - S(zbar)              unevenness: the same mean current, but not evenly spread

for every neuron and image: the sum telescopes. With Poisson coding the first layer, too, inherits: the pixels' draws.

References:
  1) Clipping, quantisation, unevenness: Bu et al. 2022, ICLR, section 3
  2) Residual membrane potential: Xiong et al. 2025, Control Theory & Applications 42(3):531-540, figures 4 and 5
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.converters.graph import ACTIVATIONS, trace, walk
from snnlab.converters.graph.unroll import Plan, Unroll, channels_last
from snnlab.converters.snn import SNN
from snnlab.datasets.given import Given, images_and_labels, labels_of
from snnlab.files.language import said, set_right, wide
from snnlab.neurons import IF
from snnlab.neurons.door import door
from snnlab.neurons.settings import check_memory
from snnlab.simulators.coding import Coding, Poisson, coded
from snnlab.simulators.run import decide
from snnlab.simulators.simulation import at_once, each_batch, few_at_once, prepared
from snnlab.simulators.stopping import silence

PARTS = ("inherited", "corrections", "clipping", "quantisation", "unevenness")
BATCH = 16  # images at a time, with all their steps
KEPT = 83  # bytes a neuron's parts take: ten numbers of float64, three of one byte


@dataclass(frozen=True)
class Parts:
    """One site, every neuron and image on its own, [N, ...], float64, activation units.

    Attributes:
        activation: a, the ANN's.
        output: phi, the spiking neuron's mean output.
        inherited, corrections, clipping, quantisation, unevenness: they add up to output - activation.
        v: potential after the last step.
        count: net number of spikes.
        spikes: number of spikes of either sign.
        missing, surplus: whether v and count show that spikes are missing, or sent without charge for them; that
            holds for neurons that keep all charge: no leak, reset by subtraction.
        outside: whether v lies outside [0, theta), right or wrong.
    """

    activation: Tensor
    output: Tensor
    inherited: Tensor
    corrections: Tensor
    clipping: Tensor
    quantisation: Tensor
    unevenness: Tensor
    v: Tensor
    count: Tensor
    spikes: Tensor
    missing: Tensor
    surplus: Tensor
    outside: Tensor

    @property
    def difference(self) -> Tensor:
        """phi - a."""
        return self.output - self.activation


@dataclass(frozen=True)
class Layer:
    """One site, all neurons and images together; activation units.

    Attributes:
        activation, output: the means of a and of phi.
        distance: the mean of |phi - a|.
        means: part to its mean; they add up to output - activation.
        sizes: part to the mean of its absolute value.
        shares: part to the share of the squared difference that it explains, E[part * (phi - a)] / E[(phi - a)^2];
            they add up to 1, and one is negative if its part makes up for another. All 0 if there is no difference.
        outside: share of the neurons with v[T] outside [0, theta): the residual potential error as papers draw it.
        wrong: share of those whose number of spikes does not fit all that came in: v < 0 with spikes standing,
            or v >= theta with room for more. The rest of `outside` is right: silent below zero, or clipped. Tells
            nothing where charge is lost: in a leak, or in a reset to zero.
        firing_rate: spikes per step and neuron.
        accuracy: if all layers up to this one spike, and the rest is the ANN; None without labels.
    """

    activation: float
    output: float
    distance: float
    means: dict[str, float]
    sizes: dict[str, float]
    shares: dict[str, float]
    outside: float
    wrong: float
    firing_rate: float
    accuracy: float | None


@dataclass(frozen=True)
class Anatomy:
    """What `anatomy` found: layers by name, in order; the ANN's accuracy, None without labels; T."""

    layers: dict[str, Layer]
    ann_accuracy: float | None
    T: int

    @property
    def causes(self) -> tuple[str, ...]:
        """The parts that are anything, rounded to a percent, in some layer."""
        layers = self.layers.values()
        return tuple(p for p in PARTS if any(abs(layer.shares[p]) >= 0.005 for layer in layers)) or PARTS[:1]

    def losses(self) -> dict[str, float]:
        """Each layer to the accuracy that is lost when it, too, spikes; below 0 if accuracy is gained."""
        if self.ann_accuracy is None:
            raise ValueError(
                "there are no accuracies: hand in a Split, with labels, to anatomy, and a network that names classes"
            )
        after = [self.ann_accuracy, *(float(layer.accuracy or 0.0) for layer in self.layers.values())]
        return {name: before - now for name, before, now in zip(self.layers, after, after[1:], strict=False)}

    def summary(self) -> str:
        """In a sentence or two: which layer loses most, and to what."""
        differs = {name: layer for name, layer in self.layers.items() if layer.distance > 0}
        if not differs:
            return said("After {T} steps no layer says anything else than the ANN's.").format(T=self.T)
        if self.ann_accuracy is None:
            name = max(differs, key=lambda n: differs[n].distance / (differs[n].activation or 1.0))
            most = said("{layer} differs most from the ANN. {cause}")
            return most.format(layer=repr(name), cause=_cause(differs[name]))
        losses = self.losses()
        name, whole = max(losses, key=losses.__getitem__), sum(losses.values())
        if losses[name] <= 0 or whole <= 0:
            nothing = said("After {T} steps the accuracy is no lower than the ANN's, {accuracy}.")
            return nothing.format(T=self.T, accuracy=f"{self.ann_accuracy:.1%}")
        most = said("{layer} loses most: {lost} of the {whole} points of accuracy. {cause}")
        if losses[name] > whole:
            most = said(
                "{layer} loses most: {lost} points; others win some back, which leaves {whole} points of accuracy. "
                "{cause}"
            )
        lost, left = f"{100 * losses[name]:.1f}", f"{100 * whole:.1f}"
        return most.format(layer=repr(name), lost=lost, whole=left, cause=_cause(self.layers[name]))

    def table(self) -> str:
        """The layers as a table of plain text."""
        head = (
            *(said("layer"), said("mean a"), said("mean phi"), "|phi - a|", *map(said, PARTS)),
            *(said("outside"), said("wrong"), said("rate"), said("accuracy")),
        )
        rows = [head, *(_row(name, layer) for name, layer in self.layers.items())]
        widths = [max(map(wide, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(set_right, row, widths)) for row in rows)


@door
def parts(ann: nn.Module, snn: SNN, images: Given, T: int | None = None) -> dict[str, Parts]:
    """Every neuron's difference, split; for images [N, ...], few enough to keep all sites in memory.

    Args:
        ann: the network that was converted.
        T: steps, >= 1; None takes what the network was converted for.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    taken, T = prepared(snn, images, T)
    neurons = sum(zeros.numel() for zeros in silence(snn)[0].values())
    check_memory(
        len(taken) * (at_once(snn, T) + KEPT * neurons),
        f"the parts of {len(taken)} images would take some {{}} with T = {T}",
        "hand in fewer images, or take `anatomy`, which keeps a layer's means",
    )
    return _Dissection(ann, snn, T)(channels_last(taken.to(snn.device)))


@door
def anatomy(
    ann: nn.Module,
    snn: SNN,
    data: Given,
    T: int | None = None,
    *,
    coding: Coding = "constant",
    seed: int = 0,
    progress: bool = True,
) -> Anatomy:
    """Where, and to what, a converted network loses against its ANN, layer by layer, over all images.

    Two neurons that spike over the same mean current differ by rounding only where it decides a spike (a current whose
    T-fold is exactly a threshold): there a quantum may be told as unevenness that is quantisation, or the other way.

    Args:
        ann: the network that was converted.
        data: images [N, ...], or whatever datasets.given.images_of reads; with labels also the accuracy if all layers
            up to each one spike, where the output has classes.
        T: steps, >= 1; None takes what the network was converted for.
        coding, seed: as in simulate.
        progress: show a progress bar.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    images, given = images_and_labels(data)
    images, T = prepared(snn, images, T)
    known = given is not None and decide(snn(images[:1])) is not None
    labels = labels_of(given, len(images), "labels of data") if known else None
    dissect = _Dissection(ann, snn, T, coded(snn, coding, seed))
    work = partial(_measure, dissect, labels)
    found = list(
        each_batch(snn, images.split(few_at_once(snn, T, BATCH)), work, said("dissecting"), progress=progress)
    )
    sums, right = ([part[k] for part in found] for k in range(2))
    means = {name: torch.stack([found[name] for found in sums]).sum(0) / len(images) for name in sums[0]}
    accuracies = torch.stack(right).sum(0) / len(images) if labels is not None else None
    layers = {
        name: _layer(mean.tolist(), None if accuracies is None else float(accuracies[k]))
        for k, (name, mean) in enumerate(means.items(), start=1)
    }
    return Anatomy(layers, None if accuracies is None else float(accuracies[0]), T)


class _Dissection:
    """Both networks side by side, for one batch after the other; holds nothing that changes."""

    def __init__(self, ann: nn.Module, snn: SNN, T: int, coder: Poisson | None = None) -> None:
        wanted = type(snn.method.activation())
        self.ann = trace(ann, snn.example, (*ACTIVATIONS, wanted)).to(snn.device)
        if strange := self.ann.sites.keys() ^ snn.sites.keys():
            raise ValueError(
                f"ann is another network than the one that was converted: only one has {min(strange)!r}"
            )
        self.T, self.coder = T, coder
        self.plan = Plan(snn.runs, coder is not None)

    @torch.inference_mode()
    def __call__(self, images: Tensor, first: int = 0) -> dict[str, Parts]:
        ann: dict[str, Tensor] = {}
        activations: dict[str, nn.Module] = {}

        def keep(name: str, activation: nn.Module, z: Tensor) -> Tensor:
            activations[name] = activation
            ann[name] = activation(z)
            return ann[name]

        walk(self.ann, images, keep)
        found: dict[str, Parts] = {}

        def at_neuron(name: str, neuron: IF, current: Tensor) -> Tensor:
            output, found[name] = _split(neuron, current, activations[name], ann[name])
            return output

        frames = None if self.coder is None else self.coder.steps(images, first)(self.T)
        Unroll(self.plan, self.plan.static(images), self.T, frames).run(at_neuron)

        def feed(name: str, activation: nn.Module, z: Tensor) -> Tensor:
            """The ANN's own layer is fed what the spiking ones before it say: what it makes of that is inherited."""
            part, inherited = found[name], activation(z).double() - found[name].activation
            found[name] = replace(part, inherited=inherited, corrections=part.inherited - inherited)
            return part.output.to(z.dtype)

        walk(self.ann, images if frames is None else frames.double().mean(0).to(images.dtype), feed)
        return found

    @torch.inference_mode()
    def hybrids(self, images: Tensor, found: dict[str, Parts]) -> Iterator[Tensor]:
        """Logits of the ANN, then with the first site's mean outputs in place, then with the first two sites', ..."""
        spiking: set[str] = set()

        def mixed(name: str, activation: nn.Module, z: Tensor) -> Tensor:
            return found[name].output.to(z.dtype) if name in spiking else activation(z)

        yield walk(self.ann, images, mixed)
        for name in found:
            spiking.add(name)
            yield walk(self.ann, images, mixed)


def _split(neuron: IF, current: Tensor, activation: nn.Module, a: Tensor) -> tuple[Tensor, Parts]:
    """The neuron's output [T, B, ...] for its current, and its parts; the neuron may be on the grid.

    What corrections changed is within `inherited` as yet.
    """
    T = len(current)
    output, end = neuron(current)
    mean = current.double().mean(0)
    unit = neuron.in_activation(torch.ones((), device=current.device))
    steady = current.stride(0) == 0  # the same tensor in every step: a mean would round
    even = output if steady else neuron(mean.expand_as(current))[0]
    phi, evenly = (neuron.sent(spikes).mean(0) for spikes in (output, even))
    fed, most = activation((current[0].double() if steady else mean) * unit).double(), neuron.most(T)
    clipped = fed.minimum(unit * neuron.threshold * (most / T))
    missing = (end.v >= neuron.threshold) & (end.count < most)
    surplus = (end.v < 0) & (end.count > 0)
    outside = (end.v < 0) | (end.v >= neuron.threshold)
    return output, Parts(
        a.double(),
        phi,
        fed - a.double(),
        torch.zeros_like(fed),
        clipped - fed,
        evenly - clipped,
        phi - evenly,
        neuron.in_activation(end.v),
        end.count.double(),
        output.count_nonzero(0).double(),
        missing,
        surplus,
        outside,
    )


def _measure(
    dissect: _Dissection, labels: Tensor | None, images: Tensor, first: int
) -> tuple[dict[str, Tensor], Tensor]:
    """One batch: sums over images of each site's means, and the numbers of images that the hybrids get right."""
    found = dissect(images, first)
    sums = {name: len(images) * _means(part, dissect.T) for name, part in found.items()}
    if labels is None:
        return sums, torch.zeros(0)
    wanted = labels[first : first + len(images)].cpu()
    decided: Any = [decide(output) for output in dissect.hybrids(images, found)]
    return sums, torch.stack([(classes.cpu() == wanted).double().sum() for classes in decided])


def _means(part: Parts, T: int) -> Tensor:
    """All that a Layer is made of, as one tensor: what is summed over batches."""
    total = part.difference
    split = [getattr(part, name) for name in PARTS]
    single = [part.activation, part.output, total.abs(), total.square(), part.spikes / T]
    shares = [part.outside.double(), (part.missing | part.surplus).double()]
    values = [*single, *shares, *split, *(x.abs() for x in split), *(x * total for x in split)]
    return torch.stack([value.mean() for value in values]).cpu()


def _layer(means: list[float], accuracy: float | None) -> Layer:
    activation, output, distance, square, rate, outside, wrong, *rest = means
    split, sizes, products = (
        dict(zip(PARTS, rest[k : k + len(PARTS)], strict=True)) for k in range(0, len(rest), len(PARTS))
    )
    shares = {name: product / square if square > 0 else 0.0 for name, product in products.items()}
    return Layer(activation, output, distance, split, sizes, shares, outside, wrong, rate, accuracy)


def _cause(layer: Layer) -> str:
    """What makes a layer differ, in words."""
    name = max(layer.shares, key=layer.shares.__getitem__)
    own = {part: layer.shares[part] for part in PARTS[1:]}
    worst = max(own, key=own.__getitem__)
    if name != "inherited" or own[worst] <= 0:
        told, cause = said("Its difference from the ANN is mostly {cause} ({share} of the square)."), name
    else:
        told, cause = said("Most of its difference is inherited ({share}); of its own it is {cause}."), worst
    return told.format(cause=said(cause), share=f"{layer.shares[name]:.0%}")


def _row(name: str, layer: Layer) -> tuple[str, ...]:
    numbers = (f"{value:.3g}" for value in (layer.activation, layer.output, layer.distance))
    shares = (f"{share:z.0%}" for share in layer.shares.values())
    accuracy = "" if layer.accuracy is None else f"{layer.accuracy:.1%}"
    return (
        name,
        *numbers,
        *shares,
        f"{layer.outside:.1%}",
        f"{layer.wrong:.1%}",
        f"{layer.firing_rate:.3f}",
        accuracy,
    )
