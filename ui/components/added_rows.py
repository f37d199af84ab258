"""What was added on a page and what was removed, with a way back; what whoever has added one is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from interpret_core.errors import UnitscopeError
from interpret_core.uploads.places import Removal
from ui.access.told import told
from ui.session.additions.acts import AdditionActs
from ui.shell import links, notices, state
from ui.shell.names import key_of
from ui.shell.plain import plain

KEPT = "It can be put back for a day; its results stay in the cache."


def added_rows(acts: AdditionActs, words: Mapping[str, str], selected: str, kept: str = KEPT) -> None:
    """Draw both lists.

    Args:
        acts: what can be done with them.
        words: name -> what it is, Markdown; of those that can be read.
        selected: the present one, which the address names.
        kept: what stays of one that is removed.
    """
    folder = acts.folder()
    broken, removed = folder.broken(), folder.removed()
    st.subheader("Added here")
    if not words and not broken:
        st.caption("None yet.")
    for name, said in (*words.items(), *((name, plain(why)) for name, why in broken.items())):
        _line(acts, name, said, kept, partial(_remove, acts, name, selected))
    for one in removed:
        _removed(acts, one)


def welcomed(key: str, label: Callable[[str], tuple[str, Mapping[str, str]]]) -> None:
    """Once after something was added: where to go on.

    Args:
        key: under which the session keeps its name, see `registered`.
        label: name -> the words of the link, Markdown, and its parameters.
    """
    name = st.session_state.pop(key, None)
    if name is None:
        return
    words, parameters = label(name)
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="welcome_added"):
        st.markdown(f"**{plain(name)}** is registered: it is in the sidebar’s list.", width="content")
        links.link(words, **parameters)


def registered(acts: AdditionActs, name: str, register: Callable[[str], None], key: str) -> bool:
    """The button that makes it known; whether it was pressed and the name is known now.

    Args:
        acts: what can be done with such ones.
        name: that it shall have.
        register: does so.
        key: under which the session keeps the name for `welcomed`.
    """
    unusable = acts.unusable(name)
    label = f"Register as “{plain(name)}”" if not unusable else "Register"
    pressed = st.button(label, type="primary", disabled=bool(unusable), key="register")
    if unusable:
        st.caption(plain(unusable))
    if not pressed:
        return False
    try:
        register(name)
    except UnitscopeError as error:
        st.error(plain(told(error)))
        return False
    st.session_state[key] = name
    return True


def _line(acts: AdditionActs, name: str, words: str, kept: str, remove: Callable[[], None]) -> None:
    """One of them, what it is, and the way to remove it."""
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", border=True
    ):
        st.markdown(f"**{plain(name)}** · {words}", width="content")
        with st.container(horizontal=True, gap="small", width="content", vertical_alignment="center"):
            links.link("Units →", **{acts.kind: name})
            busy = acts.at_work(name)
            st.button(
                "Remove",
                key=key_of("remove", name),
                disabled=busy,
                help="A job needs it: cancel the job first." if busy else kept,
                on_click=remove,
            )


def _remove(acts: AdditionActs, name: str, selected: str) -> None:
    try:
        acts.remove(name)
    except UnitscopeError as error:
        notices.complain(plain(told(error)))
        return
    if name == selected:  # the address would name what is not there
        state.change(**{acts.kind: None})


def _removed(acts: AdditionActs, one: Removal) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{plain(one.name)} was removed; for a day it can be put back.", width="content")
        st.button(
            "Put back",
            key=key_of("put_back", one.place.name),
            type="tertiary",
            on_click=partial(_put_back, acts, one),
        )


def _put_back(acts: AdditionActs, one: Removal) -> None:
    try:
        acts.put_back(one)
    except UnitscopeError as error:
        notices.complain(plain(told(error)))
