"""SNN: a converted network, which people will treat as the module that it is."""

import copy
from collections.abc import Callable
from typing import Any, NoReturn, Self

import torch
from torch import Tensor, nn

from snnlab.converters.graph import Graph
from snnlab.converters.graph.unroll import Plan, Unroll
from snnlab.converters.methods import Method
from snnlab.datasets.given import Given, images_of
from snnlab.files.language import padded, said, wide
from snnlab.neurons import IF
from snnlab.neurons.door import door

FEW, STEPS = 32, 1024
"""Images at a time, at most, where a network is simply called, and steps of all of them together."""


class SNN(nn.Module):
    """A converted network: layers and neurons in activation units, and the same on the grid it runs on.

    Attributes:
        graph: the traced network with a neuron at each site, activation units.
        grid: the same network as the simulator computes it, exactly; None if exact=False.
        method, T: what it was converted with and for.
        rows: each layer of the ANN, what it was, what became of it.
        example: [1, ...], an image's shape, filled with the calibration images' largest value.
    """

    @door
    def __init__(
        self,
        graph: Graph,
        grid: Graph | None,
        method: Method,
        T: int,
        rows: list[tuple[str, ...]],
        example: Tensor,
    ) -> None:
        super().__init__()
        self.graph, self.grid, self.method, self.T = graph, grid, method, T
        self.rows, self.example = rows, example
        self.eval()

    @door
    def forward(self, images: Given) -> Tensor:
        """The mean output of self.T steps for images [B, ...], as `simulate` gives it, without a gradient."""
        taken = images_of(images, "images", None)
        check_images(self, taken)
        plan, batches = Plan(self.runs), taken.to(self.device).split(max(1, min(FEW, STEPS // self.T)))
        with torch.inference_mode():
            outputs = [Unroll(plan, plan.static(few), self.T).run(_send) for few in batches]
            mean = torch.cat([output.double().sum(0) for output in outputs]) / self.T
        return mean.clone()

    @property
    def runs(self) -> Graph:
        """What a simulation runs: the grid, if there is one."""
        return self.graph if self.grid is None else self.grid

    @property
    def bits(self) -> int | None:
        """Of a weight on the grid that meets spikes; None without a grid."""
        return None if self.grid is None else self.grid.bits

    @property
    def device(self) -> torch.device:
        """Where it is, and runs."""
        return next(self.graph.buffers()).device

    @door
    def train(self, mode: bool = True) -> Self:
        """Nothing changes: a spiking network has no training mode."""
        return super().train(False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Moves to a device; a change of precision is refused, whichever method asks for it."""
        for dtype in (torch.float32, torch.float64):
            if fn(torch.zeros(1, dtype=dtype)).dtype != dtype:
                raise ValueError(
                    "a spiking network's numbers lie on a grid, each in the precision it needs, so that nothing is "
                    "rounded: leave them; .to(device) moves it, simulate(..., dtype=torch.float64) computes in float64"
                )
        return super()._apply(fn, recurse)

    def __copy__(self) -> "SNN":
        return SNN(self.graph, self.grid, self.method, self.T, self.rows, self.example)

    def __deepcopy__(self, memo: dict[int, Any]) -> "SNN":
        graph, grid = copy.deepcopy(self.graph, memo), copy.deepcopy(self.grid, memo)
        return SNN(graph, grid, self.method, self.T, list(self.rows), self.example.clone())

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise ValueError(
            "a spiking network is not pickled, since a pickle can run any code: snnlab.exchange.saving.save(snn, path) "
            "writes it, and load(ann, path) reads it"
        )

    @property
    def latency(self) -> int:
        """Steps from the first input to the last output: T, and T more for each layer that looks ahead."""
        return self.T * (1 + sum(neuron.looks_ahead for neuron in self.sites.values()))

    @property
    def sites(self) -> dict[str, IF]:
        """The neurons by name, in order, activation units."""
        return self.graph.sites  # type: ignore[return-value]

    def summary(self) -> str:
        """A table: each layer of the ANN, and what became of it."""
        widths = [max(wide(row[k]) for row in self.rows) for k in range(2)]
        lines = ["  ".join([*map(padded, row[:2], widths), row[2]]) for row in self.rows]
        method, name = self.method, said(self.method.title)
        title = f"{method.name}: {name} ({method.paper}, {method.year}), T = {self.T}"
        return "\n".join([title, "", *lines])


@door
def check_images(snn: SNN, images: Tensor, name: str = "images") -> None:
    """Whether images are what the network was converted for. Raises: ValueError that says what they are."""
    wanted, given = list(snn.example.shape[1:]), list(images.shape)
    if given[1:] == wanted and given[0] > 0:
        return
    hint = ""
    if given == wanted:
        hint = ": a single image needs a batch axis, image[None]"
    elif given[2:] == wanted:
        hint = ": frames of events are no image; take one, or their mean over time"
    shape = ", ".join(["N", *map(str, wanted)])
    raise ValueError(f"{name} has shape {given}, but the network was converted for images [{shape}]{hint}")


def _send(_: str, neuron: IF, current: Tensor) -> Tensor:
    return neuron(current)[0]
