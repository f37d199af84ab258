"""Progress out, cancellation in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from interpret_core.errors import Cancelled

Tell = Callable[[str, int, int], None]  # stage, steps done, steps in all


@dataclass
class Reporter:
    """Progress out, cancellation in, time per stage.

    Attributes:
        tell: called with the stage's name, the images done over all stages, and their total.
        cancelled: asked before every batch.
        seconds: wall-clock seconds by stage.
        tell_part: called in place of `tell` by what is counted by itself, with more to come after it.
    """

    tell: Tell = lambda _stage, _done, _total: None
    cancelled: Callable[[], bool] = lambda: False
    total: int = 0
    done: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    tell_part: Tell | None = None

    def advance(self, stage: str, images: int, since: float | None = None) -> None:
        """Count finished images of a stage, and the time they took."""
        self.done += images
        self.total = max(self.total, self.done)
        if since is not None:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - since
        self.check()
        self.tell(stage, self.done, self.total)

    def check(self) -> None:
        """Stop here if the user asked for it."""
        if self.cancelled():
            raise Cancelled("Cancelled. Finished parts are kept; the same request continues from them.")
