"""Which images are evaluated, and in which order: those that can be read, the classes in turn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets import Dataset, Survey
from interpret_core.errors import DamagedFileError
from interpret_core.files import name_bytes
from interpret_core.store.keys import content_key
from interpret_core.store.store import Store


def readable(dataset: Dataset, index: int) -> bool:
    """Whether an image can be decoded."""
    try:
        dataset.read_image(index)
    except DamagedFileError:
        return False
    return True


def damaged_images(
    dataset: Dataset, images: NDArray[np.int64], survey: Survey | None, store: Store
) -> NDArray[np.int64]:
    """Those that cannot be decoded, ascending. A survey has read them; without one they are, once."""
    unsure = sorted(set(images.tolist() if survey is None else images[~survey.valid[images]].tolist()))
    if not unsure:
        return np.zeros(0, np.int64)
    key = content_key("damaged", {"dataset": dataset.digest, "images": unsure})
    found = store.get_json(key)
    if found is None:
        found = [index for index in unsure if not readable(dataset, index)]
        store.put_json(key, found, needed=False)
    return np.array(found, np.int64)


def in_turns(
    dataset: Dataset, classes: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Images of all classes, one of each in turn, within a class by the digest of their names."""

    def place(index: int) -> bytes:
        return hashlib.sha256(name_bytes(dataset.records[index].image)).digest()

    ordered = [sorted(images.tolist(), key=place) for images in classes]
    longest = max(map(len, ordered))
    turns = [
        (index, number)
        for turn in range(longest)
        for number, images in enumerate(ordered)
        for index in images[turn : turn + 1]
    ]
    return np.array([index for index, _ in turns], np.int64), np.array([n for _, n in turns], np.int64)
