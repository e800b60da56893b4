"""Every kind of layer passes one battery: exact on the grid, close to the ANN, synapses counted, kept in files."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.converters.graph.battery import CHECKS, Case
from tests.converters.graph.layers import LAYERS

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel"),
]  # PyTorch's own, of the ANN


@cache
def case(name: str) -> Case:
    return Case(name)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_layer(name: str, check: Callable[[Case], None]) -> None:
    check(case(name))
