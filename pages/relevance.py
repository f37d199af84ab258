"""Relevance: for which classes a network's layers and units matter, and where in the images."""

from __future__ import annotations

import streamlit as st

from ui.components.relevance_settings import relevance_settings
from ui.jobs import beside
from ui.jobs import relevance as relevance_status
from ui.relevance import heat_maps, tables
from ui.relevance.cell import cell
from ui.session.memory import part
from ui.session.relevances import Found, Wanted
from ui.shell import notices, state
from ui.shell.sidebar import Ask


def main() -> None:
    """Draw the page."""
    st.title("Relevance")
    ask = st.session_state["ask"]
    wanted = relevance_settings.wanted(ask) if ask else None
    found = relevance_status.ready(ask, wanted)
    if ask is None or wanted is None:
        return
    heat_maps.heading(found, wanted)
    heat_maps.warnings(found)
    relevance_status.rest(wanted, found)
    others = beside.relevances(wanted)
    notices.show("page")
    body(ask, wanted, {ask.network: found, **others})
    tables.mapping(found, wanted)
    tables.flagged(found, wanted)


@part
def body(ask: Ask, wanted: Wanted, networks: dict[str, Found]) -> None:
    """Heat maps and the chosen cell rerun together and alone: a click costs neither sidebar nor tables."""
    head = st.container()
    picked = heat_maps.maps(networks)
    if picked is None:
        st.caption("Click a cell: the layer's units ranked for the class, and its images with their maps.")
    else:
        cell(ask, wanted, picked, networks[picked.network])
    with head:
        notices.show("body")
    state.keep("relevance", (*relevance_settings.PARAMETERS, *heat_maps.PARAMETERS))


main()
