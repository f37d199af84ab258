"""The report on a network: what is shown of it, what is not, and why."""

from __future__ import annotations

from typing import Any

import streamlit as st

from interpret_core.networks.examination.report import batches_text, outputs_text
from interpret_core.networks.layers.layer import Sort
from ui.components.table.markup import table_markup
from ui.components.table.table import Column
from ui.shell.plain import plain
from ui.shell.theme import count_text, number_text

COLUMNS = (
    Column("layer", help="and other names that mean it", named=False, share=2.0),
    Column("kind", help="convolutions are what the other pages call layers"),
    Column("units", number=True, share=0.6),
    Column("grid", help="positions per image", share=0.8),
    Column("sees", help="receptive field: pixels of the input that can reach one position", share=0.8),
    Column("read", help="where the response is read; where it is not after an activation, why", share=2.0),
    Column("values", help="of the responses to three seeded test images", share=1.2),
    Column("gradient", help="whether a gradient of the outputs reaches it, which relevance needs", share=0.8),
    Column(
        "positions",
        help="centre of the first position in the input, and the step to the next one: masks are drawn there",
        share=1.7,
    ),
)
LEFT_OUT = (Column("not offered", named=False, share=1.0), Column("why", share=2.0))


def examination_report(found: dict[str, Any]) -> None:
    """Draw it.

    Args:
        found: as `interpret_core.networks.examination.report` makes it.
    """
    st.markdown("\n".join(f"- {plain(line)}" for line in lines(found)))
    name = f"Layers of {found['network']}"
    st.html(table_markup(COLUMNS, [_cells(row) for row in found["layers"]], name))
    if found["not_offered"]:
        st.html(
            table_markup(LEFT_OUT, [list(map(str, pair)) for pair in found["not_offered"]], "Not offered")
        )


def lines(found: dict[str, Any]) -> list[str]:
    """What stands above the tables."""
    channels, height, width = found["input"]
    usual = sum(row["kind"] == Sort.CONVOLUTION for row in found["layers"])
    others = len(found["layers"]) - usual
    return [
        f"{count_text(usual, 'convolution')}, {count_text(others, 'further layer')}, "
        f"{count_text(len(found['not_offered']), 'part')} not offered",
        f"Input {channels}×{height}×{width} px; {outputs_text(found)}",
        batches_text(found),
        *found["findings"],
    ]


def _cells(row: dict[str, Any]) -> list[str]:
    values = row["values"]
    told = f"{number_text(values[0])} to {number_text(values[1])}" if values else "none finite"
    field = row["receptive_field"]
    return [
        ", ".join([row["layer"], *row["also"]]),
        row["kind"],
        f"{row['units']:,}",
        "×".join(map(str, row["grid"])),
        f"{field} px" if field else "not known",
        row["read"],
        told if row["finite"] else f"{told}; some not finite",
        (row["gradient"] or "not asked").partition(":")[0],
        row["positions"],
    ]
