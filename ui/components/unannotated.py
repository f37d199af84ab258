"""What pages about concepts say of photographs in which nothing is annotated, before anything is computed."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from interpret_core.errors import UnitscopeError
from ui.session import results
from ui.shell import links
from ui.shell.plain import plain
from ui.shell.sidebar import Ask


def ends(ask: Ask | None, why: str) -> bool:
    """Whether there is nothing for a page to show, whatever is computed; says where to go instead.

    Args:
        ask: what is looked at; None where there is no data set.
        why: what follows from it, the end of a sentence.
    """
    with suppress(UnitscopeError):  # whoever needs the data set says what is wrong with it
        if ask is None or results.dataset(ask.dataset).annotated:
            return False
        st.markdown(f"**{plain(ask.dataset)}**: nothing is annotated in these photographs, {why}")
        st.markdown(
            f"[Units]({links.to('units')}) shows each unit’s strongest photographs, its colours and shades, "
            "and which labels of whole images it tells, where there are any; "
            f"[Relevance]({links.to('relevance')}) for which classes a unit matters."
        )
        return True
    return False
