"""Measurements to curves: sensitivity, responses, mean IoU. Pure functions: no Streamlit, no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ui.drawing import FITTING, depth, finish, layer_axis
from ui.plain import figure_text
from ui.theme import ACCENT, CATEGORY_COLOURS, NEUTRAL

SYMBOLS = ("circle", "square", "diamond")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def sensitivity_curve(
    cutoffs: NDArray[np.float64], curves: Mapping[str, NDArray[np.int64]], cutoff: float, badge: str = ""
) -> go.Figure:
    """Detectors as a function of the IoU cut-off, one line per layer, the chosen cut-off marked."""
    figure = go.Figure()
    colours = list(CATEGORY_COLOURS.values())
    for number, (name, values) in enumerate(curves.items()):
        dash, colour = DASHES[number % len(DASHES)], colours[number % len(colours)]
        figure.add_scatter(
            x=cutoffs,
            y=values,
            name=figure_text(name),
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2, "shape": "hv"},
            hovertemplate=f"{figure_text(name)}: %{{y}} above %{{x:.3f}}<extra></extra>",
        )
    _mark(figure, cutoff, f"cut-off {cutoff:g}", dash="dot")
    seen = [float(cutoffs[values > 0].max(initial=0)) for values in curves.values()]
    last = min(float(cutoffs[-1]), 1.15 * max(*seen, cutoff, 0.05))
    figure.update_xaxes(title="IoU cut-off", range=[0, last])
    figure.update_yaxes(title="detectors", rangemode="tozero")
    figure.update_layout(
        hovermode="closest", legend={"orientation": "h", "y": 1.1, "yanchor": "bottom", "x": 0}
    )
    return finish(figure, height=340, top=70, badge=badge)


class BestLine(NamedTuple):
    """The best unit of each layer for one concept: layer names, units (-1: no overlap), IoUs, in order."""

    network: str
    layers: list[str]
    units: list[int]
    ious: list[float]


def best_lines(lines: Sequence[BestLine], cutoff: float, badge: str = "") -> go.Figure:
    """Best IoU with a concept in each layer: one colour, dash and symbol per network.

    Several networks share an axis of relative depth, so that networks of different depth compare.
    """
    figure = go.Figure()
    colours, several = list(CATEGORY_COLOURS.values()), len(lines) > 1
    for number, line in enumerate(lines):
        dash, symbol = DASHES[number % len(DASHES)], SYMBOLS[number % len(SYMBOLS)]
        names = [figure_text(layer) for layer in line.layers]
        figure.add_scatter(
            x=depth(len(names)) if several else names,
            y=line.ious,
            name=figure_text(line.network),
            mode="lines+markers",
            line={"color": colours[number % len(colours)], "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 7 if len(names) <= 2 * FITTING else 5},
            customdata=[
                [figure_text(line.network), name, f"unit {unit}" if unit >= 0 else "no overlap"]
                for name, unit in zip(names, line.units, strict=True)
            ],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]} · %{customdata[2]}<br>"
            "IoU %{y:.4f}<extra></extra>",
        )
    figure.add_hline(y=cutoff, line={"color": ACCENT, "width": 1.5, "dash": "dot"})
    figure.add_annotation(
        x=0,
        xref="paper",
        y=cutoff,
        text=f"cut-off {cutoff:g}",
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        font={"color": ACCENT, "size": 11},
    )
    if several:
        figure.update_xaxes(title="depth: first layer 0, last layer 1")
    else:
        layer_axis(figure, [layer for line in lines for layer in line.layers])
    figure.update_yaxes(title="best IoU", rangemode="tozero")
    figure.update_layout(
        showlegend=several, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    )
    return finish(figure, height=280, top=64 if several else 34, badge=badge)


def _mark(figure: go.Figure, x: float, text: str, dash: str = "solid") -> None:
    """An upright line with its meaning beside its top."""
    figure.add_vline(x=x, line={"color": ACCENT, "width": 2, "dash": dash})
    figure.add_annotation(
        x=x,
        y=1,
        yref="paper",
        text=text,
        showarrow=False,
        xanchor="left",
        xshift=6,
        font={"color": ACCENT},
    )


class Responses(NamedTuple):
    """One unit's responses over the whole data set: counts (64,), edges (65,), threshold, share above it."""

    counts: NDArray[np.int64]
    edges: NDArray[np.float32]
    threshold: float
    tail_mass: float


def histogram(responses: Responses, unit: str, badge: str = "") -> go.Figure:
    """Responses of one unit over the whole data set, on a log axis, with the threshold."""
    counts, edges, threshold, tail_mass = responses
    middles = (edges[:-1] + edges[1:]) / 2
    above = middles > threshold
    figure = go.Figure(
        go.Bar(
            x=middles,
            y=counts,
            width=np.diff(edges),
            marker={"color": np.where(above, ACCENT, NEUTRAL), "line": {"width": 0}},
            customdata=np.stack([edges[:-1], edges[1:]], 1),
            hovertemplate="%{customdata[0]:.4g} to %{customdata[1]:.4g}: %{y:,} positions<extra></extra>",
        )
    )
    _mark(figure, threshold, f"T = {threshold:.4g}: {100 * tail_mass:.2g} % above")
    figure.update_xaxes(title=f"response of {unit}")
    figure.update_yaxes(title="positions (log)", type="log", dtick=1)
    figure.update_layout(bargap=0, showlegend=False)
    return finish(figure, height=220, badge=badge)


def quality_lines(
    panels: Mapping[str, Mapping[str, tuple[float, float, float]]], badge: str = ""
) -> go.Figure:
    """Mean top-t IoU per layer, t = 1, 2, 3: one colour per network, one dash per t."""
    figure = go.Figure()
    colours = list(CATEGORY_COLOURS.values())
    for number, (network, layers) in enumerate(panels.items()):
        for t, (dash, symbol) in enumerate((("solid", "circle"), ("dash", "square"), ("dot", "diamond"))):
            figure.add_scatter(
                x=depth(len(layers)) if len(panels) > 1 else [figure_text(layer) for layer in layers],
                y=[values[t] for values in layers.values()],
                name=f"{figure_text(network)}, t = {t + 1}" if len(panels) > 1 else f"t = {t + 1}",
                mode="lines+markers" if len(layers) <= FITTING else "lines",
                line={"color": colours[number % len(colours)], "dash": dash, "width": 2},
                marker={"symbol": symbol, "size": 7},
                customdata=[[figure_text(network), figure_text(layer)] for layer in layers],
                hovertemplate="%{customdata[0]} %{customdata[1]}<br>mean top-"
                + str(t + 1)
                + " IoU %{y:.4f}<extra></extra>",
            )
    if len(panels) > 1:
        figure.update_xaxes(title="depth: first layer 0, last layer 1")
    else:
        layer_axis(figure, [layer for layers in panels.values() for layer in layers])
    figure.update_yaxes(title="mean IoU", rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "y": 1.1, "yanchor": "bottom", "x": 0})
    return finish(figure, height=340, top=70, badge=badge)
