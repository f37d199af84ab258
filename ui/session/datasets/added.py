"""Data sets that are added on a page: whether they may be, what is looked at, and those there are."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from interpret_core import datasets
from interpret_core.errors import ParameterError, UnitscopeError
from interpret_core.importers.arrangement import MasksBesideError
from interpret_core.uploads.datasets import AddedDatasets
from ui.access import uploads
from ui.session.additions.acts import AdditionActs
from ui.session.datasets import candidates
from ui.session.datasets.candidates import Origin, Staged, Tell
from ui.session.live.queue import Busy

PATIENCE = 5.0  # seconds that somebody waits for another's look to end
_LOOKED = "_looked_at"
_reading = threading.Lock()


@dataclass(frozen=True)
class Looked:
    """What this session has looked at last.

    Attributes:
        mark: tells it from another file, folder or choice.
        origin: what it was made of, for people.
        staged: what was found; None where it came to nothing.
        problem: why, one line.
        masks: whether that is because pictures look like masks of others.
    """

    mark: str
    origin: str
    staged: Staged | None = None
    problem: str = ""
    masks: bool = False


def refusal() -> str:
    """Why no data set can be added here, and what to do; empty where one can."""
    return uploads.refusal("data sets")


def folder() -> AddedDatasets:
    """Where they are.

    Raises:
        ParameterError: there is to be none, or none for this visitor.
    """
    return AddedDatasets(uploads.folder("data sets"))


ACTS = AdditionActs("dataset", "data set", folder, datasets.known)


def mark_of(what: str, origin: Origin) -> str:
    """Tells whether what was looked at is what the form says now.

    Args:
        what: id of a file, or a folder's name.
        origin: how it is to be read.
    """
    return json.dumps([what, origin.classed, origin.photographs])


def looked() -> Looked | None:
    """What this session has looked at and not registered."""
    found = st.session_state.get(_LOOKED)
    return found if isinstance(found, Looked) else None


def forget() -> None:
    """Throw away what was looked at."""
    found = looked()
    if found is not None and found.staged is not None and found.staged.place is not None:
        folder().discard(found.staged.place)
    st.session_state[_LOOKED] = None


def look(mark: str, origin: Origin, tell: Tell) -> None:
    """Make a data set of what was sent or chosen, and keep it for this session.

    Args:
        mark: from `mark_of`.
        origin: an archive, or one of `candidates.folders`.
        tell: progress.
    """
    forget()
    try:
        place = folder()
        if origin.folder is not None and origin.folder not in candidates.folders().values():
            raise ParameterError("This folder is not among those on the server: choose one of the list.")
        with _alone():
            found = Looked(mark, origin.name, candidates.stage(place, origin, tell))
    except MasksBesideError as error:
        found = Looked(mark, origin.name, problem=_without_paths(str(error), origin.name), masks=True)
    except (UnitscopeError, MemoryError) as error:
        found = Looked(mark, origin.name, problem=_without_paths(_words(error), origin.name))
    st.session_state[_LOOKED] = found


def check(tell: Tell) -> None:
    """Look through all files of what is looked at.

    Raises:
        Busy: another one is being looked at.
    """
    found = looked()
    if found is None or found.staged is None:
        return
    try:
        with _alone():
            st.session_state[_LOOKED] = replace(found, staged=candidates.checked(found.staged, tell))
    except Busy:
        raise
    except (UnitscopeError, MemoryError) as error:
        st.session_state[_LOOKED] = replace(found, problem=_without_paths(_words(error), found.origin))


@contextmanager
def _alone() -> Iterator[None]:
    """One data set at a time is unpacked and read through: it takes the disk, and not the turns of others."""
    if not _reading.acquire(timeout=PATIENCE):
        raise Busy("Another data set is being looked at just now: try again in a moment.")
    try:
        yield
    finally:
        _reading.release()


def _words(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "There is too little memory for these pictures just now."
    return str(error)


def register(name: str) -> None:
    """Make what was looked at a data set of this name.

    Raises:
        UserError: nothing was; the name is taken meanwhile; the files are gone. One clear line.
    """
    found = looked()
    if found is None or found.staged is None:
        raise ParameterError("Nothing has been looked at: look at it first.")
    ACTS.require_free(name)
    folder().register(name, Path(found.staged.dataset.root), found.origin)
    st.session_state[_LOOKED] = None
    ACTS.noted("added", name)


def _without_paths(told: str, name: str) -> str:
    """A message without where the server keeps an archive's files, which a reader need not know."""
    own = re.escape(str(folder().folder)) + r"/files/[0-9a-f]{32}/(archive|pictures(/images/pictures)?)"
    return re.sub(own, lambda _: name, told)
