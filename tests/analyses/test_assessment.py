"""Assessments of a whole run: the reference's numbers, made without the network where they can be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from interpret_core import datasets
from interpret_core.analyses import registry
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles, layer_keys
from interpret_core.analyses.profile.summary import summarise
from interpret_core.analyses.profile.table import COLUMNS
from interpret_core.datasets.pictures import shrink
from interpret_core.errors import Cancelled, ParameterError
from interpret_core.measures.assessment.evidence import steps
from interpret_core.measures.assessment.resamples import resamples
from interpret_core.measures.assessment.scenes import scenes
from interpret_core.measures.assessment.words import Assessment
from interpret_core.networks import Network
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.runs import COLOURS, annotations_of, lines_of, profiles, request_for, responses_of
from tests.planted_dataset import Planted, make_planted
from tests.reference import assessment as reference
from tests.reference import profile as reference_profile


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return make_planted(tmp_path_factory.mktemp("small"), images=20, size=96, annotation=24)


@pytest.mark.thorough
def test_an_assessment_equals_that_of_every_pixel(small: Planted, store: Store) -> None:
    request = request_for(small)
    dataset = datasets.open_dataset(str(small.root))
    survey = datasets.survey(dataset, dataset.concepts(request.categories))
    colours = np.stack([shrink(dataset.read_image(i), (24, 24)) for i in range(20)])
    shade = survey.shades.of(colours).reshape(20, -1)
    scene = scenes(colours.reshape(20, -1, 3), (24, 24))
    fold = resamples(scene, request.seed).fold.tolist()
    compared = 0
    for name, found in profiles(request, store).items():
        profile, assessment = found.profile, found.assessment
        assert assessment is not None
        concepts = [(number, category) for number, _, category in profile.metadata["concepts"]]
        annotations = annotations_of(small, profile.categories)
        sets = np.empty(shade.shape, object)
        for image, pixel in np.ndindex(shade.shape):
            sets[image, pixel] = frozenset(
                (category, int(plane.ravel()[pixel]))
                for category, plane in annotations[image]
                if category != "color" and (int(plane.ravel()[pixel]), category) in concepts
            )
        masks = reference_profile.masks(
            responses_of(request, small)[name], profile.arrays["threshold"], (24, 24), lines_of(profile)
        )
        for unit in range(min(2, profile.units)):
            mask = masks[:, unit].reshape(20, -1)
            assert assessment.arrays["base_rate"][unit] == pytest.approx(mask.mean())
            assert assessment.arrays["firing"][unit] == mask.any(1).sum()
            expected = [
                reference.average_precision(mask, guess, range(20))
                for guess in reference.guesses(mask, shade, sets, fold)
            ]
            np.testing.assert_allclose(assessment.arrays["precision"][unit], expected, rtol=1e-9)
            compared += bool(mask.any())
    assert compared >= 4


@pytest.mark.thorough
def test_an_older_result_is_assessed_without_running_the_network(
    planted: Planted, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_for(planted)
    keys = run_profile(request, store).keys
    before = {layer: store.get(key) for layer, key in keys.assessment.items()}
    for key in keys.assessment.values():
        store.delete(key)
    assert registry.find(request.analysis).load().find(request, store) is None
    summaries = [
        summarise(one.profile, one.chance, request.settings()) for one in find_profiles(keys, store).values()
    ]
    assert [one.assessed for one in summaries] == [None] * len(keys.layers)
    monkeypatch.setattr(Network, "stream", lambda *_args, **_more: pytest.fail("the network ran"))
    outcome = run_profile(request, store)
    assert outcome.computed == 0
    for layer, key in keys.assessment.items():
        found, record = store.get(key), before[layer]
        assert found is not None
        assert record is not None
        assert found.digest() == record.digest()


@pytest.mark.thorough
def test_an_assessment_tells_its_steps_and_can_be_cancelled_within_a_layer(
    planted: Planted, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interpret_core.measures.assessment.evidence.BLOCK", 2)
    request = request_for(planted)
    told: list[tuple[str, int, int]] = []

    def tell(stage: str, done: int, total: int) -> None:
        told.append((stage, done, total))

    def cancelled() -> bool:
        return bool(told) and told[-1][0] == "assessment"

    with pytest.raises(Cancelled):
        run_profile(request, store, Execution(tell=tell, cancelled=cancelled))
    keys = layer_keys(request, store)
    assert keys.without_assessment(store) == keys.layers
    told.clear()
    found = find_profiles(run_profile(request, store, Execution(tell=tell)).keys, store)
    units = [one.profile.units for one in found.values()]
    assert max(units) > 2
    assert [stage for stage, _, _ in told].count("assessment") == sum(map(steps, units))
    assert told[-1][1] == told[-1][2]


@pytest.mark.thorough
def test_scenes_are_counted_and_copies_are_none(tmp_path: Path, store: Store) -> None:
    """Three pictures, eight times each: nothing can be held out, and no unit is given a word."""
    copies = make_planted(tmp_path / "copies", images=3, size=96, annotation=24, repeat=8)
    for found in profiles(request_for(copies), store).values():
        assert found.assessment is not None
        metadata = found.assessment.metadata
        assert (metadata["images"], metadata["scenes"], metadata["independent"]) == (24, 3, False)
        summary = summarise(found.profile, None, request_for(copies).settings(), found.assessment)
        assert summary.assessed is not None
        assert set(summary.assessed) <= {
            Assessment.DEAD,
            Assessment.SATURATED,
            Assessment.TOO_FEW_IMAGES,
        }
        assert summary.detectors_again() is None


@pytest.mark.thorough
def test_without_permutations_units_are_assessed_all_the_same(planted: Planted, store: Store) -> None:
    request = request_for(planted, permutations=0)
    for found in profiles(request, store).values():
        assert found.chance is None
        assert found.assessment is not None
        summary = summarise(found.profile, None, request.settings(), found.assessment)
        assert summary.assessed is not None
        assert Assessment.BY_CHANCE not in summary.assessed


def test_a_red_detector_is_not_told_from_the_red_square(planted: Planted, store: Store) -> None:
    red = planted.pixels("object", "red square") / (112 * 112 * len(planted.scenes))
    request = request_for(planted, COLOURS, quantile=red)
    found = profiles(request, store)["conv1"]
    summary = summarise(found.profile, None, request.settings(), found.assessment)
    assert found.assessment is not None
    assert summary.assessed is not None
    # Nothing else is pure red: its colour and its name tell the same.
    assert summary.assessed[0] is Assessment.UNDECIDED
    colour, annotation, _ = found.assessment.arrays["precision"][0]
    assert min(colour, annotation) > 0.99
    low, high = found.assessment.arrays["iou_interval"][0]
    assert (low, high) == (1.0, 1.0)


@pytest.mark.thorough
def test_an_assessment_of_another_rule_is_refused(planted: Planted, store: Store) -> None:
    request = request_for(planted)
    found = profiles(request, store)["conv1"]
    with pytest.raises(ParameterError, match="assessment was taken with min_images 1"):
        summarise(found.profile, None, replace(request, min_images=3).settings(), found.assessment)


def test_the_table_says_what_units_respond_to(planted: Planted, store: Store, tmp_path: Path) -> None:
    request = request_for(planted)
    found = registry.compute(request, store, Execution())
    analysis = registry.find(request.analysis).load()
    rows = list(analysis.rows(found))
    assert set(rows[0]) == set(COLUMNS)
    words = {word.name.lower().replace("_", " ") for word in Assessment}
    assert {row["assessment"] for row in rows} <= words
    said = next(row for row in rows if row["assessment"] not in ("dead", "saturated"))
    assert 0 <= said["base_rate"] <= 1
    assert said["difference_low"] <= said["difference_high"]
    assert said["shade"]
    assert layer_keys(request, store).missing(store) is False
