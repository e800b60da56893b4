"""Who does the work of a study: this process, a pool of processes with a thread each, or a Dask cluster."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

LOCAL = "local"
"""The address that asks for a Dask cluster on this machine."""


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
    """Some workers that can be replaced if one dies; `slots` of them are at work at a time.

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
        self._client: Any = None
        self._executor = self._made()

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

    def end(self, in_the_middle: bool) -> None:
        """Leave no process behind, also not one in the middle of its work."""
        if self._client is not None:
            cluster = self._client.cluster
            self._client.close()
            if self.scheduler == LOCAL:
                cluster.close()
        if self._client is None and not in_the_middle:
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
    threading.Thread(target=_end_with_parent, daemon=True).start()


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
