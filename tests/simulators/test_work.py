"""Work is counted, not timed: passes over a layer's values and conversions of precision in one step.

What a change may cost is written here as a number; one that doubles a pass, or takes a detour by float64, is seen on
any machine, however busy.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from snnlab import convert, networks, simulate
from snnlab.neurons import IF, BurstIF, ZeroThresholdIF
from snnlab.simulators import simulation

T, IMAGES = 8, torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))


class Work(TorchDispatchMode):
    """Counts the values that operations write, by precision, and those that are only converted."""

    def __init__(self) -> None:
        super().__init__()
        self.written: Counter[torch.dtype] = Counter()
        self.converted: Counter[tuple[torch.dtype, torch.dtype]] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        writes = not any(
            ret.alias_info is not None and not ret.alias_info.is_write for ret in func._schema.returns
        )
        if isinstance(out, torch.Tensor) and writes and not func.name().startswith("aten::empty"):
            self.written[out.dtype] += out.numel()
            source = args[1] if func.name() == "aten::copy_" else args[0] if args else None
            if "copy" in func.name() and isinstance(source, torch.Tensor) and source.dtype != out.dtype:
                self.converted[source.dtype, out.dtype] += out.numel()
        return out


def work_of(run: Callable[[], object]) -> Work:
    with torch.inference_mode(), Work() as work:
        run()
    return work


@pytest.mark.parametrize(
    ("kind", "passes"), [(IF, 4), (ZeroThresholdIF, 8), (lambda: BurstIF(max_spikes=2), 8)]
)
def test_a_step_of_a_neuron_is_a_few_passes_in_float32(kind: Callable[[], IF], passes: int) -> None:
    neuron = kind()
    neuron.room = 1000.0
    current = torch.randn(64, 4, 1024)
    work = work_of(lambda: neuron(current))
    each = {dtype: number / current.numel() for dtype, number in work.written.items()}
    assert sum(each.values()) < passes + 0.2, each  # 0.2: what comes once, and not in every step
    assert work.written[torch.float64] <= 64
    assert sum(work.converted.values()) < 1.1 * current.numel()  # a spike becomes a byte


@contextlib.contextmanager
def here(_: torch.device) -> Iterator[Any]:
    """In place of the pool of threads: the mode that counts sees its own thread only."""

    class Pool:
        map = staticmethod(map)

    yield Pool()


MOVED = [
    (networks.resnet20, "max_norm", 15, 26), (networks.vgg16, "max_norm", 15, 25),
    (networks.resnet20, "max_norm", 24, 46), (networks.vgg16, "max_norm", 24, 33),
    (networks.resnet20, "snm", 24, 165), (networks.vgg16, "snm", 24, 142),
]  # fmt: skip
"""Bytes at most; with a threshold for each neuron layers are in float64, which a grid of 24 bits keeps to the last."""


@pytest.mark.parametrize(("network", "method", "bits", "most"), MOVED)
def test_a_step_of_a_network_moves_few_bytes(
    network: Callable[..., nn.Module], method: str, bits: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes written for each neuron and step: its current, its potential's passes, its spike, its two bytes."""
    monkeypatch.setattr(simulation, "one_thread_each", here)
    snn = convert(network(seed=0).eval(), method, IMAGES, T, bits=bits, progress=False)
    simulate(snn, IMAGES[:1], T)  # weights are packed at the first use
    work = work_of(lambda: simulate(snn, IMAGES, T))
    neurons = sum(
        trace.output[0].numel()
        for trace in simulate(snn, IMAGES[:1], T, record=list(snn.sites)).traces.values()
    )
    steps = T * len(IMAGES) * neurons
    moved = sum(number * dtype.itemsize for dtype, number in work.written.items()) / steps
    assert moved < most, (moved, dict(work.written))
    if bits < 24:
        assert work.written[torch.float64] / steps < 0.2  # the image once, and no step
