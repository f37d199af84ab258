"""Tables: rows as CSV and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet_safe(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row for a CSV file: a text that a spreadsheet would run as a formula gets a `'`."""
    return {name: _harmless(value) for name, value in row.items()}


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
