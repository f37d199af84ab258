"""The one exception tree. Every message gives the value, what was expected, and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches


class UnitscopeError(Exception):
    """Anything Unitscope raises on purpose."""


class UserError(UnitscopeError, ValueError):
    """A mistake the user can mend: one clear line, exit status 2 on the command line."""


class NetworkError(UserError):
    """Unknown network, or one that cannot be built."""


class WeightsError(NetworkError):
    """Weights that are missing, unsafe, damaged or of another architecture."""


class CodeChangedError(NetworkError):
    """A network's code on disk is no longer what this process imported: only a fresh process can use it."""


class NoGradientError(NetworkError):
    """Gradients do not reach a layer from the output, so nothing can be attributed to its units."""


class LayerError(UserError):
    """Unknown layer or unit."""


class DatasetError(UserError):
    """Missing data set, wrong layout, or contradictory tables."""


class DamagedFileError(DatasetError):
    """One image or annotation that cannot be read; it is skipped and counted unless strict."""


class ChangedFileError(DatasetError):
    """A file that is not what the data set's digest knows of it; whatever reads it stops, keeping nothing."""


class ParameterError(UserError):
    """A parameter outside its range."""


class DownloadError(UserError):
    """A download that failed or whose checksum differs."""


class StoreError(UserError):
    """The result store cannot be written or read (permissions, full disk)."""


class NonFiniteError(UnitscopeError):
    """NaN or infinity in a response; the message names the layer and the image."""


class Cancelled(UnitscopeError):
    """The user stopped a computation; finished shards stay in the store."""


def unknown(
    kind: str, value: object, known: Iterable[str], remedy: str = "", shown: Callable[[str], str] = str
) -> str:
    """One line for an unknown name: the value, the nearest known names as `shown` writes them, the remedy."""
    names = list(known)
    near = get_close_matches(str(value), names, n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(map(shown, near))}?" if near else _some([*map(shown, names[:9])])
    return " ".join(filter(None, [f"Unknown {kind} {str(value)!r}:", hint, remedy]))


def _some(names: list[str]) -> str:
    if not names:
        return "none are known."
    shown = ", ".join(names[:8])
    return f"known are {shown}{' …' if len(names) > 8 else ''}."
