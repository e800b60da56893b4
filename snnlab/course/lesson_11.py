# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 11, latency and energy: what its notebook does not show."""

from snnlab.course.lessons import Answer, Exercise

ANSWERS = {
    "11.1": Answer(
        "about a third",
        "A neuron sends about 1.4 spikes in eight steps, each an addition where the ANN multiplies and adds: "
        "1.6 times as "
        "many operations, at a fifth of the price.",
        {
            "about the same": "eight steps, eight times the work? Only where there is a spike, and an addition "
            "is cheap.",
            "about a hundredth": "so the slogans have it. The operations are not that rare, and not that cheap.",
        },
    ),
    "11.2": Answer(
        "5.1",
        "4.6 / 0.9: for that many additions one can multiply and add once. It does not matter in how many steps "
        "they come.",
        {
            "0.9": "that is the price of an addition in pJ.",
            "as many as there are steps": "the steps cost nothing by themselves. Spikes do.",
        },
    ),
    "11.3": Answer(
        "about seven times as much",
        "With 8 bits a multiplication with addition costs 0.23 pJ, a quarter of one addition in 32-bit floating "
        "point. "
        "Both sides must be counted in the same arithmetic.",
        {
            "less": "an addition is cheaper than a multiplication, in the same arithmetic. These are two.",
            "about the same": "it would be, if spikes were seven times rarer.",
        },
    ),
}


def operations(spikes: list[float], fanout: list[int]) -> float:
    """sum of spikes times fan-out."""
    return sum(s * f for s, f in zip(spikes, fanout, strict=True))


def forgets_the_fanout(spikes: list[float], fanout: list[int]) -> float:
    """You count spikes. Each causes an addition at every synapse that it reaches."""
    return sum(spikes)


def counts_silent_synapses(spikes: list[float], fanout: list[int]) -> float:
    """You count the synapses, whether a spike comes or not. That is what an ANN does."""
    return float(sum(fanout))


def counts_a_neuron_once(spikes: list[float], fanout: list[int]) -> float:
    """You count a neuron that has fired once, however often it fired."""
    return float(sum(f for s, f in zip(spikes, fanout, strict=True) if s))


def takes_the_mean_fanout(spikes: list[float], fanout: list[int]) -> float:
    """You multiply by the mean fan-out. Neurons at the border reach fewer synapses: count each by itself."""
    return sum(spikes) * sum(fanout) / len(fanout)


def ratio(a: float, b: float, c: float, mac: float, add: float) -> float:
    """(c mac + (b - c) add) / (a mac)."""
    return (c * mac + (b - c) * add) / (a * mac)


def adds_everything(a: float, b: float, c: float, mac: float, add: float) -> float:
    """The first layer sees an image, not spikes: its c operations are multiplications."""
    return b * add / (a * mac)


def counts_the_first_layer_twice(a: float, b: float, c: float, mac: float, add: float) -> float:
    """The first layer's operations are among the b: take them out before they are priced as additions."""
    return (c * mac + b * add) / (a * mac)


def forgets_the_price_of_the_ann(a: float, b: float, c: float, mac: float, add: float) -> float:
    """The ANN's operations have a price, too."""
    return (c * mac + (b - c) * add) / a


def is_upside_down(a: float, b: float, c: float, mac: float, add: float) -> float:
    """That is the ANN's energy over the spiking network's: turn it round."""
    return a * mac / (c * mac + (b - c) * add)


EXERCISES = {
    "11.1": Exercise(
        operations,
        [([2.0, 0.0, 1.0], [9, 9, 4]), ([0.0, 3.0], [10, 20]), ([1.0, 1.0, 4.0, 0.0], [4, 6, 6, 9])],
        [forgets_the_fanout, counts_silent_synapses, counts_a_neuron_once, takes_the_mean_fanout],
        "So the count depends on the images, and a blank one costs next to nothing.",
    ),
    "11.2": Exercise(
        ratio,
        [
            (3000.0, 2500.0, 1000.0, 4.6, 0.9),
            (1000.0, 1500.0, 100.0, 0.23, 0.03),
            (500.0, 800.0, 0.0, 4.0, 1.0),
        ],
        [adds_everything, counts_the_first_layer_twice, forgets_the_price_of_the_ann, is_upside_down],
        "Equation 18 of Xiong et al. is this one; (1 - c / b) b there is b - c.",
    ),
}
