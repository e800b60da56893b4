"""The simulator: equal to a plain loop over time steps, and equal to itself to the last bit in every arrangement."""

import resource
import sys

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab import Method, convert, simulate
from snnlab.converters.choices.potentials import half
from snnlab.converters.choices.site import Site
from snnlab.neurons import IF, OffsetSpikeIF
from snnlab.simulators.simulation import ALL_STEPS


class Residual(nn.Module):
    """Functional ReLUs, a reused one, a residual sum, average pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.relu, self.fc = nn.ReLU(), nn.Linear(6 * 16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv1(x))
        x = F.avg_pool2d(self.relu(self.conv2(x) + x), 2)
        return self.fc(torch.flatten(x, 1))


def network(seed: int = 0) -> Residual:
    torch.manual_seed(seed)
    return Residual().eval()


def images(n: int = 40) -> Tensor:
    return torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(7))


def plain_loop(ann: Residual, sites: dict[str, IF], x: Tensor, T: int) -> Tensor:
    """The same network, written out by hand: one step after the other. Returns the mean logits."""
    ann, x, states, total = ann.double(), x.double(), [None, None], 0
    first, second = sites["relu"].double(), sites["relu#2"].double()
    for _ in range(T):
        z = ann.conv1(x)
        s1, states[0] = first.step(z, states[0] or first.start(z))
        z = ann.conv2(s1) + s1
        s2, states[1] = second.step(z, states[1] or second.start(z))
        total = total + ann.fc(F.avg_pool2d(s2, 2).flatten(1))
    return total / T


@pytest.mark.parametrize("method", ["max_norm", "robust_norm", "opi"])
@pytest.mark.parametrize("T", [1, 7, 32])
def test_the_simulator_equals_the_plain_loop(method: str, T: int) -> None:
    snn = convert(network(), method, images(), T, exact=False)
    run = simulate(snn, images(), dtype=torch.float64)
    with torch.no_grad():
        expected = plain_loop(network(), snn.sites, images(), T)
    assert torch.allclose(run.logits, expected, rtol=0, atol=1e-12)


def test_the_same_bits_whatever_chunk_batch_layout_threads_and_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snn = convert(network(), "opi", images(), 33)
    whole = simulate(snn, images(), record=["relu", "relu#2"])

    def same(**how: object) -> bool:
        run = simulate(
            snn, images().contiguous(memory_format=torch.channels_last), record=["relu", "relu#2"], **how
        )
        traces = zip(run.traces.values(), whole.traces.values(), strict=True)
        equal = all(torch.equal(a.v, b.v) and torch.equal(a.output.double(), b.output) for a, b in traces)
        return (
            equal
            and torch.equal(run.logits, whole.logits)
            and torch.equal(run.predictions, whole.predictions)
        )

    assert same(chunk=1) and same(chunk=5) and same(chunk=33)
    assert same(dtype=torch.float64) and same(dtype=torch.float64, chunk=2)
    monkeypatch.setattr("snnlab.simulators.simulation.BATCH", 7)
    assert same() and same(dtype=torch.float64, chunk=4)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert same()
    finally:
        torch.set_num_threads(threads)


def test_without_the_grid_precision_moves_spikes() -> None:
    """What the grid is for: on plain float32 the same network gives other spikes than in float64."""
    torch.manual_seed(3)
    layers = [nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()) for _ in range(6)]
    deep = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), *layers, nn.Flatten(), nn.Linear(1024, 5))
    deep.train()(images())
    differs = {}
    for exact in (True, False):
        snn = convert(deep, "opi", images(), 32, exact=exact)
        runs = [simulate(snn, images(), dtype=dtype).logits for dtype in (torch.float32, torch.float64)]
        differs[exact] = float((runs[0] - runs[1]).abs().max())
    assert differs[True] == 0.0 < differs[False]


def channel_largest(site: Site) -> Tensor:
    axes = tuple(axis for axis in range(site.target.ndim) if axis != 1)
    return site.target.amax(axes).reshape(-1, *(1 for _ in axes[1:])) + 0.01


def neuron_largest(site: Site) -> Tensor:
    return site.target.amax(0) + 0.01


def scaled_site(site: Site) -> Tensor:
    return site.target.amax() * 0.37


class Pieces(nn.Module):
    """A network from every kind of piece: each choice changes what lies between two neurons."""

    def __init__(self, pieces: list[str]) -> None:
        super().__init__()
        self.pieces = pieces
        self.first, self.norm = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.convs = nn.ModuleList(
            nn.Conv2d(4, 4, 3, padding=1, groups=1 + (i % 2)) for i in range(len(pieces))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(4) for _ in pieces)
        self.mix, self.fc = nn.Conv2d(8, 4, 1, bias=False), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.first(x)))
        for piece, conv, norm in zip(self.pieces, self.convs, self.norms, strict=True):
            if piece == "residual":
                x = F.relu(norm(conv(x)) + x)
            elif piece == "preactivation":  # a batch norm that nothing can take in, an analog stream
                x = conv(F.relu(norm(x))) - 0.3 * x
            elif piece == "two layers":
                x = F.relu(norm(conv(conv(x))))
            elif piece == "odd pool":
                x = F.relu(conv(F.avg_pool2d(x, 3, 1, 1)) / 1.7)
            elif piece == "pool later":
                x = torch.relu(F.avg_pool2d(conv(x), 3, 1, 1))
            elif piece == "join":
                x = F.relu(self.mix(torch.cat([conv(x), -x], dim=1)))
            elif piece == "double":
                x = F.relu(x + x)
        return self.fc(F.adaptive_avg_pool2d(F.relu(x), 2).reshape(x.shape[0], -1))


KINDS = ["residual", "preactivation", "two layers", "odd pool", "pool later", "join", "double"]
RULES = [channel_largest, neuron_largest, scaled_site]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(KINDS), max_size=3), st.sampled_from(RULES), st.integers(0, 10_000))
def test_any_network_runs_exactly_and_stays_what_it_was(pieces: list[str], rule, seed: int) -> None:
    torch.manual_seed(seed)
    ann = Pieces(pieces)
    ann.train()(images(16))
    method = Method("trial", "trial", "nobody", 2026, threshold=rule, v0=half)
    snn = convert(ann.eval(), method, images(16), 6)
    run = simulate(snn, images(16), record=list(snn.sites))
    other = simulate(snn, images(16).flip(0), record=list(snn.sites), dtype=torch.float64, chunk=4)
    assert torch.equal(run.logits, other.logits.flip(0))
    fine = simulate(convert(ann, method, images(16), 6, bits=24), images(16), record=list(snn.sites))
    plain = convert(ann, method, images(16), 6, exact=False)
    near = simulate(plain, images(16), record=list(snn.sites), dtype=torch.float64)
    for name, trace in fine.traces.items():  # only ties and near-ties may tell the grid from plain float64
        assert (trace.output != near.traces[name].output).double().mean() < 0.02, name


@pytest.mark.parametrize("method", ["max_norm", "robust_norm", "opi"])
def test_the_mean_output_approaches_the_network_as_T_grows(method: str) -> None:
    snn = convert(network(), method, images(), 512)
    with torch.no_grad():
        target = network()(images())
    errors = [float((simulate(snn, images(), T).logits - target).abs().max()) for T in (8, 512)]
    allowed = 0.02 if method == "max_norm" else 0.05  # 99.9 % of the activations are not clipped
    assert errors[1] < errors[0] and errors[1] < allowed * float(target.abs().max())


def test_recordings_conserve_charge_in_activation_units() -> None:
    snn = convert(network(), "opi", images(), 16)
    few = images(4)
    trace = simulate(snn, few, record=["relu"]).traces["relu"]
    with torch.no_grad():
        z = network().conv1(few).double()
    assert trace.v.shape == trace.output.shape == (16, 4, 6, 8, 8)
    assert torch.allclose(trace.output.sum(0), 16 * z + trace.v0 - trace.v[-1], atol=1e-4)
    assert torch.allclose(trace.v0, trace.threshold / 2)


def test_chosen_neurons_are_recorded_alone() -> None:
    snn = convert(network(), "opi", images(), 8)
    everything = simulate(snn, images(3), record=["relu#2"]).traces["relu#2"]
    chosen = simulate(snn, images(3), record={"relu#2": [(0, 1, 2), (5, 7, 0)]}).traces["relu#2"]
    assert chosen.v.shape == (8, 3, 2) and chosen.threshold.shape == (2,)
    assert torch.equal(chosen.v[..., 1], everything.v[:, :, 5, 7, 0])
    assert torch.equal(chosen.output[..., 0], everything.output[:, :, 0, 1, 2])


def test_firing_rates_and_accuracy_count_what_was_recorded() -> None:
    snn = convert(network(), "robust_norm", images(), 8)
    run = simulate(snn, images(), record=["relu"])
    spikes = run.traces["relu"].output != 0
    assert run.firing_rate["relu"] == pytest.approx(float(spikes.double().mean()), abs=1e-12)
    labels = run.predictions[-1].clone()
    labels[:10] = (labels[:10] + 1) % 5
    assert float(run.accuracy(labels)[-1]) == pytest.approx(0.75)
    assert torch.equal(run.predictions[-1], run.logits.argmax(1))
    assert run.accuracy(labels).shape == (8,)


def test_every_t_of_one_run_is_the_run_of_t_steps() -> None:
    snn = convert(network(), "opi", images(), 16)
    long = simulate(snn, images(), 16)
    assert all(
        torch.equal(long.predictions[t - 1], simulate(snn, images(), t).predictions[-1]) for t in (1, 5, 16)
    )


@pytest.mark.skipif(sys.platform == "win32", reason="resource is a Unix module")
def test_memory_does_not_grow_with_the_steps() -> None:
    snn = convert(network(), "opi", images(), 8)
    simulate(snn, images(100), 64)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    simulate(snn, images(100), 2048)  # all steps at once would be 315 MB for one layer alone
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown / 1024 < 150


@pytest.mark.skipif(sys.platform == "win32", reason="resource is a Unix module")
def test_memory_is_bounded_where_neurons_look_ahead_over_all_steps() -> None:
    ahead = Method("ahead", "", "", 2026, neuron=OffsetSpikeIF)
    snn = convert(network(), ahead, images(), 8)
    simulate(snn, images(32), 64)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    simulate(snn, images(32), 4096)  # 32 images at once would be 5 GB
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown / 1024 < 2 * torch.get_num_threads() * ALL_STEPS / 2**20


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"record": ["relu"]},
            r"^record would take some 0.0 GB for 384 neurons, 4 images and T = 4, .*record fewer",
        ),
        ({"record": {"relu": [(0, 0, 0)] * 2}, "T": 2000}, "^record would take some 0.0 GB for 2 neurons"),
        ({"chunk": 4}, r"^T = 4, all of whose steps are held at once, would take some .*take fewer steps"),
    ],
)
def test_what_would_fill_the_memory_is_refused_before_it_begins(
    how: dict, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    snn = convert(network(), "opi", images(4), 4)
    monkeypatch.setattr("snnlab.neurons.settings.memory", lambda: 2e5)
    simulate(snn, images(4), record={"relu": [(0, 0, 0)]})
    monkeypatch.setattr("snnlab.simulators.simulation.each_batch", None)
    with pytest.raises(ValueError, match=message):
        simulate(snn, images(4), **how)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"T": 0}, "T = 0.*1 or more"),
        ({"T": 2.5}, "T = 2.5.*whole number"),
        ({"T": True}, "T = True.*whole number"),
        ({"chunk": 0}, "chunk = 0.*1 or more"),
        ({"dtype": torch.float16}, "dtype = torch.float16.*float32 or torch.float64"),
        ({"record": ["relu#3"]}, "'relu#3'.*sites are relu, relu#2"),
        ({"record": {"relu": [(1, 2)]}}, r"neuron \(1, 2\) of 'relu'.*\[6, 8, 8\]"),
        ({"record": {"relu": [(6, 0, 0)]}}, r"neuron \(6, 0, 0\).*smaller than the axis"),
    ],
)
def test_a_bad_argument_is_named(arguments: dict, message: str) -> None:
    snn = convert(network(), "opi", images(4), 4)
    with pytest.raises(ValueError, match=message):
        simulate(snn, images(4), **arguments)


def test_no_images_and_wrong_labels_are_named() -> None:
    snn = convert(network(), "opi", images(4), 4)
    with pytest.raises(ValueError, match="N of 1 or more"):
        simulate(snn, images(0))
    with pytest.raises(ValueError, match="4 images were run"):
        simulate(snn, images(4)).accuracy(torch.zeros(3))


def test_a_run_for_another_T_is_refused_where_it_matters() -> None:
    method = Method("fixed", "fixed", "nobody", 2026, depends_on_T=True)
    snn = convert(network(), method, images(4), 4)
    with pytest.raises(ValueError, match="converted for T = 4 only"):
        simulate(snn, images(4), 8)
