"""Poisson coding: Bernoulli spikes of each pixel, the same bits everywhere, and equal to a slow loop over steps."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab import Method, convert, simulate
from snnlab.converters.choices.potentials import half
from snnlab.converters.graph import walk
from snnlab.converters.snn import SNN
from snnlab.datasets import Split
from snnlab.neurons import OffsetSpikeIF, State
from snnlab.simulators.coding import Poisson
from snnlab.simulators.energy import FLOAT32, Layer, Technology, measure
from snnlab.simulators.errors import PARTS, anatomy

pytestmark = pytest.mark.usefixtures("one_thread")


def images(n: int = 20, signed: bool = False) -> Tensor:
    made = torch.rand(n, 2, 6, 6, generator=torch.Generator().manual_seed(7))
    return 2 * made - 1 if signed else made


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 5, 3), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(5, 4)).eval()


def converted(method: str | Method = "opi", T: int = 33, *, signed: bool = False, exact: bool = True) -> SNN:
    return convert(network(), method, images(signed=signed), T, exact=exact, progress=False)


def sent(x: Tensor, largest: float, T: int, seed: int) -> Tensor:
    """Every draw on its own: image after image, step after step, pixel after pixel. [T, N, ...]"""
    steps = torch.zeros(T, *x.shape)
    for number, image in enumerate(x):
        draw = np.random.Philox(key=np.array([seed, number], np.uint64))
        for t in range(T):
            for place, pixel in enumerate(image.flatten().tolist()):
                uniform = (int(draw.random_raw()) >> 11) / 2**53
                if uniform < abs(pixel) / largest:
                    steps[t, number].view(-1)[place] = largest if pixel > 0 else -largest
    return steps


def plain_loop(snn: SNN, frames: Tensor) -> Tensor:
    """The mean output: every layer in every step."""
    states: dict[str, State] = {}
    total = torch.zeros((), dtype=torch.float64)

    def step(name: str, neuron: nn.Module, current: Tensor) -> Tensor:
        output, states[name] = neuron.step(current, states.get(name) or neuron.start(current))  # type: ignore[operator]
        return output

    with torch.inference_mode():
        for frame in frames:
            total = total + walk(snn.runs, frame, step).double()
    return total / len(frames)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("method", ["max_norm", "opi", "snm"])
def test_a_slow_loop_over_steps_gives_the_same_bits(method: str, signed: bool) -> None:
    snn, few = converted(method, 9, signed=signed), images(3, signed)
    frames = sent(few, float(images(signed=signed).abs().max()), 9, seed=5)
    assert torch.equal(simulate(snn, few, coding="poisson", seed=5).output, plain_loop(snn, frames))
    assert ((frames < 0).any() == signed) and (frames > 0).any()


def test_the_same_bits_whatever_chunk_batch_layout_threads_and_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snn = converted()
    whole = simulate(snn, images(), record=["1", "4"], coding="poisson", seed=2)

    def same(x: Tensor | None = None, **how: object) -> bool:
        shown = images().contiguous(memory_format=torch.channels_last) if x is None else x
        run = simulate(snn, shown, record=["1", "4"], coding="poisson", seed=2, **how)  # type: ignore[arg-type]
        traces = zip(run.traces.values(), whole.traces.values(), strict=True)
        equal = all(torch.equal(a.v, b.v) and torch.equal(a.output.double(), b.output) for a, b in traces)
        return (
            equal
            and torch.equal(run.output, whole.output)
            and torch.equal(run.predictions, whole.predictions)
        )

    assert same(images()) and same(images().transpose(2, 3).contiguous().transpose(2, 3))
    assert same(chunk=1) and same(chunk=5) and same(chunk=33) and same(dtype=torch.float64, chunk=2)
    for batch in (1, 7):
        monkeypatch.setattr("snnlab.simulators.simulation.BATCH", batch)
        assert same() and same(dtype=torch.float64, chunk=4)
    torch.set_num_threads(3)
    assert same()


def test_an_image_sends_the_same_whatever_comes_after_it_and_a_run_the_same_whatever_its_length() -> None:
    snn = converted()
    long = simulate(snn, images(), 33, coding="poisson")
    assert torch.equal(simulate(snn, images(4), 33, coding="poisson").output, long.output[:4])
    assert torch.equal(simulate(snn, images(), 8, coding="poisson").predictions, long.predictions[:8])


def test_without_the_grid_the_same_spikes_come_in() -> None:
    """What is summed may round there, but what the pixels send may not."""
    runs = [
        simulate(converted(exact=exact), images(), coding="poisson", seed=3, dtype=torch.float64)
        for exact in (True, False)
    ]
    assert torch.allclose(runs[0].output, runs[1].output, atol=0.05) and not torch.equal(
        runs[0].output, simulate(converted(exact=False), images(), coding="poisson", seed=4).output
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**63 - 1), st.booleans(), st.floats(0.25, 4.0))
def test_the_mean_is_the_image_and_its_variance_that_of_the_binomial(
    seed: int, signed: bool, largest: float
) -> None:
    """Of 72 pixels of 5 images no mean lies 6 standard deviations off, and the squares come to one each."""
    x, T = largest * images(5, signed), 400
    frames = Poisson(largest, seed).steps(x, 0)(T)
    p = x.abs().double() / largest
    off = (frames.double().mean(0) - x) / largest
    variance = p * (1 - p) / T
    assert bool((off.abs() < 6 * variance.sqrt() + 1e-6).all())
    assert abs(float((off.square() / variance.clamp(min=1e-9)).mean()) - 1) < 0.6
    assert set(frames.unique().tolist()) <= {0.0, *(x.sign() * largest).unique().tolist()}


def test_more_steps_bring_the_output_to_that_of_the_image() -> None:
    snn = converted(T=2048)
    with torch.no_grad():
        target = network()(images()).double()
    off = [
        float((simulate(snn, images(), T, coding="poisson").output - target).abs().max() / target.abs().max())
        for T in (32, 2048)
    ]
    assert off[1] < off[0] / 4 and off[1] < 0.06
    steady = float((simulate(snn, images(), 32).output - target).abs().max() / target.abs().max())
    assert steady < off[0]


def test_a_pixel_beyond_the_calibrations_largest_sends_in_every_step_and_a_dark_one_never() -> None:
    bright = torch.tensor([[0.0, 0.5, 1.0, 1.5, -3.0]])
    frames = Poisson(1.0, 0).steps(bright, 0)(200)[:, 0]
    assert frames[:, 0].count_nonzero() == 0 and 60 < frames[:, 1].count_nonzero() < 140
    assert bool((frames[:, 2:] == torch.tensor([1.0, 1.0, -1.0])).all())
    snn = converted()
    largest = float(images().max())
    beyond = images(3).where(images(3) < 0.5, largest * 3)
    limited = beyond.clamp(max=largest)
    outputs = [simulate(snn, x, coding="poisson").output for x in (beyond, limited)]
    assert torch.equal(*outputs) and not torch.equal(*(simulate(snn, x).output for x in (beyond, limited)))


def test_a_calibration_of_black_images_leaves_a_spike_of_size_one() -> None:
    snn = convert(network(), "max_norm", torch.zeros(4, 2, 6, 6), 4, progress=False)
    assert torch.isfinite(simulate(snn, images(3), coding="poisson").output).all()


def test_the_seed_changes_the_spikes_of_the_poisson_coding_and_nothing_else() -> None:
    snn = converted()
    outputs = [
        simulate(snn, images(), coding="poisson", seed=seed).output for seed in (0, 1, 2**63 - 1, 2**63 - 2)
    ]
    assert all(not torch.equal(a, b) for k, a in enumerate(outputs) for b in outputs[:k])
    assert torch.equal(simulate(snn, images(), seed=1).output, simulate(snn, images()).output)
    assert torch.equal(outputs[1], simulate(snn, images(), coding="poisson", seed=np.int64(1)).output)  # type: ignore[arg-type]
    twice = torch.stack([images(1)[0]] * 2)
    first, second = simulate(snn, twice, coding="poisson").output
    assert not torch.equal(first, second), "two images share their draws"


def test_the_global_random_state_is_left_alone() -> None:
    snn, before = converted(), torch.get_rng_state()
    simulate(snn, images(), coding="poisson")
    assert torch.equal(torch.get_rng_state(), before)


def test_neurons_that_look_ahead_see_the_whole_train() -> None:
    method = Method("own", "own", "nobody", 2026, v0=half, neuron=OffsetSpikeIF, depends_on_T=True)
    snn = converted(method, 12)
    run = simulate(snn, images(), coding="poisson")
    assert torch.equal(
        run.output, simulate(snn, images(), coding="poisson", dtype=torch.float64, chunk=12).output
    )
    assert not torch.equal(run.output, simulate(snn, images()).output)


def test_a_maximum_of_what_changes_is_refused_by_the_layers_name() -> None:
    torch.manual_seed(0)
    pooled = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2)
    ).eval()
    snn = convert(pooled, "opi", images(), 4, progress=False)
    simulate(snn, images(2))
    with pytest.raises(ValueError, match=r"layer '2' is MaxPool2d.*poisson.*average pool"):
        simulate(snn, images(2), coding="poisson")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"coding": "Poisson"}, "coding = 'Poisson', but it must be one of 'constant', 'poisson'"),
        ({"coding": None}, "coding = None"),
        ({"coding": "poisson", "seed": -1}, "seed = -1.*0 or more"),
        ({"coding": "poisson", "seed": 0.5}, "seed = 0.5.*whole number"),
        ({"coding": "poisson", "seed": True}, "seed = True.*whole number"),
        ({"coding": "poisson", "seed": 2**63}, r"seed = 9223372036854775808.*whole number below 2\^63"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_a_bad_coding_or_seed_is_named(how: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(converted(T=4), images(2), **how)


# --- what counts and what loses, with the same spikes


def reached(layer: nn.Conv2d, row: int, column: int) -> int:
    """How many outputs one input reaches, by the loops of a convolution."""
    (height, width), (pad, _) = layer.kernel_size, layer.padding  # type: ignore[misc]
    side = 6 + 2 * pad - height + 1  # type: ignore[operator]
    hits = 0
    for i in range(side):
        for j in range(side):
            hits += (0 <= row + pad - i < height) and (0 <= column + pad - j < width)  # type: ignore[operator]
    return hits * layer.out_channels


@pytest.mark.parametrize("signed", [False, True])
def test_with_spikes_for_pixels_every_synapse_of_the_first_layer_is_counted_and_no_product(
    signed: bool,
) -> None:
    snn, few, T = converted(T=6, signed=signed), images(3, signed), 6
    frames = sent(few, float(images(signed=signed).abs().max()), T, seed=1)
    first: nn.Conv2d = network()[0]  # type: ignore[assignment]
    by_hand = sum(reached(first, *place[3:]) for place in frames.nonzero().tolist()) / len(few)
    found = measure(snn, few, coding="poisson", seed=1, progress=False)
    assert (
        found.layers["0"] == Layer(6 * 36 * 2 * 9, 0, 0, pytest.approx(by_hand))
        and found.layers["0"].fed_by == "spikes"
    )
    run = simulate(snn, few, coding="poisson", seed=1)
    assert {name: found.spikes[name] / found.neurons[name] / T for name in found.spikes} == pytest.approx(
        run.firing_rate
    )
    assert found.snn(Technology(1000.0, 0.0)) == 0 and found.snn(FLOAT32) == pytest.approx(
        0.9 * found.sops / 1000
    )
    steady = measure(snn, few, progress=False)
    assert (
        steady.layers["0"].sops == 0
        and steady.layers["0"].macs == steady.layers["0"].image == found.layers["0"].macs
    )
    assert found.macs == steady.macs


def test_the_count_does_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    snn = converted(T=6)
    whole = measure(snn, images(), coding="poisson", progress=False)
    monkeypatch.setattr("snnlab.simulators.energy.BATCH", 7)
    assert measure(snn, images(), coding="poisson", progress=False) == whole
    assert measure(snn, images(), coding="poisson", seed=1, progress=False) != whole
    with pytest.raises(ValueError, match="coding = 'rate'"):
        measure(snn, images(), coding="rate")  # type: ignore[arg-type]


def test_the_anatomy_is_that_of_the_run_with_the_same_spikes(monkeypatch: pytest.MonkeyPatch) -> None:
    snn = converted(T=16)
    run = simulate(snn, images(), coding="poisson", seed=3)
    labelled = Split(images(), run.predictions[-1])
    found = anatomy(network(), snn, labelled, coding="poisson", seed=3, progress=False)
    assert found.layers["4"].accuracy == 1, (
        "with all layers spiking it is the run, and these are its own answers"
    )
    assert {name: layer.firing_rate for name, layer in found.layers.items()} == pytest.approx(run.firing_rate)
    for layer in found.layers.values():
        assert sum(layer.means[part] for part in PARTS) == pytest.approx(
            layer.output - layer.activation, abs=1e-12
        )
    steady = anatomy(network(), snn, labelled, progress=False)
    assert steady.layers["1"].sizes["inherited"] < 1e-5 < found.layers["1"].sizes["inherited"]
    assert steady.layers["1"].sizes["unevenness"] == 0 < found.layers["1"].sizes["unevenness"]
    monkeypatch.setattr("snnlab.simulators.errors.BATCH", 7)
    again = anatomy(network(), snn, labelled, coding="poisson", seed=3, progress=False)
    assert again.layers["4"].distance == pytest.approx(found.layers["4"].distance)
