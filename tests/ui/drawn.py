"""Figures as Plotly's own objects: the pages build plain dictionaries, which its schema has to accept."""

from __future__ import annotations

import plotly.graph_objects as go

from interpret_core.figures.figure import Figure


def drawn(figure: Figure) -> go.Figure:
    """The figure, checked.

    Raises:
        ValueError: a property that Plotly does not have, or a value that it does not take.
    """
    return go.Figure(figure.to_dict())
