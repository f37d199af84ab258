"""Class × class: silence a's units, watch b. How far classes depend on each other's units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from interpret_core.analyses.ablation.comparison import ACCURACY, METRICS
from interpret_core.analyses.ablation.grid import STEPS, Grid
from interpret_core.figures.heat import HOLLOW, Heat, HeatCell
from interpret_core.figures.template import SMALL
from interpret_core.measures.ablation.evaluation import Evaluation
from interpret_core.measures.ablation.settings import RELEVANCE, Setting
from ui.ablation import losses, sliders
from ui.ablation.sliders import Choice
from ui.components.heat.heat import heat_map
from ui.components.saves import saves
from ui.session.ablations import Bench
from ui.shell import silenced, state
from ui.shell.how import how


def section(bench: Bench, choice: Choice) -> None:
    """Draw the matrix of the step that is nearest to the slider."""
    grid = bench.grid(choice.value)
    intact = grid.evaluation(Setting())
    if intact is None or not grid.classes:
        st.caption("The matrix comes from precomputed steps of every class, which are not there yet.")
        return
    metric = state.one_of("metric", list(METRICS), ACCURACY)
    step = nearest(choice.percent / 100)
    found = matrix(grid, choice.direction, step)
    at = (bench.names.index(choice.name),) * 2 if choice.name in bench.names else None
    made = heat(bench, intact, found, metric, f"{choice.direction} {100 * step:g} % silenced")
    st.caption(
        f"Row: whose {choice.direction} {100 * step:g} % are silenced in each inner layer. Column: who is "
        f"watched. Change in percentage points against the intact network."
        + ("" if choice.percent == 100 * step else " The step nearest to the slider.")
    )
    heat_map(made, "ablation_matrix", partial(_chosen, made.rows, step), at)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        stem = f"ablation_matrix_{bench.case.network}_{choice.direction}_{100 * step:g}"
        saves.saves(stem, partial(table, bench, intact, found, choice, step), "save_matrix")
        st.caption("A press on a cell silences for its row’s class.", width="content")
        how("entangled")


def nearest(fraction: float) -> float:
    """The step of the grid that is nearest to a fraction."""
    return min(STEPS, key=lambda step: (abs(step - fraction), step))


def matrix(grid: Grid, direction: str, step: float) -> dict[str, Evaluation]:
    """The evaluations of the classes that are there, by the class that is silenced for."""
    value = grid.plan.request.value
    found = {
        name: grid.evaluation(Setting(RELEVANCE, name, direction, step, value=value)) for name in grid.classes
    }
    return {name: one for name, one in found.items() if one is not None}


def heat(
    bench: Bench, intact: Evaluation, found: Mapping[str, Evaluation], metric: str, silenced: str
) -> Heat:
    """The matrix as colours: blue for a loss, orange for a gain.

    Args:
        bench: classes and images.
        intact: nothing silenced.
        found: by class silenced for.
        metric: "accuracy" or "probability".
        silenced: what is silenced, for the title.
    """
    names, plan = bench.names, bench.plan
    cells = [
        [
            _cell(intact, found.get(row), number, metric, few=bool(plan.population[number] < SMALL))
            for number in range(len(names))
        ]
        for row in names
    ]
    known = [abs(cell.value) for row in cells for cell in row if not math.isnan(cell.value)]
    high = max([1.0, *known])
    word = "accuracy" if metric == ACCURACY else "mean probability"
    return Heat(
        f"Change of {word}, class by class",
        f"{losses.title_of(bench)} · {silenced}",
        names,
        names,
        cells,
        -high,
        high,
        f"change of {word}, percentage points",
        kind="diverging",
        unit="points",
        hollow=f"fewer than {SMALL} images",
        absent="not computed",
    )


def _cell(intact: Evaluation, after: Evaluation | None, number: int, metric: str, *, few: bool) -> HeatCell:
    if after is None:
        return HeatCell(math.nan, "not computed")
    before = getattr(intact, metric)[number]
    change = 100 * float(getattr(after, metric)[number] - before)
    images = int(after.images[number])
    notes = [
        f"{int(intact.right[number])} → {int(after.right[number])} of {images} images right",
        f"mean probability {intact.probability[number]:.3f} → {after.probability[number]:.3f}",
    ]
    return HeatCell(change, signed(change), "\n".join(notes), HOLLOW * few)


def signed(points: float) -> str:
    """Percentage points with their sign; what rounds to nothing has none."""
    return "0" if abs(points) < 0.5 else f"{points:+.0f}".replace("-", "\u2212")


def _chosen(rows: Sequence[str], step: float, row: int, _column: int) -> None:
    percent = sliders.percent_text(100 * step)
    silenced.put_back()
    state.change(**{"class": rows[row], "by": None, "percent": percent, "layers": None, "silence": None})


def table(
    bench: Bench, intact: Evaluation, found: Mapping[str, Evaluation], choice: Choice, step: float
) -> list[dict[str, Any]]:
    """The matrix as flat records."""
    return [
        {
            "network": bench.case.network,
            "evidence": bench.plan.network.evidence,
            "dataset": bench.case.dataset,
            "silenced_for": name,
            "direction": choice.direction,
            "fraction": step,
            "value": choice.value,
            "class": watched,
            "images": int(one.images[number]),
            "right_intact": int(intact.right[number]),
            "right": int(one.right[number]),
            "accuracy_change": float(one.accuracy[number] - intact.accuracy[number]),
            "probability_change": float(one.probability[number] - intact.probability[number]),
        }
        for name, one in found.items()
        for number, watched in enumerate(bench.names)
    ]
