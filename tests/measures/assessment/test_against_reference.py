"""Counts of label sets and shades give what looking at every pixel gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from interpret_core.measures.assessment import contest as contests
from interpret_core.measures.assessment.contest import codes, contest
from interpret_core.measures.assessment.label_sets import LabelSets, label_sets
from interpret_core.measures.assessment.overlaps import areas, overlaps
from interpret_core.measures.assessment.pixel_groups import PixelGroups, active_pixels, pixel_groups
from interpret_core.measures.assessment.resamples import FOLDS, Resamples, resamples
from interpret_core.measures.dissection.masks import Runs, runs_of
from tests.reference import assessment as reference

IMAGES, SIDE, UNITS, RESAMPLED = 12, 6, 5, 7
CATEGORY = np.array([0, 0, 0, 1, 1, 2])  # of six concepts; the last category names colours
COLOURS = CATEGORY == 2


@dataclass
class Scene:
    """Random pixels and what they carry."""

    labels: NDArray[np.uint16]
    member: NDArray[np.bool_]
    shade: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    drawn: Resamples
    sets: LabelSets
    of_pixel: NDArray[np.int32]
    groups: PixelGroups

    @classmethod
    def of(cls, seed: int) -> Scene:
        rng = np.random.default_rng(seed)
        pixels = SIDE * SIDE
        # Two maps of the first category, one of each other; some images have no map of a category.
        maps = [rng.choice([0, 1, 2, 3], (2, IMAGES, pixels)), rng.choice([0, 4, 5], (1, IMAGES, pixels))]
        labels = np.concatenate([*maps, rng.choice([0, 6], (1, IMAGES, pixels))]).astype(np.uint16)
        labels[:2, rng.random(IMAGES) < 0.3] = 0
        labels[2, rng.random(IMAGES) < 0.3] = 0
        member = np.stack([labels[:2].any((0, 2)), labels[2].any(1), labels[3].any(1)], 1)
        shade = rng.integers(0, 4, (IMAGES, pixels)).astype(np.uint8)
        odds = np.where(shade == 1, 0.5, 0.1) + np.where(labels[0] == 2, 0.4, 0)
        masks = rng.random((UNITS, IMAGES, pixels)) < odds * rng.random((UNITS, 1, 1))
        masks[0, :, :] = False
        drawn = resamples(np.arange(IMAGES) // 2, seed, RESAMPLED)
        sets, of_pixel = label_sets(labels, member)
        groups = pixel_groups(of_pixel, shade)
        return cls(labels, member, shade, masks, drawn, sets, of_pixel, groups)

    @property
    def runs(self) -> Runs:
        """The masks, image by image."""
        found = [runs_of(self.masks[u, n]) for n in range(IMAGES) for u in range(UNITS)]
        offsets = np.concatenate([[0], np.cumsum([len(one) for one in found])])
        return Runs(offsets, np.concatenate(found).astype(np.int32), np.zeros(0, np.int32))

    @property
    def told(self) -> NDArray[np.object_]:
        """The label set of each pixel, without colours."""
        out = np.empty(self.shade.shape, object)
        for place in np.ndindex(out.shape):
            here = {int(one) - 1 for one in self.labels[(slice(None), *place)]} - {-1}
            out[place] = frozenset(one for one in here if not COLOURS[one])
        return out

    def images(self, resample: int) -> list[int]:
        """The images of a resample; the one before the first is the images as they are."""
        if resample < 0:
            return list(range(IMAGES))
        return np.repeat(np.arange(IMAGES), self.drawn.weights[:, resample]).tolist()


@pytest.fixture(params=[0, 1, 2])
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene.of(request.param)


def test_each_pixel_has_its_label_set(scene: Scene) -> None:
    members = scene.sets.members()
    for place in np.ndindex(scene.shade.shape):
        here = {int(one) - 1 for one in scene.labels[(slice(None), *place)]} - {-1}
        found = scene.of_pixel[place]
        assert members[found] == tuple(sorted(here))
        assert scene.sets.categories[found].tolist() == scene.member[place[0]].tolist()
    pairs = {(one, tuple(two)) for one, two in zip(members, scene.sets.categories.tolist(), strict=True)}
    assert len(pairs) == len(members)


def test_groups_tell_pixels_apart_by_image_label_set_and_shade(scene: Scene) -> None:
    groups = scene.groups
    for place in np.ndindex(scene.shade.shape):
        e = groups.of_pixel[place]
        assert groups.image[e] == place[0]
        assert groups.label_set[e] == scene.of_pixel[place]
        assert groups.shade[e] == scene.shade[place]
    assert np.bincount(groups.of_pixel.ravel()).tolist() == groups.pixels.tolist()


def test_active_pixels_are_counted_by_group(scene: Scene) -> None:
    active = active_pixels(scene.runs, scene.groups)
    for u in range(UNITS):
        group, pixels = active.of(u)
        expected = np.bincount(scene.groups.of_pixel[scene.masks[u]], minlength=len(scene.groups))
        assert group.tolist() == np.flatnonzero(expected).tolist()
        assert pixels.tolist() == expected[group].tolist()


def test_images_of_a_scene_are_held_out_and_drawn_together() -> None:
    scene = np.array([7, 7, 3, 9, 9, 9, 1, 0, 2, 4, 5, 6])
    drawn = resamples(scene, 0, 50)
    for one in np.unique(scene):
        there = scene == one
        assert len(np.unique(drawn.fold[there])) == 1
        assert (drawn.weights[there] == drawn.weights[there][:1]).all()
    assert sorted(np.bincount(drawn.fold[np.unique(scene, return_index=True)[1]])) == [1, 2, 2, 2, 2]
    assert len(np.unique(drawn.fold)) == FOLDS


def test_scores_equal_those_of_every_pixel(scene: Scene) -> None:
    found = codes(scene.groups, scene.sets, COLOURS, scene.drawn)
    scores = contest(active_pixels(scene.runs, scene.groups), scene.groups, found, scene.drawn)
    fold = scene.drawn.fold.tolist()
    close = 0
    for u, mask in enumerate(scene.masks):
        assert scores.base_rate[u] == mask.mean()
        guesses = reference.guesses(mask, scene.shade, scene.told, fold)
        expected = [reference.average_precision(mask, one, scene.images(-1)) for one in guesses]
        np.testing.assert_allclose(scores.precision[u], expected, rtol=1e-9)
        both = min(expected[:2]) > 3 * mask.mean()
        close += both
        for resample in range(RESAMPLED):
            rows = scene.images(resample)
            again = [reference.average_precision(mask, one, rows) for one in guesses]
            again[2] = again[2] if both else np.nan
            np.testing.assert_allclose(scores.resampled[u, :, resample], again, rtol=1e-5)


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_scores_are_the_same_whatever_is_kept(
    scene: Scene, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    active = active_pixels(scene.runs, scene.groups)
    monkeypatch.setattr(contests, "FEW", 0)  # of every bin
    every = codes(scene.groups, scene.sets, COLOURS, scene.drawn)
    assert [len(one.resampled) for one in (every.colour, every.both)] == [
        len(every.colour.pixels),
        len(every.both.pixels),
    ]
    expected = contest(active, scene.groups, every, scene.drawn)
    monkeypatch.setattr(contests, "KEPT", rows * 4 * RESAMPLED)
    found = codes(scene.groups, scene.sets, COLOURS, scene.drawn)
    for one in (found.colour, found.annotation, found.both):
        assert len(one.resampled) <= rows
    scores = contest(active, scene.groups, found, scene.drawn)
    assert scores.precision.tobytes() == expected.precision.tobytes()
    assert scores.resampled.tobytes() == expected.resampled.tobytes()


def test_overlaps_equal_those_of_every_pixel(scene: Scene) -> None:
    rng = np.random.default_rng(5)
    labels = rng.permuted(np.tile(np.arange(5), (UNITS, 1)), axis=1)[:, :2]
    labels[1, 1] = -1
    counted = np.array([True, False, True, True, True, True])
    found = overlaps(
        active_pixels(scene.runs, scene.groups),
        scene.groups,
        scene.sets,
        areas(scene.groups, scene.sets, CATEGORY, scene.drawn),
        labels,
        counted,
    )
    concepts = [(scene.labels == 1 + c).any(0) for c in range(len(CATEGORY))]
    for u, mask in enumerate(scene.masks):
        for place in range(1 + RESAMPLED):
            rows = scene.images(place - 1)
            iou = [
                reference.iou(mask, concept, scene.member[:, CATEGORY[c]], rows)
                for c, concept in enumerate(concepts)
            ]
            best = max(one for c, one in enumerate(iou) if counted[c])
            assert found.best[u, place] == np.float32(best)
            assert found.of_concept[u, place] == (
                next(c for c, one in enumerate(iou) if counted[c] and np.float32(one) == np.float32(best))
                if best
                else -1
            )
            for which, c in enumerate(labels[u]):
                expected = iou[c] if c >= 0 else np.nan
                np.testing.assert_equal(found.iou[u, which, place], np.float32(expected))
            c = labels[u, 0]
            expected = reference.lift(mask, concepts[c], scene.member[:, CATEGORY[c]], rows)
            np.testing.assert_allclose(found.lift[u, place], expected, rtol=1e-6)
