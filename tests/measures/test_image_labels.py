"""AUC, average precision and z against scipy and loops; p under the null; labels that go together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import false_discovery_control, mannwhitneyu

from benchmarks.image_labels_calibration import SITUATIONS, calibration
from interpret_core.measures.image_labels.evidence import LabelledUnits, label_evidence
from interpret_core.measures.image_labels.exchange import exchanges, joined
from interpret_core.measures.image_labels.separation import (
    RankedResponses,
    average_precision,
    separation,
    tail,
)
from tests.reference import image_labels as reference
from tests.slow import thorough_beyond

TIED = pytest.mark.parametrize("levels", [0, 2, 5], ids=["distinct", "two levels", "five levels"])


def drawn(levels: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """(40, 6) responses, of few levels where there are any, and (40, 3) labels."""
    rng = np.random.default_rng(seed)
    responses = rng.normal(size=(40, 6)) if levels == 0 else rng.integers(0, levels, (40, 6))
    shows = rng.random((40, 3)) < np.array([0.15, 0.4, 0.8])
    return responses.astype(np.float32), shows


@TIED
def test_auc_and_p_are_scipys(levels: int) -> None:
    responses, shows = drawn(levels)
    auc, z = separation(RankedResponses.of(responses), shows)
    for unit in range(6):
        for label in range(3):
            one = responses[:, unit].astype(np.float64)
            bearing, others = one[shows[:, label]], one[~shows[:, label]]
            told = mannwhitneyu(
                bearing, others, alternative="greater", use_continuity=False, method="asymptotic"
            )
            assert auc[unit, label] == pytest.approx(told.statistic / (len(bearing) * len(others)), rel=1e-15)
            assert tail(z[unit, label]) == pytest.approx(told.pvalue, rel=1e-12)


@TIED
def test_auc_and_precision_by_loops(levels: int) -> None:
    responses, shows = drawn(levels, 8)
    auc, _ = separation(RankedResponses.of(responses), shows)
    precision = average_precision(responses, shows)
    for unit in range(6):
        for label in range(3):
            asked = responses[:, unit].tolist(), shows[:, label].tolist()
            assert auc[unit, label] == pytest.approx(reference.auc(*asked), rel=1e-12)
            assert precision[unit, label] == pytest.approx(reference.average_precision(*asked), rel=1e-12)


def test_nothing_is_told_by_what_never_differs() -> None:
    responses = np.stack([np.zeros(8), np.arange(8)], 1).astype(np.float32)
    shows = np.stack([np.arange(8) > 3, np.ones(8, bool), np.zeros(8, bool)], 1)
    auc, z = separation(RankedResponses.of(responses), shows)
    assert auc.tolist() == [[0.5, 0.5, 0.5], [1.0, 0.5, 0.5]]
    assert z[0].tolist() == [0, 0, 0]
    assert z[1, 1:].tolist() == [0, 0]
    assert average_precision(responses, shows)[0, :2].tolist() == [0.5, 1.0]
    assert np.isnan(average_precision(responses, shows)[:, 2]).all()


def test_images_and_labels_in_another_order_change_nothing() -> None:
    responses, shows = drawn(5)
    order = np.random.default_rng(0).permutation(40)
    auc, z = separation(RankedResponses.of(responses), shows)
    again, z_again = separation(RankedResponses.of(responses[order]), shows[order][:, ::-1])
    assert np.array_equal(auc, again[:, ::-1])
    assert np.array_equal(z, z_again[:, ::-1])
    assert np.array_equal(
        average_precision(responses, shows), average_precision(responses[order], shows[order])
    )


def asked(responses: np.ndarray, shows: np.ndarray, group: np.ndarray | None = None) -> LabelledUnits:
    known = np.ones((len(shows), 1), np.bool_)
    column = np.zeros(shows.shape[1], np.int64)
    return LabelledUnits(
        responses.astype(np.float32), shows, column, known, np.arange(len(shows)) if group is None else group
    )


def test_planted_units_get_their_label() -> None:
    rng = np.random.default_rng(1)
    shows = np.eye(4, dtype=np.bool_)[np.arange(80) % 4]
    responses = rng.normal(size=(80, 20))
    for label in range(4):
        responses[:, label] += 3 * shows[:, label]
    responses[:, 19] = 2.0
    found = label_evidence(asked(responses, shows), 0, 100)
    assert found.best[:4].tolist() == [0, 1, 2, 3]
    assert (found.q_value[:4] <= 0.01).all()
    assert (found.q_value[4:19] > 0.05).all()
    assert found.p_value[:4].max() <= 4 / 1901
    assert found.best[19] == -1
    assert np.isnan([found.p_value[19], found.q_value[19]]).all()
    assert np.array_equal(found.q_value[:19], false_discovery_control(found.p_value[:19], method="bh"))


def test_the_largest_z_is_not_the_largest_auc() -> None:
    """A label of few images has the larger AUC by chance, one of many the larger z by right."""
    responses = np.arange(100.0)[:, None]
    shows = np.stack([np.arange(100) >= 95, np.arange(100) >= 50], 1)
    shows[0, 0] = True
    shows[[49, 50], 1] = shows[[50, 49], 1]
    found = label_evidence(asked(responses, shows), 0, 0)
    assert found.best.tolist() == [1]
    assert np.isnan(found.p_value).all()


def test_p_counts_permutations_of_all_units() -> None:
    responses, shows = drawn(0)
    found = label_evidence(asked(responses, shows), 5, 20)
    null = np.stack(
        [separation(RankedResponses.of(responses), shows[source])[1].max(1) for source in sources(40, 5, 20)],
        1,
    )
    np.testing.assert_allclose(found.null_maximum, null, rtol=1e-6)
    every = np.concatenate([found.z.max(1)[:, None], null], 1)
    every = (every - every.mean(1, keepdims=True)) / every.std(1, keepdims=True)
    z, pooled = every[:, 0], every[:, 1:]
    expected = [(1 + int((pooled >= one - 1e-9).sum())) / (1 + pooled.size) for one in z]
    np.testing.assert_allclose(found.p_value, expected)


def sources(images: int, seed: int, number: int) -> list[np.ndarray]:
    return list(exchanges(np.arange(images), np.ones((images, 1), np.bool_), seed, number))


def test_groups_change_places_as_a_whole() -> None:
    group = np.array([0, 1, 1, 2, 2, 3, 3, 3, 3])
    for source in exchanges(group, np.ones((9, 1), np.bool_), 0, 40):
        for one in range(4):
            assert len(set(group[source[group == one]].tolist())) == 1
        assert sorted({int(group[source[group == one]][0]) for one in range(4)}) == [0, 1, 2, 3]
        taken = source[group == 1]  # of a group of four, its first and third
        assert taken.tolist() in ([0, 0], [1, 2], [3, 4], [5, 7])


def test_what_a_column_does_not_know_it_never_knows() -> None:
    known = np.stack([np.ones(12, np.bool_), np.arange(12) < 5], 1)
    group = np.array([0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 9])
    for source in exchanges(group, known, 1, 30):
        assert np.array_equal(known[source], known)
        assert source[4:6].tolist() == [4, 5]  # the only group of its kind


def test_groups_are_joined() -> None:
    first, second = np.array([0, 0, 1, 2, 3]), np.array([7, 5, 5, 3, 3])
    assert joined(first, second).tolist() == [0, 0, 0, 1, 1]
    assert joined(second, first).tolist() == [0, 0, 0, 1, 1]


@thorough_beyond(1)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_chance_is_found_as_often_as_chance(situation: str) -> None:
    """Share of p ≤ 0.05 within three standard errors of 5 %; seeds with any q ≤ 0.05 no more than that."""
    seeds = 30
    p, any_q = calibration(SITUATIONS[situation], seeds, 60)
    # Units of one seed share its labels: so many are not as many as if they did not.
    assert abs(p - 0.05) <= 3 * (0.05 * 0.95 / (seeds * 10)) ** 0.5
    assert any_q <= 0.05 + 3 * (0.05 * 0.95 / seeds) ** 0.5


def test_frames_taken_for_images_would_be_found_too_often() -> None:
    """The test above can fail: the same frames, each for itself."""

    def apart(rng: np.random.Generator) -> LabelledUnits:
        found = SITUATIONS["frames of films"](rng)
        return asked(found.responses, found.shows)

    p, _ = calibration(apart, 10, 60)
    assert p > 0.1


def test_units_at_a_time_and_sparse_labels_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    known = np.stack([np.ones(90, np.bool_), rng.random(90) < 0.6, rng.random(90) < 0.6], 1)
    column = np.array([0, 0, 1, 1, 2])
    shows = (rng.random((90, 5)) < 0.35) & known[:, column]
    responses = np.maximum(rng.normal(size=(90, 7)), 0).astype(np.float32)
    responses[:, 3] = 1.0
    group = np.sort(rng.integers(0, 40, 90))
    units = LabelledUnits(responses, shows, column, known, group)
    told: list[list[int]] = [[], []]
    whole = label_evidence(units, 2, 25, told[0].append)
    monkeypatch.setattr("interpret_core.measures.image_labels.separation.ENTRIES", 11)
    sparse = replace(units, shows=csr_array(shows))
    one_by_one = label_evidence(sparse, 2, 25, told[1].append, room=1)
    for name, values in vars(whole).items():
        assert np.array_equal(values, getattr(one_by_one, name), equal_nan=True), name
    assert list(map(sum, told)) == [25, 25]
