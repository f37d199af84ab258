"""In which images a unit fires, weaker responses by tenths, and where concepts are: planted and literal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core import datasets
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import layer_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.errors import Cancelled
from interpret_core.measures.dissection.chance import sample_images
from interpret_core.measures.dissection.masks import decode
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.runs import (
    COLOURS,
    annotations_of,
    digests,
    lines_of,
    profiles,
    request_for,
    responses_of,
)
from tests.planted_dataset import Planted, make_planted, save_mask, write_tables
from tests.reference import bands as reference
from tests.reference import profile as profile_reference
from tests.slow import thorough_beyond

BRIGHTNESS = "tests.analyses.networks:brightness"
DAMAGED = 33


def firing(profile: LayerProfile) -> np.ndarray:
    return np.stack([profile.fires_in(unit) for unit in range(profile.units)])


def assert_bands(profile: LayerProfile, responses: np.ndarray, ranked: list[int] | None = None) -> None:
    """The stored tenths and their masks are the reference's."""
    image, response = reference.bands(responses, ranked=ranked)
    np.testing.assert_array_equal(profile.arrays["band_image"], image)
    np.testing.assert_array_equal(profile.arrays["band_response"], response)
    threshold, lines = profile.arrays["threshold"], lines_of(profile)
    mask = profile_reference.masks(responses, threshold, profile.annotation_size, lines)
    for unit in range(profile.units):
        for band in range(reference.TENTHS):
            for place, index in enumerate(profile.band(unit, band)[0]):
                runs = profile.band_runs(unit, band, place)
                np.testing.assert_array_equal(decode(runs, profile.annotation_size), mask[index, unit])


@thorough_beyond(1)
@pytest.mark.parametrize("network", ["tests.analyses.networks:mixed", "tests.analyses.networks:odd"])
def test_a_run_equals_the_reference(planted: Planted, store: Store, network: str) -> None:
    request = request_for(planted, network, permutations=0, batch_size=3)
    responses = responses_of(request, planted)
    for name, layer in profiles(request, store).items():
        profile = layer.profile
        expected = reference.fires(responses[name], profile.arrays["threshold"])
        np.testing.assert_array_equal(firing(profile), expected)
        assert profile.arrays["fires"].shape == (profile.units, 3)
        assert (profile.metadata["dataset"]["length"], profile.metadata["band_images"]) == (20, 20)
        assert_bands(profile, responses[name])


def test_presence_equals_the_reference(planted: Planted) -> None:
    dataset = datasets.open_dataset(str(planted.root))
    table = dataset.concepts()
    survey = datasets.survey(dataset, table)
    concepts = [(concept.number, concept.category) for concept in table.concepts]
    expected = reference.presence(annotations_of(planted, table.categories), concepts)
    for concept, held in enumerate(expected):
        images, pixels = survey.images_with(concept)
        assert list(zip(images.tolist(), pixels.tolist(), strict=True)) == held


def test_a_red_detector_fires_where_the_red_square_is(planted: Planted, store: Store) -> None:
    """Responses are R − G − B: 1 there, less in the strip of colours elsewhere; two images a tenth."""
    red = planted.pixels("object", "red square") / (112 * 112 * len(planted.scenes))
    request = request_for(planted, COLOURS, quantile=red, permutations=0)
    profile = profiles(request, store)["conv1"].profile
    number = planted.numbers["red square"]
    there = [i for i, scene in enumerate(planted.scenes) if (scene["object"][0] == number).any()]
    assert np.flatnonzero(profile.fires_in(0)).tolist() == there
    pictures = [Image.open(planted.root / f"images/planted/{i:05d}.png") for i in range(20)]
    largest = [int((np.asarray(picture).astype(int) @ [1, -1, -1]).max()) for picture in pictures]
    ranked = sorted(range(20), key=lambda i: (-largest[i], i))
    assert sorted(ranked[: len(there)]) == there
    for band in range(10):
        images, responses = profile.band(0, band)
        assert images.tolist() == ranked[2 * band : 2 * band + 2]
        np.testing.assert_allclose(responses, [largest[image] / 255 for image in images], rtol=1e-6)
        for place, image in enumerate(images):
            square = decode(profile.band_runs(0, band, place), (112, 112))
            np.testing.assert_array_equal(square, planted.scenes[image]["object"][0] == number)


@pytest.fixture
def greys(tmp_path: Path) -> Path:
    """71 images of one grey each, image i of 3·(29·i mod 71); image 33 is damaged."""
    root = tmp_path / "greys"
    for i in range(71):
        save_mask(root / "images" / f"{i}_mask.png", np.full((16, 16), 1 + i % 2, np.uint16))
        grey = np.full((16, 16, 3), 3 * (29 * i % 71), np.uint8)
        Image.fromarray(grey).save(root / "images" / f"{i}.png")
    write_tables(
        root,
        [
            {"image": f"{i}.png", "split": "train", "ih": 16, "iw": 16, "sh": 16, "sw": 16}
            | {"object": f"{i}_mask.png"}
            for i in range(71)
        ],
    )
    (root / "images" / f"{DAMAGED}.png").write_bytes(b"no picture")
    return root


def test_brightness_ranks_images_by_their_grey(greys: Path, store: Store) -> None:
    """Seven of seventy images a tenth; all positions of an image are alike, so q = 9/70 lets nine fire."""
    request = ProfileRequest(BRIGHTNESS, str(greys), quantile=9 / 70, min_images=1, permutations=0)
    profile = profiles(request, store)["conv1"].profile
    ranked = sorted((i for i in range(71) if i != DAMAGED), key=lambda i: -(29 * i % 71))
    assert np.flatnonzero(profile.fires_in(0)).tolist() == sorted(ranked[:9])
    for band in range(10):
        images, responses = profile.band(0, band)
        tenth = ranked[7 * band : 7 * band + 7]
        assert images.tolist() == [*tenth[:5], tenth[6]]
        np.testing.assert_allclose(responses, [3 * (29 * i % 71) / 255 for i in images], rtol=1e-6)
        for place, image in enumerate(images):
            runs = profile.band_runs(0, band, place).tolist()
            assert runs == ([[0, 256]] if image in ranked[:9] else [])
    survey = datasets.survey(dataset := datasets.open_dataset(str(greys)), dataset.concepts())
    assert survey.images_with(0)[0].tolist() == list(range(0, 71, 2))
    assert survey.images_with(1)[0].tolist() == [i for i in range(1, 71, 2) if i != DAMAGED]
    assert set(survey.presence_pixels.tolist()) == {256}
    assert DAMAGED not in profile.arrays["band_image"]


def test_dead_and_constant_units_are_silent(greys: Path, store: Store) -> None:
    """Nothing exceeds a threshold of 0 or of the constant; their tenths follow the images' order."""
    request = ProfileRequest(BRIGHTNESS, str(greys), quantile=9 / 70, min_images=1, permutations=0)
    profile = profiles(request, store)["conv1"].profile
    valid = [i for i in range(71) if i != DAMAGED]
    for unit, response in ((1, 0), (2, 1)):
        assert not profile.fires_in(unit).any()
        assert profile.band(unit, 9)[0].tolist() == [*valid[63:68], valid[69]]
        assert set(profile.band(unit, 9)[1].tolist()) == {response}
        assert not len(profile.band_runs(unit, 9, 5))


def test_three_images_leave_most_tenths_empty(tmp_path: Path, store: Store) -> None:
    planted = make_planted(tmp_path / "three", images=3, size=32, annotation=16)
    request = request_for(planted, permutations=0)
    responses = responses_of(request, planted)
    for name, layer in profiles(request, store).items():
        assert_bands(layer.profile, responses[name])
        assert [len(layer.profile.band(0, band)[0]) for band in range(10)] == [0, 0, 0, 1, 0, 0, 1, 0, 0, 1]


@pytest.mark.thorough
def test_at_most_so_many_images_are_ranked(
    planted: Planted, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven of the twenty here; firing is known of all of them nevertheless."""
    monkeypatch.setattr(
        "interpret_core.analyses.profile.material.sample_images",
        lambda valid, seed: sample_images(valid, seed, 7),
    )
    request = request_for(planted, permutations=0)
    ranked = sample_images(np.ones(20, bool), 0, 7).tolist()
    responses = responses_of(request, planted)
    for name, layer in profiles(request, store).items():
        assert layer.profile.metadata["band_images"] == 7
        assert_bands(layer.profile, responses[name], ranked)
        expected = reference.fires(responses[name], layer.profile.arrays["threshold"])
        np.testing.assert_array_equal(firing(layer.profile), expected)


@pytest.mark.thorough
def test_seed_and_chance_leave_the_profile_as_it_is(planted: Planted, tmp_path: Path) -> None:
    found = []
    for changes in ({}, {"seed": 5}, {"permutations": 0}):
        request, store = request_for(planted, **changes), Store(tmp_path / str(changes))
        run_profile(request, store)
        profile = layer_keys(request, store).profile.values()
        found.append({key: digest for key, digest in digests(request, store).items() if key in profile})
    assert found[0] == found[1] == found[2]


@pytest.mark.thorough
def test_masks_of_an_attempt_that_wanted_fewer_are_not_taken(planted: Planted, tmp_path: Path) -> None:
    """Only chance was missing; then a profile is lost, and the next attempt needs the galleries as well."""
    request = request_for(planted, seed=1)
    undisturbed, disturbed = Store(tmp_path / "one"), Store(tmp_path / "two")
    run_profile(request, undisturbed)
    run_profile(request_for(planted), disturbed)
    finished: list[int] = []
    with pytest.raises(Cancelled):
        run_profile(
            request,
            disturbed,
            Execution(
                shards=5,
                tell=lambda stage, done, _: finished.append(done) if stage == "masks" else None,
                cancelled=lambda: len(finished) > 2,
            ),
        )
    assert any("/masks" in key for key in disturbed.keys("partial/"))
    disturbed.delete(layer_keys(request, disturbed).profile["conv2"])
    run_profile(request, disturbed, Execution(shards=5))
    assert digests(request, undisturbed) == digests(request, disturbed)
