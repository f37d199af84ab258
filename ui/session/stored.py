"""The store of this installation, and what lies in it under a key."""

from __future__ import annotations

from interpret_core import config
from interpret_core.store.records import Record
from interpret_core.store.store import Store
from ui.session.memory import kept, once


class Missing(Exception):
    """Not computed yet."""


@kept(4, kind="")
def _store(folder: str) -> Store:
    return Store(folder)


@once
def store() -> Store:
    """The result store of this installation."""
    return _store(str(config.current().cache))


@once
def present(keys: tuple[str, ...]) -> frozenset[str]:
    """Those of some keys under which the store holds a record."""
    return frozenset(store().present(keys))


def record(key: str) -> Record:
    """An entry of the store.

    Raises:
        Missing: not computed yet.
    """
    found = store().get(key)
    if found is None:
        raise Missing
    return found
