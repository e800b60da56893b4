"""What the page's engine does with networks, beside what `simulate` does: spikes, potentials, logits, classes."""

import base64
import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from playwright.sync_api import Page
from torch import Tensor

from snnlab.converters.snn import SNN
from snnlab.explorers.host import module
from snnlab.explorers.network import NetworkExplorer, moved
from snnlab.simulators.simulation import simulate

ENGINE = module("neurons.js", "philox.js", "engine.js")
EXPORTS = "export { reader, built, forward, begun, advance, poissonFrames, rounded2even, philoxBlock };"
PLAY = """async ([source, { networks, anns, arrays }]) => {
  const engine = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const read = engine.reader(arrays);
  const built = networks.map((net) => engine.built(net, read));
  const own = anns.map((ann) => engine.built(ann, read));
  window.anns = own.map((net) => (pixels) => engine.forward(net, pixels));
  const text = (array) => {
    const [bytes, parts] = [new Uint8Array(array.buffer), []];
    for (let i = 0; i < bytes.length; i += 32768) parts.push(String.fromCharCode(...bytes.subarray(i, i + 32768)));
    return btoa(parts.join(""));
  };
  window.play = ({ number, pixels, T, scale, shift, noise, seed }, k) => {
    const net = built[number];
    const frames = noise ? engine.poissonFrames(pixels, net.largest, seed, k) : null;
    const run = engine.begun(net, pixels, { scale, shift, frames });
    const sites = net.nodes.flatMap((node, n) => (run.neurons[n] ? [run.neurons[n].states] : []));
    const spikes = new Int8Array(T * sites.reduce((all, states) => all + states.length, 0));
    const classes = [];
    let at = 0;
    for (let t = 0; t < T; t++) {
      engine.advance(run);
      for (const states of sites) for (const { spike } of states) spikes[at++] = spike;
      classes.push(run.total.indexOf(Math.max(...run.total)));
    }
    const v = Float64Array.from(sites.flatMap((states) => states.map((state) => state.v)));
    return { spikes: text(spikes), v: text(v), classes, logits: [...run.total].map((x) => x / T), sent: run.spikes };
  };
}"""


class Played(NamedTuple):
    """Of each image: spikes [T, N, neurons of all sites], v after the last step, class after each, logits, count."""

    spikes: Tensor
    v: Tensor
    classes: Tensor
    logits: Tensor
    sent: list[int]


def load(page: Page, explorer: NetworkExplorer, engine: str = ENGINE) -> None:
    """Hand the networks to the engine in a page."""
    sent = {name: getattr(explorer, name) for name in ("networks", "anns", "arrays")}
    page.goto("about:blank")
    page.evaluate(PLAY, [engine + EXPORTS, sent])


def in_page(page: Page, number: int, images: Tensor, T: int, **how: Any) -> Played:
    """The engine on images [N, ...]."""
    settings = {"scale": 1, "shift": 0, "noise": False, "seed": 0, "number": number, "T": T} | how
    cases = [settings | {"pixels": image.flatten().tolist()} for image in images]
    runs = json.loads(page.evaluate("(cases) => JSON.stringify(cases.map(play))", cases))
    spikes = [np.frombuffer(base64.b64decode(run["spikes"]), np.int8).reshape(T, -1) for run in runs]
    v = [np.frombuffer(base64.b64decode(run["v"])) for run in runs]
    classes = torch.tensor([run["classes"] for run in runs]).T
    logits = torch.tensor([run["logits"] for run in runs], dtype=torch.float64)
    sent = [run["sent"] for run in runs]
    return Played(torch.from_numpy(np.stack(spikes, 1)), torch.from_numpy(np.stack(v)), classes, logits, sent)


def in_python(snn: SNN, images: Tensor, T: int, scale: float = 1, shift: float = 0, **how: Any) -> Played:
    """The same by `simulate`, potentials and spikes in thresholds."""
    network, exact = copy.copy(moved(snn, scale, shift)), (scale, shift) != (1, 0)
    network.T = T  # of a network that was converted for more steps the first
    coding = "poisson" if how.get("noise") else "constant"
    dtype = torch.float64 if exact else torch.float32
    run = simulate(
        network, images, T, record=tuple(snn.sites), dtype=dtype, coding=coding, seed=how.get("seed", 0)
    )
    grid: dict[str, Any] = dict(network.runs.sites)
    units = {name: grid[name].unit.expand_as(trace.v[0]).flatten(1) for name, trace in run.traces.items()}
    spikes = [
        (trace.output.flatten(2) / units[name] / scale).round().to(torch.int8)
        for name, trace in run.traces.items()
    ]
    v = [trace.v[-1].flatten(1) for trace in run.traces.values()]
    sent = torch.cat(spikes, -1)
    return Played(sent, torch.cat(v, 1), run.predictions, run.logits, sent.abs().sum((0, 2)).tolist())


def differences(snn: SNN, page: Page, number: int, images: Tensor, T: int, **how: Any) -> Iterator[str]:
    """What differs in any bit, in words."""
    there, here = in_page(page, number, images, T, **how), in_python(snn, images, T, **how)
    grid: Sequence[Any] = list(moved(snn, how.get("scale", 1), how.get("shift", 0)).runs.sites.values())
    units = torch.cat(
        [neuron.unit.expand(shape).flatten() for neuron, shape in zip(grid, shapes(snn), strict=True)]
    )
    if not torch.equal(there.spikes, here.spikes):
        off = (there.spikes != here.spikes).nonzero()
        yield f"{len(off)} spikes of {snn.method.name}, the first at step, image, neuron {off[0].tolist()}"
    for name, mine, theirs in (
        ("potentials", there.v * units, here.v),
        ("logits", there.logits, here.logits),
        ("classes", there.classes, here.classes),
    ):
        if not torch.equal(mine, theirs):
            yield f"{int((mine != theirs).sum())} {name} of {snn.method.name}"
    if there.sent != here.sent:
        yield f"numbers of spikes of {snn.method.name}"


def shapes(snn: SNN) -> list[tuple[int, ...]]:
    """Of one image's neurons at each site."""
    run = simulate(snn, snn.example, snn.T, record=tuple(snn.sites))
    return [tuple(trace.v.shape[2:]) for trace in run.traces.values()]


def drawings(n: int, shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Images such as a hand draws: some strokes of a brush in a raster four times as fine, [n, *shape]; no digits."""
    draw = np.random.default_rng(seed)
    height, width = 4 * shape[-2], 4 * shape[-1]
    rows, columns = np.mgrid[:height, :width] + 0.5
    images = np.zeros((n, height, width), bool)
    for k in range(n):
        for _ in range(draw.integers(1, 5)):
            (y, x), (b, a) = draw.random((2, 2)) * (height, width)
            for s in np.linspace(0, 1, 24):
                away = (rows - y - s * (b - y)) ** 2 + (columns - x - s * (a - x)) ** 2
                images[k] |= away < draw.choice([4, 6, 9])
    inked = images.reshape(n, height // 4, 4, width // 4, 4).sum((2, 4)) / 16
    return torch.from_numpy(inked).float()[:, None]
