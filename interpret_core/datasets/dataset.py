"""A data set in Broden's layout: its rows, labels and concepts, and reading one image or annotation.

A concept is (category, number), so a label in two categories is two concepts, each with its own tally. The
map's column decides the category, as in Broden: in a part map, a number that label.csv lists under object
only is not a part. Broden's own loader maps such a number to 0, and so does this one; the survey counts
those pixels. A number that label.csv does not list at all makes the mask a damaged file.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interpret_core.concepts import DEFAULT_CATEGORIES, Concept, ConceptTable
from interpret_core.datasets import pictures
from interpret_core.datasets.contents import UNKNOWN
from interpret_core.datasets.digests import content_of, distrust
from interpret_core.datasets.image_records import ImageRecords, KnownFiles, files_of
from interpret_core.datasets.masks import ListedLabels, read_mask, resampled
from interpret_core.datasets.tables import MAX_LABEL, ImageRecord, Label, Tables
from interpret_core.errors import ChangedFileError, DamagedFileError, DatasetError, unknown
from interpret_core.lists import typed
from interpret_core.tables import NAMED, many

_UNLISTED = 0xFFFF  # in a lookup table: label.csv knows the number, but not in this category

Unlisted = Counter[tuple[str, int]]  # pixels by category and label number
Progress = Callable[[int, int], None]


class Dataset:
    """One opened folder. Holds its tables in memory, never its pictures; safe to share between threads.

    It is what it was when it was opened: its tables are not read again, and once its digest is known, every
    picture and mask has to be what the digest says (see `contents`).

    Attributes:
        name: the registered name, or the folder's.
        root: absolute folder.
        origin: address that it was copied from; empty where it lies here.
        tables: everything that they say; what follows is read off them.
        records: rows of index.csv, in order, duplicates included (N of them).
        labels: number -> Label.
        categories: every category column, scene and texture included.
        annotation_size: (H, W) of the annotation grid; masks of other sizes are resampled to it.
        images: folder of the pictures and masks.
        classes_table: text of classes.csv, None where there is none.
    """

    def __init__(self, name: str, root: Path, tables: Tables, origin: str = "") -> None:
        self.name = name
        self.origin = origin
        self.root = root
        self.tables = tables
        self.records = ImageRecords.of(tables.records)
        self.labels: Mapping[int, Label] = tables.labels
        self.categories = tables.categories
        self.annotation_size = tables.annotation_size
        self.images = root / tables.images
        self.classes_table = tables.classes
        self._numbers = tables.numbers
        self._prefix = f"{tables.images}/" if tables.images else ""
        self._digest: str | None = None
        self._known: KnownFiles | None = None
        self._listed = ListedLabels(tuple(tables.labels))
        self._lookups: tuple[ConceptTable, dict[str, NDArray[np.uint16]]] | None = None

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self)} images, {str(self.root)!r})"

    @property
    def annotated(self) -> bool:
        """Whether it comes with labels; a plain folder of images has none."""
        return bool(self.labels)

    @property
    def digest(self) -> str:
        """Digest of the content (hex), see `compute_digest`."""
        return self.compute_digest()

    def compute_digest(
        self, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> str:
        """SHA-256 (hex) over the tables, every image and mask listed in them, and how shades are made.

        The folder's place and name do not enter, one changed byte does. Reads every file the first time;
        later only files whose size or time of change differ (see `digests`).

        Args:
            progress: called with files done and files in all.
            cancelled: asked regularly; a true answer raises Cancelled.

        Raises:
            DatasetError: a file that is there cannot be read.
        """
        if self._digest is None:
            found = content_of(self.root, self.tables.digests, self.files(), progress, cancelled)
            self._known = KnownFiles.of(self.records, found.of, self._prefix)
            self._digest = found.digest
        return self._digest

    def files(self) -> Iterable[str]:
        """Every file the tables name, relative to the folder; a file may come more than once."""
        return (f"{self._prefix}{name}" for record in self.records for name in files_of(record))

    def concepts(self, categories: Iterable[str] = DEFAULT_CATEGORIES) -> ConceptTable:
        """The concepts of some categories; default categories that the data set lacks are left out.

        A folder without any annotation has no concept, and that is no mistake.

        Raises:
            DatasetError: a category that is neither Broden's nor the data set's, or no concept at all.
        """
        wanted = tuple(dict.fromkeys(categories))
        for category in wanted:
            if category in self.categories or category in DEFAULT_CATEGORIES:
                continue
            if category in self.without_column:
                raise DatasetError(f"Data set {self.name} has no column {category!r}: {self._mismatch()}")
            remedy = f"Data set: {self.name}."
            raise DatasetError(unknown("category", category, self.categories, remedy, typed))
        found = tuple(
            Concept(label.number, label.name, category)
            for category in wanted
            if category in self.categories
            for label in self.labels.values()
            if category in label.categories
        )
        if not found and self.annotated:
            raise DatasetError(
                f"Data set {self.name} has no label in {', '.join(wanted) or 'no category'}, "
                f"expected at least one: {self._mismatch()}"
            )
        if len(found) >= _UNLISTED:
            raise DatasetError(
                f"{len(found)} concepts, expected fewer than {_UNLISTED}: choose fewer categories."
            )
        present = {concept.category for concept in found}
        return ConceptTable(tuple(category for category in wanted if category in present), found)

    @property
    def without_column(self) -> Mapping[str, Sequence[Label]]:
        """Categories of label.csv that index.csv has no column for, and their labels, which count nowhere."""
        found: dict[str, list[Label]] = {}
        for label in self.labels.values():
            for category in label.categories:
                if category not in self.categories:
                    found.setdefault(category, []).append(label)
        return found

    @cached_property
    def resampling(self) -> str:
        """How masks come to the annotation grid, in words; empty where they are as large."""
        if self.tables.mask_size is None:
            return ""
        height, width = self.annotation_size
        large = self.tables.mask_size[0] * self.tables.mask_size[1]
        which = "several sizes" if any(one.mask_size for one in self.records) else f"{large:,} pixels"
        return f"masks of {which}, read on a grid of {height}×{width}, the nearest pixel for each cell"

    @cached_property
    def repetition(self) -> str:
        """Images that have several rows, each of which counts, in words; empty where none has."""
        rows = Counter(record.image for record in self.records)
        several = [f"{image} ({count:,} rows)" for image, count in rows.items() if count > 1]
        if not several:
            return ""
        more = f"; and {len(several) - NAMED:,} more" if len(several) > NAMED else ""
        which = many(len(several), "image has", "images have")
        return f"{which} several rows in index.csv, each of which counts: {'; '.join(several[:NAMED])}{more}"

    def _mismatch(self) -> str:
        """Where the labels of a category may be that seems to have none, and the remedy."""
        columns = ", ".join(self.categories)
        labelled = {category for label in self.labels.values() for category in label.categories}
        if not labelled:
            return f"label.csv names a category for none of its labels: write one of {columns} there."
        choice = ", ".join(category for category in self.categories if category in labelled)
        if not self.without_column:
            return f"choose among {choice}."
        return (
            f"label.csv lists labels in {', '.join(self.without_column)}, and index.csv has the columns "
            f"{columns}: write one name in both{f', or choose among {choice}' if choice else ''}."
        )

    def told(self, error: DamagedFileError) -> str:
        """What is wrong with a file, by its place below the folder: whatever is kept names no other place."""
        return str(error).replace(os.path.join(self.root, ""), "", 1)  # noqa: PTH118 - with a slash at its end

    def planes(self, table: ConceptTable) -> int:
        """L: the largest number of annotation maps of any image (at least 1)."""
        maps = [self.records.maps(category) for category in table.categories]
        return max(1, int(np.sum(maps, axis=0).max())) if maps else 1

    def apart(self, category: str) -> bool:
        """Whether no two labels of a category can share a pixel: no image has several maps of it."""
        return bool((self.records.maps(category) <= 1).all())

    def read_image(self, i: int) -> NDArray[np.uint8]:
        """Image i as (h, w, 3) uint8 RGB, see `pictures` for what is converted.

        Raises:
            DamagedFileError: missing, undecodable or of another size than index.csv says.
            ChangedFileError: not the file that the digest knows.
            DatasetError: the operating system does not hand it out.
        """
        record = self.records[i]
        with self._comparing(i, record.image) as known:
            return pictures.read_rgb(self.images / record.image, record.size, known)

    def read_annotation(self, i: int, table: ConceptTable) -> NDArray[np.uint16]:
        """Annotation of image i: one plane per map of the table's categories, in their order.

        Args:
            i: index into records.
            table: from `concepts`.

        Returns:
            (L, H, W) uint16, L as many as this image has (0 where it has none): 1 + index into
            table.concepts, 0 = unlabelled. A concept that several maps give to a pixel is kept in the first.

        Raises:
            DamagedFileError: a missing or undecodable mask, one of another size, or an unknown label number.
            ChangedFileError, DatasetError: as `read_image`.
        """
        return self.read_planes(i, table)[0]

    def read_planes(self, i: int, table: ConceptTable) -> tuple[NDArray[np.uint16], Unlisted]:
        """As `read_annotation`, and the pixels whose label is not listed in the map's category.

        Labels without any category are meant to be unlabelled and are none of these.
        """
        record = self.records[i]
        planes = np.zeros((_count(record, table), *self.annotation_size), dtype=np.uint16)
        lookups = self._lookup_tables(table)
        at, unlisted = 0, Unlisted()
        for category in table.categories:
            first = at
            for item in record.maps.get(category, ()):
                plane, foreign = self._indexed(i, item, lookups[category])
                unlisted.update({(category, number): pixels for number, pixels in foreign.items()})
                for earlier in planes[first:at]:
                    plane[plane == earlier] = 0
                planes[at] = plane
                at += 1
        return planes, unlisted

    def _indexed(
        self, i: int, item: str | int, lookup: NDArray[np.uint16]
    ) -> tuple[NDArray[np.uint16], dict[int, int]]:
        """One map as concept indices, and the pixels of each number that its category does not list."""
        size = self.records[i].mask_size or self.tables.mask_size or self.annotation_size
        if not isinstance(item, int):
            with self._comparing(i, item) as known:
                mask = read_mask(self.images / item, size, self._listed, known, self._numbers)
            numbers = resampled(mask, self.annotation_size)
        elif item not in self.labels:
            raise self._listed.refusal(f"index.csv, row of {self.records[i].image}", item)
        else:
            numbers = np.full(self.annotation_size, item, dtype=np.uint16)
        plane = lookup[numbers]
        foreign = plane == _UNLISTED
        plane[foreign] = 0
        counted = zip(*np.unique(numbers[foreign], return_counts=True), strict=True)
        found = {int(number): int(pixels) for number, pixels in counted}
        return plane, {number: pixels for number, pixels in found.items() if self.labels[number].categories}

    @contextmanager
    def _comparing(self, i: int, name: str) -> Iterator[bytes]:
        """What the digest knows of image i's file, as `contents.read_content` takes it, to read it within."""
        known = UNKNOWN if self._known is None else self._known.of_file(self.records[i], i, name)
        try:
            yield known
        except ChangedFileError:
            distrust(self.root, f"{self._prefix}{name}", known)
            raise

    def _lookup_tables(self, table: ConceptTable) -> dict[str, NDArray[np.uint16]]:
        """category -> (65536,) uint16 from label number to 1 + concept index; kept for the last table."""
        kept = self._lookups
        if kept is not None and kept[0] is table:
            return kept[1]
        blank = np.full(MAX_LABEL + 1, _UNLISTED, dtype=np.uint16)
        blank[0] = 0
        lookups = {category: blank.copy() for category in table.categories}
        for index, concept in enumerate(table.concepts):
            lookups[concept.category][concept.number] = 1 + index
        self._lookups = (table, lookups)
        return lookups


def _count(record: ImageRecord, table: ConceptTable) -> int:
    return sum(len(record.maps.get(category, ())) for category in table.categories)
