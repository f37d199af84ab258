"""The view is its URL: one place that reads, checks and writes the query parameters.

Everything is written here, in callbacks, and a widget is set from the URL before it is drawn: the URL is the
truth, never a copy of it. No widget is bound by Streamlit (`bind="query-params"`): that leaves defaults out
of the address, and so a link would show another network where the defaults differ. What belongs to every
page (`ENTRY`) travels in the links between them (`ui.shell.links`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import streamlit as st

from interpret_core.analyses.profile.request import CUTOFF
from interpret_core.options import RequestField
from ui.shell import addresses, lists, notices
from ui.shell.notices import complain
from ui.shell.plain import plain, shortened

ENTRY = ("network", "dataset", "cutoff", "min_images", "silence", "present")
LONGEST = 20_000  # characters of one value; no honest link reaches them
CUTOFF_DEFAULT = CUTOFF
CUTOFF_MAX = 0.3
IMAGES_MAX = 1000
NOTHING: Mapping[str, str] = MappingProxyType({})
_LAST = "_last_view"
_ENTRY = "_entry"


def parameter(name: str, default: str = "") -> str:
    """The value of a query parameter; a line says so where there are several, or where it is too long."""
    values = addresses.parameters().get(name, [])
    value = values[-1] if values else default
    if len(values) > 1:
        complain(f"The link gives “{plain(name)}” {len(values)} times; the last one counts.")
    if len(value) > LONGEST:
        complain(f"“{plain(name)}” in the link is longer than {LONGEST:,} characters; its end is left out.")
        value = value[:LONGEST].rpartition(",")[0]  # half an entry would be another one
    if values and values != [value]:
        repair(**{name: value})
    return value


def change(**values: str | int | float | None) -> None:
    """Write parameters, as one entry of the browser's history.

    None or an empty text removes one, so that a default leaves no trace in the URL.
    """
    before = addresses.parameters()
    after = dict(before)
    for name, value in values.items():
        text = "" if value is None else str(value)
        if text:
            after[name] = [text]
        else:
            after.pop(name, None)
    if after != before:
        addresses.write(after)


def repair(**values: str | int | float | None) -> None:
    """Write what the page shows in place of what the address asks for; lines about it stay where they are."""
    notices.look()
    change(**values)
    notices.put_right()


def one_of(
    name: str,
    options: Sequence[str],
    default: str,
    kind: str = "",
    meant: Callable[[str], Sequence[str]] = lambda _raw: (),
) -> str:
    """The parameter if it is one of the options, else the nearest valid value and a line that says so.

    Args:
        name: of the parameter.
        options: valid values.
        default: where the parameter is missing.
        kind: what it is called.
        meant: options that another value may mean: one is taken, of several none is, and all are named.
    """
    raw = parameter(name)
    if not raw:
        return default
    if raw in options:
        return raw
    known = [option for option in meant(raw) if option in options]
    if len(known) == 1:
        return known[0]
    if known:
        complain(
            f"The link asks for {kind or name} “{shortened(raw)}”, which is the name of {len(known)} here: "
            f"{', '.join(map(plain, known[:8]))}; showing {plain(default) or 'all'}."
        )
        change(**{name: ""})
        return default
    near = get_close_matches(raw, options, n=1, cutoff=0.6)
    chosen = near[0] if near else default
    complain(
        f"The link asks for {kind or name} “{shortened(raw)}”, which is not here; "
        f"showing {plain(chosen) or 'all'}."
    )
    repair(**{name: "" if chosen == default else chosen})
    return chosen


def choice_of(field: RequestField, kind: str = "") -> str:
    """A field of a request that has choices, under its name in the address."""
    return one_of(field.query, field.choices, field.default, kind)


def several_of(
    name: str, options: Sequence[str], kind: str, most: int = 0, refused: Mapping[str, str] = NOTHING
) -> list[str]:
    """A parameter that lists names, reduced to the options among them; a line for each that is left out.

    Args:
        name: of the parameter.
        options: what may be named.
        kind: what they are called.
        most: how many may be named; any number for 0.
        refused: name -> why just this one cannot be followed.
    """
    wanted = lists.split(parameter(name))
    known: list[str] = []
    for part in wanted:
        found = part if part in options else part.strip()
        if found in known:
            why = "twice; it counts once"
        elif found not in options:
            why = refused.get(found, "which is not here; leaving it out")
        elif most and len(known) == most:
            why = f"one more than {most}; leaving it out"
        else:
            known.append(found)
            continue
        complain(f"The link asks for {kind} “{shortened(found)}”, {why}.")
    if known != wanted:
        repair(**{name: lists.joined(known)})
    return known


def whole(name: str, low: int, high: int, default: int, kind: str = "") -> int:
    """An integer parameter within [low, high], clamped with a line that says so."""
    raw = parameter(name)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        complain(
            f"The link asks for {kind or name} “{shortened(raw)}”, not a whole number; showing {default}."
        )
        repair(**{name: ""})
        return default
    nearest = min(max(value, low), high)
    if nearest != value:
        complain(
            f"The link asks for {kind or name} {shortened(raw)}; it runs from {low} to {high}, "
            f"showing {nearest}."
        )
        repair(**{name: str(nearest)})
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
    if not (low <= first <= min(last, high)):
        complain(
            f"The link asks for {name} “{shortened(raw)}”, expected two numbers from {low:g} to {high:g}, "
            "such as 0.04-0.2; showing all."
        )
        repair(**{name: ""})
        return low, high
    return first, min(last, high)


def flag(name: str) -> bool:
    """A yes/no parameter."""
    raw = parameter(name)
    if raw not in ("", "1"):
        complain(f"The link asks for {name} “{shortened(raw)}”, expected 1 or nothing; leaving it off.")
        repair(**{name: ""})
    return raw == "1"


def name_of(name: str, known: Sequence[str], kind: str, default: Callable[[], str]) -> str | None:
    """The network or the data set: the URL's, else this session's last one, else the default, in the URL.

    Args:
        name: of the parameter.
        known: registered names; without any the answer is None.
        kind: what it is called.
        default: asked only where neither the URL nor the session names one.
    """
    raw = parameter(name)
    if raw and raw not in known:
        complain(
            f"The link asks for {kind} “{shortened(raw)}”, which is not known here; showing another one."
        )
    if not known:
        return None
    last: dict[str, str] = st.session_state.setdefault(_ENTRY, {})
    if raw in known:
        last[name] = raw
    elif last.get(name) not in known:
        last[name] = default()
    return last[name]


def number_of(name: str, low: float, high: float, default: float, kind: str) -> float:
    """A rule in the sidebar: the URL's number, else the default."""
    raw = parameter(name)
    try:
        value = float(raw) if raw else default
    except ValueError:
        value = math.nan
    if low <= value <= high:
        return value + 0.0  # a minus before nothing is none
    complain(
        f"The link asks for {kind} “{shortened(raw)}”, expected {low:g} to {high:g}; showing {default:g}."
    )
    repair(**{name: None})
    return default


def entry(network: str = "") -> dict[str, str]:
    """What the URL says for every page; a link to another page carries it.

    Args:
        network: that the link leads to, where it is not the present one: units picked by hand stay behind.
    """
    here = {name: parameter(name) for name in ENTRY if parameter(name)}
    if network and network != here.get("network"):
        here = {**here, "network": network}
        here.pop("silence", None)
    return here


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


def keep(page: str, names: Sequence[str]) -> None:
    """Note the page's view for the way back to it; fragments call it too, since they change it alone."""
    view = {name: parameter(name) for name in names if parameter(name)}
    st.session_state.setdefault(_LAST, {})[page] = (_whose(), view)


def last_view(page: str) -> dict[str, str]:
    """The page's own parameters as it was left, if it was about the present network and data set."""
    whose, view = st.session_state.get(_LAST, {}).get(page, ("", {}))
    return dict(view) if whose == _whose() else {}


def _whose() -> tuple[str, str]:
    return parameter("network"), parameter("dataset")
