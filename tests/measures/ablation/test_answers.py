"""Answers image by image: against the literal reference, and whole or in parts the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret_core.measures.ablation.answers import Answers, answer, class_of, joined
from interpret_core.measures.ablation.evaluation import tally
from interpret_core.store.records import Record
from tests.measures.ablation.test_evaluation import alone, drawn
from tests.reference import evaluation as reference


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    images=st.integers(1, 30),
    outputs=st.integers(2, 30),
    share=st.floats(0.01, 1),
    most=st.integers(1, 6),
)
def test_every_image_against_a_literal_answer(
    seed: int, images: int, outputs: int, share: float, most: int
) -> None:
    logits, labels, groups = drawn(seed, images, outputs, max(1, int(share * outputs)), most)
    found = answer(logits, labels, groups)
    taken = found.classes(groups)
    for place, row in enumerate(logits.astype(float).tolist()):
        order = sorted(range(outputs), key=lambda output: (-row[output], output))
        powers = [math.exp(value) for value in row]
        own = groups[labels[place]]
        assert found.best[place] == order[0]
        assert found.best_probability[place] == pytest.approx(powers[order[0]] / math.fsum(powers), rel=1e-6)
        assert found.probability[place] == pytest.approx(
            math.fsum(powers[output] for output in own) / math.fsum(powers), rel=1e-12
        )
        if outputs > 20:
            assert found.in_top is not None
            assert found.in_top[place] == bool(set(order[:5]) & set(own))
        owners = [number for number, group in enumerate(groups) if order[0] in group]
        assert taken[place] == (owners[0] if owners else len(groups))
    assert (found.in_top is None) == (outputs <= 20)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), outputs=st.sampled_from([7, 25]), cut=st.integers(1, 29))
def test_parts_joined_are_the_whole(seed: int, outputs: int, cut: int) -> None:
    logits, labels, groups = drawn(seed, 30, outputs, 5, 2)
    whole = answer(logits, labels, groups)
    parts = [answer(logits[rows], labels[rows], groups) for rows in (slice(cut), slice(cut, None))]
    again = joined(parts)
    shuffled = np.random.default_rng(seed).permutation(30)
    back = whole[shuffled][np.argsort(shuffled)]
    kept = Answers.from_arrays(Record.from_bytes(Record(whole.to_arrays()).to_bytes()).arrays)
    for other in (again, back, kept):
        assert len(other) == 30
        for name, values in whole.to_arrays().items():
            np.testing.assert_array_equal(other.to_arrays()[name], values)
            assert other.to_arrays()[name].dtype == values.dtype


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), some=st.integers(1, 40))
def test_a_tally_of_some_images_counts_those_alone(seed: int, some: int) -> None:
    logits, labels, groups = drawn(seed, 40, 25, 6, 3)
    rows = np.random.default_rng(seed).permutation(40)[:some]
    found = tally(answer(logits, labels, groups)[rows], labels[rows], groups)
    expected = reference.confusion(logits[rows].tolist(), labels[rows].tolist(), groups)
    assert found.confusion.tolist() == expected
    by_class = [reference.of_class(logits[rows].tolist(), labels[rows].tolist(), groups, n) for n in range(6)]
    assert found.in_top is not None
    assert found.in_top.tolist() == [one["top"] for one in by_class]


def test_of_equal_outputs_the_first_is_taken() -> None:
    found = answer(np.zeros((1, 25), np.float32), np.array([1]), [[24], [5], [4]])
    assert found.best.tolist() == [0]
    assert found.classes([[24], [5], [4]]).tolist() == [3]
    assert found.in_top is not None
    assert found.in_top.tolist() == [False]  # the sixth of equal ones
    assert answer(np.zeros((1, 25)), np.array([2]), [[24], [5], [4]]).in_top == [True]


def test_outputs_of_no_class() -> None:
    assert class_of(np.array([0, 3, 9, 1]), [[3, 1], [0]]).tolist() == [1, 0, 2, 0]
    assert class_of(np.array([], np.int64), [[0]]).tolist() == []


def test_a_group_shares_its_probability() -> None:
    logits = np.log(np.array([[0.3, 0.4, 0.2, 0.1]]))
    found = answer(logits, np.array([0]), [[0, 3], [1]])
    assert found.probability[0] == pytest.approx(0.4)
    assert found.best_probability[0] == pytest.approx(0.4)
    assert found.classes([[0, 3], [1]]).tolist() == [1]


def test_what_is_not_finite_is_no_answer() -> None:
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError, match="finite"):
            answer(np.array([[0.0, value]]), np.array([0]), alone(2))
