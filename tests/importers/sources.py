"""Small data sets in other people's formats, written after the formats' public descriptions."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core import datasets
from interpret_core.importers import Imported, Importer, ImportSettings, run_import

Numbers = NDArray[np.int64]
SIZES = ((32, 32), (48, 32), (30, 50), (32, 32))
GRID = (16, 16)


def photograph(size: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """(h, w, 3) noise."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def save(path: Path, pixels: NDArray[Any], palette: Sequence[int] | None = None, **options: Any) -> Path:
    """A picture file, with a palette where one is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if palette is not None:
        image.putpalette(palette)
    image.save(path, **options)
    return path


def blocks(size: tuple[int, int], values: Sequence[int], seed: int) -> Numbers:
    """(h, w) rectangles of the values, every one of them at least once, nearly everywhere."""
    random = np.random.default_rng(seed)
    plane = np.zeros(size, np.int64)
    for value in values:
        y, x = (int(random.integers(0, extent // 2)) for extent in size)
        plane[y : y + size[0] // 3, x : x + size[1] // 3] = value
    rows = np.array_split(np.arange(size[0]), len(values))
    for value, own in zip(values, rows, strict=True):
        plane[own, : size[1] // 4] = value
    return plane


def on_grid(plane: Numbers, grid: tuple[int, int] = GRID) -> Numbers:
    """By nearest, one cell after the other: what stands at the cell's centre."""
    height, width = plane.shape
    out = np.zeros(grid, np.int64)
    for y in range(grid[0]):
        for x in range(grid[1]):
            out[y, x] = plane[int((y + 0.5) * height / grid[0]), int((x + 0.5) * width / grid[1])]
    return out


def imported(importer: Importer, into: Path, **settings: Any) -> Imported:
    """An import onto the small grid."""
    return run_import(importer, ImportSettings(into, **{"grid": GRID, **settings}))


@dataclass
class Read:
    """A data set as the reader has it: name -> maps by category, as label numbers; names by number."""

    dataset: datasets.Dataset
    maps: dict[str, dict[str, list[Numbers]]] = field(default_factory=dict)

    @property
    def names(self) -> dict[int, str]:
        return {number: label.name for number, label in self.dataset.labels.items()}

    def of(self, end: str) -> dict[str, list[Numbers]]:
        """The maps of the picture whose name ends so."""
        (found,) = [maps for name, maps in self.maps.items() if name.endswith(end)]
        return found


def read(folder: Path) -> Read:
    """Open a folder, and read each picture and each category's maps."""
    dataset = datasets.open_dataset(folder)
    found = Read(dataset)
    for index, record in enumerate(dataset.records):
        assert dataset.read_image(index).shape[:2] == (record.size or dataset.read_image(index).shape[:2])
        own = found.maps.setdefault(record.image, {})
        for category in record.maps:
            table = dataset.concepts([category])
            numbers = np.array([0, *(one.number for one in table.concepts)])
            own[category] = list(numbers[dataset.read_annotation(index, table)])
    return found


def files_of(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder: contents, and where links lead."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


VOC_VALUES = (0, 1, 15, 20, 255)


def write_voc(root: Path) -> dict[str, Numbers]:
    """VOCdevkit/VOC2012 with four pictures; name -> palette indices."""
    palette = np.random.default_rng(9).integers(0, 256, 768).tolist()
    year = root / "VOCdevkit" / "VOC2012"
    planes = {}
    for place, size in enumerate(SIZES):
        name = f"2007_00000{place}"
        planes[name] = blocks(size, VOC_VALUES, place)
        save(year / "JPEGImages" / f"{name}.jpg", photograph(size, place))
        save(year / "SegmentationClass" / f"{name}.png", planes[name].astype(np.uint8), palette)
    save(year / "JPEGImages" / "2008_000009.jpg", photograph((20, 20), 9))  # detection only
    lists = year / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("2007_000000\n2007_000001\n")
    (lists / "val.txt").write_text("2007_000002\n2007_000003\n")
    return planes


CITY = "aachen_00000{}_000019"


def write_cityscapes(root: Path) -> dict[str, Numbers]:
    """Two pictures to train and one to validate; stem -> label ids, 0 to 33, and 255."""
    planes = {}
    for place, split in enumerate(("train", "train", "val", "test")):
        stem, size = CITY.format(place), (32, 64)
        plane = blocks(size, (0, 1, 4, 7, 8, 9, 24, 33), place)
        save(root / "leftImg8bit" / split / "aachen" / f"{stem}_leftImg8bit.png", photograph(size, place))
        fine = root / "gtFine" / split / "aachen"
        save(fine / f"{stem}_gtFine_labelIds.png", plane.astype(np.uint8))
        train = {7: 0, 8: 1, 24: 11, 33: 18}
        ids = np.array([train.get(number, 255) for number in range(256)])
        save(fine / f"{stem}_gtFine_labelTrainIds.png", ids[plane].astype(np.uint8))
        if split != "test":
            planes[stem] = plane
    return planes


CAMVID = {"Animal": (64, 128, 64), "Sky": (128, 128, 128), "Road": (128, 64, 128), "Void": (0, 0, 0)}


def write_camvid(root: Path) -> dict[str, Numbers]:
    """Three photographs; stem -> index into CAMVID."""
    (root / "701_StillsRaw_full").mkdir(parents=True)
    lines = [f"{r} {g} {b}\t\t{name}" for name, (r, g, b) in CAMVID.items()]
    (root / "label_colors.txt").write_text("\n".join(lines) + "\n")
    planes = {}
    for place in range(3):
        stem = f"0001TP_00{place}"
        planes[stem] = blocks((36, 48), (0, 1, 2, 3), place)
        save(root / "701_StillsRaw_full" / f"{stem}.png", photograph((36, 48), place))
        colours = np.array(list(CAMVID.values()), np.uint8)[planes[stem]]
        save(root / "LabeledApproved_full" / f"{stem}_L.png", colours)
    return planes


def write_sceneparse(root: Path) -> dict[str, Numbers]:
    """ADEChallengeData2016 with two pictures; stem -> values."""
    root = root / "ADEChallengeData2016"
    planes = {}
    for place, (folder, word) in enumerate((("training", "train"), ("validation", "val"))):
        stem = f"ADE_{word}_0000000{place}"
        planes[stem] = blocks(SIZES[place + 1], (0, 1, 2, 150), place)
        save(root / "images" / folder / f"{stem}.jpg", photograph(SIZES[place + 1], place))
        save(root / "annotations" / folder / f"{stem}.png", planes[stem].astype(np.uint8))
    rows = [
        "1\t0.1576\t11664\t1172\twall",
        "2\t0.1072\t6046\t612\tbuilding, edifice",
        "150\t0.0001\t1\t1\tflag",
    ]
    (root / "objectInfo150.txt").write_text("\n".join(["Idx\tRatio\tTrain\tVal\tName", *rows]) + "\n")
    scenes = "ADE_train_00000000 street\nADE_val_00000001 bedroom\nADE_test_1 street\n"
    (root / "sceneCategories.txt").write_text(scenes)
    return planes


ADE = {2978: "wall", 1831: "person, individual", 774: "door"}
ADE_PARTS = {1277: "head", 774: "door"}


def write_ade(root: Path, described: bool, direct: bool = False) -> dict[str, tuple[Numbers, Numbers]]:
    """The full release with two pictures; stem -> classes of objects and of parts, coded R/10·256 + G.

    Args:
        root: folder to make.
        described: names in JSON (2021), otherwise in lines `…_atr.txt` (2016).
        direct: the parts' blue values are the numbers of the lines, and not only in their order.
    """
    planes = {}
    for place in range(2):
        folder = root / "images" / "ADE" / ("training", "validation")[place] / "urban" / "street"
        stem = f"ADE_{('train', 'val')[place]}_0000000{place}"
        size = SIZES[place + 1]
        objects = blocks(size, (0, *ADE), place)
        parts = np.where(objects == 1831, blocks(size, (0, *ADE_PARTS), place + 5), 0)
        save(folder / f"{stem}.jpg", photograph(size, place))
        instances = {number: 30 * at for at, number in enumerate(ADE, 1)}  # rising, with gaps
        part_instances = {number: 40 * at for at, number in enumerate(ADE_PARTS, 1)}
        save(folder / f"{stem}_seg.png", _ade_colours(objects, instances))
        save(folder / f"{stem}_parts_1.png", _ade_colours(parts, part_instances))
        rows = [(at, 0, number, name) for at, (number, name) in enumerate(ADE.items(), 1)]
        shown = [number for number in ADE_PARTS if (parts == number).any()]
        rows += [
            (40 * (1 + list(ADE_PARTS).index(number)) if direct else at, 1, number, ADE_PARTS[number])
            for at, number in enumerate(shown, 1)
        ]
        if described:
            found = [
                {"id": at, "name": name, "name_ndx": number, "raw_name": "é", "parts": {"part_level": level}}
                for at, level, number, name in rows
            ]
            text = json.dumps(
                {"annotation": {"filename": f"{stem}.jpg", "object": found}}, ensure_ascii=False
            )
            (folder / f"{stem}.json").write_bytes(text.encode("latin-1"))
        else:
            lines = [f'{at:03d} # {level} # 0 # {name} # raw # ""' for at, level, _, name in rows]
            (folder / f"{stem}_atr.txt").write_text("\n".join(lines) + "\n")
        planes[stem] = (objects, parts)
    return planes


def _ade_colours(classes: Numbers, instances: Mapping[int, int]) -> NDArray[np.uint8]:
    blue = np.zeros_like(classes)
    for number, instance in instances.items():
        blue[classes == number] = instance
    return np.stack([classes // 256 * 10, classes % 256, blue], -1).astype(np.uint8)


def number_png(path: Path, ids: Numbers) -> Path:
    """R + 256·G + 65536·B."""
    return save(path, np.stack([ids & 255, ids >> 8 & 255, ids >> 16], -1).astype(np.uint8))


COCO_CATEGORIES = [
    {"id": 1, "name": "person", "isthing": 1, "supercategory": "person"},
    {"id": 18, "name": "dog", "isthing": 1, "supercategory": "animal"},
    {"id": 187, "name": "sky-other-merged", "isthing": 0, "supercategory": "sky"},
]


def write_panoptic(root: Path) -> dict[str, Numbers]:
    """annotations/panoptic_val2017.json, PNGs and pictures; stem -> category ids."""
    images, annotations, planes = [], [], {}
    for place, size in enumerate(SIZES):
        stem = f"00000000000{place}"
        categories = blocks(size, (0, 1, 18, 187), place)
        # Ids of a segment use all three channels; each category has two segments where it has two halves.
        ids = np.where(categories > 0, categories * 70_001, 0)
        ids[:, size[1] // 2 :] = np.where(categories > 0, categories * 70_001 + 1, 0)[:, size[1] // 2 :]
        segments = [
            {"id": int(one), "category_id": int(one) // 70_001, "iscrowd": int(one % 70_001 == 1), "area": 1}
            for one in np.unique(ids)
            if one
        ]
        planes[stem] = categories
        save(root / "val2017" / f"{stem}.jpg", photograph(size, place))
        number_png(root / "annotations" / "panoptic_val2017" / f"{stem}.png", ids)
        images.append({"id": place + 100, "file_name": f"{stem}.jpg", "height": size[0], "width": size[1]})
        annotations.append({"image_id": place + 100, "file_name": f"{stem}.png", "segments_info": segments})
    write_json(root / "annotations" / "panoptic_val2017.json", images, annotations[::-1])
    return planes


def write_json(
    path: Path, images: Any, annotations: Any, categories: Any = COCO_CATEGORIES, **more: Any
) -> Path:
    """COCO's JSON; annotations before images, as some files have them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {
        "info": {"description": "[{\"images\": []}]", "year": 2017}, "licenses": [{"id": 1}, {"id": 2}],
        "annotations": annotations, "images": images, "categories": categories, **more,
    }  # fmt: skip
    path.write_text(json.dumps(found))
    return path


def index_rows(folder: Path) -> list[dict[str, str]]:
    """index.csv."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
