"""Concept distribution: what a network's detectors detect, layer by layer, beside other networks."""

from __future__ import annotations

import streamlit as st

from ui import comparison, concepts, linked, state, status, widgets
from ui.concept_table import concept_section
from ui.concepts import Views
from ui.results import Ask
from ui.texts import fine_print


def main() -> None:
    """Draw the page."""
    st.title("Concepts")
    ask = st.session_state["ask"]
    views = dict(status.ready(ask))  # all of them, once: the fragment below keeps them while it is dragged
    others = comparison.pick_others(ask)
    widgets.show_notices("page")
    body(ask, views, others)


@st.fragment
def body(ask: Ask, views: Views, others: dict[str, Views]) -> None:
    """Everything that follows the cut-off while it is dragged, and the concept that is chosen."""
    head = st.container()  # the sentence stands above the slider and follows it
    cutoff = comparison.live_cutoff(ask)
    here = concepts.at(views, cutoff)
    head.markdown(concepts.facts_sentence(here))
    head.caption(fine_print(next(iter(here.values()))))
    networks = {ask.network: here, **{name: concepts.at(found, cutoff) for name, found in others.items()}}
    chosen = comparison.bars(networks)
    linked.section(networks, chosen)
    concept_section(here, chosen)
    left, right = st.columns(2, gap="medium")
    with left:
        comparison.sensitivity(here, cutoff)
    with right:
        comparison.quality(networks)
    with head:
        widgets.show_notices("body")
    state.keep("concepts", comparison.PARAMETERS)


main()
