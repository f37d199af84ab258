"""Tables and figures to keep: each made when its button is pressed, by one component."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from interpret_core.provenance import signed
from interpret_core.tables import csv_text
from ui.components.imprint import PICTURE, imprint
from ui.shell.component import Component

_component = Component("components/saves/saves", *PICTURE, "components/common/focus.js")

Rows = Sequence[Mapping[str, Any]]


def json_text(rows: Rows) -> str:
    """The same rows; NaN is no JSON and raises."""
    return json.dumps(list(rows), indent=1, ensure_ascii=False, allow_nan=False)


def saves(name: str, rows: Callable[[], Rows], key: str, figure: str = "") -> None:
    """Buttons that save a table, and the figure that shows it.

    Args:
        name: of the files, without their ending; what a file's name cannot hold becomes a dash.
        rows: makes the rows, when they are asked for.
        key: of the buttons.
        figure: key of the figure; without it there is only the table.
    """
    wish = f"{key}_wish"

    def wanted() -> None:
        st.session_state[wish] = st.session_state[key].get("wanted")

    kind = st.session_state.pop(wish, None)
    if kind == TABLE:
        st.session_state[f"{key}_open"] = not st.session_state.get(f"{key}_open")
    table = rows() if st.session_state.get(f"{key}_open") else None
    _component(
        key=key,
        width="stretch" if figure else "content",
        data={
            "kinds": [TABLE, *WRITERS, "SVG", "PNG"] if figure else list(WRITERS),
            "figure": f".st-key-{figure}" if figure else "",
            "imprint": imprint(name),
            "table": None if table is None else _cells(table),
            "made": _made(kind, rows) if kind in WRITERS else None,
        },
        on_wanted_change=wanted,
    )


def _made(kind: str, rows: Callable[[], Rows]) -> dict[str, Any]:
    """A file, under a token by which the browser knows whether it has handed it out."""
    write, mime = WRITERS[kind]
    # Halves of characters, which a file's name may have, are no text: written as JSON's escapes.
    text = write(list(signed(rows()))).encode("utf-8", "backslashreplace").decode()
    return {"token": uuid.uuid4().hex, "text": text, "type": mime, "ending": kind.lower()}


def _cells(rows: Rows) -> dict[str, Any]:
    """The first rows as texts."""
    names = list(rows[0]) if rows else []
    shown = [[_text(row.get(name)) for name in names] for row in rows[:MOST]]
    return {"names": names, "rows": shown, "left_out": max(0, len(rows) - MOST)}


def _text(value: object) -> str:
    if value is None:
        return "—"
    return f"{value:.5g}" if isinstance(value, float) else str(value)


TABLE, MOST = "Table", 500
WRITERS: dict[str, tuple[Callable[[Rows], str], str]] = {
    "CSV": (csv_text, "text/csv"),
    "JSON": (json_text, "application/json"),
}
