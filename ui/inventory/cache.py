"""The cache: what it takes by kind and what is free, clearing it, and whether all in it is sound."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from interpret_core.errors import UnitscopeError
from interpret_core.sizes import written
from interpret_core.store.kinds import kind_of
from interpret_core.store.trash import Cleared
from ui.access import visitors
from ui.access.roles import Role
from ui.access.told import told
from ui.components.table.table import Cell, Column, rows_of, table
from ui.inventory import selection, undo, words
from ui.session import memory
from ui.session.inventory import cache, disk, upkeep
from ui.session.inventory.cache import KindUsage
from ui.session.inventory.upkeep import CheckState
from ui.shell import notices, state
from ui.shell.names import key_of
from ui.shell.plain import plain
from ui.shell.theme import count_text

POLL = 1.0  # seconds


def section() -> None:
    """What there is, and what operators can do about it."""
    try:
        found = cache.usage()
    except UnitscopeError as error:
        st.error(plain(told(error)))
        return
    _disk(found)
    undo.undone()
    if found:
        _kinds(found)
    else:
        st.caption("Nothing is stored yet: the first computation begins to fill it.")
    st.subheader("Is all of it sound?")
    st.markdown(
        "A check reads every entry and compares it with its checksum. What is damaged, or left over from a "
        "crash, is deleted and computed again when somebody asks; a damaged index is made anew. Results can "
        "be looked at, and computations go on, meanwhile."
    )
    try:
        running = _running()
        memory.part(partial(_check, running), every=POLL if running else None)()
    except UnitscopeError as error:
        st.error(plain(told(error)))


def _disk(found: Sequence[KindUsage]) -> None:
    stored = written(sum(one.bytes for one in found))
    room = disk.room()
    if room is None:
        st.markdown(f"Results take **{stored}**.")
        return
    used = 1 - room.free / room.total if room.total else 1.0
    st.progress(
        min(max(used, 0.0), 1.0),
        text=f"Results take **{stored}**; **{written(room.free)}** of {written(room.total)} are free on "
        f"their disk, which is {used:.0%} full.",
    )
    if room.low:
        st.caption(
            "There is little room left. Clear what is least needed below, delete for good what was cleared, "
            "or give the cache a larger disk (INTERPRET_CACHE)."
        )


def _kinds(found: Sequence[KindUsage]) -> None:
    most = max(1, *(one.bytes for one in found))
    columns = [
        Column("What", share=3, named=False),
        Column("Kind", "The first word of its keys", share=1.2, narrow=False),
        Column("Entries", share=1, number=True),
        Column("Size", share=2, number=True),
    ]
    rows: list[list[str | Cell]] = [
        [
            kind_of(one.kind).words,
            one.kind,
            Cell(f"{one.entries:,}", one.entries),
            Cell(_short(one.bytes), one.bytes, one.bytes / most),
        ]
        for one in found
    ]
    kinds = [one.kind for one in found]
    place = selection.place_of("kind", kinds)
    operator = visitors.may(Role.OPERATOR)
    table(
        rows_of(columns, rows),
        "kinds_here",
        "What the cache holds by kind" + ("; a row that is pressed can be cleared below" if operator else ""),
        chosen=place,
        on_pick=partial(selection.pick, "kind", kinds) if operator else None,
        height=560,
    )
    if not operator:
        return
    if place < 0:
        st.caption(
            "Press a row to clear what is of its kind; all results of one network, or on one data set, are "
            "cleared under “Networks & data”."
        )
        return
    _clear(found[place])


def _clear_kind(kind: str, name: str) -> Cleared:
    found = cache.clear_kind(kind, name)
    state.change(kind=None)  # what is left of it, if anything, is not for clearing
    return found


def _short(size: int) -> str:
    """For a bar's narrow label."""
    return written(size).replace(" ", "\u00a0") if size >= 1 << 10 else "<\u00a01\u00a0kB"


def _clear(one: KindUsage) -> None:
    name = kind_of(one.kind).words
    if not one.records:
        st.caption(plain(f"{name.capitalize()}: small notes that Unitscope needs; they stay."))
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**{plain(name.capitalize())}**: {count_text(one.records, 'record')}, {written(one.bytes)}.",
            width="content",
        )
        undo.button("Clear them", key_of("clear_kind", one.kind), partial(_clear_kind, one.kind, name))


def _running() -> bool:
    found = upkeep.latest()
    return found is not None and found.running


def _check(polled: bool) -> None:
    """How far the check is, or what the last one found; `polled`: whether it looks again by itself."""
    notices.show("check")
    found = upkeep.latest()
    if polled != (found is not None and found.running):
        st.rerun()  # at another pace from here on; and the rest of the page counts what is left
    if found is not None and found.running:
        share = found.done / found.total if found.total else 0.0
        counted = f"{found.done:,} of {found.total:,} entries read" if found.total else "beginning"
        st.progress(min(share, 1.0), text=f"Checking: {counted}.")
        return
    if found is not None:
        _told(found)
    if visitors.may(Role.OPERATOR):
        st.button("Check and repair", key="check_cache", on_click=_start)
    elif found is None:
        st.caption("It has not been checked yet.")


def _told(found: CheckState) -> None:
    when = words.ago(found.finished or found.started)
    if not found.finished:
        st.warning(
            f"The check that began {when} was cut short, perhaps by a restart of its server: begin anew."
        )
        return
    text = f"Checked {when}. {plain(words.report(found))}"
    (st.success if found.sound else st.warning)(text)


def _start() -> None:
    try:
        upkeep.start()
    except UnitscopeError as error:
        notices.complain(plain(told(error)), "check")
