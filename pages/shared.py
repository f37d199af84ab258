"""Shared units: how far classes rely on the same units, and which units serve many of them."""

from __future__ import annotations

import streamlit as st

from ui.agreement.parts import top_slider
from ui.components.relevance_settings import relevance_settings
from ui.jobs import relevance as relevance_status
from ui.session.memory import part
from ui.session.relevances import Found
from ui.shared_units import parts
from ui.shared_units.rows import Told, facts_sentence
from ui.shell import notices, state
from ui.shell.how import how
from ui.shell.plain import plain
from ui.shell.sidebar import Ask


def main() -> None:
    """Draw the page."""
    st.title("Shared units")
    ask = st.session_state["ask"]
    wanted = relevance_settings.wanted(ask) if ask else None
    found = relevance_status.ready(ask, wanted)
    if ask is None or wanted is None:
        return
    notices.show("page")
    if len(found.records) < 2:
        st.info("Two classes or more must be computed before their units can be compared.")
    else:
        body(ask, found)
    relevance_status.rest(wanted, found)


@part
def body(ask: Ask, found: Found) -> None:
    """Everything that follows the slider while it is dragged, and the pair that is chosen."""
    head = st.container()  # the sentence stands above the slider and follows it
    top, _ = top_slider()
    now = parts.sets(found, top)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        parts.scope_box(now)
        how("shared")
    title = plain(now.metadata["network"]["title"] or ask.network)
    told = Told(title, top, now.scope)
    head.markdown(facts_sentence(now.shared, now.layers, told))
    left, right = st.columns([5, 6], gap="medium")
    with left:
        pair = parts.overlaps(now)
        parts.counts(now)
    with right:
        parts.hubs(ask, now, pair)
    with head:
        notices.show("body")
    state.keep("shared", (*relevance_settings.PARAMETERS, *parts.PARAMETERS))


main()
