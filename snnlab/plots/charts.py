"""Charts for a report's page, by Plotly: they stay alive there."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from snnlab.errors import PARTS, Anatomy
from snnlab.plots.style import BLUE, COLOURS, GREY, ORANGE, PURPLE, RED, ending, page_style

if TYPE_CHECKING:
    import plotly.graph_objects as go


def accuracy_chart(curves: Mapping[str, Sequence[float] | Tensor], ann: float | None = None) -> "go.Figure":
    """`accuracy_over_time` for a report's page: read a step under the pointer, drag to zoom."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for k, (label, curve) in enumerate(curves.items()):
        percent = [100 * float(value) for value in curve]
        line, mark = {"color": COLOURS[k % 6], "width": 3}, {"size": 7, "symbol": k % 6}
        steps = list(range(1, len(percent) + 1))
        shown = "%{y:.1f} %"
        figure.add_scatter(
            x=steps, y=percent, name=label, mode="lines+markers", line=line, marker=mark, hovertemplate=shown
        )
    if ann is not None:
        steps = [0, max(len(curve) for curve in curves.values())]
        line = {"color": GREY, "dash": "dash", "width": 2}
        figure.add_scatter(x=steps, y=[100 * ann] * 2, name="ANN", mode="lines", line=line, hoverinfo="skip")
    page_style(figure, ending(curves, ann))
    figure.update_xaxes(title="time t [steps]", rangemode="tozero")
    figure.update_yaxes(title="accuracy [%]", range=[0, 103])
    return figure.update_layout(hovermode="x unified", showlegend=True)


def rates_chart(rates: Mapping[str, float]) -> "go.Figure":
    """`firing_rates` for a report's page."""
    import plotly.graph_objects as go

    values = [float(value) for value in rates.values()]
    shown = "%{y}: %{x:.4f}<extra></extra>"
    figure = go.Figure()
    figure.add_bar(
        x=values, y=list(rates), orientation="h", marker_color=BLUE, hovertemplate=shown,
        text=[f"{value:.3f}" for value in values], textposition="outside", cliponaxis=False,
    )  # fmt: skip
    page_style(figure, f"Firing rates, {min(values):.3f} to {max(values):.3f}")
    figure.update_xaxes(title="spikes per step and neuron", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure.update_layout(height=140 + 40 * len(values))


def anatomy_chart(found: Anatomy) -> "go.Figure":
    """`anatomy` for a report's page: point at a bar to read it."""
    import plotly.graph_objects as go

    names, layers = list(found.layers), list(found.layers.values())
    heights = [100 * layer.distance / (layer.activation or 1.0) for layer in layers]
    figure = go.Figure()
    for part, color, pattern in zip(PARTS, (GREY, PURPLE, ORANGE, BLUE), ("", "/", ".", ""), strict=True):
        sizes = [layer.shares[part] * height for layer, height in zip(layers, heights, strict=True)]
        figure.add_bar(
            x=names, y=sizes, name=part, marker={"color": color, "pattern": {"shape": pattern}},
            customdata=[100 * layer.shares[part] for layer in layers], hovertemplate="%{customdata:.0f} %",
        )  # fmt: skip
    if found.ann_accuracy is not None:
        curve = [100 * float(layer.accuracy or 0.0) for layer in layers]
        figure.add_scatter(
            x=names, y=curve, name="accuracy, all up to here spike", yaxis="y2", mode="lines+markers",
            line={"color": RED}, hovertemplate="%{y:.1f} %",
        )  # fmt: skip
        right = {
            "title": "accuracy [%]",
            "overlaying": "y",
            "side": "right",
            "range": [0, 103],
            "dtick": 20,
            "showgrid": False,
        }
        figure.update_layout(yaxis2=right)
    page_style(figure, f"What each layer differs by, and why, T = {found.T}")
    figure.update_yaxes(title="mean |phi - a| [% of the mean a]", selector={"side": None})
    return figure.update_layout(
        barmode="relative", hovermode="x unified", legend={"orientation": "h", "y": -0.3}, height=520,
        margin={"r": 70, "b": 120},
    )  # fmt: skip
