"""Ctrl-C and SIGTERM: at once where nothing can be lost, after the current batch where results are kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Listens to both signals while entered; what was there before comes back afterwards.

    Outside `patiently` a signal raises KeyboardInterrupt. Inside, the first is only noted, for the
    computation to ask about; a second one raises.
    """

    def __init__(self) -> None:
        self._asked = False
        self._patient = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():  # others cannot set handlers
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def asked(self) -> bool:
        """Whether to stop; for a computation's `cancelled`."""
        return self._asked

    @contextmanager
    def patiently(self) -> Iterator[Stop]:
        """Let the block find out by asking."""
        self._patient = True
        try:
            yield self
        finally:
            self._patient = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        again, self._asked = self._asked, True
        if again or not self._patient:
            raise KeyboardInterrupt
