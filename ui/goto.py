"""From a figure to the units behind it.

A selection's callback cannot switch pages, and a bound widget ignores a query parameter that changes under
it: so a callback notes where to go and sets the widgets, and the next line of the script goes there.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

_KEY = "_goto"
UNITS = "pages/units.py"


def note(network: str, **parameters: str | int) -> None:
    """From a callback: the units of this network that these parameters select."""
    st.session_state["network"] = network
    st.session_state[_KEY] = {name: str(value) for name, value in parameters.items() if value != ""}


def follow() -> None:
    """Go where a callback pointed to; otherwise nothing."""
    wanted: dict[str, str] | None = st.session_state.pop(_KEY, None)
    if wanted is not None:
        st.switch_page(UNITS, query_params=wanted)


def chosen(key: str) -> list[Any]:
    """Custom data of the points selected in a figure, empty when a selection was cleared."""
    event = st.session_state.get(key) or {}
    return [
        point.get("customdata")
        for point in event.get("selection", {}).get("points", [])
        if point.get("customdata")
    ]
