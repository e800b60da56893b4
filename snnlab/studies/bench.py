"""How fast is simulating, against other simulators and against the ANN: `snnlab bench`.

Everybody runs the same converted network (robust_norm) on the same images, in batches of the same size, one after the
other within each round, so that a machine's slow minutes fall on all. The yardstick is dense work: T times the ANN's
own forward pass, channels-last, in the batch size that is fastest. CPU seconds are taken with one thread, wall seconds
with a thread for each core.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from snnlab.converters.graph import walk
from snnlab.converters.graph.unroll import channels_last
from snnlab.converters.grid import on_grid
from snnlab.converters.snn import SNN
from snnlab.files.language import said
from snnlab.neurons.settings import whole
from snnlab.progress import progress_bar
from snnlab.simulators.simulation import BATCH, simulate
from snnlab.studies import peers
from snnlab.studies.peers import Simulator
from snnlab.studies.stopwatch import dense_work, fastest_batch, peak, threads, timed
from snnlab.studies.subjects import MOST_IMAGES, NETWORKS, prepared

DENSE = "dense work"


@dataclass(frozen=True)
class Row:
    """What one simulator took on one network for T steps; the fields are those of the JSON.

    Attributes:
        seconds: CPU seconds, one thread, median over the rounds.
        wall_seconds: with a thread for each core, median.
        spread: the largest of the CPU seconds minus the smallest.
        ratio_to_dense: median over the rounds of its CPU seconds by those of dense work in the same round.
        peak_mb: memory at its peak beyond the network's, MiB, one thread; None if not measured.
        max_difference: largest difference of the mean output from this simulator's; None for the ANN.
    """

    simulator: str
    network: str
    T: int
    seconds: float
    wall_seconds: float
    spread: float
    ratio_to_dense: float
    peak_mb: float | None
    max_difference: float | None


@dataclass(frozen=True)
class Settings:
    """What is measured. Raises: ValueError that names what does not fit, and what is allowed.

    Attributes:
        networks: names of NETWORKS. steps: each T >= 1.
        images, wide_images: for each network, and for one that is 64 channels wide, 1 to 256.
        rounds: 1 or more.
        memory: whether peaks are measured, each in a process of its own.
    """

    networks: Sequence[str] = tuple(NETWORKS)
    steps: Sequence[int] = (4, 16, 64)
    images: int = 32
    wide_images: int = 8
    rounds: int = 3
    memory: bool = True

    def __post_init__(self) -> None:
        for name in self.networks:
            if name not in NETWORKS:
                raise ValueError(f"network = {name!r}, but the networks are {', '.join(NETWORKS)}")
        for T in self.steps:
            whole(T, "T")
        whole(self.rounds, "rounds")
        if not (self.networks and self.steps):
            raise ValueError("there is nothing to measure: name a network and a T")
        for images in (self.images, self.wide_images):
            if not 1 <= images <= MOST_IMAGES:
                raise ValueError(f"images = {images}, but it must be 1 to {MOST_IMAGES}")

    def count(self, network: str) -> int:
        """Images for that network."""
        return self.wide_images if network.endswith("-64") else self.images


def settings(quick: bool, **given: Any) -> Settings:
    """Settings with some of them given; quick ones take less than a minute on two idle cores, without memory."""
    few: dict[str, Any] = (
        {"steps": (16,), "images": 6, "wide_images": 2, "rounds": 2, "memory": False} if quick else {}
    )
    once: dict[str, Any] = {
        name: tuple(dict.fromkeys(given[name])) for name in ("networks", "steps") if name in given
    }
    return Settings(**(few | given | once))


def plain_loop(snn: SNN) -> Simulator:
    """The loop over steps as everybody writes it first: all layers in every step, a potential for each neuron."""

    def run(images: Tensor, T: int) -> Tensor:
        potentials: dict[str, Tensor] = {}

        def fire(name: str, neuron: Any, z: Tensor) -> Tensor:
            v = potentials.get(name, neuron.v0) + z
            output = (v >= neuron.threshold) * neuron.threshold
            potentials[name] = v - output
            return output

        total = torch.zeros(())
        for _ in range(T):
            total = total + walk(snn.graph, images, fire)
        return total / T

    return run


def ours(snn: SNN) -> Simulator:
    """simulate as it comes: float32, and float64 where the grid needs it."""
    return lambda images, T: simulate(snn, images, T).output


def ours_in_float64(snn: SNN) -> Simulator:
    """simulate(..., dtype=torch.float64)."""
    return lambda images, T: simulate(snn, images, T, dtype=torch.float64).output


def ours_without_grid(snn: SNN) -> Simulator:
    """convert(..., exact=False)."""
    return ours(SNN(snn.graph, None, snn.method, snn.T, snn.rows, snn.example))


def ours_with(bits: int) -> Callable[[SNN], Simulator]:
    """convert(..., bits=bits)."""

    def build(snn: SNN) -> Simulator:
        grid = on_grid(snn.graph, snn.example, bits)
        return ours(SNN(snn.graph, grid, snn.method, snn.T, snn.rows, snn.example))

    return build


OURS = "snnlab"
WAYS: dict[str, Callable[[SNN], Simulator]] = {
    OURS: ours,
    "snnlab, bits=15": ours_with(15),
    "snnlab, bits=8": ours_with(8),
    "snnlab, float64": ours_in_float64,
    "snnlab, exact=False": ours_without_grid,
}
"""Each way that this simulator has of computing; they share out the images themselves."""


def in_batches(run: Simulator) -> Simulator:
    """A few images at a time, as many as this simulator takes, channels-last."""

    def all_of(images: Tensor, T: int) -> Tensor:
        return torch.cat([run(channels_last(few), T) for few in images.split(BATCH)])

    return all_of


def simulators(snn: SNN) -> tuple[dict[str, Simulator], list[str]]:
    """All that can be run here, by the row's name, and a line for each peer that cannot."""
    others, missing = peers.found()
    own = {name: way(snn) for name, way in WAYS.items()}
    stepped = {"plain loop": plain_loop} | others
    return own | {name: in_batches(build(snn)) for name, build in stepped.items()}, missing


def run(settings: Settings) -> tuple[list[Row], list[str]]:
    """Measure. Returns the rows, network after network, and a line for each peer that is not here."""
    total = len(settings.networks) * len(settings.steps) * settings.rounds
    rows: list[Row] = []
    missing: list[str] = []
    with progress_bar(total=total, unit=said("round"), delay=0) as bar:
        for network in settings.networks:
            bar.set_description(said("{network}: converting").format(network=network))
            bench = Bench(network, settings.count(network))
            for T in settings.steps:
                for k in range(settings.rounds):
                    doing = said("{network}, T = {T}, round {k}")
                    bar.set_description(doing.format(network=network, T=T, k=k + 1))
                    bench.round(T)
                    bar.update()
            peaks = bench.peaks(settings.steps) if settings.memory else {}
            rows += [row for T in settings.steps for row in bench.rows(T, peaks)]
            missing = [*dict.fromkeys([*missing, *bench.missing])]
    return rows, missing


@dataclass
class Bench:
    """One network with all its simulators, and the times that they took so far."""

    network: str
    count: int
    times: dict[tuple[str, int], list[tuple[float, float]]] = field(default_factory=dict)
    outputs: dict[tuple[str, int], Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ann, self.snn, self.images = prepared(self.network, self.count)
        self.simulators, self.missing = simulators(self.snn)
        self.batch = fastest_batch(self.ann, self.images)
        for name in list(self.simulators):
            self.try_out(name)

    def try_out(self, name: str) -> None:
        """Run one once: what is set up at first use is not counted; a peer that fails is left out, and said."""
        try:
            timed(lambda: self.simulators[name](self.images[:2], 1))
        except (AttributeError, ImportError, RuntimeError, TypeError, ValueError) as error:
            if name in WAYS:
                raise
            del self.simulators[name]
            self.missing.append(f"{name} fails in the version that is here: {' '.join(str(error).split())}")

    def round(self, T: int) -> None:
        """Each once for its CPU seconds, and once for its wall seconds."""
        self.times.setdefault((DENSE, T), []).append(dense_work(self.ann, self.images, T, self.batch))
        for name, simulator in self.simulators.items():
            outputs: list[Tensor] = []
            taken = timed(lambda: outputs.append(simulator(self.images, T)))  # noqa: B023 - called at once
            self.times.setdefault((name, T), []).append(taken)
            self.outputs[name, T] = outputs[0].double()

    def rows(self, T: int, peaks: dict[tuple[str, int], float]) -> Iterator[Row]:
        """What was found for T steps."""
        dense = [cpu for cpu, _ in self.times[DENSE, T]]
        for name in (DENSE, *self.simulators):
            seconds, wall = zip(*self.times[name, T], strict=True)
            far = None if name == DENSE else self.outputs[name, T] - self.outputs[OURS, T]
            yield Row(
                name, self.network, T,
                rounded(statistics.median(seconds)), rounded(statistics.median(wall)),
                rounded(max(seconds) - min(seconds)),
                rounded(statistics.median(mine / yard for mine, yard in zip(seconds, dense, strict=True))),
                peaks.get((name, T)), None if far is None else float(far.abs().amax()),
            )  # fmt: skip

    def peaks(self, steps: Sequence[int]) -> dict[tuple[str, int], float]:
        """(simulator, T) to MiB; each simulator in a process of its own, the fewest steps first."""
        found: dict[tuple[str, int], float] = {}
        for name in progress_bar(
            list(self.simulators), said("{network}: memory").format(network=self.network)
        ):
            task = json.dumps([self.network, name, self.count, sorted(set(steps))])
            command = [sys.executable, "-m", "snnlab.studies.bench", task]
            bare = os.environ | {"OMP_NUM_THREADS": "1", "SNNLAB_PROGRESS": "none"}
            done = subprocess.run(command, capture_output=True, text=True, env=bare, check=False)
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no word"])[-1]
                self.missing.append(f"the memory of {name} on {self.network} was not measured: {last}")
                continue
            found |= {(name, int(T)): float(mb) for T, mb in json.loads(done.stdout.splitlines()[-1])}
        return found


def rounded(number: float) -> float:
    """To four digits."""
    return float(f"{number:.4g}")


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows as lines of Markdown."""
    yield "| network | T | simulator | CPU s | spread | wall s | x dense | peak, MiB | largest difference |"
    yield "|---|---:|---|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        peak_mb = "" if row.peak_mb is None else f"{row.peak_mb:.0f}"
        far = "" if row.max_difference is None else f"{row.max_difference:.2g}"
        who = f"{row.network} | {row.T} | {row.simulator}"
        took = f"{row.seconds:.3g} | {row.spread:.2g} | {row.wall_seconds:.3g} | {row.ratio_to_dense:.2f}"
        yield f"| {who} | {took} | {peak_mb} | {far} |"


def as_json(rows: Sequence[Row]) -> str:
    """The rows as a list in JSON."""
    return json.dumps([asdict(row) for row in rows], indent=2)


def child(task: str) -> str:
    """In a process of its own: the peaks of one simulator, as [[T, MiB], ...] in JSON."""
    network, name, count, steps = json.loads(task)
    _, snn, images = prepared(network, count)
    simulator = simulators(snn)[0][name]
    with torch.inference_mode(), threads(1):
        simulator(images[:1], 1)
        return json.dumps([[T, round(peak(lambda: simulator(images, T)), 1)] for T in steps])  # noqa: B023


if __name__ == "__main__":
    sys.stdout.write(child(sys.argv[1]) + "\n")
