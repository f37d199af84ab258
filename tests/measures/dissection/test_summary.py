"""Labels, detectors and likeness read off planted counts."""

from __future__ import annotations

import numpy as np
import pytest

from interpret_core.analyses.profile.request import Settings
from interpret_core.analyses.profile.result import ChanceResult, LayerProfile
from interpret_core.analyses.profile.summary import alike, sensitivity, summarise
from interpret_core.errors import ParameterError
from tests.reference import summary as reference


def planted(intersection: list[list[int]], concept_images: list[int] | None = None) -> LayerProfile:
    """Units of 100 active pixels; concepts of 100 pixels, the last one in another category."""
    table = np.array(intersection, np.int64)
    units, concepts = table.shape
    arrays = {
        "intersection": table,
        "active": np.full((units, 2), 100, np.int64),
        "active_total": np.full(units, 100, np.int64),
        "concept_pixels": np.full(concepts, 100, np.int64),
        "concept_images": np.array(concept_images or [20] * concepts, np.int64),
        "threshold": np.ones(units, np.float32),
        "state": np.zeros(units, np.uint8),
    }
    names = [[number, f"c{number}", "object"] for number in range(concepts - 1)]
    metadata = {"categories": ["object", "part"], "concepts": [*names, [99, "last", "part"]]}
    return LayerProfile(arrays, metadata)


COUNTS = [[50, 0, 10], [25, 0, 5], [0, 60, 0], [0, 0, 0], [10, 50, 0]]


def test_labels_and_detectors_equal_the_reference() -> None:
    found = summarise(planted(COUNTS), settings=Settings(cutoff=0.2))
    scores = found.profile.iou
    keep = np.ones(3, bool)
    for unit, ranked in enumerate(reference.top_concepts(scores, keep)):
        mine = [concept for concept in found.top_concept[unit].tolist() if concept >= 0]
        assert mine == [concept for concept in ranked if scores[unit, concept] > 0]
    expected = reference.detectors(scores, keep, 0.2)
    assert np.flatnonzero(found.detector).tolist() == sorted(expected)
    assert found.unique_detectors() == reference.unique_detectors(expected)
    for t, value in enumerate(found.mean_top_iou(), 1):
        assert value == pytest.approx(reference.mean_top_iou(scores, keep, t))
    best = found.best_iou
    cutoffs = [0.0, 0.1, 0.2, 0.5]
    assert sensitivity(best, cutoffs).tolist() == reference.sensitivity(best, cutoffs)


def test_rare_concepts_are_left_out_of_labels() -> None:
    found = summarise(planted(COUNTS, [20, 9, 20]))
    assert found.best_concept.tolist() == [0, 0, -1, -1, 0]
    assert summarise(planted(COUNTS, [20, 9, 20]), settings=Settings(min_images=9)).best_concept[2] == 1


def test_units_alike_point_the_same_way() -> None:
    found = summarise(planted(COUNTS))
    first = alike(found, 0, 3)
    assert [unit for unit, _ in first] == [1, 4]
    iou = found.profile.iou
    cosine = iou[0] @ iou[1] / np.linalg.norm(iou[0]) / np.linalg.norm(iou[1])
    assert first[0][1] == pytest.approx(cosine)
    assert alike(found, 3, 3) == []


@pytest.mark.parametrize("seed", range(8))
def test_units_equally_alike_are_in_their_order(seed: int) -> None:
    """Equal units' cosines are 1 but for a rounding, which differs between rows and processors."""
    counts = np.random.default_rng(seed).integers(0, 90, 37).tolist()
    found = alike(summarise(planted([counts] * 21)), 0, 20)
    assert found == [(unit, 1.0) for unit in range(1, 21)]


def test_chance_of_another_rule_is_refused() -> None:
    chance = ChanceResult({}, {"min_images": 3})
    with pytest.raises(ParameterError, match="--min-images 10"):
        summarise(planted(COUNTS), chance)
