"""The row of a table that the address names."""

from __future__ import annotations

from collections.abc import Sequence

from ui.shell import state


def place_of(parameter: str, marks: Sequence[str]) -> int:
    """Number of the chosen row, -1 for none.

    Args:
        parameter: of the address, which names a row by its mark.
        marks: of the rows, in their order.
    """
    chosen = state.parameter(parameter)
    return marks.index(chosen) if chosen in marks else -1


def pick(parameter: str, marks: Sequence[str], number: int) -> None:
    """Choose the row that was pressed; the chosen one is let go of."""
    if 0 <= number < len(marks):
        state.change(**{parameter: None if state.parameter(parameter) == marks[number] else marks[number]})
