"""Friendly lines about what could not be followed: each stays on the page until its reader moves on.

A page puts right what the address asks for in vain, and runs again by itself for many reasons: a job's
progress, the next step of an estimate. A line that was only shown once would be gone before it is read.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui.shell.addresses import parameters

_STATE, _PAGE = "_notices", "_notices_page"


def enter(page: str) -> None:
    """Say which page is drawn; lines of another one are of the past. Once per run, before anything else."""
    st.session_state[_PAGE] = page
    look()


def page() -> str:
    """The page that is drawn, by its address; empty for Home, and outside a session."""
    return str(st.session_state.get(_PAGE, ""))


def look() -> None:
    """Forget the lines of an address that is no longer there."""
    _kept()


def complain(line: str, place: str = "") -> None:
    """Queue a line (Markdown), unless it stands on the page already.

    Args:
        line: one sentence.
        place: where alone it belongs; otherwise the next place shows it.
    """
    kept = _kept()
    if line not in kept["new"] and not any(line in lines for lines in kept["shown"].values()):
        kept["new"][line] = place


def shown(place: str) -> list[str]:
    """The lines to draw at a place of the page: those it has, and those queued since the last place."""
    kept = _kept()
    lines: list[str] = kept["shown"].setdefault(place, [])
    for line, where in list(kept["new"].items()):
        if where in ("", place):
            lines.append(line)
            del kept["new"][line]
    return list(lines)


def show(place: str) -> None:
    """Draw the lines of a place.

    Args:
        place: on the page; a fragment has one of its own, since it is drawn again without the rest.
    """
    for line in shown(place):
        st.warning(line)


def put_right() -> None:
    """The page itself has changed its address: that is no reason to take the lines away."""
    kept: dict[str, Any] | None = st.session_state.get(_STATE)
    if kept is not None:
        kept["at"] = _address()


def _kept() -> dict[str, Any]:
    """The session's lines; none are left once the address is another one."""
    now = _address()
    kept: dict[str, Any] = st.session_state.setdefault(_STATE, {"at": now, "new": {}, "shown": {}})
    if kept["at"] != now:
        kept.update(at=now, shown={})
    return kept


def _address() -> tuple[object, ...]:
    query = sorted((name, tuple(values)) for name, values in parameters().items())
    return st.session_state.get(_PAGE, ""), tuple(query)
