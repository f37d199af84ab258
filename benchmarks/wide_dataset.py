"""A long data set of small pictures and as many concepts as Broden has, made for measuring.

Broden has 63,305 photographs and 1,197 concepts. What a run keeps for each photograph and each concept is the
same for small pictures, so that its memory can be measured in minutes.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32  # pixels of a picture
GRID = 16  # and of its annotation
# How many concepts of each category, and how many of them an image may show in its map.
CATEGORIES = {"object": (750, 8), "part": (330, 4), "material": (109, 3), "color": (11, 4)}
CONCEPTS = sum(concepts for concepts, _ in CATEGORIES.values())
_CELL = 4  # a map is of squares of so many pixels


def make_long(root: Path, images: int, seed: int = 0) -> None:
    """Write a data set in Broden's layout.

    Args:
        root: the folder, which is made.
        images: N pictures, each with a file for every map of its own: their first n are those of n pictures.
        seed: of what they show.
    """
    (root / "images").mkdir(parents=True)
    first, number = {}, 1
    with (root / "label.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["number", "name", "category"])
        for category, (concepts, _) in CATEGORIES.items():
            first[category] = number
            for at in range(concepts):
                table.writerow([number, f"{category} {at}", category])
                number += 1
    with (root / "index.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "split", "ih", "iw", "sh", "sw", *CATEGORIES])
        for image in range(images):
            cells = _image(root / "images", image, first, np.random.default_rng([seed, image]))
            table.writerow([f"{image:06d}.png", "val", SIDE, SIDE, GRID, GRID, *cells])


def _image(folder: Path, image: int, first: dict[str, int], rng: np.random.Generator) -> list[str]:
    """Write a picture and its maps; its cells in the index."""
    pixels = np.kron(rng.integers(0, 256, (SIDE // _CELL, SIDE // _CELL, 3)), np.ones((_CELL, _CELL, 1)))
    _write(folder / f"{image:06d}.png", pixels.astype(np.uint8))
    cells = []
    for category, (concepts, shown) in CATEGORIES.items():
        labels = first[category] + rng.integers(0, concepts, shown)
        squares = rng.choice([0, *labels], (GRID // _CELL, GRID // _CELL))
        name = f"{image:06d}_{category}.png"
        _write(folder / name, _encoded(np.kron(squares, np.ones((_CELL, _CELL), np.int64))))
        cells.append(name)
    return cells


def _encoded(numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    """As Broden's masks hold label numbers: R + 256·G."""
    return np.stack([numbers % 256, numbers // 256, np.zeros_like(numbers)], -1).astype(np.uint8)


def _write(path: Path, pixels: NDArray[np.uint8]) -> None:
    Image.fromarray(pixels).save(path, compress_level=1)
