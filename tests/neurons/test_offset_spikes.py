"""The neuron that looks ahead, against a plain loop."""

import pytest
import torch

from snnlab.neurons import IF, OffsetSpikeIF


def offset_plain(z: list[float], theta: float, v0: float) -> tuple[list[int], float]:
    v, spikes, peaks = v0, [], []
    for now in z:
        v += now
        peaks.append(v)
        spikes.append(1 if v >= theta else 0)
        v -= theta * spikes[-1]
    if v < 0 and sum(spikes):
        lowest = min(p for p, s in zip(peaks, spikes, strict=True) if s)
        return spikes, v0 - max(theta, lowest - theta + 1e-4 * theta)
    if v >= theta and sum(spikes) < len(z):
        highest = max(p for p, s in zip(peaks, spikes, strict=True) if not s)
        return spikes, v0 + max(theta, theta + 1e-4 * theta - highest)
    return spikes, v0


@pytest.mark.parametrize("steps", [1, 2, 7, 16])
def test_offset_spikes_are_mended_as_a_plain_loop_mends_them(steps: int) -> None:
    draw = torch.Generator().manual_seed(steps)
    z = torch.randn(steps, 400, generator=draw, dtype=torch.float64)
    theta = 0.2 + torch.rand(400, generator=draw, dtype=torch.float64)
    output, _ = OffsetSpikeIF(theta, theta / 2)(z)
    for lane in range(400):
        current, level = z[:, lane].tolist(), float(theta[lane])
        start = offset_plain(current, level, level / 2)[1]
        assert (output[:, lane] / level).round().tolist() == offset_plain(current, level, start)[0]
    even = ((z.sum(0) + theta / 2) / theta).floor().clamp(0, steps)
    exact = [float(((k(theta, theta / 2)(z)[1].count) == even).double().mean()) for k in (IF, OffsetSpikeIF)]
    assert exact[1] > exact[0] or exact[0] == 1.0


def test_a_peak_far_above_the_threshold_is_moved_past_it_not_onto_it() -> None:
    """v = 3 fires, v = -1.5 is left: less charge by exactly 2 would put the peak on the threshold, where it fires."""
    z = torch.tensor([[2.5], [-3.5]], dtype=torch.float64)
    assert IF(1.0, 0.5)(z)[1].count.item() == 1 and OffsetSpikeIF(1.0, 0.5)(z)[1].count.item() == 0
