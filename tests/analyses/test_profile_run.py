"""Whole profile runs: planted answers, the reference, shards, interruptions, memory of what is done."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interpret_core import datasets
from interpret_core.analyses import registry
from interpret_core.analyses.profile import passes
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles, layer_keys
from interpret_core.analyses.profile.request import ProfileRequest, Settings
from interpret_core.analyses.profile.summary import summarise
from interpret_core.analyses.survey.request import SurveyRequest
from interpret_core.datasets import Dataset
from interpret_core.errors import Cancelled, DatasetError, LayerError, NonFiniteError
from interpret_core.measures.dissection.chance import permutations
from interpret_core.measures.dissection.thresholds import State
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.runs import (
    COLOURS,
    MIXED,
    annotations_of,
    digests,
    lines_of,
    profiles,
    request_for,
    responses_of,
)
from tests.planted_dataset import Planted
from tests.reference import chance as reference_chance
from tests.reference import profile as reference
from tests.slow import slow, thorough_beyond

EQUAL_FIELDS = (
    "threshold",
    "exceeding",
    "maximum",
    "intersection",
    "active",
    "active_total",
    "concept_pixels",
    "concept_images",
    "category_images",
)


@thorough_beyond(1)
@pytest.mark.parametrize("positions", ["anchored", "stretched"])
def test_a_run_equals_the_reference(planted: Planted, store: Store, positions: str) -> None:
    request = request_for(planted, positions=positions)
    found = profiles(request, store)
    responses = responses_of(request, planted)
    assert list(found) == list(responses)
    for name, layer in found.items():
        profile = layer.profile
        concepts = [(number, category) for number, _, category in profile.metadata["concepts"]]
        annotations = annotations_of(planted, profile.categories)
        expected = reference.profile(
            responses[name],
            annotations,
            concepts,
            list(profile.categories),
            size=profile.annotation_size,
            quantile=request.quantile,
            lines=lines_of(profile),
        )
        for field in EQUAL_FIELDS:
            np.testing.assert_array_equal(profile.arrays[field], expected[field], err_msg=field)
        states = [State[state.upper()] for state in expected["state"].tolist()]
        np.testing.assert_array_equal(profile.arrays["state"], states)
        for unit in range(profile.units):
            for rank, image in enumerate(profile.top_images(unit)):
                np.testing.assert_array_equal(profile.mask(unit, rank), expected["mask"][image, unit])
        total = profile.arrays["histogram"].sum(1)
        assert (total == profile.metadata["positions"]).all()


def test_the_histogram_counts_every_response(planted: Planted, store: Store) -> None:
    request = request_for(planted, permutations=0)
    responses = responses_of(request, planted)
    for name, layer in profiles(request, store).items():
        for unit in range(layer.profile.units):
            edges = layer.profile.arrays["histogram_edges"][unit]
            values = responses[name][:, unit].ravel()
            expected = [
                int(((values >= low) & (values < high)).sum()) for low, high in itertools.pairwise(edges)
            ]
            assert (edges[0], edges[-1]) == (values.min(), values.max()) or values.min() == values.max()
            expected[-1] += int((values >= edges[-1]).sum())
            assert layer.profile.arrays["histogram"][unit].tolist() == expected


def test_chance_equals_brute_force(planted: Planted, store: Store) -> None:
    request = request_for(planted, layers=("conv1",))
    layer = profiles(request, store)["conv1"]
    profile, chance = layer.profile, layer.chance
    assert chance is not None
    concepts = [(number, category) for number, _, category in profile.metadata["concepts"]]
    annotations = annotations_of(planted, profile.categories)
    mask = reference.masks(
        responses_of(request, planted)["conv1"],
        profile.arrays["threshold"],
        profile.annotation_size,
        lines_of(profile),
    )
    orders = {}
    dataset = datasets.open_dataset(str(planted.root))
    survey = datasets.survey(dataset, dataset.concepts(request.categories))
    sources = permutations(survey.category_member, request.seed, request.permutations)
    for position, category in enumerate(profile.categories):
        members = np.flatnonzero(survey.category_member[:, position])
        orders[category] = np.searchsorted(members, sources[:, position][:, members])
    keep = np.ones(len(concepts), bool)
    observed, null = reference_chance.null_maxima(mask, annotations, concepts, orders, keep=keep)
    np.testing.assert_array_equal(chance.arrays["observed"], observed)
    np.testing.assert_array_equal(chance.arrays["null_maximum"], null.astype(np.float32))
    z, z_null = reference_chance.standardise(observed, null)
    live = profile.arrays["state"] != State.DEAD
    np.testing.assert_allclose(chance.arrays["z"][live], z[live], rtol=1e-9)
    expected = reference_chance.p_values(z, z_null, live)
    # A null value equal to the observed one may fall on either side after two roundings of the mean.
    np.testing.assert_allclose(chance.arrays["p_value"][live], expected[live], atol=3 / z_null.size)
    np.testing.assert_allclose(
        chance.arrays["q_value"][live],
        reference_chance.q_values(chance.arrays["p_value"], live)[live],
        rtol=1e-9,
    )


def test_a_planted_red_detector_has_iou_one(planted: Planted, store: Store) -> None:
    red = planted.pixels("object", "red square") / (112 * 112 * len(planted.scenes))
    found = profiles(request_for(planted, COLOURS, quantile=red), store)["conv1"]
    summary = summarise(found.profile, found.chance, Settings(min_images=1))
    assert summary.concept_name(int(summary.best_concept[0])) == "red square"
    assert summary.best_iou[0] == 1
    assert summary.ceiling[0] == 1
    assert summary.detector[0]
    np.testing.assert_array_equal(found.profile.mean_colour[0], (255, 0, 0))


def test_planted_states(planted: Planted, store: Store) -> None:
    found = profiles(request_for(planted, "tests.analyses.networks:odd", quantile=0.01), store)
    states = set(next(iter(found.values())).profile.arrays["state"].tolist())
    assert {State.DEAD, State.TIED} <= states


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("shards", "order"), [slow(1, None), slow(2, (1, 0)), (4, (2, 0, 3, 1)), slow(5, None)]
)
def test_shards_and_their_order_do_not_matter(
    planted: Planted, tmp_path: Path, shards: int, order: tuple[int, ...] | None
) -> None:
    request = request_for(planted)
    plain, split = Store(tmp_path / "plain"), Store(tmp_path / "split")
    run_profile(request, plain)
    outcome = run_profile(request, split, Execution(shards=shards, order=order))
    assert outcome.computed >= shards
    assert digests(request, plain) == digests(request, split)


@pytest.mark.thorough
def test_batch_sizes_move_no_tally_by_more_than_two_pixels(planted: Planted, tmp_path: Path) -> None:
    found = [
        profiles(request_for(planted, batch_size=size, permutations=0), Store(tmp_path / str(size)))
        for size in (1, 7, 32)
    ]
    for name, first in found[0].items():
        for other in found[1:]:
            for field in ("intersection", "active_total", "exceeding"):
                moved = first.profile.arrays[field] - other[name].profile.arrays[field]
                assert np.abs(moved).max() <= 2


@pytest.mark.thorough
def test_a_cancelled_run_goes_on_where_it_stopped(planted: Planted, tmp_path: Path) -> None:
    request = request_for(planted)
    undisturbed, disturbed = Store(tmp_path / "one"), Store(tmp_path / "two")
    whole = run_profile(request, undisturbed, Execution(shards=4))
    steps = 0

    def cancelled() -> bool:
        nonlocal steps
        steps += 1
        return steps > 12

    with pytest.raises(Cancelled, match="continues"):
        run_profile(request, disturbed, Execution(shards=4, cancelled=cancelled))
    finished = len({key.rsplit("/", 1)[0] for key in disturbed.keys("partial/")})
    assert 0 < finished < whole.computed
    rest = run_profile(request, disturbed, Execution(shards=4))
    assert rest.computed == whole.computed - finished
    assert digests(request, undisturbed) == digests(request, disturbed)
    assert not disturbed.keys("partial/")


@pytest.mark.thorough
def test_a_run_goes_on_where_the_arithmetic_is_another(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another processor the first look differs in a last bit, and the windows of counting with it."""
    request = request_for(planted)
    undisturbed, disturbed = Store(tmp_path / "one"), Store(tmp_path / "two")
    run_profile(request, undisturbed, Execution(shards=4))
    look = passes.look_around

    def elsewhere(*arguments: Any) -> dict[str, Any]:
        seen = look(*arguments)
        for counts, _ in seen.values():
            counts.maximum[:] = np.nextafter(counts.maximum * np.float32(1 + 1e-6), np.float32(np.inf))
        return seen

    monkeypatch.setattr(passes, "look_around", elsewhere)
    for stage, kept in (("thresholds", "count0"), ("IoU", "tally")):
        told: list[str] = []
        execution = Execution(
            shards=4,
            tell=lambda *step, told=told: told.append(step[0]),  # type: ignore[misc]
            cancelled=lambda stage=stage, told=told: told.count(stage) >= 2,  # type: ignore[misc]
        )
        with pytest.raises(Cancelled):
            run_profile(request, disturbed, execution)
        assert any(f"/{kept}-" in key for key in disturbed.keys("partial/"))
    monkeypatch.undo()
    run_profile(request, disturbed, Execution(shards=4))
    assert digests(request, undisturbed) == digests(request, disturbed)
    assert not disturbed.keys("partial/")


@pytest.mark.thorough
def test_a_damaged_shard_is_computed_again(planted: Planted, tmp_path: Path) -> None:
    request = request_for(planted)
    undisturbed, disturbed = Store(tmp_path / "one"), Store(tmp_path / "two")
    run_profile(request, undisturbed, Execution(shards=4))
    stages: list[str] = []

    def cancelled() -> bool:
        return "IoU" in stages

    with pytest.raises(Cancelled):
        run_profile(
            request,
            disturbed,
            Execution(shards=4, tell=lambda stage, *_: stages.append(stage), cancelled=cancelled),
        )
    files = sorted((tmp_path / "two" / "results").rglob("*.val"), key=lambda file: file.stat().st_size)
    files[-1].write_bytes(files[-1].read_bytes()[:-9])
    run_profile(request, disturbed, Execution(shards=4))
    assert len(disturbed.damaged) == 1
    assert digests(request, undisturbed) == digests(request, disturbed)


@pytest.mark.thorough
def test_a_profile_damaged_between_two_tries_is_computed_again(planted: Planted, tmp_path: Path) -> None:
    """An interrupted run for another chance level, then damage: the third try must find its way."""
    store = Store(tmp_path / "store")
    run_profile(request_for(planted), store)
    other = request_for(planted, seed=1)
    stages: list[str] = []
    with pytest.raises(Cancelled):
        run_profile(
            other,
            store,
            Execution(tell=lambda stage, *_: stages.append(stage), cancelled=lambda: "masks" in stages),
        )
    store.delete(layer_keys(other, store).profile["conv2"])
    run_profile(other, store)
    assert digests(other, store)


@pytest.mark.thorough
def test_an_order_that_forgets_shards_loses_none(planted: Planted, tmp_path: Path) -> None:
    request = request_for(planted, permutations=0)
    plain, partly = Store(tmp_path / "plain"), Store(tmp_path / "partly")
    run_profile(request, plain)
    run_profile(request, partly, Execution(shards=4, order=(2,)))
    assert digests(request, plain) == digests(request, partly)


def test_the_second_request_computes_nothing(
    planted: Planted, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_for(planted)
    run_profile(request, store)
    monkeypatch.setattr(Dataset, "read_image", lambda *_: pytest.fail("an image was read again"))
    again = run_profile(request, store)
    assert again.computed == 0
    one = run_profile(request_for(planted, layers=("conv2",)), store)
    assert one.layers == ("conv2",)
    assert one.computed == 0


@pytest.mark.thorough
def test_a_lost_survey_is_made_again_and_nothing_else(planted: Planted, store: Store) -> None:
    request = request_for(planted)
    keys = run_profile(request, store).keys
    before = digests(request, store)
    survey = store.get(keys.survey)
    store.delete(keys.survey)
    outcome = run_profile(request, store)
    assert outcome.computed == 0
    assert survey is not None
    again = store.get(keys.survey)
    assert again is not None
    assert again.to_bytes() == survey.to_bytes()
    assert digests(request, store) == before


@pytest.mark.thorough
def test_another_rule_on_rare_concepts_computes_only_the_chance_level(planted: Planted, store: Store) -> None:
    run_profile(request_for(planted), store)
    before = set(store.keys("profile/"))
    outcome = run_profile(request_for(planted, min_images=3), store)
    assert set(store.keys("profile/")) == before
    assert set(outcome.seconds) >= {"masks", "chance"}
    assert "IoU" not in outcome.seconds
    found = find_profiles(outcome.keys, store)["conv1"]
    assert found.chance is not None
    assert found.chance.metadata["min_images"] == 3


@pytest.mark.thorough
def test_a_damaged_image_is_skipped_and_counted(planted: Planted, tmp_path: Path, store: Store) -> None:
    copy = tmp_path / "damaged"
    shutil.copytree(planted.root, copy)
    dataset = datasets.open_dataset(str(copy))
    broken = copy / "images" / dataset.records[5].image
    broken.write_bytes(broken.read_bytes()[:200])
    request = ProfileRequest(MIXED, str(copy), min_images=1, permutations=3, batch_size=4, quantile=0.02)
    outcome = run_profile(request, store)
    assert [image for image, _ in outcome.problems] == [dataset.records[5].image]
    profile = find_profiles(outcome.keys, store)["conv1"].profile
    assert profile.metadata["dataset"]["images"] == 19
    assert 5 not in profile.arrays["top_image"]
    for place in (Store(tmp_path / "strict"), store):  # computed anew, and found on disk
        with pytest.raises(DatasetError, match="--strict"):
            run_profile(ProfileRequest(**{**request.to_json(), "strict": True}), place)


def test_nan_stops_with_layer_and_image(planted: Planted, store: Store) -> None:
    with pytest.raises(NonFiniteError, match=r"Layer conv2 .* on image .*\.png"):
        run_profile(request_for(planted, "tests.analyses.networks:poisoned"), store)


def test_an_unknown_layer_is_named(planted: Planted, store: Store) -> None:
    with pytest.raises(LayerError, match=r"'conv9'.*conv1"):
        run_profile(request_for(planted, layers=("conv9",)), store)


@pytest.mark.thorough
def test_the_survey_of_a_profile_is_a_part_and_one_asked_for_is_the_whole(
    planted: Planted, store: Store
) -> None:
    whole: list[tuple[str, int, int]] = []
    part: list[tuple[str, int, int]] = []
    asked = Execution(tell=lambda *step: whole.append(step), tell_part=lambda *step: part.append(step))
    run_profile(request_for(planted), store, asked)
    assert {stage for stage, _, _ in part} == {"reading annotations"}
    assert part[-1][1] == part[-1][2] < whole[-1][2]
    assert "reading annotations" not in {stage for stage, _, _ in whole}
    part.clear()
    with Store(store.folder.parent / "another") as another:
        registry.compute(SurveyRequest(str(planted.root)), another, asked)
    assert whole[-1][0] == "reading annotations"
    assert part == []


def test_progress_never_falls_and_ends_full(planted: Planted, store: Store) -> None:
    seen: list[tuple[str, int, int]] = []
    run_profile(request_for(planted), store, Execution(tell=lambda *step: seen.append(step)))
    stages = {"thresholds", "IoU", "masks", "chance", "assessment"}
    shares = [done / total for stage, done, total in seen if stage in stages]
    assert shares == sorted(shares)
    assert shares[-1] == 1
