"""What an ablation costs over fractions and numbers of units, as curves. Pure functions: no Streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from interpret_core.analyses.ablation.comparison import ACCURACY
from interpret_core.figures.colours import ACCENT, NEUTRAL
from interpret_core.figures.figure import Figure
from interpret_core.figures.scales import NEGATIVE
from interpret_core.figures.template import finish
from interpret_core.figures.text import figure_text
from interpret_core.measures.ablation.selection import BOTTOM, TOP
from interpret_core.measures.ablation.settings import RANDOM

LOOKS = {  # direction: colour, dash of the class, symbol
    TOP: (ACCENT, "solid", "circle"),
    BOTTOM: (NEGATIVE, "dash", "square"),
    RANDOM: (NEUTRAL, "dot", "diamond"),
}
BAND = "rgba(128,136,150,.38)"


class ShareCurve(NamedTuple):
    """A number over growing fractions.

    Attributes:
        name: of the line; `dash`, `symbol`, `colour`: how it is drawn.
        places: fractions in percent, or numbers of units.
        values, deviations: shares; no deviations for a line without a band.
        notes: k, n and so on, for whoever points at a point.
        setting: what a press on each point asks for.
        thin: drawn as a thin line, for what is only compared with.
    """

    name: str
    dash: str
    symbol: str
    colour: str
    places: Sequence[float]
    values: Sequence[float]
    deviations: Sequence[float]
    notes: Sequence[str]
    settings: Sequence[Any]
    thin: bool = False


def curves(lines: Sequence[ShareCurve], axis: str, metric: str, at: float | None, badge: str = "") -> Figure:
    """Lines over fractions or numbers of units, random controls with their band.

    Args:
        lines: what to draw.
        axis: title of the x axis.
        metric: "accuracy" or "probability".
        at: where the slider stands, marked by an upright line.
        badge: what was silenced, and what the evidence is.
    """
    figure = Figure()
    for line in lines:
        if len(line.deviations):
            _band(figure, line)
    for line in lines:
        figure.add_scatter(
            x=list(line.places),
            y=[100 * value for value in line.values],
            name=figure_text(line.name),
            mode="lines+markers",
            line={"color": line.colour, "dash": line.dash, "width": 1.4 if line.thin else 2.4},
            marker={"symbol": line.symbol, "size": 6 if line.thin else 8},
            customdata=[[note, setting] for note, setting in zip(line.notes, line.settings, strict=True)],
            hovertemplate=f"<b>{figure_text(line.name)}</b><br>%{{customdata[0]}}<extra></extra>",
            cliponaxis=False,
        )
    if at is not None:
        figure.add_vline(x=at, line={"color": NEUTRAL, "width": 1.2, "dash": "dot"})
    word = "accuracy" if metric == ACCURACY else "mean probability"
    figure.update_xaxes(title=figure_text(axis), rangemode="tozero")
    figure.update_yaxes(title=f"{word}, %", range=[0, 103])
    figure.update_layout(hovermode="closest")
    return finish(figure, height=380, badge=badge)


def _band(figure: Figure, line: ShareCurve) -> None:
    """Mean ± deviation as an area."""
    pairs = list(zip(line.values, line.deviations, strict=True))
    upper = [100 * min(1.0, value + sd) for value, sd in pairs]
    lower = [100 * max(0.0, value - sd) for value, sd in pairs]
    places = list(line.places)
    figure.add_scatter(
        x=places + places[::-1],
        y=upper + lower[::-1],
        fill="toself",
        fillcolor=BAND,
        mode="lines",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
