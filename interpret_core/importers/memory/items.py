"""One item that somebody gives: a picture, and what its label says, checked and in one form."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.errors import DatasetError
from interpret_core.importers.base import OBJECT
from interpret_core.importers.memory.pixels import array_of, numbers_of, pixels_of

Concept = str | tuple[str, str]  # a name, or a name and its category
Named = tuple[str, str]  # category, name
_EXPECTED = (
    "expected the number or name of a class, a list of names, a label map of whole numbers, or a dictionary "
    "name -> mask"
)


@dataclass(frozen=True)
class Names:
    """What numbers mean.

    Attributes:
        concepts: number in a label map -> concept, None for one that is to count as unlabelled.
        classes: number of a class -> name; None where nobody has named any.
    """

    concepts: Mapping[int, Named | None] = field(default_factory=dict)
    classes: Mapping[int, str] | None = None


@dataclass(frozen=True, eq=False)
class Item:
    """A picture with its labels.

    Attributes:
        pixels: (h, w, 3) uint8.
        masks: concept -> (h, w) bool; those of a label map do not overlap.
        label: its class, "" where there is none.
        several: labels of the whole picture.
    """

    pixels: NDArray[np.uint8]
    masks: Mapping[Named, NDArray[np.bool_]] = field(default_factory=dict)
    label: str = ""
    several: tuple[str, ...] = ()

    @property
    def labelled(self) -> bool:
        """Whether anything is said of it."""
        return bool(self.masks or self.label or self.several)

    def digest(self) -> bytes:
        """Of pixels, masks and labels."""
        told = hashlib.sha256(repr((self.pixels.shape, self.label, self.several)).encode())
        told.update(self.pixels.tobytes())
        for concept in sorted(self.masks):
            told.update(repr((concept, self.masks[concept].shape)).encode())
            told.update(np.packbits(self.masks[concept]).tobytes())
        return told.digest()


def item_of(picture: object, label: object, names: Names, where: str) -> Item:
    """What was given, checked.

    Args:
        picture: as `pixels_of` takes it.
        label: as `datasets` of `interpret_core.api` says; None for none.
        names: of numbers.
        where: for messages.

    Raises:
        DatasetError: whatever cannot be used; one line.
    """
    pixels = pixels_of(picture, where)
    if isinstance(label, tuple) and len(label) == 2 and _is_map(label[0]) and not _is_map(label[1]):
        found = _item(pixels, label[0], names, where)
        other = _item(pixels, label[1], names, where)
        return Item(pixels, found.masks, other.label, other.several)
    return _item(pixels, label, names, where)


def _is_map(label: object) -> bool:
    if isinstance(label, Mapping):
        return True
    array = array_of(label)
    return hasattr(label, "mode") or (array is not None and array.ndim >= 2)


def _item(pixels: NDArray[np.uint8], label: Any, names: Names, where: str) -> Item:
    if label is None:
        return Item(pixels)
    if isinstance(label, str):
        return Item(pixels, label=text_of(label, f"{where}: its class"))
    if isinstance(label, Mapping):
        return Item(pixels, _masks(label, pixels, where))
    numbers = numbers_of(label, f"{where}: its label")
    if numbers is not None:
        return Item(pixels, _of_map(numbers, pixels, names, where))
    array = array_of(label)
    if array is not None and array.ndim == 1:
        return Item(pixels, several=_told(array, names, where))
    if isinstance(label, list | tuple | set | frozenset):
        several = sorted(label, key=str) if isinstance(label, set | frozenset) else label
        if not all(isinstance(one, str) for one in several):
            raise DatasetError(f"{where}: its label is {_short(label)}, {_EXPECTED}.")
        return Item(pixels, several=tuple(dict.fromkeys(_in_a_cell(one, where) for one in several)))
    return Item(pixels, label=_class_of(label, names, where))


def _class_of(label: Any, names: Names, where: str) -> str:
    try:
        if isinstance(label, bool):
            raise TypeError
        number = operator.index(label)
    except TypeError:
        raise DatasetError(f"{where}: its label is {_short(label)}, {_EXPECTED}.") from None
    if names.classes is None:
        raise DatasetError(
            f"{where}: its class is number {number}, and no class has a name, expected "
            'classes=["…", …] in the order of the numbers.'
        )
    if number not in names.classes:
        raise DatasetError(
            f"{where}: its class is number {number}, expected one of {_listed(names.classes)}: name it in "
            "classes."
        )
    return names.classes[number]


def _told(array: NDArray[Any], names: Names, where: str) -> tuple[str, ...]:
    """Names where a row of zeros and ones has a one."""
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise DatasetError(f"{where}: its label is a row of {array.dtype}, expected zeros and ones.")
    classes = names.classes or {}
    if sorted(classes) != list(range(len(array))):
        raise DatasetError(
            f"{where}: its label is a row of {len(array)}, expected as many names in classes, which has "
            f"{len(classes)}."
        )
    return tuple(_in_a_cell(classes[at], where) for at in np.flatnonzero(array).tolist())


def _masks(label: Mapping[Any, Any], pixels: NDArray[np.uint8], where: str) -> dict[Named, NDArray[np.bool_]]:
    found: dict[Named, NDArray[np.bool_]] = {}
    for key, given in label.items():
        concept = concept_of(key, where)
        mask = array_of(given)
        if mask is not None and mask.ndim == 3 and mask.shape[0] == 1:
            mask = mask[0]
        if mask is None or mask.dtype != np.bool_:
            what = type(given).__name__ if mask is None else f"of {mask.dtype}"
            raise DatasetError(f"{where}: the mask of {concept[1]!r} is {what}, expected (h, w) bool.")
        check_size(mask.shape, pixels, f"{where}: the mask of {concept[1]!r}")
        if concept in found:
            raise DatasetError(f"{where}: {concept[1]!r} has two masks, expected one: join them.")
        if mask.any():
            found[concept] = mask.copy()  # a data set may give the same array for its next item
    return found


def _of_map(
    numbers: NDArray[np.int64], pixels: NDArray[np.uint8], names: Names, where: str
) -> dict[Named, NDArray[np.bool_]]:
    check_size(numbers.shape, pixels, f"{where}: its label map")
    found: dict[Named, NDArray[np.bool_]] = {}
    for number in np.unique(numbers).tolist():
        if number not in names.concepts:
            if number == 0:
                continue
            many = int((numbers == number).sum())
            raise DatasetError(
                f"{where}: its label map has number {number} ({many:,} pixels), expected one of "
                f'{_listed(names.concepts)}: name it, as in concepts={{{number}: "…"}}, or say None in place '
                "of a name for what is not to count."
            )
        concept = names.concepts[number]
        if concept is not None:
            mask = numbers == number
            found[concept] = found[concept] | mask if concept in found else mask
    return found


def check_size(shape: tuple[int, ...], pixels: NDArray[np.uint8], what: str) -> None:
    """Raise a DatasetError where something drawn on a picture is not as large as it."""
    if tuple(shape) != pixels.shape[:2]:
        shown, expected = "×".join(map(str, shape)), "×".join(map(str, pixels.shape[:2]))
        raise DatasetError(f"{what} has {shown} pixels and the picture {expected}, expected the same.")


def concept_of(given: object, where: str) -> Named:
    """Category and name of a concept; one that is a name alone is an object."""
    if isinstance(given, tuple) and len(given) == 2 and all(isinstance(one, str) for one in given):
        return given[1], text_of(given[0], f"{where}: a concept")
    if isinstance(given, str):
        return OBJECT, text_of(given, f"{where}: a concept")
    raise DatasetError(
        f"{where}: a concept is {_short(given)}, expected its name, or (name, category) such as "
        '("red", "color").'
    )


def text_of(given: str, what: str) -> str:
    """A name that can stand in a table and on a page."""
    if not given.strip() or not given.isprintable():
        raise DatasetError(f"{what} is named {given!r}, expected some letters in one line: name it.")
    return given.strip()


def _in_a_cell(given: str, where: str) -> str:
    name = text_of(given, f"{where}: one of its labels")
    if ";" in name:
        raise DatasetError(f"{where}: one of its labels is {name!r}, expected one without ; in it.")
    return name


def _listed(names: Mapping[int, object]) -> str:
    numbers: Sequence[int] = sorted(names)
    shown = ", ".join(map(str, numbers[:8])) + (", …" if len(numbers) > 8 else "")
    return shown or "those that concepts names, and it names none"


def _short(given: object) -> str:
    told = repr(given)
    return told if len(told) <= 60 and "\n" not in told else type(given).__name__
