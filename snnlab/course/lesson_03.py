"""Lesson 03, a network becomes spiking: what its notebook does not show."""

from random import Random
from typing import NamedTuple

import torch
from torch import Tensor

from snnlab.course.lessons import Answer, Exercise, eighths

ANSWERS = {
    "03.1": Answer(
        "fewer than one in fifty",
        "Half the outputs are zero, most others are small, and a few are very large. The largest one sets the "
        "threshold of MaxNorm, and with it the coarseness of everything that the other neurons say.",
        {
            "about half": "so it would be if the outputs were spread evenly from 0 to the largest.",
            "about one in ten": "a fair guess for a bell curve; these outputs have a much longer tail.",
        },
        section=4,
    ),
    "03.2": Answer(
        "below 50 %",
        "A neuron whose activation is below a quarter of its threshold does not fire once in four steps. Most "
        "activations are below, and what the first layer does not say, the second never hears.",
        {
            "50 to 95 %": "each layer by itself is not that bad. But the deficits of three layers multiply.",
            "above 95 %": "four steps are five levels, and networks do survive that, if they were made for it: QCFS "
            "was.",
        },
        section=5,
    ),
    "03.3": Answer(
        "worse, and more steps do not help",
        "A mean output never exceeds the threshold, whatever T. Low thresholds are fast, because the steps "
        "threshold / T are small, and wrong for ever, because what lies above is cut off.",
        {
            "better: the steps are finer": "finer they are. But at T = 32 they were fine enough before, and "
            "what is cut off is lost.",
            "the same: 32 steps are many": "for MaxNorm a little lower would be the same or better: it has room to "
            "spare. An eighth of the 99.9th percentile is far too low.",
        },
        section=6,
    ),
    "03.4": Answer(
        "it grows from layer to layer",
        "With v0 = 0 each layer rounds down. The next one gets too little, and rounds that down again.",
        {
            "it is the same in all layers": "that would be so if each layer were fed what the ANN's layer is fed.",
            "it falls from layer to layer": "later layers have had more additions to average over, but all of them "
            "lack in the same direction: rounding down does not average out.",
        },
        section=7,
    ),
    "03.5": Answer(
        "clearly lower, yet far above guessing",
        "One module is one neuron, and one neuron has one membrane. Both places of a block pour their charge into it "
        "and both take spikes out of it: charge from the first place fires in the second.",
        {
            "the same: the weights are the same": "the weights are, but the state is not: a ReLU remembers nothing, so "
            "sharing one harms nobody. A neuron remembers.",
            "as bad as guessing": "the charge goes to the wrong place, but to a place of the same block and channel. "
            "So much is left that one blames the method, or T, and not the conversion.",
        },
        section=9,
    ),
}


class Norm(NamedTuple):
    """One channel of a batch norm, with its running statistics."""

    gamma: float
    beta: float
    mean: float
    var: float
    eps: float


Numbers = tuple[float, float]


def folded(weight: float, bias: float, norm: Norm) -> Numbers:
    """w' = w g / sqrt(var + eps), b' = beta + (b - mu) g / sqrt(var + eps)."""
    scale = norm.gamma / (norm.var + norm.eps) ** 0.5
    return weight * scale, norm.beta + (bias - norm.mean) * scale


def forgets_eps(weight: float, bias: float, norm: Norm) -> Numbers:
    """You left `eps` out. It is small, but so is the variance of a channel that is nearly silent."""
    return folded(weight, bias, norm._replace(eps=0.0))


def adds_eps_after_the_root(weight: float, bias: float, norm: Norm) -> Numbers:
    """You added `eps` to the standard deviation. Batch norm adds it to the variance, under the root."""
    return folded(weight, bias, norm._replace(var=(norm.var**0.5 + norm.eps) ** 2, eps=0.0))


def divides_by_the_variance(weight: float, bias: float, norm: Norm) -> Numbers:
    """You divided by the variance. Batch norm divides by its square root, the standard deviation."""
    return folded(weight, bias, norm._replace(var=(norm.var + norm.eps) ** 2, eps=0.0))


def forgets_the_mean(weight: float, bias: float, norm: Norm) -> Numbers:
    """You left the mean out of the bias: batch norm subtracts it before it scales."""
    return folded(weight, bias, norm._replace(mean=0.0))


def forgets_gamma(weight: float, bias: float, norm: Norm) -> Numbers:
    """You left gamma out: after dividing by the standard deviation, batch norm multiplies by it."""
    return folded(weight, bias, norm._replace(gamma=1.0))


def forgets_gamma_in_the_bias(weight: float, bias: float, norm: Norm) -> Numbers:
    """Your weight is right, but in the bias you left out gamma: it scales (b - mean) too."""
    return folded(weight, bias, norm)[0], forgets_gamma(weight, bias, norm)[1]


def drops_the_old_bias(weight: float, bias: float, norm: Norm) -> Numbers:
    """You dropped the layer's own bias: batch norm shifts and scales it like everything else."""
    return folded(weight, 0.0 * bias, norm)


def leaves_the_old_bias_unscaled(weight: float, bias: float, norm: Norm) -> Numbers:
    """You added the layer's own bias unscaled: it goes through the batch norm, like the weighted input."""
    return folded(weight, 0.0, norm)[0], folded(weight, 0.0, norm)[1] + bias


def forgets_beta(weight: float, bias: float, norm: Norm) -> Numbers:
    """You left beta out: it is what batch norm adds last."""
    return folded(weight, bias, norm._replace(beta=0.0))


def adds_the_mean(weight: float, bias: float, norm: Norm) -> Numbers:
    """You added the mean in the bias. Batch norm subtracts it."""
    return folded(weight, bias, norm._replace(mean=-norm.mean))


def scales_beta_too(weight: float, bias: float, norm: Norm) -> Numbers:
    """You scaled beta with the rest. It is added last, as it is."""
    return folded(weight, bias + norm.beta, norm._replace(beta=0.0))


def multiplies_by_the_deviation(weight: float, bias: float, norm: Norm) -> Numbers:
    """You multiplied by the standard deviation. Batch norm divides by it."""
    return folded(weight, bias, norm._replace(var=1 / (norm.var + norm.eps), eps=0.0))


def swaps_the_two(weight: float, bias: float, norm: Norm) -> Numbers:
    """You return the bias first. Asked for are the weight, then the bias."""
    return folded(weight, bias, norm)[::-1]


def threshold_of(activations: Tensor, p: float) -> Tensor:
    """The p-th percentile of all values, zeros included."""
    return torch.quantile(activations.double().flatten(), p / 100)


def leaves_zeros_out(activations: Tensor, p: float) -> Tensor:
    """You took the percentile of the positive values only. RobustNorm counts the zeros too: say which you mean."""
    return threshold_of(activations[activations > 0], p)


def takes_percent_for_share(activations: Tensor, p: float) -> Tensor:
    """You took p for percent of a percent: NumPy's `percentile` wants 99.9, `quantile` wants 0.999."""
    return threshold_of(activations, p / 100)


def averages_over_images(activations: Tensor, p: float) -> Tensor:
    """You took the percentile of each image, and then the mean. An image with large values weighs too little."""
    return torch.stack([threshold_of(image, p) for image in activations]).mean()


def averages_largest_over_images(activations: Tensor, p: float) -> Tensor:  # noqa: ARG001 # that is the mistake
    """You took each image's largest value, and then the mean. Asked for is one percentile over all values."""
    return activations.double().flatten(1).amax(1).mean()


def takes_the_largest(activations: Tensor, p: float) -> Tensor:  # noqa: ARG001 # that is the mistake
    """That is MaxNorm: the largest value, whatever p says."""
    return activations.double().amax()


def takes_a_share_of_the_largest(activations: Tensor, p: float) -> Tensor:
    """You took p percent of the largest value. A percentile is the value that p percent of all values do not exceed."""
    return activations.double().amax() * p / 100


def sees_the_last_image_only(activations: Tensor, p: float) -> Tensor:
    """You kept the last image's percentile only: each pass of your loop overwrites the one before."""
    return threshold_of(activations[-1], p)


def averages_while_running(activations: Tensor, p: float) -> Tensor:
    """You kept a moving average (0.9 old + 0.1 new): it depends on the order of the images, and forgets the first."""
    running = threshold_of(activations[0], p)
    for image in activations[1:]:
        running = 0.9 * running + 0.1 * threshold_of(image, p)
    return running


def one_a_feature(activations: Tensor, p: float) -> Tensor:
    """You return one threshold a feature. That is a choice too, but asked for is one number for the layer."""
    return torch.quantile(activations.double(), p / 100, dim=0)


def averages_over_features(activations: Tensor, p: float) -> Tensor:
    """You took the percentile of each feature, and then the mean. Asked for is one percentile over all values."""
    return one_a_feature(activations, p).mean()


def counts_from_the_top(activations: Tensor, p: float) -> Tensor:
    """You counted from the top: p percent of your values lie above. They must not: p percent lie below."""
    return threshold_of(activations, 100 - p)


def takes_a_value_that_is_there(activations: Tensor, p: float) -> Tensor:
    """You took a value of the sorted list. Where p falls between two of them, so does `torch.quantile`."""
    values = activations.double().flatten().sort().values
    return values[min(int(p / 100 * len(values)), len(values) - 1)]


def logits_from(currents: Tensor) -> Tensor:
    """The mean current over the steps, [T, N, K] to [N, K]."""
    return currents.double().mean(0)


def counts_spikes(currents: Tensor) -> Tensor:
    """You let the last layer spike and return its mean output. A neuron cannot say a negative logit: it stays at 0."""
    v, spikes = torch.zeros_like(currents[0]), torch.zeros_like(currents[0])
    for z in currents:
        v = v + z
        spikes, v = spikes + (v >= 1), v - (v >= 1).to(v.dtype)
    return spikes / len(currents)


def counts_spikes_without_mean(currents: Tensor) -> Tensor:
    """You let the last layer spike and count. A neuron cannot say a negative logit: it stays at 0."""
    return counts_spikes(currents) * len(currents)


def cuts_negative_logits(currents: Tensor) -> Tensor:
    """You cut negative means off at zero: that is what a spiking last layer would do. Logits may be negative."""
    return logits_from(currents).relu()


def cuts_negative_currents(currents: Tensor) -> Tensor:
    """You cut negative currents off before the mean: then they cannot balance the positive ones of other steps."""
    return currents.double().relu().mean(0)


def takes_the_sum(currents: Tensor) -> Tensor:
    """You took the sum. It ranks the classes alike, but grows with T: only the mean compares with the ANN's logits."""
    return currents.double().sum(0)


def takes_the_last_step(currents: Tensor) -> Tensor:
    """You took the last step only. Each step's current is a rough sketch; their mean is the answer."""
    return currents[-1].double()


def averages_over_images_not_steps(currents: Tensor) -> Tensor:
    """You took the mean over the images. Time comes first here: the axes are [T, N, K]."""
    return currents.double().mean(1)


def averages_over_classes(currents: Tensor) -> Tensor:
    """You took the mean over the classes. Time comes first here: the axes are [T, N, K]."""
    return currents.double().mean(2)


def averages_everything(currents: Tensor) -> Tensor:
    """You took the mean over everything. Only the steps, the first axis, are averaged: one logit an image and class."""
    return currents.double().mean()


def takes_the_largest_step(currents: Tensor) -> Tensor:
    """You took each logit's largest step. A single step is a rough sketch; their mean is the answer."""
    return currents.double().amax(0)


def returns_the_class(currents: Tensor) -> Tensor:
    """You return the class. Asked for are the logits: all K of them, for each image."""
    return currents.double().mean(0).argmax(-1)


def takes_a_softmax(currents: Tensor) -> Tensor:
    """You return probabilities. Asked for are the logits, before any softmax."""
    return currents.double().mean(0).softmax(-1)


def _channel(draw: Random) -> tuple[float, float, Norm]:
    weight, bias, beta, mean = (draw.choice([-1, 1]) * draw.randint(1, 16) / 8 for _ in range(4))
    gamma, var = draw.choice([-1.5, 0.5, 2.0, 3.0]), draw.randint(1, 32) / 8
    return weight, bias, Norm(gamma, beta, mean, var, draw.choice([0.125, 0.25, 0.5]))


def _activations(draw: Random) -> tuple[Tensor, float]:
    lowest = draw.choice([-160, 1])  # with zeros, and without
    values = [max(0.0, draw.randint(lowest, 640) / 64) for _ in range(20)]
    return torch.tensor(values).reshape(draw.choice([4, 5]), -1), draw.choice([55.0, 70.0, 85.0, 92.5])


def _readout(draw: Random) -> tuple[Tensor]:
    T, images, classes = draw.sample([2, 3, 4, 5], 3)
    return (torch.tensor(eighths(draw, T * images * classes, -2, 3)).reshape(T, images, classes),)


_CURRENTS = torch.tensor([[[0.75, -1.5], [2.0, 0.5]], [[1.5, 0.25], [-1.0, 1.0]], [[0.0, -0.5], [0.5, 1.5]]])

EXERCISES = {
    "03.1": Exercise(
        folded,
        [
            (0.5, 0.25, Norm(2.0, -0.5, 0.75, 4.0, 0.125)),
            (-1.5, -0.5, Norm(0.5, 0.25, -0.25, 0.0625, 0.001)),
            (1.0, 0.5, Norm(-1.5, 1.0, 2.0, 0.0001, 0.001)),
        ],
        _channel,
        [
            forgets_eps,
            adds_eps_after_the_root,
            divides_by_the_variance,
            forgets_the_mean,
            forgets_gamma_in_the_bias,
            forgets_gamma,
            drops_the_old_bias,
            leaves_the_old_bias_unscaled,
            forgets_beta,
            adds_the_mean,
            scales_beta_too,
            multiplies_by_the_deviation,
            swaps_the_two,
        ],
        "Batch norm has gone into the layer, and no spike will ever have to pass through it.",
        entries=("as number",),
    ),
    "03.2": Exercise(
        threshold_of,
        [
            (torch.tensor([[0.0, 0.0, 1.0, 2.0], [0.0, 8.0, 3.0, 0.0], [0.0, 0.5, 0.0, 0.25]]), 75.0),
            (torch.tensor([[0.0, 1.0, 0.0, 0.25, 0.5], [0.0, 0.0, 2.0, 4.0, 1.5]]), 90.0),
        ],
        _activations,
        [
            leaves_zeros_out,
            takes_percent_for_share,
            takes_the_largest,
            takes_a_share_of_the_largest,
            averages_over_images,
            averages_largest_over_images,
            sees_the_last_image_only,
            averages_while_running,
            one_a_feature,
            averages_over_features,
            counts_from_the_top,
            takes_a_value_that_is_there,
        ],
        "All values count once, whatever image they come from and in whatever order: a threshold anyone can repeat.",
    ),
    "03.3": Exercise(
        logits_from,
        [(_CURRENTS,), (_CURRENTS[:, :1] * 0.5 - 0.25,)],
        _readout,
        [
            counts_spikes,
            counts_spikes_without_mean,
            cuts_negative_logits,
            cuts_negative_currents,
            takes_the_sum,
            takes_the_last_step,
            averages_over_images_not_steps,
            averages_over_classes,
            averages_everything,
            takes_the_largest_step,
            returns_the_class,
            takes_a_softmax,
        ],
        "The readout is not a spiking layer, so negative logits survive, and the first step already counts.",
        entries=("for image", "class"),
    ),
}
