"""One read of every image and mask of a data set: what holds whatever the network.

Which images can be read, totals of every concept, which categories an image has, and the data set's shades.
Integer counts only, so that neither the number of threads nor the order of reading can change a result.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.concepts import ConceptTable
from interpret_core.datasets.dataset import Dataset, Unlisted
from interpret_core.datasets.pictures import shrink
from interpret_core.datasets.shades import CELLS, Shades, cell_of, make_shades
from interpret_core.errors import Cancelled, DamagedFileError, DatasetError

_CHUNK = 16


@dataclass(frozen=True, slots=True)
class Problem:
    """An image that is skipped: its index into the records, its file, and why (naming the file at fault, by
    its place below the data set's folder)."""

    index: int
    image: str
    reason: str


@dataclass(frozen=True, eq=False)
class Survey:
    """What the data set's files hold.

    Attributes:
        valid: (N,) bool; False where the image or one of its masks cannot be read: it counts nowhere.
        problems: the images that are not valid, in order.
        concept_pixels: (C,) int64, annotation pixels of each concept.
        concept_images: (C,) int64, images with at least one such pixel.
        category_member: (N, categories) bool, images with at least one labelled pixel of the category.
        maps: L, the largest number of annotation maps of an image.
        unlisted_pixels: map pixels whose label is not listed in the map's category; they count as unlabelled.
            Labels without any category are meant to, and are not counted here.
        unlisted: their number by category and label number, in the table's order; () as well in a survey that
            was made before they were told apart.
        shades: the palette.
        shade_pixels: (S,) int64, annotation pixels of each shade.
        presence_offsets: (C + 1,) int64, where the images of each concept begin and end.
        presence_image: (P,) int32, images with at least one pixel of a concept, ascending for each concept.
        presence_pixels: (P,) int32, the concept's annotation pixels in that image.
    """

    valid: NDArray[np.bool_]
    problems: tuple[Problem, ...]
    concept_pixels: NDArray[np.int64]
    concept_images: NDArray[np.int64]
    category_member: NDArray[np.bool_]
    maps: int
    unlisted_pixels: int
    shades: Shades
    shade_pixels: NDArray[np.int64]
    presence_offsets: NDArray[np.int64]
    presence_image: NDArray[np.int32]
    presence_pixels: NDArray[np.int32]
    unlisted: tuple[tuple[str, int, int], ...] = ()

    @property
    def category_images(self) -> NDArray[np.int64]:
        """(categories,) int64, images with at least one labelled pixel of the category."""
        return self.category_member.sum(axis=0, dtype=np.int64)

    def images_with(self, concept: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Valid images (k,) with at least one pixel of a concept, ascending, and how many pixels (k,)."""
        there = slice(*self.presence_offsets[concept : concept + 2])
        return self.presence_image[there], self.presence_pixels[there]

    def to_record(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Arrays by name, and metadata that JSON can hold; `from_record` takes them back."""
        arrays: dict[str, NDArray[Any]] = {
            "valid": self.valid,
            "concept_pixels": self.concept_pixels,
            "concept_images": self.concept_images,
            "category_member": self.category_member,
            "shade_lab": self.shades.lab,
            "shade_rgb": self.shades.rgb,
            "shade_table": self.shades.table,
            "shade_pixels": self.shade_pixels,
            "presence_offsets": self.presence_offsets,
            "presence_image": self.presence_image,
            "presence_pixels": self.presence_pixels,
        }
        metadata = {
            "problems": [asdict(problem) for problem in self.problems],
            "maps": self.maps,
            "unlisted_pixels": self.unlisted_pixels,
            "shade_names": list(self.shades.names),
        }
        if self.unlisted:
            metadata["unlisted"] = [list(entry) for entry in self.unlisted]
        return arrays, metadata

    @classmethod
    def from_record(cls, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> Survey:
        """The inverse of `to_record`."""
        return cls(
            valid=np.asarray(arrays["valid"], dtype=bool),
            problems=tuple(Problem(**problem) for problem in metadata["problems"]),
            concept_pixels=np.asarray(arrays["concept_pixels"]),
            concept_images=np.asarray(arrays["concept_images"]),
            category_member=np.asarray(arrays["category_member"], dtype=bool),
            maps=metadata["maps"],
            unlisted_pixels=metadata["unlisted_pixels"],
            shades=Shades(
                np.asarray(arrays["shade_lab"]),
                np.asarray(arrays["shade_rgb"]),
                tuple(metadata["shade_names"]),
                np.asarray(arrays["shade_table"]),
            ),
            shade_pixels=np.asarray(arrays["shade_pixels"]),
            presence_offsets=np.asarray(arrays["presence_offsets"]),
            presence_image=np.asarray(arrays["presence_image"]),
            presence_pixels=np.asarray(arrays["presence_pixels"]),
            unlisted=tuple((category, number, n) for category, number, n in metadata.get("unlisted", ())),
        )


def survey(
    dataset: Dataset,
    table: ConceptTable,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    workers: int | None = None,
) -> Survey:
    """Read every image and mask once.

    Args:
        dataset: N images.
        table: C concepts; masks of other categories are not read.
        progress: called with images done and images in all.
        cancelled: asked regularly; a true answer raises Cancelled.
        workers: decoding threads, default up to 4; the result does not depend on it.

    Returns:
        The Survey.

    Raises:
        DatasetError: no image at all can be read.
        Cancelled: as asked.
    """
    tally = _Tally(dataset, table)
    total = len(dataset)
    with closing(_in_order(dataset, table, workers or min(4, os.cpu_count() or 1))) as chunks:
        for chunk in chunks:
            if cancelled is not None and cancelled():
                raise Cancelled("Stopped while surveying the data set.")
            tally.add(chunk)
            if progress is not None:
                progress(chunk.indices.stop, total)
    return tally.result()


@dataclass
class _Chunk:
    """What a few consecutive images hold; the sums add up over chunks.

    `presence` has an array per image, (k, 3) int32: the image, a concept in it, the concept's pixels.
    """

    indices: range
    problems: list[Problem]
    member: NDArray[np.bool_]
    pixels: NDArray[np.int64]
    images: NDArray[np.int64]
    cells: NDArray[np.int64]
    presence: list[NDArray[np.int32]]
    unlisted: Unlisted = field(default_factory=Unlisted)


def _in_order(dataset: Dataset, table: ConceptTable, workers: int) -> Generator[_Chunk, None, None]:
    """Chunks in order, a few of them in the making at a time."""
    pending: deque[Future[_Chunk]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="survey")
    try:
        for start in range(0, len(dataset), _CHUNK):
            indices = range(start, min(start + _CHUNK, len(dataset)))
            pending.append(pool.submit(_read_chunk, dataset, table, indices))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _read_chunk(dataset: Dataset, table: ConceptTable, indices: range) -> _Chunk:
    counted = len(table) + 1
    chunk = _Chunk(
        indices,
        [],
        member=np.zeros((len(indices), len(table.categories)), dtype=bool),
        pixels=np.zeros(counted, dtype=np.int64),
        images=np.zeros(counted, dtype=np.int64),
        cells=np.zeros(CELLS**3, dtype=np.int64),
        presence=[],
    )
    for slot, i in enumerate(indices):
        try:
            colours = shrink(dataset.read_image(i), dataset.annotation_size)
            planes, unlisted = dataset.read_planes(i, table)
        except DamagedFileError as error:
            chunk.problems.append(Problem(i, dataset.records[i].image, dataset.told(error)))
            continue
        pixels = np.bincount(planes.reshape(-1), minlength=counted)
        present = np.flatnonzero(pixels[1:])
        chunk.member[slot, table.category_of[present]] = True
        chunk.pixels += pixels
        chunk.images[1 + present] += 1
        columns = (np.full(len(present), i), present, pixels[1 + present])
        chunk.presence.append(np.stack(columns, 1).astype(np.int32))
        chunk.cells += np.bincount(cell_of(colours).reshape(-1), minlength=CELLS**3)
        chunk.unlisted.update(unlisted)
    return chunk


class _Tally:
    """The running sums of a survey."""

    def __init__(self, dataset: Dataset, table: ConceptTable) -> None:
        self._dataset = dataset
        self._maps = dataset.planes(table)
        self._problems: list[Problem] = []
        self._member = np.zeros((len(dataset), len(table.categories)), dtype=bool)
        self._pixels = np.zeros(len(table) + 1, dtype=np.int64)
        self._images = np.zeros(len(table) + 1, dtype=np.int64)
        self._cells = np.zeros(CELLS**3, dtype=np.int64)
        self._presence = [np.zeros((0, 3), np.int32)]
        self._unlisted = Unlisted()
        self._categories = table.categories

    def add(self, chunk: _Chunk) -> None:
        self._problems += chunk.problems
        self._member[chunk.indices.start : chunk.indices.stop] = chunk.member
        self._pixels += chunk.pixels
        self._images += chunk.images
        self._cells += chunk.cells
        self._presence += chunk.presence
        self._unlisted.update(chunk.unlisted)

    def result(self) -> Survey:
        problems = tuple(self._problems)
        if len(problems) == len(self._dataset):
            raise DatasetError(
                f"None of the {len(problems)} images of {self._dataset.root} can be read, "
                f"expected at least one. The first: {problems[0].reason}"
            )
        valid = np.ones(len(self._dataset), dtype=bool)
        valid[[problem.index for problem in problems]] = False
        shades = make_shades(self._cells)
        presence = np.concatenate(self._presence)
        # Stable, so that the images of a concept stay in the order in which they were read.
        image, _, pixels = presence[np.argsort(presence[:, 1], kind="stable")].T
        return Survey(
            valid,
            problems,
            concept_pixels=self._pixels[1:],
            concept_images=self._images[1:],
            category_member=self._member,
            maps=self._maps,
            unlisted_pixels=self._unlisted.total(),
            shades=shades,
            shade_pixels=shades.totals(self._cells),
            presence_offsets=np.concatenate([[0], np.cumsum(self._images[1:])]),
            presence_image=np.ascontiguousarray(image),
            presence_pixels=np.ascontiguousarray(pixels),
            unlisted=tuple(
                (category, number, self._unlisted[category, number])
                for category in self._categories
                for number in sorted(number for within, number in self._unlisted if within == category)
            ),
        )
