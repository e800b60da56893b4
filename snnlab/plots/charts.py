"""Charts for a report's page, by Plotly: they stay alive there."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from snnlab.datasets.published import Row
from snnlab.files.language import said
from snnlab.neurons.door import door
from snnlab.plots import pictures
from snnlab.plots.style import CAUSES, COLOURS, check_some, page_style
from snnlab.plots.theme import BLUE, GREY, RED
from snnlab.simulators.errors import Anatomy
from snnlab.studies.intervals import of_share
from snnlab.studies.sweeps import Result

if TYPE_CHECKING:
    import plotly.graph_objects as go

MARKERS = ("circle", "square", "diamond", "cross", "x", "triangle-up")
PANEL, LETTER_HEIGHT = 6, 8.5
"""Lines of a panel, as many as there are colours; and a name's height, in percent of accuracy."""
DASHED = ("solid", "dash", "dot", "dashdot")


@door
def accuracy_chart(
    curves: Mapping[str, Sequence[float] | Tensor], ann: float | None = None, images: int | None = None
) -> "go.Figure":
    """`accuracy_over_time` for a report's page: read a step under the pointer, drag to zoom.

    Args:
        images: that the accuracies were counted on; with them each has its 95 % interval as an error bar.
    """
    import plotly.graph_objects as go

    picture = pictures.curves(curves, ann)
    figure = go.Figure()
    for k, (label, percent) in enumerate(picture.lines.items()):
        line, mark = {"color": COLOURS[k % 6], "width": 3}, {"size": 7, "symbol": k % 6}
        figure.add_scatter(
            x=list(range(1, len(percent) + 1)), y=percent, name=label, mode="lines+markers", line=line, marker=mark,
            hovertemplate="%{y:.1f} %", error_y=_bars(percent, images, "curves"),
        )  # fmt: skip
    if picture.level is not None:
        line = {"color": GREY, "dash": "dash", "width": 2}
        figure.add_scatter(
            x=[0, picture.longest],
            y=[picture.level] * 2,
            name="ANN",
            mode="lines",
            line=line,
            hoverinfo="skip",
        )
    page_style(figure, picture.title)
    figure.update_xaxes(title=picture.xlabel, rangemode="tozero")
    figure.update_yaxes(title=said(pictures.ACCURACY), range=pictures.PERCENT)
    return figure.update_layout(hovermode="x unified", showlegend=True)


def _bars(percent: Sequence[float], images: int | None, given: str) -> dict[str, Any]:
    """Error bars: the 95 % interval (Wilson) of each accuracy, none if it is not known on how many images."""
    if images is None:
        return {"visible": False}
    spans = [(100 * low, 100 * high) for low, high in (of_share(y / 100, images, given) for y in percent)]
    return {
        "type": "data", "symmetric": False, "thickness": 1.5, "width": 3,
        "array": [max(0.0, high - y) for y, (_, high) in zip(percent, spans, strict=True)],
        "arrayminus": [max(0.0, y - low) for y, (low, _) in zip(percent, spans, strict=True)],
    }  # fmt: skip


@door
def rates_chart(rates: Mapping[str, float]) -> "go.Figure":
    """`firing_rates` for a report's page."""
    import plotly.graph_objects as go

    picture = pictures.rates(rates)
    figure = go.Figure()
    figure.add_bar(
        x=picture.values, y=picture.names, orientation="h", marker_color=BLUE, cliponaxis=False,
        hovertemplate="%{y}: %{x:.4f}<extra></extra>", text=picture.texts, textposition="outside",
    )  # fmt: skip
    page_style(figure, picture.title)
    figure.update_xaxes(title=picture.xlabel, rangemode="tozero")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure.update_layout(height=140 + 40 * len(picture.values))


@door
def anatomy_chart(found: Anatomy) -> "go.Figure":
    """`anatomy` for a report's page: point at a bar to read it."""
    import plotly.graph_objects as go

    picture = pictures.parts(found)
    figure = go.Figure()
    for cause, shares in picture.shares.items():
        color, pattern = CAUSES[cause]
        figure.add_bar(
            x=picture.names, y=picture.sizes(cause), name=said(cause),
            marker={"color": color, "pattern": {"shape": pattern}},
            customdata=[100 * share for share in shares], hovertemplate="%{customdata:.0f} %",
        )  # fmt: skip
    if picture.curve is not None:
        figure.add_scatter(
            x=picture.names, y=picture.curve, name=said("accuracy, {spiking}").format(spiking=picture.spiking),
            yaxis="y2", mode="lines+markers",
            line={"color": RED}, hovertemplate="%{y:.1f} %",
        )  # fmt: skip
        right = {
            "title": said(pictures.ACCURACY),
            "overlaying": "y",
            "side": "right",
            "range": pictures.PERCENT,
        }
        figure.update_layout(yaxis2={**right, "dtick": 20, "showgrid": False})
    page_style(figure, picture.title)
    figure.update_yaxes(title=picture.ylabel, selector={"side": None})
    return figure.update_layout(
        barmode="relative", hovermode="x unified", legend={"orientation": "h", "y": -0.36}, height=520,
        margin={"r": 70, "b": 120},
    )  # fmt: skip


@door
def comparison_chart(results: Mapping[str, Result], images: int | None = None) -> "go.Figure":
    """Methods by steps, coloured by accuracy, for a report's page: point at a field for the steps really used.

    Args:
        images: that the accuracies were counted on; with them a field says its 95 % interval, too.
    """
    import plotly.graph_objects as go

    picture = pictures.fields(results)
    used = [[*(result.latency[T] for T in picture.steps), 1] for result in results.values()]
    spans = [[_span(percent, images) for percent in row] for row in picture.values]
    figure = go.Figure()
    figure.add_heatmap(
        x=picture.columns, y=picture.names, z=picture.values, text=spans,
        customdata=used, texttemplate="%{z:.1f}", colorscale="Cividis", zmin=0, zmax=100,
        hovertemplate=said("%{y}, T = %{x}: %{z:.1f} %%{text}, %{customdata} steps used<extra></extra>"),
        showscale=False, xgap=1, ygap=1,
    )  # fmt: skip
    page_style(figure, picture.title)
    figure.update_xaxes(title=picture.xlabel, type="category", side="bottom", showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True)
    return figure.update_layout(height=150 + 26 * len(picture.names), font_size=13)


def _span(percent: float, images: int | None) -> str:
    """The 95 % interval of an accuracy, in brackets; nothing if it is not known on how many images."""
    if images is None:
        return ""
    low, high = of_share(percent / 100, images)
    return said(" ({low} to {high})").format(low=f"{100 * low:.1f}", high=f"{100 * high:.1f}")


@door
def steps_chart(
    results: Mapping[str, Result], published: Sequence[Row] = (), images: int | None = None
) -> "go.Figure":
    """Accuracy over the steps really used, a line a method, named at its end; six methods to a panel.

    What papers publish of these methods stands beside, thin, in the same colour.

    Args:
        images: that the accuracies were counted on; with them each has its 95 % interval as an error bar.
    """
    from plotly.subplots import make_subplots

    check_some("results", results)
    names, panels = list(results), -(-len(results) // PANEL)
    figure = make_subplots(rows=panels, cols=1, shared_xaxes=True, vertical_spacing=0.25 / (4 * panels))
    for k, (name, result) in enumerate(results.items()):
        steps, at = sorted(result.snn_accuracy), {"row": k // PANEL + 1, "col": 1}
        figure.add_scatter(
            x=[result.latency[T] for T in steps], y=[100 * result.snn_accuracy[T] for T in steps], name=name,
            mode="lines+markers", line={"color": COLOURS[k % PANEL]}, marker={"symbol": MARKERS[k % PANEL], "size": 7},
            hovertemplate=said("%{x} steps: %{y:.1f} %"),
            error_y=_bars([100 * result.snn_accuracy[T] for T in steps], images, "results"), **at,
        )  # fmt: skip
        rows = sorted((row.T, row.snn_accuracy) for row in published if row.method == name)
        if rows:
            figure.add_scatter(
                x=[T for T, _ in rows], y=[percent for _, percent in rows],
                name=said("{method}, published").format(method=name),
                mode="lines+markers", line={"color": COLOURS[k % PANEL], "dash": "dot", "width": 1.5},
                marker={"symbol": f"{MARKERS[k % PANEL]}-open", "size": 9},
                hovertemplate=said("%{x} steps: %{y:.1f} %"), **at,
            )  # fmt: skip
    page_style(figure, said("Accuracy over the steps really used"))
    for panel in range(panels):
        _name_ends(
            figure, {name: results[name] for name in names[panel * PANEL : (panel + 1) * PANEL]}, panel
        )
    figure.update_xaxes(type="log", dtick=0.30103)
    figure.update_xaxes(title=said("steps used"), row=panels, col=1)
    figure.update_yaxes(title=said(pictures.ACCURACY), range=pictures.PERCENT)
    return figure.update_layout(showlegend=False, height=140 + 260 * panels, margin={"r": 190})


def _name_ends(figure: "go.Figure", results: Mapping[str, Result], panel: int) -> None:
    """Each line's name right of its panel, in its colour, as high as it ends, or below the name above it."""
    ends = {name: 100 * result.snn_accuracy[max(result.snn_accuracy)] for name, result in results.items()}
    place = 103.0
    for left, name in enumerate(sorted(ends, key=lambda name: -ends[name])):
        place = max(min(ends[name], place), LETTER_HEIGHT * (len(ends) - left - 1))
        figure.add_annotation(
            x=1.0, y=place, xref="paper", yref=f"y{panel + 1 if panel else ''}", text=name, showarrow=False,
            xanchor="left", xshift=8, font={"color": COLOURS[list(results).index(name)], "size": 12},
        )  # fmt: skip
        place -= LETTER_HEIGHT


@door
def residual_chart(residual: Mapping[str, Mapping[str, Sequence[float]]], T: int) -> "go.Figure":
    """Each layer's share of neurons with v[T] outside [0, theta), and of those that are really wrong, for each method.

    residual: method to layer to the two shares, 0 to 1.
    """
    import plotly.graph_objects as go

    check_some("residual", residual)
    if wrong := [pair for layers in residual.values() for pair in layers.values() if len(pair) != 2]:
        raise ValueError(f"residual has {wrong[0]} for a layer, but it must have two shares")
    if len({tuple(layers) for layers in residual.values()}) > 1:
        raise ValueError("residual has methods with different layers, but they must be the same")
    names = [f"{name}{said(', ')}{word}" for name in residual for word in (said("outside"), said("wrong"))]
    shares = [[100 * pair[k] for pair in layers.values()] for layers in residual.values() for k in range(2)]
    figure = go.Figure()
    figure.add_heatmap(
        x=list(next(iter(residual.values()))), y=names, z=shares, texttemplate="%{z:.0f}", colorscale="Cividis",
        zmin=0, hovertemplate="%{y}, %{x}: %{z:.1f} %<extra></extra>", showscale=False, xgap=1, ygap=1,
    )  # fmt: skip
    title = said(
        "Potentials outside [0, theta) after T = {T} steps, and spikes that do not fit [% of neurons]"
    )
    page_style(figure, title.format(T=T))
    figure.update_xaxes(showgrid=False, automargin=True)
    figure.update_yaxes(autorange="reversed", showgrid=False, automargin=True)
    return figure.update_layout(height=200 + 34 * len(names), font_size=13)


@door
def transfer_chart(
    inputs: Sequence[float], outputs: Mapping[int, Sequence[float]], title: str | None = None
) -> "go.Figure":
    """Mean outputs over constant inputs, a line for each T, beside ReLU; activation units.

    Raises: ValueError for a T that has not as many outputs as there are inputs.
    """
    import plotly.graph_objects as go

    check_some("outputs", outputs)
    figure, z = go.Figure(), [float(x) for x in inputs]
    relu = {"color": GREY, "dash": "dash", "width": 2}
    figure.add_scatter(
        x=z, y=[max(x, 0.0) for x in z], name="ReLU", mode="lines", line=relu, hoverinfo="skip"
    )
    for k, (T, values) in enumerate(outputs.items()):
        if len(values) != len(z):
            raise ValueError(f"outputs has {len(values)} values for T = {T}, but there are {len(z)} inputs")
        look = {"color": COLOURS[k % 6], "dash": DASHED[k // 6 % 4], "width": 2, "shape": "hvh"}
        figure.add_scatter(
            x=z, y=list(values), name=f"T = {T}", mode="lines", line=look, hovertemplate="%{y:.4g}"
        )
    page_style(figure, title or said("Mean output by T"))
    figure.update_xaxes(title=said("constant input z [activation units]"))
    figure.update_yaxes(title=said("mean output"))
    return figure.update_layout(hovermode="x unified", showlegend=True)
