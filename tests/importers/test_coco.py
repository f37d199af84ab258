"""COCO's files: panoptic PNGs, polygons, run-length codes, against COCO's own tools; its JSON as a stream."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as tools
from pycocotools.coco import COCO

from interpret_core import datasets
from interpret_core.errors import Cancelled, DatasetError
from interpret_core.importers import ImportSettings, run_import
from interpret_core.importers.coco.codes import NoMaskError, counts_of, drawn, filled
from interpret_core.importers.coco.streams import visit_arrays
from interpret_core.importers.formats.coco_instances import CocoInstances
from interpret_core.importers.formats.coco_panoptic import CocoPanoptic
from tests.importers.sources import (
    GRID,
    SIZES,
    blocks,
    imported,
    number_png,
    on_grid,
    photograph,
    read,
    save,
    write_json,
    write_panoptic,
)

# pycocotools' own arrays, under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
REAL = Path(os.environ.get("INTERPRET_REAL_DATA", "nowhere")) / "coco_broden"


def test_panoptic(tmp_path: Path) -> None:
    planes = write_panoptic(tmp_path / "coco")
    found = imported(CocoPanoptic(str(tmp_path / "coco")), tmp_path / "out")
    assert (found.pictures, found.labels, found.left_out) == (4, 3, ())
    data = read(tmp_path / "out")
    assert data.names == {1: "person", 18: "dog", 187: "sky-other-merged"}
    for stem, plane in planes.items():
        assert np.array_equal(data.of(f"{stem}.jpg")["object"], [on_grid(plane)])
    assert {one.split for one in data.dataset.records} == {"val"}


def test_panoptic_stuff_apart_and_without_crowds(tmp_path: Path) -> None:
    planes = write_panoptic(tmp_path / "coco")
    asked = CocoPanoptic(str(tmp_path / "coco"), stuff="stuff", without_crowds=True)
    imported(asked, tmp_path / "out")
    data = read(tmp_path / "out")
    for stem, plane in planes.items():
        kept = plane.copy()
        kept[:, plane.shape[1] // 2 :] = 0  # the crowds
        maps = data.of(f"{stem}.jpg")
        things, stuff = on_grid(np.where(kept < 100, kept, 0)), on_grid(np.where(kept > 100, kept, 0))
        assert np.array_equal(maps.get("object", [np.zeros(GRID)]), [things])
        assert np.array_equal(maps.get("stuff", [np.zeros(GRID)]), [stuff])


def test_panoptic_ids_beyond_a_number_are_renumbered(tmp_path: Path) -> None:
    save(tmp_path / "val/a.jpg", photograph((32, 32), 0))
    plane = blocks((32, 32), (0, 5, 6), 0)
    number_png(tmp_path / "panoptic_val/a.png", plane)
    segments = [{"id": 5, "category_id": 0}, {"id": 6, "category_id": 900_000}]
    image = {"id": "x", "file_name": "a.jpg", "height": 32, "width": 32}
    path = write_json(
        tmp_path / "panoptic_val.json",
        [image],
        [{"image_id": "x", "file_name": "a.png", "segments_info": segments}],
        [{"id": 900_000, "name": "b"}, {"id": 0, "name": "a"}],
    )
    imported(CocoPanoptic(str(path)), tmp_path / "out")
    data = read(tmp_path / "out")
    assert data.names == {1: "a", 2: "b"}
    assert np.array_equal(
        data.of("a.jpg")["object"], [on_grid(np.select([plane == 5, plane == 6], [1, 2], 0))]
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda one: one["segments_info"].pop(), "which segments_info does not list"),
        (lambda one: one["segments_info"].append(one["segments_info"][0]), "twice, expected once"),
        (lambda one: one["segments_info"][0].update(category_id=9), "has category_id 9"),
        (lambda one: one.pop("segments_info"), "has no segments_info"),
        (lambda one: one.update(file_name="gone.png"), "is missing"),
        (lambda one: one.update(image_id=101), "has 0 annotations of 000000000000.jpg"),
    ],
)
def test_panoptic_contradictions_leave_one_picture_out(tmp_path: Path, change, told: str) -> None:
    write_panoptic(tmp_path / "coco")
    path = tmp_path / "coco/annotations/panoptic_val2017.json"
    content = json.loads(path.read_text())
    change(next(one for one in content["annotations"] if one["image_id"] == 100))
    path.write_text(json.dumps(content))
    found = imported(CocoPanoptic(str(tmp_path / "coco")), tmp_path / "out")
    assert found.left_out[0][0].endswith("000000000000.jpg")
    assert told in found.left_out[0][1]


def instances(root: Path) -> Path:
    """Polygons, a hole-less union of two, overlapping categories, a crowd in both run-length codes."""
    images, annotations = [], []
    for place, size in enumerate(SIZES):
        height, width = size
        random = np.random.default_rng(place)
        save(root / "train2017" / f"{place}.jpg", photograph(size, place))
        images.append({"id": place, "file_name": f"{place}.jpg", "height": height, "width": width})
        for category in (1, 18, 187, 1):
            polygons = [
                (random.random((7, 2)) * (width, height)).round(2).reshape(-1).tolist() for _ in range(2)
            ]
            annotations.append(
                {"image_id": place, "category_id": category, "iscrowd": 0, "segmentation": polygons}
            )
        crowd = np.asfortranarray(blocks(size, (0, 1), place).astype(np.uint8))
        code = tools.encode(crowd)
        code["counts"] = code["counts"].decode()
        annotations.append({"image_id": place, "category_id": 18, "iscrowd": 1, "segmentation": code})
        flat = crowd.reshape(-1, order="F")
        edges = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff([0, *edges, flat.size]).tolist()
        counts = counts if flat[0] == 0 else [0, *counts]
        listed = {"size": list(size), "counts": counts}
        annotations.append({"image_id": place, "category_id": 187, "iscrowd": 1, "segmentation": listed})
    for number, one in enumerate(annotations):
        one.update(id=number, bbox=[0, 0, 1, 1], area=1.0)
    order = np.random.default_rng(5).permutation(len(annotations))
    return write_json(
        root / "annotations/instances_train2017.json", images, [annotations[at] for at in order]
    )


def test_instances_are_those_that_pycocotools_reads(tmp_path: Path) -> None:
    path = instances(tmp_path / "coco")
    found = imported(CocoInstances(str(tmp_path / "coco")), tmp_path / "out")
    assert (found.pictures, found.left_out) == (4, ())
    coco, data = COCO(str(path)), read(tmp_path / "out")
    several = 0
    for place, size in enumerate(SIZES):
        maps = data.of(f"/{place}.jpg")["object"]
        several = max(several, len(maps))
        for category in (1, 18, 187):
            own = coco.loadAnns(coco.getAnnIds(imgIds=[place], catIds=[category]))
            wanted = np.any([coco.annToMask(one) for one in own], axis=0)
            assert wanted.shape == size
            assert np.array_equal(np.any([one == category for one in maps], axis=0), on_grid(wanted))
    assert several > 1, "objects overlap"


def test_instances_without_crowds(tmp_path: Path) -> None:
    path = instances(tmp_path / "coco")
    imported(CocoInstances(str(path), without_crowds=True), tmp_path / "out")
    coco, data = COCO(str(path)), read(tmp_path / "out")
    own = coco.loadAnns(coco.getAnnIds(imgIds=[1], catIds=[187], iscrowd=False))
    wanted = np.any([coco.annToMask(one) for one in own], axis=0)
    assert np.array_equal(
        np.any([one == 187 for one in data.of("/1.jpg")["object"]], axis=0), on_grid(wanted)
    )


corner = st.tuples(st.floats(-8, 40, allow_nan=False, width=32), st.floats(-8, 40, allow_nan=False, width=32))


@pytest.mark.thorough
@settings(max_examples=300, deadline=None)
@given(st.lists(corner, min_size=3, max_size=9), st.integers(1, 33), st.integers(1, 33))
def test_polygons_are_filled_as_coco_fills_them(corners, height: int, width: int) -> None:
    points = np.array(corners, np.float64)
    code = tools.merge(tools.frPyObjects([points.reshape(-1).tolist()], height, width))
    assert np.array_equal(filled(points, (height, width)), tools.decode(code).astype(bool))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 99))
def test_codes_are_those_of_coco(height: int, width: int, share: float, seed: int) -> None:
    mask = (np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8)
    code = tools.encode(np.asfortranarray(mask))
    text = {"size": [height, width], "counts": code["counts"].decode()}
    assert np.array_equal(drawn(text, (height, width)), mask.astype(bool))


@pytest.mark.parametrize(
    ("segmentation", "told"),
    [
        (None, "has no segmentation"),
        ([], "has no segmentation"),
        ([[1, 2, 3]], "at least three pairs"),
        ([[1, 2, 3, 4, 5, "6"]], "at least three pairs"),
        ([[1, 2, 3, 4, 5, float("nan")]], "far outside"),
        ([[1, 2, 3, 4, 5, 1e12]], "far outside"),
        ({"size": [4, 5], "counts": [20]}, "of size"),
        ({"size": [5, 4], "counts": [21]}, "of 21 pixels, expected 20"),
        ({"size": [5, 4], "counts": [-1, 21]}, "no whole numbers"),
        ({"size": [5, 4], "counts": "é"}, "no such code"),
        ({"size": [5, 4], "counts": "Pa"}, "within a number"),
        ({"size": [5, 4], "counts": [10**18]}, "pixels, expected 20"),
    ],
)
def test_segmentations_that_are_none(segmentation, told: str) -> None:
    with pytest.raises(NoMaskError, match=told):
        drawn(segmentation, (5, 4))


def test_an_empty_code_is_nothing():
    assert counts_of("") == []


@pytest.mark.thorough
@given(
    st.dictionaries(
        st.sampled_from(["images", "annotations", "other", 'x"y']),
        st.lists(
            st.recursive(st.integers() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=5)
        ),
    ),
    st.integers(0, 3),
)
@settings(max_examples=100, deadline=None)
def test_a_stream_gives_what_json_gives(tmp_path_factory, content, indent: int) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(json.dumps(content, indent=indent or None), encoding="utf-8")
    found: dict[str, list[object]] = {"images": [], "annotations": []}
    visits = {key: lambda place, one, own=own: own.append(one) for key, own in found.items()}
    there = visit_arrays(path, visits, lambda _: None)
    assert there == set(content) & set(found)
    assert found == {key: content.get(key, []) for key in found}


def test_a_stream_across_the_ends_of_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpret_core.importers.coco.streams._BLOCK", 1)
    numbers = [10**n for n in range(12)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"images": numbers, "n": 12345, "t": "a\\b\u2028"}))
    found: list[int] = []
    visit_arrays(path, {"images": lambda _, one: found.append(one)}, lambda _: None)
    assert found == numbers


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "ends too early"),
        ("[]", "has '\\['"),
        ('{"images": {}}', "has no list as 'images'"),
        ('{"images": [1 2]}', "and not , or \\]"),
        ('{"images": [1, ', "is broken"),
        ('{"images": [1]', "ends too early"),
        ('{"images": []} x', "goes on behind its end"),
        ('{"images": [], "images": []}', "has 'images' twice"),
        ('{"images": [' + "1" * 5000 + "]}", "is broken"),
        ('{"images": ' + "[" * 200_000, "nested too deeply|is broken"),
        ("{1: []}", "as a key|is broken"),
    ],
)
def test_broken_json(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DatasetError, match=told):
        visit_arrays(path, {"images": lambda _place, _one: None}, lambda _: None)


@pytest.mark.thorough
@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="INTERPRET_REAL_DATA does not name the real photographs")
def test_real_label_maps_come_back_from_panoptic_files(tmp_path: Path) -> None:
    """The object maps of real photographs, one segment for each label and half of a picture."""
    real = datasets.open_dataset(REAL)
    table = real.concepts(["object"])
    numbers = np.array([0, *(one.number for one in table.concepts)])
    images, annotations, wanted = [], [], {}
    for index, record in enumerate(real.records):
        planes = numbers[real.read_annotation(index, table)]
        assert len(planes) == 1
        wanted[record.image] = plane = planes[0]
        height, width = record.size or (0, 0)
        full = np.asarray(
            Image.fromarray(plane.astype(np.int32)).resize((width, height), Image.Resampling.NEAREST)
        )
        ids = np.where(full > 0, full.astype(np.int64) * 40_000 + 7, 0)
        number_png(tmp_path / "panoptic_real" / f"{index}.png", ids)
        segments = [
            {"id": int(one), "category_id": int(one) // 40_000, "iscrowd": 0} for one in np.unique(ids) if one
        ]
        images.append({"id": index, "file_name": record.image, "height": height, "width": width})
        annotations.append({"image_id": index, "file_name": f"{index}.png", "segments_info": segments})
    categories = [{"id": one.number, "name": one.name, "isthing": one.number % 2} for one in table.concepts]
    path = write_json(tmp_path / "panoptic_real.json", images, annotations, categories)
    asked = CocoPanoptic(str(path), pictures=str(REAL / "images"))
    found = imported(asked, tmp_path / "out", grid=real.annotation_size)
    assert (found.pictures, found.labels, found.lost) == (len(real), len(table), 0)
    data = read(tmp_path / "out")
    for image, plane in wanted.items():
        own = data.of(image).get("object", [np.zeros_like(plane)])
        assert np.array_equal(own, [plane])


@pytest.mark.parametrize("broken", ["", '{"images": [], "annotations": []}', "stopped"])
def test_databases_are_closed_whatever_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """Also those of a JSON that is sound, beside one that is not."""
    write_panoptic(tmp_path / "coco")
    if broken.startswith("{"):
        (tmp_path / "coco/annotations/panoptic_zzz.json").write_text(broken)
        for name in ("zzz", "annotations/panoptic_zzz"):
            (tmp_path / "coco" / name).mkdir()
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: opened.append(connect(*a, **k)) or opened[-1])
    settings = ImportSettings(tmp_path / "out", GRID)
    seen: list[str] = []
    try:
        run_import(
            CocoPanoptic(str(tmp_path / "coco")), settings, lambda stage, *_: seen.append(stage),
            lambda: broken == "stopped" and seen[-1] == "import",
        )  # fmt: skip
        ended = ""
    except (DatasetError, Cancelled) as error:
        ended = str(error)
    assert bool(ended) is bool(broken)
    assert len(opened) == (2 if broken.startswith("{") else 1)
    for one in opened:
        with pytest.raises(sqlite3.ProgrammingError, match=r"closed database"):
            one.execute("SELECT 1")


def test_names_that_are_composed_part_by_part(tmp_path: Path) -> None:
    """A folder's name as two signs and a file's as one, and both within one name."""
    written = ["Stra\u00dfe/e\u0301te\u0301.jpg", "\u00e9t\u00e9/e\u0301t\u00e9.jpg"]
    on_disk = ["Stra\u00dfe/\u00e9te\u0301.jpg", "e\u0301te\u0301/\u00e9te\u0301.jpg"]
    images, annotations = [], []
    for place, (name, disk) in enumerate(zip(written, on_disk, strict=True), 1):
        save(tmp_path / "coco/val" / disk, photograph((8, 8), place))
        number_png(tmp_path / f"coco/panoptic_val/{disk[:-4]}.png", np.ones((8, 8), np.int64))
        images.append({"id": place, "file_name": name, "height": 8, "width": 8})
        segments = [{"id": 1, "category_id": 1}]
        annotations.append({"image_id": place, "file_name": f"{name[:-4]}.png", "segments_info": segments})
    path = write_json(tmp_path / "coco/panoptic_val.json", images, annotations)
    found = imported(CocoPanoptic(str(path)), tmp_path / "out")
    assert (found.pictures, found.left_out) == (2, ())
