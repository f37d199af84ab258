"""Numbers over a training to lines, one for each layer. Pure functions: no Streamlit, no files."""

from __future__ import annotations

from collections.abc import Mapping

from interpret_core.figures.colours import CATEGORY_COLOURS
from interpret_core.figures.figure import Figure
from interpret_core.figures.template import DASHES, SYMBOLS, finish, titled
from interpret_core.figures.text import figure_text

NUMBERS = {
    "detectors": "detectors",
    "concepts": "distinct concepts",
    "mean_iou": "mean IoU with the best concept",
    "changed": "units with another label than before",
}


def training_lines(layers: Mapping[str, Mapping[int, float | None]], number: str, whose: str) -> Figure:
    """A number of each layer over the moments of a training.

    Args:
        layers: layer -> moment -> number, None where there is none.
        number: one of `NUMBERS`.
        whose: network and data set.
    """
    figure = Figure()
    colours = list(CATEGORY_COLOURS.values())
    for at, (name, values) in enumerate(layers.items()):
        figure.add_scatter(
            x=list(values),
            y=list(values.values()),
            name=figure_text(name),
            mode="lines+markers",
            line={"color": colours[at % len(colours)], "dash": DASHES[at % len(DASHES)], "width": 2},
            marker={"symbol": SYMBOLS[at % len(SYMBOLS)], "size": 7},
            hovertemplate=f"{figure_text(name)}, moment %{{x}}: %{{y:.4g}}<extra></extra>",
        )
    figure.update_xaxes(title="steps (0: before the training)")
    figure.update_yaxes(title=NUMBERS[number], rangemode="tozero")
    finish(figure, height=340, badge=whose)
    titled(figure, NUMBERS[number][0].upper() + NUMBERS[number][1:])
    return figure
