"""Ways between the pages: links, so that the browser itself goes there.

A switch from a script (`st.switch_page`) writes the new parameters below the old page first and so leaves a
second entry in the browser's history; a link leaves one. It carries the whole view, also into another tab.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.shell import state
from ui.shell.addresses import base, page
from ui.shell.component import Component
from ui.shell.site import PAGES, address

UNITS, CONCEPTS = "pages/units.py", "pages/concepts.py"
RELEVANCE, AGREEMENT, SHARED = "pages/relevance.py", "pages/agreement.py", "pages/shared.py"
ABLATION, JOBS = "pages/ablation.py", "pages/jobs.py"
NETWORKS, DATASETS = "pages/networks.py", "pages/datasets.py"
_TO = "_travel_to"
_travel = Component("shell/travel_on", "components/common/travel.js")
_menu = Component(
    "shell/menu", *(f"components/common/{one}.js" for one in ("travel", "focus", "reconnection"))
)


def link(label: str, script: str = UNITS, **parameters: str | int) -> None:
    """A link to a page; network, data set and rules are the present ones unless the parameters differ.

    Args:
        label: Markdown; names from data pass through `plain` first.
        script: path of the page's.
        parameters: what the page reads; an empty one is left out.
    """
    network = str(parameters.get("network", ""))
    wanted = {**state.entry(network), **{name: str(value) for name, value in parameters.items()}}
    st.page_link(script, label=label, query_params={name: value for name, value in wanted.items() if value})


def to(name: str, **parameters: str | int) -> str:
    """The address that `link` would lead to, for links inside components.

    Args:
        name: of the page in addresses.
        parameters: as for `link`.
    """
    return page(name, **{**state.entry(str(parameters.get("network", ""))), **parameters})


def menu(current: str) -> None:
    """The pages, each with the view it was left with; Streamlit's own menu would drop it.

    One component in place of an element per page: each element costs, also where it did not change.

    Args:
        current: address of the page that is shown.
    """
    pages = [{"title": one.title, "path": address(one), "view": state.last_view(one.script)} for one in PAGES]
    context = get_script_run_ctx()
    data = {
        "base": base(),
        "entry": state.ENTRY,
        "page": current,
        "pages": pages,
        "session": context.session_id if context else "",
    }
    _menu(key="menu", data=data)


def chosen(key: str) -> list[Any]:
    """Custom data of the points selected in a figure, empty when a selection was cleared."""
    event = st.session_state.get(key) or {}
    return [
        point.get("customdata")
        for point in event.get("selection", {}).get("points", [])
        if point.get("customdata")
    ]


def to_unit(**parameters: str | int) -> None:
    """Ask for the unit's page; the next run of the page's script leads there (see `follow`)."""
    count = st.session_state.get(_TO, ("", 0))[1]
    entry = state.entry(str(parameters.get("network", "")))
    st.session_state[_TO] = (page("units", **{**entry, **parameters}), count + 1)


def follow() -> None:
    """Draw what leads on; once on every page that calls `to_unit`."""
    href, token = st.session_state.get(_TO, ("", 0))
    st.session_state[_TO] = ("", token)
    _travel(key="travel", data={"href": href, "token": token})
