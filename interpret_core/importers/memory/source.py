"""What is in memory as a source of an import: read twice, so that one that changes is told.

First everything is read, checked and hashed; what it is called by is what it holds. Then it is read again,
item by item, and written. A data set that draws its pictures anew each time (random augmentation) differs in
between, and is refused: nobody could say what results would be of.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.datasets.classes import spelling
from interpret_core.errors import DatasetError
from interpret_core.importers.base import GRID, ImportSource, NewLabel, Planes, SourcePicture, checked_labels
from interpret_core.importers.memory.items import Item, Named, Names, item_of

LARGEST_GRID = 4096
READ = "read"
Tell = Callable[[str, int, int], None]
Give = Callable[[int], tuple[object, object]]  # number -> picture and label


@dataclass(frozen=True)
class GivenItems:
    """Items by number.

    Attributes:
        count: of them.
        give: picture and label of one; called twice for each.
        names: what numbers mean.
    """

    count: int
    give: Give
    names: Names

    def item(self, number: int) -> Item:
        """One of them, checked.

        Raises:
            DatasetError: it cannot be used.
        """
        where = f"Item {number}"
        picture, label = self.give(number)
        return item_of(picture, label, self.names, where)


@dataclass(frozen=True)
class GivenContent:
    """What was found when all was read.

    Attributes:
        digests: of each item.
        concepts: in the order of their numbers, which begin at 1.
        grid: (H, W) of the label maps to be.
    """

    digests: Sequence[bytes]
    concepts: Sequence[Named]
    grid: tuple[int, int]

    @property
    def digest(self) -> str:
        """Of everything that decides what is written."""
        told = hashlib.sha256(json.dumps([self.concepts, self.grid]).encode())
        for one in self.digests:
            told.update(one)
        return told.hexdigest()

    @property
    def labels(self) -> list[NewLabel]:
        """Rows of label.csv to be."""
        return [NewLabel(at, name, category) for at, (category, name) in enumerate(self.concepts, 1)]


def content_of(given: GivenItems, tell: Tell) -> GivenContent:
    """Read everything once.

    Raises:
        DatasetError: an item cannot be used, nothing is labelled, or labels contradict each other.
    """
    digests: list[bytes] = []
    concepts = {one for one in given.names.concepts.values() if one is not None}
    sizes: Counter[tuple[int, int]] = Counter()
    kinds: set[str] = set()
    spelled: dict[str, str] = {}
    for number in range(given.count):
        item = given.item(number)
        for name in filter(None, (item.label, *item.several)):
            other = spelled.setdefault(spelling(name), name)
            if other != name:
                raise DatasetError(
                    f"Item {number}: the label {name!r} is spelled {other!r} before, expected one spelling."
                )
        kinds |= {kind for kind, there in (("class", item.label), ("several", item.several)) if there}
        concepts.update(item.masks)
        sizes[item.pixels.shape[:2]] += bool(item.masks)
        digests.append(item.digest())
        tell(READ, number + 1, given.count)
    if len(kinds) > 1:
        raise DatasetError(
            "Some items have one class and others a list of labels, expected the same of all: make each "
            "class a list of one."
        )
    if not kinds and not any(sizes.values()):
        raise DatasetError(
            "No item has a label, expected a class, labels or a label map for some: pictures alone are a "
            "data set as a folder, which ic.open_dataset opens."
        )
    drawn = [size for size, many in sizes.items() if many]
    grid = drawn[0] if len(drawn) == 1 and max(drawn[0]) <= LARGEST_GRID else GRID
    found = GivenContent(digests, sorted(concepts) if any(sizes.values()) else [], grid)
    checked_labels(found.labels, "The concepts")
    return found


class GivenSource(ImportSource):
    """Items as pictures of an import, written without loss.

    Args:
        given: what is read again.
        content: what it was before.
        work: folder for the pictures' files.
    """

    upright = True

    def __init__(self, given: GivenItems, content: GivenContent, work: Path) -> None:
        self._given, self._content, self._work = given, content, work / "given"
        self.labels = content.labels
        self.identity = content.digest
        self._number = {concept: at for at, concept in enumerate(content.concepts, 1)}
        self._width = len(str(max(0, given.count - 1)))

    def __len__(self) -> int:
        return self._given.count

    def pictures(self) -> Iterator[SourcePicture]:
        """In their order, read for the second time.

        Raises:
            DatasetError: one is another than before, or its file cannot be written.
        """
        self._work.mkdir(exist_ok=True)
        for number in range(self._given.count):
            item = self._given.item(number)
            if item.digest() != self._content.digests[number]:
                raise DatasetError(
                    f"Item {number} is another one each time it is read, expected the same: take random "
                    "augmentation out of the data set (results would be of pictures that nobody has)."
                )
            path = self._work / f"{number:0{self._width}d}.png"
            try:
                Image.fromarray(item.pixels).save(path, "PNG", compress_level=1)
            except OSError as error:
                raise DatasetError(
                    f"{path} cannot be written ({error.strerror or error}): free space there, or name "
                    "another folder in INTERPRET_CACHE."
                ) from error
            yield SourcePicture(path.name, path, label=item.label, detail=item.masks, several=item.several)

    def planes(self, picture: SourcePicture) -> Planes:
        """By category, as few maps as hold masks that overlap."""
        masks: Mapping[Named, NDArray[np.bool_]] = picture.detail
        found: dict[str, list[NDArray[np.int64]]] = {}
        for concept, mask in sorted(masks.items()):
            maps = found.setdefault(concept[0], [])
            free = next((one for one in maps if not one[mask].any()), None)
            if free is None:
                free = np.zeros(mask.shape, np.int64)
                maps.append(free)
            free[mask] = self._number[concept]
        return found


def given_items(pictures: Any, labels: Any, names: Names) -> GivenItems:
    """Items of what was given.

    Args:
        pictures: something with a length; its items are pictures, or (picture, label) where `labels` is None.
        labels: as many.
        names: of numbers.

    Raises:
        DatasetError: nothing, no length, or lengths that differ.
    """
    for what, one in (("pictures", pictures), ("labels", labels)):
        indexed = hasattr(one, "__len__") and hasattr(one, "__getitem__")
        if one is not None and (not indexed or isinstance(one, str | bytes | Mapping)):
            raise DatasetError(
                f"The {what} are {type(one).__name__}, which has no length and items by number, expected a "
                "list, an array, a tensor or a map-style torch Dataset."
            )
    count = len(pictures)
    if not count:
        raise DatasetError("There is no picture, expected at least one.")
    if labels is not None and len(labels) != count:
        raise DatasetError(f"There are {count:,} pictures and {len(labels):,} labels, expected as many.")

    def both(number: int) -> tuple[object, object]:
        item = pictures[number]
        if labels is not None:
            return item, labels[number]
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise DatasetError(
                f"Item {number} is {type(item).__name__}, expected (picture, label): give labels=…, or a "
                "data set of pairs."
            )
        return item[0], item[1]

    return GivenItems(count, both, names)
