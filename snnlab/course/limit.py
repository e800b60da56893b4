"""A time limit for what a student wrote, so that an endless loop does not take the notebook with it."""

import ctypes
import threading
from collections.abc import Callable
from typing import Any

AGAIN = 0.05
"""Seconds after which the error is raised again."""


class EndlessError(BaseException):
    """The call was stopped; no Exception, so that `except Exception` in it does not swallow this."""


def within(seconds: float, function: Callable[..., Any], *inputs: Any) -> Any:
    """function(*inputs), stopped after some seconds.

    A second thread raises the error in the calling one. Unlike an alarm this works on every system and in every
    thread; like an alarm it waits for the end of a call that is not Python, as `time.sleep`. A bare `except:` in the
    function may swallow the error, so it is raised until it gets through.

    Raises: EndlessError once the time is over, and whatever the function raises.
    """
    caller, done, lock = ctypes.c_ulong(threading.get_ident()), threading.Event(), threading.Lock()
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            wait = AGAIN
            with lock:
                if not done.is_set():
                    raise_in(caller, ctypes.py_object(EndlessError))

    def stop() -> None:
        with lock:
            done.set()
            raise_in(caller, None)  # one that is on its way comes too late

    try:
        try:
            threading.Thread(target=watch, daemon=True).start()
            return function(*inputs)
        finally:
            stop()
    except EndlessError:  # it may have come while `stop` was at work
        stop()
        raise
