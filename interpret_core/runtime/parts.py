"""A record made from parts, each kept until all are done: a run that was cut off goes on from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import sweep
from interpret_core.store.records import Arrays, Record
from interpret_core.store.store import Store


@dataclass(frozen=True)
class Part:
    """A piece of work; parts may be done in any order.

    Attributes:
        name: tells it from the others, as part of its key.
        steps: what it counts for in the progress.
        compute: makes it. It advances the progress by its steps, at once or one after the other.
    """

    name: str
    steps: int
    compute: Callable[[], Arrays]


def record_of(
    store: Store,
    key: str,
    parts: Sequence[Part],
    join: Callable[[list[Arrays]], Record],
    reporter: Reporter,
    stage: str,
) -> Record:
    """The record under a key, made once, whoever else asks for it.

    Args:
        store: where the record and its parts are kept.
        key: holds everything that changes the record, and therefore its parts.
        parts: what it is made from.
        join: makes it, from the arrays of all parts in their order.
        reporter: told of parts that were found; asked to stop before each part.
        stage: what the progress calls them.

    Raises:
        Cancelled: the user stopped it; finished parts are kept.
    """
    run = f"partial/{key.replace('/', '-')}"

    def make() -> Record:
        sweep(store, run)
        return join([_arrays(store, f"{run}/{part.name}", part, reporter, stage) for part in parts])

    record = store.compute(key, make, reporter.cancelled)
    for one in store.keys(run):
        store.delete(one)
    return record


def _arrays(store: Store, key: str, part: Part, reporter: Reporter, stage: str) -> Arrays:
    found = store.get(key)
    if found is not None:
        reporter.advance(stage, part.steps)
        return dict(found.arrays)
    reporter.check()
    made = Record(part.compute())
    store.put(key, made)
    return dict(made.arrays)
