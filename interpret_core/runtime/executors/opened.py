"""What a worker has open: found and checked once, for all passes of a run."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, TypeVar

from interpret_core.runtime.executors.base import Found, Work
from interpret_core.runtime.reporter import Reporter

P = TypeVar("P")
_turn = threading.Lock()  # a network computes one piece at a time
_open: tuple[str, Any] | None = None


def performed(sent: Work[Any, P], piece: P) -> Found:
    """A piece, computed by this worker.

    Raises:
        UserError: network or data set are not there, or are other ones.
    """
    global _open
    with _turn:
        if _open is None or _open[0] != sent.opening.name:
            _open = None  # before the next one takes memory, too
            _open = sent.opening.name, sent.opening.open()
        return replace(sent, material=_open[1]).here(piece, Reporter())
