"""Shared units: how far classes rely on the same units, and which units serve many of them."""

from __future__ import annotations

import streamlit as st

from ui import relevance_settings, relevance_status, shared, state, widgets
from ui.agreement import top_slider
from ui.plain import plain
from ui.relevances import Found
from ui.results import Ask
from ui.shared_rows import Told, facts_sentence


def main() -> None:
    """Draw the page."""
    st.title("Shared units")
    ask = st.session_state["ask"]
    wanted = relevance_settings.wanted(ask) if ask else None
    found = relevance_status.ready(ask, wanted)
    if ask is None or wanted is None:
        return
    widgets.show_notices("page")
    if len(found.records) < 2:
        st.info("Two classes or more must be computed before their units can be compared.")
    else:
        body(ask, found)
    relevance_status.rest(wanted, found)


@st.fragment
def body(ask: Ask, found: Found) -> None:
    """Everything that follows the slider while it is dragged, and the pair that is chosen."""
    head = st.container()  # the sentence stands above the slider and follows it
    top, _ = top_slider()
    now = shared.sets(found, top)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        shared.scope_box(now)
        widgets.how("shared")
    title = plain(now.metadata["network"]["title"] or ask.network)
    told = Told(title, top, now.scope)
    head.markdown(facts_sentence(now.shared, now.layers, told))
    left, right = st.columns([5, 6], gap="medium")
    with left:
        pair = shared.overlaps(now)
        shared.counts(now)
    with right:
        shared.hubs(ask, now, pair)
    with head:
        widgets.show_notices("body")
    state.keep("shared", (*relevance_settings.PARAMETERS, *shared.PARAMETERS))


main()
