"""Corrections and thresholds: what they promise on networks with shortcuts, biases and pools."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from unittest.mock import patch

import pytest
import torch
from torch import Tensor, nn

from snnlab import CATALOGUE, Method, convert, simulate
from snnlab.activations import QuantClip
from snnlab.converters.choices import site as site_module
from snnlab.converters.choices.corrections import calibrate_bias, calibrate_offset, lmpc, lwc, shift_bias
from snnlab.converters.choices.potentials import half, offset_or_half, offset_rule, zero
from snnlab.converters.choices.segment import Segment
from snnlab.converters.choices.site import Correction, Site
from snnlab.converters.choices.thresholds import (
    balanced,
    largest_per_neuron,
    mmse,
    percentile,
    trained,
)
from snnlab.neurons import IF, SNM, OffsetSpikeIF, State, ZeroThresholdIF

T = 4


class Net(nn.Module):
    """A convolution without bias, an average pool, a shortcut past one neuron, a linear layer."""

    def __init__(self, activation: Callable[[], nn.Module] = nn.ReLU) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.act1 = nn.Conv2d(2, 6, 3, padding=1, bias=False), activation()
        self.pool = nn.AvgPool2d(2)
        self.second, self.act2 = nn.Conv2d(6, 6, 3, padding=1), activation()
        self.third, self.act3 = nn.Conv2d(6, 6, 3, padding=1, bias=False), activation()
        self.last = nn.Linear(6 * 4 * 4, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.act1(self.first(x)))
        x = self.act3(self.third(self.act2(self.second(x))) + x)
        return self.last(x.flatten(1))


def images() -> Tensor:
    return torch.rand(40, 2, 8, 8, generator=torch.Generator().manual_seed(1))


def method(*corrections: Correction, **choices: object) -> Method:
    own = {"threshold": percentile(99.0), "v0": half, "depends_on_T": True, "corrections": corrections}
    return Method("trial", "trial", "nobody", 2026, **{**own, **choices})  # type: ignore[arg-type]


def seen(correction: Correction, **choices: object) -> list[Site]:
    """The sites that a conversion with this correction comes by, as they were left."""
    sites: list[Site] = []

    def note(site: Site) -> None:
        sites.append(site)

    convert(Net(), method(correction, note, **choices), images(), T)
    return sites


def nothing(site: Site) -> None:
    """Changes nothing."""


def test_a_correction_that_does_nothing_changes_nothing() -> None:
    plain, corrected = convert(Net(), method(), images(), T), convert(Net(), method(nothing), images(), T)
    state = plain.state_dict()
    assert all(torch.equal(state[name], value) for name, value in corrected.state_dict().items())


def test_a_site_is_fed_what_the_network_feeds_it() -> None:
    outputs: dict[str, Tensor] = {}

    def note(site: Site) -> None:
        outputs[site.name] = site.train()[:]

    snn = convert(Net(), method(note), images(), T, exact=False)
    run = simulate(snn, images(), record=list(snn.sites), dtype=torch.float64)
    for name, output in outputs.items():  # only ties and near-ties may tell float32 from float64
        assert (output != run.traces[name].output).double().mean() < 0.005, name


def test_the_mean_current_is_that_of_the_mean_spikes() -> None:
    def look(site: Site) -> None:
        part = torch.tensor([3, 0, 17])
        assert torch.allclose(site.layers.mean(part), site.current(part).mean(0), atol=1e-6)
        assert torch.allclose(site.layers.mean(), site.current().mean(0), atol=1e-6)

    convert(Net(), method(look), images(), T)


def test_a_segment_knows_its_layers_and_which_are_its_own() -> None:
    sites = {site.name: site.layers for site in seen(nothing)}
    assert list(sites["act1"].own) == ["first"] and not sites["act1"].sources
    assert list(sites["act2"].own) == ["second"] and list(sites["act2"].layers) == ["pool", "second"]
    assert list(sites["act3"].own) == ["third"] and len(sites["act3"].sources) == 2


@pytest.mark.parametrize("delta", [torch.tensor(0.25), torch.arange(6.0) / 8])
def test_a_shift_reaches_every_step_through_a_bias(delta: Tensor) -> None:
    def shifted(site: Site) -> None:
        before = site.current()
        site.shift(delta)
        after = site.current()
        assert torch.allclose(after - before, delta.reshape(-1, 1, 1).expand_as(after[0, 0]), atol=1e-5)
        assert float(site.neuron.v0) == float(site.threshold / 2)

    convert(Net(), method(shifted), images(), T)


def test_where_no_bias_can_take_it_the_shift_goes_into_the_potential() -> None:
    class Bare(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x) + 0.5 * torch.relu(2 * x)

    def shifted(site: Site) -> None:
        v0 = site.neuron.v0
        site.shift(torch.tensor(0.25))
        assert torch.allclose(site.neuron.v0 - v0, torch.tensor(0.25 * T))

    convert(nn.Sequential(Bare(), nn.Flatten(), nn.Linear(128, 3)), method(shifted), images(), T)


def test_the_shift_of_opt_is_half_a_threshold_in_all() -> None:
    def counts(site: Site) -> None:
        plain = replace(site).current().sum(0)
        shift_bias(site)
        assert torch.allclose(site.current().sum(0) - plain, site.threshold / 2, atol=1e-5)

    convert(Net(), method(counts, v0=zero), images(), T)


def gaps(*corrections: Correction, **choices: object) -> dict[str, float]:
    """At each site the mean over neurons of |mean over images of (a - phi)|."""
    found: dict[str, float] = {}

    def note(site: Site) -> None:
        found[site.name] = float((site.target - site.rate()).mean(0).abs().mean())

    convert(Net(), method(*corrections, note, **choices), images(), T)
    return found


@pytest.mark.parametrize("correction", [lmpc(2), lmpc(2, "channel"), calibrate_bias])
def test_calibration_closes_the_gap_of_the_means(correction: Correction) -> None:
    before, after = gaps(), gaps(correction)
    assert all(after[name] < before[name] for name in before)


def test_each_channels_bias_moves_by_what_that_channel_lacks() -> None:
    def checked(site: Site) -> None:
        lacking, before = (site.target - site.rate()).mean((0, 2, 3)), site.current()
        calibrate_bias(site)
        moved = (site.current() - before).mean((0, 1, 3, 4))
        assert torch.allclose(moved, lacking, atol=1e-5) and lacking.unique().numel() > 1

    convert(Net(), method(checked), images(), T)


@pytest.mark.parametrize(("levels", "even"), [(8, False), (4, True), (2, True), (None, True)])
def test_from_l_steps_on_a_bias_says_what_a_negative_potential_would(levels: int | None, even: bool) -> None:
    kind = nn.ReLU if levels is None else partial(QuantClip, levels)

    def checked(site: Site) -> None:
        before, v0 = site.current(), site.neuron.v0
        torch.testing.assert_close(v0, half(site) if even else offset_rule(site))
        assert bool((v0 > 0).all())
        calibrate_offset(site)
        torch.testing.assert_close(site.neuron.v0, v0)
        moved = (site.current() - before).mean((0, 1, 3, 4))
        lacking = (site.target - site.neuron(before)[0].mean(0)).mean((0, 2, 3))
        torch.testing.assert_close(moved, lacking if even else torch.zeros_like(moved), atol=1e-5, rtol=0)

    own = {} if levels is None else {"activation": QuantClip, "threshold": trained}
    convert(Net(kind), method(checked, v0=offset_or_half, **own), images(), T)


def test_each_pass_of_lmpc_closes_it_further() -> None:
    steps = [gaps(lmpc(passes))["act3"] for passes in (1, 2, 3)]
    assert steps[0] > steps[1] > steps[2]


def test_the_sign_of_lmpc_matters() -> None:
    """The printed |a - phi| raises every potential; from theta / 2 and for T > L that is the wrong way."""

    def unsigned(site: Site) -> None:
        site.neuron.v0 = site.neuron.v0 + site.T * (site.target - site.rate()).abs().mean(0)

    ann = Net(lambda: QuantClip(4, 1.0))
    calls = {"activation": QuantClip, "threshold": lambda site: site.activation.theta.detach()}
    with torch.no_grad():
        goal = ann(images())
    errors = [
        float((simulate(convert(ann, method(c, **calls), images(), 16), images()).logits - goal).abs().mean())
        for c in (lmpc(), unsigned)
    ]
    assert errors[0] < 0.5 * errors[1]


@pytest.mark.parametrize("through", ["time", "mean"])
def test_lwc_is_never_worse_than_its_start_on_the_images_held_out(through: str) -> None:
    def error(site: Site) -> float:
        gap = (site.rate() - site.target)[site.held_out()]
        return float(gap.square().sum())

    def checked(site: Site) -> None:
        before = error(site)
        lwc(8, lr=1e-3, batch=8, through=through)(site)  # type: ignore[arg-type]
        assert error(site) <= before * (1 + 1e-5)
        improved.append(error(site) < before)
        lwc(1, lr=10.0, batch=8, through=through)(site)  # type: ignore[arg-type]  # steps far too large
        assert error(site) <= before * (1 + 1e-5)

    improved: list[bool] = []
    convert(Net(), method(checked), images(), T)
    assert any(improved)


class Watched:
    """A segment that notes which images a training asks for."""

    def __init__(self, segment: Segment) -> None:
        self.segment, self.fitted = segment, set[int]()

    def __call__(self, part: slice | Tensor = slice(None)) -> Tensor:
        self._note(part)
        return self.segment(part)

    def mean(self, part: slice | Tensor = slice(None)) -> Tensor:
        self._note(part)
        return self.segment.mean(part)

    def _note(self, part: slice | Tensor) -> None:
        if torch.is_grad_enabled():
            self.fitted |= set(torch.arange(len(self.segment.images))[part].tolist())

    def __getattr__(self, name: str) -> object:
        return getattr(self.segment, name)


@pytest.mark.parametrize("through", ["time", "mean"])
def test_weights_are_never_fitted_to_the_images_held_out(through: str) -> None:
    def watched(site: Site) -> None:
        assert sorted([*site.fitting().tolist(), *site.held_out().tolist()]) == list(range(40))
        assert len(site.held_out()) == 8
        segment = Watched(site.layers)
        site.segment = segment  # type: ignore[assignment]
        lwc(2, batch=8, through=through)(site)  # type: ignore[arg-type]
        assert segment.fitted == set(site.fitting().tolist())

    convert(Net(), method(watched), images(), T)


def test_weights_are_judged_by_the_images_held_out() -> None:
    """The goals of the images held out are what the first weights give: no other weights can be better."""

    def judged(site: Site) -> None:
        held, before = site.held_out(), [p.clone() for p in site.layers.own.popitem()[1].parameters()]
        site.target = site.target.clone()
        site.target[held] = site.rate()[held]
        lwc(8, lr=1e-3, batch=8)(site)
        after = site.layers.own.popitem()[1].parameters()
        assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))

    convert(Net(), method(judged), images(), T)


@pytest.mark.parametrize(
    "correction", [lmpc(2), calibrate_bias, lwc(2, batch=8), lwc(2, batch=8, through="mean")]
)
def test_a_few_images_at_a_time_find_what_all_at_once_do(
    correction: Correction, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, taken = [], []
    for size in (1, 2**13, 2**40):
        monkeypatch.setattr("snnlab.converters.choices.site.SLICE_BYTES", size)

        def watched(site: Site) -> None:
            taken.append({len(few) for few in site.slices()})
            correction(site)

        snn = convert(Net(), method(watched), images(), T, exact=False)
        found.append({name: value.double() for name, value in snn.state_dict().items()})
    assert taken[0] == {1} and max(taken[-1]) == len(images())
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-4, atol=1e-5)


def test_a_masked_surrogate_cannot_wake_a_silent_layer() -> None:
    """Eq. 17 as printed lets gradients pass only where a spike was fired; ours reaches the silent."""
    current = torch.full((T, 8), 0.2, requires_grad=True)
    output, _ = IF()(current)
    (output.mean(0) - 0.5).square().sum().backward()
    assert current.grad is not None and bool((current.grad != 0).all())
    masked = current.grad * (output != 0)
    assert not masked.any()


def test_the_same_seed_gives_the_same_bits() -> None:
    one, two = (convert(Net(), method(lmpc(), lwc(2), lmpc()), images(), T) for _ in range(2))
    assert all(torch.equal(one.state_dict()[name], value) for name, value in two.state_dict().items())


def test_the_calibrated_network_runs_on_the_grid_as_it_was_calibrated() -> None:
    snn = convert(Net(), method(calibrate_bias, lmpc(), lwc(2)), images(), T)
    run = simulate(snn, images(), record=list(snn.sites))
    other = simulate(snn, images(), record=list(snn.sites), dtype=torch.float64, chunk=1)
    assert torch.equal(run.logits, other.logits)


def test_thresholds_have_the_shapes_of_what_shares_them() -> None:
    shapes = {
        rule.__name__: [list(site.threshold.shape) for site in seen(nothing, threshold=rule)]
        for rule in (mmse("layer"), mmse("channel"), percentile(99, "neuron"), balanced(), largest_per_neuron)
    }
    assert shapes["mmse('layer')"] == [[], [], []]
    assert shapes["mmse('channel')"] == shapes["balanced('channel')"] == [[6, 1, 1]] * 3
    assert (
        shapes["largest_per_neuron"]
        == shapes["percentile(99, 'neuron')"]
        == [[6, 8, 8], [6, 4, 4], [6, 4, 4]]
    )


@pytest.mark.parametrize("shift", [None, 0.0, 0.25])
def test_mmse_is_the_best_of_its_candidates_and_at_most_the_maximum(shift: float | None) -> None:
    a = torch.relu(torch.randn(500, 3, generator=torch.Generator().manual_seed(0)))
    site = Site("x", 3, nn.ReLU(), a)
    theta = mmse("channel")(site) if shift is None else mmse("channel", shift)(site)
    s = 0.5 if shift is None else shift  # the shift of v0 = theta / 2, unless told
    for c in range(3):
        tried = [float(a[:, c].max()) * k / 60 for k in range(1, 61)]
        loss = [((v / 3 * (a[:, c] * 3 / v + s).floor().clamp(0, 3) - a[:, c]) ** 2).mean() for v in tried]
        assert float(theta[c]) == pytest.approx(tried[int(torch.stack(loss).argmin())], rel=1e-5)
    assert bool((theta <= a.amax(0)).all())


def test_what_a_site_sends_is_found_a_few_images_at_a_time_bit_for_bit() -> None:
    """Neurons in pieces that fit the cache, thresholds laid out as they are: what one call finds, image by image."""

    def compare(site: Site) -> None:
        with patch.object(site_module, "CACHED", 3 * 2 * site.target[0].numel()):
            output = site.neuron(site.current())[0]
            steps = [site.neuron.start(site.current()[0])]
            for z in site.current():
                steps.append(site.neuron.step(z, steps[-1])[1])
            counts = torch.stack([state.count for state in steps]).diff(dim=0)
            assert torch.equal(output, (counts * site.neuron.threshold).float())
            assert torch.equal(torch.cat(list(site.sent()), 1), output)
            assert torch.equal(site.train()[:], output)
            assert torch.equal(site.rate(), output.mean(0))
            assert torch.equal(site.rate(site.held_out()), output.mean(0)[site.held_out()])

    for neuron in (IF, SNM, ZeroThresholdIF):
        convert(Net(), method(compare, threshold=mmse("channel"), neuron=neuron), images(), T)


def test_balanced_thresholds_rise_from_zero_and_stay_below_the_maximum() -> None:
    a = torch.relu(torch.randn(512, 4, generator=torch.Generator().manual_seed(0)))
    site = Site("x", 8, nn.ReLU(), a)
    few, many = balanced(passes=1)(site), balanced(passes=8)(site)
    assert bool((few > 0).all() and (few <= many).all() and (many <= a.amax(0)).all())


def test_a_neuron_that_looks_ahead_says_what_it_costs() -> None:
    snn = convert(Net(), method(neuron=OffsetSpikeIF), images(), T)
    assert snn.latency == T * 4 and convert(Net(), method(), images(), T).latency == T
    twice = convert(Net(), method(neuron=partial(OffsetSpikeIF, passes=2)), images(), T)
    assert twice.latency == T * 7, "each pass of each layer is a run of all steps"
    with pytest.raises(ValueError, match=r"chunk = 2.*looks ahead over all 4 steps"):
        simulate(snn, images(), chunk=2)
    assert torch.equal(simulate(snn, images(), chunk=T).logits, simulate(snn, images()).logits)
    with pytest.raises(ValueError, match="cannot go on"):
        OffsetSpikeIF()(torch.zeros(2, 3), State(torch.zeros(3), torch.zeros(3)))


def test_rules_that_have_no_segment_say_so() -> None:
    with pytest.raises(ValueError, match="site 'x' has no segment: only corrections"):
        Site("x", 4, nn.ReLU(), torch.ones(3, 2)).rate()


def test_every_choice_of_the_catalogue_says_what_it_does() -> None:
    for entry in CATALOGUE.values():
        described = entry.describe()
        assert described["paper"] and all("<" not in str(described[key]) for key in described)
