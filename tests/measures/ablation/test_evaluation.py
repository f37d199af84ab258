"""Counts and shares against the literal reference, and whatever holds for any network."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret_core.measures.ablation.evaluation import evaluate
from tests.reference import evaluation as reference

Drawn = tuple[np.ndarray, np.ndarray, list[list[int]]]


def drawn(seed: int, images: int, outputs: int, classes: int, most: int = 1) -> Drawn:
    """Logits with many equal ones, labels, and the classes' outputs in no order, up to `most` of each."""
    random = np.random.default_rng(seed)
    logits = random.integers(-3, 4, (images, outputs)).astype(np.float32)
    free = iter(random.permutation(outputs).tolist())
    groups = [[next(free)] for _ in range(classes)]
    for output, group in zip(free, random.integers(0, classes, outputs), strict=False):
        if len(groups[group]) < most:
            groups[group].append(output)
    return logits, random.integers(0, classes, images), groups


def alone(classes: int) -> list[list[int]]:
    """Each class one output, in order."""
    return [[output] for output in range(classes)]


def exactly(found: np.ndarray, expected: list[float | None]) -> None:
    assert [None if math.isnan(value) else value for value in found] == expected


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    images=st.integers(1, 40),
    outputs=st.integers(1, 30),
    share=st.floats(0.01, 1),
    most=st.integers(1, 8),
)
def test_against_the_reference(seed: int, images: int, outputs: int, share: float, most: int) -> None:
    logits, labels, chosen = drawn(seed, images, outputs, max(1, int(share * outputs)), most)
    found = evaluate(logits, labels, chosen)
    rows, true = logits.tolist(), labels.tolist()
    assert found.confusion.tolist() == reference.confusion(rows, true, chosen)
    expected = [reference.of_class(rows, true, chosen, number) for number in range(len(chosen))]
    assert found.images.tolist() == [one["images"] for one in expected]
    assert found.right.tolist() == [one["right"] for one in expected]
    assert found.others.tolist() == [one["others"] for one in expected]
    assert found.rejected.tolist() == [one["rejected"] for one in expected]
    top = [one["top"] for one in expected]
    assert (found.in_top is None and set(top) == {None}) or found.in_top.tolist() == top
    exactly(found.accuracy, [one["accuracy"] for one in expected])
    exactly(found.balanced_accuracy, [one["balanced"] for one in expected])
    probability = [math.nan if one["probability"] is None else one["probability"] for one in expected]
    np.testing.assert_allclose(found.probability, probability, rtol=1e-7)
    whole = reference.overall(expected)
    assert found.overall_accuracy == whole["accuracy"]
    assert found.mean_recall == whole["mean_recall"]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(0, 30))
def test_two_sets_of_images_add_up(seed: int, cut: int) -> None:
    logits, labels, outputs = drawn(seed, 30, 25, 7, 3)
    whole = evaluate(logits, labels, outputs)
    both = evaluate(logits[:cut], labels[:cut], outputs) + evaluate(logits[cut:], labels[cut:], outputs)
    assert np.array_equal(whole.confusion, both.confusion)
    assert whole.in_top is not None
    assert np.array_equal(whole.in_top, both.in_top)
    np.testing.assert_allclose(whole.probability_sum, both.probability_sum, rtol=1e-12)


def test_a_constant_answer_has_a_balanced_accuracy_of_one_half() -> None:
    logits = np.tile(np.array([[5.0, 0.0, 0.0]], np.float32), (9, 1))
    found = evaluate(logits, np.repeat(np.arange(3), 3), alone(3))
    assert found.accuracy.tolist() == [1.0, 0.0, 0.0]
    assert found.balanced_accuracy.tolist() == [0.5, 0.5, 0.5]
    assert found.overall_accuracy == 1 / 3
    assert found.mean_recall == pytest.approx(1 / 3)
    assert found.confusion.tolist() == [[3, 0, 0, 0]] * 3


def test_top_five_needs_more_than_twenty_outputs() -> None:
    for outputs, there in ((20, False), (21, True)):
        found = evaluate(*drawn(1, 5, outputs, 3))
        assert (found.in_top is not None) is there
        assert (found.top_accuracy is not None) is there
        assert (found.overall_top_accuracy is not None) is there


def test_a_share_of_nothing_is_no_number() -> None:
    nothing = evaluate(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), alone(2))
    assert nothing.images.tolist() == [0, 0]
    assert np.isnan(nothing.accuracy).all()
    assert math.isnan(nothing.overall_accuracy)
    assert math.isnan(nothing.mean_recall)
    lonely = evaluate(np.array([[1.0, 0.0]]), np.array([0]), alone(2))
    assert lonely.accuracy[0] == 1.0
    assert np.isnan(lonely.balanced_accuracy).all()  # no image of another class, and none of this one
    assert lonely.mean_recall == 1.0  # over the one class that has an image


def test_large_logits_stay_finite() -> None:
    found = evaluate(np.array([[9e4, -9e4]], np.float32), np.array([0]), alone(2))
    assert found.probability[0] == 1.0


def test_a_group_counts_as_one_class() -> None:
    """Two outputs of one class share its probability; either on top is right, neither another class."""
    logits = np.log(np.array([[0.3, 0.4, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4], [0.1, 0.4, 0.2, 0.3]]))
    found = evaluate(logits, np.array([0, 0, 1]), [[0, 3], [1]])
    assert found.confusion.tolist() == [[1, 1, 0], [0, 1, 0]]
    np.testing.assert_allclose(found.probability, [(0.4 + 0.5) / 2, 0.4], rtol=1e-7)
    assert found.rejected.tolist() == [1, 1]


def test_the_order_within_a_group_does_not_matter() -> None:
    logits, labels, groups = drawn(3, 30, 25, 5, 4)
    assert max(map(len, groups)) > 1
    one, other = evaluate(logits, labels, groups), evaluate(logits, labels, [g[::-1] for g in groups])
    assert np.array_equal(one.confusion, other.confusion)
    assert one.in_top is not None
    assert np.array_equal(one.in_top, other.in_top)


@pytest.mark.parametrize(
    ("logits", "labels", "outputs", "words"),
    [
        (np.zeros(3), np.zeros(3, int), alone(1), "Expected outputs"),
        (np.zeros((2, 3)), np.zeros(3, int), alone(3), "Expected outputs"),
        (np.zeros((2, 3)), np.zeros(2, int), [], "Expected outputs"),
        (np.zeros((2, 3)), np.zeros(2, int), [[0], []], "none empty"),
        (np.zeros((2, 3)), np.array([0, 3]), alone(3), "labels from 0 to 2, but got 0 to 3"),
        (np.zeros((2, 3)), np.array([0, -1]), alone(3), "labels from 0 to 2"),
        (np.zeros((2, 3)), np.zeros(2, int), [[0, 3]], "outputs from 0 to 2"),
        (np.zeros((2, 3)), np.zeros(2, int), [[1, 2], [1]], "different outputs for every class"),
        (np.array([[np.nan, 0.0]]), np.zeros(1, int), alone(2), "finite"),
    ],
)
def test_what_does_not_fit(logits, labels, outputs, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        evaluate(logits, labels, outputs)
