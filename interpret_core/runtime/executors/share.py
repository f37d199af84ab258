"""Its share of every pass, for a run whose other parts run elsewhere, at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import torch

from interpret_core.runtime.executors.base import Executor, Found, Work
from interpret_core.runtime.executors.kind import ProcessorKind
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.rounds import Share

P = TypeVar("P")
CPU = torch.device("cpu")


class SharedExecutor(Executor):
    """Computes one part's pieces.

    Args:
        share: which.
        inner: who computes them.

    Attributes:
        asked: the kind of processes that was asked for, as far as anything that was computed depends on it.
    """

    def __init__(self, share: Share, inner: Executor) -> None:
        self.share, self._inner = share, inner
        self.asked: ProcessorKind | None = None
        self._threads = 0

    def kind(self, device: torch.device) -> ProcessorKind:
        """That of whoever computes."""
        self.asked = self._inner.kind(device)
        return self.asked

    def own(self, number: int) -> bool:
        """Whether it is one of this part's."""
        return self.share.has(number)

    def round_ends(self, own: int, missing: int, last: bool) -> bool:
        """Where pieces of others are missing; and after a pass that it has had a share in.

        A part that was late and has completed a pass would else be ahead of all others from then on, and
        they would wait for each other.
        """
        return own < missing or (own > 0 and not last and self.share.of > 1)

    def results(
        self, work: Work[Any, P], pieces: Sequence[P], reporter: Reporter, done: Callable[[P], None]
    ) -> Iterator[tuple[P, Found]]:
        """As whoever computes has them."""
        return self._inner.results(work, pieces, reporter, done)

    def __enter__(self) -> Executor:
        # What this process looks at before a pass (which windows to count in) decides what the pieces of all
        # parts add up to. With as many threads as its workers, it sees the same on machines of any size.
        self._threads = torch.get_num_threads()
        torch.set_num_threads(self._inner.kind(CPU).threads)
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        torch.set_num_threads(self._threads)

    def end(self) -> None:
        """End what was started."""
        self._inner.end()
