"""A unit's numbers to bars: its relevance over the classes, its responses. Pure functions: no Streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.figures.colours import ACCENT, NEUTRAL
from interpret_core.figures.figure import Figure
from interpret_core.figures.scales import NEGATIVE, POSITIVE
from interpret_core.figures.template import SMALL, finish, mark
from interpret_core.figures.text import figure_text


def class_bars(rows: Sequence[Mapping[str, Any]], badge: str = "", limit: int = 20) -> Figure:
    """One unit's relevance for each class: what speaks for it to the right, what against it to the left.

    Classes with fewer than ten images are drawn hollow. Custom data keeps the raw names.

    Args:
        rows: as `ui.session.unit_rows.by_class`, most relevant first.
        badge: what the evidence is.
        limit: classes drawn at most.
    """
    shown = list(rows)[:limit][::-1]
    names = [figure_text(row["class"]) for row in shown]
    masked = any(row["in_mask_share"] is not None for row in shown)
    inside = "<br>%{customdata[4]} inside the object" if masked else ""
    figure = Figure()
    for key, name, colour in (
        ("negative", "against the class", NEGATIVE),
        ("positive", "for the class", POSITIVE),
    ):
        figure.add_bar(
            y=names,
            x=[row[key] for row in shown],
            orientation="h",
            name=name,
            marker={
                "color": ["rgba(0,0,0,0)" if row["images"] < SMALL else colour for row in shown],
                "line": {"color": colour, "width": [1.6 if row["images"] < SMALL else 0 for row in shown]},
            },
            customdata=[_facts(row) for row in shown],
            hovertemplate="%{y}<br>" + name + ": %{x:.4g}<br>R = %{customdata[1]:.4g}, "
            "rank %{customdata[2]} of %{customdata[3]} in its layer"
            + inside
            + "<br>n = %{customdata[5]}, %{customdata[6]} recognised<extra></extra>",
        )
    figure.update_layout(barmode="relative")
    figure.update_yaxes(type="category", automargin=True, tickmode="linear")
    figure.update_xaxes(
        title=f"sum of G {'inside the object' if masked else 'over the picture'}, mean over the images",
        zeroline=True,
    )
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1})
    return finish(figure, height=96 + 22 * max(3, len(shown)), badge=badge)


def _facts(row: Mapping[str, Any]) -> list[Any]:
    share = row["in_mask_share"]
    inside = "—" if share is None else f"{share:.0%}"
    return [
        row["class"],
        row["relevance"],
        row["rank"],
        row["units"],
        inside,
        row["images"],
        row["recognised"],
    ]


class Responses(NamedTuple):
    """One unit's responses over the whole data set: counts (64,), edges (65,), threshold, share above it."""

    counts: NDArray[np.int64]
    edges: NDArray[np.float32]
    threshold: float
    tail_mass: float


def histogram(responses: Responses, unit: str, badge: str = "") -> Figure:
    """Responses of one unit over the whole data set, on a log axis, with the threshold."""
    counts, edges, threshold, tail_mass = responses
    middles = (edges[:-1] + edges[1:]) / 2
    above = middles > threshold
    figure = Figure().add_bar(
        x=middles,
        y=counts,
        width=np.diff(edges),
        marker={"color": np.where(above, ACCENT, NEUTRAL), "line": {"width": 0}},
        customdata=np.stack([edges[:-1], edges[1:]], 1),
        hovertemplate="%{customdata[0]:.4g} to %{customdata[1]:.4g}: %{y:,} positions<extra></extra>",
    )
    mark(figure, threshold, f"T = {threshold:.4g}: {100 * tail_mass:.2g} % above")
    figure.update_xaxes(title=f"response of {unit}")
    figure.update_yaxes(title="positions (log)", type="log", dtick=1)
    figure.update_layout(bargap=0, showlegend=False)
    return finish(figure, height=220, badge=badge)
