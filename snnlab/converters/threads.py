"""Threads: one piece of work for each core at a time, its operations single-threaded.

At the sizes here threads inside an operation cost more than they bring: they wait for each other in every one of
thousands of small steps. Pieces of work are shared out instead, and neither their order nor the number of threads
changes a bit of what comes out.
"""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

import torch

from snnlab.neurons.door import door

Item = TypeVar("Item")
Made = TypeVar("Made")
AHEAD = 2  # pieces of work that a thread is ahead of who takes what is made: more only fill the memory

SMALL_BATCH = 2**16
"""Values in a batch of images below which threads inside an operation cost more than they bring."""


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@door
@contextlib.contextmanager
def threads_for(values: int) -> Iterator[None]:
    """One thread for small images: on a busy machine two that wait for each other are many times slower than one.

    Args:
        values: of a batch of images, B * C * H * W.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if values < SMALL_BATCH else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextlib.contextmanager
def one_thread_each(device: torch.device, count: int = 0) -> Iterator[ThreadPoolExecutor]:
    """A pool with a thread for each core, and operations that use one thread; on a GPU one thread, no TF32.

    Args:
        count: threads; 0 takes as many as an operation has outside.
    """
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor((count or threads) if device.type == "cpu" else 1)
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    try:
        torch.set_num_threads(1)
        with exact if device.type == "cuda" else contextlib.nullcontext():
            yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def in_order(pool: Executor | None, work: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """What work makes of each item, in their order, by a pool's threads; without a pool in this one.

    Gradients are kept there or not as they are here, for each thread has a mode of its own.
    """
    if pool is None:
        yield from map(work, items)
        return
    gradients = torch.is_grad_enabled()

    def there(item: Item) -> Made:
        with torch.set_grad_enabled(gradients):
            return work(item)

    ahead = AHEAD * getattr(pool, "_max_workers", 1)
    waiting: deque[Future[Made]] = deque()
    for item in items:
        waiting.append(pool.submit(there, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
