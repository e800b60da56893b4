"""Who does the work of a study or a report: this process, a pool of processes with a thread each, a Dask cluster."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Self

from snnlab.converters.threads import cores
from snnlab.progress import EVERY

LOCAL = "local"
"""The address that asks for a Dask cluster on this machine."""
ATTEMPTS = 3
"""How often a worker may die on the same work before that is taken for its result."""


def allowed() -> int:
    """The cores that this process may use; fewer where the environment's OMP_NUM_THREADS says so."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores(), int(wanted) or cores()) if wanted.isdecimal() else cores()


@dataclass
class Task:
    """A work for one of the workers, which may have to wait for others.

    Attributes:
        function, argument: what is called, and with what; both can be sent to another process.
        name, needs: by which others wait for this one, and the names of those that it waits for.
        attempts: how often it was begun and ended, by its own end or its worker's.
    """

    function: Callable[[Any], Any]
    argument: Any
    name: str = ""
    needs: frozenset[str] = frozenset()
    attempts: int = 0


class Here(Executor):
    """An executor that works at once, in this very process."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of a work that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as every executor, it hands on what was raised
            future.set_exception(error)
        return future


class Workers:
    """Some workers that can be replaced if one dies; `slots` of them are at work at a time. `with` ends them.

    Each process of a pool calls `start` first, which may hand it once what all its works need.
    """

    def __init__(
        self,
        count: int,
        scheduler: str = "",
        paths: tuple[str, ...] = (),
        start: Callable[[], None] | None = None,
    ) -> None:
        self.count, self.scheduler, self.paths, self.start = count, scheduler, paths, start
        self.slots = count
        self._running: dict[Future[Any], Task] = {}
        self._client: Any = None
        self._executor = self._made()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def work(
        self, tasks: Iterable[Task], watch: Callable[[list[Any]], None] = lambda _: None
    ) -> Iterator[tuple[Task, Future[Any]]]:
        """Each task with its future, as soon as it is done; they are begun in this order, but for those that wait.

        A task whose worker dies is begun again, ATTEMPTS times at most. One that others need is done for them also if
        it failed.

        Args:
            watch: is shown the arguments of all that is at work: whenever a task is begun, and every EVERY seconds.
        """
        waiting, running = deque(tasks), self._running
        undone = {task.name for task in waiting} - {""}
        while waiting or running:
            while len(running) < self.slots and (task := _next(waiting, undone)) is not None:
                watch([*(other.argument for other in running.values()), task.argument])
                running[self.submit(task.function, task.argument)] = task
            done, _ = wait(running, timeout=EVERY, return_when=FIRST_COMPLETED)
            if not done:
                watch([task.argument for task in running.values()])
            broken = [future for future in done if isinstance(future.exception(), BrokenProcessPool)]
            for future in done:
                task = running.pop(future)
                task.attempts += 1
                if future in broken and task.attempts < ATTEMPTS:
                    waiting.appendleft(task)
                    continue
                undone.discard(task.name)
                yield task, future
            if broken:
                self.renew()

    def submit(self, function: Callable[..., Any], argument: Any) -> Future[Any]:
        """Hand out a work. A pool that is broken already says so through the future."""
        try:
            if self._client is not None:
                return self._executor.submit(_there, self.paths, function, argument)
            return self._executor.submit(function, argument)
        except BrokenProcessPool as error:
            future: Future[Any] = Future()
            future.set_exception(error)
            return future

    def renew(self) -> None:
        """New workers, where one of the old has died."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._made()

    def end(self) -> None:
        """Leave no process behind, also not one in the middle of its work."""
        if self._client is not None:
            cluster = self._client.cluster
            self._client.close()
            if self.scheduler == LOCAL:
                cluster.close()
        if self._client is None and not self._running:
            self._executor.shutdown(wait=True, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
            process.join()
        if self._client is None:
            self._executor.shutdown(
                wait=True
            )  # a pool whose workers are gone ends, and gives back its semaphores

    def _made(self) -> Executor:
        if self.scheduler:
            return self._cluster()
        if self.count == 1:
            return Here()
        spawn = multiprocessing.get_context("spawn")  # a fork would copy locks that PyTorch's threads hold
        with _deaf():  # what is started now lets Ctrl-C to this process
            pool = ProcessPoolExecutor(self.count, spawn, _begin, (self.paths, self.start))
            for _ in range(self.count):  # a pool starts a process with each work that finds none idle
                pool.submit(int)
        return pool

    def _cluster(self) -> Executor:
        """Dask's workers, as an executor. Raises: ValueError if Dask is missing or nothing answers there."""
        try:
            from distributed import Client, LocalCluster
        except ImportError:
            raise ValueError(
                "Dask is not installed: pip install 'snnlab[dask]', or leave --scheduler out"
            ) from None
        if self._client is None:
            try:
                if self.scheduler == LOCAL:
                    with _deaf():
                        cluster = LocalCluster(
                            n_workers=self.count,
                            threads_per_worker=1,
                            dashboard_address=None,
                            silence_logs=50,
                        )
                    self._client = Client(cluster)
                else:
                    self._client = Client(self.scheduler, timeout=10)
            except (OSError, ValueError, TimeoutError) as error:
                raise ValueError(
                    f"--scheduler {self.scheduler}: no answer ({type(error).__name__})"
                ) from None
            self.slots = max(1, sum(self._client.nthreads().values()))
        return self._client.get_executor(pure=False)  # a pure function's failure would be taken for known


def _next(waiting: deque[Task], undone: set[str]) -> Task | None:
    """The first task that waits for no other, taken out."""
    for task in waiting:
        if not task.needs & undone:
            waiting.remove(task)
            return task
    return None


def _there(paths: tuple[str, ...], function: Callable[..., Any], argument: Any) -> Any:
    """A work in one of Dask's workers, which knows neither the user's folders nor that bars are unwanted."""
    os.environ["SNNLAB_PROGRESS"] = "none"
    sys.path += [path for path in paths if path not in sys.path]
    return function(argument)


def _settle() -> None:
    """What a worker begins with: one thread, no progress bars of its own, and no life without its parent process."""
    import torch
    from tqdm import tqdm

    torch.set_num_threads(1)
    os.environ["SNNLAB_PROGRESS"] = "none"
    tqdm.set_lock(
        threading.RLock()
    )  # its own one is a semaphore of the system, which a killed worker leaves behind
    _keep_pages()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _keep_pages() -> None:
    """Keep up to 256 MiB of what is freed, in pieces of 32 MiB at most, for the next tensors: else each has new pages.

    They cost `rmpe` on digits up to T = 32 one to three of 14 seconds. Only glibc can be told so.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(-3, 2**25)  # M_MMAP_THRESHOLD
        mallopt(-1, 2**28)  # M_TRIM_THRESHOLD


def _begin(paths: tuple[str, ...], start: Callable[[], None] | None) -> None:
    """A worker of a study, which lets Ctrl-C to its parent and finds what the user's folders hold."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path += [path for path in paths if path not in sys.path]
    _settle()
    if start is not None:
        start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # only workers wait here
    parent.join()
    os._exit(1)


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Within it Ctrl-C is ignored, also by the processes that are started."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
