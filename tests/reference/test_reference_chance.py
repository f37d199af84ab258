"""Chance against answers worked out by hand, and against scipy where scipy has the same thing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from . import chance, profile

CONCEPTS = [(1, "object"), (2, "object"), (5, "part")]


@pytest.fixture
def annotations() -> list[profile.Annotation]:
    """Four images of 1×2 pixels; image 1 has no object, image 3 no part."""
    return [
        [("object", np.array([[1, 0]])), ("part", np.array([[5, 5]]))],
        [("object", np.array([[0, 0]])), ("part", np.array([[0, 5]]))],
        [("object", np.array([[0, 2]])), ("part", np.array([[5, 0]]))],
        [("object", np.array([[2, 2]]))],
    ]


def test_members(annotations: list[profile.Annotation]) -> None:
    assert chance.members(annotations, "object") == [0, 2, 3]
    assert chance.members(annotations, "part") == [0, 1, 2]
    assert chance.members(annotations, "object", [False, True, True, True]) == [2, 3]


def test_permuted_moves_all_maps_of_a_category(annotations: list[profile.Annotation]) -> None:
    moved = chance.permuted(annotations, {"object": [1, 2, 0], "part": [0, 1, 2]})
    assert [[(name, labels.tolist()) for name, labels in image] for image in moved] == [
        [("object", [[0, 2]]), ("part", [[5, 5]])],
        [("part", [[0, 5]])],
        [("object", [[2, 2]]), ("part", [[5, 0]])],
        [("object", [[1, 0]])],
    ]
    with pytest.raises(ValueError, match="part: not a permutation of 3"):
        chance.permuted(annotations, {"part": [0, 0, 1]})


def test_null_maxima_by_hand(annotations: list[profile.Annotation]) -> None:
    """One unit, active on the left pixel of image 0 and on the right one of image 2.

    Over the images with an object: 2 active pixels, concept 1 has 1, concept 2 has 3. As annotated:
    concept 1 hits 1 → 1/2, concept 2 hits 1 → 1/4. Objects moved on by one (image 0 gets [0 2], image 2
    gets [2 2], image 3 gets [1 0]): concept 1 hits 0, concept 2 hits 1 → 1/4.
    """
    mask = np.zeros((4, 1, 1, 2), bool)
    mask[0, 0, 0, 0] = mask[2, 0, 0, 1] = True
    orders = {"object": np.array([[0, 1, 2], [1, 2, 0]])}
    concepts = CONCEPTS[:2]
    observed, null = chance.null_maxima(mask, annotations, concepts, orders, keep=np.ones(2, bool))
    assert observed.tolist() == [1 / 2]
    assert null.tolist() == [[1 / 2, 1 / 4]]
    observed, null = chance.null_maxima(mask, annotations, concepts, orders, keep=np.array([False, True]))
    assert observed.tolist() == [1 / 4]
    assert null.tolist() == [[1 / 4, 1 / 4]]
    # parts: 5 has 4 pixels in images 0, 1, 2; as annotated 1 hit: 1/(2 + 4 − 1)
    both = orders | {"part": np.array([[0, 1, 2], [2, 1, 0]])}
    only_part = np.array([False, False, True])
    observed, null = chance.null_maxima(mask, annotations, CONCEPTS, both, keep=only_part)
    assert observed.tolist() == [1 / 5]
    assert null.tolist() == [[1 / 5, 2 / 4]]


def test_categories_need_equally_many_permutations(annotations: list[profile.Annotation]) -> None:
    mask = np.zeros((4, 1, 1, 2), bool)
    orders = {"object": np.array([[0, 1, 2]]), "part": np.array([[0, 1, 2], [2, 1, 0]])}
    with pytest.raises(ValueError, match="same number"):
        chance.null_maxima(mask, annotations, CONCEPTS, orders, keep=np.ones(3, bool))


def test_standardise_by_hand() -> None:
    null = np.array([[1.0, 3.0], [0.25, 0.25], [0.25, 0.25], [0.25, 0.25]])
    z, z_null = chance.standardise(np.array([5.0, 0.25, 0.5, 0.1]), null)
    assert z.tolist() == [3, 0, np.inf, -np.inf]
    assert z_null.tolist() == [[-1, 1], [0, 0], [0, 0], [0, 0]]


def test_standardise_agrees_with_scipy() -> None:
    null = np.random.default_rng(0).random((5, 30))
    z, z_null = chance.standardise(null[:, 3], null)
    np.testing.assert_allclose(z_null, stats.zscore(null, axis=1), rtol=1e-12)
    np.testing.assert_allclose(z, z_null[:, 3], rtol=1e-12)


def test_p_values_by_hand() -> None:
    z_null = np.array([[-1, 1], [-2, 2], [9, 9]])
    p = chance.p_values(np.array([3, 1, 0]), z_null, np.array([True, True, False]))
    assert p.tolist() == [1 / 5, 3 / 5, 1]


def test_q_values_agree_with_scipy() -> None:
    p = np.random.default_rng(1).random(40) ** 3
    p[5] = p[6]
    every = np.ones(40, bool)
    np.testing.assert_allclose(chance.q_values(p, every), stats.false_discovery_control(p), rtol=1e-12)
    live = every.copy()
    live[::3] = False
    q = chance.q_values(p, live)
    np.testing.assert_allclose(q[live], stats.false_discovery_control(p[live]), rtol=1e-12)
    assert q[~live].tolist() == [1] * 14


def test_q_values_by_hand() -> None:
    q = chance.q_values(np.array([0.04, 0.01, 0.5]), np.ones(3, bool))
    np.testing.assert_allclose(q, [0.06, 0.03, 0.5])
    assert chance.significant(np.array([0.05, 0.051])).tolist() == [True, False]
    assert chance.q_values(np.array([0.2]), np.array([False])).tolist() == [1]


def test_expected_by_chance() -> None:
    assert chance.expected_by_chance(np.array([[0.1, 0.0], [0.1, 0.04]]), 0.04) == 1.0
    assert chance.expected_by_chance(np.array([[0.1, 0.0], [0.0, 0.04]]), 0.04) == 0.5


def test_shuffled_annotations_are_not_significant() -> None:
    """Units that know nothing of the annotations: the p-values are spread over (0, 1]."""
    generator = np.random.default_rng(4)
    images, units = 12, 8
    labels = [[("object", generator.integers(0, 4, (4, 4)))] for _ in range(images)]
    mask = generator.random((images, units, 4, 4)) < 0.1
    orders = {"object": np.array([generator.permutation(images) for _ in range(20)])}
    concepts = [(1, "object"), (2, "object"), (3, "object")]
    observed, null = chance.null_maxima(mask, labels, concepts, orders, keep=np.ones(3, bool))
    z, z_null = chance.standardise(observed, null)
    live = np.ones(units, bool)
    q = chance.q_values(chance.p_values(z, z_null, live), live)
    assert not chance.significant(q).any()
