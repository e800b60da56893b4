"""Integer sums give what float32 gives, to the last bit, or are not used; the bits are the same on every path."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab import convert, networks, simulate
from snnlab.converters.catalogue import CATALOGUE
from snnlab.converters.graph import Weighted
from snnlab.converters.grid import planes
from snnlab.converters.grid.planes import ONE, SPIKES, TWO, Few, Packed, Pair, _two
from snnlab.neurons import IF, SNM, BurstIF, ZeroThresholdIF

IMAGES = torch.randn(12, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("pair", [*SPIKES.values(), Pair(128, 1, 0, TWO)])
def test_every_whole_weight_is_two_bytes(pair: Pair) -> None:
    whole = torch.arange(-pair.most, pair.most + 1, dtype=torch.float64)
    a, b = _two(whole, pair)
    assert torch.equal(pair.f * a + pair.g * b, whole)
    for byte in (a, b):
        assert torch.equal(byte, byte.round()) and byte.min() >= -128 and byte.max() <= 127


@st.composite
def layers(draw: st.DrawFn) -> tuple[Weighted, Few, Tensor]:
    """A layer on a grid, what is known of its inputs, and some."""
    low, high = draw(st.sampled_from([(0, 1), (-1, 1), (0, 4), (-4, 4), (0, 64), (0, 127)]))
    largest = draw(st.sampled_from([3, ONE, ONE + 1, 5_000, TWO, 16_256, 100_000, 1_500_000]))
    step = 2.0 ** -draw(st.integers(0, 6))
    torch.manual_seed(draw(st.integers(0, 2**16)))
    inputs, outputs = draw(st.sampled_from([8, 12, 16])), draw(st.sampled_from([1, 5, 16]))
    grain = 2.0 ** torch.randint(-12, 3, (outputs,)).double()
    size = (3, 3) if draw(st.booleans()) else ()
    whole = torch.randint(-largest, largest + 1, (outputs, inputs, *size)).double()
    scale = (grain / step).reshape(-1, *(1 for _ in whole.shape[1:]))
    bias = (torch.randint(-999, 1000, (outputs,)).double() * grain).float() if draw(st.booleans()) else None
    options = {
        "stride": draw(st.sampled_from([1, (2, 1)])),
        "padding": draw(st.sampled_from([0, 1])),
        "dilation": 1,
    }
    call, options = ("conv2d", options | {"groups": 1}) if size else ("linear", {})
    layer = Weighted(call, (whole * scale).float(), bias, **options)
    n = torch.randint(low, high + 1, (3, inputs, *(7, 6)[: len(size)])).to(torch.int8)
    return layer, Few(step, low, high, grain), n


@settings(max_examples=150, deadline=None)
@given(layers())
def test_integers_give_what_float64_gives(found: tuple[Weighted, Few, Tensor]) -> None:
    layer, few, n = found
    exact = layer.with_weights(lambda weight: weight.double())(n.double() * few.step)
    whole = layer.weight.double() * few.step / layer.by_output(few.grain)
    most = torch.full_like(n[:1], few.high).double() * few.step
    sums = (
        layer.with_weights(lambda weight: weight.double()).bound(most).movedim(layer.channel, -1) / few.grain
    )
    if float(sums.amax()) >= 2**24:
        return  # no grid has such sums
    for x in (n, n.float() * few.step):
        given_layout = x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x
        for laid in (x, given_layout):
            y = Packed()(layer, few, laid)
            if y is None:  # sums of spikes are few numbers, but more than two call for two bytes at most
                assert (few.low, few.high) not in SPIKES and float(whole.abs().amax()) > TWO
                continue
            assert y.dtype == torch.float32 and torch.equal(y.double(), exact)


def network() -> nn.Module:
    torch.manual_seed(1)
    ann = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, 2, 1), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(12, 8, 3, padding=1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip
    return ann.eval()


def used(snn) -> int:
    """Layers that were computed in integers."""
    return sum(node.kind.packed.plan is not None for node in snn.grid.nodes if hasattr(node.kind, "packed"))


@pytest.mark.parametrize("bits", [8, 15, 24])
@pytest.mark.parametrize("method", sorted(name for name, m in CATALOGUE.items() if not m.tuning))
def test_all_paths_give_the_same_bits(method: str, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    declared = CATALOGUE[method]
    ann = networks.resnet(declared.activation, (3, 16, 16))
    snn = convert(ann.eval(), method, IMAGES[:8], 6, bits=bits, progress=False)
    runs = [simulate(snn, IMAGES, chunk=chunk) for chunk in ((None, 2) if snn.latency == 6 else (None,))]
    runs.append(simulate(snn, IMAGES, dtype=torch.float64))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    runs.append(simulate(snn, IMAGES.contiguous(memory_format=torch.channels_last)))
    torch.set_num_threads(threads)
    monkeypatch.setattr(planes, "_fits", lambda *_: False)
    runs.append(simulate(copy.deepcopy(snn), IMAGES))
    for neuron in snn.grid.sites.values():
        if neuron.room is not None:
            neuron.room = 0.0  # all potentials in float64
    runs.append(simulate(snn, IMAGES))
    for run in runs:
        assert torch.equal(run.output, runs[0].output) and run.firing_rate == runs[0].firing_rate


def test_a_small_network_uses_them_and_does_without_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    snn = convert(network(), "max_norm", IMAGES, 8, bits=15, progress=False)
    run = simulate(snn, IMAGES)
    assert used(snn) in (0, 3)  # 0 where this machine has no such operators

    def missing(*_: object) -> None:
        raise AttributeError("no such operator")

    monkeypatch.setattr(planes, "_Plan", missing)
    other = copy.deepcopy(snn)
    assert torch.equal(simulate(other, IMAGES).output, run.output) and used(other) == 0


def test_operators_that_differ_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """On some processor they may saturate: planted, and found at the first use."""
    right = planes._Call.__call__
    monkeypatch.setattr(planes._Call, "__call__", lambda call, x: right(call, x) * 1.5)
    snn = convert(network(), "max_norm", IMAGES, 8, bits=15, progress=False)
    assert used(snn) == 0
    simulate(snn, IMAGES)
    assert used(snn) == 0


def test_weights_that_change_are_packed_again() -> None:
    grain = torch.ones(8, dtype=torch.float64)
    layer = Weighted("linear", torch.randint(-100, 101, (8, 8)).float())
    packed, few, x = Packed(), Few(1.0, 0, 1, grain), torch.ones(2, 8, dtype=torch.int8)
    packed(layer, few, x)
    with torch.no_grad():
        layer.weight.add_(1)
    again = packed(layer, few, x)
    assert again is None or torch.equal(again, layer(x.float()))


KINDS = [IF, SNM, ZeroThresholdIF, lambda v0: BurstIF(1.0, v0, max_spikes=3)]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 10_000), st.floats(0.01, 200), st.integers(1, 40))
def test_a_potential_is_never_rounded(kind, seed: int, size: float, T: int) -> None:
    """In float32 where it fits, in float64 where it might not: a slow loop in float64 sends the same."""
    draw = torch.Generator().manual_seed(seed)
    step = 2.0**-14
    current = ((torch.randn(T, 3, 8, generator=draw) * size) / step).round().mul(step).float()
    neuron = kind(v0=0.5)
    neuron.room, neuron.most_current = step * 2**24, float(current.abs().amax())
    state, outputs = None, []
    for part in current.split(7):
        before = None if state is None else (state.v.clone(), state.count.clone())
        output, after = neuron(part, state)
        if state is not None and before is not None:
            assert torch.equal(state.v, before[0]) and torch.equal(state.count, before[1]), (
                "a state was changed"
            )
        outputs.append(output)
        state = after
    slow = kind(v0=0.5)
    wanted, end = slow._steps(current.double(), slow.start(current[0].double()), None)
    assert torch.equal(torch.cat(outputs).double(), wanted.double())
    assert torch.equal(state.v.double(), end.v) and torch.equal(state.count.double(), end.count)


def test_a_potential_beyond_float32_is_kept_in_float64() -> None:
    neuron = IF()
    neuron.room = 4.0
    assert neuron(torch.full((3, 1, 8), 0.25))[1].v.dtype == torch.float32
    assert neuron(torch.full((3, 1, 8), 0.5))[1].v.dtype == torch.float64


@pytest.mark.parametrize("size", [1.0, 37.0, 3e3])
def test_images_far_beyond_the_calibration_give_the_same_bits(size: float) -> None:
    snn = convert(network(), "max_norm", IMAGES, 8, bits=15, progress=False)
    first = list(snn.sites)[:1]
    run, wide = (
        simulate(snn, size * IMAGES, dtype=dtype, chunk=1, record=first)
        for dtype in (torch.float32, torch.float64)
    )
    assert torch.equal(run.output, wide.output) and torch.equal(run.decided, wide.decided)
    assert torch.equal(run.traces[first[0]].v, wide.traces[first[0]].v)
