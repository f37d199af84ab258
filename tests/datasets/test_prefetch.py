from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from interpret_core.datasets import Dataset, open_dataset, prefetch, survey
from interpret_core.datasets.pictures import shrink
from interpret_core.errors import DamagedFileError

BATCHES = [[0, 1, 2], [5], [11, 3], [0, 0], []]


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("prefetch")]


@pytest.mark.parametrize(("workers", "lookahead"), [(1, 0), (1, 1), (3, 2), (2, 50)])
def test_batches_come_complete_and_in_order(dataset: Dataset, workers: int, lookahead: int) -> None:
    table = dataset.concepts()
    found = list(prefetch(dataset, BATCHES, table, workers=workers, lookahead=lookahead, colours=True))
    assert [batch.indices.tolist() for batch in found] == BATCHES
    depth = dataset.planes(table)
    for batch in found:
        n = len(batch.indices)
        assert batch.valid.tolist() == [True] * n
        assert batch.labels is not None
        assert batch.colours is not None
        assert batch.labels.shape == (n, depth, 32 * 32)
        assert batch.labels.dtype == np.uint16
        assert batch.colours.shape == (n, 32 * 32, 3)
        for slot, i in enumerate(batch.indices):
            image = dataset.read_image(int(i))
            np.testing.assert_array_equal(batch.images[slot], image)
            np.testing.assert_array_equal(batch.colours[slot], shrink(image, (32, 32)).reshape(-1, 3))
            planes = dataset.read_annotation(int(i), table)
            np.testing.assert_array_equal(batch.labels[slot, : len(planes)], planes.reshape(len(planes), -1))
            assert not batch.labels[slot, len(planes) :].any()
    assert not threads()


def test_only_what_is_asked_for(dataset: Dataset) -> None:
    (batch,) = prefetch(dataset, [[0]])
    assert batch.labels is None
    assert batch.colours is None


def test_an_image_without_a_part_map_is_padded(dataset: Dataset) -> None:
    table = dataset.concepts(["part"])
    (batch,) = prefetch(dataset, [[2, 3]], table)
    assert batch.labels is not None
    assert batch.labels.shape == (2, 2, 1024)
    assert batch.labels[0].any()
    assert not batch.labels[1].any()


def test_a_skipped_image_keeps_its_slot(copy: Path) -> None:
    (copy / "images/planted/00001.png").write_bytes(b"broken")
    (copy / "images/planted/00002_part_0.png").unlink()
    dataset = open_dataset(copy)
    table = dataset.concepts()
    for known in (None, survey(dataset, table)):
        (batch,) = prefetch(dataset, [[0, 1, 2, 3]], table, known, colours=True)
        assert batch.valid.tolist() == [True, False, False, True]
        assert batch.labels is not None
        assert batch.colours is not None
        for slot in (1, 2):
            assert batch.images[slot].shape == (64, 64, 3)
            assert not batch.images[slot].any()
            assert not batch.labels[slot].any()
            assert not batch.colours[slot].any()
        assert batch.images[3].any()


def test_damage_after_the_survey_is_an_error(copy: Path) -> None:
    dataset = open_dataset(copy)
    table = dataset.concepts()
    known = survey(dataset, table)
    (copy / "images/planted/00005.png").unlink()
    batches = prefetch(dataset, [[0], [4, 5], [6]], table, known)
    next(batches)
    with pytest.raises(DamagedFileError, match=r"00005\.png is missing"):
        next(batches)
    assert not threads()


def test_an_unknown_index_is_an_error(dataset: Dataset) -> None:
    with pytest.raises(IndexError):
        list(prefetch(dataset, [[99]]))
    assert not threads()


def test_closing_early_stops_the_threads(dataset: Dataset) -> None:
    batches = prefetch(dataset, [[0, 1]] * 50, workers=2)
    next(batches)
    batches.close()
    assert not threads()


def test_no_more_than_the_lookahead_is_decoded(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    plain = dataset.read_image

    def noted(i: int) -> np.ndarray:
        read.append(i)
        return plain(i)

    monkeypatch.setattr(dataset, "read_image", noted)
    batches = prefetch(dataset, [[i] for i in range(12)], workers=2, lookahead=2)
    next(batches)
    time.sleep(0.2)
    assert sorted(read) == [0, 1, 2]
    batches.close()
