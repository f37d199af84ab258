"""What each unit of a layer responds to, from its masks and what the sampled images carry.

The record of a layer, U units, R resamples:

    label             (U, 2) i32, the concept of the best IoU and the runner-up, −1 for none
    base_rate         (U,) f64, share of active pixels of the sampled images
    precision         (U, 3) f64, average precision of colour, annotation and both
    difference        (U, 2) f64, interval of colour − annotation; all intervals are NaN where the images are
                      too few scenes to hold some out
    together          (U, 2) f64, interval of both − the better of the two, NaN where it was not asked
    lift              (U,) f64, of the label; lift_interval (U, 2) f64
    iou_interval      (U, 2) f64, of the label's IoU; tie (U, 2) f64, of its difference to the runner-up's;
                      NaN where too few scenes show the label, or the runner-up
    firing            (U,) i64, scenes of the sampled images in which the mask has a pixel
    rare              (U,) bool, a label of too few scenes could explain the mask
    best, of_concept  (U, R) f16, i32: the largest IoU in each resample, and whose
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.chance import Sample, in_image_order
from interpret_core.analyses.profile.material import Material
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.measures.assessment.evidence import Ground, evidence, label_intervals
from interpret_core.measures.assessment.scenes import scenes
from interpret_core.store.records import Arrays, Record

COLOURS = "color"  # Broden's category of colour names


@dataclass(frozen=True, eq=False)
class Assessor:
    """What the assessments of all layers have in common.

    Attributes:
        images: (N,) the sampled images, sorted.
        ground: what their pixels carry.
        included: (C,) bool, concepts that may be a label.
        metadata: of the records.
    """

    images: NDArray[np.int64]
    ground: Ground
    included: NDArray[np.bool_]
    metadata: dict[str, int]

    @classmethod
    def prepared(cls, material: Material, request: ProfileRequest, sample: Sample) -> Assessor:
        """Number what the sampled images carry, once for all layers."""
        annotations, table = sample.annotations, material.table
        scene = scenes(sample.colours, material.dataset.annotation_size)
        named = np.array([concept.category == COLOURS for concept in table.concepts], np.bool_)
        ground = Ground.of(
            annotations.labels,
            annotations.member,
            material.survey.shades.of(sample.colours),
            scene,
            (table.category_of, named),
            request.seed,
        )
        facts = {
            "images": len(sample.images),
            "scenes": int(scene.max(initial=-1)) + 1,
            "independent": ground.drawn.independent,
            "label_sets": len(ground.sets),
            "min_images": request.min_images,
            "seed": request.seed,
        }
        return cls(sample.images, ground, annotations.included, facts)

    def record(
        self, masks: Arrays, profile: LayerProfile, done: Callable[[int], None] = lambda _steps: None
    ) -> Record:
        """The record of one layer.

        Args:
            masks: chance_* arrays of `passes.masks`, joined over shards in any order.
            profile: of the layer.
            done: told of the evidence's steps; may raise Cancelled.
        """
        label, _ = profile.best_concepts(self.included, 2)
        runs = in_image_order(masks, self.images)
        told, found = evidence(runs, self.ground, label, self.included, done)
        of_label, tie = label_intervals(found, label, self.ground)
        arrays: Arrays = {
            "label": label.astype(np.int32),
            "base_rate": told.base_rate,
            "precision": told.precision,
            "difference": told.difference,
            "together": told.together,
            "lift": found.lift[:, 0].astype(np.float64),
            "lift_interval": told.lift,
            "iou_interval": of_label,
            "tie": tie,
            "firing": told.firing,
            "rare": told.rare,
            "best": found.best[:, 1:].astype(np.float16),
            "of_concept": found.of_concept[:, 1:],
        }
        return Record(arrays, {**self.metadata})
