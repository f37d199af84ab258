"""Ablation: silence units, and see at once what the network can no longer do."""

from __future__ import annotations

import streamlit as st

from interpret_core.analyses.ablation.ranking import NotRanked
from interpret_core.errors import ChangedFileError, UnitscopeError
from interpret_core.measures.ablation.settings import IOU, RELEVANCE
from ui import (
    ablation,
    ablation_choice,
    ablation_controls,
    ablation_live,
    ablation_parts,
    ablation_status,
    goto,
    results,
    state,
    status,
    widgets,
)
from ui.ablations import Bench, Case
from ui.plain import plain
from ui.results import Ask


def main() -> None:
    """Draw the page."""
    st.title("Ablation")
    ask = st.session_state["ask"]
    if ask is None:
        status.no_dataset()
        return
    case = Case(ask.network, ask.dataset, ablation_controls.split_box())
    bench = ablation_status.bench(case)
    widgets.show_notices("page")
    if bench is not None:
        body(ask, bench)


@st.fragment
def body(ask: Ask, bench: Bench) -> None:
    """Sliders and what they change rerun together and alone; each run takes one step of what is estimated."""
    goto.refresh_menu()
    by_iou = state.parameter("by") == IOU
    concepts = ablation.names_of(results.layers(ask) or {}) if by_iou else ()
    choice = ablation_choice.read(bench.plan, concepts)
    ablation_controls.note(bench.identity)
    head = st.container()
    left, right = st.columns([3, 7], gap="medium")
    with left, st.container(key="ablation_controls", border=True):
        choice = ablation_controls.controls(bench, choice, concepts)
    with right:
        now = measured(bench, choice)
        if now is not None:
            ablation.costs(bench, now)
            with head:
                ablation.heading(bench, now)
    more = now is not None and not now.runs.complete
    more |= ablation_parts.parts(bench, choice)
    with head:
        widgets.show_notices("body")
    state.keep("ablation", (*ablation_choice.SETTING, *ablation.PARAMETERS))
    ablation_live.carry_on("ablation", more=more)


def measured(bench: Bench, choice: ablation_choice.Choice) -> ablation.Found | None:
    """What is known of the setting; None after a line that says what is missing."""
    if choice.by == IOU and not choice.concept:
        st.info("**Nothing ranks by IoU yet:** the network has not been profiled on this data set.")
        status.pending(Ask(bench.case.network, bench.case.dataset))
        return None
    try:
        return ablation.found(bench, choice)
    except NotRanked as missing:
        st.info(f"**{plain(missing)}** Random and hand-picked units need no ranking.")
        if missing.missing == RELEVANCE:
            ablation_status.alone(bench, missing.name)
        ablation_status.ranking(bench.case)
    except ChangedFileError as error:
        results.look_again(bench.case.dataset)
        st.error(plain(error))
    except UnitscopeError as error:
        st.error(plain(error))
    return None


main()
