"""Networks beside the page's own; one without a result offers to compute it."""

from __future__ import annotations

import streamlit as st

from interpret_core.errors import UnitscopeError
from ui.access.told import told
from ui.components.compared.compared import chosen
from ui.jobs import profile, relevance
from ui.session import results
from ui.session.relevances import Found, Wanted
from ui.session.view import Views
from ui.shell.plain import plain
from ui.shell.sidebar import Ask


def profiles(ask: Ask) -> dict[str, Views]:
    """The layers of up to two more networks."""
    found: dict[str, Views] = {}
    for name in chosen(ask.network):
        other = ask._replace(network=name)
        try:
            with st.spinner(f"Loading {plain(name)} …"):
                views = dict(results.layers(other) or {})
        except UnitscopeError as error:
            st.error(plain(told(error)))
            continue
        if views:
            found[name] = views
        else:
            with st.container(border=True):
                profile.pending(other)
    return found


def relevances(own: Wanted) -> dict[str, Found]:
    """The relevance of up to two more networks, under the same settings."""
    found: dict[str, Found] = {}
    for name in chosen(own.network):
        one = own._replace(network=name)
        there = relevance.find(one)
        if there is None:
            continue
        if there.records:
            found[name] = there
        if there.missing or not there.records:
            with st.container(border=True):
                relevance.pending(one, there)
    return found
