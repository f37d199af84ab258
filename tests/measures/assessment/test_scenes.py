"""Copies and frames are one scene; small things on one ground are not, nor is a chain of frames."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from interpret_core.measures.assessment import scenes as module
from interpret_core.measures.assessment.resamples import FOLDS, resamples
from interpret_core.measures.assessment.scenes import scenes

SIZE = (56, 56)


def photographs(rng: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """Pictures of large patches of any colour."""
    coarse = rng.integers(0, 256, (count, 7, 7, 3)).astype(np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def frames(rng: np.random.Generator, picture: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """A picture with the noise of a camera, and a small thing that moves."""
    found = np.clip(picture[None] + rng.normal(0, 8, (count, *picture.shape)), 0, 255).astype(np.uint8)
    for frame, (top, left) in zip(found, rng.integers(0, 52, (count, 2)), strict=True):
        frame[top : top + 4, left : left + 4] = 255
    return found


def squares(rng: np.random.Generator, count: int, side: int) -> NDArray[np.uint8]:
    """Black pictures with a white square somewhere."""
    found = np.zeros((count, *SIZE, 3), np.uint8)
    for picture, (top, left) in zip(found, rng.integers(0, SIZE[0] - side, (count, 2)), strict=True):
        picture[top : top + side, left : left + side] = 255
    return found


def numbered(pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    return scenes(pictures.reshape(len(pictures), -1, 3), SIZE)


def test_photographs_are_scenes_by_themselves_and_copies_are_not() -> None:
    pictures = photographs(np.random.default_rng(0), 30)
    again = np.concatenate([pictures, pictures[::-1]])
    assert numbered(again).tolist() == [*range(30), *reversed(range(30))]


@pytest.mark.parametrize("cameras", [4, 20])
def test_frames_of_one_camera_are_one_scene(cameras: int) -> None:
    rng = np.random.default_rng(1)
    pictures = photographs(rng, cameras)
    found = numbered(np.concatenate([frames(rng, picture, 10) for picture in pictures]))
    assert found.tolist() == np.repeat(np.arange(cameras), 10).tolist()


@pytest.mark.parametrize("side", [3, 6, 12])
def test_a_small_thing_anywhere_on_one_ground_is_not_one_scene(side: int) -> None:
    """All differ by less than copies may, each from the next: chained, they were one."""
    pictures = squares(np.random.default_rng(2), 200, side)
    found = numbered(pictures)
    assert found.max() >= 40
    assert np.bincount(found).max() <= 20
    assert resamples(found).independent
    assert numbered(np.concatenate([pictures, pictures])).tolist() == [*found, *found]


def test_hardly_any_noise_is_one_scene_though_nothing_else_differs() -> None:
    rng = np.random.default_rng(3)
    ground = np.full((50, *SIZE, 3), 120, np.uint8)
    assert numbered(ground + rng.integers(0, 3, ground.shape).astype(np.uint8)).max() == 0


def test_a_chain_of_frames_is_cut_where_it_has_left_its_first() -> None:
    rng = np.random.default_rng(4)
    first, last = photographs(rng, 2).astype(float)
    steps = np.linspace(0, 1, 60)[:, None, None, None]
    found = numbered(np.round(first + steps * (last - first)).astype(np.uint8))
    assert found.max() >= 5
    assert (np.diff(found) >= 0).all()
    assert np.bincount(found)[:-1].min() >= 2


@pytest.mark.parametrize(
    ("scene", "independent"),
    [
        (np.arange(2 * FOLDS), True),
        (np.arange(2 * FOLDS - 1), False),
        (np.repeat(np.arange(2 * FOLDS - 1), 20), False),
        (np.concatenate([np.zeros(20, int), np.arange(1, 21)]), True),
        (np.concatenate([np.zeros(21, int), np.arange(1, 21)]), False),
        (np.zeros(100, int), False),
    ],
)
def test_few_scenes_or_one_of_most_images_are_nothing_to_hold_out(scene, independent) -> None:  # type: ignore[no-untyped-def]
    assert resamples(scene).independent is independent


def naive(pictures: NDArray[np.uint8]) -> list[int]:
    """The definition, each pair of pictures by itself."""
    small = (
        pictures.reshape(len(pictures), 8, 7, 8, 7, 3).astype(float).sum((2, 4)).reshape(len(pictures), -1)
    )
    small /= 49
    own = np.median([np.abs(one - small.mean(0)).mean() for one in small])
    limit = min(4.0, 0.25 * float(own)) * small.shape[1]
    found, number = [-1] * len(small), 0
    for first, one in enumerate(small):
        if found[first] < 0:
            for other in range(first, len(small)):
                apart = np.abs(small[other] - one)
                if found[other] < 0 and (apart.sum() <= limit or apart.max() <= 2.0):
                    found[other] = number
            number += 1
    return found


def changed(rng: np.random.Generator, kind: str) -> NDArray[np.uint8]:
    """Pictures and what is made of them: copies, noise, and others that differ by just about the limit."""
    if kind == "squares":
        return np.concatenate([squares(rng, 60, side) for side in (4, 6)])
    cells = rng.integers(40, 216, (1 if kind == "one ground" else 24, 8, 8, 3))
    made = [cells]
    for most in (1, 2, 3, 4):
        made.append(cells + rng.integers(-most, most + 1, cells.shape))  # within noise, and beyond
        made.append(cells + most)  # 4 in every cell is the limit itself
        made.append(cells + most * rng.choice([-1, 1], cells.shape))
        one = cells.copy()
        one[:, most, 3, 1] = 192 * most // 4 + cells[:, most, 3, 1] % 2  # all of it in one cell
        made.append(one)
    chain = cells[:1] + np.arange(-30, 31)[:, None, None, None] * rng.integers(0, 2, (8, 8, 3))
    found = rng.permutation(np.concatenate([*made, chain])).clip(0, 255).astype(np.uint8)
    return found.repeat(7, axis=1).repeat(7, axis=2)


@pytest.mark.parametrize("kind", ["photographs", "one ground", "squares"])
@pytest.mark.parametrize("seed", range(3))
def test_pictures_looked_up_are_the_scenes_of_comparing_all_pairs(kind: str, seed: int) -> None:
    pictures = changed(np.random.default_rng(seed), kind)
    found = numbered(pictures).tolist()
    assert found == naive(pictures)
    assert 1 < max(found) + 1 < len(found)


def test_most_pictures_are_not_compared_with_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work that grows with the square of the pictures is left out, whatever they show."""
    compared, alike = [], module._alike

    def counting(one: NDArray[np.float64], others: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
        compared.append(len(others))
        return alike(one, others, limit)

    monkeypatch.setattr(module, "_alike", counting)
    numbered(photographs(np.random.default_rng(5), 1_000))
    assert 1_000 <= sum(compared) < 5_000
