"""The untrained controls beside the counts: what a network's units respond to before its training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

import streamlit as st

from interpret_core.errors import UnitscopeError
from interpret_core.networks.untrained import untrained_control
from ui.access.told import told
from ui.jobs import profile
from ui.session import results, work
from ui.session.layers import Layers
from ui.session.view import Views
from ui.shell.plain import plain
from ui.shell.sidebar import Ask

WHY = (
    "Units with random weights answer to colours and edges too. How many of a layer's detectors are colours "
    "means most beside the same count before training."
)


def profiles(asked: Iterable[Ask]) -> dict[str, Layers]:
    """By the network's name its untrained control's layers, where they are profiled; none is loaded."""
    found = {}
    for ask in asked:
        name = untrained_control(ask.network)
        layers = _layers(ask._replace(network=name)) if name else None
        if layers:
            found[ask.network] = layers
    return found


def ends(controls: Mapping[str, Layers], cutoff: float) -> dict[str, Views]:
    """The first and the last layer of each control whose units are assessed: no others are loaded."""
    found: dict[str, Views] = {}
    for network, layers in controls.items():
        if layers.assessed:
            every = list(layers)
            # What turns out to be damaged is set aside, and offered when the page runs again.
            with suppress(UnitscopeError):
                found[network] = {name: layers[name].at(cutoff) for name in (every[0], every[-1])}
    return found


def offers(ask: Ask, controls: Mapping[str, Layers]) -> None:
    """Where the network's own control is not assessed: why it is wanted, and the button or its progress."""
    name = untrained_control(ask.network)
    there = controls.get(ask.network)
    if name is None or (there is not None and there.assessed):
        return
    control = ask._replace(network=name)
    try:
        job = work.job(control.request())
        busy = job is not None and job.active
        if there is None:
            state = "being profiled" if busy else "not profiled yet"
        else:
            state = "being weighed" if busy else "not weighed yet"
        with st.expander(f"The untrained control of {plain(ask.network)}, {state}", expanded=busy):
            st.markdown(WHY)
            if there is None:
                profile.pending(control)
            else:
                profile.complete(control, there)
    except UnitscopeError as error:
        st.error(plain(told(error)))


def _layers(ask: Ask) -> Layers | None:
    try:
        return results.layers(ask)
    except UnitscopeError:
        return None
