"""Which labels of whole images a unit tells: when it responds, beside where."""

from __future__ import annotations

import numpy as np
import streamlit as st

from interpret_core.analyses.image_labels.result import FALSE_DISCOVERIES, LabelledLayer
from interpret_core.errors import UnitscopeError
from interpret_core.figures.colours import NEUTRAL
from ui.access.told import told
from ui.components.table.markup import table_markup
from ui.components.table.table import Cell, Column
from ui.jobs import estimates
from ui.jobs.panel import Offer, panel
from ui.jobs.words import duration, takes
from ui.session import results
from ui.session.labels import found as labels
from ui.session.view import LayerView
from ui.shell.how import how
from ui.shell.plain import plain
from ui.shell.theme import count_text, p_text, percent_text

SHOWN = 3  # labels of a unit
NAMED = 4  # labels in the heading
RULE = 0.1  # seconds per image, on two cores, of a network of middling size, before a sample was measured
WHEN = "<b>When it responds</b>, not where: labels of whole images."
WHERE = "<b>Where it responds</b>: annotated pixels."
COLUMNS = (
    Column("label of the image", help="those that the unit tells best, by z", share=1.6, named=False),
    Column(
        "AUC",
        help="how often an image with the label has the larger response than one without; the stroke is 0.5, "
        "which chance gives",
        share=1.5,
        number=True,
    ),
    Column(
        "average precision",
        help="share of images with the label among those that respond as strongly, on average over them; in "
        "brackets the label's share of all images, which chance gives",
        share=1.3,
        number=True,
    ),
    Column("images", help="that bear the label, of all of which that is known", number=True),
)


def of(view: LayerView) -> LabelledLayer | None:
    """What is known of the layer; None where nothing was computed, or where a line says what is wrong."""
    try:
        return labels.find(view)
    except UnitscopeError:
        return None


def better_than_chance(layer: LabelledLayer, unit: int) -> str:
    """The label that a unit tells best; empty where chance explains it."""
    best = int(layer["best"][unit])
    return layer.labels[best] if best >= 0 and layer.beyond_chance[unit] else ""


def beside(view: LayerView, unit: int, layer: LabelledLayer, concepts: str) -> None:
    """The labels that the unit tells best, beside its concepts, and whether chance explains the first.

    Args:
        view: whose.
        unit: whose.
        layer: what is known of its labels.
        concepts: the table of its concepts as HTML, empty where nothing is annotated.
    """
    strongest = layer.strongest(unit, SHOWN)
    if strongest:
        table = _table(layer, unit, strongest)
    else:
        table = (
            '<p class="us-sub">The unit answers all labelled images alike: it tells none from another.</p>'
        )
    when = f'<div><p class="us-sub">{WHEN}</p>{table}</div>'
    where = f'<div><p class="us-sub">{WHERE}</p>{concepts}</div>' if concepts else ""
    st.html(f'<div class="us-both">{where}{when}</div>')
    if strongest:
        st.caption(words(layer, unit))
    how("image-labels")


def _table(layer: LabelledLayer, unit: int, strongest: list[int]) -> str:
    rows = [layer.row(unit, label) for label in strongest]
    cells: list[list[str | Cell]] = [
        [
            str(row["label"]),
            Cell(f"{row['auc']:.3f}", length=float(row["auc"]), tone=NEUTRAL),
            f"{row['average_precision']:.3f} ({row['base_rate']:.3f})",
            f"{row['positive']:,} of {row['images']:,}",
        ]
        for row in rows
    ]
    return table_markup(COLUMNS, cells, f"Labels of whole images of unit {unit}", 0.5)


def words(layer: LabelledLayer, unit: int) -> str:
    """Whether the best label is better than chance, and what that rests on; Markdown."""
    row = layer.row(unit, int(layer["best"][unit]))
    p, q, permutations = row["p_value"], row["q_value"], int(layer.metadata["permutations"])
    if p is None or q is None:
        return f"“{plain(str(row['label']))}” first; chance has not been computed."
    live = int((~np.isnan(layer["p_value"])).sum())
    verdict = "better than chance" if q <= FALSE_DISCOVERIES else "no better than chance"
    groups, images = int(layer.metadata["groups"]), int(layer.metadata["labelled"])
    rests = count_text(images, "image")
    rests += f" in {groups:,} groups that belong together" if groups < images else ""
    least = p_text(p, 1 / (1 + permutations * live))
    said = f"p {least}" if least.startswith("≤") else f"p = {least}"
    return (
        f"“{plain(str(row['label']))}”: {verdict}, {said}, "
        f"q = {p_text(q)}, from {permutations:,} permutations of the labels among {rests}."
    )


def offered(view: LayerView) -> None:
    """Where the images have labels and nothing was computed: the offer, or its progress; else nothing."""
    if of(view) is not None:  # before the data set's labels, of which there may be as many as images
        return
    try:
        columns = labels.columns(view.dataset)
    except UnitscopeError as error:
        st.caption(plain(told(error)))
        return
    if columns:
        number = len(results.dataset(view.dataset))
        images, cost = count_text(number, "image"), estimates.image_labels(view)
        rule = f"≈ {duration(number * RULE)}, at a tenth of a second per image; large networks take several"
        panel(
            Offer(
                labels.request(view),
                f"Which labels of whole images units of {plain(view.network)} tell",
                "Label units by whole images",
                cost=f"The images bear labels as a whole ({plain(', '.join(columns))}), which units may "
                f"tell: one run of the network over {images}, {takes(cost, rule)}.",
                beside=True,
                measure=estimates.of_image_labels(labels.request(view)) if cost is None else None,
            )
        )


def heading(view: LayerView, layer: LabelledLayer | None) -> None:
    """Where nothing is annotated: how many units tell a label beyond chance, or the offer to find out."""
    if layer is None:
        offered(view)
        return
    counted = np.bincount(layer["best"][layer.beyond_chance], minlength=len(layer.labels))
    order = np.argsort(-counted, kind="stable")[:NAMED]
    named = [f"{plain(layer.labels[label])} {counted[label]:,}" for label in order if counted[label]]
    more = int((counted > 0).sum()) - len(named)
    which = f": {', '.join(named)}{f' and {more:,} more labels' if more > 0 else ''}" if named else ""
    verb = "tells" if layer.better == 1 else "tell"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{layer.better:,}** of {count_text(layer.units, 'unit')} {verb} a label of whole images "
            f"better than chance (q ≤ {percent_text(FALSE_DISCOVERIES)}){which}.",
            width="content",
        )
        how("image-labels")
