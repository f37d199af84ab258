"""How a request is run: device, progress, cancellation."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

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


@dataclass(frozen=True)
class Execution:
    """How to run, not what: nothing here changes a result's bytes.

    Attributes:
        device: "auto", "cpu", "cuda" or "mps".
        shards: shards of every pass, default one per eight batches.
        order: the order in which shards run.
        tell: progress: stage, images done, images in all.
        cancelled: asked before every batch.
        tell_part: called in place of `tell` while something is computed that is only needed for the rest:
            its total is not that of the whole. Without it, `tell` is.
    """

    device: str = "auto"
    shards: int | None = None
    order: Sequence[int] | None = None
    tell: Tell = lambda _stage, _done, _total: None
    cancelled: Callable[[], bool] = lambda: False
    tell_part: Tell | None = None

    def reporter(self) -> Reporter:
        """A new count of this run's progress."""
        return Reporter(self.tell, self.cancelled, tell_part=self.tell_part)

    def of_part(self) -> Execution:
        """The same for what has to be computed first."""
        return replace(self, tell=self.tell_part or self.tell)
