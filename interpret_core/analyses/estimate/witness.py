"""An executor that computes in this process, and notes what it would send to others and get back."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from interpret_core.runtime.executors.base import Found, Here, Work
from interpret_core.runtime.reporter import Reporter

P = TypeVar("P")


@dataclass
class WatchedPass:
    """One pass over some images.

    Attributes:
        name: of what is done.
        given: bytes that every worker is sent.
        results: bytes of what each shard gave, by the arrays' names.
        found: what the last shard gave.
    """

    name: str
    given: int
    results: list[Counter[str]] = field(default_factory=list)
    found: Found = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Of all shards."""
        return sum(shard.total() for shard in self.results)


class Witness(Here):
    """This process; `passes` are those that were computed, in their order."""

    def __init__(self) -> None:
        self.passes: list[WatchedPass] = []

    def results(
        self, work: Work[Any, P], pieces: Sequence[P], reporter: Reporter, done: Callable[[P], None]
    ) -> Iterator[tuple[P, Found]]:
        """One after the other, noted."""
        name = getattr(work.task, "__name__", "").strip("_")
        one = WatchedPass(name, len(pickle.dumps(work.sent(), protocol=5)))
        self.passes.append(one)
        for piece, found in super().results(work, pieces, reporter, done):
            one.results.append(_bytes(found))
            one.found = found
            yield piece, found

    def all(self, name: str) -> list[WatchedPass]:
        """The passes of a name."""
        return [one for one in self.passes if one.name == name]


def _bytes(found: Found) -> Counter[str]:
    sizes: Counter[str] = Counter()
    for arrays in found.values():
        for name, values in arrays.items():
            sizes[name] += values.nbytes
    return sizes
