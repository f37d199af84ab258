"""What all figures have in common: fonts, margins, titles, an axis of layers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from ui.plain import figure_text
from ui.theme import NEUTRAL

FITTING = 12  # layer names beside each other on a third of a screen
GRID = "rgba(128,136,150,.25)"
# Only "save as picture" in the bar; nothing that zooms by accident while scrolling on a phone.
CONFIG = {
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "svg", "filename": "unitscope"},
}
FONT = {"family": "Inter, system-ui, sans-serif", "size": 12.5}


def layer_axis(figure: go.Figure, layers: Sequence[str]) -> None:
    """Layer names; of a deep network every n-th only, since fifty of them would cover each other."""
    step = math.ceil(len(layers) / FITTING)
    figure.update_xaxes(
        type="category",
        tickangle=-50 if step > 1 else 0,
        tickmode="array",
        tickvals=[figure_text(layer) for layer in layers][::step],
        tickfont={"size": 10.5},
        automargin=True,
    )


def depth(layers: int) -> list[float]:
    """Where each of so many layers stands between the first (0) and the last (1): networks then compare."""
    return [i / max(1, layers - 1) for i in range(layers)]


def heading(text: str, size: int, colour: str | None = None) -> dict[str, object]:
    """A small title at the upper left, out of the legend's way on a narrow screen."""
    font = {"size": size} | ({"color": colour} if colour else {})
    return {"text": figure_text(text), "font": font, "x": 0, "xref": "paper", "y": 0.99, "yanchor": "top"}


def finish(figure: go.Figure, height: int, top: int = 34, badge: str = "") -> go.Figure:
    """Size, colours and grid; `badge` is the title that says what the evidence is."""
    if badge:
        # Inside the figure, so that a saved picture still says what the evidence is.
        figure.update_layout(title=heading(badge, size=11, colour=NEUTRAL))
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
