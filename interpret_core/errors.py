"""The one exception tree. Every message gives the value, what was expected, and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from heapq import nsmallest

NEAR = 0.4  # how alike a name must be to be suggested, 0 to 1
SUGGESTED, TOLD = 3, 8  # names in a message


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
    kind: str,
    value: object,
    known: Iterable[str],
    remedy: str = "",
    shown: Callable[[str], str] = str,
    looked: object = "",
) -> str:
    """One line for an unknown name.

    Args:
        kind: what it should be a name of.
        value: the name.
        known: those that there are; the nearest are told, and the first of them where none is near.
        remedy: what else to do, as a sentence.
        shown: how names are written.
        looked: where names were looked for, a folder or a file; told where none is near.
    """
    names, text = list(known), str(value)
    folder = text[: text.rfind("/") + 1]
    # What all names of a folder begin with makes none of them nearer than another.
    inside = sorted(name for name in names if folder and name.startswith(folder))
    near = _near(text, inside or names, len(folder) if inside else 0)
    hint = f"did you mean {', '.join(map(shown, near))}?" if near else _some(inside or names, shown, looked)
    return " ".join(filter(None, [f"Unknown {kind} {text!r}:", hint, remedy]))


def _near(text: str, names: Iterable[str], start: int) -> list[str]:
    """The nearest of them, the most similar first, then by name.

    Args:
        text: what was written.
        names: of what there is.
        start: letters that all of them share, and that are not compared.
    """
    matcher = SequenceMatcher()
    matcher.set_seq2(text[start:])
    found = []
    for name in names:
        matcher.set_seq1(name[start:])
        if min(matcher.real_quick_ratio(), matcher.quick_ratio()) >= NEAR and matcher.ratio() >= NEAR:
            found.append((-matcher.ratio(), name))
    return [name for _, name in nsmallest(SUGGESTED, found)]


def _some(names: list[str], shown: Callable[[str], str], looked: object) -> str:
    where = f" (looked in {looked})" if str(looked) else ""
    if not names:
        return f"none are known{where}."
    told = ", ".join(map(shown, names[:TOLD]))
    return f"known are {told}{' …' if len(names) > TOLD else ''}{where}."
