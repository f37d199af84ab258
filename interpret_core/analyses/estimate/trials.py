"""Running requests on a few images of a data set, in a store of their own, and noting what they took."""

from __future__ import annotations

import contextlib
import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numba
import numpy as np
import torch

from interpret_core import datasets
from interpret_core.analyses import registry
from interpret_core.analyses.estimate.timeline import Timeline, watched_memory
from interpret_core.analyses.estimate.witness import Witness
from interpret_core.datasets import Dataset
from interpret_core.errors import Cancelled
from interpret_core.networks import Network
from interpret_core.options import Request
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors.kind import compute_with
from interpret_core.store.records import Record
from interpret_core.store.store import Store


@dataclass(frozen=True, eq=False)
class Observed:
    """One run on a few images.

    Attributes:
        images: how many.
        timeline: what it did when.
        witness: the passes over the images.
        peak: bytes of memory that this process held at most.
        kept: bytes in its store by kind of entry.
        records: what lies there, by key.
        seconds: all in all.
    """

    images: int
    timeline: Timeline
    witness: Witness
    peak: int
    kept: dict[str, int]
    records: dict[str, Record]
    seconds: float


@dataclass(frozen=True, eq=False)
class Sampling:
    """What is measured, and how.

    Attributes:
        network, dataset: loaded, opened; runs find the network by its name as it is lent (`subjects.lent`).
        execution: device, progress, cancellation.
        seconds: that the runs of one analysis take, about.
        start: when they began, by `time.perf_counter`.
    """

    network: Network
    dataset: Dataset
    execution: Execution
    seconds: float
    start: float = field(default_factory=time.perf_counter)

    @property
    def left(self) -> float:
        """Seconds; negative once they are over."""
        return self.seconds - (time.perf_counter() - self.start)

    def spread(self, number: int) -> list[int]:
        """So many images, evenly spaced."""
        count = len(self.dataset)
        return np.unique(np.linspace(0, count - 1, min(number, count)).round().astype(int)).tolist()

    def run(
        self, request: Request, images: Sequence[int], enough: Callable[[Timeline], bool] = lambda _: False
    ) -> Observed:
        """A request on some images.

        Args:
            request: its data set is the sampled one.
            images: of it.
            enough: asked after every step whether what is known will do; the run then ends.

        Raises:
            UserError: as the analysis.
            Cancelled: the user stopped it.
        """
        gc.collect()  # what the run before has left is not this one's memory
        timeline, witness, began = Timeline(), Witness(), time.perf_counter()
        how = self._watching(timeline, witness, enough)
        with (
            datasets.excerpt(self.dataset, images) as name,
            tempfile.TemporaryDirectory(prefix="unitscope-sample-") as folder,
            Store(folder) as store,
            watched_memory() as peak,
        ):
            try:
                registry.compute(replace(request, **{"dataset": name}), store, how)
            except Cancelled:
                if self.execution.cancelled():
                    raise
            timeline.end()
            kept = {kind: usage.bytes for kind, usage in store.usage().items()}
            found = {key: store.get(key) for key in store.keys("")}
        records = {key: record for key, record in found.items() if record is not None}
        return Observed(
            len(images), timeline, witness, peak.bytes, kept, records, time.perf_counter() - began
        )

    def _watching(
        self, timeline: Timeline, witness: Witness, enough: Callable[[Timeline], bool]
    ) -> Execution:
        told = self.execution.tell

        def tell(stage: str, done: int, total: int) -> None:
            timeline.tell(stage, done, total)
            say(stage, done, total)

        def tell_part(stage: str, done: int, total: int) -> None:
            timeline.tell_part(stage, done, total)
            say(stage, done, total)

        def say(stage: str, done: int, total: int) -> None:
            # What a run announces before it counts (how much disk it may take) is not said of the whole.
            told(f"measuring a sample: {stage}" if total else "measuring a sample", done, total)

        def cancelled() -> bool:
            return self.execution.cancelled() or enough(timeline)

        return Execution(
            self.network.device.type, witness, tell=tell, cancelled=cancelled, tell_part=tell_part
        )


@contextlib.contextmanager
def threads(number: int | None) -> Iterator[None]:
    """Compute with so many threads meanwhile, as each of several workers does; None for those of now."""
    if number is None:
        yield
        return
    before = torch.get_num_threads(), numba.get_num_threads()
    compute_with(number)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        numba.set_num_threads(before[1])


def nbytes(record: Record) -> dict[str, int]:
    """Bytes of a record's arrays by name."""
    arrays: dict[str, Any] = dict(record.arrays)
    return {name: values.nbytes for name, values in arrays.items()}
