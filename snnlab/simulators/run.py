"""Run: what a spiking network did, and the classes that its output names, if it names any."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import torch
from torch import Tensor

from snnlab.datasets import Split
from snnlab.datasets.given import labels_of
from snnlab.neurons.door import door, shown
from snnlab.neurons.settings import whole

Axis = Annotated[int, "looked at by decide, which knows the output"]


@dataclass(frozen=True)
class Trace:
    """What was recorded at one site, in activation units.

    Attributes:
        v: potential after each step's reset, [T, N, ...], or [T, N, K] for K chosen neurons.
        output: threshold * spike, same shape; the potential before the reset by subtraction is v + output.
        threshold, v0: the neurons' parameters, broadcast to [...] or [K].
    """

    v: Tensor
    output: Tensor
    threshold: Tensor
    v0: Tensor


@dataclass(frozen=True)
class Run:
    """What a spiking network did.

    Attributes:
        T: steps, at most.
        output: mean over an image's steps, [N, ...], float64; for a classifier the logits [N, K].
        decided: the class that is ahead after each step, [T, N, ...]; None if the output has no classes. Once an
            image has ended, its last.
        firing_rate: for each site spikes per step and neuron, mean over the steps of all images, of each those up to
            where it ended; times `steps.double().mean()` the spikes per image and neuron.
        traces: what `record` asked for.
        steps: that each image was shown for, [N], int64; T, unless simulate was told when to `stop`.
    """

    T: int
    output: Tensor
    decided: Tensor | None
    firing_rate: dict[str, float]
    traces: dict[str, Trace] = field(default_factory=dict)
    steps: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))

    @property
    def logits(self) -> Tensor:
        """The output, by the name that it has in a classifier."""
        return self.output

    @property
    def predictions(self) -> Tensor:
        """The class with the largest mean so far after each step, [T, N]; ties go to the lowest class.

        For one logit, [N] or [N, 1]: whether it is above 0. Any other [N, K] is read as classes: nothing tells them
        from the K numbers of a regression, whose result is run.output. Raises: ValueError if there are no classes.
        """
        if self.decided is None:
            raise ValueError(
                f"the output is {list(self.output.shape)}, which names no class for an image, so there are no "
                "predictions and no accuracy: take run.output, or name the axis of the classes, "
                "simulate(..., class_axis=1)"
            )
        return self.decided

    @door
    def accuracy(self, labels: Any) -> Tensor:
        """The share of images (of places, in a map) classified correctly after each step, [T], 0 to 1.

        Args:
            labels: whole numbers [N], or as one step's predictions: a Split, a tensor, an array or a list.
        Raises: ValueError for labels that do not fit, or an output without classes.
        """
        wanted = self.predictions
        try:
            given = torch.as_tensor(labels.labels if isinstance(labels, Split) else labels)
        except (TypeError, ValueError, RuntimeError):
            raise ValueError(
                f"labels are {type(labels).__name__}, but they must be whole numbers, in the order of the images that "
                "were run: hand them in alone, or a Split"
            ) from None
        if given.shape != wanted.shape[1:]:
            raise ValueError(
                f"labels have shape {list(given.shape)}, but {wanted.shape[1]} images were run, with predictions "
                f"{list(wanted.shape[1:])}"
            )
        numbers = labels_of((given.int() if given.dtype == torch.bool else given).flatten(), given.numel())
        return (wanted == numbers.reshape(given.shape)).double().flatten(1).mean(1)


@door
def decide(output: Tensor, class_axis: Axis | None = None, *, lead: int = 1) -> Tensor | None:
    """The class that an output [N, ...] is for; None if it has no classes.

    Args:
        class_axis: axis of the classes, 1 in [N, K]; None takes that, or for one logit whether it is above 0.
        lead: axes before those of one image: 1, or 2 in [T, N, ...].
    """
    if not output.ndim:
        raise ValueError("output has no axes, but it must be [N, ...]")
    lead = whole(lead, "lead", 1, output.ndim)
    if output.dtype == torch.bool:
        raise ValueError("output is torch.bool, but it must hold numbers")
    own = output.shape[lead:]
    if class_axis is not None:
        number = isinstance(class_axis, int) and not isinstance(class_axis, bool)
        if not number or not -len(own) <= class_axis <= len(own) or class_axis == 0:
            raise ValueError(
                f"class_axis = {shown(class_axis)}, but the output is [N, {', '.join(map(str, own))}]"
            )
        return output.argmax(class_axis + lead - 1 if class_axis > 0 else class_axis)
    if own.numel() == 1:
        return (output.reshape(output.shape[:lead]) > 0).long()
    return output.argmax(-1) if len(own) == 1 else None
