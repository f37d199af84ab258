"""The report on the network whose units are browsed: a dialog, filled when it is opened."""

from __future__ import annotations

import streamlit as st

from interpret_core.errors import UnitscopeError
from ui.access.told import told
from ui.components.examination import examination_report
from ui.session.networks import examinations
from ui.shell.plain import plain


def button(network: str) -> None:
    """The way to the report."""
    asked = st.sidebar.button(
        "What is shown of this network →",
        key="examine",
        type="tertiary",
        help="Its layers with their ranges, what its outputs mean, and what is not shown and why. The first "
        "time, the network is loaded and run on three test images.",
    )
    if asked:
        _dialog(network)


@st.dialog("What is shown of this network", width="large")
def _dialog(network: str) -> None:
    try:
        found = examinations.kept(network)
        if found is None:
            with st.spinner("Loading and examining the network …", show_time=True):
                found = examinations.made(network)
    except UnitscopeError as error:
        st.error(plain(told(error)))
        return
    examination_report(found)
