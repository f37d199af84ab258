"""The one table: sorted by its heads, short blocks on a phone, and, if wanted, a row can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import streamlit as st

from ui.shell.component import Component, Written, written

_component = Component("components/table/table", "components/common/travel.js", "components/common/focus.js")


class Column(NamedTuple):
    """A column.

    Attributes:
        name: its head; on a phone it stands before each value.
        help: what the numbers are, where the name does not say it.
        share: of the width, beside those of the others.
        number: whether it stands at the end of the column and is sorted from the largest.
        narrow: whether a phone shows it as well.
        named: whether the name stands before the value on a phone.
    """

    name: str
    help: str = ""
    share: float = 1.0
    number: bool = False
    narrow: bool = True
    named: bool = True


class Cell(NamedTuple):
    """A value that is more than its text.

    Attributes:
        text: as it is; nothing in it formats.
        value: what rows are sorted by, None for one that is not known: it comes last.
        length: of a bar behind a number, from 0 to 1; negative for none.
        tone: colour of the bar, or of a mark before the text.
        href: where it leads.
    """

    text: str
    value: float | str | None = None
    length: float = -1.0
    tone: str = ""
    href: str = ""


def rows_of(columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]]) -> Written:
    """A table, written once for all who look at it.

    Args:
        columns: C of them.
        rows: with C values each; a text is sorted as it is read.
    """
    return written(
        {"columns": [one._asdict() for one in columns], "rows": [list(map(_cell, row)) for row in rows]}
    )


def _cell(cell: str | Cell) -> str | list[Any]:
    if isinstance(cell, str):
        return cell
    return [cell.text, cell.value, cell.length, cell.tone, cell.href]


def table(
    made: Written,
    key: str,
    what: str,
    *,
    chosen: int = -1,
    on_pick: Callable[[int], None] | None = None,
    height: int = 520,
) -> None:
    """Draw it.

    Args:
        made: by `rows_of`.
        key: of the component.
        what: it shows, for whoever does not see it.
        chosen: number of the row that is marked and comes first, -1 for none.
        on_pick: called with the number of a row that is pressed; without it none can be.
        height: in pixels, after which it scrolls.
    """

    def picked() -> None:
        row = st.session_state[key].get("picked")
        if on_pick is not None and isinstance(row, int):
            on_pick(row)

    _component(
        key=key,
        data={"what": what, "chosen": chosen, "pick": on_pick is not None, "height": height},
        more=made,
        on_picked_change=picked,
    )
