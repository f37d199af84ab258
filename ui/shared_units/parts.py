"""The Shared units page's parts: overlap of the classes' sets, units in many sets, counts beside chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st

from interpret_core.analyses.agreement import compute as agreements
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.errors import UnitscopeError
from interpret_core.figures.colours import badge_of
from interpret_core.measures.shared_units import Overlap, SharedUnits
from ui.components.cards.cards import Card, cards
from ui.components.chart.chart import chart, finished
from ui.components.control.control import choice
from ui.components.heat.heat import heat_map
from ui.components.saves import saves
from ui.session import relevances, resources, results
from ui.session.memory import kept
from ui.session.relevances import Found
from ui.session.view import LayerView
from ui.shared_units import rows as shared_rows
from ui.shared_units.rows import HubRow
from ui.shell import links, lists, notices, state
from ui.shell.names import unlike
from ui.shell.plain import plain
from ui.shell.sidebar import Ask
from ui.shell.theme import count_text, iou_text

PARAMETERS = ("top", "scope", "pair", "hubs")
ALL = "all layers"
COUNT = 12


class Sets(NamedTuple):
    """The classes' sets of units, and where they come from."""

    found: Found
    shared: SharedUnits
    layers: tuple[str, ...]
    scope: str
    top: float

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the sets."""
        return tuple(self.found.records)

    @property
    def overlap(self) -> Overlap:
        """Of all layers, or of the one that is looked at."""
        if not self.scope:
            return self.shared.whole
        return self.shared.by_layer[self.layers.index(self.scope)]

    @property
    def metadata(self) -> Mapping[str, dict[str, str]]:
        """Network and data set."""
        return next(iter(self.found.records.values())).metadata

    @property
    def title(self) -> str:
        """Whose a figure is: network, data set, evidence, layer."""
        network, dataset = self.metadata["network"], self.metadata["dataset"]
        where = f" · {self.scope}" if self.scope else ""
        return badge_of(
            f"{network['title'] or network['name']} on {dataset['name']}{where}", network["evidence"]
        )

    @property
    def heading(self) -> dict[str, str]:
        """In every row of an export."""
        network = self.metadata["network"]
        return {
            "network": network["name"],
            "evidence": network["evidence"],
            "dataset": self.metadata["dataset"]["name"],
        }


def sets(found: Found, top: float) -> Sets:
    """The sets of the classes that are computed; the URL says which layers are looked at."""
    layers = tuple(shape.name for shape in next(iter(found.records.values())).layers)
    keys = tuple(relevances.digest_of(found, name) for name in found.records)
    every = unlike(ALL, layers)
    scope = state.one_of("scope", [every, *layers], every, "layer")
    return Sets(
        found, _shared(keys, layers, top, found.records), layers, "" if scope == every else scope, top
    )


@kept(64)
def _shared(
    keys: tuple[str, ...], layers: tuple[str, ...], top: float, _records: Mapping[str, ClassRelevance]
) -> SharedUnits:
    return agreements.shared_units(_records, layers, top)


def scope_box(now: Sets) -> None:
    """All layers or one."""
    every = unlike(ALL, now.layers)
    scopes = {name: name for name in (every, *now.layers)}
    choice("Layers", "scope", scopes, every, kind="layer", width=220, label_visibility="collapsed")


def overlaps(now: Sets) -> tuple[str, str] | None:
    """Class × class; a click chooses a pair.

    Returns:
        The pair that the URL names, None for none.
    """
    pair = _pair(now.classes)
    made = shared_rows.overlap_heat(now.overlap, now.classes, now.title)
    at = (now.classes.index(pair[0]), now.classes.index(pair[1])) if pair else None
    heat_map(made, "overlaps", partial(_pair_chosen, now.classes), at)
    rows = partial(shared_rows.pair_rows, now.overlap, now.classes, now.heading, now.scope or ALL)
    saves.saves(f"overlap_{now.heading['network']}_{now.scope or ALL}", rows, "save_overlaps")
    return pair


def _pair(classes: Sequence[str]) -> tuple[str, str] | None:
    pair = state.several_of("pair", classes, "class", most=2)
    if len(pair) == 2:
        return pair[0], pair[1]
    if pair:
        notices.complain(f"A pair takes two classes; “{plain(pair[0])}” alone is none.")
        state.repair(pair=None)
    return None


def _pair_chosen(classes: Sequence[str], row: int, column: int) -> None:
    if row != column:
        state.change(pair=lists.joined((classes[row], classes[column])), hubs=None)


def hubs(ask: Ask, now: Sets, pair: tuple[str, str] | None) -> None:
    """Units in many sets, or in both of a pair's; each leads to its unit."""
    views = _views(ask, now.layers)
    within = now.scope
    rows = shared_rows.hub_rows(now.shared, now.layers, now.found.records, views, pair or (), within)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if pair:
            st.subheader(f"In the sets of *{plain(pair[0])}* and *{plain(pair[1])}*", width="content")
            clear = {"on_click": state.change, "kwargs": {"pair": ""}}
            st.button("✕ All hubs", key="clear_pair", type="tertiary", **clear)  # type: ignore[arg-type]
        else:
            st.subheader(f"Hubs: in {now.shared.many} sets or more", width="content")
    where = "all layers" if not within else plain(within)
    st.caption(f"{count_text(len(rows), 'unit')} in {where}, those of most classes first.")
    if not rows:
        st.info(
            "The two classes share no unit at this share of units; mark more of them."
            if pair
            else "No unit is in more sets than chance would fill; choose a pair of classes, or another share."
        )
        return
    count = state.whole("hubs", 1, len(rows), min(COUNT, len(rows)), "number of units")
    cards([_card(ask, row, views.get(row.layer)) for row in rows[:count]], "matches_hubs")
    if count < len(rows):
        more = min(len(rows), 4 * count)
        st.button(
            f"Show all {more:,} units" if more == len(rows) else f"Show {more:,} of {len(rows):,} units",
            key="more_hubs",
            on_click=state.change,
            kwargs={"hubs": more},
        )
    saves.saves(f"hubs_{now.heading['network']}_{now.scope or ALL}", partial(_flat, now, rows), "save_hubs")


def _flat(now: Sets, rows: Sequence[HubRow]) -> list[dict[str, object]]:
    """For the export."""
    return [
        {
            **now.heading,
            "layer": row.layer,
            "unit": row.unit,
            "concept": row.label,
            "iou": row.iou,
            "classes": row.classes,
            "for": ";".join(row.helps),
            "against": ";".join(row.hurts),
        }
        for row in rows
    ]


def _card(ask: Ask, row: HubRow, view: LayerView | None) -> Card:
    picture = ""
    if view is not None and view.word(row.unit) != "dead":
        before, after = resources.thumbnail(view)
        picture = f"{before}{row.unit}{after}"
    label = f" · {row.label}" if row.label else ""
    iou = f", IoU {iou_text(row.iou)}" if row.iou is not None and row.label else ""
    signs = [
        f"{word} {', '.join(names[:6])}{' …' if len(names) > 6 else ''}"
        for word, names in (("for", row.helps), ("against", row.hurts))
        if names
    ]
    return Card(
        links.to("units", network=ask.network, layer=row.layer, unit=row.unit),
        picture,
        f"{row.layer} · unit {row.unit}{label}",
        f"{count_text(row.classes, 'class', 'classes')}{iou}: {' · '.join(signs)}",
    )


def _views(ask: Ask, layers: Sequence[str]) -> dict[str, LayerView]:
    """Profiles for labels and pictures; the sets do not need them."""
    try:
        found = results.layers(ask)
    except UnitscopeError:
        return {}
    return {name: found[name] for name in layers if name in found} if found else {}


def counts(now: Sets) -> None:
    """Units in at least m sets beside chance."""
    st.subheader("How many classes share a unit")
    observed, expected = now.shared.observed, now.shared.expected
    if not now.scope:
        many, likely = observed.sum(0), expected.sum(0)
    else:
        place = now.layers.index(now.scope)
        many, likely = observed[place], expected[place]
    figure = shared_rows.count_bars(many, likely, badge=now.title)
    chart(finished(figure, "Units in several classes’ sets"), "shared_counts")
