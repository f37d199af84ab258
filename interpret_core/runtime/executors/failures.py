"""What goes wrong in a worker, so that it arrives as what it is, or at least in the same words."""

from __future__ import annotations

import pickle
import traceback

from interpret_core import errors
from interpret_core.errors import UnitscopeError


def sendable(error: Exception) -> Exception:
    """An exception as it can be sent to another process.

    Args:
        error: as it was caught in a worker.

    Returns:
        The same, where pickling brings back one of its class with its message. Else, with the class's name
        before the message, one of the nearest class of `interpret_core.errors` above its own, so that
        whoever tells mistakes of a user from others still does; `UnitscopeError` where there is none. What
        nobody raises on purpose bears where it happened as a note.
    """
    if not isinstance(error, UnitscopeError):
        lines = traceback.format_exception(error)
        error.add_note("".join(["In a worker:\n", *lines]).rstrip())
    return error if _survives(error) else _replaced(error)


def _survives(error: Exception) -> bool:
    try:
        back = pickle.loads(pickle.dumps(error, protocol=5))  # noqa: S301  # what was written a moment ago
    except Exception:  # whatever its class does when it is made anew
        return False
    return type(back) is type(error) and str(back) == str(error)


def _replaced(error: Exception) -> Exception:
    above = (kind for kind in type(error).__mro__ if issubclass(kind, UnitscopeError))
    kind = next((one for one in above if getattr(errors, one.__name__, None) is one), UnitscopeError)
    made: Exception = kind(f"{type(error).__name__}: {error}")
    for note in getattr(error, "__notes__", ()):
        made.add_note(str(note))
    return made
