"""Pictures and masks, decoded by threads ahead of whoever wants them, and once while memory allows."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.concepts import ConceptTable
from interpret_core.datasets.dataset import Dataset
from interpret_core.datasets.decoder import held
from interpret_core.datasets.pictures import shrink
from interpret_core.datasets.statistics import Survey
from interpret_core.errors import DamagedFileError

MEMORY = 256 * 2**20  # bytes of decoded pictures and masks that are kept
WORKERS = 2
AHEAD = 8  # images
LOOKAHEAD = 2  # batches
Reduce = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


@dataclass(frozen=True, eq=False, slots=True)
class Loaded:
    """One image as it was read.

    Attributes:
        image: (h, w, 3) uint8 RGB, reduced where the loader does; black where it cannot be read.
        planes: (l, H, W) uint16 as `Dataset.read_annotation`; None where not asked for, or not readable.
        colours: (H, W, 3) uint8, the image box-filtered to the annotation grid; None where not asked for.
        problem: why image or annotation cannot be read, in words; empty where both can.
    """

    image: NDArray[np.uint8]
    planes: NDArray[np.uint16] | None = None
    colours: NDArray[np.uint8] | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Batch:
    """n images with their annotations; a skipped image keeps its slot, so that batches never shift.

    Attributes:
        indices: (n,) int64 into the data set's records.
        images: n arrays (h, w, 3) uint8 RGB, reduced where the loader does; black where not valid.
        valid: (n,) bool.
        problems: n texts, why an image is not valid; empty for the others, and where a survey tells.
        labels: (n, L, H·W) uint16, 1 + concept index, 0 = unlabelled, planes beyond an image's own 0; L is
            the data set's maximum (`Dataset.planes`), the same for every batch. None where not asked for.
        colours: (n, H·W, 3) uint8, the image box-filtered to the annotation grid; None where not asked for.
    """

    indices: NDArray[np.int64]
    images: list[NDArray[np.uint8]]
    valid: NDArray[np.bool_]
    problems: tuple[str, ...]
    labels: NDArray[np.uint16] | None
    colours: NDArray[np.uint8] | None


class Loader:
    """Reads one opened data set; safe to share between threads. What is damaged is told and not raised.

    Args:
        dataset: what to read.
        table: annotations that can be read beside the pictures.
        survey: its invalid images are not read. An image that turns out damaged against it raises, since the
            survey's totals include it.
        memory: bytes that may be kept; what was used longest ago makes room.
        workers: threads that decode.
        reduce: makes of a picture, as soon as it is decoded, what is wanted of it, such as the network's
            input; a large photograph is let go of before the next is decoded, and its small one is kept.

    Raises (whatever reads):
        ChangedFileError: a file is not what the data set's digest knows of it.
        DamagedFileError: see `survey`.
    """

    def __init__(
        self,
        dataset: Dataset,
        table: ConceptTable | None = None,
        survey: Survey | None = None,
        *,
        memory: int = MEMORY,
        workers: int = WORKERS,
        reduce: Reduce | None = None,
    ) -> None:
        self.dataset, self.table, self.survey = dataset, table, survey
        self._workers, self._reduce = workers, reduce
        self._kept = _KeptArrays(memory)

    def read(self, index: int, *, annotations: bool = False) -> Loaded:
        """One image by its index, with its annotation and colours where they are asked for."""
        if self.survey is not None and not self.survey.valid[index]:
            return Loaded(self._black(index), problem="not readable, as the survey found")
        record = self.dataset.records[index]
        try:
            picture = self._now(record.image)
            image, colours = self._picture(index, picture, annotations)
            if not annotations:
                return Loaded(image)
            # Records of one picture may differ in their masks.
            items = sorted(record.maps.items())
            maps = (picture, tuple((name, *map(self._now, files)) for name, files in items))
            (planes,) = self._kept.get([maps], lambda: {maps: self.annotation(index)})
        except DamagedFileError as error:
            if self.survey is not None:
                raise
            return Loaded(self._black(index), problem=self.dataset.told(error))
        return Loaded(image, planes, colours)

    def _picture(
        self, index: int, picture: Hashable, annotations: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """A picture, and its colours on the annotation grid where asked for, decoded once for both."""
        size = self.dataset.annotation_size
        grid = (picture, size)

        def made() -> dict[Hashable, NDArray[Any]]:
            with held():
                whole = self.dataset.read_image(index)
                kept = whole if self._reduce is None else self._reduce(whole)
                found: dict[Hashable, NDArray[Any]] = {picture: kept}
                # Another pass may want them, when nothing is left of a large picture.
                if annotations or (self.table is not None and self._kept.memory):
                    found[grid] = shrink(whole, size)
            return found

        image, *colours = self._kept.get([picture, grid] if annotations else [picture], made)
        return image, colours[0] if colours else None

    def _now(self, item: str | int) -> Hashable:
        """A file as it is now: what was decoded of another one that lay there is not found, but read anew."""
        if isinstance(item, int):
            return item
        try:
            told = (self.dataset.images / item).stat()
        except OSError:
            return item
        return item, told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino

    def annotation(self, index: int) -> NDArray[np.uint16]:
        """(l, H, W) an image's planes, read anew.

        Raises:
            DamagedFileError: a mask cannot be read.
        """
        if self.table is None:
            raise TypeError("The loader was made without a table of concepts.")
        return self.dataset.read_annotation(index, self.table)

    def ahead(self, indices: Iterable[int], *, annotations: bool = False) -> Generator[Loaded, None, None]:
        """Images in this order, decoded by threads a few of them ahead. Closing the generator stops them."""
        with _Threads(self._workers) as threads:
            pending: deque[Future[Loaded]] = deque()
            for index in indices:
                pending.append(threads.submit(self.read, int(index), annotations=annotations))
                if len(pending) > AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()

    def batches(
        self, batches: Iterable[Sequence[int]], *, annotations: bool = False, lookahead: int = LOOKAHEAD
    ) -> Generator[Batch, None, None]:
        """Batches in this order, decoded by threads, at most `lookahead` of them ahead of the consumer.

        Closing the generator stops the threads. An exception of one is raised where its batch is due.
        """
        with _Threads(self._workers) as threads:
            pending: deque[tuple[Sequence[int], list[Future[Loaded]]]] = deque()
            for batch in batches:
                reading = [threads.submit(self.read, int(i), annotations=annotations) for i in batch]
                pending.append((batch, reading))
                if len(pending) > lookahead:
                    yield self._batch(*pending.popleft(), annotations)
            while pending:
                yield self._batch(*pending.popleft(), annotations)

    @contextmanager
    def warm(self, indices: Sequence[int]) -> Iterator[None]:
        """Decode pictures while the block is at work, if all of them can be kept."""
        with _Threads(self._workers) as threads:
            if indices and len(indices) * self.read(int(indices[0])).image.nbytes <= self._kept.memory:
                for index in indices[1:]:
                    threads.submit(self.read, int(index))
            yield

    def _black(self, index: int) -> NDArray[np.uint8]:
        stated = self.dataset.records[index].size if self._reduce is None else None
        height, width = stated or (1, 1)  # black of any size is the same once it is resized
        return np.zeros((height, width, 3), dtype=np.uint8)

    def _batch(self, indices: Sequence[int], reading: Sequence[Future[Loaded]], annotations: bool) -> Batch:
        found = [future.result() for future in reading]
        height, width = self.dataset.annotation_size
        labels = colours = None
        if annotations and self.table is not None:
            depth = self.dataset.planes(self.table)
            labels = np.zeros((len(found), depth, height * width), dtype=np.uint16)
            colours = np.zeros((len(found), height * width, 3), dtype=np.uint8)
            for row, pixels, one in zip(labels, colours, found, strict=True):
                if one.planes is not None and one.colours is not None:
                    row[: len(one.planes)] = one.planes.reshape(len(one.planes), height * width)
                    pixels[:] = one.colours.reshape(-1, 3)
        return Batch(
            np.asarray(indices, dtype=np.int64),
            [one.image for one in found],
            np.array([not one.problem for one in found], dtype=bool),
            tuple(one.problem for one in found),
            labels,
            colours,
        )


class _Threads(ThreadPoolExecutor):
    """Decoding threads; what nobody wants any more is not begun."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers, thread_name_prefix="loader")

    def __exit__(self, *_: object) -> None:
        self.shutdown(wait=True, cancel_futures=True)


class _KeptArrays:
    """Arrays in memory; the one used longest ago makes room."""

    def __init__(self, memory: int) -> None:
        self.memory, self._bytes = memory, 0
        self._arrays: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(
        self, keys: Sequence[Hashable], make: Callable[[], Mapping[Hashable, NDArray[Any]]]
    ) -> list[NDArray[Any]]:
        """The arrays under some keys, made where one is not there; never to be written to.

        Args:
            keys: of what is wanted; who asks for the same first key waits for whoever is making it.
            make: gives these, and others that may be wanted later.
        """
        with self._lock:
            found = self._found(keys)
            turn = self._making.setdefault(keys[0], threading.Lock()) if found is None else None
        if turn is None:
            return found or []
        with turn:
            try:
                with self._lock:
                    found = self._found(keys)
                return self._made(keys, make()) if found is None else found
            finally:
                with self._lock:
                    self._making.pop(keys[0], None)

    def _made(self, keys: Sequence[Hashable], made: Mapping[Hashable, NDArray[Any]]) -> list[NDArray[Any]]:
        for array in made.values():
            array.flags.writeable = False
        with self._lock:
            self._keep(made)
        return [made[key] for key in keys]

    def _found(self, keys: Sequence[Hashable]) -> list[NDArray[Any]] | None:
        if any(key not in self._arrays for key in keys):
            return None
        for key in keys:
            self._arrays.move_to_end(key)
        return [self._arrays[key] for key in keys]

    def _keep(self, made: Mapping[Hashable, NDArray[Any]]) -> None:
        for key, array in made.items():
            if key not in self._arrays and array.nbytes <= self.memory:
                self._arrays[key] = array
                self._bytes += array.nbytes
        while self._bytes > self.memory:
            _, gone = self._arrays.popitem(last=False)
            self._bytes -= gone.nbytes
