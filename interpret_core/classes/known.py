"""The classes of a data set that a network knows: their outputs, their images, their objects.

Images of a class (method §5) are those that classes.csv lists for it. Without that file they are the images
whose largest object known to the network is of that class and covers at least a twentieth of the image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from interpret_core import config
from interpret_core.classes.matches import Matching, Table, match
from interpret_core.classes.outputs import distinct, spellings
from interpret_core.concepts import is_predicted, unmarked
from interpret_core.datasets import DEFAULT_CATEGORIES, Classes, ConceptTable, Dataset, Survey, read_classes
from interpret_core.datasets.classes import NO_CLASS, spelling, with_splits
from interpret_core.datasets.tables import CLASSES
from interpret_core.errors import DatasetError, ParameterError, unknown
from interpret_core.lists import one_name, typed
from interpret_core.networks import NetworkSpec
from interpret_core.options import ALL, Split

OBJECT = "object"
LARGEST = "largest object"
LEAST_SHARE = 0.05  # of the image that its object has to cover
FEW = 4  # with fewer images of a class, there are no two halves to speak of


class NeedsSurvey(DatasetError):
    """What the images show has to be counted first: there is no classes.csv, and no survey was given."""


@dataclass(frozen=True, eq=False)
class KnownClass:
    """A class that a network knows.

    Attributes:
        name: as the data set spells it.
        outputs, output_names: of the network, the names told apart; a picture shows the class if any of them
            says so.
        concepts: indices into `dataset.concepts().concepts` of the objects whose pixels are the class's mask:
            every label of its name; () where the data set has no such object.
        images: (n,) indices into the data set, whatever their split, ascending.
        split: (n,) text, what each of them is for: "train", "val" or another word.
        few: fewer than 4 images: ranking uses all of them, and evaluation leaves one out (method §5).
    """

    name: str
    outputs: tuple[int, ...]
    output_names: tuple[str, ...]
    concepts: tuple[int, ...]
    images: NDArray[np.int64]
    split: NDArray[np.str_]
    few: bool

    def of(self, split: str) -> NDArray[np.int64]:
        """Images of a split, ascending; all of them for "all", and for either half where there are few.

        Raises:
            ParameterError: a split other than "train", "val" and "all".
        """
        if split not in list(Split):
            raise ParameterError(unknown("split", split, list(Split)))
        return self.images if split == Split.ALL or self.few else self.images[self.split == split]


@dataclass(frozen=True, eq=False)
class ClassPlan:
    """Which classes of a data set a network can be asked about.

    Attributes:
        classes: those that the network knows and that have at least one image, in alphabetical order.
        left_out: (class, why) of the others.
        source: what says which image shows which class, "classes.csv" or "largest object".
        masked: False where the data set has no object annotation at all: the mask is 1 everywhere.
        how: class -> what says which outputs it has: "name", "curated table", "your table" or "synonym".
        predicted: whether masks of classes are what a segmenter says, and not what somebody has drawn.
    """

    classes: tuple[KnownClass, ...]
    left_out: tuple[tuple[str, str], ...]
    source: str
    masked: bool
    how: Mapping[str, str]
    predicted: bool = False

    def find(self, name: str) -> KnownClass:
        """A class by its name, whatever its capitals, also in the quotation marks of a list (`lists`).

        A predicted one is found without its mark too, where no other class has that name.

        Raises:
            ParameterError: unknown (the message gives the nearest names) or left out (it says why).
        """
        asked = [spelling(one) for one in dict.fromkeys((name, one_name(name)))]
        ways: tuple[Callable[[str], str], ...] = (str, unmarked)
        for bare, meant in product(ways, asked):
            for one in self.classes:
                if spelling(bare(one.name)) == meant:
                    return one
            for other, why in self.left_out:
                if spelling(bare(other)) == meant:
                    raise ParameterError(
                        f"Class {name!r} cannot be used: {why}. Expected one of {self._listed()}."
                    )
        raise ParameterError(unknown("class", name, [one.name for one in self.classes], shown=typed))

    def chosen(self, names: Sequence[str] | str) -> tuple[KnownClass, ...]:
        """The classes of these names in the plan's order, each once; all of them for "all".

        Raises:
            ParameterError: as `find`, or no class at all has an image.
        """
        if not self.classes:
            raise ParameterError(f"No class has an image, expected at least one. {self._reasons()}")
        if isinstance(names, str) and names != ALL:
            names = (names,)
        wanted = {one.name for one in self.classes} if names == ALL else {self.find(n).name for n in names}
        return tuple(one for one in self.classes if one.name in wanted)

    def _listed(self) -> str:
        names = [typed(one.name) for one in self.classes]
        return ", ".join(names[:8]) + (f" … {len(names):,} in all" if len(names) > 8 else "") or "none"

    def _reasons(self) -> str:
        return "; ".join(f"{name}: {why}" for name, why in self.left_out[:4]) + "."


def class_plan(
    dataset: Dataset, spec: NetworkSpec, survey: Survey | None, table: Table | None = None
) -> ClassPlan:
    """The classes of a data set that a network knows, with their images.

    Args:
        dataset: what is shown.
        spec: the network; only the names of its outputs matter.
        survey: of the data set's concepts in their default categories; needed where there is no classes.csv.
        table: entries that say which outputs are a class; by default those of the configuration's [classes].

    Raises:
        NeedsSurvey: no classes.csv and no survey.
        NetworkError: the network knows none of the classes, or the table does not fit it.
        DatasetError: classes.csv is wrong, or there are neither classes nor objects.
    """
    if table is None:
        table = config.current().classes_for(spec.name)
    objects = _Objects(dataset)
    listed = dataset.classes_table is not None
    names: Sequence[str] = objects.names
    if listed:
        classes = read_classes(dataset)
        names = classes.names
    elif not names:
        raise DatasetError(
            f"Data set {dataset.name} has no object annotation and no {CLASSES}, expected one of them: write "
            f"{dataset.root / CLASSES} with the columns image,class."
        )
    matching = match(names, spec.class_names, spec.name, dataset.name, table)
    if not listed:
        if survey is None:
            raise NeedsSurvey(
                f"Data set {dataset.name} has no {CLASSES}, so its annotations say which image shows what; "
                "they have not been read yet: profile the data set once."
            )
        classes = objects.classes(matching, survey)
    return _plan(classes, names, matching, spec, objects, CLASSES if listed else LARGEST)


class _Objects:
    """The labels of category "object" by their names, which several may share, and the classes they make.

    Attributes:
        table: the data set's concepts in their default categories.
        names: distinct names, in the order of their lowest numbers.
        labels: the concepts of each name.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        labelled = {category for label in dataset.labels.values() for category in label.categories}
        # A data set of scenes alone has none of these categories, yet classes.csv may say all that is needed.
        usual = labelled.intersection(DEFAULT_CATEGORIES, dataset.categories)
        self.table = dataset.concepts() if usual else ConceptTable((), ())
        same: dict[str, list[int]] = {}
        for at, concept in enumerate(self.table.concepts):
            if concept.category == OBJECT:
                same.setdefault(spelling(concept.name), []).append(at)
        self.labels = [tuple(concepts) for concepts in same.values()]
        self.names = [self.table.concepts[concepts[0]].name for concepts in self.labels]

    def of_class(self, name: str) -> tuple[int, ...]:
        """The concepts of a class: those of its name, else of names that COCO or a segmenter extended."""
        named = list(zip(self.names, self.labels, strict=True))
        for other, concepts in named:
            if spelling(other) == spelling(name):
                return concepts
        alike = [(other, own) for other, own in named if set(spellings(other)) & set(spellings(name))]
        drawn = [one for one in alike if not is_predicted(one[0])]  # comes before what a model says
        return tuple(sorted(concept for _, concepts in drawn or alike for concept in concepts))

    def predicted(self, concepts: Iterable[int]) -> bool:
        """Whether a model has given any of these labels."""
        return any(is_predicted(self.table.concepts[one].name) for one in concepts)

    def classes(self, matching: Matching, survey: Survey) -> Classes:
        """Images by the largest object among those that the network knows."""
        if len(survey.concept_pixels) != len(self.table):
            raise ValueError(
                f"Expected a survey of {len(self.table)} concepts, but got {len(survey.concept_pixels)}."
            )
        count = len(self.dataset)
        largest, of_image = np.zeros(count, np.int64), np.full(count, NO_CLASS, np.int64)
        # Names come by number, so of two equally large objects the one with the lower number stays.
        for number in matching.classes:
            pixels = self._pixels(self.labels[number], survey)
            larger = pixels > largest
            largest[larger], of_image[larger] = pixels[larger], number
        of_image[largest < LEAST_SHARE * np.prod(self.dataset.annotation_size)] = NO_CLASS
        return with_splits(self.dataset, tuple(self.names), of_image)

    def _pixels(self, concepts: Sequence[int], survey: Survey) -> NDArray[np.int64]:
        """(N,) pixels of each image that bear any of some labels."""
        pixels, labels = (np.zeros(len(self.dataset), np.int64) for _ in range(2))
        for concept in concepts:
            images, own = survey.images_with(concept)
            pixels[images] += own
            labels[images] += 1
        for image in np.flatnonzero(labels > 1).tolist():
            # Where an image has several maps, two of them may give a pixel to two of the labels.
            if len(self.dataset.records[image].maps.get(OBJECT, ())) > 1:
                planes = self.dataset.read_annotation(image, self.table)
                pixels[image] = np.isin(planes, np.add(concepts, 1)).any(0).sum()
        return pixels


def _plan(
    classes: Classes,
    names: Sequence[str],
    matching: Matching,
    spec: NetworkSpec,
    objects: _Objects,
    source: str,
) -> ClassPlan:
    known: list[KnownClass] = []
    left_out = list(matching.left_out)
    how = {}
    output_names = distinct(spec.class_names)
    for number, outputs, reason in zip(matching.classes, matching.outputs, matching.how, strict=True):
        name = names[number]
        images = np.flatnonzero(classes.of_image == number)
        if len(images) == 0:
            left_out.append(
                (name, f"no image in which it is the largest known object and covers {LEAST_SHARE:.0%}")
            )
            continue
        how[name] = reason
        known.append(
            KnownClass(
                name,
                outputs,
                tuple(output_names[output] for output in outputs),
                objects.of_class(name) if source == CLASSES else objects.labels[number],
                images,
                classes.split[images],
                len(images) < FEW,
            )
        )
    known.sort(key=lambda one: spelling(one.name))
    of_model = objects.predicted([concept for one in known for concept in one.concepts])
    return ClassPlan(
        tuple(known), tuple(left_out), source, bool(objects.names), MappingProxyType(how), of_model
    )
