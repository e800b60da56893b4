"""One function a figure: Matplotlib for notebooks, and `..._chart`s that stay alive in a report's page.

A function returns its figure and leaves nothing open: as the last line of a cell it is shown once, and
`figure.savefig("name.png")` keeps it. Colours are told apart by every kind of eye, and never carry a meaning alone.
"""

from snnlab.plots.charts import (
    accuracy_chart,
    anatomy_chart,
    comparison_chart,
    rates_chart,
    residual_chart,
    steps_chart,
)
from snnlab.plots.figures import (
    accuracy_over_time,
    activation_histogram,
    anatomy,
    comparison,
    firing_rates,
    membrane,
    rate_against_relu,
    transfer,
)

__all__ = [
    "accuracy_chart",
    "accuracy_over_time",
    "activation_histogram",
    "anatomy",
    "anatomy_chart",
    "comparison",
    "comparison_chart",
    "firing_rates",
    "membrane",
    "rate_against_relu",
    "rates_chart",
    "residual_chart",
    "steps_chart",
    "transfer",
]
