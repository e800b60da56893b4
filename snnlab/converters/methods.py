"""Method: five choices with a name and a paper.

A method says what, never how: `convert` reads the declaration and knows no method.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from snnlab.converters.choices.potentials import half, offset_rule, zero
from snnlab.converters.choices.site import Correction, Rule
from snnlab.converters.choices.thresholds import largest, trained
from snnlab.converters.choices.tuning import Tuning
from snnlab.neurons import IF
from snnlab.neurons.door import check_fields, shown


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
        tuning: what is tuned at the end, once the whole network spikes; it needs labelled images.
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
    tuning: Tuning | None = None
    depends_on_T: bool = False

    def __post_init__(self) -> None:
        if callable(self.corrections):
            raise ValueError("corrections is a function, but it must be a tuple: write (correction,)")
        check_fields(self)
        if not self.name.isidentifier():
            raise ValueError(
                f"name = {shown(self.name)}, but a method's name has letters, digits and underscores only"
            )
        object.__setattr__(self, "corrections", tuple(self.corrections))
        rules = {name: getattr(self, name) for name in ("activation", "threshold", "v0", "neuron")}
        rules |= {f"corrections[{k}]": correction for k, correction in enumerate(self.corrections)}
        for name, rule in (rules | ({} if self.tuning is None else {"tuning": self.tuning})).items():
            if not callable(rule):
                raise ValueError(
                    f"{name} = {shown(rule)}, but it must be a function or a class, not its result"
                )

    @property
    def needs(self) -> str:
        """What must be at hand before the conversion, in words."""
        network = f"a network trained with {_name(self.activation)}"
        if self.tuning is not None:
            return f"{network}; labelled calibration images"
        images = self.threshold is not trained or self.v0 not in (zero, half, offset_rule) or self.corrections
        return f"{network}; {'calibration images' if images else 'one image, for the shapes'}"

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
            "tuning": _name(self.tuning) if self.tuning else None,
            "needs": self.needs,
            "depends_on_T": self.depends_on_T,
        }


def _name(choice: Any) -> str:
    return getattr(choice, "__name__", repr(choice))
