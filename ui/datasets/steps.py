"""From a filled form to a data set: look at it, read what was found, register it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import streamlit as st

from interpret_core import demo
from ui.components.added_rows import registered, welcomed
from ui.datasets import form
from ui.datasets.form import DatasetDraft
from ui.datasets.report import report
from ui.session import precedence
from ui.session.datasets import added, candidates
from ui.session.datasets.added import Looked
from ui.session.datasets.candidates import Tell
from ui.session.live.queue import Busy
from ui.shell.plain import plain
from ui.shell.sidebar import Ask

AT_ONCE = 2_000  # pictures up to which all files are read without being asked for
PACE = 0.2  # seconds between two steps of a bar
_DONE, _WANTED = "_dataset_added", "_look_wanted"
_STAGES = {
    "unpack": "Unpacking",
    "import": "Reading the pictures",
    "read files": "Reading the files",
    "check": "Looking for mistakes",
}


def steps(ask: Ask | None) -> None:
    """Draw the form and what follows from it."""
    welcomed(_DONE, partial(_way_on, ask))
    draft = form.form()
    asked = st.button(
        "Look at it",
        type="secondary" if _ready(draft) else "primary",
        disabled=draft.origin is None,
        key="look",
        help="Unpacks it, shows ten of its pictures with their labels, and looks for mistakes: nothing is "
        "registered, and nothing is computed.",
    )
    if draft.origin is None:
        st.caption("No archive yet." if not candidates.folders() else "No archive and no folder yet.")
        added.forget()  # taken away, or somebody has been on another page
        return
    if asked:
        st.session_state[_WANTED] = draft.mark
    # Whoever types a name meanwhile ends this run, and the next one begins the look again.
    if st.session_state.get(_WANTED) == draft.mark:
        with _progress() as tell:
            added.look(draft.mark, draft.origin, tell)
        del st.session_state[_WANTED]
        st.rerun()
    found = added.looked()
    if found is not None:
        _told(draft, found)


def _ready(draft: DatasetDraft) -> bool:
    found = added.looked()
    return found is not None and found.mark == draft.mark and found.staged is not None


def _told(draft: DatasetDraft, found: Looked) -> None:
    """What was found, and the way on."""
    if found.mark != draft.mark:
        st.info("The form has changed since: press “Look at it” again.")
        return
    if found.staged is None:
        st.error(plain(found.problem))
        return
    st.subheader("What was found")
    _offer(draft)
    report(found.staged)
    if found.problem:
        st.error(plain(found.problem))
    elif found.staged.check is None:
        _check(len(found.staged.dataset))


def _offer(draft: DatasetDraft) -> None:
    """The button that makes it a data set."""
    if registered(added.ACTS, draft.name, added.register, _DONE):
        form.anew()
        st.rerun()


def _check(pictures: int) -> None:
    """Read every file: at once where they are few, else where somebody asks for it."""
    if pictures > AT_ONCE and not st.button(
        f"Look through all {pictures:,} pictures",
        key="check_dataset",
        help="Reads every picture and mask once, counts labels, and looks for likely mistakes. It can be "
        "registered without.",
    ):
        return
    try:
        with _progress() as tell:
            added.check(tell)
    except Busy as error:
        st.info(plain(str(error)))
        st.button("Look through it", key="check_again")
        return
    st.rerun()


@contextmanager
def _progress() -> Iterator[Tell]:
    """A bar that follows what is told."""
    bar = st.progress(0.0, "Beginning …")
    last = [0.0]

    def tell(stage: str, done: int, total: int | None) -> None:
        if time.monotonic() - last[0] < PACE:
            return
        last[0] = time.monotonic()
        words = _STAGES.get(stage, "Reading")
        of = f" of {total:,}" if total else ""
        bar.progress(min(1.0, done / total) if total else 0.0, f"{words}: {done:,}{of}")

    try:
        yield tell
    finally:
        bar.empty()


def _way_on(ask: Ask | None, name: str) -> tuple[str, dict[str, str]]:
    """The demo's networks know no photographs: another one then."""
    network = ask.network if ask else ""
    if not network or network.startswith(demo.PREFIX):
        network = precedence.first(name)
    words = f"Find what the units of {plain(network)} detect in it →"
    return words, {"dataset": name, "network": network}
