"""Pictures of one colour each, with classes: what a detector of colours answers is known beforehand."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.planted_dataset import write_tables

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}


class Picture(NamedTuple):
    """One flat picture: its colour, the class it is listed for ("" for none), and its split."""

    colour: str
    name: str
    split: str = "val"


# A detector of red, green and blue is right in 3 of 4 red, 2 of 3 green, 1 of 1 blue; white is no output.
PICTURES = (
    *[Picture("red", "red")] * 3,
    Picture("green", "red"),
    *[Picture("green", "green")] * 2,
    Picture("blue", "green"),
    Picture("blue", "blue"),
    Picture("white", "white"),
    Picture("blue", ""),
    *[Picture("red", "red", "train")] * 2,
    Picture("red", "green", "train"),
)


def write_pictures(root: Path, pictures: Sequence[Picture] = PICTURES, size: int = 16) -> Path:
    """A data set in Broden's layout, image i called `i.png`, with classes.csv; the folder."""
    (root / "images").mkdir(parents=True)
    rows = []
    for index, picture in enumerate(pictures):
        flat = np.full((size, size, 3), COLOURS[picture.colour], np.uint8)
        Image.fromarray(flat).save(root / "images" / f"{index}.png")
        sizes = dict.fromkeys(("ih", "iw", "sh", "sw"), size)
        rows.append({"image": f"{index}.png", "split": picture.split, **sizes, "object": "1"})
    write_tables(root, rows, [(1, "whole picture", ("object",))])
    write_classes(root, [(f"{index}.png", one.name) for index, one in enumerate(pictures) if one.name])
    return root


def write_photos(root: Path, classes: Mapping[str, str], size: int = 16) -> Path:
    """A plain folder with classes.csv: pictures called `red/1.png` of that colour; the folder."""
    for name in classes:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        colour = COLOURS.get(file.parent.name, COLOURS["red"])
        Image.new("RGB", (size, size), colour).save(file)
    write_classes(root, [(name, one) for name, one in classes.items() if one])
    return root


def write_classes(
    root: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = ("image", "class")
) -> None:
    """classes.csv as given, right or wrong."""
    with (root / "classes.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
