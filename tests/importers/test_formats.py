"""Each format, from files written after its public description to label maps that the reader gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core import datasets
from interpret_core.errors import DatasetError
from interpret_core.importers import importers
from interpret_core.importers.formats import cityscapes, voc
from interpret_core.importers.formats.ade20k import Ade20k
from interpret_core.importers.formats.camvid import CamVid
from interpret_core.importers.formats.cityscapes import Cityscapes
from interpret_core.importers.formats.folder import PictureFolder
from interpret_core.importers.formats.masks import MaskFolder
from interpret_core.importers.formats.voc import Voc
from interpret_core.importers.palettes import NOTHING, read_palette
from tests.importers.sources import (
    ADE,
    ADE_PARTS,
    CAMVID,
    GRID,
    SIZES,
    blocks,
    imported,
    index_rows,
    on_grid,
    photograph,
    read,
    save,
    write_ade,
    write_camvid,
    write_cityscapes,
    write_sceneparse,
    write_voc,
)


def test_the_formats_there_are():
    assert list(importers()) == [
        "coco-panoptic", "coco-instances", "ade20k", "voc", "cityscapes", "camvid", "masks", "folder",
    ]  # fmt: skip


@pytest.mark.parametrize("below", ["", "VOCdevkit", "VOCdevkit/VOC2012"])
def test_voc(tmp_path: Path, below: str) -> None:
    planes = write_voc(tmp_path / "source")
    found = imported(Voc(str(tmp_path / "source" / below)), tmp_path / "out")
    assert (found.pictures, found.labels, found.left_out) == (4, 20, ())
    assert found.map_sizes == {(32, 32): 2, (48, 32): 1, (30, 50): 1}
    data = read(tmp_path / "out")
    assert data.names[15] == "person"
    for name, plane in planes.items():
        wanted = on_grid(np.where(plane == 255, 0, plane))
        assert np.array_equal(data.of(f"{name}.jpg")["object"], [wanted])
    assert [one.split for one in data.dataset.records] == ["train", "train", "val", "val"]


def test_vocs_colours_are_the_devkits(tmp_path: Path) -> None:
    """The colours that its documentation shows, and a mask that was saved by them."""
    table = {number: colour for colour, number in voc._colours().items()}
    assert [table[number] for number in (0, 1, 2, 8, 15, 20, 255)] == [
        (0, 0, 0), (128, 0, 0), (0, 128, 0), (64, 0, 0), (192, 128, 128), (0, 64, 128), (224, 224, 192),
    ]  # fmt: skip
    planes = write_voc(tmp_path / "source")
    path = tmp_path / "source/VOCdevkit/VOC2012/SegmentationClass/2007_000001.png"
    colours = np.array([table.get(number, (0, 0, 0)) for number in range(256)], np.uint8)
    save(path, colours[planes["2007_000001"]])
    imported(Voc(str(tmp_path / "source")), tmp_path / "out")
    plane = planes["2007_000001"]
    wanted = on_grid(np.where(plane == 255, 0, plane))
    assert np.array_equal(read(tmp_path / "out").of("000001.jpg")["object"], [wanted])


def test_voc_numbers_that_are_none_leave_a_picture_out(tmp_path: Path) -> None:
    write_voc(tmp_path / "source")
    masks = tmp_path / "source/VOCdevkit/VOC2012/SegmentationClass"
    save(masks / "2007_000002.png", np.full((30, 50), 21, np.uint8), [0] * 768)
    found = imported(Voc(str(tmp_path / "source")), tmp_path / "out")
    assert found.pictures == 3
    ((name, why),) = found.left_out
    assert name == "2007_000002.jpg"
    assert "has number 21, expected 0 to 20 or 255" in why


def test_cityscapes_label_ids(tmp_path: Path) -> None:
    planes = write_cityscapes(tmp_path / "source")
    found = imported(Cityscapes(str(tmp_path / "source")), tmp_path / "out")
    assert (found.pictures, found.labels) == (3, 27)
    data = read(tmp_path / "out")
    assert (data.names[7], data.names[33]) == ("road", "bicycle")
    for stem, plane in planes.items():
        wanted = on_grid(np.where(plane < 7, 0, plane))
        assert np.array_equal(data.of(f"{stem}_leftImg8bit.png")["object"], [wanted])
    assert [one.split for one in data.dataset.records] == ["train", "train", "val"]


def test_cityscapes_train_ids_mean_the_same_labels(tmp_path: Path) -> None:
    """Train id 0 is the road, and 255 is ignored."""
    planes = write_cityscapes(tmp_path / "source")
    found = imported(Cityscapes(str(tmp_path / "source"), ids="labelTrainIds"), tmp_path / "out")
    assert found.labels == 19
    data = read(tmp_path / "out")
    for stem, plane in planes.items():
        wanted = on_grid(np.where(np.isin(plane, (7, 8, 24, 33)), plane, 0))
        assert np.array_equal(data.of(f"{stem}_leftImg8bit.png")["object"], [wanted])


def test_cityscapes_train_ids_are_no_label_ids(tmp_path: Path) -> None:
    write_cityscapes(tmp_path / "source")
    fine = tmp_path / "source/gtFine/train/aachen/aachen_000000_000019_gtFine_labelTrainIds.png"
    save(fine, np.full((32, 64), 33, np.uint8))
    found = imported(Cityscapes(str(tmp_path / "source"), ids="labelTrainIds"), tmp_path / "out")
    assert "number 33, which is none of Cityscapes' labelTrainIds" in found.left_out[0][1]


def test_cityscapes_table_has_every_id_once():
    numbers = [number for number, _, _ in cityscapes.LABELS]
    train = [of for _, _, of in cityscapes.LABELS if of != 255]
    assert numbers == list(range(7, 34))
    assert train == sorted(train) == list(range(19))


def test_camvid(tmp_path: Path) -> None:
    planes = write_camvid(tmp_path / "source")
    found = imported(CamVid(str(tmp_path / "source")), tmp_path / "out")
    assert (found.pictures, found.labels) == (3, 3)
    data = read(tmp_path / "out")
    assert data.names == {1: "Animal", 2: "Sky", 3: "Road"}
    for stem, plane in planes.items():
        wanted = on_grid(np.array([1, 2, 3, 0])[plane])
        assert list(CAMVID)[3] == "Void"
        assert np.array_equal(data.of(f"{stem}.png")["object"], [wanted])


def test_camvid_smoothed_colours_are_told(tmp_path: Path) -> None:
    write_camvid(tmp_path / "source")
    mask = tmp_path / "source/LabeledApproved_full/0001TP_001_L.png"
    with Image.open(mask) as image:
        image.resize((72, 54), Image.Resampling.BILINEAR).save(mask)
    found = imported(CamVid(str(tmp_path / "source")), tmp_path / "out")
    ((name, why),) = found.left_out
    assert name.endswith("0001TP_001.png")
    assert "of 3,888 pixels in colours that no label has" in why


def test_sceneparse150(tmp_path: Path) -> None:
    planes = write_sceneparse(tmp_path / "source")
    found = imported(Ade20k(str(tmp_path / "source")), tmp_path / "out")
    assert (found.pictures, found.labels, found.classes) == (2, 3, 2)
    data = read(tmp_path / "out")
    assert data.names == {1: "wall", 2: "building, edifice", 150: "flag"}
    for stem, plane in planes.items():
        assert np.array_equal(data.of(f"{stem}.jpg")["object"], [on_grid(plane)])
    assert [one.split for one in data.dataset.records] == ["train", "val"]
    assert datasets.read_classes(data.dataset).names == ("bedroom", "street")


@pytest.mark.parametrize(("described", "direct"), [(True, False), (False, False), (False, True)])
def test_ade20k_full(tmp_path: Path, described: bool, direct: bool) -> None:
    planes = write_ade(tmp_path / "source", described, direct)
    found = imported(Ade20k(str(tmp_path / "source")), tmp_path / "out")
    assert (found.pictures, found.left_out, found.notes) == (2, (), ())
    data = read(tmp_path / "out")
    parts = {number + 20_000: name for number, name in ADE_PARTS.items()}
    assert data.names == {**ADE, **parts}
    for stem, (objects, inner) in planes.items():
        maps = data.of(f"{stem}.jpg")
        assert np.array_equal(maps["object"], [on_grid(objects)])
        assert np.array_equal(maps["part"], [on_grid(np.where(inner > 0, inner + 20_000, 0))])
    assert [one.split for one in data.dataset.records] == ["train", "val"]


def write_masks(root: Path, planes: dict[str, np.ndarray], palette: str) -> MaskFolder:
    for place, (name, plane) in enumerate(planes.items()):
        save(root / "photos" / f"{name}.jpg", photograph(plane.shape[:2], place))
        save(root / "masks" / f"{name}.png", plane.astype(np.uint8))
    (root / "palette.csv").write_text(palette)
    return MaskFolder(str(root / "photos"), str(root / "masks"), str(root / "palette.csv"))


def test_index_masks_whose_zero_is_a_label(tmp_path: Path) -> None:
    """SegNet's CamVid begins with sky = 0: every number is one more, or the sky would be lost."""
    planes = {f"train/{place}": blocks(size, (0, 1, 11), place) for place, size in enumerate(SIZES)}
    asked = write_masks(tmp_path, planes, "number,name\n0,sky\n1,building\n11,void\n")
    found = imported(asked, tmp_path / "out")
    assert "Counted as unlabelled: void" in found.notes
    data = read(tmp_path / "out")
    assert data.names == {1: "sky", 2: "building"}
    for name, plane in planes.items():
        wanted = on_grid(np.select([plane == 0, plane == 1], [1, 2], 0))
        assert np.array_equal(data.of(f"{name}.jpg")["object"], [wanted])
    assert {one.split for one in data.dataset.records} == {"train"}


def test_index_masks_whose_zero_is_nothing(tmp_path: Path) -> None:
    plane = blocks((32, 32), (0, 1, 7), 0)
    asked = write_masks(tmp_path, {"a": plane}, "name,category,value\nfur,material,7\ncat,object,1\n")
    imported(asked, tmp_path / "out")
    maps = read(tmp_path / "out").of("a.jpg")
    assert np.array_equal(maps["object"], [on_grid(np.where(plane == 1, 1, 0))])
    assert np.array_equal(maps["material"], [on_grid(np.where(plane == 7, 7, 0))])


TABLES_WITHOUT_A_HEADER = {
    "semicolons": "number;name\n0;background\n1;cat\n2;dog\n",
    "tabs": "number\tname\n0\tbackground\n1\tcat\n",
    "no header": "0,background\n1,cat\n2,dog\n",
    "spaces": "0 background\n1 cat\n2 dog\n",
    "another word": "id,label\n0,background\n1,cat\n",
    "colons": "0: background\n1: cat\n",
    "the number behind": "background,0\ncat,1\n",
    "one": "1,cat\n",
    "JSON": '{"background": 0,\n "cat": 1}\n',
    "semicolons between names": "name;category\nbackground;\ncat;object\n",
    "colours": "r;g;b;name\n0;0;0;void\n255;0;0;cat\n",
}


@pytest.mark.parametrize("name", TABLES_WITHOUT_A_HEADER)
def test_a_table_is_not_taken_for_names(tmp_path: Path, name: str) -> None:
    """Value 1 was `0;background` then, and value 2 `1;cat`."""
    (tmp_path / "palette.csv").write_text(TABLES_WITHOUT_A_HEADER[name])
    with pytest.raises(DatasetError, match="looks like more than a name, expected names alone") as told:
        read_palette(tmp_path / "palette.csv")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "names",
    [["background", "palm, palm tree", "car"], ["cat"], ["void", "2 wheels", "7-segment", "n01440764"]],
)
def test_names_alone(tmp_path: Path, names: list[str]) -> None:
    (tmp_path / "codes.txt").write_text("\n".join(names))
    found = read_palette(tmp_path / "codes.txt")
    assert list(found.numbers) == list(range(len(names)))
    assert [label.name for label in found.labels] == [one for one in names if one not in NOTHING]


def test_values_that_the_palette_lacks_leave_a_picture_out(tmp_path: Path) -> None:
    planes = {"a": blocks((32, 32), (0, 1), 0), "b": blocks((32, 32), (0, 1, 255), 0)}
    found = imported(write_masks(tmp_path, planes, "number,name\n1,cat\n"), tmp_path / "out")
    assert found.pictures == 1
    assert "has value 255" in found.left_out[0][1]


def test_colour_masks_with_two_colours_of_one_label(tmp_path: Path) -> None:
    plane = blocks((32, 32), (0, 1, 2), 3)
    colours = np.array([(0, 0, 0), (10, 200, 30), (10, 200, 31)], np.uint8)[plane]
    asked = write_masks(tmp_path, {"a": colours}, "name,r,g,b\nvoid,0,0,0\ncat,10,200,30\ncat,10,200,31\n")
    imported(asked, tmp_path / "out")
    assert np.array_equal(read(tmp_path / "out").of("a.jpg")["object"], [on_grid(np.where(plane > 0, 1, 0))])


def test_masks_by_a_suffix_in_the_folder_of_the_pictures(tmp_path: Path) -> None:
    plane = blocks((32, 32), (0, 1), 0)
    save(tmp_path / "in/dog/1.jpg", photograph((32, 32), 0))
    save(tmp_path / "in/dog/1_mask.png", plane.astype(np.uint8))
    (tmp_path / "codes.txt").write_text("background\ncat\n")
    asked = MaskFolder(
        str(tmp_path / "in"), str(tmp_path / "in"), str(tmp_path / "codes.txt"), suffix="_mask"
    )
    assert imported(asked, tmp_path / "out").pictures == 1
    assert np.array_equal(read(tmp_path / "out").of("1.jpg")["object"], [on_grid(plane)])


def test_numbers_beyond_a_byte_are_read_back(tmp_path: Path) -> None:
    plane = blocks((32, 32), (0, 300, 65_535), 0)
    save(tmp_path / "photos/a.png", photograph((32, 32), 0))
    save(tmp_path / "masks/a.png", plane.astype(np.uint16))
    (tmp_path / "palette.csv").write_text("number,name\n300,cat\n65535,dog\n")
    asked = MaskFolder(str(tmp_path / "photos"), str(tmp_path / "masks"), str(tmp_path / "palette.csv"))
    imported(asked, tmp_path / "out")
    assert np.array_equal(read(tmp_path / "out").of("a.png")["object"], [on_grid(plane)])


def test_a_folder_per_class(tmp_path: Path) -> None:
    for place, name in enumerate(("cat/1.jpg", "cat/2.png", "dog/old/1.jpg")):
        save(tmp_path / "in" / name, photograph((20, 30), place))
    found = imported(PictureFolder(str(tmp_path / "in")), tmp_path / "out")
    assert (found.pictures, found.classes, found.labels) == (3, 2, 0)
    dataset = datasets.open_dataset(tmp_path / "out")
    classes = datasets.read_classes(dataset)
    assert [classes.names[at] for at in classes.of_image] == ["cat", "cat", "dog"]
    assert not dataset.annotated


def test_classes_below_train_and_val(tmp_path: Path) -> None:
    for name in ("train/cat/1.jpg", "train/cat/2.jpg", "train/dog/1.jpg", "validation/cat/1.jpg"):
        save(tmp_path / "in" / name, photograph((20, 30), len(name)))
    imported(PictureFolder(str(tmp_path / "in")), tmp_path / "out")
    dataset = datasets.open_dataset(tmp_path / "out")
    classes = datasets.read_classes(dataset)
    assert classes.names == ("cat", "dog")
    assert classes.split.tolist() == ["train", "train", "train", "val"]


def test_a_column_of_splits_is_another_data_set_and_none_is_what_it_was(tmp_path: Path) -> None:
    """What classes.csv without such a column is read as, and its digest, stay."""
    save(tmp_path / "in/a.png", np.zeros((8, 8, 3), np.uint8))
    digests = []
    for table in ("image,class\na.png,cat\n", "image,class,split\na.png,cat,val\n"):
        (tmp_path / "in/classes.csv").write_text(table)
        dataset = datasets.open_dataset(tmp_path / "in")
        digests.append(dataset.tables.digests)
    assert list(digests[0]) == ["classes.csv"]
    assert list(digests[1]) == ["classes.csv", "split of classes.csv"]
    assert datasets.read_classes(dataset).split.tolist() == ["val"]


def test_a_folder_without_classes(tmp_path: Path) -> None:
    save(tmp_path / "in/1.jpg", photograph((20, 30), 0))
    found = imported(PictureFolder(str(tmp_path / "in")), tmp_path / "out")
    assert (found.pictures, found.classes) == (1, 0)
    assert len(datasets.open_dataset(tmp_path / "out")) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_that_is_turned_takes_its_mask_along(tmp_path: Path, orientation: int) -> None:
    """The mask as drawn on the stored pixels, and as drawn on what viewers show, give one map."""
    from interpret_core.datasets.pictures import turned

    stored = blocks((24, 40), (0, 1, 2), 1)
    shown = turned(stored, orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("stored", "shown"):
        save(tmp_path / "photos" / f"{name}.jpg", photograph((24, 40), 0), exif=exif)
    save(tmp_path / "masks/stored.png", stored.astype(np.uint8))
    save(tmp_path / "masks/shown.png", shown.astype(np.uint8))
    (tmp_path / "palette.csv").write_text("number,name\n1,cat\n2,dog\n")
    asked = MaskFolder(str(tmp_path / "photos"), str(tmp_path / "masks"), str(tmp_path / "palette.csv"))
    found = imported(asked, tmp_path / "out")
    data = read(tmp_path / "out")
    assert np.array_equal(data.of("shown.jpg")["object"], [on_grid(shown)])
    if orientation > 4:
        assert np.array_equal(data.of("stored.jpg")["object"], [on_grid(shown)])
    assert found.turned == (2 if orientation in (2, 3, 4) else 0)


def test_a_mask_of_other_proportions_is_another_pictures(tmp_path: Path) -> None:
    save(tmp_path / "photos/a.jpg", photograph((40, 60), 0))
    save(tmp_path / "photos/b.jpg", photograph((40, 60), 1))
    save(tmp_path / "masks/a.png", np.ones((40, 40), np.uint8))
    save(tmp_path / "masks/b.png", np.ones((13, 20), np.uint8))  # a third of it
    (tmp_path / "palette.csv").write_text("number,name\n1,cat\n")
    asked = MaskFolder(str(tmp_path / "photos"), str(tmp_path / "masks"), str(tmp_path / "palette.csv"))
    found = imported(asked, tmp_path / "out")
    assert "is 40×40 pixels and the picture 40×60, expected the same proportions" in found.left_out[0][1]
    assert found.pictures == 1


def test_labels_too_small_for_the_grid_are_counted(tmp_path: Path) -> None:
    plane = np.zeros((64, 64), np.int64)
    plane[0, 0], plane[10:30, 10:30] = 2, 1
    asked = write_masks(tmp_path, {"a": plane}, "number,name\n1,cat\n2,ant\n")
    assert imported(asked, tmp_path / "out").lost == 1
    assert imported(asked, tmp_path / "fine", grid=(64, 64)).lost == 0


def test_links_copies_and_smaller_pictures(tmp_path: Path) -> None:
    """A link and a copy are one data set; a smaller picture is another, with the same maps."""
    planes = write_voc(tmp_path / "source")
    asked = Voc(str(tmp_path / "source"))
    for name, settings in (("linked", {}), ("copied", {"copy": True}), ("small", {"resize": 16})):
        imported(asked, tmp_path / name, **settings)
    one = "images/pictures/2007_000001.jpg"
    assert (tmp_path / "linked" / one).is_symlink()
    assert not (tmp_path / "copied" / one).is_symlink()
    digests = [datasets.open_dataset(tmp_path / name).digest for name in ("linked", "copied", "small")]
    assert digests[0] == digests[1] != digests[2]
    assert [row["ih"] + "×" + row["iw"] for row in index_rows(tmp_path / "small")] == [
        "16×16", "24×16", "16×27", "16×16",
    ]  # fmt: skip
    small = read(tmp_path / "small")
    plane = planes["2007_000001"]
    wanted = on_grid(np.where(plane == 255, 0, plane), GRID)
    assert np.array_equal(small.of("000001.jpg")["object"], [wanted])
