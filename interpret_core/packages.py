"""What installed packages add, by the entry points of a group."""

from __future__ import annotations

import logging
from importlib.metadata import entry_points
from typing import TypeVar

from interpret_core.errors import UnitscopeError

logger = logging.getLogger(__name__)
T = TypeVar("T")


class LeftOutError(UnitscopeError):
    """Something that a package adds cannot be taken; never reaches the user but as a line in the log."""


def installed(group: str, kind: type[T]) -> list[tuple[str, T]]:
    """(where, what) each entry point of a group names, by name; those that are no `kind` are left out.

    One that cannot be loaded is left out with a line in the log: whatever somebody's package does, the rest
    works.
    """
    found = []
    for point in sorted(entry_points(group=group), key=lambda one: one.name):
        try:
            loaded = point.load()
            if not isinstance(loaded, kind):
                raise LeftOutError(f"it is of type {type(loaded).__name__}, expected {kind.__name__}")
        except Exception as error:
            leave_out(point.value, error)
        else:
            found.append((point.value, loaded))
    return found


def leave_out(where: str, error: Exception) -> None:
    """Say in the log what is not taken, and why."""
    logger.warning("%s is left out: %s: %s.", where, type(error).__name__, error)
