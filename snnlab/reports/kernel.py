"""The kernel of a report, run as a program: IPython's, but at its end nobody waits for what needs no end."""

import atexit
import os
import sys
from pathlib import Path

if __name__ == "__main__" and Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
    del sys.path[0]  # names of other things lie here; IPython puts the notebook's folder in this place

from multiprocessing import resource_tracker
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp


class Kernel(IPythonKernel):
    """A kernel that does not wait for Python's tracker of resources, which ends with it and heeds no signal.

    It is there after a pool of processes; to wait for it takes 2.5 seconds, and then the kernel is killed.
    """

    def _process_children(self) -> list[Any]:
        """Whose end is waited for."""
        tracker = getattr(resource_tracker._resource_tracker, "_pid", None)
        return [child for child in super()._process_children() if child.pid != tracker]


if __name__ == "__main__":
    # the last handler to run: a second or two would go into taking PyTorch's modules apart one by one
    atexit.register(os._exit, 0)
    IPKernelApp.launch_instance(kernel_class=Kernel)
