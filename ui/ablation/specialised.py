"""A network made for one class: units that are not needed for it, taken away from the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from interpret_core.analyses.ablation.comparison import ACCURACY
from interpret_core.analyses.ablation.ranking import NotRanked
from interpret_core.analyses.ablation.specialised import (
    REMOVED,
    Reached,
    curve,
    kept,
    reached,
    setting_of,
    units_of,
)
from interpret_core.errors import UnitscopeError
from interpret_core.figures.ablation import LOOKS, ShareCurve, curves
from interpret_core.figures.colours import NEUTRAL
from interpret_core.measures.ablation.selection import BOTTOM
from interpret_core.measures.ablation.settings import Setting
from ui.ablation import losses
from ui.ablation.sliders import Choice
from ui.ablation.steps import Runs, Task, runs
from ui.access.told import told
from ui.components.chart.chart import chart, finished
from ui.components.saves import saves
from ui.jobs import estimates
from ui.jobs.words import takes
from ui.session.ablations import Bench
from ui.shell import state
from ui.shell.how import how
from ui.shell.names import key_of
from ui.shell.plain import plain
from ui.shell.theme import count_text


def section(bench: Bench, choice: Choice) -> bool:
    """Draw how far units can be removed, and the list of them.

    Returns:
        Whether it has more to compute.
    """
    if choice.name not in bench.names:
        st.caption(
            f"No evaluated image shows {plain(choice.name)}: what is needed for it cannot be measured."
        )
        return False
    try:
        going = _runs(bench, choice)
        asked = going.complete or st.session_state.get(_flag(bench, choice))
        if not asked and not _found(going):
            _offer(bench, choice)
            return False
        going.step()
    except NotRanked as missing:
        st.caption(f"{plain(missing)} See above.")
        return False
    except UnitscopeError as error:
        st.error(plain(told(error)))
        return False
    steps = _reached(bench, choice, going)
    if steps:
        _draw(bench, choice, steps)
    if going.waits:
        st.caption(going.waits)
    if not going.complete:
        st.progress(
            going.done / len(going.tasks), text=f"{going.done} of {len(going.tasks)} shares evaluated"
        )
    return not going.complete


def _runs(bench: Bench, choice: Choice) -> Runs:
    settings = [_setting(choice, fraction) for fraction in REMOVED]
    tasks = [Task(bench, one) for one in settings]
    return runs("special", bench.identity, tasks, lambda task: bench.known(task.setting))


def _setting(choice: Choice, fraction: float) -> Setting:
    return setting_of(choice.name, fraction, choice.layers or "inner", choice.value)


def _found(going: Runs) -> bool:
    """Whether every share is in the store, so that nothing has to be computed."""
    return all(
        going[number] is not None or task.ablator.find(task.setting) is not None
        for number, task in enumerate(going.tasks)
    )


def _flag(bench: Bench, choice: Choice) -> str:
    return key_of("special_asked", *bench.identity, choice.name, choice.value, choice.layers)


def _offer(bench: Bench, choice: Choice) -> None:
    """What it costs, before the button."""
    images = count_text(len(bench.plan.images), "image")
    known = estimates.settings(bench, len(REMOVED))
    time = takes(known, "a few seconds to minutes for a small network")
    st.markdown(
        f"Which units does **{plain(choice.name)}** not need? Those with the least relevance for it are "
        f"removed first, 5 to 90\N{NO-BREAK SPACE}% of each layer: {len(REMOVED) - 1} settings on {images}, "
        f"{time}. The page stays usable."
    )
    if st.button("Measure it", key="special"):
        st.session_state[_flag(bench, choice)] = True
        st.rerun(scope="app")


def _reached(bench: Bench, choice: Choice, going: Runs) -> list[Reached]:
    """What is left under every share that has been evaluated."""
    complete = [
        (task.setting, estimate.answers)
        for number, task in enumerate(going.tasks)
        if (estimate := going[number]) is not None and estimate.complete
    ]
    return [reached(bench.plan, choice.name, setting, answers) for setting, answers in complete]


def _draw(bench: Bench, choice: Choice, reached: Sequence[Reached]) -> None:
    most = reached[0].images + reached[0].strangers
    lost = state.whole("keep", 0, most, 0, "number of new mistakes")
    best = kept(reached, lost)
    st.markdown(
        f"**{best.units:,}** units ({100 * best.fraction:g}\N{NO-BREAK SPACE}% of each layer chosen) can go: "
        f"{plain(choice.name)} keeps **{best.right} of {best.images}** images (intact: {reached[0].right}), "
        f"{best.taken} of {best.strangers} other images are taken for it (intact: {reached[0].taken}), and "
        f"the other classes have {100 * best.others:.0f}\N{NO-BREAK SPACE}% right on average "
        f"(intact: {100 * reached[0].others:.0f}\N{NO-BREAK SPACE}%)."
    )
    badge = f"{losses.title_of(bench)} · least relevant for {choice.name} removed first"
    figure = curves(_lines(choice.name, reached), "units removed", ACCURACY, best.units or None, badge=badge)
    what = f"A network for {choice.name}"
    chart(finished(figure, what), "special_curve", rows=partial(table, bench, choice, reached))
    key = state.follow("pick_keep", lost)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input(
            "New mistakes allowed",
            0,
            reached[0].images + reached[0].strangers,
            key=key,
            width=170,
            on_change=state.writer("keep", key, lambda value: "" if not value else str(value)),
        )
        st.caption("Units not needed:", width="content")
        stem = f"not_needed_{bench.case.network}_{choice.name}"
        saves.saves(stem, partial(units_table, bench, choice, best), "save_not_needed")
        how("specialise")


def _lines(name: str, reached: Sequence[Reached]) -> list[ShareCurve]:
    colour, dash, symbol = LOOKS[BOTTOM]
    notes = [
        f"{one.units:,} units ({100 * one.fraction:g} %)<br>{one.right} of {one.images} images of {name}"
        for one in reached
    ]
    places = [float(one.units) for one in reached]
    nothing: list[Any] = [None] * len(reached)
    others = [f"{100 * one.others:.1f} % on average" for one in reached]
    shares = [one.right / one.images if one.images else float("nan") for one in reached]
    taken = [f"{one.taken} of {one.strangers} images of other classes" for one in reached]
    mistaken = [one.taken / one.strangers if one.strangers else float("nan") for one in reached]
    return [
        ShareCurve(name, "solid", "circle", LOOKS["top"][0], places, shares, [], notes, nothing),
        ShareCurve(
            f"others taken for {name}",
            "dot",
            "diamond",
            NEUTRAL,
            places,
            mistaken,
            [],
            taken,
            nothing,
            thin=True,
        ),
        ShareCurve(
            "mean of the others",
            dash,
            symbol,
            colour,
            places,
            [one.others for one in reached],
            [],
            others,
            nothing,
            thin=True,
        ),
    ]


def units_table(bench: Bench, choice: Choice, best: Reached) -> list[dict[str, Any]]:
    """The units that can go, the least relevant of each layer first."""
    heading = _heading(bench, choice)
    rows = units_of(bench.plan, choice.name, choice.layers or "inner", choice.value, best)
    return [{**heading, **row} for row in rows]


def table(bench: Bench, choice: Choice, steps: Sequence[Reached]) -> list[dict[str, Any]]:
    """The curve as flat records."""
    return [{**_heading(bench, choice), **row} for row in curve(steps)]


def _heading(bench: Bench, choice: Choice) -> dict[str, Any]:
    return {
        "network": bench.case.network,
        "evidence": bench.plan.network.evidence,
        "dataset": bench.case.dataset,
        "class": choice.name,
        "value": choice.value,
    }
