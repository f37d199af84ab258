"""Agreement to points and lines. Pure functions: no Streamlit, no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from interpret_core.analyses.agreement.result import Agreement
from interpret_core.figures.colours import ACCENT, CATEGORY_COLOURS, NEUTRAL, colour_of
from interpret_core.figures.figure import Figure
from interpret_core.figures.template import DASHES, FITTING, SYMBOLS, depth, finish, layer_axis
from interpret_core.figures.text import figure_text

GROUPS = {  # marks of a unit: name, symbol, size
    (True, True): ("both", "star", 12),
    (True, False): ("IoU only", "triangle-up", 10),
    (False, True): ("relevance only", "diamond", 9),
    (False, False): ("neither", "circle", 6),
}


class UnitPoint(NamedTuple):
    """One unit in the scatter of IoU against relevance, and which marks it has."""

    unit: int
    label: str
    category: str
    iou: float
    relevance: float
    by_iou: bool
    by_relevance: bool


class Cuts(NamedTuple):
    """Where the marks begin: the smallest marked IoU and relevance, None where a cell is left out."""

    iou: float | None
    relevance: float | None


def scatter(points: Sequence[UnitPoint], cuts: Cuts, texts: Mapping[str, str], badge: str = "") -> Figure:
    """A layer's units by IoU with a class's concept and by relevance for the class.

    Args:
        points: the units.
        cuts: dotted lines.
        texts: "x", "y" titles of the axes.
        badge: what the evidence is.
    """
    figure = Figure()
    for marks, (name, symbol, size) in reversed(GROUPS.items()):
        mine = [point for point in points if (point.by_iou, point.by_relevance) == marks]
        if not mine:
            continue
        quiet = not any(marks)
        figure.add_scatter(
            x=[point.iou for point in mine],
            y=[point.relevance for point in mine],
            mode="markers",
            name=f"{name} ({len(mine)})",
            marker={
                "symbol": symbol,
                "size": size,
                "color": [NEUTRAL if quiet else colour_of(point.category) for point in mine],
                "opacity": 0.55 if quiet else 0.95,
                "line": {"width": 0 if quiet else 1, "color": "rgba(20,24,32,.75)"},
            },
            cliponaxis=False,
            customdata=[[point.unit, figure_text(point.label or "no concept")] for point in mine],
            hovertemplate="unit %{customdata[0]} · %{customdata[1]}<br>IoU %{x:.4f}<br>R %{y:.4g}"
            "<extra></extra>",
        )
    for value, line in ((cuts.iou, figure.add_vline), (cuts.relevance, figure.add_hline)):
        if value is not None:
            axis = "x" if line == figure.add_vline else "y"
            line(**{axis: value}, line={"color": ACCENT, "width": 1.2, "dash": "dot"})
    figure.update_xaxes(title=figure_text(texts["x"]), rangemode="tozero")
    figure.update_yaxes(title=figure_text(texts["y"]), rangemode="tozero")
    figure.update_layout(hovermode="closest")
    return finish(figure, height=420, badge=badge)


class Errors(NamedTuple):
    """One network's mean error per layer, what chance would give, and its untrained control's.

    NaN for a layer left out; `untrained` is empty where it is not known.
    """

    title: str
    layers: Sequence[str]
    error: Sequence[float]
    chance: Sequence[float]
    untrained: Sequence[float] = ()


def errors_of(found: Agreement, title: str, untrained: Agreement | None = None) -> Errors:
    """Mean error of each layer, and of the untrained control's where it is known."""
    layers = found.network.layers
    return Errors(
        title,
        found.layers,
        [layer.mean_error for layer in layers],
        [layer.chance for layer in layers],
        [layer.mean_error for layer in untrained.network.layers] if untrained else (),
    )


def error_lines(networks: Sequence[Errors], badge: str = "") -> Figure:
    """Mean error of each layer; chance and the untrained control as thin lines of the same colour."""

    figure = Figure()
    colours, several = list(CATEGORY_COLOURS.values()), len(networks) > 1
    for number, one in enumerate(networks):
        names = [figure_text(layer) for layer in one.layers]
        places = depth(len(names)) if several else names
        colour = colours[number % len(colours)]
        title = figure_text(one.title)
        figure.add_scatter(
            x=places,
            y=[100 * value for value in one.error],
            name=title if several else "error",
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": DASHES[number % len(DASHES)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7},
            customdata=[[title, name] for name in names],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}: %{y:.2f} %<extra></extra>",
        )
        if one.untrained:
            figure.add_scatter(
                x=places,
                y=[100 * value for value in one.untrained],
                name=f"untrained, {title}" if several else "untrained control",
                mode="lines+markers",
                line={"color": colour, "width": 1, "dash": "dash"},
                marker={"symbol": f"{SYMBOLS[number % len(SYMBOLS)]}-open", "size": 6},
                customdata=names,
                hovertemplate="untrained, %{customdata}: %{y:.2f} %<extra></extra>",
            )
        figure.add_scatter(
            x=places,
            y=[100 * value for value in one.chance],
            name=f"chance, {title}" if several else "chance",
            mode="lines",
            line={"color": colour, "width": 1, "dash": "dot"},
            hoverinfo="skip",
        )
    if several:
        figure.update_xaxes(title="depth: first layer 0, last layer 1")
    else:
        layer_axis(figure, [layer for one in networks for layer in one.layers])
    figure.update_yaxes(title="error, % of units", rangemode="tozero")
    slanted = not several and len(networks[0].layers) > FITTING  # long names take from the height
    return finish(figure, height=390 if slanted else 300, badge=badge)
