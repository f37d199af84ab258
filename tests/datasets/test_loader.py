from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from interpret_core.datasets import Dataset, Loader, open_dataset, survey
from interpret_core.datasets.pictures import shrink
from interpret_core.errors import DamagedFileError

BATCHES = [[0, 1, 2], [5], [11, 3], [0, 0], []]


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("loader")]


@pytest.mark.parametrize(("memory", "lookahead"), [(0, 0), (1 << 30, 1), (1 << 14, 2), (1 << 30, 50)])
def test_batches_come_complete_and_in_order(dataset: Dataset, memory: int, lookahead: int) -> None:
    table = dataset.concepts()
    loader = Loader(dataset, table, memory=memory)
    found = list(loader.batches(BATCHES, annotations=True, lookahead=lookahead))
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
    (batch,) = Loader(dataset, dataset.concepts()).batches([[0]])
    assert batch.labels is None
    assert batch.colours is None


def test_an_image_without_a_part_map_is_padded(dataset: Dataset) -> None:
    table = dataset.concepts(["part"])
    (batch,) = Loader(dataset, table).batches([[2, 3]], annotations=True)
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
        (batch,) = Loader(dataset, table, known).batches([[0, 1, 2, 3]], annotations=True)
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
    batches = Loader(dataset, table, known).batches([[0], [4, 5], [6]], annotations=True)
    next(batches)
    with pytest.raises(DamagedFileError, match=r"00005\.png is missing"):
        next(batches)
    assert not threads()


def test_an_unknown_index_is_an_error(dataset: Dataset) -> None:
    with pytest.raises(IndexError):
        list(Loader(dataset).batches([[99]]))
    assert not threads()


def test_closing_early_stops_the_threads(dataset: Dataset) -> None:
    batches = Loader(dataset).batches([[0, 1]] * 50)
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
    batches = Loader(dataset).batches([[i] for i in range(12)], lookahead=2)
    next(batches)
    time.sleep(0.2)
    assert sorted(read) == [0, 1, 2]
    batches.close()


@pytest.fixture
def reads(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Indices of the pictures that were decoded, in order."""
    found: list[int] = []
    plain = dataset.read_image

    def noted(i: int) -> np.ndarray:
        found.append(i)
        return plain(i)

    monkeypatch.setattr(dataset, "read_image", noted)
    return found


def test_what_fits_is_decoded_once(dataset: Dataset, reads: list[int]) -> None:
    loader = Loader(dataset, dataset.concepts())
    for both in (False, True, False):
        for batch in loader.batches([[0, 1], [2, 3]], annotations=both):
            assert batch.valid.all()
    assert sorted(reads) == [0, 1, 2, 3]


def test_what_does_not_fit_makes_room_for_what_is_used(dataset: Dataset, reads: list[int]) -> None:
    two = 2 * dataset.read_image(0).nbytes
    reads.clear()
    loader = Loader(dataset, memory=two)
    for index in (0, 1, 0, 2, 0, 1):
        loader.read(index)
    assert reads == [0, 1, 2, 1], "the picture used longest ago makes room"


def test_nobody_can_write_into_what_others_read(dataset: Dataset) -> None:
    found = Loader(dataset, dataset.concepts()).read(0, annotations=True)
    for array in (found.image, found.planes, found.colours):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_records_of_one_picture_keep_their_own_masks(copy: Path) -> None:
    text = (copy / "index.csv").read_text().splitlines()
    first, other = text[1].split(","), text[2].split(",")
    (copy / "index.csv").write_text("\n".join([*text, ",".join([first[0], *other[1:]])]) + "\n")
    dataset = open_dataset(copy)
    loader = Loader(dataset, dataset.concepts())
    one, again, last = (loader.read(i, annotations=True) for i in (0, 1, len(dataset) - 1))
    np.testing.assert_array_equal(last.image, one.image)
    np.testing.assert_array_equal(last.planes, again.planes)
    assert not np.array_equal(last.planes, one.planes)


def test_damage_is_told_beside_the_others(copy: Path) -> None:
    (copy / "images/planted/00001.png").write_bytes(b"broken")
    dataset = open_dataset(copy)
    found = list(Loader(dataset).ahead([0, 1, 2]))
    assert [bool(one.problem) for one in found] == [False, True, False]
    assert found[1].problem.startswith("image images/planted/00001.png cannot be decoded")
    assert not threads()


def test_pictures_are_warmed_while_others_work(dataset: Dataset, reads: list[int]) -> None:
    loader = Loader(dataset)
    with loader.warm([0, 1, 2]):
        end = time.monotonic() + 10
        while len(reads) < 3 and time.monotonic() < end:
            time.sleep(0.01)
    loader.read(2)
    assert sorted(reads) == [0, 1, 2]
    assert not threads()
    small = Loader(dataset, memory=10)
    with small.warm([3, 4, 5]):
        time.sleep(0.1)
    assert sorted(reads) == [0, 1, 2, 3], "what cannot be kept is not decoded for nothing"
