"""The Relevance page's tables: which class is which output on which images, and what is flagged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from interpret_core.classes.known import FEW as HALVED
from interpret_core.privacy import number_of
from ui.components.saves import saves
from ui.components.table.table import Cell, Column, rows_of, table
from ui.components.unnamed import names_leave
from ui.session import totals
from ui.session.memory import kept
from ui.session.relevances import Found, Wanted
from ui.shell.component import Written
from ui.shell.how import how
from ui.shell.plain import plain
from ui.shell.theme import count_text

CLASSES = (
    Column("class", named=False),
    Column("outputs", help="the network's outputs that stand for it", share=1.6),
    Column("found by", help="how they were found", narrow=False),
    Column("train", help="images by which units are ranked", share=0.6, number=True),
    Column("val", help="images on which their silence is measured", share=0.6, number=True),
    Column("used", help="images behind its relevance", share=0.6, number=True),
    Column("mask", help="the concepts whose pixels are the object"),
    Column("note", share=2, named=False),
)
FLAGGED = (
    Column("class", named=False),
    Column("image", help="index in the data set", number=True),
    Column("layers", share=3),
    Column("worst residual", help="of what the gradients should add up to", number=True),
    Column("points", help="of the path, after which the search ended", number=True),
)


def mapping(found: Found, wanted: Wanted) -> None:
    """Which class is which of the network's outputs, on which images, and why others are left out."""
    plan = found.class_plan
    if plan is None:
        return
    left_out = len(plan.left_out)
    label = f"Classes: {len(plan.classes)} that the network knows, {left_out} left out"
    with st.expander(label, key="classes", on_change="rerun") as box:
        if not box.open:
            return
        source = (
            "listed in the data set's classes.csv"
            if plan.source.endswith(".csv")
            else "whose largest object known to the network is the class, on 5 % of the image at least"
        )
        st.caption(
            f"Images of a class: those {source}. Outputs that are found wrongly can be set in "
            "`unitscope.toml`, table `[classes]`."
        )
        rows = mapping_rows(found)
        table(_written(CLASSES, rows), "class_table", "Classes", height=420)
        saves.saves(f"classes_{wanted.network}_{wanted.dataset}", lambda: rows, "save_classes")


def _written(columns: Sequence[Column], rows: Iterable[Mapping[str, object]]) -> Written:
    return _kept(tuple(columns), tuple(tuple(row.values()) for row in rows))


@kept(64)
def _kept(columns: tuple[Column, ...], rows: tuple[tuple[Any, ...], ...]) -> Written:
    return rows_of(columns, [list(map(_cell, row)) for row in rows])


def _cell(value: object) -> str | Cell:
    """Numbers are sorted as such; a share is written in percent."""
    if isinstance(value, float):
        return Cell(f"{100 * value:.2f} %", value)
    return Cell(f"{value:,}", value) if isinstance(value, int) else str(value)


def mapping_rows(found: Found) -> list[dict[str, object]]:
    """The table: known classes, then those left out with the reason."""
    plan = found.class_plan
    if plan is None or found.plan is None:
        return []
    names = found.plan.dataset.concepts().names if plan.masked else ()
    known: list[dict[str, object]] = [
        {
            "class": one.name,
            "outputs": ", ".join(
                f"{found.plan.spec.class_names[number]} ({number})" for number in one.outputs
            ),
            "found by": plan.how[one.name],
            "train": len(one.images) if one.few else int((one.split == "train").sum()),
            "val": len(one.images) if one.few else int((one.split == "val").sum()),
            "used": len(found.records[one.name].images) if one.name in found.records else 0,
            "mask": " + ".join(names[at] for at in one.concepts) or "none: M = 1",
            "note": f"fewer than {HALVED} images: the same ones rank and test" if one.few else "",
        }
        for one in plan.classes
    ]
    nothing = {"outputs": "", "found by": "", "train": 0, "val": 0, "used": 0, "mask": ""}
    without = [(name, why) for name, why in found.left_out if name not in {one.name for one in plan.classes}]
    reasons = dict(found.left_out)
    for row in known:
        row["note"] = f"left out: {reasons[str(row['class'])]}" if row["class"] in reasons else row["note"]
    left_out = (*plan.left_out, *without)
    return known + [{"class": name, **nothing, "note": f"left out: {why}"} for name, why in left_out]


def flagged(found: Found, wanted: Wanted) -> None:
    """Images whose gradients do not add up, and those that could not be used."""
    flags = [flag for record in found.records.values() for flag in totals.flags(record)]
    unused = [
        (name, str(image), str(why))
        for name, record in found.records.items()
        for image, why in record.metadata["left_out"]
    ]
    total = sum(len(record.images) for record in found.records.values())
    with st.expander(f"Flagged: {len(flags)} of {count_text(total, 'image')}, {len(unused)} not used"):
        how("completeness")
        if not flags:
            st.caption("Every image's gradients add up within the tolerance, in every layer.")
        else:
            worst = sorted(flags, key=lambda flag: -flag.worst)
            rows = [
                {
                    "class": flag.name,
                    "image": flag.image,
                    "layers": ", ".join(flag.layers),
                    "worst residual": round(flag.worst, 4),
                    "points": flag.points,
                }
                for flag in worst
            ]
            table(_written(FLAGGED, rows), "flagged_table", "Flagged images", height=380)
            named = names_leave("flagged")
            numbered = [
                {**row, "image": number_of(flag.number)} for row, flag in zip(rows, worst, strict=True)
            ]
            told = rows if named else numbered
            saves.saves(f"flagged_{wanted.network}_{wanted.dataset}", lambda: told, "save_flagged")
        for name, image, why in unused[:20]:
            st.caption(f"{plain(name)}: {plain(image)} was not used: {plain(why)}")
