# ruff: noqa: ARG001 # a mistake often lies in ignoring an argument
"""Lesson 11, latency and energy: what its notebook does not show."""

from random import Random

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
        section=2,
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
        section=4,
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


def adds_them(spikes: list[float], fanout: list[int]) -> float:
    """You add spikes and synapses. Each spike is heard at each synapse: multiply."""
    return sum(spikes) + sum(fanout)


def multiplies_the_sums(spikes: list[float], fanout: list[int]) -> float:
    """You multiply all spikes by all synapses. A spike reaches only the synapses of its own neuron."""
    return sum(spikes) * sum(fanout)


def takes_the_largest_fanout(spikes: list[float], fanout: list[int]) -> float:
    """You give every neuron the largest fan-out. Neurons at the border reach fewer synapses: count each by itself."""
    return sum(spikes) * max(fanout)


def takes_the_mean(spikes: list[float], fanout: list[int]) -> float:
    """You return the mean over the neurons. Asked for is the sum."""
    return operations(spikes, fanout) / len(spikes)


def gives_each_neuron(spikes: list[float], fanout: list[int]) -> list[float]:
    """You return a number for each neuron. Asked for is their sum."""
    return [s * f for s, f in zip(spikes, fanout, strict=True)]


def counts_firing_neurons(spikes: list[float], fanout: list[int]) -> float:
    """You count the neurons that fired. Count what they cause: spikes times fan-out."""
    return float(sum(s > 0 for s in spikes))


def returns_in_the_loop(spikes: list[float], fanout: list[int]) -> float:
    """You return after the first neuron: `return` stands inside the loop. Move it to the left, behind the loop."""
    return spikes[0] * fanout[0]


def takes_the_last_neuron(spikes: list[float], fanout: list[int]) -> float:
    """You keep the last neuron only: each pass of your loop overwrites the one before. Add them up."""
    return spikes[-1] * fanout[-1]


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


def multiplies_everywhere(a: float, b: float, c: float, mac: float, add: float) -> float:
    """You price every operation as a MAC. A spike's operation is an addition."""
    return b / a


def swaps_the_prices(a: float, b: float, c: float, mac: float, add: float) -> float:
    """You swapped the prices: the first layer multiplies and adds, the others add."""
    return (c * add + (b - c) * mac) / (a * mac)


def forgets_the_first_layer(a: float, b: float, c: float, mac: float, add: float) -> float:
    """You leave the first layer out. It costs c MACs."""
    return (b - c) * add / (a * mac)


def counts_the_first_layer_only(a: float, b: float, c: float, mac: float, add: float) -> float:
    """You count the first layer only. The other b - c operations are additions."""
    return c / a


def prices_the_ann_as_additions(a: float, b: float, c: float, mac: float, add: float) -> float:
    """You price the ANN's operations as additions. Each is a MAC."""
    return (c * mac + (b - c) * add) / (a * add)


def takes_the_difference(a: float, b: float, c: float, mac: float, add: float) -> float:
    """You return a difference of energies. Asked for is their ratio."""
    return c * mac + (b - c) * add - a * mac


def gives_percent(a: float, b: float, c: float, mac: float, add: float) -> float:
    """You return percent. Asked for is the ratio itself."""
    return 100 * ratio(a, b, c, mac, add)


def returns_the_energy(a: float, b: float, c: float, mac: float, add: float) -> float:
    """You return the spiking network's energy. Divide by the ANN's."""
    return c * mac + (b - c) * add


def _layer(draw: Random) -> tuple[list[float], list[int]]:
    size = draw.randint(3, 5)
    return [float(draw.randint(0, 5)) for _ in range(size)], [draw.randint(1, 12) for _ in range(size)]


def _counts(draw: Random) -> tuple[float, float, float, float, float]:
    first = draw.randint(1, 9) * 100.0
    return draw.randint(2, 40) * 100.0, first + draw.randint(1, 40) * 100.0, first, *draw.choice(PRICES)


PRICES = [(4.6, 0.9), (0.23, 0.03), (3.0, 0.5)]

EXERCISES = {
    "11.1": Exercise(
        operations,
        [([2.0, 0.0, 1.0], [9, 9, 4]), ([0.0, 3.0], [10, 20]), ([1.0, 1.0, 4.0, 0.0], [4, 6, 6, 9])],
        _layer,
        [
            forgets_the_fanout,
            counts_silent_synapses,
            counts_a_neuron_once,
            takes_the_mean_fanout,
            adds_them,
            multiplies_the_sums,
            takes_the_largest_fanout,
            takes_the_mean,
            gives_each_neuron,
            counts_firing_neurons,
            returns_in_the_loop,
            takes_the_last_neuron,
        ],
        "So the count depends on the images, and a blank one costs next to nothing.",
    ),
    "11.2": Exercise(
        ratio,
        [
            (3000.0, 2500.0, 1000.0, 4.6, 0.9),
            (1000.0, 1500.0, 100.0, 0.23, 0.03),
            (500.0, 800.0, 0.0, 4.0, 1.0),
        ],
        _counts,
        [
            adds_everything,
            counts_the_first_layer_twice,
            forgets_the_price_of_the_ann,
            is_upside_down,
            multiplies_everywhere,
            swaps_the_prices,
            forgets_the_first_layer,
            counts_the_first_layer_only,
            prices_the_ann_as_additions,
            takes_the_difference,
            gives_percent,
            returns_the_energy,
        ],
        "Equation 18 of Xiong et al. is this one; (1 - c / b) b there is b - c.",
    ),
}
