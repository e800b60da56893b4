"""Time and memory that a piece of work takes, and the yardstick: dense work, the ANN's own forward passes."""

import contextlib
import ctypes
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from snnlab.converters.graph.unroll import channels_last
from snnlab.converters.threads import cores

PASSES = 16
"""Forward passes that are timed for dense work, at most; the time of all follows from theirs."""


def dense_work(ann: nn.Module, images: Tensor, T: int, batch: int) -> tuple[float, float]:
    """CPU and wall seconds of T forward passes of the ANN over all images: from some passes over one batch of them."""
    few, wanted = filled(images, batch), T * len(images) / batch
    passes = min(PASSES, math.ceil(wanted))

    def work() -> None:
        for _ in range(passes):
            ann(few)

    cpu, wall = timed(work)
    return cpu * wanted / passes, wall * wanted / passes


def filled(images: Tensor, batch: int) -> Tensor:
    """So many images, channels-last, some of them several times if there are fewer."""
    return channels_last(images[torch.arange(batch) % len(images)])


@torch.inference_mode()
def timed(work: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds with one thread, wall seconds with one for each core; without progress bars, which take time."""
    with quiet():
        with threads(1):
            began = time.process_time()
            work()
            cpu = time.process_time() - began
        with threads(cores()):
            start = time.perf_counter()
            work()
            return cpu, time.perf_counter() - start


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No new progress bars."""
    before = os.environ.get("SNNLAB_PROGRESS")
    os.environ["SNNLAB_PROGRESS"] = "none"
    try:
        yield
    finally:
        os.environ.pop("SNNLAB_PROGRESS")
        if before is not None:
            os.environ["SNNLAB_PROGRESS"] = before


@contextlib.contextmanager
def threads(number: int) -> Iterator[None]:
    """PyTorch with so many threads; as before at the end."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fastest_batch(ann: nn.Module, images: Tensor) -> int:
    """Of 1, 2, 4, ... 32 images at a time those that take the ANN least CPU time an image; the best of two tries."""
    taken: dict[int, float] = {}
    for batch in 2 * [2**k for k in range(6)]:
        few = filled(images, batch)
        with torch.inference_mode(), threads(1):
            ann(few)
            began = time.process_time()
            ann(few)
        taken[batch] = min(taken.get(batch, math.inf), (time.process_time() - began) / batch)
    return min(taken, key=lambda batch: taken[batch])


def peak(work: Callable[[], object]) -> float:
    """Memory at its peak while work runs beyond what was held before, MiB.

    Linux can begin its high-water mark anew; elsewhere it only ever rises, so what came before is counted as held.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # what is free goes back, so that it is not taken for held
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = high_water()
    work()
    return high_water() - before


def high_water() -> float:
    """The most memory that this process has had, MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text(encoding="utf-8"))[1]) / 2**10  # type: ignore[index]
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, on macOS bytes
    return most / (2**20 if sys.platform == "darwin" else 2**10)
