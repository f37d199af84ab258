"""Photographs annotated by a segmenter: a data set of its own, whose every label says that it is predicted.

A segmenter is `package.module:factory`, a function without arguments. What it returns takes an image,
(h, w, 3) uint8 RGB, and gives an (H, W) map of whole numbers; its attribute `names` says what they mean:
number -> name, or a list for 1, 2, 3 …. What has no name there, such as 0, is unlabelled.

    <cache>/predicted/<key>/<data set> (labels predicted by <segmenter>)/
        index.csv, label.csv, classes.csv   as in Broden's layout; every label's name ends in "(predicted)"
        images/…                            links to the pictures
        images/predicted/000001.png         what the segmenter gave, by nearest on a grid of 112×112

The masks' bytes are part of the data set's digest, and so of every key. The folder is made once for a data
set, the segmenter's code, names and what it gives on a few pictures: another segmenter has another one.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core import datasets
from interpret_core.datasets import Dataset
from interpret_core.datasets.tables import CLASSES, IMAGES, INDEX, MAX_LABEL
from interpret_core.errors import Cancelled, DamagedFileError, ParameterError
from interpret_core.networks.objects import code

STAGE = "predicting labels"
MASKS, CATEGORY, PREDICTED = "predicted", "object", " (predicted)"
GRID = (112, 112)  # as in Broden at 224 px
LOOKS = 3  # pictures that tell whether a segmenter is the one of before
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Segmenter:
    """What a factory gave.

    Attributes:
        name: `package.module:factory`.
        segment: (h, w, 3) uint8 -> (H, W) whole numbers.
        names: of the numbers.
        code: SHA-256 of its own source files, by module.
    """

    name: str
    segment: Callable[[NDArray[np.uint8]], Any]
    names: Mapping[int, str]
    code: Mapping[str, str]

    @classmethod
    def named(cls, name: str) -> Segmenter:
        """Import and call a factory.

        Raises:
            ParameterError: it cannot be imported, fails, or gives no segmenter; one clear line.
        """
        module, colon, factory = name.partition(":")
        if not (module and colon and factory):
            raise ParameterError(f"--segmenter is {name!r}, but expected package.module:factory.")
        try:
            made = getattr(importlib.import_module(module), factory)()
            names = _names(made.names)
        except Exception as error:  # whatever somebody's code does
            raise ParameterError(
                f"Segmenter {name} fails with {type(error).__name__}: {error}. Expected a function without "
                "arguments that returns a callable with `names`: number -> name."
            ) from error
        if not callable(made) or not names:
            raise ParameterError(
                f"Segmenter {name} is {type(made).__name__} with {len(names)} names, but expected a callable "
                f"with a name for each label, numbers from 1 to {MAX_LABEL}, no name twice."
            )
        return cls(name, made, names, code.digests([module]))

    def numbers(self, image: NDArray[np.uint8], where: str) -> NDArray[np.uint16]:
        """(112, 112) numbers of an image, 0 where none has a name.

        Raises:
            ParameterError: it fails, or gives something else than a map of whole numbers.
        """
        try:
            found = np.asarray(self.segment(image))
        except Exception as error:
            raise ParameterError(
                f"Segmenter {self.name} fails on {where} with {type(error).__name__}: {error}."
            ) from error
        if found.ndim != 2 or not found.size or found.dtype.kind not in "iub":
            raise ParameterError(
                f"Segmenter {self.name} gives {found.dtype} of shape {found.shape} on {where}, but expected "
                "an (H, W) map of whole numbers."
            )
        rows, columns = (
            ((np.arange(cells) + 0.5) * extent / cells).astype(int)
            for cells, extent in zip(GRID, found.shape, strict=True)
        )
        near = found[np.ix_(rows, columns)].astype(np.int64)
        return np.where(np.isin(near, list(self.names)), near, 0).astype(np.uint16)


def predicted(name: str, segmenter: str, cache: Path, tell: Tell, cancelled: Callable[[], bool]) -> Path:
    """The folder of a data set's photographs with labels that a segmenter predicts; made where it is missing.

    Args:
        name: of the data set, or its folder; labels that it has stay out of it.
        segmenter: `package.module:factory`.
        cache: folder of results.
        tell: told stage, pictures done and pictures in all.
        cancelled: asked before every picture.

    Raises:
        UserError: data set or segmenter cannot be used.
        Cancelled: the user stopped it; nothing is kept.
    """
    dataset, made = datasets.open_dataset(name), Segmenter.named(segmenter)
    digest = dataset.compute_digest(cancelled=cancelled)
    title = f"{dataset.name} (labels predicted by {made.name.replace(os.sep, '_')})"
    folder = cache.absolute() / "predicted" / _key(dataset, digest, made) / title
    if (folder / INDEX).is_file():
        return folder
    part = folder.with_name(f".{os.getpid()}.part")
    try:
        _write(part, dataset, made, tell, cancelled)
        with suppress(OSError):  # somebody else has made the same meanwhile
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _names(told: Any) -> dict[int, str]:
    pairs = told.items() if isinstance(told, Mapping) else enumerate(told, 1)
    names = {int(number): str(name).strip() for number, name in pairs}
    sound = all(0 < number <= MAX_LABEL and name for number, name in names.items())
    return names if sound and len(set(names.values())) == len(names) else {}


def _key(dataset: Dataset, digest: str, made: Segmenter) -> str:
    """Differs where data set, code or names of the segmenter do, or what it gives on a few pictures."""
    told = json.dumps([digest, made.name, sorted(made.names.items()), sorted(made.code.items())])
    total = hashlib.sha256(told.encode())
    for index in range(min(LOOKS, len(dataset))):
        with suppress(DamagedFileError):
            total.update(made.numbers(dataset.read_image(index), dataset.records[index].image).tobytes())
    return total.hexdigest()[:32]


def _write(
    folder: Path, dataset: Dataset, made: Segmenter, tell: Tell, cancelled: Callable[[], bool]
) -> None:
    masks = _beside_pictures(dataset)
    (folder / IMAGES / masks).mkdir(parents=True)
    rows = []
    for index, record in enumerate(dataset.records):
        if cancelled():
            raise Cancelled("Stopped while labels were predicted; nothing of them is kept.")
        tell(STAGE, index, len(dataset))
        picture = folder / IMAGES / record.image
        picture.parent.mkdir(parents=True, exist_ok=True)
        if not picture.is_symlink():
            picture.symlink_to((dataset.images / record.image).resolve())
        size, mask = (1, 1), ""
        with suppress(DamagedFileError):  # whoever reads the data set says what is wrong with it
            image = dataset.read_image(index)
            mask = f"{masks}/{index:06d}.png"
            _save(folder / IMAGES / mask, made.numbers(image, record.image))
            size = (image.shape[0], image.shape[1])
        rows.append((record.image, record.split, *size, *GRID, mask))
    _table(
        folder / "label.csv",
        ("number", "name", "category"),
        [(number, f"{name}{PREDICTED}", CATEGORY) for number, name in sorted(made.names.items())],
    )
    if dataset.classes_table is not None:
        (folder / CLASSES).write_text(dataset.classes_table, encoding="utf-8")
    _table(folder / INDEX, ("image", "split", "ih", "iw", "sh", "sw", CATEGORY), rows)


def _beside_pictures(dataset: Dataset) -> str:
    """A folder for the masks that no picture lies in: a link there would lead to somebody's photograph."""
    name, taken = MASKS, {record.image.partition("/")[0] for record in dataset.records}
    while name in taken:
        name += "_"
    return name


def _save(path: Path, numbers: NDArray[np.uint16]) -> None:
    """A mask as Broden stores it: R + 256·G."""
    channels = np.stack([numbers & 255, numbers >> 8, np.zeros_like(numbers)], -1).astype(np.uint8)
    Image.fromarray(channels).save(path)


def _table(path: Path, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
