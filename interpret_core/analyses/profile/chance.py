"""The chance level of each layer, from its masks and the annotations of the sampled images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.material import Material
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.datasets import ConceptTable, Loaded, Loader
from interpret_core.errors import DatasetError
from interpret_core.measures.dissection.chance import Annotations, assess, null_maxima, permutations
from interpret_core.measures.dissection.masks import Runs
from interpret_core.measures.dissection.thresholds import State
from interpret_core.store.records import Arrays, Record

SLICE = 10  # permutations between two looks at progress and cancellation


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
    def prepared(cls, material: Material, request: ProfileRequest, images: NDArray[np.int64]) -> Lottery:
        """Read the sampled images' annotations and draw the permutations, once for all layers."""
        member = material.survey.category_member[images]
        included = material.survey.concept_images >= request.min_images
        annotations = read_annotations(material.loader, material.table, images, member, included)
        itself = np.where(member.T, np.arange(len(images)), -1)[None]
        drawn = permutations(member, request.seed, request.permutations)
        return cls(images, annotations, np.concatenate([itself, drawn]), request)

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
    pieces = [masks["chance_runs"][start[i] : start[i + 1]] for i in order]
    runs = np.concatenate(pieces) if pieces else np.zeros((0, 2), np.int32)
    offsets = np.concatenate([[0], np.cumsum(length[order].ravel())]).astype(np.int64)
    if not np.array_equal(found[order], images):
        raise DatasetError("The stored shards do not cover the sampled images; run the same request again.")
    return Runs(offsets, np.ascontiguousarray(runs, np.int32), np.zeros(0, np.int32))


def read_annotations(
    loader: Loader,
    table: ConceptTable,
    images: NDArray[np.int64],
    member: NDArray[np.bool_],
    included: NDArray[np.bool_],
) -> Annotations:
    """Annotations of some images, every plane holding one category only, so that it can be permuted alone.

    The one part of a profile whose memory grows with the data set, up to `chance.MAX_IMAGES` images.
    """
    dataset = loader.dataset
    planes = {
        category: max((len(dataset.records[i].maps.get(category, ())) for i in images), default=0)
        for category in table.categories
    }
    first = dict(zip(planes, np.concatenate([[0], np.cumsum(list(planes.values()))]).tolist(), strict=False))
    height, width = dataset.annotation_size
    labels = np.zeros((max(sum(planes.values()), 1), len(images), height * width), np.uint16)
    read = loader.ahead(images.tolist(), annotations=True)
    for row, (image, one) in enumerate(zip(images, read, strict=True)):
        found = _planes(one).reshape(-1, height * width)
        at = 0
        for category in table.categories:
            number = len(dataset.records[image].maps.get(category, ()))
            labels[first[category] : first[category] + number, row] = found[at : at + number]
            at += number
    category_of = np.repeat(np.arange(len(planes)), list(planes.values()))
    return Annotations(
        labels,
        category_of if len(category_of) else np.zeros(1, np.int64),
        member,
        table.category_of,
        np.asarray(included),
    )


def _planes(one: Loaded) -> NDArray[np.uint16]:
    if one.planes is None:
        raise TypeError("A sampled image was read without its annotation.")
    return one.planes
