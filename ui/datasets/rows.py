"""The data sets that were added here, and those that were removed, with a way back."""

from __future__ import annotations

import streamlit as st

from interpret_core import config
from interpret_core.errors import UnitscopeError
from interpret_core.uploads.datasets import AddedDataset
from interpret_core.uploads.places import Removal
from ui.access.told import told
from ui.session import results
from ui.session.datasets import added
from ui.shell import links, notices, state
from ui.shell.names import key_of
from ui.shell.plain import plain
from ui.shell.sidebar import Ask
from ui.shell.theme import count_text


def rows(ask: Ask | None) -> None:
    """Draw both lists."""
    folder = added.folder()
    tables, broken, removed = folder.tables(), folder.broken(), folder.removed()
    st.subheader("Added here")
    if not tables and not broken:
        st.caption("None yet.")
    for name, table in tables.items():
        _line(name, _words(name, table), ask)
    for name, why in broken.items():
        _line(name, plain(why), None)
    for one in removed:
        _removed(one)
    links.link("All data sets and their results →", links.JOBS)


def _line(name: str, words: str, ask: Ask | None) -> None:
    """One data set, what it is, and the way to remove it."""
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", border=True
    ):
        st.markdown(f"**{plain(name)}** · {words}", width="content")
        with st.container(horizontal=True, gap="small", width="content", vertical_alignment="center"):
            links.link("Units →", dataset=name)
            busy = added.at_work(name)
            st.button(
                "Remove",
                key=key_of("dataset_remove", name),
                disabled=busy,
                help="A job needs it: cancel the job first."
                if busy
                else "It can be put back for a day; its results stay in the cache. A folder on the server "
                "stays as it is.",
                on_click=_remove,
                args=(name, ask.dataset if ask else ""),
            )


def _words(name: str, table: AddedDataset) -> str:
    if config.current().datasets.get(name) != table.folder:
        return (
            "unitscope.toml or INTERPRET_DATASETS gives this name to another data set, which counts: rename "
            "that one, or remove this"
        )
    try:
        opened = results.dataset(name)
        concepts = len(opened.concepts().concepts) if opened.annotated else 0
    except UnitscopeError as error:
        return plain(told(error))
    classes = "classes, " if opened.classes_table is not None else ""
    what = count_text(concepts, "concept") if concepts else f"{classes}no annotated pixels"
    return f"{count_text(len(opened), 'picture')} · {what} · from {plain(table.origin)}"


def _remove(name: str, selected: str) -> None:
    try:
        added.remove(name)
    except UnitscopeError as error:
        notices.complain(plain(told(error)))
        return
    if name == selected:  # the address would name what is not there
        state.change(dataset=None)


def _removed(one: Removal) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{plain(one.name)} was removed; for a day it can be put back.", width="content")
        st.button(
            "Put back",
            key=key_of("dataset_put_back", one.place.name),
            type="tertiary",
            on_click=_put_back,
            args=(one,),
        )


def _put_back(one: Removal) -> None:
    try:
        added.put_back(one)
    except UnitscopeError as error:
        notices.complain(plain(told(error)))
