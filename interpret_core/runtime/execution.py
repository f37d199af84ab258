"""How a request is run: device, executor, progress, cancellation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from interpret_core.runtime.executors.base import HERE, Executor
from interpret_core.runtime.reporter import Reporter, Tell


@dataclass(frozen=True)
class Execution:
    """How to run, not what: nothing here changes a result's bytes.

    Attributes:
        device: "auto", "cpu", "cuda" or "mps".
        executor: who computes the pieces of a pass.
        shards: shards of every pass, default one per eight batches.
        order: the order in which shards run.
        tell: progress: stage, images done, images in all.
        cancelled: asked before every batch.
        tell_part: called in place of `tell` while something is computed that is only needed for the rest:
            its total is not that of the whole. Without it, `tell` is.
        tally: whose kernels count, see `measures.dissection.twin.choice.kernels_for`.
    """

    device: str = "auto"
    executor: Executor = HERE
    shards: int | None = None
    order: Sequence[int] | None = None
    tell: Tell = lambda _stage, _done, _total: None
    cancelled: Callable[[], bool] = lambda: False
    tell_part: Tell | None = None
    tally: str = "auto"

    def reporter(self) -> Reporter:
        """A new count of this run's progress."""
        return Reporter(self.tell, self.cancelled, tell_part=self.tell_part)

    def of_part(self) -> Execution:
        """The same for what has to be computed first."""
        return replace(self, tell=self.tell_part or self.tell)
