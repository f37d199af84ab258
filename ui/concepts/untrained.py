"""The untrained controls beside the counts: what a network's units respond to before its training."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from interpret_core.errors import UnitscopeError
from interpret_core.networks.untrained import untrained_control
from ui.jobs import profile
from ui.session import results, work
from ui.session.view import Views
from ui.shell.plain import plain
from ui.shell.sidebar import Ask

WHY = (
    "Units with random weights answer to colours and edges too. How many of a layer's detectors are colours "
    "means most beside the same count before training."
)


def profiles(asked: Iterable[Ask]) -> dict[str, Views]:
    """By the network's name its untrained control's layers, where they are profiled."""
    found = {}
    for ask in asked:
        name = untrained_control(ask.network)
        views = _layers(ask._replace(network=name)) if name else None
        if views:
            found[ask.network] = views
    return found


def offers(ask: Ask, controls: dict[str, Views]) -> None:
    """Where the network's own control is not profiled: why it is wanted, and the button or its progress."""
    name = untrained_control(ask.network)
    if name is None or ask.network in controls:
        return
    control = ask._replace(network=name)
    try:
        job = work.job(control.request())
    except UnitscopeError as error:
        st.error(plain(error))
        return
    busy = job is not None and job.active
    state = "being profiled" if busy else "not profiled yet"
    with st.expander(f"The untrained control of {plain(ask.network)}, {state}", expanded=busy):
        st.markdown(WHY)
        profile.pending(control)


def _layers(ask: Ask) -> Views | None:
    try:
        found = results.layers(ask)
    except UnitscopeError:
        return None
    return dict(found) if found else None
