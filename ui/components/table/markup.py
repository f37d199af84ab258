"""A table of a few rows as plain HTML, of the same columns and cells as the component's.

For what every click or step of a slider draws anew, and nobody sorts: a component takes the server four times
as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape

from ui.components.table.table import Cell, Column


def table_markup(
    columns: tuple[Column, ...], rows: Iterable[Sequence[str | Cell]], what: str, cut: float = -1.0
) -> str:
    """The table; on a phone each row is a block, its values below their names.

    Args:
        columns: C of them.
        rows: with C values each; none leads anywhere.
        what: it shows, for whoever does not see it.
        cut: where a stroke crosses every bar, from 0 to 1: the IoU cut-off; negative for none.
    """
    body = "".join(
        f'<tr role="row">{"".join(_value(*pair, cut) for pair in zip(columns, row, strict=True))}</tr>'
        for row in rows
    )
    return (
        f'<div class="us-room"><table class="us-table" role="table" aria-label="{escape(what)}">'
        f"{_heads(columns)}{body}</table></div>"
    )


@cache
def _heads(columns: tuple[Column, ...]) -> str:
    whole = sum(column.share for column in columns)
    return f'<tr role="row">{"".join(_head(column, column.share / whole) for column in columns)}</tr>'


def _head(column: Column, share: float) -> str:
    told = f' title="{escape(column.help)}"' if column.help else ""
    return (
        f'<th scope="col" role="columnheader"{_kind(column)} style="width:{share:.1%}"{told}>'
        f"{escape(column.name)}</th>"
    )


def _value(column: Column, raw: str | Cell, cut: float) -> str:
    cell = raw if isinstance(raw, Cell) else Cell(raw)
    text = escape(cell.text)
    if cell.length >= 0:
        text = f'<span class="us-bar">{_bar(cell, cut)}<b>{text}</b></span>'
    elif cell.tone:
        text = f'<i style="--tone:{escape(cell.tone)}"></i>{text}'
    name = f' data-name="{escape(column.name)}"' if column.named else ""
    return f'<td role="cell"{_kind(column, cell.length >= 0)}{name}>{text}</td>'


def _bar(cell: Cell, cut: float) -> str:
    stroke = f'<s title="cut-off" style="left:{min(1.0, cut):.1%}"></s>' if cut >= 0 else ""
    tone = f"--tone:{escape(cell.tone)};" if cell.tone else ""
    return f'<u style="{tone}--length:{min(1.0, cell.length):.1%}">{stroke}</u>'


def _kind(column: Column, bar: bool = False) -> str:
    kinds = {"us-num": column.number, "us-long": bar, "us-roomy": not column.narrow}
    names = " ".join(name for name, on in kinds.items() if on)
    return f' class="{names}"' if names else ""
