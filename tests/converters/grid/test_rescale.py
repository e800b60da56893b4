"""Rescale: the sum of rounded terms as its equation says it, however few passes it takes."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab import convert
from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.grid import Rescale
from snnlab.converters.grid import nodes as grid_nodes
from snnlab.neurons import IF, SNM, BurstIF


def plainly(rescale: Rescale, *xs: Tensor) -> Tensor:
    """sum_k round(ratio_k x_k / step_k) step_k + offset, in float64."""
    total = torch.zeros((), dtype=torch.float64) if rescale.offset is None else rescale.offset
    for k, x in enumerate(xs):
        ratio, step = rescale.term(k)
        total = total + (x.double() if ratio is None else (x.double() * (ratio / step)).round() * step)
    return total


@st.composite
def sums(draw: st.DrawFn) -> tuple[Rescale, list[Tensor]]:
    """A sum of one to three terms: currents as they are, spikes or currents with a ratio, in any order."""
    seed = draw(st.integers(0, 2**31))
    make = torch.Generator().manual_seed(seed)
    shape = (draw(st.integers(1, 6)), draw(st.integers(1, 3)), 5, 4)
    terms = draw(
        st.lists(st.sampled_from(["as it is", "one spike", "spikes", "current"]), min_size=1, max_size=3)
    )
    ratios, steps, xs, single = [], [], [], set()
    for k, term in enumerate(terms):
        step = torch.tensor(2.0 ** -draw(st.integers(8, 40)), dtype=torch.float64)
        each = shape[1:] if draw(st.booleans()) else ()
        ratio = 4 * torch.rand(each, generator=make, dtype=torch.float64) - 2
        low, high = draw(st.sampled_from([(0, 1), (-1, 1)])) if term == "one spike" else (-5, 5)
        whole = torch.randint(low, high + 1, shape, generator=make).to(memory_format=torch.channels_last)
        ratios.append(None if term == "as it is" else ratio)
        steps.append(step)
        xs.append(whole.float() / 2**9 if term in ("as it is", "current") else whole.to(torch.int8))
        if term == "one spike":
            single.add(k)
    offset = torch.tensor(0.5 + 2.0**-9, dtype=torch.float64) if draw(st.booleans()) else None
    rescale = Rescale(ratios, steps, offset, narrow=draw(st.booleans()))
    rescale.single = frozenset(single)
    return rescale, xs


@given(sums(), st.sampled_from([20, 100, 2**16]))
@settings(max_examples=150, deadline=None)
def test_a_sum_is_what_its_equation_says(found: tuple[Rescale, list[Tensor]], cached: int) -> None:
    rescale, xs = found
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid_nodes, "CACHED", cached)
        given_before = [x.clone() for x in xs]
        wanted = plainly(rescale, *xs)
        assert torch.equal(rescale(*xs), wanted.float() if rescale.narrow else wanted)
        assert all(map(torch.equal, xs, given_before)), "an input was written to"


class Shortcut(nn.Module):
    """Two activations whose sum, in a third's unit, needs a ratio."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.act1, self.act2 = nn.ReLU(), nn.ReLU()
        self.last = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        before = self.act1(self.first(x))
        return self.last(self.act2(before + self.second(before)).mean((2, 3)))


@pytest.mark.parametrize(("neuron", "sends_one"), [(IF, True), (SNM, True), (BurstIF, False)])
def test_a_ratio_is_rounded_once_only_where_no_more_than_one_spike_comes(neuron, sends_one: bool) -> None:
    torch.manual_seed(0)
    method = replace(CATALOGUE["max_norm"], neuron=neuron)
    snn = convert(Shortcut().eval(), method, torch.rand(16, 1, 8, 8), 4, progress=False)
    assert snn.grid is not None
    found = [node.kind for node in snn.grid.nodes if isinstance(node.kind, Rescale) and node.kind.terms == 2]
    assert [bool(kind.single) for kind in found] == [sends_one]
