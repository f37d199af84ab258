from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.wide_dataset import CATEGORIES, CONCEPTS, make_long
from interpret_core.datasets import DEFAULT_CATEGORIES, open_dataset
from interpret_core.datasets.contents import MISSING
from interpret_core.datasets.image_records import ImageRecords, KnownFiles
from interpret_core.datasets.tables import ImageRecord

ROWS = (
    ImageRecord("a.png", "train", (4, 5), {"object": ("a_1.png", "a_2.png"), "scene": (300,)}),
    ImageRecord('b, "c".png', "", None, {}),
    ImageRecord("half \udce9 a name.png", "val", (4, 5), {"part": ("p.png",)}),
)


def test_rows_come_back_as_they_were() -> None:
    kept = ImageRecords.of(iter(ROWS))
    assert tuple(kept) == ROWS
    assert (kept[-1], len(kept)) == (ROWS[2], 3)
    assert tuple(kept[1:]) == ROWS[1:]
    assert ImageRecords.of(kept) is kept
    with pytest.raises(IndexError):
        kept[3]


def test_maps_are_counted_without_rows() -> None:
    kept = ImageRecords.of(ROWS)
    found = {name: kept.maps(name).tolist() for name in ("object", "part", "scene", "texture")}
    assert found == {"object": [2, 0, 0], "part": [0, 0, 1], "scene": [1, 0, 0], "texture": [0, 0, 0]}
    assert kept[1:].maps("part").tolist() == [0, 1]


def test_every_file_has_its_own_digest() -> None:
    kept = ImageRecords.of(ROWS)
    names = ["a.png", "a_1.png", "a_2.png", 'b, "c".png', "half \udce9 a name.png", "p.png"]
    files = {f"images/{name}": bytes([number]) * 32 for number, name in enumerate(names)}
    files["images/a_2.png"] = MISSING
    known = KnownFiles.of(kept, files.__getitem__, "images/")
    rows = [0, 0, 0, 1, 2, 2]
    found = [known.of_file(kept[row], row, name) for row, name in zip(rows, names, strict=True)]
    assert found == [files[f"images/{name}"] for name in names]


def test_a_long_index_takes_few_bytes_an_image(tmp_path: Path) -> None:
    make_long(tmp_path / "long", 40)
    dataset = open_dataset(tmp_path / "long")
    assert dataset.digest
    assert dataset.planes(dataset.concepts()) == len(CATEGORIES)
    held = [*vars(dataset.records).values(), *vars(dataset._known).values()]
    tables = [*held, *vars(dataset.records)["_maps"].values()]
    taken = sum(one.nbytes if isinstance(one, np.ndarray) else sys.getsizeof(one) for one in tables)
    assert taken / len(dataset) < 600, "some 1,500 as objects, and 165 a file for digests"


def test_a_long_data_set_has_as_many_concepts_as_asked(tmp_path: Path) -> None:
    make_long(tmp_path / "long", 2)
    make_long(tmp_path / "longer", 3)
    table = open_dataset(tmp_path / "long").concepts(DEFAULT_CATEGORIES)
    assert len(table) == CONCEPTS == 1200
    pictures = [open_dataset(tmp_path / name).read_image(1) for name in ("long", "longer")]
    assert np.array_equal(*pictures)
