"""One read of every image and mask of a data set: what holds whatever the network.

Which images can be read, totals of every concept, which categories an image has, and the data set's shades.
Integer counts only, so that neither the number of threads nor the order of reading can change a result.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.concepts import ConceptTable
from interpret_core.datasets.dataset import Dataset, Unlisted
from interpret_core.datasets.decoder import held
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
    every = range(len(dataset))

    def done(images: int) -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped while surveying the data set.")
        if progress is not None:
            progress(images, len(every))

    return survey_of(dataset, table, [read_part(dataset, table, every, done, workers)])


def read_part(
    dataset: Dataset,
    table: ConceptTable,
    images: range,
    done: Callable[[int], None] = lambda _images: None,
    workers: int | None = None,
) -> dict[str, NDArray[Any]]:
    """What some consecutive images and their masks hold; parts of all images together give a survey.

    Args:
        dataset: as for `survey`.
        table: as for `survey`.
        workers: as for `survey`.
        images: their indices.
        done: called with the images done so far.
    """
    part, count = _Part.empty(images, table), 0
    with closing(_in_order(dataset, table, images, workers or min(4, os.cpu_count() or 1))) as chunks:
        for chunk in chunks:
            part.add(chunk)
            count += len(chunk.images)
            done(count)
    return part.arrays()


def survey_of(dataset: Dataset, table: ConceptTable, parts: Iterable[Mapping[str, NDArray[Any]]]) -> Survey:
    """A survey from parts that hold every image once, in any order.

    Raises:
        DatasetError: no image at all can be read.
    """
    whole = _Part.empty(range(len(dataset)), table)
    for part in parts:  # one at a time: each has counts of every colour
        whole.add(_Part.of(part))
    return _surveyed(dataset, table, whole)


@dataclass
class _Part:
    """What a few consecutive images hold; the sums add up.

    Attributes:
        images: their indices.
        problems: of those that cannot be read.
        member: (n, categories) bool.
        pixels, concept_images: (C + 1,) int64.
        cells: (CELLS³,) int64, pixels by colour.
        presence: arrays of (k, 3) int32: an image, a concept in it, the concept's pixels.
        unlisted: pixels by category and label number.
    """

    images: range
    problems: list[Problem]
    member: NDArray[np.bool_]
    pixels: NDArray[np.int64]
    concept_images: NDArray[np.int64]
    cells: NDArray[np.int64]
    presence: list[NDArray[np.int32]]
    unlisted: Unlisted = field(default_factory=Unlisted)

    @classmethod
    def empty(cls, images: range, table: ConceptTable) -> _Part:
        counted = len(table) + 1
        return cls(
            images,
            [],
            member=np.zeros((len(images), len(table.categories)), dtype=bool),
            pixels=np.zeros(counted, dtype=np.int64),
            concept_images=np.zeros(counted, dtype=np.int64),
            cells=np.zeros(CELLS**3, dtype=np.int64),
            presence=[np.zeros((0, 3), np.int32)],
        )

    def add(self, other: _Part) -> None:
        """Add images that are among these, in any order."""
        start = other.images.start - self.images.start
        self.member[start : start + len(other.images)] = other.member
        self.problems += other.problems
        self.pixels += other.pixels
        self.concept_images += other.concept_images
        self.cells += other.cells
        self.presence.append(np.concatenate(other.presence))
        self.unlisted.update(other.unlisted)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays, words among them; `of` takes them back."""
        words = {
            "problems": [asdict(problem) for problem in self.problems],
            "unlisted": [[*key, pixels] for key, pixels in self.unlisted.items()],
        }
        return {
            "images": np.array([self.images.start, self.images.stop], np.int64),
            "words": np.frombuffer(json.dumps(words).encode(), np.uint8),
            "member": self.member,
            "pixels": self.pixels,
            "concept_images": self.concept_images,
            "cells": self.cells,
            "presence": np.concatenate(self.presence),
        }

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> _Part:
        words = json.loads(arrays["words"].tobytes())
        return cls(
            range(*arrays["images"].tolist()),
            [Problem(**problem) for problem in words["problems"]],
            arrays["member"],
            arrays["pixels"],
            arrays["concept_images"],
            arrays["cells"],
            [arrays["presence"]],
            Unlisted({(category, number): pixels for category, number, pixels in words["unlisted"]}),
        )


def _in_order(
    dataset: Dataset, table: ConceptTable, images: range, workers: int
) -> Generator[_Part, None, None]:
    """Chunks in order, a few of them in the making at a time."""
    pending: deque[Future[_Part]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="survey")
    try:
        for start in range(images.start, images.stop, _CHUNK):
            chunk = range(start, min(start + _CHUNK, images.stop))
            pending.append(pool.submit(_read_chunk, dataset, table, chunk))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _read_chunk(dataset: Dataset, table: ConceptTable, images: range) -> _Part:
    chunk, counted = _Part.empty(images, table), len(table) + 1
    for slot, i in enumerate(images):
        try:
            with held():
                colours = shrink(dataset.read_image(i), dataset.annotation_size)
            planes, unlisted = dataset.read_planes(i, table)
        except DamagedFileError as error:
            chunk.problems.append(Problem(i, dataset.records[i].image, dataset.told(error)))
            continue
        pixels = np.bincount(planes.reshape(-1), minlength=counted)
        present = np.flatnonzero(pixels[1:])
        chunk.member[slot, table.category_of[present]] = True
        chunk.pixels += pixels
        chunk.concept_images[1 + present] += 1
        columns = (np.full(len(present), i), present, pixels[1 + present])
        chunk.presence.append(np.stack(columns, 1).astype(np.int32))
        chunk.cells += np.bincount(cell_of(colours).reshape(-1), minlength=CELLS**3)
        chunk.unlisted.update(unlisted)
    return chunk


def _surveyed(dataset: Dataset, table: ConceptTable, whole: _Part) -> Survey:
    problems = tuple(sorted(whole.problems, key=lambda problem: problem.index))
    if len(problems) == len(dataset):
        raise DatasetError(
            f"None of the {len(problems)} images of {dataset.root} can be read, "
            f"expected at least one. The first: {problems[0].reason}"
        )
    valid = np.ones(len(dataset), dtype=bool)
    valid[[problem.index for problem in problems]] = False
    shades = make_shades(whole.cells)
    presence = np.concatenate(whole.presence)
    whole.presence.clear()  # of a long data set the largest of all: never twice in memory
    order = np.lexsort((presence[:, 0], presence[:, 1]))
    return Survey(
        valid,
        problems,
        concept_pixels=whole.pixels[1:],
        concept_images=whole.concept_images[1:],
        category_member=whole.member,
        maps=dataset.planes(table),
        unlisted_pixels=whole.unlisted.total(),
        shades=shades,
        shade_pixels=shades.totals(whole.cells),
        presence_offsets=np.concatenate([[0], np.cumsum(whole.concept_images[1:])]),
        presence_image=presence[order, 0],
        presence_pixels=presence[order, 2],
        unlisted=tuple(
            (category, number, whole.unlisted[category, number])
            for category in table.categories
            for number in sorted(number for within, number in whole.unlisted if within == category)
        ),
    )
