"""A synthetic data set in Broden's layout with exact, known annotations.

Scenes are flat shapes on a flat ground with a strip of eleven colours at the bottom, losslessly stored.
Every shape is a union of whole annotation cells: where the image is a multiple of the annotation grid,
shrinking it back gives the colours exactly, and a detector of a colour has a known IoU. The red square is
the only pure red (255, 0, 0), so a red detector has IoU 1 with it (and less with the color "red", which the
strip shares).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Every colour in use, by name; the last of each stands in the strip.
PALETTE: dict[str, tuple[tuple[int, int, int], ...]] = {
    "black": ((0, 0, 0),),
    "blue": ((0, 0, 255), (0, 0, 128)),
    "brown": ((128, 64, 0),),
    "grey": ((128, 128, 128),),
    "green": ((0, 128, 0),),
    "orange": ((255, 128, 0),),
    "pink": ((255, 128, 192),),
    "purple": ((128, 0, 128),),
    "red": ((255, 0, 0), (192, 0, 0)),
    "white": ((255, 255, 255),),
    "yellow": ((255, 255, 0), (224, 208, 32)),
}
CATEGORIES = ("object", "part", "material", "color", "scene")
# number, name as Broden writes it, categories. "panel" is an object and a part.
LABELS: tuple[tuple[int, str, tuple[str, ...]], ...] = (
    (1, "red square", ("object",)),
    (2, "blue disc", ("object",)),
    (3, "panel", ("object", "part")),
    (4, "left half", ("part",)),
    (5, "top half", ("part",)),
    (6, "matte", ("material",)),
    (7, "glossy", ("material",)),
    (300, "street-s", ("scene",)),  # beyond 255: both mask channels matter
    (301, "kitchen-s", ("scene",)),
    *((310 + index, f"{name}-c", ("color",)) for index, name in enumerate(PALETTE)),
)
RED, BLUE, YELLOW = (255, 0, 0), (0, 0, 255), (255, 255, 0)
GROUNDS = tuple(PALETTE[name][0] for name in ("grey", "green", "white", "black", "brown"))


@dataclass(frozen=True)
class Planted:
    """What was written.

    Attributes:
        root: the folder.
        numbers: display name ("grey", "street") -> label number.
        scenes: per image, category -> its maps as (H, W) uint16 label numbers.
        without_part: indices of images without a part map.
    """

    root: Path
    numbers: dict[str, int]
    scenes: list[dict[str, list[NDArray[np.uint16]]]] = field(default_factory=list)
    without_part: tuple[int, ...] = ()

    def pixels(self, category: str, name: str) -> int:
        """Annotation pixels of a concept over all images, a pixel once however many maps repeat it."""
        number = self.numbers[name]
        return sum(
            int(np.any([plane == number for plane in scene[category]], axis=0).sum())
            for scene in self.scenes
            if scene.get(category)
        )


def make_planted(
    root: Path,
    images: int = 12,
    size: int | tuple[int, int] = 224,
    annotation: int | tuple[int, int] = 112,
    repeat: int = 1,
) -> Planted:
    """Write a data set below `root`; the same arguments give the same bytes.

    Args:
        root: folder to create.
        images: how many; image 3, 7, 11 … has no part map.
        size: (h, w) of the images, a multiple of `annotation` for exact colours.
        annotation: (H, W) of the masks, at least 16 each.
        repeat: list every image this many times in index.csv.

    Returns:
        The description, for the images listed once.
    """
    grid = (annotation, annotation) if isinstance(annotation, int) else annotation
    full = (size, size) if isinstance(size, int) else size
    planted = Planted(
        root,
        {display(name): number for number, name, _ in LABELS},
        without_part=tuple(i for i in range(images) if i % 4 == 3),
    )
    rows = [_write_image(planted, i, full, grid) for i in range(images)]
    write_tables(root, rows * repeat)
    return planted


def display(name: str) -> str:
    """A planted label's name without Broden's suffix."""
    return name.removesuffix("-c").removesuffix("-s")


def write_tables(
    root: Path, rows: Sequence[dict[str, object]], labels: Iterable[tuple[int, str, tuple[str, ...]]] = LABELS
) -> None:
    """index.csv from `rows`, label.csv and category.csv from `labels`."""
    root.mkdir(parents=True, exist_ok=True)
    labels = tuple(labels)
    columns = ["image", "split", "ih", "iw", "sh", "sw", *CATEGORIES]
    _write_csv(
        root / "index.csv", columns, [{column: row.get(column, "") for column in columns} for row in rows]
    )
    _write_csv(
        root / "label.csv",
        ["number", "name", "category", "frequency", "coverage", "syns"],
        [
            {"number": number, "name": name, "category": ";".join(f"{c}(1)" for c in categories)}
            for number, name, categories in labels
        ],
    )
    _write_csv(
        root / "category.csv",
        ["name", "first", "last", "count", "frequency"],
        [{"name": category} for category in CATEGORIES],
    )


def rename_labels(root: Path, names: Mapping[str, str]) -> None:
    """Give labels of a written data set other names: old as in LABELS -> new, whatever it holds."""
    with (root / "label.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    renamed: list[dict[str, object]] = [{**row, "name": names.get(row["name"], row["name"])} for row in rows]
    _write_csv(root / "label.csv", list(rows[0]), renamed)


def save_mask(path: Path, numbers: NDArray[np.uint16]) -> None:
    """A mask as Broden stores it: RGB PNG, R + 256·G."""
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = np.stack([numbers & 255, numbers >> 8, np.zeros_like(numbers)], axis=-1).astype(np.uint8)
    Image.fromarray(channels).save(path)


def _write_image(planted: Planted, i: int, full: tuple[int, int], grid: tuple[int, int]) -> dict[str, object]:
    colours, maps, scene = _compose(i, grid)
    if i in planted.without_part:
        maps["part"] = []
    # The split and the scene alternate, the scene number labels the whole image.
    row: dict[str, object] = {
        "image": f"planted/{i:05d}.png", "split": "val" if i % 5 == 4 else "train",
        "ih": full[0], "iw": full[1], "sh": grid[0], "sw": grid[1], "scene": scene,
    }  # fmt: skip
    for category, planes in maps.items():
        names = [f"planted/{i:05d}_{category}_{k}.png" for k in range(len(planes))]
        for name, plane in zip(names, planes, strict=True):
            save_mask(planted.root / "images" / name, plane)
        row[category] = ";".join(names)
    planted.scenes.append(maps | {"scene": [np.full(grid, scene, dtype=np.uint16)]})
    ys = np.arange(full[0]) * grid[0] // full[0]
    xs = np.arange(full[1]) * grid[1] // full[1]
    Image.fromarray(colours[ys[:, None], xs[None, :]]).save(planted.root / "images" / str(row["image"]))
    return row


def _compose(
    i: int, grid: tuple[int, int]
) -> tuple[NDArray[np.uint8], dict[str, list[NDArray[np.uint16]]], int]:
    """Cell colours (H, W, 3), maps per category, and the scene number of image i."""
    height, width = grid
    random = np.random.default_rng(1000 + i)
    numbers = {display(name): number for number, name, _ in LABELS}
    colours = np.empty((height, width, 3), dtype=np.uint8)
    colours[:] = GROUNDS[i % len(GROUNDS)]
    strip = [swatches[-1] for swatches in PALETTE.values()]
    colours[-2:] = np.array(strip, dtype=np.uint8)[np.arange(width) * len(strip) // width]
    objects = np.zeros(grid, dtype=np.uint16)
    for name, colour, shape in (
        ("panel", YELLOW, _square(grid, random, 3)),
        ("blue disc", BLUE, _disc(grid, random)),
        ("red square", RED, _square(grid, random, 4)),  # last, so always whole
    ):
        if name == "panel" or (i + (name == "red square")) % 3:  # two images in three
            colours[shape] = colour
            objects[shape] = numbers[name]
    # Two part maps that overlap: where both say "panel", it counts once.
    left, top = np.zeros(grid, dtype=np.uint16), np.zeros(grid, dtype=np.uint16)
    left[:, : width // 2] = numbers["left half"]
    top[: height // 2] = numbers["top half"]
    left[objects == numbers["panel"]] = top[objects == numbers["panel"]] = numbers["panel"]
    material = np.where(objects > 0, numbers["glossy"], numbers["matte"]).astype(np.uint16)
    color = np.zeros(grid, dtype=np.uint16)
    for name, swatches in PALETTE.items():
        for swatch in swatches:
            color[(colours == swatch).all(axis=-1)] = numbers[name]
    maps = {"object": [objects], "part": [left, top], "material": [material], "color": [color]}
    return colours, maps, numbers["street" if i % 2 else "kitchen"]


def _square(grid: tuple[int, int], random: np.random.Generator, share: int) -> NDArray[np.bool_]:
    side = min(grid) // share
    y, x = int(random.integers(grid[0] - side + 1)), int(random.integers(grid[1] - side + 1))
    shape = np.zeros(grid, dtype=bool)
    shape[y : y + side, x : x + side] = True
    return shape


def _disc(grid: tuple[int, int], random: np.random.Generator) -> NDArray[np.bool_]:
    radius = min(grid) // 6
    y, x = (int(random.integers(radius, extent - radius)) for extent in grid)
    ys, xs = np.ogrid[: grid[0], : grid[1]]
    return np.asarray((ys - y) ** 2 + (xs - x) ** 2 <= radius**2)


def _write_csv(path: Path, columns: list[str], rows: Iterable[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
