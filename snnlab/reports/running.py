"""Run a report: parameters are checked, a kernel runs the notebook, the folder appears whole."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat

from snnlab import datasets
from snnlab.datasets import Data
from snnlab.files import scratch
from snnlab.neurons.door import door
from snnlab.reports import kinds
from snnlab.reports.folder import LEFTOVER, MARKED, MARKER, FailedError, ReportError, probe, put, target
from snnlab.reports.parameters import Parameter, ParameterError, Value, check, declared, find

RESULTS = "results.json"


@door
def run(name: str, params: Mapping[str, str], out: Path) -> Path:
    """Run a report and write its folder: report.ipynb, report.html, params.json, results.json. Returns the folder.

    Args:
        name: one of the kit's reports, or the path of any notebook with a parameters cell.
        params: parameter to text, as on the command line; what is left out has its default.
        out: the folder: absent, empty, or one that holds an earlier report, which is replaced whole.
    Raises: ParameterError before anything is started or written; ReportError, with nothing left in out; of these
        FailedError after a cell that failed, whose message says where the report so far is, marked as failed.
    """
    values = check(name, params)
    notebook, folder = find(name), target(out)
    probe(folder)
    _check_subject({parameter.name: parameter for parameter in declared(name)}, values)
    from snnlab.reports.execution import execute

    try:
        with scratch(folder.parent, LEFTOVER) as building:
            new = building / "new"
            new.mkdir()
            try:
                executed = execute(notebook, values, new)
            except FailedError as failure:
                raise failure.kept(_write_failed(failure, values, folder)) from None
            _fill(new, executed, values)
            put(new, folder, building / "old")
    except OSError as error:
        raise ReportError(
            f"the report cannot be written to {folder} ({error.strerror or error}); nothing of it is kept"
        ) from None
    return folder


def _fill(new: Path, executed: nbformat.NotebookNode, values: Mapping[str, Value], failed: str = "") -> None:
    """All files of a report but what its notebook wrote."""
    from snnlab.reports.page import page

    nbformat.write(executed, new / "report.ipynb")
    (new / "report.html").write_text(page(executed, failed), encoding="utf-8")
    (new / "params.json").write_text(_json(values), encoding="utf-8")
    if not (new / RESULTS).is_file():
        (new / RESULTS).write_text(
            _json({"params": values} | ({"failed": failed} if failed else {})), "utf-8"
        )
    (new / MARKER).write_text(MARKED, encoding="utf-8")


def _write_failed(failure: FailedError, values: Mapping[str, Value], folder: Path) -> Path:
    """Put a report that failed where none is yet, else into a folder for temporary files: a good one stays."""
    if folder.exists() and any(folder.iterdir()):
        folder = Path(tempfile.mkdtemp(prefix="snnlab-failed-")) / "report"
    with scratch(folder.parent, LEFTOVER) as building:
        new = building / "new"
        new.mkdir()
        _fill(new, failure.executed, values, str(failure))
        put(new, folder, building / "old")
    return folder


def _json(values: Mapping[str, Value]) -> str:
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


def _check_subject(known: Mapping[str, Parameter], values: Mapping[str, Value]) -> None:
    """Load the images once before a kernel starts, and look whether network and method fit them.

    So a failed download, a wrong file or a wrong shape is one line, and `images` can be checked.
    """
    kind = known["data"].kind if "data" in known else None
    if kind not in (kinds.OwnData, kinds.Data, kinds.PaperData):
        return
    images = values.get("images", 0)
    if kind == kinds.OwnData:
        subject = {name: values[name] for name in ("network", "method", "size") if name in known}
        if known.get("network") and known["network"].kind != kinds.OwnNetwork:
            subject.pop("network")
        from snnlab.reports import subjects

        test = _told(values["data"], lambda: subjects.check(values["data"], **subject)).test
    elif images or (kind == kinds.Data and values["data"] != "digits"):
        test = _told(values["data"], lambda: datasets.load(values["data"])).test
    else:  # bundled, or only shown
        return
    if images > len(test):
        raise ParameterError(
            f"parameter 'images' is {images}, but {values['data']} has {len(test)} test images; 0 takes all"
        )


def _told(name: str, load: Callable[[], Data]) -> Data:
    """The images. Raises: ReportError for a data set that cannot be had; ParameterError for what does not fit."""
    try:
        return load()
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        if name in datasets.NAMES and not isinstance(error, ValueError):
            raise ReportError(f"the data set {name!r} cannot be had: {reason}") from None
        raise ParameterError(reason) from None
