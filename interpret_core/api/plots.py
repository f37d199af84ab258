"""Results as the dashboard's figures: the same numbers through the same functions (`figures`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from interpret_core.analyses.ablation.comparison import ACCURACY
from interpret_core.analyses.agreement.result import Agreed
from interpret_core.analyses.image_labels.result import UnitsByImageLabel, by_label
from interpret_core.analyses.profile.outcome import Profiled
from interpret_core.analyses.registry import find
from interpret_core.analyses.relevance.outcome import Related
from interpret_core.api.frames import needed
from interpret_core.errors import ParameterError, unknown
from interpret_core.figures import agreement, classes, concepts, curves, relevance
from interpret_core.figures.ablation import LOOKS, ShareCurve
from interpret_core.figures.ablation import curves as ablation_curves
from interpret_core.figures.classes import Bars
from interpret_core.figures.colours import badge_of_all
from interpret_core.figures.figure import Figure
from interpret_core.figures.heat import heat_figure
from interpret_core.figures.template import titled
from interpret_core.measures.ablation.selection import BOTTOM, TOP
from interpret_core.measures.ablation.settings import RANDOM
from interpret_core.numbers import mean
from interpret_core.tables import Row

if TYPE_CHECKING:
    import plotly.graph_objects

Draw = Callable[[Any, str], Figure]
Kinds = Mapping[str, Draw]  # name -> figure of what was found and whose it is; the first is the usual one
OTHERS, SEVERAL = "*others", 6  # bars of so many settings beside each other


def drawn(figure: Figure) -> plotly.graph_objects.Figure:
    """A figure as Plotly holds it, which checks it against its schema.

    Raises:
        ParameterError: Plotly is not installed.
    """
    found: plotly.graph_objects.Figure = needed("plotly.graph_objects").Figure(figure.to_dict())
    return found


def plotted(analysis: str, kind: str, found: Any, description: Row) -> plotly.graph_objects.Figure:
    """A result as a figure.

    Args:
        analysis: its name.
        kind: of the figure; "" for the usual one.
        found: the analysis' own result.
        description: of it, which says whose it is.

    Raises:
        ParameterError: there is no such figure; or nothing to draw.
    """
    kinds = KINDS.get(analysis, {})
    if not kinds:
        raise ParameterError(f"There is no figure of {analysis}: use to_frame().")
    if kind and kind not in kinds:
        raise ParameterError(unknown(f"figure of {analysis}", kind, kinds))
    return drawn(kinds[kind or next(iter(kinds))](found, _badge(description)))


def _badge(description: Row) -> str:
    """Network, data set and evidence."""
    networks = description.get("networks") or [description["network"]]
    told = [(one.get("title") or one["name"], one["evidence"]) for one in networks]
    return badge_of_all(told, description["dataset"]["name"])


def _titled(figure: Figure, what: str) -> Figure:
    titled(figure, what)
    return figure


def _layers(found: Profiled) -> dict[str, Any]:
    return {one.profile.layer: one for one in found.summaries}


def _detectors(found: Profiled, badge: str) -> Figure:
    panel = concepts.panel_of(_layers(found), badge)
    return _titled(concepts.detector_bars(panel), "Detectors by layer")


def _distinct(found: Profiled, badge: str) -> Figure:
    panel = concepts.panel_of(_layers(found), badge)
    return _titled(concepts.detector_bars(panel, unique=True), "Distinct concepts by layer")


def _concepts(found: Profiled, badge: str) -> Figure:
    counts = concepts.concept_counts(_layers(found))
    if not counts:
        raise ParameterError("No unit is a detector, so there is no concept to draw: lower the cut-off.")
    return _titled(concepts.concept_bars(counts, badge=badge), "Concepts by detectors")


def _quality(found: Profiled, badge: str) -> Figure:
    data = {name: one.mean_top_iou() for name, one in _layers(found).items()}
    return _titled(curves.quality_lines({"": data}, badge=badge), "Mean top-t IoU")


def _colours(found: Profiled, badge: str) -> Figure:
    if any(one.assessed is None for one in found.summaries):
        raise ParameterError("What units respond to was not assessed here, so it cannot be drawn.")
    data = {name: curves.assessed_shares(one) for name, one in _layers(found).items()}
    return _titled(curves.assessment_lines({"": data}, badge=badge), "Colours and objects over depth")


def _relevance(view: str) -> Draw:
    def draw(found: Related, badge: str) -> Figure:
        totals = {name: relevance.totals_of(one) for name, one in found.classes.items()}
        every = list(totals.values())
        scale = relevance.scale_of(every, view, log=relevance.wide(every, view))
        return heat_figure(relevance.heat(badge, list(totals), totals, scale))

    return draw


def _agreement(found: Agreed, badge: str) -> Figure:
    errors = [
        agreement.errors_of(one.agreement, one.agreement.metadata["network"]["title"] or one.name)
        for one in found.answers
    ]
    return _titled(agreement.error_lines(errors, badge=badge), "Error by layer")


def _labels(found: UnitsByImageLabel, badge: str) -> Figure:
    return _titled(classes.label_bars(by_label(found.layers), badge), "Labels of whole images")


def _evaluated(found: Any, badge: str) -> Figure:
    rows = [row for row in _rows("evaluation", found) if not _summary(row["class"])]
    bars = Bars("accuracy", {str(row["class"]): row["accuracy"] for row in rows})
    return _titled(classes.class_bars([bars], None, "accuracy, %", badge), "Accuracy by class")


def _ablated(found: Any, badge: str) -> Figure:
    """Bars of one setting, curves over several fractions."""
    rows = list(_rows("ablate", found))
    fractions = {row["fraction"] for row in rows if row["fraction"]}
    return _curves(found, badge) if len(fractions) > 1 else _classes(found, badge)


def _classes(found: Any, badge: str) -> Figure:
    settings: dict[tuple[Any, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    intact: dict[str, float | None] = {}
    for row in _rows("ablate", found):
        name = str(row["evaluated_class"])
        if _summary(name) or not row["units"] or row["accuracy"] is None:
            continue
        settings[row["ablated_class"], row["rank"], row["fraction"], row["units"]][name].append(
            row["accuracy"]
        )
        intact[name] = row["accuracy_intact"]
    bars = [
        Bars(_setting(*setting), {name: mean(values) for name, values in shares.items()})
        for setting, shares in settings.items()
    ]
    if not bars:
        raise ParameterError("No unit was silenced, so there is nothing to draw.")
    figure = classes.class_bars(bars[:SEVERAL], Bars("intact", intact), "accuracy, %", badge)
    shown = f", {SEVERAL} of {len(bars)} settings" if len(bars) > SEVERAL else ""
    return _titled(figure, f"Accuracy by class{shown}")


def _setting(ablated: Any, rank: Any, fraction: Any, units: Any) -> str:
    share = f"{100 * fraction:g} %, " if fraction else ""
    return f"{rank} {share}{units:,} units" + (f", for {ablated}" if ablated else "")


def _curves(found: Any, badge: str) -> Figure:
    rows = [row for row in _rows("ablate", found) if row["accuracy"] is not None]
    ablated = next((row["ablated_class"] for row in rows if row["ablated_class"]), None)
    mine = [row for row in rows if row["ablated_class"] in (ablated, None)]
    lines = [
        line for thin, name in ((True, OTHERS), (False, str(ablated))) for line in _lines(mine, name, thin)
    ]
    figure = ablation_curves(
        lines,
        "units silenced in each inner layer, %",
        ACCURACY,
        None,
        f"{badge} · units ranked for {ablated}",
    )
    return _titled(figure, f"Ablation curves of {ablated}")


def _lines(rows: Sequence[Row], name: str, thin: bool) -> Iterator[ShareCurve]:
    """Top, bottom and random of one class, or of the mean of the others, as on the dashboard's page."""
    here = [row for row in rows if row["evaluated_class"] == name]
    for rank in (TOP, BOTTOM, RANDOM):
        colour, dash, symbol = LOOKS[rank]
        by_fraction: dict[float, list[float]] = defaultdict(list)
        for row in here:
            if row["rank"] == rank and row["fraction"]:
                by_fraction[float(row["fraction"])].append(float(row["accuracy"]))
        if not by_fraction:
            continue
        by_fraction[0.0] = [float(row["accuracy_intact"]) for row in here[:1]]
        places = sorted(by_fraction)
        every = [by_fraction[one] for one in places]
        means = [float(np.mean(one)) for one in every]
        spread = [float(np.std(one, ddof=1)) if len(one) > 1 else 0.0 for one in every]
        notes = [
            f"{100 * one:g} % of each layer<br>{100 * share:.1f} %"
            for one, share in zip(places, means, strict=True)
        ]
        yield ShareCurve(
            f"{'the others' if thin else name}, {rank}",
            "dot" if thin else dash,
            f"{symbol}-open" if thin else symbol,
            colour,
            [100 * one for one in places],
            means,
            spread if rank == RANDOM and not thin else [],
            notes,
            [[rank, 100 * one] for one in places],
            thin,
        )


def _rows(analysis: str, found: Any) -> Iterable[Row]:
    return find(analysis).load().rows(found)


def _summary(name: Any) -> bool:
    """Whether a row is about several classes."""
    return str(name).startswith("*")


KINDS: Mapping[str, Kinds] = {
    "profile": {
        "detectors": _detectors,
        "distinct": _distinct,
        "concepts": _concepts,
        "quality": _quality,
        "colours": _colours,
    },
    "relevance": {view: _relevance(view) for view in relevance.VIEWS},
    "agreement": {"errors": _agreement},
    "image-labels": {"labels": _labels},
    "evaluation": {"classes": _evaluated},
    "ablate": {"usual": _ablated, "classes": _classes, "curves": _curves},
}
