"""Tables: rows for files, and what a screen shows of a few of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

Row = dict[str, Any]
Cell = str | int | float | None
NAMED = 3  # names in a line without --verbose
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Table:
    """A table for a screen.

    Attributes:
        title: above it.
        columns: their names.
        cells: row by row, a text, a number or None per column.
        numbers: columns that are aligned to the right.
        caption: below it.
    """

    title: str
    columns: tuple[str, ...]
    cells: Sequence[Sequence[Any]]
    numbers: tuple[str, ...] = ()
    caption: str = ""


def spreadsheet_safe(row: Mapping[str, Any]) -> Row:
    """The row for a CSV file: a text that a spreadsheet would run as a formula gets a `'`."""
    return {name: _harmless(value) for name, value in row.items()}


def write_csv(file: TextIO, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> int:
    """Comma-separated, a line per row below its columns; how many. The one writer of such files.

    What is not known is empty; numbers in full, so that they read back to the same value; no formulas.
    """
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    number = 0
    for row in rows:
        writer.writerow(spreadsheet_safe(row))
        number += 1
    return number


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The same as a text, under the first row's names."""
    buffer = io.StringIO()
    if rows:
        write_csv(buffer, list(rows[0]), rows)
    return buffer.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def many(count: int, one: str, several: str) -> str:
    """A number and what is counted, as `1 picture is` and `3 pictures are`."""
    return f"{count:,} {one if count == 1 else several}"


def some(names: Sequence[str], every: bool) -> str:
    """Names in one line: the first few and how many more, or all of them."""
    shown = names if every else names[:NAMED]
    more = len(names) - len(shown)
    return "; ".join(shown) + (f"; and {more:,} more (--verbose names them)" if more else "")


def added(names: Sequence[str], every: bool) -> str:
    """Names that are one thing together: a few and how many more, or all of them."""
    shown = names if every or len(names) <= NAMED + 1 else names[:NAMED]
    more = len(names) - len(shown)
    return " + ".join([*shown, *([f"{more:,} more"] if more else [])])


def cell(value: Cell) -> str:
    """What a screen's table shows of a value; None is a dash."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    return value if isinstance(value, str) else f"{value:,}"
