"""Batches decoded by threads ahead of the consumer, in order, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpret_core.concepts import ConceptTable
from interpret_core.datasets.dataset import Dataset
from interpret_core.datasets.pictures import shrink
from interpret_core.datasets.surveying import Survey
from interpret_core.errors import DamagedFileError


@dataclass(frozen=True, eq=False)
class Batch:
    """n images with their annotations; a skipped image keeps its slot, so that batches never shift.

    Attributes:
        indices: (n,) int64 into the data set's records.
        images: n arrays (h, w, 3) uint8 RGB; black where not valid.
        valid: (n,) bool.
        labels: (n, L, H·W) uint16, 1 + concept index, 0 = unlabelled, planes beyond an image's own 0;
            None where no table was asked for.
        colours: (n, H·W, 3) uint8, the image box-filtered to the annotation grid; None where not asked for.
    """

    indices: NDArray[np.int64]
    images: list[NDArray[np.uint8]]
    valid: NDArray[np.bool_]
    labels: NDArray[np.uint16] | None
    colours: NDArray[np.uint8] | None


def prefetch(  # noqa: PLR0913 - the last three tune one call, they describe nothing worth a name
    dataset: Dataset,
    batches: Sequence[Sequence[int]],
    table: ConceptTable | None = None,
    survey: Survey | None = None,
    *,
    workers: int = 2,
    lookahead: int = 2,
    colours: bool = False,
) -> Generator[Batch, None, None]:
    """Decode batches in `workers` threads, at most `lookahead` of them ahead of the consumer.

    Args:
        dataset: what to read.
        batches: indices into its records, any number of batches of any sizes.
        table: annotations to read; L is the data set's maximum (`Dataset.planes`), the same for every batch.
        survey: its invalid images are not read and give black slots. Without one, an image that turns out
            damaged gives a black slot; with one, it raises, since the survey's totals include it.
        workers: decoding threads.
        lookahead: finished or unfinished batches in memory besides the one handed out.
        colours: also shrink the images to the annotation grid.

    Yields:
        A Batch per entry of `batches`, in order. Closing the generator stops the threads.

    Raises:
        DamagedFileError: see `survey`. Any other exception of a worker is raised where its batch is due.
    """
    reader = _Reader(dataset, table, survey, colours)
    pending: deque[tuple[Sequence[int], list[Future[_Slot]]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="prefetch")
    try:
        for batch in batches:
            pending.append((batch, [pool.submit(reader.slot, int(i)) for i in batch]))
            if len(pending) > lookahead:
                yield reader.assemble(*pending.popleft())
        while pending:
            yield reader.assemble(*pending.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, eq=False, slots=True)
class _Slot:
    image: NDArray[np.uint8]
    valid: bool
    planes: NDArray[np.uint16] | None
    colours: NDArray[np.uint8] | None


class _Reader:
    """Reads one image for its slot, and puts slots together."""

    def __init__(
        self, dataset: Dataset, table: ConceptTable | None, survey: Survey | None, colours: bool
    ) -> None:
        self._dataset = dataset
        self._table = table
        self._survey = survey
        self._colours = colours
        self._depth = 0 if table is None else dataset.planes(table)

    def slot(self, i: int) -> _Slot:
        if self._survey is not None and not self._survey.valid[i]:
            return self._black(i)
        try:
            image = self._dataset.read_image(i)
            planes = None if self._table is None else self._dataset.read_annotation(i, self._table)
        except DamagedFileError:
            if self._survey is not None:
                raise
            return self._black(i)
        return _Slot(
            image, True, planes, shrink(image, self._dataset.annotation_size) if self._colours else None
        )

    def _black(self, i: int) -> _Slot:
        height, width = self._dataset.records[i].size or (1, 1)
        return _Slot(np.zeros((height, width, 3), dtype=np.uint8), False, None, None)

    def assemble(self, indices: Sequence[int], futures: list[Future[_Slot]]) -> Batch:
        slots = [future.result() for future in futures]
        height, width = self._dataset.annotation_size
        labels = colours = None
        if self._table is not None:
            labels = np.zeros((len(slots), self._depth, height * width), dtype=np.uint16)
            for row, slot in zip(labels, slots, strict=True):
                if slot.planes is not None:
                    row[: len(slot.planes)] = slot.planes.reshape(len(slot.planes), height * width)
        if self._colours:
            colours = np.zeros((len(slots), height * width, 3), dtype=np.uint8)
            for pixels, slot in zip(colours, slots, strict=True):
                if slot.colours is not None:
                    pixels[:] = slot.colours.reshape(-1, 3)
        return Batch(
            np.asarray(indices, dtype=np.int64),
            [slot.image for slot in slots],
            np.array([slot.valid for slot in slots], dtype=bool),
            labels,
            colours,
        )
