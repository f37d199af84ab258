"""Measurements to curves: sensitivity, responses, mean IoU. Pure functions: no Streamlit, no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.summary import LayerSummary
from interpret_core.figures.colours import ACCENT, CATEGORY_COLOURS
from interpret_core.figures.figure import Figure
from interpret_core.figures.template import DASHES, FITTING, SYMBOLS, depth, finish, layer_axis, mark
from interpret_core.figures.text import figure_text
from interpret_core.measures.assessment.words import Assessment


def sensitivity_curve(
    cutoffs: NDArray[np.float64], curves: Mapping[str, NDArray[np.int64]], cutoff: float, badge: str = ""
) -> Figure:
    """Detectors as a function of the IoU cut-off, one line per layer, the chosen cut-off marked."""
    figure = Figure()
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
    mark(figure, cutoff, f"cut-off {cutoff:g}", dash="dot")
    seen = [float(cutoffs[values > 0].max(initial=0)) for values in curves.values()]
    last = min(float(cutoffs[-1]), 1.15 * max(*seen, cutoff, 0.05))
    figure.update_xaxes(title="IoU cut-off", range=[0, last])
    figure.update_yaxes(title="detectors", rangemode="tozero")
    figure.update_layout(hovermode="closest")
    return finish(figure, height=340, badge=badge)


class BestLine(NamedTuple):
    """The best unit of each layer for one concept: layer names, units (-1: no overlap), IoUs, in order."""

    network: str
    layers: list[str]
    units: list[int]
    ious: list[float]


def best_lines(lines: Sequence[BestLine], cutoff: float, badge: str = "") -> Figure:
    """Best IoU with a concept in each layer: one colour, dash and symbol per network.

    Several networks share an axis of relative depth, so that networks of different depth compare.
    """
    figure = Figure()
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
    figure.update_layout(showlegend=several)
    return finish(figure, height=280, badge=badge)


def quality_lines(panels: Mapping[str, Mapping[str, tuple[float, float, float]]], badge: str = "") -> Figure:
    """Mean top-t IoU per layer, t = 1, 2, 3: one colour per network, one dash per t."""
    figure = Figure()
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
    return finish(figure, height=340, badge=badge)


def assessed_shares(summary: LayerSummary) -> tuple[float, float]:
    """Shares of a layer's live units that clearly are a colour, and an object; 0/0 is 0."""
    said = [summary.said(unit) for unit in range(summary.profile.units)]
    live = int(summary.profile.live.sum())
    colours, objects = said.count(Assessment.COLOUR), said.count(Assessment.OBJECT)
    return (colours / live, objects / live) if live else (0.0, 0.0)


def assessment_lines(panels: Mapping[str, Mapping[str, tuple[float, float]]], badge: str = "") -> Figure:
    """Share of each layer's live units that are colours, and that are objects: one colour per network.

    Args:
        panels: network -> layer -> shares (0 to 1) of colours and of objects.
        badge: whose it is.
    """
    figure = Figure()
    colours, several = list(CATEGORY_COLOURS.values()), len(panels) > 1
    for number, (network, layers) in enumerate(panels.items()):
        for kind, (word, dash, symbol) in enumerate(
            (("colours", "solid", "circle"), ("objects", "dash", "square"))
        ):
            tone = colours[(number if several else kind) % len(colours)]
            figure.add_scatter(
                x=depth(len(layers)) if several else [figure_text(layer) for layer in layers],
                y=[100 * shares[kind] for shares in layers.values()],
                name=f"{figure_text(network)}, {word}" if several else word,
                mode="lines+markers" if len(layers) <= FITTING else "lines",
                line={"color": tone, "dash": dash, "width": 2},
                marker={"symbol": symbol, "size": 7},
                customdata=[[figure_text(network), figure_text(layer)] for layer in layers],
                hovertemplate=f"%{{customdata[0]}} %{{customdata[1]}}<br>{word}: %{{y:.0f}} % of live units"
                "<extra></extra>",
            )
    if several:
        figure.update_xaxes(title="depth: first layer 0, last layer 1")
    else:
        layer_axis(figure, [layer for layers in panels.values() for layer in layers])
    figure.update_yaxes(title="% of live units", rangemode="tozero")
    return finish(figure, height=320, badge=badge)
