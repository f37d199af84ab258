"""What is cleared at the press of a button, and the way back for a day."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import streamlit as st

from interpret_core.errors import UnitscopeError
from interpret_core.sizes import written
from interpret_core.store.trash import DAY, Cleared
from ui.access.told import told
from ui.inventory import words
from ui.jobs.words import duration
from ui.session.inventory import cache
from ui.session.inventory.cache import Undo
from ui.shell import notices
from ui.shell.names import key_of
from ui.shell.plain import plain
from ui.shell.theme import count_text


def button(label: str, key: str, act: Callable[[], Cleared]) -> None:
    """Draw a button that clears something."""
    st.button(
        label,
        key=key,
        on_click=_done,
        args=(act,),
        help="They can be brought back for a day. What comes with Unitscope comes back by itself.",
    )


def undone() -> None:
    """What was cleared within a day, each with its way back; what could not be done is said here as well."""
    notices.show("cleared")
    try:
        found = cache.undos()
    except UnitscopeError as error:
        st.caption(plain(told(error)))
        return
    for one in found:
        _line(one)


def _line(one: Undo) -> None:
    cleared = one.cleared
    by = f" by {one.by}" if one.by else ""
    left = duration(max(0.0, cleared.when + DAY - time.time()))
    text = (
        f"Cleared {words.ago(cleared.when)}{by}: {one.what} ({count_text(cleared.entries, 'record')}). They "
        f"still take {written(cleared.bytes)}, and go for good in {left}."
    )
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=key_of("cleared", cleared.batch)
    ):
        st.caption(plain(text), width="content")
        for label, key, act in (
            ("Bring back", key_of("undo_cleared", cleared.batch), partial(cache.undo, cleared.batch)),
            (
                "Delete for good",
                key_of("delete_cleared", cleared.batch),
                partial(cache.delete_for_good, cleared.batch),
            ),
        ):
            st.button(label, key=key, type="tertiary", on_click=_done, args=(act,))


def _done(act: Callable[[], object]) -> None:
    try:
        act()
    except UnitscopeError as error:
        notices.complain(plain(told(error)), "cleared")
