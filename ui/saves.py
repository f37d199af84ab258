"""Tables to keep: CSV and JSON, each made when its button is pressed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from interpret_core.tables import spreadsheet_safe
from ui.naming import file_stem

Rows = Sequence[Mapping[str, Any]]


def csv_text(rows: Rows) -> str:
    """Comma-separated, a line per row; safe to open in a spreadsheet."""
    buffer = io.StringIO()
    if rows:
        writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(spreadsheet_safe(dict(row)) for row in rows)
    return buffer.getvalue()


def json_text(rows: Rows) -> str:
    """The same rows; NaN is no JSON and raises."""
    return json.dumps(list(rows), indent=1, ensure_ascii=False, allow_nan=False)


def _made(written: Callable[[Rows], str], rows: Callable[[], Rows]) -> bytes:
    return written(rows()).encode("utf-8", "backslashreplace")  # JSON's escape of what is no text


def saves(name: str, rows: Callable[[], Rows], key: str) -> None:
    """Two buttons beside a table.

    Args:
        name: of the files, without their ending; what a file's name cannot hold becomes a dash.
        rows: makes the rows, on demand.
        key: of the buttons.
    """
    stem = file_stem(name)
    with st.container(horizontal=True, gap="small", width="content"):
        for kind, made, mime in (("CSV", csv_text, "text/csv"), ("JSON", json_text, "application/json")):
            st.download_button(
                kind,
                partial(_made, made, rows),
                f"{stem}.{kind.lower()}",
                mime,
                key=f"{key}_{kind}",
                on_click="ignore",
                type="tertiary",
                help=f"Save this table as {kind}",
            )
