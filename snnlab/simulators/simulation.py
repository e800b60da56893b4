"""simulate: run a converted network for T steps, and keep what is asked for.

Images are taken a few at a time and steps in chunks, so memory is bounded whatever their numbers; each batch runs
on a thread of its own with single-threaded operations, because at this size threads inside an operation cost more
than they bring. Neither the chunk nor the batch nor the threads change a bit of the result (converters/grid/).
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from snnlab.converters.graph.unroll import Plan, Unroll, channels_last
from snnlab.converters.snn import SNN, check_images
from snnlab.converters.threads import one_thread_each
from snnlab.datasets.given import Given, images_of
from snnlab.files import short
from snnlab.files.language import said
from snnlab.neurons import IF, State
from snnlab.neurons.counting import tally
from snnlab.neurons.door import door
from snnlab.neurons.settings import MOST_STEPS, check_memory, memory, whole
from snnlab.progress import progress_bar
from snnlab.simulators.coding import Coding, Poisson, coded
from snnlab.simulators.run import Axis, Run, Trace
from snnlab.simulators.stopping import Outcome, Rule, Stop, rule_of, silence

BATCH, BATCH_BYTES = 32, 96 * 2**10  # images at a time, at most
CHUNK_BYTES = (
    4 * 2**20
)  # of one layer's currents in one chunk of steps: more is faster on wide networks, and memory

ALL_STEPS = 2**29  # bytes of one batch in one thread, at most, where all steps are held at once
PER_NEURON, RECORDED = (
    96,
    32,
)  # bytes in each step: measured for neurons that look ahead; v and output, held twice

Record = str | Sequence[str] | Mapping[str, Sequence[tuple[int, ...]] | None]


@door
def simulate(
    snn: SNN,
    data: Given,
    T: int | None = None,
    *,
    record: Record = (),
    chunk: int | None = None,
    dtype: torch.dtype = torch.float32,
    coding: Coding = "constant",
    seed: int = 0,
    class_axis: Axis | None = None,
    stop: Stop | None = None,
) -> Run:
    """Run a converted network on images for T steps, on the device that it is on, with a progress bar.

    Args:
        data: images [N, ...], a Split, or whatever datasets.given.images_of reads, all of it.
        T: steps, >= 1; None takes what the network was converted for.
        record: site names whose potentials and outputs to keep, or a mapping from site name to neuron indices,
            e.g. {"conv2.act": [(3, 5, 5)]}, None for all; every image is recorded, so hand in few.
        chunk: steps computed at once, >= 1; None chooses by size. It does not change the result.
        dtype: precision of sums over spikes, float32 or float64; on the grid both give the same bits.
        coding: "constant": the image is the same current in every step. "poisson": pixels, scaled into [0, 1] by the
            largest of the calibration images, are the chances of a spike in each step (coding.py).
        seed: of the Poisson coding, >= 0.
        class_axis: the axis of the classes in an output that is no [N, K], e.g. 1 in a map [N, K, H, W].
        stop: None takes all T steps. "certain" ends an image as soon as nothing that may come in the steps left can
            change its class, which so is the class after T. A share between 0 and 1, as 0.9, ends it when its class
            seems that likely, an approximation (stopping.py). `run.steps` says when each ended.
    Raises: ValueError that names the argument, what was given and what is allowed.
    """
    images, T = prepared(snn, data, T, chunk, dtype)
    wanted = _wanted(snn, record)
    _check_recorded(snn, wanted, T, len(images))
    rule = rule_of(snn, T, stop, bool(wanted))
    chunk = T if any(neuron.looks_ahead for neuron in snn.sites.values()) else chunk
    graph = snn.runs
    graph = copy.deepcopy(graph).double() if dtype == torch.float64 else graph
    coder = coded(snn, coding, seed)
    runner = _Runner(Plan(graph, coder is not None), snn.sites, T, chunk, wanted, coder, class_axis, rule)
    size = max(1, min(BATCH, BATCH_BYTES // (4 * images[0].numel())))
    size = size if chunk is None or chunk < T else few_at_once(snn, T, size)
    batches = images.to(dtype).split(size)
    return _join(list(each_batch(snn, batches, runner, said("simulating {T} steps").format(T=T))))


@door
def each_batch(
    snn: SNN,
    batches: Sequence[Tensor],
    work: Callable[[Tensor, int], Any],
    title: str,
    *,
    progress: bool = True,
) -> Iterator[Any]:
    """What work gives for one batch after the other: a thread for each core, and a progress bar.

    Args:
        batches: images, each [B, ...].
        work: called with images on the network's device, channels last, and the number of their first among all.
    """
    first = accumulate((len(few) for few in batches), initial=0)
    bar = progress_bar(total=sum(map(len, batches)), desc=title, unit=said("image"), disable=not progress)
    with bar, one_thread_each(snn.device) as pool:
        done = pool.map(lambda few, k: work(channels_last(few.to(snn.device)), k), batches, first)
        for few, found in zip(batches, done, strict=True):
            yield found
            bar.update(len(few))


def _wanted(snn: SNN, record: Record) -> dict[str, Sequence[tuple[int, ...]] | None]:
    wanted = (
        dict(record)
        if isinstance(record, Mapping)
        else dict.fromkeys([record] if isinstance(record, str) else record)
    )
    for name in wanted:
        if name not in snn.sites:
            raise ValueError(f"record names {short(name)}, but the sites are {', '.join(snn.sites)}")
    return wanted


@door
def prepared(
    snn: SNN, data: Given, T: int | None, chunk: int | None = None, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, int]:
    """Images [N, ...] and steps as the network takes them. Raises: ValueError that names what does not fit."""
    images, T = images_of(data, "data", None), snn.T if T is None else whole(T, "T", most=MOST_STEPS)
    check_images(snn, images, "data")
    if chunk is not None:
        whole(chunk, "chunk")
    ahead = [name for name, neuron in snn.sites.items() if neuron.looks_ahead]
    if ahead and chunk not in (None, T):
        raise ValueError(f"chunk = {chunk}, but {ahead[0]!r} looks ahead over all {T} steps: leave chunk out")
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype = {dtype}, but it must be torch.float32 or torch.float64")
    if snn.method.depends_on_T and snn.T != T:
        raise ValueError(
            f"T = {T}, but method {snn.method.name!r} converted for T = {snn.T} only; convert again for {T}"
        )
    return images, T


def at_once(snn: SNN, T: int) -> int:
    """Bytes that an image takes in the largest layer where all T steps are held at once."""
    return PER_NEURON * T * max((zeros.numel() for zeros in silence(snn)[0].values()), default=1)


def few_at_once(snn: SNN, T: int, most: int) -> int:
    """Images at a time, `most` at most, where all T steps are held at once.

    Raises: ValueError if those of one image in each thread would fill the memory.
    """
    one = at_once(snn, T)
    threads = torch.get_num_threads()
    check_memory(
        one * threads,
        f"T = {T}, all of whose steps are held at once, would take some {{}}, an image in each of {threads} threads",
        "take fewer steps, or a method whose neurons do not look ahead",
    )
    return max(1, min(most, int(min(ALL_STEPS, memory() / 2 / threads) // one)))


def _check_recorded(snn: SNN, wanted: Mapping[str, Sequence[Any] | None], T: int, count: int) -> None:
    if wanted:
        zeros = silence(snn)[0]
        neurons = sum(zeros[name].numel() if of is None else len(of) for name, of in wanted.items())
        check_memory(
            RECORDED * T * count * neurons,
            f"record would take some {{}} for {neurons} neurons, {count} images and T = {T}",
            "record fewer sites, or chosen neurons, {'site': [(0, 0, 0)]}, or hand in fewer images",
        )


@dataclass(frozen=True)
class _Runner:
    """All T steps for one batch of images; threads share it, and what they find of its layers' sizes is the same."""

    plan: Plan
    sites: dict[str, IF]
    T: int
    chunk: int | None
    wanted: dict[str, Any]
    coder: Poisson | None
    class_axis: int | None
    rule: Rule | None
    sizes: dict[str, int] = field(default_factory=dict)  # bytes of a site's current for one image in one step

    @torch.inference_mode()
    def __call__(self, images: Tensor, first: int) -> Run:
        """Images [B, ...], of which the first is number `first` of all."""
        batch, static = _Batch(self), self.plan.static(images)
        shown = None if self.coder is None else self.coder.steps(images, first)
        found = Outcome(images, self.T, self.rule, self.class_axis)
        while len(found.going):
            steps = min(self.chunk or self.affordable_steps(len(found.going)), found.until_some_end())
            unroll = Unroll(self.plan, static, steps, None if shown is None else shown(steps, found.going))
            used, ended = found.add(unroll.run(batch.at_neuron).double())
            batch.count(used, steps)
            if ended.any() and len(found.going):
                stay = (~ended).nonzero()[:, 0]
                static = {node: few_of(value, stay) for node, value in static.items()}
                batch.keep(stay)
        mean = found.total / found.steps.reshape(-1, *(1 for _ in found.total.shape[1:]))
        decided = None if found.decided is None else found.decided.cpu()
        return Run(self.T, mean.cpu(), decided, batch.spikes(), batch.traces(), found.steps.cpu())

    def affordable_steps(self, images: int) -> int:
        """Steps in one chunk, as soon as the largest layer is known."""
        largest = images * max(self.sizes.values(), default=0)
        return CHUNK_BYTES // largest or 1 if largest else 1


class _Batch:
    """What one batch accumulates at its neurons: states, spike counts, recordings."""

    def __init__(self, runner: _Runner) -> None:
        self.runner = runner
        self.states: dict[str, State] = {}
        self.either: dict[str, float] = {}  # spikes of neurons that take some back, both signs counted
        self.sent: dict[str, Tensor] = {}  # in each step of this chunk by each image, where images may end
        self.counted: dict[str, float] = {}  # of them those up to where an image ended
        self.recorded: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in runner.wanted}

    def at_neuron(self, name: str, neuron: IF, current: Tensor) -> Tensor:
        potentials: list[Tensor] | None = [] if name in self.recorded else None
        output, self.states[name] = neuron(current, self.states.get(name), potentials)
        if self.runner.rule is not None:
            self.sent[name] = _by_image(output, neuron)
        elif neuron.least_spikes < 0:
            self.either[name] = self.either.get(name, 0) + _either(output)
        self.runner.sizes[name] = current[0, 0].nbytes
        if potentials is not None:
            v, emitted = neuron.in_activation(torch.stack(potentials)), neuron.sent(output)
            self.recorded[name].append((self.choose(name, v), self.choose(name, emitted)))
        return output

    def choose(self, name: str, values: Tensor) -> Tensor:
        """The wanted neurons of [T, B, ...]: [T, B, K], or all."""
        indices = self.runner.wanted[name]
        if indices is None:
            return values
        sizes = values.shape[2:]
        for index in indices:
            if len(index) != len(sizes) or not all(
                -size <= i < size for i, size in zip(index, sizes, strict=True)
            ):
                raise ValueError(
                    f"record asks for neuron {index} of {name!r}, whose neurons are {list(sizes)}: an index has one "
                    "whole number for each of these axes, smaller than the axis"
                )
        return torch.stack([values[:, :, *index] for index in indices], dim=-1)

    def count(self, used: Tensor, steps: int) -> None:
        """Count the spikes of those of a chunk's steps that each image used, [B]."""
        within = torch.arange(steps, device=used.device)[:, None] < used
        for name, sent in self.sent.items():
            self.counted[name] = self.counted.get(name, 0.0) + float((sent * within).sum())

    def keep(self, stay: Tensor) -> None:
        """Let the other images go."""
        for name, state in self.states.items():
            v, count, calcium, reach, charge = state
            calcium, charge = (None if value is None else few_of(value, stay) for value in (calcium, charge))
            self.states[name] = State(few_of(v, stay), few_of(count, stay), calcium, reach, charge)

    def spikes(self) -> dict[str, float]:
        """Spikes per neuron at each site, summed over steps and images."""
        return {
            name: self.counted.get(name, self.either.get(name, float(state.count.sum(dtype=torch.float64))))
            / state.v[0].numel()
            for name, state in self.states.items()
        }

    def traces(self) -> dict[str, Trace]:
        return {
            name: self.trace(name, *map(torch.cat, zip(*kept, strict=True)))
            for name, kept in self.recorded.items()
        }

    def trace(self, name: str, v: Tensor, output: Tensor) -> Trace:
        neuron, shape = self.runner.sites[name], self.states[name].v.shape
        parameters = (p.expand(shape)[None, :1] for p in (neuron.threshold, neuron.v0))
        threshold, v0 = (self.choose(name, p)[0, 0].cpu() for p in parameters)
        return Trace(v.cpu(), output.cpu(), threshold, v0)


def _either(output: Tensor) -> float:
    """Spikes of either sign of neurons that send one at a time."""
    return float(
        tally(output, either=True).sum(dtype=torch.float64)
        if output.dtype == torch.int8
        else output.count_nonzero()
    )


def _by_image(output: Tensor, neuron: IF) -> Tensor:
    """Spikes of either sign in each step by each image, [T, B]: of outputs [T, B, ...], on a grid spikes."""
    spikes = output if output.dtype == torch.int8 or neuron.unit is not None else output / neuron.threshold
    spikes = spikes.abs() if neuron.least_spikes < 0 else spikes
    (T, B), size = spikes.shape[:2], spikes[0, 0].numel()
    dense = spikes.stride(0) == B * size and (B == 1 or spikes.stride(1) == size)
    rows = spikes.as_strided((T, B, size), (B * size, size, 1)) if dense else spikes.flatten(2)
    return rows.sum(-1, dtype=torch.int32 if rows.dtype == torch.int8 else None).round().double()


def few_of(values: Tensor, which: Tensor) -> Tensor:
    """Some of [B, ...], laid out in memory as all of them are."""
    return torch.index_select(values, 0, which, out=torch.empty_like(values[: len(which)]))


def _joined(parts: Sequence[Tensor | None], axis: int = 0) -> Tensor | None:
    found = [part.cpu() for part in parts if part is not None]
    return torch.cat(found, axis) if found else None


def _join(parts: list[Run]) -> Run:
    """One Run from those of the batches."""
    first, steps = parts[0], torch.cat([part.steps for part in parts])
    rates = {
        name: sum(part.firing_rate[name] for part in parts) / int(steps.sum()) for name in first.firing_rate
    }
    traces = {
        name: replace(
            trace,
            v=torch.cat([part.traces[name].v for part in parts], 1),
            output=torch.cat([part.traces[name].output for part in parts], 1),
        )
        for name, trace in first.traces.items()
    }
    output = torch.cat([part.output for part in parts])
    return Run(first.T, output, _joined([part.decided for part in parts], 1), rates, traces, steps)
