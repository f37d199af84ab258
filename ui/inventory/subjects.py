"""Networks and data sets: what they are, what their results take, what is missing, and their pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from interpret_core.errors import UnitscopeError
from interpret_core.sizes import written
from interpret_core.store.kinds import kind_of
from ui.access import visitors
from ui.access.roles import Role
from ui.access.told import told
from ui.components.table.table import Cell, Column, rows_of, table
from ui.inventory import selection, undo, words
from ui.session.inventory import cache, known
from ui.session.inventory.known import KnownSubject, Stored
from ui.shell import links
from ui.shell.names import key_of
from ui.shell.plain import plain
from ui.shell.sidebar import Ask
from ui.shell.theme import count_text

DIGITS = 12  # of a digest, which are enough to compare two by eye
LOOKING = "Looking through the results (the first time, the data sets’ files are read once) …"


def section(ask: Ask | None) -> None:
    """Both tables."""
    try:
        with st.spinner(LOOKING, show_time=True):
            networks = known.networks(ask.network if ask else None)
            datasets = known.datasets()
    except UnitscopeError as error:
        st.error(plain(told(error)))
        return
    names = {one.digest: one.name for one in (*networks, *datasets) if one.digest}
    undo.undone()
    st.subheader("Networks")
    st.markdown(_sentence(networks, "network"))
    chosen = _table("network", networks, ("Layers", "Classes"))
    if chosen is not None:
        _network(chosen, datasets, names, ask)
    elif networks:
        st.caption(
            "Press a row for its digest, its results one by one, and what is missing. What comes with "
            "Unitscope is stored, and counts here, once somebody has looked at it."
        )
    links.link("Add a network →", links.NETWORKS)
    st.subheader("Data sets")
    if not datasets:
        st.caption("None is registered.")
        links.link("Add a data set →", links.DATASETS)
        return
    st.markdown(_sentence(datasets, "data set"))
    chosen = _table("dataset", datasets, ("Images", "Concepts"))
    if chosen is not None:
        _dataset(chosen, names)
    links.link("Add a data set →", links.DATASETS)


def _sentence(shown: Sequence[KnownSubject], what: str) -> str:
    there = [one for one in shown if one.stored]
    gone = sum(not one.registered for one in shown)
    size = written(sum(one.bytes for one in shown))
    verb = "has" if len(there) == 1 else "have"
    told = f"**{len(there):,}** of {count_text(len(shown), what)} {verb} results, {size}"
    lost = f"; those of **{gone:,}** cannot be looked at: the name means something else now, or nothing"
    return f"{told}{lost if gone else ''}."


def _table(kind: str, shown: Sequence[KnownSubject], counted: tuple[str, str]) -> KnownSubject | None:
    """The table; the row that the address names, by its digest or, without one, by its name."""
    title = "Network" if kind == "network" else "Data set"
    columns = [
        Column(title, share=2.4, named=False),
        Column("What it is", share=2.6, narrow=False),
        Column("Digest", "Of all its content: another byte, another digest", share=1.5, narrow=False),
        *(Column(name, share=0.9, number=True) for name in counted),
        Column("Results", share=1.2, number=True),
        Column("Latest", share=1.2),
    ]
    marks = [one.digest or one.name for one in shown]
    place = selection.place_of(f"of_{kind}", marks)
    table(
        rows_of(columns, map(_row, shown)),
        f"{kind}s_here",
        f"{title}s; a row that is pressed is shown in detail below",
        chosen=place,
        on_pick=partial(selection.pick, f"of_{kind}", marks),
        height=420,
    )
    return shown[place] if place >= 0 else None


def _row(one: KnownSubject) -> list[str | Cell]:
    return [
        one.name,
        words.shortly(one.words),
        one.digest[:DIGITS],
        *(Cell("" if count is None else f"{count:,}", count) for count in (one.first, one.second)),
        Cell(written(one.bytes) if one.stored else "none", one.bytes),
        Cell(words.ago(one.written), -one.written if one.written else None),
    ]


def _network(
    one: KnownSubject, datasets: Sequence[KnownSubject], names: dict[str, str], ask: Ask | None
) -> None:
    with st.container(border=True, key="network_detail"):
        _head(one)
        _results(
            one.stored, "network_results", "On", lambda stored: names.get(stored.dataset, "another data set")
        )
        if one.registered:
            least = ask.min_images if ask else Ask("", "").min_images
            on = [other for other in datasets if any(s.dataset == other.digest for s in one.stored)]
            for other in on:
                _missing(one.name, other.name, least)
            links.link("Its units →", network=one.name)
        if one.stored and visitors.may(Role.OPERATOR):
            act = partial(cache.clear_network, one.name, one.digest)
            undo.button("Clear its results", key_of("clear_network", one.digest), act)


def _dataset(one: KnownSubject, names: dict[str, str]) -> None:
    with st.container(border=True, key="dataset_detail"):
        _head(one)
        _results(one.stored, "dataset_results", "Of", lambda stored: _of(stored, names))
        if one.registered:
            links.link("Its concepts →", links.CONCEPTS, dataset=one.name)
        if one.stored and visitors.may(Role.OPERATOR):
            act = partial(cache.clear_dataset, one.name, one.digest)
            undo.button("Clear its results", key_of("clear_dataset", one.digest), act)


def _of(stored: Stored, names: dict[str, str]) -> str:
    return names.get(stored.network, "another network") if stored.network else ""


def _head(one: KnownSubject) -> None:
    st.markdown(f"**{plain(one.name)}** · {plain(words.shortly(one.words))}")
    if one.digest:
        st.caption("Digest: results are kept under it, whatever the name.")
        st.code(one.digest, language=None)
    elif one.registered:
        st.caption("No digest yet: nothing has been computed of it.")


def _results(stored: Sequence[Stored], key: str, head: str, other: Callable[[Stored], str]) -> None:
    if not stored:
        return
    columns = [
        Column("Results", share=3, named=False),
        Column(head, share=2),
        Column("Records", share=1, number=True),
        Column("Size", share=1.2, number=True),
        Column("Latest", share=1.2),
    ]
    rows: list[list[str | Cell]] = [
        [
            kind_of(one.kind).words,
            other(one),
            Cell(f"{one.entries:,}", one.entries),
            Cell(written(one.bytes), one.bytes),
            Cell(words.ago(one.written), -one.written),
        ]
        for one in sorted(stored, key=lambda one: -one.bytes)
    ]
    table(rows_of(columns, rows), key, "Its results by kind", height=360)


def _missing(network: str, dataset: str, least: int) -> None:
    try:
        lacking = known.missing(network, dataset, least)
    except UnitscopeError as error:
        st.caption(plain(told(error)))
        return
    if lacking:
        st.caption(
            f"Missing on {plain(dataset)}: {plain(', '.join(lacking))}. Its pages offer to compute it, and "
            "say what it costs."
        )
