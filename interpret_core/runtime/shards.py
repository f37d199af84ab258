"""Shards: fixed lists of batches whose results are kept, so that an interrupted run goes on from them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from interpret_core.errors import Cancelled, StoreError
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors.base import Found, Work
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.rounds import Pass, RoundDoneError
from interpret_core.store.records import Arrays, Record
from interpret_core.store.store import Store

BATCHES_PER_SHARD = 8
MOST_SHARDS = 64
KEPT_SECONDS = 14 * 24 * 3600  # shards of a run that was cut off
Shard = tuple[int, ...]  # numbers of batches
Load = Callable[[str], Arrays]


def split(batches: Sequence[int], shards: int | None) -> list[Shard]:
    """Batch numbers in contiguous shards: so many, or of at least BATCHES_PER_SHARD each."""
    if not batches:
        return []
    number = shards or min(-(-len(batches) // BATCHES_PER_SHARD), MOST_SHARDS)
    parts = np.array_split(np.asarray(batches), min(number, len(batches)))
    return [tuple(int(batch) for batch in part) for part in parts]


def apart(shard: Shard, number: int) -> list[Shard]:
    """A shard in so many contiguous ones, at most one for each of its batches."""
    return split(shard, number)


@dataclass(frozen=True)
class Stage:
    """A pass over the images, for `Shards`.

    Attributes:
        name: part of the shards' keys.
        layers: whose arrays it makes.
        counted: told of a shard that is there: found in the store, or computed by another process.
        work: computes one shard.
        last: no further pass follows, and what follows takes long enough for one part alone to do it.
    """

    name: str
    layers: tuple[str, ...]
    counted: Callable[[Shard], None]
    work: Work[Any, Shard]
    last: bool = False


class Shards:
    """Has the shards of a pass computed, each once: finished ones come from the store.

    Args:
        store: where they are kept.
        run: key under which they are.
        execution: who computes them, and which come first (the result is the same).
        kind: name of the kind of the processes that compute: shards of others may differ in a last bit, and
            are left alone; empty where nothing depends on it.
        reporter: asked to stop.
        records: keys of what is made from the shards; once these are there, nobody needs the shards.
    """

    def __init__(
        self,
        store: Store,
        run: str,
        execution: Execution,
        kind: str,
        reporter: Reporter,
        records: Sequence[str],
    ) -> None:
        self._records = tuple(records)
        self._store, self._run = store, run
        self._under = f"{run}/{kind}" if kind else run
        self._executor, self._order = execution.executor, execution.order or ()
        self._reporter = reporter
        self.computed = 0

    def all(self, stage: Stage, shards: Sequence[Shard]) -> list[Load]:
        """Run a pass; finished shards are not computed again.

        Args:
            stage: what is computed, of which layers.
            shards: batch numbers of each.

        Returns:
            For every shard, in their order here, a function from a layer's name to its arrays; they are read
            when asked for, so that no more than one layer's need be in memory.

        Raises:
            RoundDoneError: other runs have to do their share first (`Executor.round_ends`).
        """
        named = [i for i in dict.fromkeys(self._order) if 0 <= i < len(shards)]
        ordered = [shards[i] for i in dict.fromkeys((*named, *range(len(shards))))]
        missing = [shard for shard in ordered if not self._there(stage, shard)]
        for shard in set(ordered) - set(missing):
            stage.counted(shard)
        numbers = {shard: number for number, shard in enumerate(shards)}
        own = [shard for shard in missing if self._executor.own(numbers[shard])]
        for shard, found in self._executor.results(stage.work, own, self._reporter, stage.counted):
            self._keep(stage, shard, found)
        if self._executor.round_ends(len(own), len(missing), stage.last):
            names = tuple(map(_name, shards))
            waiting = Pass(self._pass(stage), names, stage.layers, self._records, stage.last)
            raise RoundDoneError([waiting], len(own))
        return [partial(self._loaded, stage, shard) for shard in shards]

    def _there(self, stage: Stage, shard: Shard) -> bool:
        return all(self._store.has(self._key(stage, shard, layer)) for layer in stage.layers)

    def _key(self, stage: Stage, shard: Shard, layer: str) -> str:
        return f"{self._pass(stage)}/{_name(shard)}/{layer}"

    def _pass(self, stage: Stage) -> str:
        return f"{self._under}/{stage.name}"

    def _keep(self, stage: Stage, shard: Shard, found: Found) -> None:
        for layer in stage.layers:
            self._store.put(self._key(stage, shard, layer), Record(dict(found[layer])))
        self.computed += 1

    def _loaded(self, stage: Stage, shard: Shard, layer: str) -> Arrays:
        """A layer's arrays of one shard; a record that turns out damaged is computed again."""
        key = self._key(stage, shard, layer)
        record = self._store.get(key)
        if record is None:
            for one, found in self._executor.results(stage.work, [shard], self._reporter, lambda _: None):
                self._keep(stage, one, found)
            record = self._store.get(key)
        if record is None:
            raise StoreError(f"The cache does not keep what is written to it ({key}); check the disk.")
        return dict(record.arrays)

    def forget(self) -> None:
        """Delete the shards once the results are kept."""
        for key in self._store.keys(self._run):
            self._store.delete(key)


def _name(shard: Shard) -> str:
    return f"{shard[0]}-{shard[-1]}"


def sweep(store: Store, run: str) -> None:
    """Delete the shards of runs that nobody went on with for KEPT_SECONDS; those of `run` stay.

    A run notes itself when it starts and writes as it goes on, so its newest entry says when it was last at
    work; one that is still at it holds its key's lock.
    """
    newest: dict[str, float] = {}
    for key, written in store.written("partial/").items():
        other = "/".join(key.split("/")[:2])
        newest[other] = max(written, newest.get(other, written))
    for other, written in newest.items():
        if other != run and time.time() - written > KEPT_SECONDS:
            with contextlib.suppress(Cancelled), store.lock(other, cancelled=lambda: True):
                for key in store.keys(other):
                    store.delete(key)
                store.delete_json(other)
