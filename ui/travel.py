"""Going to another page from a callback: after a click on a point, which no link can stand for."""

from __future__ import annotations

import streamlit as st

from ui import addresses, state
from ui.theme import asset

_TO = "_travel_to"
_component = st.components.v2.component(
    "unitscope_travel", html="<i hidden></i>", js=asset("travel.js") + asset("travel_on.js")
)


def to_unit(**parameters: str | int) -> None:
    """Ask for the unit's page; the next run of the page's script leads there (see `here`)."""
    count = st.session_state.get(_TO, ("", 0))[1]
    entry = state.entry(str(parameters.get("network", "")))
    st.session_state[_TO] = (addresses.page("units", **{**entry, **parameters}), count + 1)


def here() -> None:
    """Draw what leads on; once on every page that calls `to_unit`."""
    href, token = st.session_state.get(_TO, ("", 0))
    st.session_state[_TO] = ("", token)
    _component(key="travel", data={"href": href, "token": token})
