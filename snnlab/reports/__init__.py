"""Reports: a notebook run by papermill with checked parameters, and a folder that appears whole or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path

import snnlab
from snnlab import datasets
from snnlab.files import scratch
from snnlab.neurons.door import door
from snnlab.reports.folder import LEFTOVER, MARKED, MARKER, ReportError, probe, put, target
from snnlab.reports.papers import all_images_table, paper_table, sentences, training_list
from snnlab.reports.parameters import REPORTS, Parameter, ParameterError, Value, check
from snnlab.reports.results import (
    anatomy_results,
    comparison_results,
    papers_results,
    table,
    write_results,
)

__all__ = [
    "REPORTS",
    "Parameter",
    "ParameterError",
    "ReportError",
    "all_images_table",
    "anatomy_results",
    "check",
    "comparison_results",
    "paper_table",
    "papers_results",
    "run",
    "sentences",
    "table",
    "training_list",
    "write_results",
]


@door
def run(name: str, params: Mapping[str, str], out: Path) -> Path:
    """Run a report and write its folder: report.ipynb, report.html, params.json, results.json. Returns the folder.

    Args:
        name: a key of REPORTS; its notebook is notebooks/reports/NAME.ipynb.
        params: parameter to text, as on the command line; what is left out has its default.
        out: the folder: absent, empty, or one that holds an earlier report, which is replaced whole.
    Raises: ParameterError before anything is started or written; ReportError, with nothing left in out.
    """
    values = check(name, params)
    notebook, folder = _notebook(name), target(out)
    probe(folder)
    _check_data(name, values)
    from snnlab.reports.execution import execute
    from snnlab.reports.page import page

    try:
        with scratch(folder.parent, LEFTOVER) as building:
            new = building / "new"
            new.mkdir()
            executed = execute(notebook, values, new)
            (new / "report.html").write_text(page(executed), encoding="utf-8")
            (new / "params.json").write_text(
                json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8"
            )
            (new / MARKER).write_text(MARKED, encoding="utf-8")
            put(new, folder, building / "old")
    except OSError as error:
        raise ReportError(
            f"the report cannot be written to {folder} ({error.strerror or error}); nothing of it is kept"
        ) from None
    return folder


def _notebook(name: str) -> Path:
    """A report's notebook: beside the package in a checkout, or in the current folder."""
    roots = [Path(snnlab.__file__).resolve().parents[1], Path.cwd()]
    places = [root / "notebooks" / "reports" / f"{name}.ipynb" for root in roots]
    for place in places:
        if place.is_file():
            return place
    raise ReportError(
        f"there is no {' or '.join(map(str, dict.fromkeys(places)))}: "
        "the reports come with the project's checkout; run the command in its folder"
    )


def _check_data(name: str, values: Mapping[str, Value]) -> None:
    """Load the images once before a kernel starts: a failed download is one line, and `images` can be checked."""
    if not values["images"] and (values["data"] == "digits" or name == "papers"):  # bundled, or only shown
        return
    try:
        test = datasets.load(str(values["data"])).test
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ReportError(f"the data set {values['data']!r} cannot be had: {reason}") from None
    if int(str(values["images"])) > len(test):
        raise ParameterError(
            f"parameter 'images' is {values['images']}, but {values['data']} has {len(test)} test images; 0 takes all"
        )
