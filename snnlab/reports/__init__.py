"""Reports: a notebook run by papermill with checked parameters, and a folder that appears whole or not at all.

A name is imported when it is first used, so that a mistake in a parameter is answered without waiting for PyTorch.
"""

from typing import TYPE_CHECKING

from snnlab.files.lazy import lazily

if TYPE_CHECKING:
    from snnlab.reports.folder import ReportError
    from snnlab.reports.intervals import against_ann, ahead, share, span
    from snnlab.reports.neuron import farthest, mean_outputs, one_kind, shown_one_input
    from snnlab.reports.papers import all_images_table, paper_table, sentences, training_list
    from snnlab.reports.parameters import Parameter, ParameterError, check, declared, names
    from snnlab.reports.results import (
        anatomy_results,
        comparison_results,
        papers_results,
        table,
        write_results,
    )
    from snnlab.reports.running import run
    from snnlab.reports.sharing import compare
    from snnlab.reports.studies import study_failures, study_headline, study_table
    from snnlab.reports.subjects import images, network

__all__ = [
    "Parameter",
    "ParameterError",
    "ReportError",
    "against_ann",
    "ahead",
    "all_images_table",
    "anatomy_results",
    "check",
    "compare",
    "comparison_results",
    "declared",
    "farthest",
    "images",
    "mean_outputs",
    "names",
    "network",
    "one_kind",
    "paper_table",
    "papers_results",
    "run",
    "sentences",
    "share",
    "shown_one_input",
    "span",
    "study_failures",
    "study_headline",
    "study_table",
    "table",
    "training_list",
    "write_results",
]

_FILES = {
    "folder": ("ReportError",),
    "intervals": ("against_ann", "ahead", "share", "span"),
    "neuron": ("farthest", "mean_outputs", "one_kind", "shown_one_input"),
    "papers": ("all_images_table", "paper_table", "sentences", "training_list"),
    "parameters": ("Parameter", "ParameterError", "check", "declared", "names"),
    "results": ("anatomy_results", "comparison_results", "papers_results", "table", "write_results"),
    "running": ("run",),
    "sharing": ("compare",),
    "studies": ("study_failures", "study_headline", "study_table"),
    "subjects": ("images", "network"),
}

__getattr__, __dir__ = lazily(__name__, _FILES)
