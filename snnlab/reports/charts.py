"""The charts of a report: plotly figures, alive in the page and in JupyterLab."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

BLUE, GREY = "#2563a8", "#5b6877"
_LAYOUT: dict[str, Any] = {
    "template": "plotly_white",
    "height": 400,
    "margin": {"l": 64, "r": 24, "t": 24, "b": 56},
    "font": {"family": "system-ui, Segoe UI, Roboto, Arial, sans-serif", "size": 14, "color": "#1d2733"},
    "showlegend": False,
}


def accuracy_chart(accuracy: Sequence[float], ann: float) -> go.Figure:
    """Accuracy after each step, in per cent, with the ANN's as a line across; both 0 to 1."""
    steps, percent = list(range(1, len(accuracy) + 1)), [100 * float(share) for share in accuracy]
    mode = "lines+markers" if len(steps) <= 64 else "lines"
    curve = go.Scatter(x=steps, y=percent, mode=mode, line={"color": BLUE, "width": 2.5}, name="SNN")
    curve.hovertemplate = "after step %{x}: %{y:.1f} %<extra></extra>"
    figure = go.Figure(curve, layout=_LAYOUT)
    figure.add_hline(
        y=100 * ann, line={"color": GREY, "dash": "dash", "width": 1.5},
        annotation={"text": f"ANN {100 * ann:.1f} %", "font": {"color": GREY}}, annotation_position="bottom right",
    )  # fmt: skip
    figure.update_xaxes(title="time step", rangemode="tozero")
    figure.update_yaxes(title="correct, per cent", range=[0, 103])
    return figure


def rates_chart(rates: Mapping[str, float]) -> go.Figure:
    """The firing rate of each layer, spikes per neuron and step, from the first layer at the top to the last."""
    bars = go.Bar(x=list(rates.values()), y=list(rates), orientation="h", marker={"color": BLUE})
    bars.hovertemplate = "%{y}: %{x:.4f} spikes a step<extra></extra>"
    bars.texttemplate, bars.textposition, bars.cliponaxis = "%{x:.3f}", "outside", False
    figure = go.Figure(bars, layout={**_LAYOUT, "height": 130 + 40 * len(rates)})
    figure.update_xaxes(title="spikes per neuron and step", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", automargin=True, ticksuffix=" ")
    return figure
