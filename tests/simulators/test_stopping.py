"""Stopping early: a certain class is that of the full run, whatever the network; a likely one is told as such."""

from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab import CATALOGUE, Method, convert, datasets, networks, simulate, training
from snnlab.converters.catalogue import PUBLISHED
from snnlab.converters.choices import half, percentile
from snnlab.converters.graph.unroll import Plan
from snnlab.converters.snn import SNN
from snnlab.neurons import IF, SNM, BurstIF, ZeroThresholdIF
from snnlab.simulators import stopping
from snnlab.simulators.run import Run

DATA = datasets.load("digits")
STOPPING = [name for name in CATALOGUE if name in PUBLISHED and not CATALOGUE[name].neuron().looks_ahead]
NEURONS: dict[str, type[IF]] = {
    "IF": IF, "burst": BurstIF, "SNM": SNM, "zero threshold": ZeroThresholdIF,
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("one_thread")


@cache
def trained(name: str, activation: type[nn.Module]) -> nn.Module:
    ann: nn.Module = {"cnn": networks.cnn, "resnet": networks.resnet}[name](activation)
    return training.fit(ann, DATA.train[:800], epochs=8)


@cache
def converted(name: str, method: str, T: int) -> SNN:
    ann = trained(name, CATALOGUE[method].activation)
    return convert(ann, method, DATA.calibration[:48], T, progress=False)


def own(neuron: str) -> Method:
    return Method(
        name="own", title="own", paper="nobody", year=2026, threshold=percentile(90), v0=half, neuron=NEURONS[neuron]
    )  # fmt: skip


@pytest.mark.parametrize("name", ["cnn", "resnet"])
@pytest.mark.parametrize("method", STOPPING)
def test_a_certain_class_is_that_of_the_full_run(method: str, name: str) -> None:
    T = 13
    snn, few = converted(name, method, T), DATA.test[:60]
    full, run = simulate(snn, few), simulate(snn, few, stop="certain")
    assert torch.equal(run.predictions[-1], full.predictions[-1])
    assert_it_is_a_part(run, full)


def assert_it_is_a_part(run: Run, full: Run) -> None:
    """Up to where each image ended nothing is different, and afterwards its class stays."""
    T, images = full.predictions.shape
    after = torch.arange(1, T + 1)[:, None]
    held = full.predictions.gather(0, after.minimum(run.steps) - 1)
    assert run.steps.shape == (images,) and run.steps.dtype == torch.int64 and run.T == T
    assert bool(((run.steps >= 1) & (run.steps <= T)).all()) and torch.equal(run.predictions, held)


def test_the_network_with_wide_margins_stops_early() -> None:
    """So that the tests of equality are not of runs that never stop."""
    for method in ("opi", "snm", "qcfs"):
        steps = simulate(converted("cnn", method, 13), DATA.test[:60], stop="certain").steps
        assert steps.double().mean() < 12.9


class Drives(nn.Module):
    """A ReLU for each pixel, and a readout of given weights."""

    def __init__(self, weights: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.relu, self.fc = nn.ReLU(), nn.Linear(weights.shape[1], weights.shape[0])
        self.fc.weight.data, self.fc.bias.data = weights, bias

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.relu(x))


NUMBERS = st.sampled_from([0.0, 0.25, -0.25, 1.0, -1.0, 1.0000001, 0.1, -3.0, 7.5])


@st.composite
def readouts(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor]:
    """Near ties, equal rows, negative weights, large biases; images that drive some neurons hard, others not at all."""
    classes, inputs = draw(st.integers(2, 4)), draw(st.integers(1, 4))
    rows = [draw(st.lists(NUMBERS, min_size=inputs, max_size=inputs)) for _ in range(classes)]
    bias = draw(st.lists(NUMBERS, min_size=classes, max_size=classes))
    if draw(st.booleans()):
        rows[-1], bias[-1] = rows[0], bias[0]
    pixels = st.lists(st.floats(-0.5, 1.5, width=16), min_size=inputs, max_size=inputs)
    images = draw(st.lists(pixels, min_size=3, max_size=6))
    return torch.tensor(rows), torch.tensor(bias), torch.tensor(images)


def slowest(snn: SNN, image: Tensor, T: int) -> tuple[list[int], int]:
    """The class after each step, and the first step after which it was certain: one number at a time, in whole units.

    The neuron's potential is run in float64 and the readout's weights are taken from the grid.
    """
    grid: Any = snn.grid
    (neuron,), layer = grid.sites.values(), grid.result.kind.layer
    W, b = layer.weight.double().tolist(), layer.bias.double().tolist()
    site = next(node for node in grid.nodes if node.site)
    fed = Plan(grid).static(image[None])[site.inputs[0]]
    state, L, classes, certain = None, [0.0] * len(b), [], 0
    for t in range(1, T + 1):
        output, state = neuron(fed[None], state)
        s = output[0, 0].double().tolist()
        for c, row in enumerate(W):
            L[c] += b[c] + sum(w * x for w, x in zip(row, s, strict=True))
        k = max(range(len(L)), key=lambda c: (L[c], -c))
        classes.append(k)
        if not certain and all(safe(L, W, b, k, c, T - t, neuron) for c in range(len(b)) if c != k):
            certain = t
    return classes, certain


def safe(L: list[float], W: list[list[float]], b: list[float], k: int, c: int, left: int, neuron: IF) -> bool:
    """Whether class c stays behind k even if each neuron does in each step left what is best for c."""
    best = b[c] - b[k]
    for w_c, w_k in zip(W[c], W[k], strict=True):
        best += max((w_c - w_k) * s for s in range(neuron.least_spikes, neuron.max_spikes + 1))
    margin = L[k] - L[c] - left * best
    return margin > 0 or (margin == 0 and k < c)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(readouts(), st.sampled_from(sorted(NEURONS)), st.integers(1, 9), st.sampled_from([24, 15, 8]))
def test_readouts_made_to_deceive(
    readout: tuple[Tensor, Tensor, Tensor], neuron: str, T: int, bits: int
) -> None:
    weights, bias, pictures = readout
    snn = convert(Drives(weights, bias), own(neuron), pictures.abs() + 0.1, T, bits=bits, progress=False)
    full, run = simulate(snn, pictures), simulate(snn, pictures, stop="certain")
    assert torch.equal(run.predictions[-1], full.predictions[-1])
    assert_it_is_a_part(run, full)
    for n, image in enumerate(pictures):
        classes, certain = slowest(snn, image, T)
        assert full.predictions[:, n].tolist() == classes
        assert certain <= int(run.steps[n]), "it must not stop before it can be known"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(readouts(), st.sampled_from(sorted(NEURONS)), st.integers(2, 9), st.randoms(use_true_random=False))
def test_no_train_of_spikes_can_undo_a_certain_class(
    readout: tuple[Tensor, Tensor, Tensor], neuron: str, T: int, random: Any
) -> None:
    """The rule itself, on trains that no image need make: after it says so, the worst that can come changes nothing."""
    weights, bias, pictures = readout
    snn = convert(Drives(weights, bias), own(neuron), pictures.abs() + 0.1, T, progress=False)
    rule, kind = stopping.Certain(snn, T), NEURONS[neuron]
    layer: Any = snn.runs.result.kind
    train = [[random.randint(kind.least_spikes, kind().max_spikes) for _ in weights[0]] for _ in range(T)]
    sums = layer(torch.tensor(train, dtype=torch.float64)).double().cumsum(0)
    for t in range(T - 1):
        if not bool(rule(sums[t][None, None], t)):
            continue
        k = int(sums[t].argmax())
        for c in range(len(bias)):
            difference = (layer.layer.weight[c] - layer.layer.weight[k]).double()
            least = torch.full_like(difference, kind.least_spikes)
            worst = torch.where(difference > 0, torch.full_like(difference, kind().max_spikes), least)
            end = sums[t] + (T - 1 - t) * layer(worst[None])[0].double()
            assert int(end.argmax()) == k


class Heads(nn.Module):
    """Readouts that are linear, but no single layer: an average and a layer, the other way round, two added."""

    def __init__(self, head: str) -> None:
        super().__init__()
        self.head, self.conv = head, nn.Conv2d(1, 6, 3, padding=1)
        self.fc, self.wide, self.point = nn.Linear(6, 4), nn.Linear(6 * 64, 4), nn.Conv2d(6, 4, 1)
        self.one = nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = torch.relu(self.conv(x))
        mean = first.mean((2, 3))
        if self.head == "average":
            return self.fc(mean)
        if self.head == "odd average":
            return self.fc(F.avg_pool2d(first, 3, 2).mean((2, 3)))
        if self.head == "layer, average":
            return self.point(first).mean((2, 3))
        if self.head == "two heads":
            return 0.3 * self.fc(mean) + self.wide(first.flatten(1))
        if self.head == "neurons at the end":
            return torch.relu(self.fc(mean))
        return self.one(mean) if self.head == "one logit" else self.one(mean).flatten()


HEADS = (
    "average", "odd average", "layer, average", "two heads", "neurons at the end", "one logit", "one number",
)  # fmt: skip


def headed(head: str, method: str | Method = "snm", T: int = 20, **options: Any) -> tuple[SNN, Tensor]:
    torch.manual_seed(5)
    pictures = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(7))
    ann = Heads(head).eval()
    return convert(ann, method, pictures, T, progress=False, **options), pictures


@pytest.mark.parametrize("neuron", ["IF", "zero threshold"])
@pytest.mark.parametrize("head", HEADS)
def test_any_linear_readout(head: str, neuron: str) -> None:
    for bits in (24, 8):
        snn, pictures = headed(head, own(neuron), bits=bits)
        full, run = simulate(snn, pictures), simulate(snn, pictures, stop="certain")
        assert torch.equal(run.predictions[-1], full.predictions[-1])
        assert_it_is_a_part(run, full)


@pytest.mark.parametrize("head", HEADS)
def test_the_bound_is_of_what_the_network_computes(head: str) -> None:
    """No step of any run gains more than the rule allows, also where thresholds differ and an average is rounded."""
    snn, pictures = headed(head)
    gain = stopping.Certain(snn, 20).gain
    sums = torch.stack([simulate(snn, pictures, t).output * t for t in range(1, 21)])
    steps = stopping.among_classes(torch.diff(sums, dim=0, prepend=torch.zeros_like(sums[:1])))
    gained = (steps[..., None, :] - steps[..., :, None]).flatten(0, 1).amax(0)  # [k, c]
    assert bool((gained <= gain + 1e-9).all()) and float(gained.abs().amax()) > 0


@pytest.mark.parametrize("stop", ["certain", 0.6])
def test_chunks_batches_and_threads_change_nothing(stop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    snn, few = converted("resnet", "signed_calibrated", 13), DATA.test[:50]
    whole = simulate(snn, few, stop=stop)

    def same(run: Run) -> bool:
        return (
            torch.equal(run.steps, whole.steps)
            and torch.equal(run.predictions, whole.predictions)
            and torch.equal(run.output, whole.output)
            and run.firing_rate == pytest.approx(whole.firing_rate, rel=1e-12)
        )

    assert all(same(simulate(snn, few, stop=stop, chunk=chunk)) for chunk in (1, 4, 13))
    assert same(simulate(snn, few, stop=stop, dtype=torch.float64))
    monkeypatch.setattr("snnlab.simulators.simulation.BATCH", 7)
    assert same(simulate(snn, few, stop=stop))
    torch.set_num_threads(3)
    assert same(simulate(snn, few, stop=stop))


@pytest.mark.parametrize("method", ["opi", "snm", "ca_lif", "snm_counter"])
@pytest.mark.parametrize("exact", [True, False])
def test_outputs_and_spikes_are_those_up_to_the_stop(method: str, exact: bool) -> None:
    ann, few, T = trained("cnn", CATALOGUE[method].activation), DATA.test[:30], 13
    snn = convert(ann, method, DATA.calibration[:48], T, exact=exact, progress=False)
    run = simulate(snn, few, stop=0.5, dtype=torch.float64)
    assert len(run.steps.unique()) > 1, "they stop at different steps"
    spikes = dict.fromkeys(run.firing_rate, 0.0)
    for t in run.steps.unique().tolist():
        which = run.steps == t
        alone = simulate(snn, few.images[which], t, dtype=torch.float64)
        assert torch.allclose(run.output[which], alone.output, rtol=0, atol=0 if exact else 1e-9)
        for name, rate in alone.firing_rate.items():
            spikes[name] += rate * t * int(which.sum())
    wanted = {name: count / int(run.steps.sum()) for name, count in spikes.items()}
    assert run.firing_rate == pytest.approx(wanted, rel=1e-9)


def test_poisson_spikes_are_the_same_for_an_image_whoever_left_before() -> None:
    snn, few = converted("cnn", "opi", 13), DATA.test[:40]
    full = simulate(snn, few, coding="poisson", seed=3)
    for stop in ("certain", 0.7):
        run = simulate(snn, few, coding="poisson", seed=3, stop=stop)
        assert_it_is_a_part(run, full)
    assert run.steps.amin() < 13


def test_a_share_stops_where_the_softmax_reaches_it() -> None:
    snn, few, T = converted("cnn", "opi", 13), DATA.test[:40], 13
    run = simulate(snn, few, stop=0.5)
    sums = torch.stack([simulate(snn, few, t).output * t for t in range(1, T + 1)])
    likely = torch.softmax(sums / T, -1).amax(-1) >= 0.5
    likely[-1] = True
    assert torch.equal(run.steps, likely.byte().argmax(0) + 1)
    slower = simulate(snn, few, stop=0.8).steps
    assert bool((slower >= run.steps).all()) and slower.sum() > run.steps.sum()


def test_without_a_stop_every_image_takes_all_steps() -> None:
    assert simulate(converted("cnn", "opi", 13), DATA.test[:5]).steps.tolist() == [13] * 5


@pytest.mark.parametrize(
    "stop", ["soon", "", 0, 1, 1.5, -0.1, True, False, float("nan"), float("inf"), [0.9], b"x"]
)
def test_a_stop_that_is_none_is_refused(stop: Any) -> None:
    with pytest.raises(ValueError, match=r"stop = .*'certain', a share between 0 and 1"):
        simulate(converted("cnn", "opi", 13), DATA.test[:2], stop=stop)


def test_what_cannot_stop_is_named() -> None:
    few, opi = DATA.test[:4], converted("cnn", "opi", 13)
    with pytest.raises(ValueError, match=r"stop = 0.9 with record"):
        simulate(opi, few, stop=0.9, record="conv1.act")
    ahead = convert(
        trained("cnn", CATALOGUE["cos"].activation), "cos", DATA.calibration[:32], 4, progress=False
    )
    with pytest.raises(ValueError, match=r"'conv1.act' looks ahead over all 4 steps.*leave stop out"):
        simulate(ahead, few, stop="certain")
    rough = convert(trained("cnn", nn.ReLU), "opi", DATA.calibration[:32], 4, exact=False, progress=False)
    with pytest.raises(ValueError, match=r"exact=False.*or give a share"):
        simulate(rough, few, stop="certain")
    assert simulate(rough, few, stop=0.9).steps.shape == (4,)


class Aside(nn.Module):
    """A readout that also sees the image; or a map."""

    def __init__(self, map_: bool) -> None:
        super().__init__()
        self.map_, self.conv, self.fc = map_, nn.Conv2d(1, 3, 3, padding=1), nn.Linear(64 * 3, 3)
        self.past = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        first = torch.relu(self.conv(x))
        return self.conv(first[:, :1]) if self.map_ else self.fc(first.flatten(1)) + self.past(x.flatten(1))


def test_a_readout_that_cannot_be_bounded_is_named() -> None:
    few = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    aside = convert(Aside(False).eval(), "opi", few, 6, progress=False)
    with pytest.raises(ValueError, match=r"also takes in 'past.*', which does not spike"):
        simulate(aside, few, stop="certain")
    assert simulate(aside, few, stop=0.4).steps.shape == (4,)
    places = convert(Aside(True).eval(), "opi", few, 6, progress=False)
    for stop in ("certain", 0.9):
        with pytest.raises(ValueError, match=r"one class for an image, but the output is \[N, 3, 8, 8\]"):
            simulate(places, few, stop=stop, class_axis=1)


def test_equal_rows_are_told_apart_by_their_order_at_once() -> None:
    """Two classes that are equal in every step tie for ever, and the lower one wins: nothing is left to wait for."""
    pictures, bias = torch.ones(2, 2), torch.zeros(3)
    snn = convert(
        Drives(torch.tensor([[-3.0, -3.0], [1, 1], [1, 1]]), bias), own("IF"), pictures, 12, progress=False
    )
    run = simulate(snn, pictures, stop="certain")
    assert run.predictions[-1].tolist() == [1, 1] and int(run.steps.amax()) < 4


@pytest.mark.parametrize("neuron", [*sorted(NEURONS), "a threshold for each neuron"])
@pytest.mark.parametrize("head", HEADS)
def test_the_worst_step_gains_what_the_bound_says(head: str, neuron: str) -> None:
    """The network's own nodes on the worst spikes for each pair of classes: within the bound, and close to it."""
    snn, _ = headed(head, own(neuron) if neuron in NEURONS else "snm")
    kind = NEURONS.get(neuron, SNM)
    rule, readout = stopping.Certain(snn, 20), stopping._Readout(snn)
    weights, *_ = readout.affine()
    rows = torch.cat([torch.zeros_like(weights), weights]) if len(weights) == 1 else weights
    ends = kind.least_spikes, kind().max_spikes
    for k in range(len(rows)):
        for c in range(len(rows)):
            least, most = (torch.full_like(rows[c], end) for end in ends)
            worst = torch.where(rows[c] > rows[k], most, least)
            parts = torch.split(worst, [readout.silence[site.name].numel() for site in readout.sites])
            spikes = [
                p.reshape(readout.silence[s.name].shape) for p, s in zip(parts, readout.sites, strict=True)
            ]
            y = readout._run(spikes, lambda kind, *xs: kind(*xs)).double()[None, None]
            y = stopping.among_classes(y)[0, 0]
            gained, allowed = float(y[c] - y[k]), float(rule.gain[k, c])
            assert gained <= allowed + float(rule.slack[k, c]) and gained >= allowed - 1e-3 * (
                1 + abs(allowed)
            )
