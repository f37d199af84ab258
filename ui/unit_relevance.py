"""A unit's relevance over the classes, on its page and in the order of the grid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.errors import UnitscopeError
from ui import goto, relevance_figures, relevance_status, relevances, saves, unit_rows, widgets
from ui.drawing import CONFIG
from ui.plain import plain
from ui.relevances import Wanted
from ui.texts import badge_of
from ui.theme import count_text
from ui.view import SMALL, LayerView

MOST = 20  # bars


def classes(view: LayerView) -> Mapping[str, ClassRelevance]:
    """Classes whose relevance is computed by the default method, for this layer; none where it cannot be."""
    try:
        found = relevances.find(Wanted(view.network, view.dataset))
    except UnitscopeError:
        return {}
    return {
        name: record
        for name, record in found.records.items()
        if (view.layer.name, view.layer.units) in {(shape.name, shape.units) for shape in record.layers}
    }


def scores(view: LayerView, name: str) -> NDArray[np.float64] | None:
    """(U,) relevance of the layer's units for a class, None where it is not computed."""
    record = classes(view).get(name)
    return record.layer(view.layer.name).relevance if record else None


def section(view: LayerView, unit: int) -> None:
    """Bars over the classes, and the way to the unit's maps."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Relevance over classes**", width="content")
        widgets.how("relevance")
    wanted = Wanted(view.network, view.dataset)
    try:
        relevances.find(wanted)
    except UnitscopeError as error:
        st.caption(plain(error))
        return
    found = classes(view)
    if not found:
        goto.link("Not computed yet: see the cost →", goto.RELEVANCE, network=view.network)
        return
    rows = unit_rows.by_class(found, view.layer.name, unit)
    st.caption(_words(rows, unit, view, wanted))
    badge = badge_of(view.facts.network_title, view.facts.evidence)
    st.plotly_chart(
        relevance_figures.class_bars(rows, badge=badge, limit=MOST), key="unit_classes", config=CONFIG
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        best = rows[0]["class"]
        goto.link(
            f"Its maps for {plain(best)} →",
            goto.RELEVANCE,
            **{"network": view.network, "layer": view.layer.name, "class": best, "unit": unit},
        )
        stem = f"relevance_{view.network}_{view.layer.name}_{unit}"
        saves.saves(stem, lambda: rows, "save_unit_classes")


def _words(rows: list[dict[str, object]], unit: int, view: LayerView, wanted: Wanted) -> str:
    """Where it ranks first, how many images that rests on, what is not drawn."""
    top = min(rows, key=lambda row: int(str(row["rank"])))
    share = top["in_mask_share"]
    inside = f", {share:.0%} of it inside the object" if isinstance(share, float) else ""
    few = sum(int(str(row["images"])) < SMALL for row in rows)
    parts = [
        f"Ranks {top['rank']} of {count_text(view.layer.units, 'unit')} for {plain(top['class'])}, its best "
        f"place (n = {top['images']}{inside}); bars do not compare across layers",
        relevance_status.settings_words(wanted),
    ]
    if len(rows) > MOST:
        parts.append(f"the first {MOST} of {len(rows)} classes")
    if few:
        parts.append(f"hollow: fewer than {SMALL} images ({few} of {len(rows)})")
    return " · ".join(parts)
