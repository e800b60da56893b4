"""Networks out of all kinds, at random: traced, put on the grid, and run like a plain loop, to the last bit.

`make test` tries a hundred; SNNLAB_EXAMPLES=2000 in the environment, more.
"""

import os

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snnlab import convert, simulate
from snnlab.converters.graph import trace, walk
from tests.converters.graph.plain import on_the_grid
from tests.converters.graph.wild import SHAPE, STEPS, Step, Wild

pytestmark = pytest.mark.usefixtures("one_thread")

T = 3
EXAMPLES = int(os.environ.get("SNNLAB_EXAMPLES", "120"))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS, st.integers(0, 1000), st.sampled_from(["max_norm", "opi", "snm", "calibration_light"]))
def test_a_random_network_is_traced_and_runs_like_a_plain_loop(
    steps: list[Step], seed: int, method: str
) -> None:
    ann = Wild(steps, seed).eval()
    x = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        expected = Wild(steps, seed).eval().double()(x.double())
        got = walk(trace(ann, x.double()), x.double())
    assert torch.allclose(got, expected, rtol=0, atol=1e-6 * float(expected.abs().max()) + 1e-12)
    snn = convert(ann, method, x, T, progress=False)
    logits = simulate(snn, x).logits
    assert torch.equal(logits, on_the_grid(snn, x, T))
    assert torch.equal(logits, simulate(snn, x, dtype=torch.float64, chunk=2).logits)
