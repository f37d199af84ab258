"""The view is its URL: one place that reads, checks and writes the query parameters.

`network`, `dataset` and `cutoff` are entry-point widgets bound by Streamlit, so they survive a page switch.
Everything else is written here, in callbacks only, and a widget is set from the URL before it is drawn: the
URL is the truth, never a copy of it. Streamlit drops an invalid bound value in silence, therefore `complain`
looks at the raw parameters before any widget exists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import streamlit as st

from ui.plain import plain

ENTRY = ("network", "dataset", "cutoff", "min_images")
CUTOFF_DEFAULT = 0.04
CUTOFF_MAX = 0.3
_NOTICES = "_notices"
_LAST = "_last_view"


def parameter(name: str, default: str = "") -> str:
    """The raw value of a query parameter, cut to a length no honest link reaches."""
    return str(st.query_params.get(name, default))[:200]


def change(**values: str | int | float | None) -> None:
    """Write parameters; None or an empty text removes one, so that a default leaves no trace in the URL."""
    wanted = {name: "" if value is None else str(value) for name, value in values.items()}
    for name, value in wanted.items():
        if not value and name in st.query_params:
            del st.query_params[name]
    new = {name: value for name, value in wanted.items() if value and parameter(name) != value}
    if new:
        st.query_params.update(new)


def complain(line: str) -> None:
    """Queue one friendly line about a parameter that cannot be followed."""
    notices = st.session_state.setdefault(_NOTICES, [])
    if line not in notices:
        notices.append(line)


def notices() -> list[str]:
    """Lines queued since they were last shown."""
    return list(st.session_state.pop(_NOTICES, []))


def one_of(name: str, options: Sequence[str], default: str, kind: str = "") -> str:
    """The parameter if it is one of the options, else the nearest valid value and a line that says so."""
    raw = parameter(name)
    if not raw:
        return default
    if raw in options:
        return raw
    near = get_close_matches(raw, options, n=1, cutoff=0.6)
    chosen = near[0] if near else default
    complain(
        f"The link asks for {kind or name} “{_clip(raw)}”, which is not here; "
        f"showing {plain(chosen) or 'all'}."
    )
    _correct(name, "" if chosen == default else chosen)
    return chosen


def several_of(name: str, options: Sequence[str], kind: str = "") -> list[str]:
    """A comma-separated parameter, reduced to the options it names."""
    wanted = [part for part in parameter(name).split(",") if part]
    known = [part for part in wanted if part in options]
    for part in wanted:
        if part not in options:
            complain(f"The link asks for {kind or name} “{_clip(part)}”, which is not here; leaving it out.")
    if known != wanted:
        _correct(name, ",".join(known))
    return known


def whole(name: str, low: int, high: int, default: int, kind: str = "") -> int:
    """An integer parameter within [low, high], clamped with a line that says so."""
    raw = parameter(name)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        complain(f"The link asks for {kind or name} “{_clip(raw)}”, not a whole number; showing {default}.")
        _correct(name, "")
        return default
    nearest = min(max(value, low), high)
    if nearest != value:
        complain(
            f"The link asks for {kind or name} {_clip(raw)}; it runs from {low} to {high}, showing {nearest}."
        )
        _correct(name, str(nearest))
    return nearest


def number_range(name: str, low: float, high: float) -> tuple[float, float]:
    """A `from-to` parameter of two numbers within [low, high]."""
    raw = parameter(name)
    if not raw:
        return low, high
    parts = raw.split("-")
    try:
        first, last = (float(part) for part in parts)
    except ValueError:
        first = last = math.nan
    if not (low <= first <= last):
        complain(
            f"The link asks for {name} “{_clip(raw)}”, expected two numbers such as 0.04-0.2; showing all."
        )
        _correct(name, "")
        return low, high
    return min(first, high), min(last, high)


def flag(name: str) -> bool:
    """A yes/no parameter."""
    raw = parameter(name)
    if raw not in ("", "1"):
        complain(f"The link asks for {name} “{_clip(raw)}”, expected 1 or nothing; leaving it off.")
        _correct(name, "")
    return raw == "1"


def check_entry(networks: Sequence[str], datasets: Sequence[str]) -> None:
    """Say so when the link names an unknown network, data set or cut-off; the widgets fall back alone."""
    for name, known, kind in (("network", networks, "network"), ("dataset", datasets, "data set")):
        raw = parameter(name)
        if raw and raw not in known:
            complain(
                f"The link asks for {kind} “{_clip(raw)}”, which is not known here; showing another one."
            )
    raw = parameter("cutoff")
    try:
        good = not raw or 0 <= float(raw) <= CUTOFF_MAX
    except ValueError:
        good = False
    if not good:
        complain(
            f"The link asks for cut-off “{_clip(raw)}”, expected 0 to {CUTOFF_MAX}; showing {CUTOFF_DEFAULT}."
        )


def follow(key: str, value: Any) -> str:
    """Set a widget from the URL just before it is drawn; returns the key."""
    st.session_state[key] = value
    return key


def writer(
    name: str, key: str, to_text: Callable[[Any], str], *, clear: Iterable[str] = ()
) -> Callable[[], None]:
    """A callback that writes a widget's value to the URL and removes parameters that no longer apply."""

    def write() -> None:
        change(**{name: to_text(st.session_state[key])}, **dict.fromkeys(clear))

    return write


def recall(page: str, names: Sequence[str]) -> None:
    """Bring back the page's last view when it is entered from the menu without parameters of its own."""
    last: dict[str, Any] = st.session_state.setdefault(_LAST, {"page": page})
    entered, last["page"] = last["page"] != page, page
    if entered and last.get(page) and not any(map(parameter, names)):
        st.query_params.update(last[page])


def keep(page: str, names: Sequence[str]) -> None:
    """Note the page's view for `recall`; fragments call it as well, since they change the view alone."""
    st.session_state.setdefault(_LAST, {"page": page})[page] = {
        n: parameter(n) for n in names if parameter(n)
    }


def _correct(name: str, value: str) -> None:
    if name not in ENTRY:
        change(**{name: value})


def _clip(text: str) -> str:
    # Shown as Markdown: control characters, backticks and brackets are dropped rather than escaped.
    kept = "".join(c for c in text if c.isprintable() and c not in "`[]<>*$\\:#|")
    return kept if len(kept) <= 40 else kept[:39] + "…"
