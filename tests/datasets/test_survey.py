from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from interpret_core.datasets import Dataset, Survey, open_dataset, survey
from interpret_core.errors import Cancelled, DamagedFileError, DatasetError
from tests.planted_dataset import Planted, make_planted, save_mask

ALL = ("object", "part", "material", "color", "scene")


def same(one: Survey, other: Survey) -> None:
    arrays, metadata = one.to_record()
    others, other_metadata = other.to_record()
    assert metadata == other_metadata
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        assert array.dtype == others[name].dtype
        np.testing.assert_array_equal(array, others[name])


def test_counts_are_the_planted_ones(planted: Planted, dataset: Dataset) -> None:
    table = dataset.concepts(ALL)
    found = survey(dataset, table)
    assert found.valid.all()
    assert found.problems == ()
    assert found.unlisted_pixels == 0
    assert "unlisted" not in found.to_record()[1], "the record of what has none is as it always was"
    assert found.maps == 6
    for index, concept in enumerate(table.concepts):
        number = planted.numbers[concept.name]
        images = [any((p == number).any() for p in scene[concept.category]) for scene in planted.scenes]
        assert found.concept_pixels[index] == planted.pixels(concept.category, concept.name)
        assert found.concept_images[index] == sum(images)
    part = table.categories.index("part")
    assert tuple(np.flatnonzero(~found.category_member[:, part])) == planted.without_part
    assert found.category_images.tolist() == [12, 9, 12, 12, 12]


def test_the_caffe_size_of_227_and_113(tmp_path: Path) -> None:
    planted = make_planted(tmp_path / "p", images=2, size=227, annotation=113)
    dataset = open_dataset(planted.root)
    assert dataset.annotation_size == (113, 113)
    table = dataset.concepts()
    found = survey(dataset, table)
    wanted = [planted.pixels(concept.category, concept.name) for concept in table.concepts]
    assert found.concept_pixels.tolist() == wanted
    assert found.shade_pixels.sum() == 2 * 113 * 113


def test_grids_need_not_be_square(tmp_path: Path) -> None:
    planted = make_planted(tmp_path / "p", images=1, size=(40, 64), annotation=(20, 32))
    dataset = open_dataset(planted.root)
    assert dataset.annotation_size == (20, 32)
    assert dataset.read_image(0).shape == (40, 64, 3)
    assert dataset.read_annotation(0, dataset.concepts()).shape == (5, 20, 32)


def test_a_labelled_background_alone_does_not_make_a_member(tmp_path: Path) -> None:
    planted = make_planted(tmp_path / "p", images=2, size=32, annotation=16)
    save_mask(planted.root / "images/planted/00000_object_0.png", np.zeros((16, 16), dtype=np.uint16))
    dataset = open_dataset(planted.root)
    found = survey(dataset, dataset.concepts())
    assert found.category_member[:, 0].tolist() == [False, True]


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_change_nothing(copy: Path, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(copy)
    dataset = open_dataset(copy)
    table = dataset.concepts()
    usual = survey(dataset, table)
    monkeypatch.setattr("interpret_core.datasets.statistics._CHUNK", 5)
    same(survey(dataset, table, workers=workers), usual)


def test_a_repeated_image_counts_every_time(tmp_path: Path) -> None:
    once = open_dataset(make_planted(tmp_path / "once", images=3, size=32, annotation=16).root)
    thrice = open_dataset(make_planted(tmp_path / "thrice", images=3, size=32, annotation=16, repeat=3).root)
    assert len(thrice) == 9
    a, b = survey(once, once.concepts()), survey(thrice, thrice.concepts())
    np.testing.assert_array_equal(b.concept_pixels, 3 * a.concept_pixels)
    np.testing.assert_array_equal(b.shade_pixels, 3 * a.shade_pixels)
    assert b.shades.names == a.shades.names


def test_the_record_survives_json(dataset: Dataset) -> None:
    found = survey(dataset, dataset.concepts())
    arrays, metadata = found.to_record()
    again = Survey.from_record({k: v.copy() for k, v in arrays.items()}, json.loads(json.dumps(metadata)))
    same(found, again)


def damage(root: Path) -> None:
    images = root / "images" / "planted"
    (images / "00001.png").unlink()
    mask = images / "00004_part_1.png"
    mask.write_bytes(mask.read_bytes()[:-40])
    save_mask(images / "00006_object_0.png", np.ones((31, 32), dtype=np.uint16))
    save_mask(images / "00009_material_0.png", np.full((32, 32), 999, dtype=np.uint16))


def test_damaged_images_are_named_and_count_nowhere(planted: Planted, copy: Path) -> None:
    damage(copy)
    dataset = open_dataset(copy)
    table = dataset.concepts()
    found = survey(dataset, table)
    assert np.flatnonzero(~found.valid).tolist() == [1, 4, 6, 9]
    assert [(p.index, p.image) for p in found.problems] == [(i, f"planted/{i:05d}.png") for i in (1, 4, 6, 9)]
    for problem, words in zip(
        found.problems,
        [
            "00001.png is missing",
            "00004_part_1.png cannot",
            "00006_object_0.png is 31×32",
            "label number 999",
        ],
        strict=True,
    ):
        assert words in problem.reason
    assert not found.category_member[~found.valid].any()
    good = [scene for i, scene in enumerate(planted.scenes) if i not in (1, 4, 6, 9)]
    red = sum(int((scene["object"][0] == planted.numbers["red square"]).sum()) for scene in good)
    assert found.concept_pixels[0] == red
    assert found.shade_pixels.sum() == 8 * 32 * 32


def test_what_is_wrong_does_not_depend_on_the_place(copy: Path, tmp_path: Path) -> None:
    """Equal data sets have equal surveys, and a copy names no folder that is gone."""
    damage(copy)
    first = survey(open_dataset(copy), open_dataset(copy).concepts())
    moved = open_dataset(copy.rename(tmp_path / "another place"))
    same(survey(moved, moved.concepts()), first)
    reasons = [problem.reason for problem in first.problems]
    assert reasons[0].startswith("image images/planted/00001.png is missing: ")
    assert reasons[1].startswith("mask images/planted/00004_part_1.png cannot be decoded")
    assert str(tmp_path) not in "".join(reasons)


def test_masks_of_other_categories_are_not_read(copy: Path) -> None:
    damage(copy)
    dataset = open_dataset(copy)
    assert np.flatnonzero(~survey(dataset, dataset.concepts(["color"])).valid).tolist() == [1]


def test_nothing_readable(copy: Path) -> None:
    for path in (copy / "images").rglob("*.png"):
        path.write_bytes(b"")
    dataset = open_dataset(copy)
    with pytest.raises(
        DatasetError, match=r"None of the 12 images of .* can be read, .*00000\.png cannot"
    ) as caught:
        survey(dataset, dataset.concepts())
    assert not isinstance(caught.value, DamagedFileError)


def test_unlisted_labels_are_counted(copy: Path) -> None:
    save_mask(copy / "images/planted/00000_object_0.png", np.full((32, 32), 6, dtype=np.uint16))  # a material
    dataset = open_dataset(copy)
    found = survey(dataset, dataset.concepts())
    assert found.unlisted_pixels == 32 * 32
    assert found.unlisted == (("object", 6, 32 * 32),)
    same(Survey.from_record(*found.to_record()), found)
    assert not found.category_member[0, 0]


def test_progress_and_cancel(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpret_core.datasets.statistics._CHUNK", 5)
    seen: list[tuple[int, int]] = []
    survey(dataset, dataset.concepts(), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(5, 12), (10, 12), (12, 12)]
    with pytest.raises(Cancelled):
        survey(dataset, dataset.concepts(), cancelled=lambda: True)
