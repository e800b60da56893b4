"""What is mended at one layer once its neuron stands: biases, initial potentials, weights.

A correction sees the network as the layers converted so far left it, and the ANN's own activations as the goal, so
it also mends what the layers before it got wrong. It looks at calibration images only.

References:
  1) Deng & Gu 2021, ICLR (Opt / RTS): the shift of theta / (2 T)
  2) Li et al. 2021, ICML (SNN Calibration): bias, potential and weight calibration
  3) Xiong et al. 2025, Control Theory & Applications 42(3):531-540: LMPC (eq. 13) and LWC (eq. 14 to 17)
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from snnlab.converters.choices.optimizers import Adam
from snnlab.converters.choices.site import Correction, Site, check_positive
from snnlab.converters.threads import in_order
from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.neurons.settings import whole
from snnlab.progress import progress_bar


@door
def shift_bias(site: Site) -> None:
    """Feed theta / (2 T) more in each step: half a threshold in the end, so rounding is to the nearest.

    For constant input the count after T steps is that of v0 = theta / 2, but the charge arrives late: together with
    that v0 it would count twice.                                                                 Deng & Gu 2021
    """
    delta = site.threshold / (2 * site.T)
    site.shift(delta if delta.numel() == 1 else delta.flatten(1).mean(1) if delta.ndim > 1 else delta)


@door
def calibrate_bias(site: Site) -> None:
    """Add to each channel's bias what its mean output lacks.

    b_c <- b_c + mean over images and positions of (a - phi)                       Li 2021, "light pipeline"
    """
    gap = site.target - site.rate()
    site.shift(gap.transpose(0, 1).flatten(1).mean(1))


@door
def calibrate_offset(site: Site) -> None:
    """calibrate_bias from L steps on, the ANN's levels: where potentials.offset_or_half leaves it to a bias.

        b_c <- b_c + mean over images and positions of (a - phi),     T >= L                 this kit

    A network that rounds down lies theta / (2 L) below its input in the mean. In fewer than L steps a smaller v0 says
    so without being negative; in more it takes this much less in each step.
    """
    if getattr(site.activation, "levels", site.T) <= site.T:
        calibrate_bias(site)


@door
def lmpc(passes: int = 1, per: Literal["neuron", "channel"] = "neuron") -> Correction:
    """Layer-wise membrane potential calibration: give each neuron the charge that its mean output lacks.

        v0 <- v0 + T * mean over images of (a - phi)                 Xiong 2025, eq. 13, signed; Li 2021

    Why it works: by conservation of charge a neuron that is neither silent nor saturated turns extra charge into spikes
    one to one. The paper prints |a - phi|, which can only raise potentials; a neuron that fires too much needs less.

    Args:
        passes: repetitions, >= 1; neurons near silence or saturation need two or three.
        per: a potential for each neuron, or for each channel.
    Raises: ValueError if an argument is out of range.
    """
    passes = whole(passes, "passes")
    if per not in ("neuron", "channel"):
        raise ValueError(f"per = {per!r}, but it is 'neuron' or 'channel'")

    def correction(site: Site) -> None:
        for _ in range(passes):
            gap = (site.target - site.rate()).mean(0)  # [N, ...] -> [...]
            if per == "channel" and gap.ndim > 1:
                gap = gap.mean(tuple(range(1, gap.ndim)), keepdim=True)
            site.neuron.v0 = site.neuron.v0 + site.T * gap

    correction.__doc__ = lmpc.__doc__
    correction.__name__ = f"lmpc({passes})" if per == "neuron" else f"lmpc({passes}, {per!r})"
    return correction


PATIENCE = 4
"""Epochs without a better result on the images held out, after which a training of weights ends."""


@door
def lwc(
    epochs: int = 15, lr: float = 1e-3, batch: int = 64, through: Literal["time", "mean"] = "time"
) -> Correction:
    """Layer-wise weight calibration: train the segment's weights until the mean output is the ANN's activation.

        loss = mean (phi - a)^2,  Adam; spikes into the segment, thresholds and potentials stay       Xiong 2025

    through "time": gradients go back through the T steps, with a triangular surrogate at the threshold that is not
    masked by the spikes: the mask of the paper's eq. 17 would leave silent neurons silent. Through "mean": the
    gradient is that of a clipped staircase on the mean current, T times cheaper (Li 2021). A step on few images says
    nearly as much as one on many, for each has a whole feature map, so few passes with small batches do what many
    with large ones do (signed_calibrated). Either way the weights
    that did best with real spikes on the fifth of the images held out are kept, the first ones among them: never
    worse than the start.

    Args:
        epochs: passes over four fifths of the images, >= 1; it ends earlier if PATIENCE of them bring nothing.
        lr: Adam's learning rate, > 0. batch: images a step, >= 1.
    Raises: ValueError if an argument is out of range.
    """
    epochs, batch = whole(epochs, "epochs"), whole(batch, "batch")
    check_positive(lr=lr)
    if through not in ("time", "mean"):
        raise ValueError(f"through = {through!r}, but it is 'time' or 'mean'")
    rate = _rate_through_time if through == "time" else _rate_through_mean

    def correction(site: Site) -> None:
        layers = nn.ModuleList(site.layers.own.values()).requires_grad_()
        if not len(layers):
            return
        optimizer = Adam(layers.parameters(), lr)
        best, least, waited = _copy(layers), _error(site), 0
        for parts in _epochs(site, epochs, batch):
            for part in parts:
                gradients = partial(_gradients, rate, site, layers, len(part))
                _add_up(layers, in_order(site.pool, gradients, site.slices(part)))
                optimizer.step()
            error, waited = _error(site), waited + 1
            if error < least:
                best, least, waited = _copy(layers), error, 0
            if waited == PATIENCE:
                break
        layers.load_state_dict(best)
        layers.requires_grad_(False)

    correction.__doc__ = lwc.__doc__
    rest = ("" if lr == 1e-3 else f", lr={lr:g}") + ("" if batch == 64 else f", batch={batch}")
    correction.__name__ = f"lwc({epochs}, {through!r}{rest})"
    return correction


def _gradients(
    rate: Callable[[Site, Tensor], Tensor], site: Site, layers: nn.Module, images: int, few: Tensor
) -> Sequence[Tensor | None]:
    """Of the loss over some images of a step on so many, with respect to each of the layers' parameters."""
    with torch.enable_grad():
        loss = (rate(site, few) - site.target[few]).square().sum() / (images * site.target[0].numel())
        return torch.autograd.grad(loss, list(layers.parameters()), allow_unused=True)


def _add_up(layers: nn.Module, found: Iterable[Sequence[Tensor | None]]) -> None:
    """The gradients of a step: those of its slices, added up in their order."""
    layers.zero_grad()
    for gradients in found:
        for parameter, gradient in zip(layers.parameters(), gradients, strict=True):
            if gradient is not None:
                parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)


def _epochs(site: Site, epochs: int, batch: int) -> Iterator[tuple[Tensor, ...]]:
    """For each epoch the numbers of the images of each step, shuffled in the same way for the same site."""
    order, images = torch.Generator().manual_seed(0), site.fitting()
    title = said("weights of {layers}").format(layers=", ".join(site.layers.own))
    for _ in progress_bar(range(epochs), title, delay=2.0, unit=said("epoch")):
        yield images[torch.randperm(len(images), generator=order)].split(batch)


def _rate_through_time(site: Site, part: Tensor) -> Tensor:
    return site.neuron.mean_output(site.current(part))


def _rate_through_mean(site: Site, part: Tensor) -> Tensor:
    """The rate that the mean current would give if it came evenly; the floor passes gradients on."""
    neuron, T = site.neuron, site.T
    charge = (T * site.layers.mean(part) + neuron.v0) / neuron.threshold
    count = (charge + (charge.floor() - charge).detach()).clamp(0, T * neuron.max_spikes)
    return neuron.threshold / T * count


def _error(site: Site) -> float:
    """The squared error of the real spikes on the images held out."""
    with torch.no_grad():
        kept = site.held_out()
        rates, parts = site.rate(kept), site.slices(kept)
        few = zip(rates.split(len(parts[0])), parts, strict=True)
        sums = [(rate - site.target[part]).square().sum() for rate, part in few]
    return float(torch.stack(sums).sum())


def _copy(layers: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in layers.state_dict().items()}
