"""Photographs by tenths and silence as pure functions: counts by a plain loop, words for every case."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tests.ui import records
from ui.server import exports
from ui.session import photos
from ui.session.photos import Firing
from ui.session.view import LayerView
from ui.units import words as firing

UNIT = 4


@pytest.fixture(scope="module")
def view() -> LayerView:
    return records.view()


def found(images: int, fires: int) -> Firing:
    silent = np.arange(images - fires, dtype=np.int32)
    return Firing(images, fires, silent, silent)


def test_firing_and_silent_images_by_a_plain_loop(view: LayerView) -> None:
    present = ([3, 5, 8, 13, 21, 34], [40, 10, 40, 99, 70, 5])
    bits = view.record["fires"][UNIT]
    fires = [bool(bits[image // 8] >> (7 - image % 8) & 1) for image in present[0]]
    silent = [(-size, image) for image, size, there in zip(*present, fires, strict=True) if not there]
    told = photos.firing(view, UNIT, (np.array(present[0], np.int32), np.array(present[1], np.int32)))
    assert (told.images, told.fires) == (6, sum(fires))
    assert 0 < told.fires < 6
    assert list(zip((-told.pixels).tolist(), told.silent.tolist(), strict=True)) == sorted(silent)


def test_strongest_photographs_have_their_masks(view: LayerView) -> None:
    made = photos.strongest(view, UNIT, 2, 12, records.source())
    assert [photo.image for photo in made] == view.record["top_image"][UNIT][:12].tolist()
    assert made[3].mask == view.summary.profile.mask_runs(UNIT, 3).ravel().tolist()
    assert made[3].name == f"{made[3].image}.jpg"
    assert made[3].annotation == [0, 4]
    assert photos.strongest(view, UNIT, -1, 12, records.source())[0].annotation is None
    assert photos.strongest(view, 1, -1, 12, records.source()) == [], "a dead unit has none"


def test_tenths_are_masked_where_the_unit_fires(view: LayerView) -> None:
    firing_images = set(np.flatnonzero(view.summary.profile.fires_in(UNIT)).tolist())
    seen: list[int] = []
    for band in range(10):
        made = photos.of_band(view, UNIT, 2, band, records.source())
        assert len(made) == 4
        assert [photo.silent for photo in made] == [photo.image not in firing_images for photo in made]
        assert [not photo.mask for photo in made] == [photo.silent for photo in made]
        assert all(photo.caption.endswith("silent") == photo.silent for photo in made)
        seen += [photo.image for photo in made]
    assert sorted(seen) == list(range(40))


def test_silent_photographs_have_an_area_and_no_mask(view: LayerView) -> None:
    told = Firing(9, 2, np.array([7, 1, 3, 5, 9, 11, 13], np.int32), np.array([6272, 700, 5, 4, 3, 2, 1]))
    made = photos.of_silence(view, 0, told, records.source())
    assert [photo.image for photo in made] == [7, 1, 3, 5, 9, 11]
    assert [photo.caption for photo in made[:3]] == [
        "covers 50\u00a0%",
        "covers 5.6\u00a0%",
        "covers < 0.1\u00a0%",
    ]
    assert all(photo.silent and not photo.mask and photo.annotation for photo in made)
    assert "“wheel” covers 50" in made[0].about


def test_stops_of_the_slider() -> None:
    stops = [firing.band_text(band).replace("\u00a0", " ") for band in range(-1, 10)]
    assert stops[:3] == ["strongest", "top 10 %", "10–20 %"]
    assert stops[-1] == "90–100 %"


def test_words_of_the_strongest_and_of_a_tenth(view: LayerView) -> None:
    made = photos.strongest(view, UNIT, -1, 12, records.source())
    words = firing.strongest_words(view, UNIT, made)
    assert words.startswith("The 12 strongest of 40 images: largest responses from ")
    assert words.endswith(": silent in none of the 12 shown.")
    last = firing.band_words(view, UNIT, 9, photos.of_band(view, UNIT, -1, 9, records.source()))
    assert last.startswith("Ranks 37 to 40 of 40 images by largest response, from ")
    assert last.endswith(": silent in all 4 shown.")


def test_words_of_a_sample_of_a_single_image_and_of_an_empty_tenth(view: LayerView) -> None:
    def ranked(count: int, images: int) -> LayerView:
        old = view.summary.profile
        facts = {**old.metadata["dataset"], "images": images}
        profile = dataclasses.replace(old, metadata={**old.metadata, "dataset": facts, "band_images": count})
        return dataclasses.replace(view, summary=dataclasses.replace(view.summary, profile=profile))

    made = photos.of_band(view, UNIT, -1, 3, records.source())
    words = firing.band_words(ranked(2000, 63305), UNIT, 3, made)
    assert "Ranks 601 to 800 of 2,000 images, drawn from 63,305, by" in words
    assert "; 4 shown, evenly spaced." in words
    one = firing.band_words(ranked(10, 10), UNIT, 9, made[:1])
    assert one.startswith("Rank 10 of 10 images by largest response, ")
    assert one.endswith(("the unit fires there.", "the unit is silent there."))
    assert firing.band_words(ranked(4, 4), UNIT, 0, []).startswith("Only 4 images can be ranked")


def test_a_peak_that_the_mask_loses_is_said(view: LayerView) -> None:
    made = [
        photo._replace(silent=False, mask=[])
        for photo in photos.strongest(view, UNIT, -1, 3, records.source())
    ]
    assert "In 3 it fires, but its peak vanishes" in firing.strongest_words(view, UNIT, made)


@pytest.mark.parametrize(
    ("images", "fires", "expected"),
    [
        (63, 41, "The unit fires in **41 of the 63** images that contain “wheel”; silent in 22."),
        (63, 63, "The unit fires in **all 63** images that contain “wheel”: silent in none."),
        (63, 0, "The unit fires in **none of the 63** images that contain “wheel”; silent in 63."),
        (1, 1, "The unit fires in **the one image** that contains “wheel”."),
        (1, 0, "The unit is silent in **the one image** that contains “wheel”."),
        (0, 0, "No image contains “wheel”."),
    ],
)
def test_words_of_silence(view: LayerView, images: int, fires: int, expected: str) -> None:
    words = firing.silence_words(view, UNIT, 0, found(images, fires))
    assert words.startswith(expected)
    assert ("Few images: read with care." in words) == (0 < images < 10)
    count = int(view.summary.profile.fires_in(UNIT).sum())
    assert (f"Of all 40 images it fires in {count}." in words) == (images > 0)
    assert "tied" not in words
    assert "The unit is tied" in firing.silence_words(view, 2, 0, found(20, 3))


def test_the_unit_s_export_has_tenths_and_firing_counts(view: LayerView) -> None:
    source = records.source()
    told = json.loads(json.dumps(exports.unit_json(view, UNIT, source), allow_nan=False))
    assert told["bands"]["ranked_images"] == 40
    assert [len(tenth) for tenth in told["bands"]["tenths"]] == [4] * 10
    first = told["bands"]["tenths"][0][0]
    assert first["image"] == told["top_images"][0]["image"]
    assert first["name"] == told["top_images"][0]["name"] == f"{first['image']}.jpg"
    assert first["fires"] is True
    assert told["bands"]["tenths"][9][3]["fires"] is False
    best = told["firing"][0]
    assert (best["concept"], best["category"]) == (told["concept"], told["category"])
    there = source.present(int(view.best[UNIT]))[0]  # type: ignore[index]
    fires = view.summary.profile.fires_in(UNIT)
    assert (best["images"], best["fires"]) == (len(there), sum(fires[image] for image in there.tolist()))
    assert told["fires_in_images"] == fires.sum()
    unknown = exports.unit_json(view, UNIT, source._replace(present=lambda _: None))
    assert unknown["firing"] == []
