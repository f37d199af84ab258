"""A layer's units ranked for a class: tiles with their label, their picture, what speaks for and against."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from interpret_core.analyses.relevance.result import ClassRelevance, LayerRelevance
from interpret_core.classes.known import OBJECT
from interpret_core.figures import scales
from interpret_core.figures.colours import colour_of
from interpret_core.figures.relevance import scaled_text
from ui.components.control.control import buttons, choice
from ui.components.ranked.ranked import ranked
from ui.components.saves import saves
from ui.relevance.heat_maps import Picked
from ui.session import resources, unit_rows
from ui.session.unit_rows import ORDERS, SIDES, Ranked
from ui.session.view import LayerView
from ui.shell import addresses, state
from ui.shell.theme import count_text, iou_text

COUNTS = (12, 48)  # tiles at first, then; a third press shows all


def ranked_units(
    picked: Picked, part: LayerRelevance, record: ClassRelevance, view: LayerView | None, unit: int
) -> None:
    """Draw the units in the order that the URL asks for, and the table of all of them to save.

    Args:
        picked: the cell.
        part: its relevance.
        record: its relevance.
        view: the layer's profile, if there is one.
        unit: whose maps are drawn, -1 for none.
    """
    side = buttons("Influence", "influence", SIDES, "")
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        orders = {**ORDERS, "relevance": f"{ORDERS['relevance']}, {SIDES[side]}"}
        order = choice("Units by", "order", orders, "relevance", width=300)
        stem = f"relevance_{picked.network}_{picked.layer}_{picked.name}"
        saves.saves(stem, partial(unit_rows.unit_rows, record, picked.layer, view), "save_units")
    if view is None:
        st.caption("This network has no profile on the data set yet: units come without labels and pictures.")
    count = state.whole("units", 1, part.shape.units, min(COUNTS[0], part.shape.units), "number of units")
    ranking = _on_side(part, side, unit_rows.ranking(part, order))
    shown = ranking[:count] + ([unit] if unit >= 0 and unit not in ranking[:count] else [])
    made = unit_rows.ranked(part, view, shown)
    _tiles(picked, made, record, view, unit)
    every = len(ranking)
    if count < every:
        more = min(next((each for each in COUNTS[1:] if each > count), every), every)
        label = f"Show all {every:,} units" if more == every else f"Show {more:,} of {every:,} units"
        st.button(label, key="more_units", on_click=state.change, kwargs={"units": more})


def _on_side(part: LayerRelevance, side: str, ranking: NDArray[np.int64]) -> list[int]:
    """Those units of a ranking that are on a side, after a line that says what that is."""
    kept: list[int] = ranking[unit_rows.on_side(part, side)[ranking]].tolist()
    if side:
        other = "against it" if side == "for" else "for it"
        st.caption(
            f"{len(kept):,} of {count_text(part.shape.units, 'unit')}: what speaks {SIDES[side]} outweighs "
            f"what speaks {other}."
        )
    return kept


def _tiles(
    picked: Picked, units: Sequence[Ranked], record: ClassRelevance, view: LayerView | None, unit: int
) -> None:
    """Draw the tiles: each leads to its unit, its button draws the unit's maps."""
    key, part = "ranked", record.layer(picked.layer)
    base, suffix = resources.thumbnail(view) if view else ("", "")
    entry = {**state.entry(picked.network), "network": picked.network}
    link = addresses.page("units", **entry, layer=picked.layer, annotate=_object(view, record))
    tiles = [_tile(one, part, masked=bool(record.metadata["masked"])) for one in units]
    identity = (picked, base, suffix, link, tiles)

    def chosen() -> None:
        number = st.session_state[key].get("picked")
        if isinstance(number, int):
            state.change(unit=number if 0 <= number < part.shape.units else None)

    ranked(
        key=key,
        data={
            "version": hashlib.sha1(repr(identity).encode(), usedforsecurity=False).hexdigest()[:16],
            "title": f"units of {picked.layer} for {picked.name}",
            "units": tiles,
            "low": float(part.negative.min(initial=0)),
            "high": float(part.positive.max(initial=0)),
            "for": scales.POSITIVE,
            "against": scales.NEGATIVE,
            "base": base,
            "suffix": suffix,
            "link": f"{link}&unit=",
            "selected": unit if unit >= 0 else None,
        },
        on_picked_change=chosen,
    )


def _object(view: LayerView | None, record: ClassRelevance) -> str:
    """The class's object (of several labels, the first) as the unit's page calls it, empty without one."""
    concepts = view.concepts if view else ()
    numbers = [number for number, _ in record.metadata["objects"]]
    return next((one.name for one in concepts if one.category == OBJECT and one.number in numbers), "")


def _tile(one: Ranked, part: LayerRelevance, *, masked: bool) -> list[object]:
    high = float(part.relevance.max(initial=0))
    inside = "—" if math.isnan(one.share) else f"{one.share:.0%}"
    label = "dead" if one.word == "dead" else one.label
    iou = "no profile" if one.iou is None else f"IoU {iou_text(one.iou)}"
    numbers = (
        f"R {scaled_text(one.relevance, high)} · +{scaled_text(one.positive, high)} "
        f"{scaled_text(one.negative, high) if one.negative else '−0'}"
    )
    spoken = (
        f"{label or 'no concept'}, {iou}, relevance {scaled_text(one.relevance, high)}, for the class "
        f"{scaled_text(one.positive, high)}, against it {scaled_text(-one.negative, high)}, "
        + (f"{inside} of it inside the object" if masked else "over the whole image")
    )
    return [
        one.unit,
        label,
        colour_of(one.category),
        int(one.iou is not None and not one.detector),
        one.word,
        one.positive,
        one.negative,
        f"{iou} · {inside} inside the object" if masked else iou,
        numbers,
        spoken,
    ]
