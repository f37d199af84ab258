"""Networks beside each other at equal numbers of silenced units.

At equal percentages the deeper network loses more units; equal numbers are fairer (docs/method.md#equal).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from interpret_core.analyses.ablation import comparison as ablation_rows
from interpret_core.analyses.ablation.ablator import Estimate
from interpret_core.analyses.ablation.comparison import ACCURACY, METRICS
from interpret_core.analyses.ablation.grid import STEPS
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.analyses.ablation.ranking import NotRanked
from interpret_core.analyses.ablation.table import pair, spread
from interpret_core.errors import UnitscopeError
from interpret_core.figures.ablation import ShareCurve, curves
from interpret_core.figures.colours import CATEGORY_COLOURS, badge_of, badge_of_all
from interpret_core.figures.template import SMALL
from interpret_core.measures.ablation.evaluation import Evaluation, tally
from interpret_core.measures.ablation.settings import RELEVANCE, Setting
from ui.ablation import offers
from ui.ablation.sliders import Choice
from ui.ablation.steps import Task, runs
from ui.access.told import told
from ui.components.chart.chart import chart, finished
from ui.components.compared import compared
from ui.components.saves import saves
from ui.session import ablations
from ui.session.ablations import Bench
from ui.session.live.queue import Busy
from ui.shell import state
from ui.shell.how import how
from ui.shell.plain import plain

SYMBOLS = ("circle", "square", "diamond")


class Equal(NamedTuple):
    """One network with a given number of units silenced, on the images seen so far."""

    network: str
    units: int
    silenced: int
    before: int
    right: int
    images: int
    population: int
    probability_before: float
    probability: float
    others_before: float
    others: float


def section(bench: Bench, choice: Choice) -> bool:
    """Draw curves over numbers of units, and the exact numbers at one of them.

    Returns:
        Whether there is more to compute.
    """
    benches, more = _benches(bench)
    metric = state.one_of("metric", list(METRICS), ACCURACY)
    lines = [line for at, one in enumerate(benches) for line in _lines(one, choice, metric, at)]
    total = _total(benches, choice)
    difference = by_layer(bench.plan, total)
    if difference:
        st.caption(difference)
    title = badge_of_all(map(ablations.title, benches), bench.case.dataset)
    if lines:
        figure = curves(lines, "units silenced in all inner layers", metric, total, badge=title)
        chart(finished(figure, f"Equal numbers of silenced units, {choice.name}"), "networks_curves")
    else:
        st.caption("The curves come from precomputed steps, which are not there yet.")
    found, further = _equal(benches, choice, total)
    if found:
        _table(found, choice)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            saves.saves(f"equal_units_{choice.name}", partial(table, found, choice), "save_networks")
            how("equal", "figures56")
    return more or further


def _benches(bench: Bench) -> tuple[list[Bench], bool]:
    """Those that are compared, and whether one has to wait until it can be loaded."""
    found, waits = [bench], False
    for name in compared.others(bench.case.network, st.multiselect, "pick_compare_ablation"):
        try:
            other = offers.bench(bench.case._replace(network=name))
        except Busy as busy:
            st.caption(f"{plain(name)}: {plain(busy)} It is loaded as soon as that is done.")
            waits = True
        else:
            found += [] if other is None else [other]
    return found, waits


def _total(benches: Sequence[Bench], choice: Choice) -> int:
    """How many units are silenced in every network: the URL's number, else 3 % of the narrowest."""
    widths = [_width(one) for one in benches]
    first = max(1, round(0.03 * min(widths)))
    total = state.whole("total", 0, min(widths), first, "number of units")
    key = state.follow("pick_total", total)
    st.number_input(
        "Units silenced in each network",
        0,
        min(widths),
        key=key,
        width=240,
        help="Shared out among the layers in proportion to their widths.",
        on_change=state.writer("total", key, lambda value: "" if value == first else str(value)),
    )
    return total


def by_layer(plan: AblationPlan, total: int) -> str:
    """Why the same percentage is another number of units in the curves above; empty where it is not.

    Args:
        plan: of the network that is chosen.
        total: units silenced in each network here.
    """
    width = sum(layer.units for layer in plan.layers if layer.name in plan.inner)
    step = next((one for one in STEPS if round(one * width) == total), None)
    if step is None:
        return ""
    layers = sum(map(len, plan.selection(Setting("random", fraction=step)).values()))
    if layers == total:
        return ""
    return (
        f"{total:,} units here, and {layers:,} at {100 * step:g} % elsewhere on this page: here the share is "
        f"taken once, of all {width:,} inner units; there it is taken of each layer and rounded to whole "
        "units, at least one."
    )


def _width(bench: Bench) -> int:
    return sum(layer.units for layer in bench.plan.layers if layer.name in bench.plan.inner)


def _lines(bench: Bench, choice: Choice, metric: str, number: int) -> list[ShareCurve]:
    """The class of one network, and its random control, over numbers of units; none without a grid."""
    grid = bench.grid(choice.value)
    if choice.name not in grid.classes or choice.name not in bench.names or not grid.controls:
        return []
    target = bench.names.index(choice.name)
    colour = list(CATEGORY_COLOURS.values())[number]
    steps = (0.0, *STEPS)
    places = [float(_units(bench, step)) for step in steps]
    title = badge_of(*ablations.title(bench))

    def point(step: float) -> list[Evaluation | None]:
        if not step:
            return [grid.evaluation(Setting())]
        ranked = Setting(RELEVANCE, choice.name, choice.direction, step, value=choice.value)
        return [grid.evaluation(ranked)]

    drawn = []
    ways = ((f"{title}, {choice.direction}", point, False), (f"{title}, random", grid.random, True))
    for name, way, thin in ways:
        found = [[one for one in (way(step) if step else point(step)) if one is not None] for step in steps]
        values = [spread([float(getattr(one, metric)[target]) for one in each]) for each in found]
        drawn.append(
            ShareCurve(
                name,
                "dot" if thin else "solid",
                SYMBOLS[number] + ("-open" if thin else ""),
                colour,
                places,
                [mean for mean, _ in values],
                [],
                [_note(mean, sd, k, step) for (mean, sd), k, step in zip(values, places, steps, strict=True)],
                [None] * len(steps),
                thin,
            )
        )
    return drawn


def _note(mean: float, sd: float, units: float, step: float) -> str:
    deviation = "" if math.isnan(sd) else f" ± {100 * sd:.1f}"
    return f"{units:,.0f} units ({100 * step:g} % of each layer)<br>{100 * mean:.1f}{deviation} %"


def _units(bench: Bench, step: float) -> int:
    if not step:
        return 0
    return sum(map(len, bench.plan.selection(Setting("random", fraction=step)).values()))


def _equal(benches: Sequence[Bench], choice: Choice, total: int) -> tuple[list[Equal], bool]:
    """What each network loses with so many units silenced, one step further."""
    found, more = [], False
    for number, bench in enumerate(benches):
        if choice.name not in bench.names:
            continue
        setting = (
            Setting(RELEVANCE, choice.name, choice.direction, total=total, value=choice.value)
            if total
            else Setting()
        )
        tasks = [Task(bench, Setting()), Task(bench, setting)]
        try:
            known = partial(_known, bench)
            going = runs(f"equal_{number}", bench.identity, tasks, known)
            if not more:  # one network after the other
                going.step()
        except NotRanked as missing:
            st.caption(f"{plain(ablations.title(bench)[0])}: {plain(missing)}")
            continue
        except UnitscopeError as error:
            st.error(plain(told(error)))
            continue
        more |= not going.complete
        if going.waits:
            st.caption(going.waits)
        intact, silenced = going[0], going[1]
        if intact is not None and silenced is not None:
            found.append(_of(bench, choice, total, (intact, silenced)))
    return found, more


def _known(bench: Bench, task: Task) -> Estimate | None:
    return bench.known(task.setting)


def _of(bench: Bench, choice: Choice, total: int, pair_of: tuple[Estimate, Estimate]) -> Equal:
    plan, target = bench.plan, bench.names.index(choice.name)
    both = ablation_rows.seen(*pair_of)
    labels = plan.labels[both.rows]
    before, after = (tally(one, labels, plan.outputs) for one in (both.before, both.after))
    return Equal(
        bench.case.network,
        _width(bench),
        total,
        int(before.right[target]),
        int(after.right[target]),
        int(after.images[target]),
        int(plan.population[target]),
        float(before.probability[target]),
        float(after.probability[target]),
        pair(before.accuracy, target).others,
        pair(after.accuracy, target).others,
    )


def _table(found: Sequence[Equal], choice: Choice) -> None:
    """Exact numbers beside each other, as Markdown: few rows, many words."""
    name = plain(choice.name)
    lines = [
        f"| network | silenced, of inner units | {name}: right, of images | {name}: mean probability "
        "| others |",
        "|---|--:|--:|--:|--:|",
    ]
    for one in found:
        so_far = "" if one.images == one.population else f" so far, of {one.population}"
        few = " ○ few" if one.population < SMALL else ""
        lines.append(
            f"| {plain(one.network)} | {one.silenced:,} of {one.units:,} "
            f"({100 * one.silenced / max(1, one.units):.2g} %) | "
            f"{one.before} → **{one.right}** of {one.images}{so_far}{few} | "
            f"{one.probability_before:.2f} → **{one.probability:.2f}** | "
            f"{100 * one.others_before:.0f} → {100 * one.others:.0f} % |"
        )
    st.markdown("\n".join(lines))


def table(found: Sequence[Equal], choice: Choice) -> list[Mapping[str, Any]]:
    """The same as flat records; what is not known is None."""
    return [
        {
            "class": choice.name,
            "direction": choice.direction,
            "value": choice.value,
            **{
                name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in one._asdict().items()
            },
        }
        for one in found
    ]
