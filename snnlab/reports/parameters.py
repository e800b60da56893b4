"""The parameters of each report: declared here, and checked before anything is started.

papermill would only warn of a parameter that it does not know, and take `007` for 7.
"""

import contextlib
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from snnlab import datasets
from snnlab.converters.catalogue import CATALOGUE
from snnlab.files import short
from snnlab.neurons.door import door
from snnlab.simulators.coding import Coding
from snnlab.studies.papers import NETWORKS


class ParameterError(ValueError):
    """A parameter that cannot be: says its name, what was given and what is allowed, in one line."""


Value = str | int | list[int]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a report: a choice of words, a whole number from low to high, or a list of such numbers.

    Attributes:
        name, default: as in the notebook's parameters cell; the default's type is the parameter's: a list is written
            [1,2,4], and holds different numbers.
        help: what it is, for a list of parameters.
        choices: the words allowed, for a word.
        low, high: the range, for a number, both included.
    """

    name: str
    default: Value
    help: str
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 0

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if isinstance(self.default, list):
            return f"a list of different whole numbers from {self.low} to {self.high}, written [1,2,4]"
        return f"a whole number from {self.low} to {self.high}"

    @door
    def parse(self, text: str) -> Value:
        """The value that a text from the command line stands for. Raises: ParameterError."""
        if self.choices:
            if text in self.choices:
                return text
            raise ParameterError(f"{self._given(text)}{_meant(text, self.choices)}")
        return self._list(text) if isinstance(self.default, list) else self._number(text)

    def _list(self, text: str) -> list[int]:
        inside = re.fullmatch(r"\[\s*([0-9,\s]{1,1000}?)\s*\]", text, re.ASCII)
        parts = re.split(r"\s*,\s*", inside[1]) if inside else []
        if not parts or not all(re.fullmatch(r"0|[1-9][0-9]{0,17}", part) for part in parts):
            raise ParameterError(self._given(text))
        numbers = [int(part) for part in parts]
        if len(set(numbers)) < len(numbers) or not all(self.low <= n <= self.high for n in numbers):
            raise ParameterError(self._given(text))
        return sorted(numbers)

    def _number(self, text: str) -> int:
        if not re.fullmatch(r"0|-?[1-9][0-9]*", text):
            raise ParameterError(f"{self._given(text)}{self._written(text)}")
        if len(text) > 18 or not self.low <= int(text) <= self.high:
            raise ParameterError(self._given(text))
        return int(text)

    def _given(self, text: str) -> str:
        return f"parameter {self.name!r} is {short(text)}, but must be {self.allowed}"

    def _written(self, text: str) -> str:
        """How to write a number that was written some other way."""
        with contextlib.suppress(ValueError, OverflowError):
            if (number := float(text)) == int(number) and self.low <= number <= self.high:
                return f", in digits: {int(number)}"
        return ""


REPORTS: dict[str, tuple[Parameter, ...]] = {
    "conversion": (
        Parameter("data", "digits", "the images", choices=datasets.NAMES),
        Parameter("network", "cnn", "the network to train", choices=("cnn", "resnet")),
        Parameter("method", "qcfs", "how it is converted", choices=tuple(CATALOGUE)),
        Parameter("T", 16, "time steps", low=1, high=1024),
        Parameter("coding", "constant", "how an image is shown to the network", choices=get_args(Coding)),
        Parameter(
            "levels", 8, "steps of the activation, if the method trains a quantised one", low=1, high=256
        ),
        Parameter("epochs", 12, "passes over the training images", low=1, high=1000),
        Parameter("images", 0, "test images, 0 for all", low=0, high=10000),
        Parameter(
            "seed", 0, "of the weights, the order of training and the pixels' spikes", low=0, high=2**31 - 1
        ),
        Parameter("threads", 1, "of training; another number moves the last digits", low=1, high=64),
    ),
    "comparison": (
        Parameter("data", "digits", "the images", choices=datasets.NAMES),
        Parameter("network", "cnn", "the network to train", choices=("cnn", "resnet")),
        Parameter("T", [1, 2, 4, 8, 16, 32], "time steps to compare at", low=1, high=1024),
        Parameter("levels", 8, "steps of the activations that round", low=1, high=256),
        Parameter(
            "epochs", 12, "passes over the training images; fine-tuning takes its share", low=1, high=1000
        ),
        Parameter("images", 0, "test images, 0 for all", low=0, high=10000),
        Parameter("seed", 0, "of the weights and the order of training", low=0, high=2**31 - 1),
        Parameter("threads", 1, "of training; another number moves the last digits", low=1, high=64),
    ),
    "papers": (
        Parameter("data", "cifar10", "the images", choices=("cifar10",)),
        Parameter("network", "resnet20", "which of the networks that ship", choices=tuple(NETWORKS)),
        Parameter("images", 0, "test images to run now; 0 shows the run that ships", low=0, high=10000),
        Parameter("T_max", 128, "the most time steps", low=2, high=128),
    ),
}


@door
def check(report: str, given: Mapping[str, str]) -> dict[str, Value]:
    """All parameters of a report, in their order, from the texts that are given.

    Args:
        report: a key of REPORTS.
        given: parameter to text; what is left out has its default.
    Raises: ParameterError that names the parameter, what was given and what is allowed.
    """
    if report not in REPORTS:
        meant = _meant(report, tuple(REPORTS))
        raise ParameterError(f"report is {short(report)}, but must be one of {', '.join(REPORTS)}{meant}")
    known = {parameter.name: parameter for parameter in REPORTS[report]}
    for name in given:
        if name not in known:
            meant = _meant(name, tuple(known))
            raise ParameterError(f"there is no parameter {short(name)}, but {', '.join(known)}{meant}")
    return {name: p.parse(given[name]) if name in given else p.default for name, p in known.items()}


def _meant(text: str, words: tuple[str, ...]) -> str:
    """`; did you mean 'qcfs'?`, or nothing."""
    plain = {re.sub(r"[^a-z0-9]", "", word.lower()): word for word in words}
    near = difflib.get_close_matches(re.sub(r"[^a-z0-9]", "", text.lower()[:80]), plain, n=1)
    return f"; did you mean {plain[near[0]]!r}?" if near else ""
