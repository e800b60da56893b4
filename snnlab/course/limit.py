"""A time limit for what a student wrote, so that an endless loop does not take the notebook with it."""

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

AGAIN = 0.05
"""Seconds after which the error is raised again."""


class EndlessError(BaseException):
    """The call was stopped; no Exception, so that `except Exception` in it does not swallow this."""


def within(seconds: float, function: Callable[..., Any], *inputs: Any) -> Any:
    """function(*inputs), stopped after some seconds.

    A second thread raises the error in the calling one. A bare `except:` in the function may swallow it, so it is
    raised until it gets through. In the main thread, a notebook's, it comes as a signal and so ends `time.sleep`, too.
    A loop that is not Python, as `sum(iter(int, 1))`, is not stopped; in other threads no call that waits is.

    Raises: EndlessError once the time is over, and whatever the function raises.
    """
    done, lock = threading.Event(), threading.Lock()

    def watch(interrupt: Callable[[], object]) -> None:
        wait = seconds
        while not done.wait(wait):
            wait = AGAIN
            with lock:
                if not done.is_set():
                    interrupt()

    def stop(forget: Callable[[], object]) -> None:
        with lock:
            done.set()
            forget()  # one that is on its way comes too late

    signals = hasattr(signal, "pthread_kill") and threading.current_thread() is threading.main_thread()
    with _by_signal(done) if signals else _by_thread() as (interrupt, forget):
        try:
            try:
                threading.Thread(target=watch, args=(interrupt,), daemon=True).start()
                return function(*inputs)
            finally:
                stop(forget)
        except EndlessError:  # it may have come while `stop` was at work
            stop(forget)
            raise


Ways = tuple[Callable[[], object], Callable[[], object]]
"""How the error is raised in the calling thread, and how one that is on its way is taken back."""


@contextmanager
def _by_thread() -> Iterator[Ways]:
    caller, raise_in = ctypes.c_ulong(threading.get_ident()), ctypes.pythonapi.PyThreadState_SetAsyncExc
    yield lambda: raise_in(caller, ctypes.py_object(EndlessError)), lambda: raise_in(caller, None)


@contextmanager
def _by_signal(done: threading.Event) -> Iterator[Ways]:
    def end(*_: object) -> None:
        if not done.is_set():
            raise EndlessError

    caller, before = threading.get_ident(), signal.signal(signal.SIGALRM, end)
    try:
        yield lambda: signal.pthread_kill(caller, signal.SIGALRM), lambda: None
    finally:
        signal.signal(signal.SIGALRM, before)
