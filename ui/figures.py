"""Results to plotly figures. Pure functions: no Streamlit, no files, unit-tested."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ui.theme import ACCENT, CATEGORY_COLOURS, NEUTRAL, colour_of
from ui.view import SMALL

FITTING = 12  # layer names beside each other on a third of a screen
GRID = "rgba(128,136,150,.25)"
# Only "save as picture" in the bar; nothing that zooms by accident while scrolling on a phone.
CONFIG = {
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "svg", "filename": "unitscope"},
}
FONT = {"family": "Inter, system-ui, sans-serif", "size": 12.5}


class Panel(NamedTuple):
    """One network's layers for the detector bars.

    Attributes:
        counts: layer -> category -> (detectors, distinct concepts).
        units: layer -> number of units.
        images: images behind the result; fewer than 10 are drawn hollow with an interval.
    """

    title: str
    counts: Mapping[str, Mapping[str, tuple[int, int]]]
    units: Mapping[str, int]
    images: int


def detector_bars(
    panel: Panel, *, share: bool = False, unique: bool = False, top: float | None = None
) -> go.Figure:
    """Stacked bars: detectors per layer, one colour per category.

    Args:
        panel: what to draw.
        share: percent of the layer's units in place of counts.
        unique: distinct concepts in place of units.
        top: common upper end of the axis, so that panels side by side compare.
    """
    layers = list(panel.counts)
    hollow = panel.images < SMALL
    figure = go.Figure()
    for category in [c for c in CATEGORY_COLOURS if any(c in panel.counts[layer] for layer in layers)]:
        numbers = [panel.counts[layer].get(category, (0, 0))[int(unique)] for layer in layers]
        values = [
            100 * n / max(1, panel.units[layer]) if share else n
            for n, layer in zip(numbers, layers, strict=True)
        ]
        colour = colour_of(category)
        figure.add_bar(
            x=layers,
            y=values,
            name=category,
            marker={
                "color": "rgba(0,0,0,0)" if hollow else colour,
                "line": {"color": colour, "width": 1.5 if hollow else 0},
            },
            text=[str(n) if n else "" for n in numbers],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            customdata=[
                [layer, category, n, panel.units[layer]] for n, layer in zip(numbers, layers, strict=True)
            ],
            hovertemplate="%{customdata[0]} · %{customdata[1]}<br>%{customdata[2]} "
            + ("concepts" if unique else "of %{customdata[3]} units")
            + "<extra></extra>",
        )
    figure.update_layout(title=_title(panel.title, size=14), uniformtext={"minsize": 9, "mode": "hide"})
    if hollow and not unique:
        _intervals(figure, panel, layers, share)
    figure.update_layout(
        barmode="stack",
        legend={"traceorder": "normal", "orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0},
    )
    _layer_axis(figure, layers)
    title = "distinct concepts" if unique else "% of units" if share else "detectors"
    figure.update_yaxes(title=title, rangemode="tozero", range=[0, top] if top else None)
    return _finish(figure, height=410, top=84)


def _layer_axis(figure: go.Figure, layers: Sequence[str]) -> None:
    """Layer names; of a deep network every n-th only, since fifty of them would cover each other."""
    step = math.ceil(len(layers) / FITTING)
    figure.update_xaxes(
        type="category",
        tickangle=-50 if step > 1 else 0,
        tickmode="array",
        tickvals=list(layers)[::step],
        tickfont={"size": 10.5},
        automargin=True,
    )


def _intervals(figure: go.Figure, panel: Panel, layers: Sequence[str], share: bool) -> None:
    totals = [sum(n for n, _ in panel.counts[layer].values()) for layer in layers]
    bounds = [wilson(k, panel.units[layer]) for k, layer in zip(totals, layers, strict=True)]
    scale = [100.0 if share else float(panel.units[layer]) for layer in layers]
    middle = [k / max(1, panel.units[layer]) * s for k, s, layer in zip(totals, scale, layers, strict=True)]
    figure.add_scatter(
        x=list(layers),
        y=middle,
        mode="markers",
        marker={"size": 1, "color": NEUTRAL},
        name=f"95 % interval (n = {panel.images} images)",
        error_y={
            "array": [high * s - m for (_, high), s, m in zip(bounds, scale, middle, strict=True)],
            "arrayminus": [m - low * s for (low, _), s, m in zip(bounds, scale, middle, strict=True)],
        },
        hoverinfo="skip",
    )


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion. Source: Wilson 1927; 0/0 is (0, 1)."""
    if n == 0:
        return 0.0, 1.0
    share = k / n
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    middle = share + z * z / (2 * n)
    scale = 1 + z * z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def sensitivity_curve(
    cutoffs: NDArray[np.float64], curves: Mapping[str, NDArray[np.int64]], cutoff: float, badge: str = ""
) -> go.Figure:
    """Detectors as a function of the IoU cut-off, one line per layer, the chosen cut-off marked."""
    figure = go.Figure()
    dashes = ["solid", "dash", "dot", "dashdot", "longdash"]
    colours = list(CATEGORY_COLOURS.values())
    for number, (name, values) in enumerate(curves.items()):
        figure.add_scatter(
            x=cutoffs,
            y=values,
            name=name,
            mode="lines",
            line={
                "color": colours[number % len(colours)],
                "dash": dashes[number % len(dashes)],
                "width": 2,
                "shape": "hv",
            },
            hovertemplate=f"{name}: %{{y}} above %{{x:.3f}}<extra></extra>",
        )
    figure.add_vline(x=cutoff, line={"color": ACCENT, "width": 2, "dash": "dot"})
    figure.add_annotation(
        x=cutoff,
        y=1,
        yref="paper",
        text=f"cut-off {cutoff:g}",
        showarrow=False,
        xanchor="left",
        xshift=5,
        font={"color": ACCENT},
    )
    seen = [float(cutoffs[values > 0].max(initial=0)) for values in curves.values()]
    figure.update_xaxes(
        title="IoU cut-off", range=[0, min(float(cutoffs[-1]), 1.15 * max(*seen, cutoff, 0.05))]
    )
    figure.update_yaxes(title="detectors", rangemode="tozero")
    figure.update_layout(
        hovermode="closest", legend={"orientation": "h", "y": 1.1, "yanchor": "bottom", "x": 0}
    )
    return _finish(figure, height=340, top=70, badge=badge)


def concept_bars(
    counts: Sequence[tuple[str, str, int, float]], limit: int = 30, badge: str = ""
) -> go.Figure:
    """Concepts by number of detectors, most first: (concept, category, units, best IoU)."""
    rows = list(counts)[:limit][::-1]
    figure = go.Figure()
    for category in [c for c in CATEGORY_COLOURS if any(row[1] == c for row in rows)]:
        mine = [row for row in rows if row[1] == category]
        figure.add_bar(
            y=[row[0] for row in mine],
            x=[row[2] for row in mine],
            orientation="h",
            name=category,
            marker={"color": colour_of(category)},
            text=[str(row[2]) for row in mine],
            textposition="outside",
            cliponaxis=False,
            customdata=[[row[0], row[1], row[3]] for row in mine],
            hovertemplate="%{customdata[0]} (%{customdata[1]})<br>"
            "%{x} units, best IoU %{customdata[2]:.3f}<extra></extra>",
        )
    figure.update_layout(barmode="stack", legend={"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0})
    figure.update_yaxes(
        categoryorder="array", categoryarray=[row[0] for row in rows], automargin=True, tickmode="linear"
    )
    figure.update_xaxes(
        title="detectors", rangemode="tozero", dtick=1 if max((r[2] for r in rows), default=0) < 8 else None
    )
    return _finish(figure, height=110 + 21 * max(4, len(rows)), top=50, badge=badge)


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
    figure.add_vline(x=threshold, line={"color": ACCENT, "width": 2})
    figure.add_annotation(
        x=threshold,
        y=1,
        yref="paper",
        showarrow=False,
        xanchor="left",
        xshift=6,
        text=f"T = {threshold:.4g}: {100 * tail_mass:.2g} % above",
        font={"color": ACCENT},
    )
    figure.update_xaxes(title=f"response of {unit}")
    figure.update_yaxes(title="positions (log)", type="log", dtick=1)
    figure.update_layout(bargap=0, showlegend=False)
    return _finish(figure, height=220, badge=badge)


def quality_lines(
    panels: Mapping[str, Mapping[str, tuple[float, float, float]]], badge: str = ""
) -> go.Figure:
    """Mean top-t IoU per layer, t = 1, 2, 3: one colour per network, one dash per t."""
    figure = go.Figure()
    colours = list(CATEGORY_COLOURS.values())
    for number, (network, layers) in enumerate(panels.items()):
        for t, (dash, symbol) in enumerate((("solid", "circle"), ("dash", "square"), ("dot", "diamond"))):
            figure.add_scatter(
                x=_depth(len(layers)) if len(panels) > 1 else list(layers),
                y=[values[t] for values in layers.values()],
                name=f"{network}, t = {t + 1}" if len(panels) > 1 else f"t = {t + 1}",
                mode="lines+markers" if len(layers) <= FITTING else "lines",
                line={"color": colours[number % len(colours)], "dash": dash, "width": 2},
                marker={"symbol": symbol, "size": 7},
                customdata=[[network, layer] for layer in layers],
                hovertemplate="%{customdata[0]} %{customdata[1]}<br>mean top-"
                + str(t + 1)
                + " IoU %{y:.4f}<extra></extra>",
            )
    if len(panels) > 1:
        figure.update_xaxes(title="depth: first layer 0, last layer 1")
    else:
        _layer_axis(figure, [layer for layers in panels.values() for layer in layers])
    figure.update_yaxes(title="mean IoU", rangemode="tozero")
    figure.update_layout(legend={"orientation": "h", "y": 1.1, "yanchor": "bottom", "x": 0})
    return _finish(figure, height=340, top=70, badge=badge)


def _title(text: str, size: int, colour: str | None = None) -> dict[str, object]:
    """A small title at the upper left, out of the legend's way on a narrow screen."""
    font = {"size": size} | ({"color": colour} if colour else {})
    return {"text": text, "font": font, "x": 0, "xref": "paper", "y": 0.99, "yanchor": "top"}


def _depth(layers: int) -> list[float]:
    return [i / max(1, layers - 1) for i in range(layers)]


def _finish(figure: go.Figure, height: int, top: int = 34, badge: str = "") -> go.Figure:
    if badge:
        # Inside the figure, so that a saved picture still says what the evidence is.
        figure.update_layout(title=_title(badge, size=11, colour=NEUTRAL))
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": top, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font=FONT,
        dragmode=False,
        uirevision="keep",
    )
    figure.update_xaxes(gridcolor=GRID, zeroline=False)
    figure.update_yaxes(gridcolor=GRID, zeroline=False)
    return figure
