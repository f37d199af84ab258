"""The untrained control beside Table I: how far an untrained network agrees, which chance does not tell."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from interpret_core.errors import UnitscopeError
from interpret_core.networks.untrained import untrained_control
from ui.access.told import told
from ui.jobs import profile
from ui.jobs.relevance import pending
from ui.session import relevances, results, work
from ui.session.relevances import Found, Wanted
from ui.session.view import Views
from ui.shell.plain import plain
from ui.shell.sidebar import Ask

NONE = (
    "{} has no untrained control here: its architecture is only known with its weights. An untrained network "
    "often agrees better than chance, so the distance to chance alone is not what training has added."
)
WHY = (
    "The same network before its training: a unit that is active on an object has both overlap and relevance "
    "there, whatever it has learned, so an untrained network often agrees better than chance. What training "
    "adds is the distance to this row."
)


class UntrainedControl(NamedTuple):
    """The untrained control of a network on a data set, and what is there of it.

    Attributes:
        ask, wanted: whose profile and relevance.
        views: its layers; empty while they are not profiled.
        found: its relevance of the classes that the network itself has.
        missing: of those classes, the ones that are not computed, or all while nobody can say.
    """

    ask: Ask
    wanted: Wanted
    views: Views
    found: Found
    missing: bool

    @property
    def ready(self) -> bool:
        """Whether its row can be drawn."""
        return bool(self.views) and not self.missing


def find(ask: Ask, wanted: Wanted, own: Found) -> UntrainedControl | None:
    """The untrained control of the network in `ask`; None where there is none.

    Args:
        ask: of the network itself.
        wanted: of the network itself.
        own: the relevance of the network itself; the control is compared on the same classes.

    Raises:
        UnitscopeError: the data set cannot be opened, or a stored result cannot be read.
    """
    name = untrained_control(ask.network)
    if name is None:
        return None
    asked, wants = ask._replace(network=name), wanted._replace(network=name)
    views, there = dict(results.layers(asked) or {}), relevances.find(wants)
    records = {one: there.records[one] for one in own.records if one in there.records}
    missing = len(records) < len(own.records)
    return UntrainedControl(asked, wants, views, there._replace(records=records), missing)


def offer(title: str, control: UntrainedControl | None) -> None:
    """Where there is no row: why it is wanted, what it costs, and the buttons, or the jobs' progress.

    Args:
        title: of the network itself.
        control: without its row; None where there is none.
    """
    if control is None:
        st.caption(NONE.format(plain(title)))
        return
    try:
        jobs = (work.job(control.ask.request()), work.job(control.wanted.request()))
    except UnitscopeError as error:
        st.error(plain(told(error)))
        return
    busy = [job for job in jobs if job and job.active]
    at_work = any(job.state == "running" for job in busy)
    state = "being computed" if at_work else "waiting to be computed" if busy else "not computed yet"
    with st.expander(f"The untrained control of {plain(title)}, {state}", expanded=bool(busy)):
        st.markdown(WHY)
        if not control.views:
            profile.pending(control.ask)
        if control.missing:
            pending(control.wanted, control.found)
