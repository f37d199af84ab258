"""Data sets that a notebook has in memory: arrays, or a torch data set of pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from interpret_core import config, datasets
from interpret_core.datasets import Dataset
from interpret_core.errors import DatasetError, ParameterError
from interpret_core.importers.base import ImportSettings, Preparation
from interpret_core.importers.memory.items import Concept, Named, Names, concept_of, text_of
from interpret_core.importers.memory.source import (
    GivenContent,
    GivenItems,
    GivenSource,
    content_of,
    given_items,
)
from interpret_core.importers.runner import written
from interpret_core.uploads.names import name_problem

FORMAT = "memory"
Tell = Callable[[str, int, int], None]


def dataset(
    pictures: Any,
    labels: Any = None,
    concepts: Mapping[int, Concept | None] | None = None,
    classes: Sequence[str] | Mapping[int, str] | None = None,
    name: str = "pictures",
    tell: Tell | None = None,
) -> Dataset:
    """Pictures and labels in memory as a data set that everything can be asked about.

    They are written once, without loss, into a folder below the cache (INTERPRET_CACHE) that is called by
    their content: the same again finds it, and its results. Everything is read twice, so that a data set
    which draws its pictures anew each time is refused. Label maps stay as they are where all are of one size
    (sides up to 4,096 pixels); of several sizes, they come to 112×112 by nearest. Of the images of a class,
    one half ranks units and the other tests them.

    Args:
        pictures: N of them with a length, by number: a list, an array, a tensor, or a map-style torch
            `Dataset`. Each is a PIL image (RGB or grey), or (h, w, 3), (3, h, w) or (h, w), uint8 or floating
            in [0, 1], before any normalisation. With `labels=None`, pairs (picture, label).
        labels: as many. Each is None, or
            the number or name of the class that the picture shows;
            a list of names, or a row of zeros and ones: labels of the whole picture, without a class;
            a label map (h, w) of whole numbers, as large as the picture, 0 for unlabelled;
            a dictionary concept -> mask (h, w) bool, masks may overlap;
            or (label map or dictionary, class).
        concepts: number in the label maps -> name, or (name, category) such as ("red", "color"); without one
            a concept is an "object". None in place of a name does not count (255, void). 0 may be named too;
            numbers of one name are one concept.
        classes: names of the classes, in the order of their numbers, or number -> name; by default
            `pictures.classes`, as torchvision's data sets have it.
        name: to call it by: letters, digits, dots, dashes and underscores.
        tell: called with the stage ("read", then "import"), the pictures done and those in all.

    Returns:
        The data set, as `open_dataset` returns it; `root` is its folder.

    Raises:
        DatasetError: a picture or label of another shape, type, range or size; numbers without names; no
            label at all; an item that changes; a folder that cannot be written. One line, with the item.
        ParameterError: a name that is none, or concepts and classes that are no names of numbers.

    Source: Bau et al. 2017, section 2.1, for concepts and their categories.

    Example:
        >>> import numpy as np
        >>> import interpret_core as ic
        >>> pictures = np.zeros((4, 32, 32, 3), np.uint8)
        >>> maps = np.zeros((4, 32, 32), int)
        >>> pictures[::2, 4:12, 4:12, 0], maps[::2, 4:12, 4:12] = 255, 1
        >>> data = ic.dataset(pictures, list(zip(maps, ["square", "nothing"] * 2)), {1: ("red", "color")})
        >>> len(data), data.categories, data.annotation_size
        (4, ('color',), (32, 32))
    """
    problem = name_problem(name, ())
    if not isinstance(name, str) or problem:
        raise ParameterError(problem.replace("network", "data set") or f"name is {name!r}, expected a text.")
    stated = classes if classes is not None else getattr(pictures, "classes", None)
    given = given_items(pictures, labels, Names(_concepts(concepts), _classes(stated)))
    telling = tell or (lambda _stage, _done, _total: None)
    content = content_of(given, telling)
    folder = config.copy_of(f"{FORMAT}:{content.digest}") / name
    found = written(
        Preparation(partial(_opened, given, content), {"format": FORMAT, "content": content.digest}),
        ImportSettings(folder, content.grid, copy=True),
        "what is in memory",
        lambda stage, done, total: telling(stage, done, total or given.count),
    )
    if found.left_out:
        item, why = found.left_out[0]
        raise DatasetError(f"{len(found.left_out)} pictures cannot be written; the first, {item}: {why}")
    return datasets.open_dataset(folder)


def _opened(given: GivenItems, content: GivenContent, work: Any, _tell: object) -> GivenSource:
    return GivenSource(given, content, work)


def _concepts(stated: Mapping[int, Concept | None] | None) -> dict[int, Named | None]:
    if stated is None:
        return {}
    if not isinstance(stated, Mapping):
        raise ParameterError(
            f'concepts is {type(stated).__name__}, expected number -> name, such as {{1: "dog"}}: a list '
            "does not say whether it begins at 0."
        )
    try:
        found = {_number(one): concept_of(name, "concepts") if name else None for one, name in stated.items()}
    except DatasetError as error:
        raise ParameterError(str(error)) from error
    return found


def _classes(stated: Sequence[str] | Mapping[int, str] | None) -> dict[int, str] | None:
    if stated is None:
        return None
    if isinstance(stated, str) or not isinstance(stated, Sequence | Mapping):
        raise ParameterError(f"classes is {stated!r}, expected a list of names, or number -> name.")
    numbered = dict(stated) if isinstance(stated, Mapping) else dict(enumerate(stated))
    for number, one in numbered.items():
        if not isinstance(one, str):
            raise ParameterError(f"classes has {one!r} for number {number}, expected a name.")
    twice = [one for one, times in Counter(numbered.values()).items() if times > 1]
    if twice:
        raise ParameterError(f"classes names {twice[0]!r} twice, expected a name of its own for each number.")
    try:
        return {_number(number): text_of(one, f"Class {number}") for number, one in numbered.items()}
    except DatasetError as error:
        raise ParameterError(str(error)) from error


def _number(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise ParameterError(f"{given!r} stands where a number is named, expected a whole number.")
    return given
