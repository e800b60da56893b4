"""Method: five choices with a name and a paper; and the catalogue of those that are published.

A method says what, never how: `convert` reads the declaration and knows no method.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from snnlab.activations import QCFS
from snnlab.neurons import IF
from snnlab.potentials import half, offset_rule, zero
from snnlab.site import Correction, Rule
from snnlab.thresholds import largest, percentile, trained


@dataclass(frozen=True)
class Method:
    """A way to turn an ANN into a spiking network, as five choices.

    Attributes:
        name: what the user types, letters, digits and underscores.
        title, paper, year: what it is called, and who published it.
        activation: the module type that the ANN must have been trained with.
        threshold, v0: rules from a Site to a tensor.
        corrections: what is mended layer by layer once the neuron stands, in this order.
        neuron: the kind of neuron, called with (threshold, v0).
        depends_on_T: whether a conversion is for one T only.
    """

    name: str
    title: str
    paper: str
    year: int
    activation: Callable[[], nn.Module] = nn.ReLU
    threshold: Rule = largest
    v0: Rule = zero
    corrections: tuple[Correction, ...] = ()
    neuron: Callable[..., IF] = IF
    depends_on_T: bool = False

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(
                f"name = {self.name!r}, but a method's name has letters, digits and underscores only"
            )

    @property
    def needs(self) -> str:
        """What must be at hand before the conversion, in words."""
        network = f"a network trained with {_name(self.activation)}"
        images = self.threshold is not trained or self.v0 not in (zero, half, offset_rule) or self.corrections
        return f"{network}; {'calibration images' if images else 'no calibration images'}"

    def describe(self) -> dict[str, Any]:
        """The declaration as plain text and numbers, as `snnlab methods --json` prints it."""
        return {
            "name": self.name,
            "title": self.title,
            "paper": self.paper,
            "year": self.year,
            "activation": _name(self.activation),
            "threshold": _name(self.threshold),
            "v0": _name(self.v0),
            "corrections": [_name(correction) for correction in self.corrections],
            "neuron": _name(self.neuron),
            "needs": self.needs,
            "depends_on_T": self.depends_on_T,
        }


def _name(choice: Any) -> str:
    return getattr(choice, "__name__", repr(choice))


CATALOGUE: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="max_norm",
            title="MaxNorm: the largest activation is the threshold",
            paper="Diehl et al., Fast-classifying, high-accuracy spiking deep networks, IJCNN",
            year=2015,
        ),
        Method(
            name="robust_norm",
            title="RobustNorm: the 99.9th percentile of the activations is the threshold",
            paper="Rueckauer et al., Conversion of continuous-valued deep networks, Front. Neurosci. 11:682",
            year=2017,
            threshold=percentile(99.9),
        ),
        Method(
            name="opi",
            title="OPI: start at half the threshold, on RobustNorm's thresholds",
            paper="Bu et al., Optimized potential initialization, AAAI",
            year=2022,
            threshold=percentile(99.9),
            v0=half,
        ),
        Method(
            name="qcfs",
            title="QCFS: trained with a quantised, clipped activation, whose upper end is the threshold",
            paper="Bu et al., Optimal ANN-SNN conversion for high-accuracy and ultra-low-latency SNNs, ICLR",
            year=2022,
            activation=QCFS,
            threshold=trained,
            v0=half,
        ),
    )
}


def find(method: str | Method) -> Method:
    """The method of that name, or the one given. Raises: ValueError with the names there are."""
    if isinstance(method, Method):
        return method
    if method not in CATALOGUE:
        raise ValueError(
            f"method = {method!r}, but it is one of {', '.join(CATALOGUE)}, or a Method of your own"
        )
    return CATALOGUE[method]
