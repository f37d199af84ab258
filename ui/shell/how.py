"""How numbers are computed: the texts of `how.md`, and the popover that shows them."""

from __future__ import annotations

import streamlit as st

from ui.shell.theme import asset


def _sections(text: str) -> dict[str, str]:
    """`## key` headings to their text."""
    parts = text.split("\n## ")[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}


HOW = _sections(asset("shell/how.md"))


def how(*names: str) -> None:
    """A popover with the formula and its source."""
    with st.popover("How computed", type="tertiary"):
        st.markdown("\n\n".join(HOW[name] for name in names))
