"""What a parameter of a report may be: annotations for a notebook's parameters cell.

    T: Steps = 16  # time steps
    share: Annotated[float, Range(0, 1)] = 0.5  # of the images

papermill reads annotations without brackets only, so a name for each stands here; one's own are assigned in a cell
above.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, Field

Item = TypeVar("Item")


def Range(low: float, high: float) -> Any:
    """From low to high, both included."""
    return Field(ge=low, le=high)


@dataclass(frozen=True)
class OneOf:
    """A word of a table of the kit's, which is imported when a value is checked, and not before.

    Attributes:
        room, table: where it stands. words: how a list of parameters names it.
    """

    room: str
    table: str
    words: str

    def names(self) -> tuple[str, ...]:
        """The words there are."""
        return tuple(getattr(import_module(self.room), self.table))


@dataclass(frozen=True)
class Named:
    """One of a few words, or a name that a function of the kit's knows, which is imported for that and not before.

    Attributes:
        few: the words. words: how a list of parameters names all there may be.
        room, call: the function; it raises ValueError that says what is wrong with a name.
    """

    few: tuple[str, ...]
    words: str
    room: str
    call: str

    def check(self, name: str) -> None:
        """Raises: ValueError for a name that is neither."""
        if name not in self.few:
            getattr(import_module(self.room), self.call)(name)


def _rising(values: Sequence[Item]) -> list[Item]:
    rising = sorted(values)  # type: ignore[type-var]
    if any(one == other for one, other in pairwise(rising)):
        raise ValueError("a value stands there twice")
    return rising


Rising = AfterValidator(_rising)
"""A list of different values, in their order."""

Data = Literal["digits", "mnist", "fashion_mnist", "cifar10", "cifar100"]
Network = Literal["cnn", "resnet"]
OwnData = Annotated[
    str,
    Named(
        get_args(Data), f"one of {', '.join(get_args(Data))}, or a FOLDER of class folders",
        "snnlab.studies.named", "check_images",
    ),
]  # fmt: skip
OwnNetwork = Annotated[
    str,
    Named(
        get_args(Network),
        "cnn or resnet; FILE.safetensors of `snnlab train`, one that ships (resnet20-relu), or your module:function",
        "snnlab.studies.named", "network_kind",
    ),
]  # fmt: skip
Side = Annotated[int, Range(0, 1024)]
Coding = Literal["constant", "poisson"]
Neuron = Annotated[str, OneOf("snnlab.neurons", "NEURONS", "one of `snnlab.neurons.NEURONS`")]
Method = Annotated[
    str, OneOf("snnlab.converters.catalogue", "CATALOGUE", "a name that `snnlab methods` lists")
]
Steps = Annotated[int, Range(1, 1024)]
SeveralSteps = Annotated[list[Steps], Field(min_length=1, json_schema_extra={"uniqueItems": True}), Rising]
Levels = Annotated[int, Range(1, 256)]
Epochs = Annotated[int, Range(1, 1000)]
Images = Annotated[int, Range(0, 10_000)]
Seed = Annotated[int, Range(0, 2**31 - 1)]
Threads = Annotated[int, Range(1, 64)]
Threshold = Annotated[float, Range(0.01, 100)]
Share = Annotated[float, Range(-10, 10)]
Input = Annotated[float, Range(-1000, 1000)]
PaperData = Literal["cifar10"]
PaperNetwork = Literal["resnet20", "vgg16"]
PaperSteps = Annotated[int, Range(2, 128)]
