"""Run a report's notebook in a kernel of its own, with a progress bar; keep it if it fails."""

import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

import snnlab
from snnlab.files import place, scratch
from snnlab.files.language import said
from snnlab.progress import progress_bar, tell_inside
from snnlab.reports import cells
from snnlab.reports.folder import FailedError, ReportError
from snnlab.reports.parameters import Value

ERROR_TAG = "papermill-error-cell-tag"
"""Of the cells in which papermill tells once more of an error."""
LONGEST_SOCKET_PATH = 80
"""Bytes of the sockets' folder; with its name a socket must stay under the 104 that macOS allows."""


def execute(
    notebook: Path, values: Mapping[str, Value], folder: Path, env: Mapping[str, str] | None = None
) -> nbformat.NotebookNode:
    """Run a notebook with these parameters; it writes results.json into folder. Returns it as it was run.

    env: what the kernel's environment has besides.
    Raises: FailedError that names the cell and its error, and holds the notebook up to there; ReportError.
    """
    written = folder / "report.ipynb"
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # its errors come back, told in one line
    started: list[Any] = []
    given = _read(notebook)
    cell = _divided(given, notebook.name)
    own = {"results": "results.json"} if cell and cell.takes_results else {}
    with scratch(Path(tempfile.gettempdir()), "snnlab-kernel-") as sockets:
        try:
            execute_notebook(
                given,
                str(written).replace("{", "{{").replace("}", "}}"),  # papermill formats its paths
                {**values, **own},
                engine_name="snnlab",
                progress_bar=False,
                title=notebook.stem,
                cwd=str(folder),
                kernel_manager_class=_kernel(sockets, started, env or {}),
            )
        except PapermillExecutionError as error:
            where = f"in cell {_number(error.cell_index, cell, bool(values or own))}"
            reason = f"the report failed {where}: {' '.join(f'{error.ename}: {error.evalue}'.split())}"
            raise FailedError(reason, _executed(written), "\n".join(error.traceback)) from None
        except DeadKernelError:
            raise FailedError(
                "the report failed: the kernel died, perhaps for lack of memory", _executed(written)
            ) from None
        except RuntimeError as error:  # what jupyter_client raises of a kernel that never answered
            raise ReportError(
                f"the report failed: its kernel did not start ({' '.join(str(error).split())}); "
                f"does `{sys.executable} -m ipykernel_launcher --version` work?"
            ) from None
        except (KeyboardInterrupt, SystemExit):
            logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # of tasks that wait in vain
            raise
        finally:
            _end(started)
    return _executed(written)


def _read(notebook: Path) -> nbformat.NotebookNode:
    """The notebook with its prose in the reader's language."""
    given = nbformat.read(notebook, as_version=4)
    for prose in (cell for cell in given.cells if cell.cell_type == "markdown"):
        prose.source = said(prose.source)
    return given


def _end(started: list[Any]) -> None:
    """Nobody shuts a kernel down that is stopped while it starts."""
    for kernel in started:
        if kernel.process is not None and kernel.process.poll() is None:
            kernel.process.kill()


def _divided(notebook: nbformat.NotebookNode, name: str) -> cells.Cell | None:
    """The parameters cell; what it computes is moved behind it, where papermill puts the values that are given."""
    if not any(cells.TAG in cell.metadata.get("tags", []) for cell in notebook.cells):  # a lesson
        return None
    cell = cells.read(notebook, name)
    if cell.computed:
        notebook.cells[cell.number].source = cell.plain
        notebook.cells.insert(cell.number + 1, nbformat.v4.new_code_cell(cell.computed))
    return cell


def _number(index: int, cell: cells.Cell | None, injected: bool) -> int:
    """The number, from 1, that a cell has in its file: behind the parameters stand cells which the file has not."""
    if cell is None or index <= cell.number:
        return index + 1
    return max(cell.number, index - injected - bool(cell.computed)) + 1


def _executed(written: Path) -> nbformat.NotebookNode:
    """The notebook as papermill left it, without times, places and papermill's own marks."""
    executed = nbformat.read(written, as_version=4)
    _tidy(executed)
    return executed


def _kernel(sockets: Path, started: list[Any], more: Mapping[str, str]) -> type[AsyncKernelManager]:
    """A manager of kernels that run this very Python, and talk through files: ports can be taken by another.

    started: takes up what holds each kernel's process.
    """
    paths = [str(Path(snnlab.__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
    env = {**more, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    env["SNNLAB_PROGRESS"] = "none" if os.environ.get("SNNLAB_PROGRESS") == "none" else "text"  # for _Relay
    env |= {"IPYTHONDIR": str(sockets / "ipython"), "PYTHONSTARTUP": ""}  # nobody's own start-up files
    env["SNNLAB_ANSWERS"] = str(sockets / "predictions.json")  # and nobody's own predictions
    env["SNNLAB_FROM"] = str(Path.cwd())  # where a path that was given as a parameter begins
    if data := os.environ.get("SNNLAB_DATA"):
        env["SNNLAB_DATA"] = str(place(data))  # the kernel runs in another folder
    argv = [sys.executable, str(Path(__file__).with_name("kernel.py")), "-f", "{connection_file}"]
    ipc = os.name == "posix" and len(os.fsencode(sockets)) <= LONGEST_SOCKET_PATH

    class Kernel(AsyncKernelManager):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.transport = "ipc" if ipc else "tcp"
            self.connection_file = str(sockets / "k.json")
            if ipc:
                self.ip = str(sockets / "k")
            self._kernel_spec = KernelSpec(argv=argv, env=env, display_name="Python 3", language="python")

        async def _async_launch_kernel(self, kernel_cmd: list[str], **kwargs: Any) -> None:
            """What cells write comes back as messages; a kernel that is ended as it starts has nothing to say."""
            silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            await super()._async_launch_kernel(kernel_cmd, **{**kwargs, **silent})
            started.append(self.provisioner)

    return Kernel


class _Engine(NBClientEngine):
    """papermill's engine with the kit's bar, and what a cell's own bar says shown behind it."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> None:
        total, title = len(nb_man.nb.cells), kwargs.pop("title")
        nb_man.pbar = progress_bar(total=total, desc=title, unit=said("cell"), delay=0)
        super().execute_managed_notebook(
            nb_man, kernel_name, **{**kwargs, "stderr_file": _Relay(nb_man.pbar)}
        )


papermill_engines.register("snnlab", _Engine)


class _Relay:
    """A file for the kernel's stderr: `training 54 %, 00:03 left` from its progress bar stands behind the bar."""

    def __init__(self, bar: Any) -> None:
        self.bar = bar

    def write(self, text: str) -> None:
        """Show what the last of the progress bars in text says; nothing, if there is none."""
        found = re.findall(r"([^\r\n:]+):\s+(\d+)%[^\r\n]*<([\d:]+)", text)
        if self.bar is not None:
            told = said("{name} {percent} %, {time} left")
            name, percent, left = found[-1] if found else ("", "", "")
            shown = told.format(name=name.strip(), percent=percent, time=left) if found else ""
            tell_inside(self.bar, shown)

    def flush(self) -> None:
        """Nothing is held back."""


def _tidy(notebook: nbformat.NotebookNode) -> None:
    """Leave what was computed: no times, no paths, no progress bars, so that equal runs give equal notebooks."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    notebook.cells = [cell for cell in notebook.cells if ERROR_TAG not in cell.metadata.get("tags", [])]
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell.outputs = _joined(cell.outputs)


def _joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Outputs with what was written in pieces put together, and without what was drawn over."""
    whole: list[nbformat.NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and whole and whole[-1].get("name") == output.name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    for output in whole:
        if output.output_type == "stream":
            output.text = _as_seen(output.text)
    return [output for output in whole if output.get("text") != ""]


def _as_seen(text: str) -> str:
    """What a terminal shows in the end: of a line that was drawn over, the last drawing; of a bar, nothing.

    tqdm leaves a bar standing that ends before its delay, so whether one is left would depend on the machine's speed.
    """
    text = text.replace("\x1b[A", "")  # a bar below a bar moves the cursor up again
    lines = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n")]
    lines = ["" if re.search(r"\d+%\|.*\| \d+/\d+ \[", line) else line for line in lines]
    return "\n".join(lines).lstrip("\n") if any(lines) else ""
