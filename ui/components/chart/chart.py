"""A figure on the page, in words for whoever does not see it, and its buttons: table, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st
from plotly.basedatatypes import BaseFigure

from interpret_core.figures.figure import Figure
from interpret_core.figures.template import titled
from interpret_core.figures.text import unfigured
from interpret_core.numbers import known
from ui.components.saves import saves
from ui.components.saves.saves import Rows

CONFIG = {"displayModeBar": False}  # its buttons lie over titles and legends on a narrow screen
TOLD = 6  # marks of a trace in words
WORDS = 1000  # characters after which an alternative text comes to its end


class _Plain(BaseFigure):  # type: ignore[misc]
    """What `st.plotly_chart` takes without building Plotly's objects from it: it asks for `to_dict` alone."""

    def __init__(self, figure: Figure) -> None:  # its own would do what is to be left out
        self._plain = figure.to_dict()

    def to_dict(self) -> dict[str, Any]:
        return self._plain


class Finished(NamedTuple):
    """A figure ready to be drawn; it can be kept, for nobody changes it any more.

    Attributes:
        figure: with its title.
        title: the same, as it is.
        spoken: what the figure shows, for whoever does not see it.
    """

    figure: Figure
    title: str
    spoken: str


def finished(figure: Figure, what: str) -> Finished:
    """Give a figure its title.

    Args:
        figure: says whose it is and what the evidence is.
        what: it shows: stands in the title, in the names of files, before the alternative text.
    """
    title = titled(figure, what)
    return Finished(figure, title, described(figure, title))


def chart(
    made: Finished,
    key: str,
    on_select: Callable[[], None] | None = None,
    rows: Callable[[], Rows] | None = None,
) -> None:
    """Draw a figure with its buttons.

    Args:
        made: what to draw.
        key: of the element.
        on_select: called when a mark is clicked; without it nothing can be selected.
        rows: of its table; by default its marks.
    """
    select: dict[str, Any] = {} if on_select is None else {"on_select": on_select, "selection_mode": "points"}
    st.plotly_chart(_Plain(made.figure), key=key, config=CONFIG, alt=made.spoken, **select)
    saves.saves(made.title, rows or (lambda: marks(made.figure, made.title)), f"save_{key}", figure=key)


def described(figure: Figure, title: str) -> str:
    """A figure in words: its title, its axes, and each trace with its first marks."""
    axes = [
        unfigured(text)
        for name in ("xaxis", "yaxis")
        if (text := figure.layout.get(name, {}).get("title", {}).get("text", ""))
    ]
    parts = [title, f"Axes: {', '.join(axes)}" if axes else ""]
    for number, trace in enumerate(figure.data):
        if sum(map(len, parts)) > WORDS:
            parts.append(f"and {len(figure.data) - number} more series, in the table")
            break
        points = list(zip(trace.get("x", ()), trace.get("y", ()), strict=False))
        told = ", ".join(f"{_text(x)}: {_text(y)}" for x, y in points[:TOLD])
        more = f" and {len(points) - TOLD} more" if len(points) > TOLD else ""
        parts.append(f"{_text(trace.get('name', 'values'))}: {told}{more}")
    return ". ".join(filter(None, parts))


def marks(figure: Figure, title: str) -> Rows:
    """The table of a figure: a row per mark, under the title that says whose it is; None for what is NaN."""
    names = [
        unfigured(figure.layout.get(axis, {}).get("title", {}).get("text", "")) or axis[0]
        for axis in ("xaxis", "yaxis")
    ]
    return [
        {"figure": title, "series": _text(trace.get("name", "")), names[0]: _bare(x), names[1]: _bare(y)}
        for trace in figure.data
        for x, y in zip(trace.get("x", ()), trace.get("y", ()), strict=False)
    ]


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(_bare(value))


def _bare(value: object) -> object:
    """A text as it was before it was written for Plotly; NaN as None; anything else as it is."""
    if isinstance(value, str):
        return unfigured(value)
    return known(value) if isinstance(value, float) else value
