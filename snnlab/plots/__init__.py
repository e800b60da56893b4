"""One function a figure: Matplotlib for notebooks, and `..._chart`s that stay alive in a report's page.

A function returns its figure and leaves nothing open: as the last line of a cell it is shown once, and
`figure.savefig("name.png")` keeps it. Colours are told apart by every kind of eye, and never carry a meaning alone.
"""

from typing import TYPE_CHECKING

from snnlab.files.lazy import lazily

if TYPE_CHECKING:
    from snnlab.plots.accuracy import accuracy_at, accuracy_over_time, comparison
    from snnlab.plots.charts import (
        accuracy_chart,
        anatomy_chart,
        comparison_chart,
        rates_chart,
        residual_chart,
        steps_chart,
        transfer_chart,
    )
    from snnlab.plots.drawings import Drawing, conversion, integrate_and_fire, network, two_inputs
    from snnlab.plots.layers import activation_histogram, anatomy, bars, firing_rates, lines
    from snnlab.plots.neuron import membrane, rate_against_relu, transfer
    from snnlab.plots.page import PageFigure

__all__ = [
    "Drawing",
    "PageFigure",
    "accuracy_at",
    "accuracy_chart",
    "accuracy_over_time",
    "activation_histogram",
    "anatomy",
    "anatomy_chart",
    "bars",
    "comparison",
    "comparison_chart",
    "conversion",
    "firing_rates",
    "integrate_and_fire",
    "lines",
    "membrane",
    "network",
    "rate_against_relu",
    "rates_chart",
    "residual_chart",
    "steps_chart",
    "transfer",
    "transfer_chart",
    "two_inputs",
]

_FILES = {
    "accuracy": ("accuracy_at", "accuracy_over_time", "comparison"),
    "charts": (
        "accuracy_chart",
        "anatomy_chart",
        "comparison_chart",
        "rates_chart",
        "residual_chart",
        "steps_chart",
        "transfer_chart",
    ),
    "drawings": ("Drawing", "conversion", "integrate_and_fire", "network", "two_inputs"),
    "layers": ("activation_histogram", "anatomy", "bars", "firing_rates", "lines"),
    "neuron": ("membrane", "rate_against_relu", "transfer"),
    "page": ("PageFigure",),
}

__getattr__, __dir__ = lazily(__name__, _FILES)
