"""Ablation: silence units, and see at once what the network can no longer do."""

from __future__ import annotations

import streamlit as st

from interpret_core.analyses.ablation.ranking import NotRanked
from interpret_core.errors import ChangedFileError, UnitscopeError
from interpret_core.measures.ablation.settings import IOU, RELEVANCE
from ui.ablation import controls, losses, offers, sliders
from ui.ablation import (
    parts as ablation_parts,
)
from ui.ablation import (
    steps as ablation_live,
)
from ui.access.told import told
from ui.access.visitors import NotAllowedError
from ui.jobs import profile
from ui.jobs.own import no_dataset
from ui.session import results
from ui.session.ablations import Bench, Case
from ui.session.live.queue import Busy
from ui.session.memory import part
from ui.shell import notices, state
from ui.shell.plain import plain
from ui.shell.sidebar import Ask


def main() -> None:
    """Draw the page."""
    st.title("Ablation")
    ask = st.session_state["ask"]
    if ask is None:
        no_dataset()
        return
    body(ask, Case(ask.network, ask.dataset, controls.split_box()))


@part
def body(ask: Ask, case: Case) -> None:
    """Sliders and what they change rerun together and alone; each run takes one step of what is estimated.

    It asks for the bench itself: what a part of an open page is given stays in memory.
    """
    try:
        bench = offers.bench(case)
    except Busy as busy:
        st.info(f"**{plain(busy)}** This page loads its network as soon as that is done.")
        ablation_live.carry_on("ablation", more=True, first=True)
        return
    notices.show("page")
    if bench is not None:
        drawn(ask, bench)


def drawn(ask: Ask, bench: Bench) -> None:
    """The page of a bench."""
    by_iou = state.parameter("by") == IOU
    concepts = losses.names_of(results.layers(ask) or {}) if by_iou else ()
    choice = sliders.read(bench.plan, concepts)
    controls.note(bench.identity)
    head = st.container()
    left, right = st.columns([3, 7], gap="medium")
    slider = right.container()
    with left, st.container(key="ablation_controls", border=True):
        choice = controls.controls(bench, choice, concepts, slider)
    with right:
        now, waits = measured(bench, choice)
        if now is not None:
            losses.costs(bench, now, steps=controls.precomputed(bench, choice))
            with head:
                losses.heading(bench, now)
    more = waits or (now is not None and not now.runs.complete)
    more |= ablation_parts.parts(bench, choice)
    with head:
        notices.show("body")
    state.keep("ablation", (*sliders.SETTING, *losses.PARAMETERS))
    first = now is not None and (now.runs.steps == 1 or bool(now.runs.waits))
    ablation_live.carry_on("ablation", more=more, first=waits or first)


def measured(bench: Bench, choice: sliders.Choice) -> tuple[losses.Found | None, bool]:
    """What is known of the setting, None after a line that says why not; whether others come first."""
    if choice.by == IOU and not choice.concept:
        st.info("**Nothing ranks by IoU yet:** the network has not been profiled on this data set.")
        profile.pending(Ask(bench.case.network, bench.case.dataset))
        return None, False
    try:
        return losses.found(bench, choice), False
    except Busy as busy:
        st.info(plain(busy))
        return None, True
    except NotAllowedError as error:
        st.info(plain(told(error)))
        return None, False
    except NotRanked as error:
        st.info(f"**{plain(told(error))}** Random and hand-picked units need no ranking.")
        if error.missing == RELEVANCE:
            offers.alone(bench, error.name)
        offers.ranking(bench.case)
    except ChangedFileError as error:
        results.look_again(bench.case.dataset)
        st.error(plain(told(error)))
    except UnitscopeError as error:
        st.error(plain(told(error)))
    return None, False


main()
