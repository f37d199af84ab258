"""A choice that stands in the address: read from it, drawn, and written back where somebody chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from ui.shell import state


def choice(
    label: str,
    name: str,
    options: Mapping[str, str],
    default: str,
    *,
    kind: str = "",
    box: Callable[..., Any] = st.selectbox,
    **more: Any,
) -> str:
    """Draw one choice; the default leaves no trace in the address.

    Args:
        label: of the control, also where it is hidden.
        name: of the parameter.
        options: value in the address -> its words.
        default: where the address says nothing.
        kind: what it is called where the address cannot be followed.
        box: draws it: `st.selectbox`, `st.segmented_control` or that of another place.
        more: for `box`.

    Returns:
        What the address says, or the nearest valid value after a line about it.
    """
    chosen = state.one_of(name, [option for option in options if option], default, kind)
    key = state.follow(f"pick_{name}", chosen)
    box(
        label,
        list(options),
        key=key,
        format_func=options.__getitem__,
        on_change=state.writer(name, key, lambda value: "" if value == default else str(value)),
        **more,
    )
    return chosen


def buttons(
    label: str,
    name: str,
    options: Mapping[str, str],
    default: str,
    *,
    kind: str = "",
    labelled: bool = False,
) -> str:
    """The same as buttons beside each other; the label is heard, and seen where `labelled`."""
    seen = "visible" if labelled else "collapsed"
    box = partial(st.segmented_control, required=True, label_visibility=seen)
    return choice(label, name, options, default, kind=kind, box=box)
