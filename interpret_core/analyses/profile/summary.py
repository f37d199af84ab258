"""From counted integers to what the pages show: labels, detectors, chance, sensitivity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.request import Settings
from interpret_core.analyses.profile.result import AssessmentResult, ChanceResult, LayerProfile
from interpret_core.errors import ParameterError
from interpret_core.measures.assessment.counts import detectors_again
from interpret_core.measures.assessment.words import LIFTED, Assessment, assessed, faint
from interpret_core.measures.dissection.chance import FALSE_DISCOVERY_RATE, expected_detectors
from interpret_core.numbers import share

TOP_CONCEPTS = 3
COSINE_DECIMALS = 9


@dataclass(frozen=True)
class LayerSummary:
    """A layer under given settings; U units, −1 where a unit has no overlapping concept.

    Attributes:
        profile, settings: what it was made from; `chance` and `assessment` are None until their stages have
            run.
        included: (C,) bool, concepts with enough images.
        top_concept, top_iou: (U, 3) the best concepts overall.
        category_concept, category_iou: (U, categories) the best concept of each category.
        ceiling: (U,) largest possible IoU with the best concept.
        detector: (U,) bool. significant: (U,) bool, q ≤ 5 %; all False without chance.
        p_value, q_value, z: (U,) NaN where there is none.
        assessed: (U,) what each unit responds to; None without the assessment.
        faint: (U,) bool, whether that rests on little; all False without the assessment.
    """

    profile: LayerProfile
    settings: Settings
    chance: ChanceResult | None
    assessment: AssessmentResult | None
    included: NDArray[np.bool_]
    top_concept: NDArray[np.int64]
    top_iou: NDArray[np.float64]
    category_concept: NDArray[np.int64]
    category_iou: NDArray[np.float64]
    ceiling: NDArray[np.float64]
    detector: NDArray[np.bool_]
    significant: NDArray[np.bool_]
    p_value: NDArray[np.float64]
    q_value: NDArray[np.float64]
    z: NDArray[np.float64]
    assessed: tuple[Assessment, ...] | None
    faint: NDArray[np.bool_]

    @property
    def best_concept(self) -> NDArray[np.int64]:
        """(U,) index of the best concept, −1 for none."""
        return self.top_concept[:, 0]

    @property
    def best_iou(self) -> NDArray[np.float64]:
        """(U,) IoU with the best concept."""
        return self.top_iou[:, 0]

    @property
    def best_category(self) -> NDArray[np.int64]:
        """(U,) category of the best concept, −1 for none."""
        category = self.profile.concept_category
        none = self.best_concept < 0
        return np.where(none, -1, category[np.maximum(self.best_concept, 0)] if len(category) else -1)

    def unique_detectors(self) -> int:
        """Distinct concepts among the detectors."""
        return len(np.unique(self.best_concept[self.detector]))

    def detectors_by_category(self) -> dict[str, tuple[int, int]]:
        """Detectors and distinct concepts among them, per category."""
        counts = {}
        for index, name in enumerate(self.profile.categories):
            of_it = self.detector & (self.best_category == index)
            counts[name] = (int(of_it.sum()), len(np.unique(self.best_concept[of_it])))
        return counts

    def detectors_assessed(self, word: Assessment) -> int | None:
        """Detectors of which one word is said to people; None without the assessment."""
        if self.assessed is None:
            return None
        return sum(self.said(int(unit)) is word for unit in np.flatnonzero(self.detector))

    def said(self, unit: int) -> Assessment | None:
        """What people read of a unit: UNEXPLAINED where its word rests on little."""
        if self.assessed is None:
            return None
        return Assessment.UNEXPLAINED if self.faint[unit] else self.assessed[unit]

    def detectors_again(self) -> NDArray[np.int64] | None:
        """(R, C) detectors of each concept in each resample of the images; None where nothing tells."""
        if self.assessment is None or not self.assessment.independent:
            return None
        arrays = self.assessment.arrays
        return detectors_again(arrays["best"], arrays["of_concept"], len(self.included), self.settings.cutoff)

    def expected_by_chance(self) -> float | None:
        """Detectors a layer of this size would show if annotations were shuffled among the images."""
        if self.chance is None:
            return None
        return expected_detectors(self.chance.arrays["null_maximum"], self.settings.cutoff)

    def mean_top_iou(self) -> tuple[float, float, float]:
        """Mean over units of the mean of each unit's t best IoUs, t = 1, 2, 3 (the paper's Q^t)."""
        one, two, three = (float(self.top_iou[:, :t].mean()) for t in (1, 2, 3))
        return one, two, three

    def concept_name(self, concept: int) -> str:
        """Name of a concept, or a dash."""
        return self.profile.concept_names[concept] if concept >= 0 else "—"


def summarise(
    profile: LayerProfile,
    chance: ChanceResult | None = None,
    settings: Settings | None = None,
    assessment: AssessmentResult | None = None,
) -> LayerSummary:
    """Labels and detectors of one layer.

    Args:
        profile: the layer's counts.
        chance: its chance level, taken with the same `min_images`; None if that stage has not run.
        settings: cut-off and rule on rare concepts.
        assessment: what its units respond to, taken with the same `min_images`; None as for `chance`.
    """
    settings = settings or Settings()
    for part, name in ((chance, "chance level"), (assessment, "assessment")):
        if part is not None and part.metadata["min_images"] != settings.min_images:
            raise ParameterError(
                f"The {name} was taken with min_images {part.metadata['min_images']}, but the summary asks "
                f"for {settings.min_images}; run the profile with --min-images {settings.min_images}."
            )
    included = np.asarray(profile.arrays["concept_images"] >= settings.min_images)
    ranked = profile.table_of_iou.ranked(included, TOP_CONCEPTS)
    top_concept, top_iou = ranked.overall()
    nothing = np.full(profile.units, np.nan)
    # Where nothing is annotated, no label is by chance or not.
    tested = chance is not None and len(included) > 0
    p_value, q_value, z = (
        (chance.arrays[name] if chance and tested else nothing) for name in ("p_value", "q_value", "z")
    )
    words, little = _assessed(assessment, profile, q_value)
    return LayerSummary(
        profile=profile,
        settings=settings,
        chance=chance,
        assessment=assessment,
        included=included,
        top_concept=top_concept,
        top_iou=top_iou,
        category_concept=ranked.concept[:, :, 0],
        category_iou=ranked.iou[:, :, 0],
        ceiling=ceiling_of(profile, top_concept[:, 0]),
        detector=top_iou[:, 0] > settings.cutoff,
        significant=np.nan_to_num(q_value, nan=1.0) <= FALSE_DISCOVERY_RATE,
        p_value=p_value,
        q_value=q_value,
        z=z,
        assessed=words,
        faint=little,
    )


def _assessed(
    assessment: AssessmentResult | None, profile: LayerProfile, q_value: NDArray[np.float64]
) -> tuple[tuple[Assessment, ...] | None, NDArray[np.bool_]]:
    """The words, and whether they rest on little."""
    if assessment is None:
        return None, np.zeros(profile.units, np.bool_)
    found = assessed(assessment.evidence, profile.arrays["state"], q_value)
    little = faint(found, assessment.arrays["precision"], _inside(profile, assessment))
    return tuple(Assessment(int(word)) for word in found), little


def _inside(profile: LayerProfile, assessment: AssessmentResult) -> NDArray[np.float64]:
    """(U, 2) share of each mask inside its label and inside its nearest shade, where these are lifted."""
    arrays, units = profile.arrays, np.arange(profile.units)
    active, label = arrays["active_total"], assessment.arrays["label"][:, 0]
    lifted = (label >= 0) & (assessment.arrays["lift_interval"][:, 0] >= LIFTED)
    in_label = np.zeros(profile.units, np.int64)
    in_label[lifted] = arrays["intersection"][units[lifted], label[lifted]]
    return np.stack([share(in_label, active, 0.0), share(_in_shade(profile), active, 0.0)], 1)


def _in_shade(profile: LayerProfile) -> NDArray[np.int64]:
    """(U,) pixels of each mask inside its nearest shade, 0 where that is not lifted."""
    arrays, nearest = profile.arrays, profile.nearest_shade
    shaded = nearest >= 0
    if not shaded.any():
        return np.zeros(profile.units, np.int64)
    place = np.maximum(nearest, 0)
    both = np.where(shaded, arrays["shade_intersection"][np.arange(profile.units), place], 0)
    pixels = arrays["shade_pixels"]
    outside = share(arrays["active_total"] - both, pixels.sum() - pixels[place], 0.0)
    return np.where(share(both, pixels[place], 0.0) >= LIFTED * outside, both, 0)


def alike(summary: LayerSummary, unit: int, number: int) -> list[tuple[int, float]]:
    """The units of a layer whose overlaps with all concepts are most like a unit's.

    Args:
        summary: of the layer; only its included concepts count.
        unit: 0-based.
        number: how many at most.
    Returns:
        (unit, cosine of the two vectors of IoUs), most alike first, ties to the lower unit; units without any
        overlap are alike to none.
    """
    table, included = summary.profile.table_of_iou, summary.included
    own = np.where(included, table.rows(slice(unit, unit + 1))[0], 0.0)
    length, product = np.zeros(summary.profile.units), np.zeros(summary.profile.units)
    for block in table.blocks():
        iou = np.where(included, table.rows(block), 0.0)
        length[block], product[block] = np.linalg.norm(iou, axis=1), iou @ own
    # Rounded, so that units that are alike in the same way are so on every processor.
    cosine = np.round(share(product, length * length[unit], 0.0), COSINE_DECIMALS)
    cosine[unit] = 0
    order = np.argsort(-cosine, kind="stable")[:number]
    return [(int(other), float(cosine[other])) for other in order if cosine[other] > 0]


def ceiling_of(profile: LayerProfile, concept: NDArray[np.int64]) -> NDArray[np.float64]:
    """(U,) the largest IoU each unit could reach with its concept (U,), 0 where it is −1."""
    if not len(profile.concept_category):
        return np.zeros(profile.units)
    chosen = profile.table_of_iou.ceiling(np.arange(profile.units), np.maximum(concept, 0))
    return np.where(concept >= 0, chosen, 0.0)


def sensitivity(best_iou: NDArray[np.float64], cutoffs: Sequence[float]) -> NDArray[np.int64]:
    """Number of detectors at each cut-off: units whose best IoU (U,) exceeds it."""
    ordered = np.sort(best_iou)
    return len(ordered) - np.searchsorted(ordered, np.asarray(cutoffs, np.float64), side="right")
