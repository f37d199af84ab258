"""The sampled images, and the chance level of each layer from its masks and their annotations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.material import Material
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.datasets import ConceptTable, Dataset
from interpret_core.errors import DatasetError
from interpret_core.measures.dissection.chance import Annotations, assess, null_maxima, permutations
from interpret_core.measures.dissection.masks import Runs
from interpret_core.measures.dissection.thresholds import State
from interpret_core.store.records import Arrays, Record

SLICE = 10  # permutations between two looks at progress and cancellation


@dataclass(frozen=True, eq=False)
class Sample:
    """Images whose annotations are in memory at once.

    The one part of a profile whose memory grows with the data set, up to `chance.MAX_IMAGES` images.

    Attributes:
        images: (N,) sorted.
        annotations: theirs.
        colours: (N, H·W, 3) uint8, the images box-filtered to the annotation's grid.
    """

    images: NDArray[np.int64]
    annotations: Annotations
    colours: NDArray[np.uint8]

    @classmethod
    def read(cls, material: Material, images: NDArray[np.int64], min_images: int) -> Sample:
        """Read images, every plane of annotations holding one category, so that it can be permuted alone.

        Args:
            material: the data set.
            images: (N,) sorted.
            min_images: concepts in fewer images are not included.
        """
        survey, table = material.survey, material.table
        planes = _planes_of(material.dataset, table, images)
        first = dict(
            zip(planes, np.concatenate([[0], np.cumsum(list(planes.values()))]).tolist(), strict=False)
        )
        area = int(np.prod(material.dataset.annotation_size))
        labels = np.zeros((max(sum(planes.values()), 1), len(images), area), np.uint16)
        colours = np.empty((len(images), area, 3), np.uint8)
        read = material.loader.ahead(images.tolist(), annotations=True)
        for row, (image, one) in enumerate(zip(images, read, strict=True)):
            if one.planes is None or one.colours is None:
                raise TypeError("A sampled image was read without its annotation.")
            colours[row] = one.colours.reshape(area, 3)
            found, at = one.planes.reshape(len(one.planes), area), 0
            for category in table.categories:
                number = len(material.dataset.records[image].maps.get(category, ()))
                labels[first[category] : first[category] + number, row] = found[at : at + number]
                at += number
        category_of = np.repeat(np.arange(len(planes)), list(planes.values()))
        annotations = Annotations(
            labels,
            category_of if len(category_of) else np.zeros(1, np.int64),
            survey.category_member[images],
            table.category_of,
            np.asarray(survey.concept_images >= min_images),
        )
        return cls(images, annotations, colours)


def _planes_of(dataset: Dataset, table: ConceptTable, images: NDArray[np.int64]) -> dict[str, int]:
    """How many maps of each category an image has at most."""
    return {
        category: max((len(dataset.records[i].maps.get(category, ())) for i in images), default=0)
        for category in table.categories
    }


@dataclass(frozen=True)
class Lottery:
    """What the chance levels of all layers have in common.

    Attributes:
        images: (N,) the sampled images, sorted.
        annotations: theirs.
        sources: (1 + K, categories, N): every image's own annotation first, then the permutations.
        request: what was asked for.
    """

    images: NDArray[np.int64]
    annotations: Annotations
    sources: NDArray[np.int64]
    request: ProfileRequest

    @classmethod
    def prepared(cls, sample: Sample, request: ProfileRequest) -> Lottery:
        """Draw the permutations, once for all layers."""
        member = sample.annotations.member
        itself = np.where(member.T, np.arange(len(sample.images)), -1)[None]
        drawn = permutations(member, request.seed, request.permutations)
        return cls(sample.images, sample.annotations, np.concatenate([itself, drawn]), request)

    def record(self, masks: Arrays, state: NDArray[np.uint8], done: Callable[[int], None]) -> Record:
        """z, p and q of every unit of one layer, and the null maxima behind them.

        Args:
            masks: chance_* arrays of `passes.masks`, joined over shards in any order.
            state: (U,) of its units.
            done: told the number of permutations finished, every few of them; may raise Cancelled.
        """
        runs = in_image_order(masks, self.images)
        found = []
        for start in range(0, len(self.sources), SLICE):
            part = self.sources[start : start + SLICE]
            found.append(null_maxima(runs, self.annotations, part))
            done(len(part))
        null = np.concatenate(found, 1)
        chance = assess(null[:, 0], null[:, 1:], state != State.DEAD)
        arrays = {field.name: getattr(chance, field.name) for field in fields(chance)}
        return Record(
            arrays | {"included": self.annotations.included},
            {
                "min_images": self.request.min_images,
                "seed": self.request.seed,
                "permutations": self.request.permutations,
                "images": len(self.images),
            },
        )


def in_image_order(masks: Arrays, images: NDArray[np.int64]) -> Runs:
    """The masks of the sampled images, sorted by image whatever the order of the shards."""
    found = masks["chance_image"]
    units = len(masks["chance_length"]) // max(len(found), 1)
    order = np.argsort(found)
    length = masks["chance_length"].reshape(len(found), units)
    start = np.concatenate([[0], np.cumsum(length.sum(1))])
    runs = masks["chance_runs"]
    if not np.array_equal(order, np.arange(len(order))):  # as a rule they are in order, and large
        runs = np.concatenate([runs[start[i] : start[i + 1]] for i in order])
    offsets = np.concatenate([[0], np.cumsum(length[order].ravel())]).astype(np.int64)
    if not np.array_equal(found[order], images):
        raise DatasetError("The stored shards do not cover the sampled images; run the same request again.")
    return Runs(offsets, np.ascontiguousarray(runs, np.int32), np.zeros(0, np.int32))
