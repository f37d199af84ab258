"""Labels of whole images across the layers: how many units tell each, and the one that tells it best."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from interpret_core.analyses.image_labels.result import LabelledLayer, LabelRow, by_label
from interpret_core.errors import UnitscopeError
from interpret_core.figures.colours import NEUTRAL
from ui.components.saves.saves import saves
from ui.components.table.table import Cell, Column, rows_of, table
from ui.session.labels import found as labels
from ui.session.view import Views
from ui.shell import links
from ui.shell.how import how
from ui.shell.plain import plain
from ui.shell.theme import count_text, p_text

NAMED = 3  # labels that are left out
COLUMNS = (
    Column("label of the image", share=1.3, named=False),
    Column("images", help="that bear it", number=True),
    Column("units", help="that tell it best, and better than chance (q ≤ 5 %), of all layers", number=True),
    Column("best unit", help="of largest z among those that tell it best", share=2.2),
    Column("AUC", help="of that unit; chance gives 0.5", share=1.5, number=True),
    Column("average precision", help="of that unit", share=1.3, number=True, narrow=False),
    Column("base rate", help="average precision that chance gives", number=True, narrow=False),
    Column("q", help="of that unit within its layer", number=True),
)


def known(views: Views) -> dict[str, LabelledLayer]:
    """What is stored of each layer; nothing where nothing was computed or it cannot be looked at."""
    try:
        found = {name: labels.find(view) for name, view in views.items()}
    except UnitscopeError:
        return {}
    return {name: layer for name, layer in found.items() if layer is not None}


def section(layers: Mapping[str, LabelledLayer], views: Views) -> None:
    """The table."""
    found = by_label(layers)
    told = sum(one.units > 0 for one in found)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"Units of {count_text(len(layers), 'layer')} tell **{told:,}** of "
            f"{count_text(len(found), 'label')} of whole images better than chance: when they respond, not "
            "where.",
            width="content",
        )
        how("image-labels")
    table(rows_of(COLUMNS, map(_cells, found)), "image_labels", "Labels of whole images", height=520)
    left_out = next(iter(layers.values())).metadata["left_out"]
    if left_out:
        named = "; ".join(f"{plain(label)}: {plain(why)}" for label, why in left_out[:NAMED])
        st.caption(f"Left out: {named}{' …' if len(left_out) > NAMED else ''}")
    facts = next(iter(views.values())).facts
    saves(
        f"Labels of whole images · {facts.badge}",
        lambda: [one for layer in layers.values() for one in layer.rows()],
        "save_image_labels",
    )


def _cells(one: LabelRow) -> list[str | Cell]:
    if one.best is None:
        return [one.label, Cell(f"{one.images:,}", one.images), Cell("0", 0), "none", "—", "—", "—", "—"]
    layer, unit = str(one.best["layer"]), int(str(one.best["unit"]))
    auc, precision, base = (float(str(one.best[name])) for name in ("auc", "average_precision", "base_rate"))
    q = one.best["q_value"]
    return [
        one.label,
        Cell(f"{one.images:,}", one.images),
        Cell(f"{one.units:,}", one.units),
        Cell(f"{layer} unit {unit}", f"{layer} {unit:06d}", href=links.to("units", layer=layer, unit=unit)),
        Cell(f"{auc:.3f}", auc, auc, NEUTRAL),
        Cell(f"{precision:.3f}", precision),
        Cell(f"{base:.3f}", base),
        Cell("—" if q is None else p_text(float(str(q))), None if q is None else -float(str(q))),
    ]
