"""The reference for firing, tenths and presence against answers worked out by hand."""

import numpy as np
import pytest

from tests.reference import bands


def test_a_unit_fires_strictly_above_its_threshold() -> None:
    responses = np.array([[[[0, 2]]], [[[2, 3]]], [[[9, 0]]], [[[0, 0]]]], np.float32)
    assert bands.fires(responses, np.array([2.0])).tolist() == [[False, True, True, False]]
    valid = [True, True, False, True]
    assert bands.fires(responses, np.array([0.0]), valid).tolist() == [[True, True, False, False]]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, []),
        (1, [0]),
        (6, [0, 1, 2, 3, 4, 5]),
        (7, [0, 1, 2, 3, 4, 6]),
        (11, [0, 2, 4, 6, 8, 10]),
        (200, [0, 39, 79, 119, 159, 199]),
    ],
)
def test_six_of_a_tenth_from_its_first_to_its_last(count: int, shown: list[int]) -> None:
    assert bands.shown_of(range(count)) == shown


def test_tenths_of_thirteen_images() -> None:
    """Responses 0 … 12, but image 3 has as much as image 4: ranks 12 11 … 5, then 3 before 4, then 2 1 0.

    Tenth b begins at ⌊1.3 b⌋: 0 1 2 3 5 6 7 9 10 11, so the fourth, seventh and last have two images.
    """
    largest = np.arange(13, dtype=np.float32)
    largest[3] = 4
    image, response = bands.bands(largest[:, None, None, None])
    found = [[int(index) for index in tenth if index >= 0] for tenth in image[0]]
    assert found == [[12], [11], [10], [9, 8], [7], [6], [5, 3], [4], [2], [1, 0]]
    assert response[0, 6].tolist() == [5, 4, 0, 0, 0, 0]


def test_fewer_images_than_tenths() -> None:
    """Three images: tenth b holds ranks ⌊0.3 b⌋ up to ⌊0.3 (b + 1)⌋, so the 4th, the 7th and the last."""
    responses = np.array([1, 5, 3], np.float32)[:, None, None, None]
    image, _ = bands.bands(responses)
    assert image[0, :, 0].tolist() == [-1, -1, -1, 1, -1, -1, 2, -1, -1, 0]
    image, _ = bands.bands(responses, valid=[True, False, True], ranked=[0, 1])
    assert image[0, :, 0].tolist() == [-1] * 9 + [0]


def test_presence_by_hand() -> None:
    annotations = [
        [("part", np.array([[3, 0, 0]])), ("part", np.array([[3, 9, 3]])), ("object", np.array([[3, 0, 0]]))],
        [("part", np.array([[0, 0, 0]]))],
        [("object", np.array([[0, 3, 3]]))],
    ]
    concepts = [(3, "object"), (3, "part"), (9, "part")]
    assert bands.presence(annotations, concepts) == [[(0, 1), (2, 2)], [(0, 2)], [(0, 1)]]
    assert bands.presence(annotations, concepts, [False, True, True]) == [[(2, 2)], [], []]
