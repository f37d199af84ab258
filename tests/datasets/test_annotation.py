from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interpret_core.datasets import Dataset, open_dataset
from interpret_core.errors import DamagedFileError
from tests.planted_dataset import Planted, display, save_mask, write_tables

LABELS = (
    (1, "cat", ("object", "part")),
    (2, "leg", ("part",)),
    (300, "sky", ("object",)),
    (301, "hill", ("scene",)),
)
BASE = {"image": "a.png", "ih": 4, "iw": 4, "sh": 2, "sw": 2}


def make(root: Path, maps: dict[str, list[list[list[int]] | int]]) -> Dataset:
    """A data set of one (absent) image with these maps or numbers."""
    row: dict[str, object] = dict(BASE)
    for category, items in maps.items():
        cell = []
        for k, item in enumerate(items):
            if isinstance(item, int):
                cell.append(str(item))
                continue
            cell.append(f"{category}{k}.png")
            save_mask(root / "images" / cell[-1], np.array(item, dtype=np.uint16))
        row[category] = ";".join(cell)
    write_tables(root, [row], LABELS)
    return open_dataset(root)


def test_concepts_are_labels_within_categories(tmp_path: Path) -> None:
    table = make(tmp_path, {}).concepts(["part", "object", "scene"])
    assert table.categories == ("part", "object", "scene")
    assert [(c.category, c.number) for c in table.concepts] == [
        ("part", 1), ("part", 2), ("object", 1), ("object", 300), ("scene", 301),
    ]  # fmt: skip
    assert table.category_of.tolist() == [0, 0, 1, 1, 2]
    assert len(table) == 5


def test_maps_become_concept_indices(tmp_path: Path) -> None:
    dataset = make(tmp_path, {"object": [[[0, 1], [300, 0]]], "part": [[[1, 2], [0, 0]]]})
    table = dataset.concepts()  # object: cat 1, sky 2; part: cat 3, leg 4
    found = dataset.read_annotation(0, table)
    assert found.dtype == np.uint16
    assert found.tolist() == [[[0, 1], [2, 0]], [[3, 4], [0, 0]]]
    assert dataset.planes(table) == 2


def test_a_concept_in_several_maps_counts_a_pixel_once(tmp_path: Path) -> None:
    dataset = make(tmp_path, {"part": [[[1, 1], [2, 0]], [[1, 2], [2, 1]], [[2, 2], [1, 1]]]})
    found = dataset.read_annotation(0, dataset.concepts(["part"]))
    assert found.tolist() == [[[1, 1], [2, 0]], [[0, 2], [0, 1]], [[2, 0], [1, 0]]]


def test_numbers_label_the_whole_image(tmp_path: Path) -> None:
    dataset = make(tmp_path, {"scene": [301], "part": [2, [[1, 2], [0, 0]]]})
    found = dataset.read_annotation(0, dataset.concepts(["part", "scene"]))  # cat 1, leg 2, hill 3
    assert found.tolist() == [[[2, 2], [2, 2]], [[1, 0], [0, 0]], [[3, 3], [3, 3]]]


def test_an_image_without_maps_has_no_plane(tmp_path: Path) -> None:
    dataset = make(tmp_path, {})
    assert dataset.read_annotation(0, dataset.concepts()).shape == (0, 2, 2)
    assert dataset.planes(dataset.concepts()) == 1


def test_a_number_of_another_category_is_unlabelled_and_counted(tmp_path: Path) -> None:
    dataset = make(tmp_path, {"object": [[[2, 2], [1, 301]]]})
    planes, unlisted = dataset.read_planes(0, dataset.concepts())
    assert planes.tolist() == [[[0, 0], [1, 0]]]
    assert unlisted == {("object", 2): 2, ("object", 301): 1}
    whole = make(tmp_path / "whole", {"scene": [1, 301]})
    planes, unlisted = whole.read_planes(0, whole.concepts(["scene"]))
    assert planes.tolist() == [[[0, 0], [0, 0]], [[1, 1], [1, 1]]]
    assert unlisted == {("scene", 1): 4}


def test_a_label_without_any_category_is_void_and_not_unlisted(tmp_path: Path) -> None:
    make(tmp_path, {"object": [[[1, 300], [301, 301]]]})
    write_tables(tmp_path, [BASE | {"object": "object0.png"}], [*LABELS[:3], (301, "void", ())])
    dataset = open_dataset(tmp_path)
    planes, unlisted = dataset.read_planes(0, dataset.concepts())
    assert planes.tolist() == [[[1, 2], [0, 0]]]
    assert not unlisted


@pytest.mark.parametrize("number", [9, 65535])
def test_an_unknown_number_is_damage(tmp_path: Path, number: int) -> None:
    dataset = make(tmp_path, {"object": [[[1, number], [0, 0]]]})
    with pytest.raises(
        DamagedFileError,
        match=rf"object0\.png, read as R .*, has label number {number}, .*label\.csv \(1 … 301\)",
    ):
        dataset.read_annotation(0, dataset.concepts())


@pytest.mark.parametrize("number", [9, 65535, 123456789012])
def test_an_unknown_number_in_the_index_is_damage(tmp_path: Path, number: int) -> None:
    dataset = make(tmp_path, {"scene": [number]})
    with pytest.raises(DamagedFileError, match=r"row of a\.png has label number"):
        dataset.read_annotation(0, dataset.concepts(["scene"]))


def test_a_mask_of_the_wrong_size_is_damage(tmp_path: Path) -> None:
    dataset = make(tmp_path, {"object": [[[1, 1, 1], [0, 0, 0]]]})
    with pytest.raises(DamagedFileError, match="is 2×3 pixels, expected 2×2"):
        dataset.read_annotation(0, dataset.concepts())


def test_alternating_tables_do_not_mix(tmp_path: Path) -> None:
    dataset = make(tmp_path, {"object": [[[0, 1], [300, 0]]], "part": [[[1, 2], [0, 0]]]})
    both, part = dataset.concepts(), dataset.concepts(["part"])
    for _ in range(2):
        assert dataset.read_annotation(0, both)[1].tolist() == [[3, 4], [0, 0]]
        assert dataset.read_annotation(0, part)[0].tolist() == [[1, 2], [0, 0]]


masks = st.lists(
    st.lists(st.lists(st.sampled_from([0, 1, 2]), min_size=2, max_size=2), min_size=2, max_size=2),
    min_size=1,
    max_size=4,
)


@given(masks)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_duplicates_as_a_literal_loop_counts_them(tmp_path: Path, maps: list[list[list[int]]]) -> None:
    dataset = make(tmp_path, {"part": list(maps)})
    found = dataset.read_annotation(0, dataset.concepts(["part"]))
    for y in range(2):
        for x in range(2):
            seen: set[int] = set()
            for plane, mask in zip(found, maps, strict=True):
                number = mask[y][x]
                assert plane[y, x] == (0 if number in seen else number)  # cat is concept 1, leg concept 2
                seen.add(number)


def test_every_planted_scene_reads_back(planted: Planted, dataset: Dataset) -> None:
    table = dataset.concepts(["object", "part", "material", "color", "scene"])
    for i, scene in enumerate(planted.scenes):
        found = dataset.read_annotation(i, table)
        for index, concept in enumerate(table.concepts):
            planes = scene[concept.category]
            number = planted.numbers[display(concept.name)]
            wanted = (
                np.any([plane == number for plane in planes], axis=0) if planes else np.zeros((32, 32), bool)
            )
            np.testing.assert_array_equal((found == index + 1).sum(axis=0), wanted)


def test_a_data_set_travels_to_another_process(planted: Planted, dataset: Dataset) -> None:
    table = dataset.concepts()
    again = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(again.read_annotation(1, table), dataset.read_annotation(1, table))
    assert pickle.loads(pickle.dumps(table)) == table
