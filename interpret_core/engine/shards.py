"""Shards: fixed lists of batches whose results are kept, so that an interrupted run goes on from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from interpret_core.engine.material import Fed, Material, feed
from interpret_core.engine.passes import Counted
from interpret_core.profile.counting import Counts
from interpret_core.profile.tally import Listed, Tally
from interpret_core.results.records import Record
from interpret_core.results.store import Store

BATCHES_PER_SHARD = 8
Arrays = dict[str, NDArray[Any]]
Result = TypeVar("Result")


def split(batches: Sequence[int], shards: int | None) -> list[tuple[int, ...]]:
    """Batch numbers in contiguous shards: so many, or of BATCHES_PER_SHARD each."""
    if not batches:
        return []
    number = shards or -(-len(batches) // BATCHES_PER_SHARD)
    parts = np.array_split(np.asarray(batches), min(number, len(batches)))
    return [tuple(int(batch) for batch in part) for part in parts]


class Shards:
    """Runs the shards of a pass, each once: finished ones come from the store."""

    def __init__(
        self, store: Store, run: str, material: Material, order: Sequence[int] | None = None
    ) -> None:
        """Keep shards under the key `run`; `order` permutes them (the result does not depend on it)."""
        self._store, self._run, self._material, self._order = store, run, material, order
        self.computed = 0

    def each(
        self,
        stage: str,
        shards: Sequence[tuple[int, ...]],
        work: Callable[[Iterator[Fed]], Arrays],
        skipped: Callable[[int], None],
        annotations: bool = False,
    ) -> Iterator[Arrays]:
        """Results shard by shard, computed or from the store.

        Args:
            stage: name of the pass, part of the key.
            shards: batch numbers of each.
            work: computes one shard from its batches.
            skipped: told the number of images of a shard that need not be computed again.
            annotations: whether the pass reads annotations.
        """
        chosen = [shards[i] for i in self._order if i < len(shards)] if self._order else shards
        for shard in chosen:
            key = f"{self._run}/{stage}/{shard[0]}-{shard[-1]}"
            record = self._store.get(key)
            batches = [self._material.batches[number] for number in shard]
            if record is None:
                reading = feed(self._material, batches, annotations)
                record = Record(work(iter(reading)))
                self._store.put(key, record)
                self.computed += 1
            else:
                skipped(sum(len(batch) for batch in batches))
            yield dict(record.arrays)

    def forget(self) -> None:
        """Delete the shards once the results are kept."""
        for key in self._store.keys(self._run):
            self._store.delete(key)


def pack(layers: Mapping[str, Arrays]) -> Arrays:
    """Arrays of several layers under one roof."""
    return {f"{layer}/{name}": array for layer, arrays in layers.items() for name, array in arrays.items()}


def unpack(arrays: Arrays, layer: str) -> Arrays:
    """The arrays of one layer."""
    prefix = f"{layer}/"
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def counted_arrays(counted: Counted) -> Arrays:
    """A layer's counts as arrays."""
    counts = counted.counts
    return {
        "histogram": counts.histogram.astype(np.int32),  # a shard's positions fit, and it halves the file
        "above": counts.above,
        "minimum": counts.minimum,
        "maximum": counts.maximum,
        "positions": np.array([counts.positions], np.int64),
        "top_response": counted.top_response,
        "top_image": counted.top_image,
    }


def counted_of(arrays: Arrays) -> Counted:
    """The inverse of `counted_arrays`; the copies may be added to."""
    histogram = arrays["histogram"].astype(np.int64)
    above, minimum, maximum = (arrays[name].copy() for name in ("above", "minimum", "maximum"))
    counts = Counts(histogram, above, minimum, maximum, int(arrays["positions"][0]))
    return Counted(counts, arrays["top_response"], arrays["top_image"])


def tally_arrays(tally: Tally, listed: Listed) -> Arrays:
    """A layer's tally, and what is listed for later, as arrays."""
    counts = {field.name: getattr(tally, field.name) for field in fields(Tally)}
    return counts | {f"listed_{field.name}": getattr(listed, field.name) for field in fields(Listed)}


def tally_of(arrays: Arrays) -> tuple[Tally, Listed]:
    """The inverse of `tally_arrays`; the copies may be added to."""
    names = (field.name for field in fields(Tally))
    counts: dict[str, Any] = {name: arrays[name].copy() for name in names}
    return Tally(**counts), Listed(*(arrays[f"listed_{field.name}"] for field in fields(Listed)))
