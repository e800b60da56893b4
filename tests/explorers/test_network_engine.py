"""The network in the page is the network of `simulate`: the same spikes, potentials and logits, bit for bit.

`make test` takes a few images of each kind; with SNNLAB_EXAMPLES in the environment it takes all 450 test digits and
1,000 drawings, for every method, 64 steps.
"""

import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page
from torch import Tensor, nn

import snnlab
from snnlab import datasets, networks, training
from snnlab.converters.methods import Method
from snnlab.converters.snn import SNN
from snnlab.explorers.network import network
from snnlab.neurons import IF, LIF, STBIF, BurstIF, CaLIF, HardResetCaLIF, SignedIF
from snnlab.simulators.simulation import simulate
from tests.browser import browser
from tests.explorers.playing import ENGINE, differences, drawings, in_page, load

pytestmark = pytest.mark.usefixtures("one_thread")
FULL = "SNNLAB_EXAMPLES" in os.environ
DATA = datasets.load("digits")
T = 64
DIGITS = DATA.test.images if FULL else DATA.test.images[:40]
DRAWN = drawings(1000 if FULL else 50, (1, 8, 8))
METHODS = [name for name in snnlab.CATALOGUE if name != "cos"]  # whose neurons look ahead


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser("the network in the page is") as opened:
        yield opened.new_page()


@cache
def ann(activation: Callable[[], nn.Module]) -> nn.Module:
    """Trained for a moment."""
    return training.fit(networks.cnn(activation), DATA.train, 2)


@cache
def converted(method: str, steps: int = T) -> tuple[nn.Module, SNN]:
    trained = ann(snnlab.CATALOGUE[method].activation)
    few = DATA.calibration[:16]
    return trained, snnlab.convert(trained, method, few, steps, progress=False)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_sends_the_same_spikes_to_the_last_bit(page: Page, method: str) -> None:
    trained, snn = converted(method)
    load(page, network(snn, trained))
    images = torch.cat([DIGITS, DRAWN] if FULL else [DIGITS[:10], DRAWN[:10]])
    for some in images.split(50):
        assert not list(differences(snn, page, 0, some, T))


@pytest.mark.parametrize("steps", [1, 2, 7, 33])
def test_after_any_number_of_steps(page: Page, steps: int) -> None:
    trained, snn = converted("max_norm")
    load(page, network(snn, trained))
    for some in torch.cat([DIGITS[:40], DRAWN[:50]]).split(45):
        assert not list(differences(snn, page, 0, some, steps))


@pytest.mark.parametrize("method", ["max_norm", "qcfs", "snm", "ca_lif", "rmpe"])
def test_noise_is_drawn_as_the_simulation_draws_it(page: Page, method: str) -> None:
    trained, snn = converted(method)
    load(page, network(snn, trained))
    images = torch.cat([DIGITS[:20], DRAWN[:10]])
    for seed in (0, 41):
        assert not list(differences(snn, page, 0, images, T, noise=True, seed=seed))


MOVES = [(0.125, 0.0), (0.375, 0.5), (1.0, -1.0), (1.0, 0.0625), (1.625, 0.9375), (2.0, -0.4375)]


@pytest.mark.parametrize("method", ["opi", "qcfs", "snm", "signed_calibrated", "snm_counter"])
def test_moved_thresholds_and_potentials_are_those_of_the_network_that_run_takes(
    page: Page, method: str
) -> None:
    trained, snn = converted(method)
    load(page, network(snn, trained))
    images = torch.cat([DIGITS[:4], DRAWN[:4]])
    for k, (scale, shift) in enumerate(moves(snn)):
        assert not list(differences(snn, page, 0, images, T, scale=scale, shift=shift, noise=k % 2 == 1))


def moves(snn: SNN) -> list[tuple[float, float]]:
    """Those that a page offers of the network."""
    any_ = network(snn).networks[0]["scalable"]
    assert any_ == (snn.method.name != "snm")  # whose thresholds differ from neuron to neuron
    return [(scale, shift) for scale, shift in MOVES if any_ or scale == 1]


def test_the_page_itself_begins_with_what_run_gives(page: Page) -> None:
    trained, snn = converted("signed_calibrated")
    shown = network(snn, trained, DATA.test[:3], T=T, t=5, coding="poisson", seed=3, scale=0.5, shift=0.25)
    load(page, shown)
    there = in_page(page, 0, shown.image, 5, noise=True, seed=3, scale=0.5, shift=0.25)
    assert torch.equal(there.logits, shown.run().logits)
    converting = simulate(snn, shown.image, T, coding="poisson", seed=3)
    assert not torch.equal(shown.run().logits, converting.logits)


class Odd(nn.Module):
    """Every kind of layer that a page can compute: on the image, between, behind an average over nine, in a sum."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 6, 3, stride=2, padding=(1, 2), dilation=(1, 2))
        self.apart = nn.Conv2d(6, 12, (3, 1), padding="same", groups=3)
        self.up = nn.ConvTranspose2d(12, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.line = nn.Conv1d(6, 4, 3, padding=1)
        self.rows = nn.Linear(7, 5)
        self.out = nn.Linear(30, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu()
        x = self.up(self.apart(x).relu()).relu()
        x = nn.functional.avg_pool2d(x, 3, 1, padding=1)
        x = self.line(x.mean(2)).relu()
        x = self.rows(torch.cat([x, x[:, :1], x[:, 2:3]], 1).flip(2)[..., 1:]).relu()
        return self.out(x.flatten(1)) - x[:, :3, 0]


@cache
def other(kind: str) -> nn.Module:
    if kind == "cnn":
        return ann(nn.ReLU)
    if kind == "mlp":
        return training.fit(
            nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.ReLU(), nn.Linear(20, 10)), DATA.train, 1
        )
    return training.fit(networks.resnet(), DATA.train, 1)


def own(neuron: Callable[..., Any]) -> Method:
    return Method("own", "own", "own", 2026, v0=snnlab.CATALOGUE["opi"].v0, neuron=neuron)


OTHERS: list[tuple[str, str | Method, int]] = [
    ("mlp", "robust_norm", 24),
    *(("resnet", method, bits) for method in ("max_norm", "snm") for bits in (24, 15, 8)),
    ("cnn", own(LIF), 24),
    ("cnn", own(partial(IF, reset="zero")), 24),
    ("cnn", own(BurstIF), 15),
    ("cnn", own(CaLIF), 24),
    ("cnn", own(partial(CaLIF, decay=0.5, leak=0.75)), 24),
    ("cnn", own(partial(STBIF, cap=5)), 15),
    ("cnn", own(HardResetCaLIF), 24),
    ("cnn", own(SignedIF), 24),
]


@pytest.mark.parametrize(("kind", "method", "bits"), OTHERS)
def test_other_networks_grids_and_neurons(page: Page, kind: str, method: str | Method, bits: int) -> None:
    net = other(kind)
    snn = snnlab.convert(net, method, DATA.calibration[:16], T, bits=bits, progress=False)
    load(page, network(snn, net))
    images = torch.cat([DIGITS[:5], DRAWN[:5]])
    for noise in (False, True):
        assert not list(differences(snn, page, 0, images, T, noise=noise))
    for scale, shift in moves(snn)[1:3]:
        assert not list(differences(snn, page, 0, images, T, scale=scale, shift=shift))


def test_every_kind_of_layer(page: Page) -> None:
    torch.manual_seed(0)
    odd = Odd().eval()
    images = torch.rand(24, 1, 8, 8)
    snn = snnlab.convert(odd, "robust_norm", images, T, progress=False)
    load(page, network(snn, odd))
    assert not list(differences(snn, page, 0, images[:12], T))
    assert not list(differences(snn, page, 0, images[:12], T, noise=True))
    assert off(page, 0, odd, images) < 1e-6
    assert not network(snn, odd).networks[0]["scalable"]


def off(page: Page, number: int, net: nn.Module, images: Tensor) -> float:
    """How far the page's ANN is from the ANN in float64, as its batch norms are folded in float32."""
    graph = snnlab.converters.graph.trace(net, images[:2], (*snnlab.converters.graph.ACTIVATIONS,)).double()
    wanted = snnlab.converters.graph.walk(graph, images.double())
    given = page.evaluate("([k, all]) => all.map(anns[k])", [number, [i.flatten().tolist() for i in images]])
    return float((torch.tensor(given, dtype=torch.float64) - wanted).abs().max())


@pytest.mark.parametrize("method", ["max_norm", "tcl", "rate_norm", "qcfs", "qc_ann", "dual_phase"])
def test_the_ann_answers_as_it_does_in_python(page: Page, method: str) -> None:
    trained, snn = converted(method)
    load(page, network(snn, trained))
    assert off(page, 0, trained, torch.cat([DATA.test.images, drawings(50, (1, 8, 8), 1)])) < 1e-6


def test_methods_of_one_ann_share_its_weights() -> None:
    names = [name for name in METHODS if snnlab.CATALOGUE[name].activation is nn.ReLU]
    plain = ("max_norm", "robust_norm", "opi", "snm_counter", "local_threshold_balancing")
    assert set(plain) < set(names)
    snns = {name: converted(name)[1] for name in plain}
    one, all_ = (len(network(some, ann(nn.ReLU)).html()) for some in (snns["max_norm"], snns))
    assert all_ < 1.25 * one
    alone = len(network(snns).html())  # without the ANN each brings its own
    assert alone > 1.9 * one


BUGS = [
    ("up - x === 0.5 && up % 2 !== 0 ? up - 1 : up", "Math.floor(x + 0.5)", {"method": "snm"}),
    ("if (value === 0) continue;", "if (value <= 0) continue;", {"method": "snm"}),
    ("bias(c);", "0;", {}),
    ("shares[n](o * size + at) * values[i]", "shares[n](o * size + at) * values[i] * (1 + 1e-9)", {}),
    ("(w * into(i)) / out(channel)", "(w / out(channel)) * into(i) * (1 - 1e-7)", {}),
    ("threshold * scale)", "threshold)", {"scale": 0.5}),
    ("v: (v0 + shift) * scale", "v: v0 * scale + shift", {"scale": 0.5, "shift": 0.5}),
    ("all - p.threshold * count;", "all - p.threshold * (count + 1);", {"method": "snm_counter"}),
    ("key0 + round * 0x9e3779b97f4a7c15n", "key0", {"noise": True}),
    ("philoxBlock(++counter, key)", "philoxBlock(counter++, key)", {"noise": True}),
    ("left.shift() >> 11n", "left.pop() >> 11n", {"noise": True}),
]


@pytest.mark.parametrize(("right", "wrong", "how"), BUGS, ids=[right for right, *_ in BUGS])
def test_a_planted_bug_is_found(page: Page, right: str, wrong: str, how: dict[str, Any]) -> None:
    settings = dict(how)
    trained, snn = converted(settings.pop("method", "opi"))
    assert ENGINE.count(right) == 1
    load(page, network(snn, trained), ENGINE.replace(right, wrong))
    assert list(differences(snn, page, 0, torch.cat([DIGITS[:8], DRAWN[:8]]), T, **settings))


def test_halves_are_rounded_as_pytorch_rounds_them(page: Page) -> None:
    load(page, network(converted("opi")[1]))
    values = [k / 4 for k in range(-41, 42)] + [0.49999999999999994, 2.0**52 + 1, 1e300, -0.49999999999999994]
    given = page.evaluate(
        """async ([source, values]) => {
        const engine = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
        return values.map(engine.rounded2even); }""",
        [ENGINE + "export { rounded2even };", values],
    )
    assert given == torch.tensor(values, dtype=torch.float64).round().tolist()


def test_the_random_numbers_are_numpys(page: Page) -> None:
    script = """async ([source, key, n]) => {
      const { philoxBlock } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
      const blocks = Array.from({ length: n }, (_, k) => philoxBlock(BigInt(k + 1), key.map(BigInt)));
      return blocks.flat().map(String); }"""
    for key in ([0, 0], [2**63 - 1, 7], [123456789, 2**32]):
        given = page.evaluate(script, [ENGINE + "export { philoxBlock };", [str(k) for k in key], 50])
        assert [int(x) for x in given] == np.random.Philox(key=key).random_raw(200).tolist()
