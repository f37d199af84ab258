"""A unit's relevance over the classes, on its page and in the order of the grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.errors import UnitscopeError
from interpret_core.figures.template import SMALL
from ui.access.told import told
from ui.components.chart.chart import Finished, chart, finished
from ui.session import relevances, unit_rows
from ui.session.memory import kept
from ui.session.relevances import Wanted
from ui.session.view import LayerView
from ui.shell import links
from ui.shell.how import how
from ui.shell.plain import plain
from ui.shell.theme import count_text
from ui.units import figures

MOST = 20  # bars


def section(view: LayerView, unit: int) -> None:
    """Bars over the classes, and the way to the unit's maps."""
    wanted = Wanted(view.network, view.dataset)
    try:
        known = relevances.find(wanted)
    except UnitscopeError as error:
        st.caption(plain(told(error)))
        return
    found = relevances.classes_of(view)
    if not found:
        links.link("Not computed yet: see the cost →", links.RELEVANCE, network=view.network)
        return
    keys = tuple(relevances.digest_of(known, name) for name in found)
    rows, made = _bars(keys, view.layer.name, unit, view.facts.badge, found)
    st.caption(_words(rows, unit, view, wanted))
    chart(made, "unit_classes", rows=lambda: rows)
    how("relevance")
    best = rows[0]["class"]
    links.link(
        f"Its maps for {plain(best)} →",
        links.RELEVANCE,
        **{"network": view.network, "layer": view.layer.name, "class": best, "unit": unit},
    )


@kept(256)
def _bars(
    keys: tuple[str, ...], layer: str, unit: int, badge: str, _found: Mapping[str, ClassRelevance]
) -> tuple[list[dict[str, Any]], Finished]:
    """The unit under every class, and their bars."""
    rows = unit_rows.by_class(_found, layer, unit)
    return rows, finished(
        figures.class_bars(rows, badge=badge, limit=MOST), f"Relevance of {layer} unit {unit}"
    )


def _words(rows: list[dict[str, object]], unit: int, view: LayerView, wanted: Wanted) -> str:
    """Where it ranks first, how many images that rests on, what is not drawn."""
    top = min(rows, key=lambda row: int(str(row["rank"])))
    share = top["in_mask_share"]
    inside = f", {share:.0%} of it inside the object" if isinstance(share, float) else ""
    few = sum(int(str(row["images"])) < SMALL for row in rows)
    parts = [
        f"Ranks {top['rank']} of {count_text(view.layer.units, 'unit')} for {plain(top['class'])}, its best "
        f"place (n = {top['images']}{inside}); bars do not compare across layers",
        wanted.words,
    ]
    if len(rows) > MOST:
        parts.append(f"the first {MOST} of {len(rows)} classes")
    if few:
        parts.append(f"hollow: fewer than {SMALL} images ({few} of {len(rows)})")
    return " · ".join(parts)
