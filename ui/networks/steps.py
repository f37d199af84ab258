"""From a filled form to a network: examine the file, read what was found, register it."""

from __future__ import annotations

import streamlit as st

from ui.components.added_rows import registered, welcomed
from ui.components.examination import examination_report
from ui.networks import form
from ui.networks.form import Draft
from ui.session.networks import added
from ui.session.networks.added import Examined
from ui.shell.plain import plain

_DONE = "_network_added"


def steps() -> None:
    """Draw the form and what follows from it."""
    welcomed(_DONE, _way_on)
    draft = form.form()
    asked = st.button(
        "Examine",
        type="primary" if not _ready(draft) else "secondary",
        disabled=bool(draft.problems),
        key="examine_file",
        help="Loads the file into the architecture and runs it on three test images: nothing is registered.",
    )
    if draft.problems:
        st.caption(" ".join(draft.problems))
    if asked and draft.file is not None:
        with st.spinner("Loading the network and running it on three test images …", show_time=True):
            added.examine(
                draft.mark, draft.name or "new", draft.file.getbuffer(), draft.file.name, draft.entry
            )
        st.rerun()
    if draft.file is None:  # taken away, or somebody has been on another page
        added.forget()
    found = added.examined()
    if found is not None:
        _told(draft, found)


def _ready(draft: Draft) -> bool:
    found = added.examined()
    return found is not None and found.mark == draft.mark and not found.problem and not draft.problems


def _told(draft: Draft, found: Examined) -> None:
    """What the examination found, and the way on."""
    if draft.problems:  # what cannot be read is left out of the entry: it is another one than is meant
        return
    if found.mark != draft.mark:
        st.info("The form has changed since the examination: press “Examine” again.")
        return
    if found.report is None:
        st.error(plain(found.problem))
        return
    st.subheader("What was found")
    unfit = added.unfit(found)
    if unfit:
        st.error(plain(unfit))
    else:
        _offer(draft)
    examination_report(dict(found.report))


def _offer(draft: Draft) -> None:
    """The button that makes it a network."""
    if registered(added.ACTS, draft.name, added.register, _DONE):
        form.anew()
        st.rerun()


def _way_on(name: str) -> tuple[str, dict[str, str]]:
    return "Find what its units detect →", {"network": name}
