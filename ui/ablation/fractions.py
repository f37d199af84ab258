"""The paper's Figs. 5 and 6: a class, and the mean of the others, over growing fractions of units."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from interpret_core.analyses.ablation.comparison import ACCURACY, METRICS
from interpret_core.analyses.ablation.grid import STEPS, Grid, class_points, control_points
from interpret_core.analyses.ablation.table import pair, point_of, spread
from interpret_core.analyses.ablation.table import rows as point_rows
from interpret_core.figures.ablation import LOOKS, ShareCurve, curves
from interpret_core.figures.figure import Figure
from interpret_core.measures.ablation.evaluation import Evaluation
from interpret_core.measures.ablation.selection import TOP
from interpret_core.measures.ablation.settings import RANDOM, RELEVANCE, Setting
from ui.ablation import losses, sliders
from ui.ablation.sliders import Choice
from ui.components.chart.chart import chart, finished
from ui.components.control.control import buttons
from ui.session.ablations import Bench
from ui.session.memory import kept
from ui.shell import links, silenced, state
from ui.shell.how import PAPER, how
from ui.shell.names import key_of
from ui.shell.plain import plain

SPANS = {"3": "0 to 3 %, as in Figs. 5, 6", "20": "0 to 20 %"}


def section(bench: Bench, choice: Choice) -> None:
    """Draw the curves of the class, as far as they are precomputed."""
    grid = bench.grid(choice.value)
    if choice.name not in bench.names:
        st.caption(f"No evaluated image shows {plain(choice.name)}, so there is no curve of it.")
        return
    if not grid.controls or choice.name not in grid.classes:
        st.caption(
            f"The curves of {plain(choice.name)} come from precomputed steps, which are not there yet"
            + (" (its relevance is not computed)." if choice.name in bench.unranked() else ".")
        )
        return
    span = _span()
    metric = state.one_of("metric", list(METRICS), ACCURACY)
    key = key_of("curves", choice.name)
    badge = f"{losses.title_of(bench)} · units ranked for {choice.name}"
    figure = _figure((bench.identity, choice.value, grid.classes), choice.name, metric, span, badge, grid)
    what, rows = f"Ablation curves of {choice.name}", partial(table, grid, choice.name)
    chart(finished(figure, what), key, partial(_point_chosen, key), rows)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f"As in Figures 5 and 6 of {PAPER}. The rows are those of `ablate --out`. A press on a point "
            "sets the slider.",
            width="content",
        )
        how("figures56", "control")
    st.caption(_few(grid))


@kept(64)
def _figure(
    identity: tuple[object, ...], name: str, metric: str, span: str, badge: str, _grid: Grid
) -> Figure:
    # Without a mark at the slider's place: a figure that changes is built anew, at every step.
    lines = list(of_class(_grid, name, metric, float(span) / 100))
    return curves(lines, "units silenced in each inner layer, %", metric, None, badge=badge)


def _span() -> str:
    return buttons("Range", "span", SPANS, "3", kind="range")


def of_class(grid: Grid, name: str, metric: str, most: float) -> Iterator[ShareCurve]:
    """Top, bottom and random, of the class and, thin, of the mean of the others.

    Args:
        grid: with the class's points and the controls.
        name: of the class.
        metric: "accuracy" or "probability".
        most: fractions beyond it are left out.
    """
    target = [one.name for one in grid.plan.classes].index(name)
    steps = [0.0, *(step for step in STEPS if step <= most)]
    counts = {step: _units(grid, step) for step in steps}
    images = int(grid.plan.population[target])
    for thin in (True, False):
        for way, (colour, dash, symbol) in LOOKS.items():
            found = [_values(grid, name, way, step, metric, target) for step in steps]
            spreads = [
                spread([getattr(one, "others" if thin else "target") for one in each]) for each in found
            ]
            means = [mean for mean, _ in spreads]
            band = way == RANDOM and not thin
            yield ShareCurve(
                f"{'the others' if thin else name}, {way}",
                "dot" if thin else dash,
                symbol if not thin else f"{symbol}-open",
                colour,
                [100 * step for step in steps],
                means,
                [0.0 if math.isnan(sd) else sd for _, sd in spreads] if band else [],
                [
                    _note(step, counts[step], mean, sd, 0 if thin else images, metric)
                    for step, (mean, sd) in zip(steps, spreads, strict=True)
                ],
                [[way, 100 * step] for step in steps],
                thin,
            )


def _units(grid: Grid, step: float) -> int:
    """k over all inner layers."""
    chosen = grid.plan.selection(Setting(RANDOM, fraction=step)) if step else {}
    return sum(map(len, chosen.values()))


def _values(grid: Grid, name: str, way: str, step: float, metric: str, target: int) -> list[Any]:
    """The class's value and the others' mean: one pair, or one per seed."""
    value = grid.plan.request.value
    if not step:
        found: Sequence[Evaluation | None] = [grid.evaluation(Setting())]
    elif way == RANDOM:
        found = grid.random(step)
    else:
        found = [grid.evaluation(Setting(RELEVANCE, name, way, step, value=value))]
    numbers = [one.accuracy if metric == ACCURACY else one.probability for one in found if one is not None]
    return [pair(one, target) for one in numbers]


def _note(step: float, units: int, mean: float, sd: float, images: int, metric: str) -> str:
    k = f"{100 * step:g} % of each layer, k = {units:,} units"
    deviation = "" if math.isnan(sd) else f" ± {100 * sd:.1f}"
    if metric == ACCURACY and images:
        deviation += f" ({mean * images:.3g} of {images} images)"
    return f"{k}<br>{100 * mean:.1f}{deviation} %"


def table(grid: Grid, name: str) -> list[Mapping[str, Any]]:
    """All points of the class and the controls, as `ablate --out` writes them."""
    value = grid.plan.request.value
    settings = [*class_points(name, value), *control_points(value)[1:]]
    intact = grid.answers(Setting())
    if intact is None:
        return []
    plan = grid.plan
    known = [(one, grid.answers(one)) for one in [Setting(), *settings]]
    points = [point_of(plan, one, answers) for one, answers in known if answers is not None]
    return list(point_rows(plan, intact, points))


def _few(grid: Grid) -> str:
    """Where a percentage is not what it says, in words."""
    widths = sorted({layer.units for layer in grid.plan.layers if layer.name in grid.plan.inner})
    narrow = [width for width in widths if width < 100]
    spared = [layer.name for layer in grid.plan.layers if layer.name not in grid.plan.inner]
    words = f"First and last layer spared ({', '.join(map(plain, spared))}). " if spared else ""
    if narrow:
        few = ", ".join(map(str, narrow))
        words += (
            f"At least one unit of each layer is silenced: of layers with {few} units, small steps are alike."
        )
    return words


def _point_chosen(key: str) -> None:
    found = links.chosen(key)
    if not found:
        return
    way, percent = found[0][1]
    ranked = {"by": RANDOM} if way == RANDOM else {"by": None, "direction": None if way == TOP else way}
    text = sliders.percent_text(float(percent))
    silenced.put_back()
    state.change(**{**ranked, "percent": text, "layers": None, "silence": None})
