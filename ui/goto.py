"""From a figure to the units behind it.

A selection's callback cannot switch pages, and a bound widget ignores a query parameter that changes under
it: so a callback notes where to go and sets the widgets, and the next line of the script goes there.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui.state import ENTRY

_KEY = "_goto"
_ARRIVED = "_arrived"
UNITS = "pages/units.py"


def note(network: str, **parameters: str | int) -> None:
    """From a callback: the units of this network that these parameters select."""
    st.session_state["network"] = network
    st.session_state[_KEY] = {name: str(value) for name, value in parameters.items() if value != ""}


def follow() -> None:
    """Go where a callback pointed to; otherwise nothing."""
    wanted: dict[str, str] | None = st.session_state.pop(_KEY, None)
    if wanted is not None:
        st.session_state[_ARRIVED] = True
        st.switch_page(UNITS, query_params=wanted)


def arrive() -> None:
    """Before the entry-point widgets: after a switch, have their values written into the address again.

    A switch with parameters clears those of bound widgets, and only a value that is set by the script brings
    them back.
    """
    if st.session_state.pop(_ARRIVED, False):
        for name in ENTRY:
            if st.session_state.get(name) is not None:
                st.session_state[name] = st.session_state[name]


def chosen(key: str) -> list[Any]:
    """Custom data of the points selected in a figure, empty when a selection was cleared."""
    event = st.session_state.get(key) or {}
    return [
        point.get("customdata")
        for point in event.get("selection", {}).get("points", [])
        if point.get("customdata")
    ]
