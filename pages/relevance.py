"""Relevance: for which classes a network's layers and units matter, and where in the images."""

from __future__ import annotations

import streamlit as st

from ui import relevance, relevance_settings, relevance_status, state, widgets
from ui.relevance_cell import cell
from ui.relevances import Found, Wanted
from ui.results import Ask


def main() -> None:
    """Draw the page."""
    st.title("Relevance")
    ask = st.session_state["ask"]
    wanted = relevance_settings.wanted(ask) if ask else None
    found = relevance_status.ready(ask, wanted)
    if ask is None or wanted is None:
        return
    relevance.heading(found, wanted)
    relevance.warnings(found)
    relevance_status.rest(wanted, found)
    others = relevance_settings.others(ask, wanted)
    widgets.show_notices("page")
    body(ask, wanted, {ask.network: found, **others})
    relevance.mapping(found, wanted)
    relevance.flagged(found, wanted)


@st.fragment
def body(ask: Ask, wanted: Wanted, networks: dict[str, Found]) -> None:
    """Heat maps and the chosen cell rerun together and alone: a click costs neither sidebar nor tables."""
    head = st.container()
    picked = relevance.maps(networks)
    if picked is None:
        st.caption("Click a cell: the layer's units ranked for the class, and its images with their maps.")
    else:
        cell(ask, wanted, picked, networks[picked.network])
    with head:
        widgets.show_notices("body")
    state.keep("relevance", (*relevance_settings.PARAMETERS, *relevance.PARAMETERS))


main()
