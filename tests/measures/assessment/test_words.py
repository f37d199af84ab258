"""Each planted unit gets the words it should, whatever the seed."""

from __future__ import annotations

import numpy as np
import pytest

from interpret_core.measures.assessment.evidence import BLOCK, evidence, label_intervals, steps
from interpret_core.measures.assessment.words import Assessment, assessed, faint
from interpret_core.measures.dissection.thresholds import State
from tests.measures.assessment.planted import (
    BUS,
    CAR,
    CONCEPTS,
    IMAGES,
    RARE,
    RED,
    SIGN,
    WHEEL,
    Pictures,
    clumped,
    labels_of,
    noisy,
    runs,
    scattered,
    weighed,
    words,
)
from tests.slow import some_slow

SEEDS = some_slow(range(20), range(4))


@pytest.mark.parametrize("seed", SEEDS)
def test_each_planted_unit_gets_its_own_words(seed: int) -> None:
    pictures, rng = Pictures.of(seed), np.random.default_rng(100 + seed)
    red = pictures.shade == RED
    planted = {
        "red things": (red, Assessment.COLOUR),
        "buses": (pictures.shows(BUS), Assessment.OBJECT),
        "signs, which alone have their shade": (pictures.shows(SIGN), Assessment.UNDECIDED),
        "red cars": (red & pictures.shows(CAR), Assessment.COLOUR_AND_OBJECT),
        "what three images show": (pictures.shows(RARE), Assessment.TOO_FEW_IMAGES),
    }
    masks = np.stack([noisy(mask, rng) for mask, _ in planted.values()])
    found = dict(zip(planted, words(pictures, masks), strict=True))
    assert found == {name: word for name, (_, word) in planted.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_tells_little_is_faint(seed: int) -> None:
    """A pixel in twenty of red things: more than chance, and far from a red detector."""
    pictures, rng = Pictures.of(seed), np.random.default_rng(seed)
    red, draw = pictures.shade == RED, rng.random(pictures.shade.shape)
    little = (draw < 0.001) | (red & (draw < 0.05))
    told, _ = weighed(pictures, np.stack([little, noisy(red, rng)]))
    found = assessed(told, np.full(2, State.LIVE, np.uint8), np.zeros(2))
    assert found.tolist() == [Assessment.COLOUR, Assessment.COLOUR]
    assert faint(found, told.precision, np.zeros((2, 2))).tolist() == [True, False]
    # Edges of red things: little tells where in them, but all of it is red.
    assert faint(found, told.precision, np.array([[0.0, 0.9], [0.0, 0.0]])).tolist() == [False, False]
    assert faint(found, told.precision, np.array([[0.9, 0.0], [0.0, 0.0]])).tolist() == [True, False]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_part_of_a_large_thing_is_clear_although_its_mask_cannot_be_guessed(seed: int) -> None:
    """A pixel in thirty of all buses: the label says where it lies, and little of where exactly."""
    pictures, rng = Pictures.of(seed), np.random.default_rng(seed)
    part = pictures.shows(BUS) & (rng.random(pictures.shade.shape) < 0.03)
    told, _ = weighed(pictures, part[None])
    found = assessed(told, np.full(1, State.LIVE, np.uint8), np.zeros(1))
    assert found.tolist() == [Assessment.OBJECT]
    assert told.precision.max() < 0.1
    for inside, expected in (((1.0, 0.0), False), ((0.3, 1.0), True)):
        assert faint(found, told.precision, np.array([inside])).tolist() == [expected]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_label_by_chance_says_nothing_against_a_colour(seed: int) -> None:
    pictures, rng = Pictures.of(seed), np.random.default_rng(seed)
    masks = np.stack([noisy(pictures.shade == RED, rng), noisy(pictures.shows(BUS), rng)])
    assert words(pictures, masks, q_value=0.5) == [Assessment.COLOUR, Assessment.BY_CHANCE]


@pytest.mark.parametrize("seed", SEEDS)
def test_pixels_anywhere_are_unspecific_where_their_label_is_no_chance(seed: int) -> None:
    pictures, rng = Pictures.of(seed), np.random.default_rng(seed)
    everywhere = rng.random(pictures.shade.shape) < 0.2
    assert words(pictures, everywhere[None]) == [Assessment.UNSPECIFIC]
    assert words(pictures, everywhere[None], q_value=0.5) == [Assessment.BY_CHANCE]


@pytest.mark.parametrize("seed", SEEDS[:5])
def test_two_labels_that_lie_together_are_tied(seed: int) -> None:
    pictures, rng = Pictures.of(seed), np.random.default_rng(seed)
    _, found = weighed(pictures, noisy(pictures.shows(WHEEL) | pictures.shows(CAR), rng)[None])
    first, second = found.iou[0].astype(float)
    low = np.percentile(first[1:] - second[1:], 2.5)
    assert first[0] - second[0] < 0.05
    assert low <= 0.05
    _, apart = weighed(pictures, noisy(pictures.shows(BUS), rng)[None])
    first, second = apart.iou[0].astype(float)
    assert np.percentile(first[1:] - second[1:], 2.5) > 0.1


def test_dead_and_saturated_units_are_not_weighed() -> None:
    pictures = Pictures.of(0)
    masks = np.stack([np.zeros_like(pictures.shade, np.bool_), pictures.shade == RED])
    told, _ = weighed(pictures, masks)
    found = assessed(told, np.array([State.DEAD, State.TIED], np.uint8), np.array([np.nan, 0.0]))
    assert found.tolist() == [Assessment.DEAD, Assessment.SATURATED]


@pytest.mark.thorough
@pytest.mark.parametrize("kind", [scattered, clumped])
def test_noise_is_seldom_called_a_colour_or_an_object(kind) -> None:  # type: ignore[no-untyped-def]
    said = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        said += words(Pictures.of(seed), np.stack([kind(rng) for _ in range(40)]), q_value=np.nan)
    wrong = sum(word in (Assessment.COLOUR, Assessment.OBJECT, Assessment.COLOUR_AND_OBJECT) for word in said)
    assert wrong / len(said) <= 0.05


@pytest.mark.parametrize(
    "scene", [np.zeros(IMAGES, int), np.arange(IMAGES) % 9, np.maximum(np.arange(IMAGES), 60)]
)
def test_too_few_scenes_tell_nothing(scene) -> None:  # type: ignore[no-untyped-def]
    """Held out are scenes: with one of most images, or nine, no word and no interval means anything."""
    pictures, rng = Pictures.of(0), np.random.default_rng(0)
    masks = np.stack([noisy(pictures.shade == RED, rng), noisy(pictures.shows(BUS), rng)])
    assert words(pictures, masks) == [Assessment.COLOUR, Assessment.OBJECT]
    pictures.scene = scene
    for q_value in (0.0, 0.5):
        assert words(pictures, masks, q_value) == [Assessment.TOO_FEW_IMAGES] * 2
    told, found = weighed(pictures, masks)
    for intervals in (told.difference, told.together, told.lift):
        assert np.isnan(intervals).all()
    for intervals in label_intervals(found, labels_of(pictures, masks), pictures.ground()):
        assert np.isnan(intervals).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_copies_are_no_further_images(seed: int) -> None:
    """A label in twelve images of three scenes is as rare as in three, and so is a unit firing there."""
    pictures, rng = Pictures.of(seed), np.random.default_rng(seed)
    shown = np.flatnonzero(pictures.shows(RARE).any(1))
    copies = np.setdiff1d(np.arange(IMAGES), shown)[: 3 * len(shown)]
    source = np.tile(shown, 3)
    pictures.labels[:, copies], pictures.shade[copies] = pictures.labels[:, source], pictures.shade[source]
    pictures.scene[copies] = pictures.scene[source]
    masks = noisy(pictures.shows(RARE), rng)[None]
    assert words(pictures, masks) == [Assessment.TOO_FEW_IMAGES]
    told, found = weighed(pictures, masks & pictures.shows(RARE))
    assert told.firing.tolist() == [3]
    assert told.rare.tolist() == [True]
    of_label, tie = label_intervals(found, labels_of(pictures, masks), pictures.ground())
    assert np.isnan(of_label).all()
    assert np.isnan(tie).all()
    pictures.scene = np.arange(IMAGES)
    assert words(pictures, masks) != [Assessment.TOO_FEW_IMAGES]
    told, found = weighed(pictures, masks & pictures.shows(RARE))
    assert told.firing.tolist() == [12]
    of_label, _ = label_intervals(found, labels_of(pictures, masks), pictures.ground())
    assert (of_label[:, 0] <= found.iou[:, 0, 0]).all()
    assert (of_label[:, 1] >= found.iou[:, 0, 0]).all()


def test_a_runner_up_of_few_images_is_not_tied() -> None:
    """In most resamples hardly any of them is drawn: the difference's interval is no statement."""
    pictures, rng = Pictures.of(1), np.random.default_rng(1)
    masks = noisy(pictures.shows(BUS), rng)[None]
    _, found = weighed(pictures, masks)
    of_label, tie = label_intervals(found, np.array([[BUS, RARE]]), pictures.ground())
    assert not np.isnan(of_label).any()
    assert np.isnan(tie).all()
    of_label, tie = label_intervals(found, np.array([[BUS, -1]]), pictures.ground())
    assert not np.isnan(of_label).any()
    assert np.isnan(tie).all()


def test_blocks_of_units_are_told_and_may_be_cancelled() -> None:
    pictures, rng, told = Pictures.of(2), np.random.default_rng(2), list[int]()
    units = BLOCK + 3
    masks = np.stack([scattered(rng) for _ in range(units)])
    given = runs(masks), pictures.ground(), labels_of(pictures, masks), np.ones(CONCEPTS, np.bool_)
    whole, _ = evidence(*given, told.append)
    assert told == [1] * steps(units) == [1, 1]
    alone, _ = weighed(pictures, masks[BLOCK:])
    np.testing.assert_array_equal(whole.precision[BLOCK:], alone.precision)
    np.testing.assert_array_equal(whole.difference[BLOCK:], alone.difference)

    def stop(_steps: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evidence(*given, stop)
