"""Ways between the pages: links, so that the browser itself goes there.

A switch from a script (`st.switch_page`) writes the new parameters below the old page first and so leaves a
second entry in the browser's history; a link leaves one. It carries the whole view, also into another tab.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui import state
from ui.theme import asset

UNITS, CONCEPTS = "pages/units.py", "pages/concepts.py"
RELEVANCE, AGREEMENT, SHARED = "pages/relevance.py", "pages/agreement.py", "pages/shared.py"
ABLATION = "pages/ablation.py"
_DRAWN = "_menu_silence"
_menu = st.components.v2.component("unitscope_menu", html="<i hidden></i>", js=asset("menu.js"))
_keys = st.components.v2.component("unitscope_keys", html="<i hidden></i>", js=asset("keys.js"))


def link(label: str, page: str = UNITS, **parameters: str | int) -> None:
    """A link to a page; network, data set and rules are the present ones unless the parameters differ.

    Args:
        label: Markdown; names from data pass through `plain` first.
        page: path of its script.
        parameters: what the page reads; an empty one is left out.
    """
    network = str(parameters.get("network", ""))
    wanted = {**state.entry(network), **{name: str(value) for name, value in parameters.items()}}
    st.page_link(page, label=label, query_params={name: value for name, value in wanted.items() if value})


def menu(pages: Sequence[Any], current: Any) -> None:
    """The pages, each with the view it was left with; Streamlit's own menu would drop it.

    Args:
        pages: as `st.Page` made them.
        current: the one shown.
    """
    with st.container(key="menu", gap=None):
        for page in pages:
            here = page.url_path == current.url_path
            view = {} if here else {**state.entry(), **state.last_view(page.url_path)}
            st.page_link(page, label=page.title, query_params=view, disabled=here)
        _menu(key="menu_closes", data={"page": current.url_path})
        _keys(key="keys")
    st.session_state[_DRAWN] = state.parameter("silence")


def refresh_menu() -> None:
    """Draw the menu anew where its links would drop units that have been picked by hand since.

    A fragment reruns without the menu; call this at its start.
    """
    now = state.parameter("silence")
    if st.session_state.get(_DRAWN, "") != now:
        st.session_state[_DRAWN] = now
        st.rerun()


def chosen(key: str) -> list[Any]:
    """Custom data of the points selected in a figure, empty when a selection was cleared."""
    event = st.session_state.get(key) or {}
    return [
        point.get("customdata")
        for point in event.get("selection", {}).get("points", [])
        if point.get("customdata")
    ]
