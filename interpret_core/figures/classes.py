"""Numbers of classes and of labels to bars. Pure functions: no Streamlit, no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from interpret_core.analyses.image_labels.result import LabelRow
from interpret_core.figures.colours import ACCENT, CATEGORY_COLOURS, NEUTRAL
from interpret_core.figures.figure import Figure
from interpret_core.figures.template import finish
from interpret_core.figures.text import figure_text

COLOURS = (ACCENT, *CATEGORY_COLOURS.values())
MOST = 40  # classes or labels drawn


class Bars(NamedTuple):
    """A share for each class: what it is of, class -> share in [0, 1]; one that is None is not drawn."""

    name: str
    shares: Mapping[str, float | None]


def class_bars(series: Sequence[Bars], before: Bars | None, axis: str, badge: str = "") -> Figure:
    """A bar for each class, and a stroke where something else was before.

    Args:
        series: one or several, side by side.
        before: strokes, such as the intact network's; None for none.
        axis: title of the axis of shares, in percent.
        badge: whose they are, and what the evidence is.
    """
    names = list(dict.fromkeys(name for one in series for name in one.shares))[:MOST][::-1]
    figure = Figure()
    for number, one in enumerate(series):
        figure.add_bar(
            y=[figure_text(name) for name in names],
            x=[_percent(one.shares.get(name)) for name in names],
            orientation="h",
            name=figure_text(one.name),
            marker={"color": COLOURS[number % len(COLOURS)]},
            hovertemplate=f"%{{y}}: %{{x:.1f}} %, {figure_text(one.name)}<extra></extra>",
        )
    if before is not None:
        figure.add_scatter(
            y=[figure_text(name) for name in names],
            x=[_percent(before.shares.get(name)) for name in names],
            mode="markers",
            name=figure_text(before.name),
            marker={"symbol": "line-ns", "size": 14, "line": {"width": 3, "color": NEUTRAL}},
            hovertemplate=f"%{{y}}: %{{x:.1f}} %, {figure_text(before.name)}<extra></extra>",
        )
    figure.update_layout(barmode="group")
    figure.update_yaxes(type="category", automargin=True, tickmode="linear")
    figure.update_xaxes(title=figure_text(axis), range=[0, 103])
    return finish(figure, height=110 + 24 * max(3, len(names)) * max(1, (len(series) + 1) // 2), badge=badge)


def label_bars(rows: Sequence[LabelRow], badge: str = "") -> Figure:
    """Labels of whole images by the AUC of the unit that tells each best; those that none tells are left out.

    Args:
        rows: as `image_labels.result.by_label`.
        badge: whose they are, and what the evidence is.
    """
    shown = [(one.label, one.units, one.best) for one in rows if one.best is not None][:MOST][::-1]
    figure = Figure().add_bar(
        y=[figure_text(label) for label, _, _ in shown],
        x=[float(str(best["auc"])) for _, _, best in shown],
        orientation="h",
        name="best unit",
        marker={"color": CATEGORY_COLOURS["scene"]},
        text=[figure_text(f"{best['layer']} unit {best['unit']}") for _, _, best in shown],
        textposition="inside",
        customdata=[units for _, units, _ in shown],
        hovertemplate="%{y}: AUC %{x:.3f}, %{text}<br>%{customdata} units tell it<extra></extra>",
    )
    figure.add_vline(x=0.5, line={"color": NEUTRAL, "width": 1.2, "dash": "dot"})
    figure.update_yaxes(type="category", automargin=True, tickmode="linear")
    figure.update_xaxes(title="AUC of the best unit (chance: 0.5)", range=[0, 1.02])
    figure.update_layout(showlegend=False)
    return finish(figure, height=110 + 24 * max(3, len(shown)), badge=badge)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
