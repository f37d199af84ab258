"""The counts against answers worked out by hand."""

from __future__ import annotations

import math

import pytest

from . import evaluation

# Three outputs, of which 2 and 0 are classes (in that order) and 1 is something else.
OUTPUTS = ((2,), (0,))
LOGITS = [
    [0.0, 1.0, 5.0],  # class 0, right
    [3.0, 1.0, 2.0],  # class 0, taken for class 1
    [0.0, 4.0, 3.0],  # class 0, taken for something else
    [2.0, 1.0, 2.0],  # class 1, equal outputs: the first of them, right
]
LABELS = [0, 0, 0, 1]


def test_confusion_by_hand() -> None:
    assert evaluation.confusion(LOGITS, LABELS, OUTPUTS) == [[1, 1, 1], [0, 1, 0]]


def test_a_class_by_hand() -> None:
    first = evaluation.of_class(LOGITS, LABELS, OUTPUTS, 0)
    assert (first["images"], first["right"], first["others"], first["rejected"]) == (3, 1, 1, 1)
    assert (first["accuracy"], first["balanced"]) == (1 / 3, (1 / 3 + 1) / 2)
    second = evaluation.of_class(LOGITS, LABELS, OUTPUTS, 1)
    assert (second["images"], second["right"], second["others"], second["rejected"]) == (1, 1, 3, 2)
    assert second["balanced"] == (1 + 2 / 3) / 2
    assert second["top"] is None
    assert second["probability"] == pytest.approx(math.e / (2 * math.e + 1))
    assert evaluation.overall([first, second]) == {"accuracy": 2 / 4, "mean_recall": (1 / 3 + 1) / 2}


def test_top_five_by_hand() -> None:
    row = [float(output) for output in range(21)]  # the largest five are 16 to 20
    assert evaluation.of_class([row], [0], ((16,),), 0)["top"] == 1
    assert evaluation.of_class([row], [0], ((15,),), 0)["top"] == 0


def test_a_share_of_nothing() -> None:
    one = evaluation.of_class(LOGITS[:1], LABELS[:1], OUTPUTS, 1)
    assert (one["images"], one["accuracy"], one["balanced"], one["probability"]) == (0, None, None, None)
    assert evaluation.overall([one]) == {"accuracy": None, "mean_recall": None}


def test_a_group_by_hand() -> None:
    """The same images, outputs 0 and 2 being one class and 1 another."""
    groups = ((2, 0), (1,))
    labels = [0, 0, 0, 1]
    assert evaluation.confusion(LOGITS, labels, groups) == [[2, 1, 0], [1, 0, 0]]
    first = evaluation.of_class(LOGITS, labels, groups, 0)
    assert (first["images"], first["right"], first["others"], first["rejected"]) == (3, 2, 1, 0)
    other = evaluation.of_class(LOGITS, labels, groups, 1)
    assert (other["images"], other["right"], other["rejected"]) == (1, 0, 2)
    shares = [1 - evaluation.softmax(row)[1] for row in LOGITS[:3]]
    assert first["probability"] == pytest.approx(sum(shares) / 3)


def test_a_group_is_among_the_top_five_when_any_of_it_is() -> None:
    row = [float(output) for output in range(21)]
    assert evaluation.of_class([row], [0], ((3, 16),), 0)["top"] == 1
    assert evaluation.of_class([row], [0], ((3, 15),), 0)["top"] == 0
