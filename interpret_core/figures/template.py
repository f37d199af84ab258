"""What all figures have in common: the template, margins, titles, legends, an axis of layers."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

from interpret_core.figures.colours import ACCENT, QUIET
from interpret_core.figures.figure import Figure
from interpret_core.figures.text import BREAK, figure_text, unfigured

TOP = 36  # pixels above the plot, with a title of one line
SMALL = 10  # fewer than this many images: drawn hollow, with an interval
LINE, AXIS = 58, 40  # characters that fit beside each other on a phone: of a title, of an axis's
FITTING = 12  # layer names beside each other on a third of a screen
GRID = "rgba(128,136,150,.25)"
SYMBOLS = ("circle", "square", "diamond")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
FONT = {"family": "Inter, system-ui, sans-serif", "size": 12.5, "color": QUIET}
_AXIS = {
    "gridcolor": GRID,
    "zeroline": False,
    "automargin": True,
    "tickfont": {"color": QUIET},
    "title": {"font": {"color": QUIET}},
}
# Streamlit's theme fills the rest in; it looks for a template.
TEMPLATE: dict[str, Any] = {
    "layout": {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": FONT,
        "dragmode": False,
        # Below the plot, where it pushes the plot up and covers nothing, however many lines it takes.
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "xref": "container",
            "x": 0,
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "font": {"color": QUIET},
            "title": {"text": ""},
        },
        "xaxis": _AXIS,
        "yaxis": _AXIS,
    },
    "data": {},
}


def layer_axis(figure: Figure, layers: Sequence[str]) -> None:
    """Layer names; of a deep network every n-th only, since fifty of them would cover each other."""
    step = math.ceil(len(layers) / FITTING)
    figure.update_xaxes(
        type="category",
        tickangle=-50 if step > 1 else 0,
        tickmode="array",
        tickvals=[figure_text(layer) for layer in layers][::step],
        tickfont={"size": 10.5},
    )


def depth(layers: int) -> list[float]:
    """Where each of so many layers stands between the first (0) and the last (1): networks then compare."""
    return [i / max(1, layers - 1) for i in range(layers)]


def finish(figure: Figure, height: int, badge: str = "") -> Figure:
    """Size and title.

    Args:
        figure: with its traces.
        height: in pixels, of plot, title and legend together.
        badge: whose the figure is and what the evidence is: inside it, so that a saved picture still says so.
    """
    title = {
        "text": figure_text(badge),
        "font": {"size": 11, "color": QUIET},
        "x": 0,
        "xref": "container",
        "xanchor": "left",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"t": 10, "l": 8},
    }
    figure.whose = badge
    figure.update_layout(
        template=TEMPLATE,
        title=title,
        height=height,
        margin={"l": 8, "r": 12, "t": TOP, "b": 8},
        uirevision="keep",
    )
    return figure


def mark(figure: Figure, x: float, text: str, dash: str = "solid") -> None:
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


def headline(what: str, whose: str) -> str:
    """The title of a figure: what it shows, then network, data set and evidence."""
    return f"{what} · {whose}" if whose else what


def titled(figure: Figure, what: str) -> str:
    """Put what a figure shows before whose it is, in lines that a phone has room for; the whole title.

    The title of the x axis gets lines of its own, too.
    """
    whole = headline(what, figure.whose)
    lines = textwrap.wrap(whole, LINE, break_long_words=False)
    figure.layout["title"] = {**figure.layout.get("title", {}), "text": BREAK.join(map(figure_text, lines))}
    figure.update_layout(margin={"t": TOP + 14 * (len(lines) - 1)})
    axis = unfigured(figure.layout.get("xaxis", {}).get("title", {}).get("text", ""))
    if len(axis) > AXIS:
        parts = textwrap.wrap(axis, AXIS, break_long_words=False, break_on_hyphens=False)
        figure.update_xaxes(title=BREAK.join(map(figure_text, parts)))
    return whole
