"""`datasets check`: each kind of mistake is planted, found and named; a sound data set has none."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core.datasets import open_dataset
from interpret_core.datasets.inspection import DatasetCheck, Finding, check_dataset
from interpret_core.datasets.inspection.patterns import Look, look_of
from interpret_core.errors import Cancelled
from tests.planted_classes import write_classes
from tests.planted_dataset import LABELS, Planted, make_planted, save_mask

MASK = "planted/00000_object_0.png"


@pytest.fixture
def own(tmp_path: Path) -> Planted:
    """Eight pictures of a test's own."""
    return make_planted(tmp_path / "own", images=8, size=64, annotation=32)


def check(root: Path) -> DatasetCheck:
    return check_dataset(open_dataset(root))


def finding(root: Path, kind: str) -> Finding:
    found = check(root)
    (one,) = [one for one in found.findings if one.kind == kind]
    assert one.remedy.endswith(".")
    assert "\n" not in one.what + one.remedy
    return one


def mask_of(root: Path, name: str = MASK) -> np.ndarray:
    with Image.open(root / "images" / name) as image:
        channels = np.asarray(image).astype(np.uint16)
    return channels[..., 0] + 256 * channels[..., 1]


def index(root: Path) -> list[dict[str, str]]:
    with (root / "index.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_index(root: Path, rows: list[dict[str, str]]) -> None:
    with (root / "index.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def change(root: Path, image: int, **cells: str) -> None:
    rows = index(root)
    rows[image].update(cells)
    write_index(root, rows)


def test_counts_are_the_planted_ones(own: Planted) -> None:
    found = check(own.root)
    assert (found.images, found.readable, found.findings) == (8, 8, [])
    counted = {(one.category, one.number): (one.images, one.pixels) for one in found.concepts}
    for number, name, categories in LABELS:
        name = name.removesuffix("-c").removesuffix("-s")
        for category in categories:
            images = sum(
                any((plane == number).any() for plane in scene.get(category, [])) for scene in own.scenes
            )
            assert counted[category, number] == (images, own.pixels(category, name))
    area = 8 * 32 * 32
    objects = sum(int((plane > 0).sum()) for scene in own.scenes for plane in scene["object"])
    shares = {one.category: one.unlabelled for one in found.categories}
    assert shares["object"] == pytest.approx(1 - objects / area)
    assert shares["scene"] == 0
    assert found.unlabelled == 0, "a scene labels every pixel"
    assert found.digest == open_dataset(own.root).digest


def test_json_holds_everything(own: Planted) -> None:
    import json

    found = check(own.root)
    told = json.loads(json.dumps(found.to_json()))
    assert len(told["concepts"]) == len(found.concepts)
    assert told["categories"][0] == {"category": "object", "images": 8, "unlabelled": pytest.approx(
        found.categories[0].unlabelled
    )}  # fmt: skip


def test_labels_that_are_one_too_high(own: Planted) -> None:
    """label.csv begins a number lower than the masks: 2 … 4 are written, 1 … 3 listed."""
    write_shifted(own.root, 1)
    one = finding(own.root, "off by one")
    assert "number 4" in one.what
    assert "never 1" in one.what


def test_labels_that_begin_at_zero(own: Planted) -> None:
    write_shifted(own.root, -1)
    one = finding(own.root, "off by one")
    assert "Number 3 (panel), the last of label.csv, is in no mask" in one.what


def write_shifted(root: Path, by: int) -> None:
    """A data set of objects alone, whose masks are shifted."""
    rows = [{**row, "part": "", "material": "", "color": "", "scene": ""} for row in index(root)]
    write_index(root, rows)
    (root / "label.csv").write_text(
        "number,name,category\n1,red square,object\n2,blue disc,object\n3,panel,object\n"
    )
    for row in rows:
        plane = mask_of(root, row["object"]).astype(np.int64)
        save_mask(root / "images" / row["object"], np.where(plane > 0, plane + by, 0).astype(np.uint16))


def test_numbers_that_nobody_lists(own: Planted) -> None:
    plane = mask_of(own.root)
    plane[0, 0], plane[0, 1] = 77, 255
    save_mask(own.root / "images" / MASK, plane)
    found = check(own.root)
    kinds = {one.kind: one for one in found.findings}
    assert kinds["not in label.csv"].examples == ("number 77 in 1 pictures",)
    assert "255,void," in kinds["void"].remedy
    assert "planted/00000_object_0.png" in kinds["cannot be read"].examples[0]
    assert str(own.root) not in "".join(kinds["cannot be read"].examples)
    assert found.readable == 7


def test_numbers_of_another_category(own: Planted) -> None:
    plane = mask_of(own.root)
    plane[:2] = 4  # a part
    save_mask(own.root / "images" / MASK, plane)
    one = finding(own.root, "other category")
    assert one.examples == ("4 left half in object: 64 pixels",)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_photograph_in_the_place_of_a_mask(own: Planted, suffix: str) -> None:
    name = f"planted/photograph{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(own.root / "images" / name)
    change(own.root, 2, object=name)
    assert finding(own.root, "photographs as masks").examples == (name,)


def test_a_mask_that_was_smoothed(own: Planted) -> None:
    """Every number is listed, so the reader takes it without a word."""
    numbers = range(1, 256)
    rows = [f"{number},thing {number},object" for number in numbers]
    (own.root / "label.csv").write_text("\n".join(["number,name,category", *rows]) + "\n")
    write_index(own.root, [
        {**row, "part": "", "material": "", "color": "", "scene": ""} for row in index(own.root)
    ])  # fmt: skip
    large = np.full((128, 128), 10, np.uint8)
    large[20:90, 30:100], large[70:120, 8:60] = 200, 90
    smoothed = Image.fromarray(large).resize((32, 32), Image.Resampling.BICUBIC)
    smoothed.save(own.root / "images/planted/smooth.png")
    change(own.root, 1, object="planted/smooth.png")
    assert finding(own.root, "smoothed edges").examples == ("planted/smooth.png",)


def test_looks_are_those_of_label_maps_however_small_their_regions() -> None:
    random = np.random.default_rng(0)
    for size in (8, 32, 112):
        for labels in (2, 5, 40):
            plane = random.integers(0, labels, (size // 8 + 1, size // 8 + 1)).repeat(8, 0).repeat(8, 1)
            assert look_of(plane[..., None].astype(np.int64)) is None
    stripes = random.permutation(64).repeat(2)[None].repeat(64, 0)
    assert look_of(stripes[..., None].astype(np.int64)) is None
    flat = np.zeros((4, 4, 1), np.int64)
    assert look_of(flat) is None
    assert look_of(random.integers(0, 256, (32, 32, 3))) is Look.PHOTOGRAPH


def test_smoothed_colours_are_told_too() -> None:
    large = np.zeros((120, 120, 3), np.uint8)
    large[20:80, 30:90], large[60:110, 70:110] = (64, 128, 200), (250, 0, 30)
    smoothed = np.asarray(Image.fromarray(large).resize((50, 50), Image.Resampling.BILINEAR))
    plain = np.asarray(Image.fromarray(large).resize((50, 50), Image.Resampling.NEAREST))
    assert look_of(smoothed.astype(np.int64)) is Look.SMOOTHED
    assert look_of(plain.astype(np.int64)) is None


def test_copies_leaks_and_contradictions(own: Planted) -> None:
    images = own.root / "images/planted"
    shutil.copy(images / "00000.png", images / "00004.png")  # train and val
    shutil.copy(images / "00001.png", images / "00002.png")
    found = {one.kind: one for one in check(own.root).findings}
    assert found["leakage"].examples == ("planted/00000.png = planted/00004.png",)
    assert found["duplicates"].count == 2
    assert "the masks of 2 of them differ" in found["duplicates"].what
    names = [row["image"] for row in index(own.root)]
    classes = {name: "cat" if place % 2 else "dog" for place, name in enumerate(names)}
    write_classes(own.root, list(classes.items()))
    assert finding(own.root, "contradictory classes").examples == ("planted/00001.png = planted/00002.png",)


def test_a_row_that_is_there_twice(own: Planted) -> None:
    rows = index(own.root)
    write_index(own.root, [*rows, rows[0]])
    assert finding(own.root, "listed twice").examples == ("planted/00000.png",)


def test_one_mask_for_two_pictures(own: Planted) -> None:
    images = own.root / "images/planted"
    shutil.copy(images / "00000_color_0.png", images / "00001_color_0.png")
    one = finding(own.root, "one mask for several pictures")
    assert one.examples == ("planted/00000_color_0.png = planted/00001_color_0.png",)


def test_empty_categories_and_labels(own: Planted) -> None:
    write_index(own.root, [{**row, "material": ""} for row in index(own.root)])
    found = {one.kind: one for one in check(own.root).findings}
    assert "material" in found["empty categories"].what
    assert found["labels without a picture"].examples == ("matte", "glossy")


def test_single_pixels_and_blank_pictures(own: Planted) -> None:
    rows = [{**row, "part": "", "material": "", "color": "", "scene": ""} for row in index(own.root)]
    rows[3]["object"] = ""
    write_index(own.root, rows)
    plane = np.zeros((32, 32), np.uint16)
    plane[5, 5] = 1
    save_mask(own.root / "images" / MASK, plane)
    found = {one.kind: one for one in check(own.root).findings}
    assert found["one pixel"].examples == ("red square in planted/00000.png",)
    assert found["unlabelled pictures"].examples == ("planted/00003.png",)


def test_a_folder_without_annotation(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), ord(name), np.uint8)).save(path)
    (tmp_path / "photos/broken.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "photos/classes.csv").write_text("image,class\na.png,cat\nb.png,dog\nc.png,dog\n")
    found = check(tmp_path / "photos")
    assert (found.images, found.readable, found.unlabelled) == (4, 3, None)
    assert found.classes == {"cat": 1, "dog": 2}
    assert [one.kind for one in found.findings] == ["cannot be read"]


def test_it_stops_when_asked(own: Planted) -> None:
    with pytest.raises(Cancelled):
        check_dataset(open_dataset(own.root), cancelled=lambda: True)


@pytest.mark.parametrize("quality", [30, 75, 90])
def test_a_mask_that_was_a_jpeg_before(tmp_path: Path, quality: int) -> None:
    """Regions across JPEG's blocks of 8; of very small ones hardly a pixel is left as it was."""
    random = np.random.default_rng(1)
    for side, looks in ((45, {Look.SMOOTHED}), (13, set(Look))):
        plane = random.permutation(16).reshape(4, 4).repeat(side, 0).repeat(side, 1).astype(np.uint8) * 15
        Image.fromarray(plane).save(tmp_path / "a.jpg", quality=quality)
        with Image.open(tmp_path / "a.jpg") as image:
            altered = np.asarray(image).astype(np.int64)[..., None]
        assert look_of(altered) in looks
        assert look_of(plane.astype(np.int64)[..., None]) is None


def test_many_labels_with_neighbouring_numbers_are_a_label_map() -> None:
    """Parts of one thing often have numbers in a row."""
    plane = np.arange(49).reshape(7, 7).repeat(16, 0).repeat(16, 1)
    assert look_of(plane[..., None]) is None
