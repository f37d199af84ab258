"""Rendered scenes in Broden's layout: pictures, annotation maps, tables and the class of every picture.

    python -m demo.scenes.broden FOLDER demo/dataset

FOLDER is what `python -m demo.scenes.build dataset FOLDER` made. The same pictures give the same files.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.datasets.colours import COLOUR_NAMES, name_indices
from interpret_core.datasets.pictures import shrink

MAPS = ("color", "object", "part", "material")
SPLITS = ("train", "val")
SUFFIX = {"color": "-c", "scene": "-s"}  # as Broden tells a colour from an object of the same name


@dataclass
class Labels:
    """Numbers of names, given in the order of their first use; one name has one number in all categories.

    Attributes:
        numbers: name -> number, from 1 on.
        images, coverage: by (category, name), how many images hold it and the share of pixels, summed.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    images: Counter[tuple[str, str]] = field(default_factory=Counter)
    coverage: defaultdict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))

    def plane(self, category: str, names: NDArray[np.str_]) -> NDArray[np.uint16]:
        """(H, W) numbers of (H, W) names, 0 for the empty one."""
        found, inverse, counts = np.unique(names, return_inverse=True, return_counts=True)
        number = np.zeros(len(found), np.uint16)
        for place, (name, count) in enumerate(zip(found.tolist(), counts.tolist(), strict=True)):
            if name:
                number[place] = self.note(category, name, count / names.size)
        return number[inverse].reshape(names.shape)

    def note(self, category: str, name: str, share: float) -> int:
        """Count one image with that share of a name; returns its number."""
        full = name + SUFFIX.get(category, "")
        self.images[category, full] += 1
        self.coverage[category, full] += share
        return self.numbers.setdefault(full, len(self.numbers) + 1)

    def rows(self) -> Iterable[dict[str, object]]:
        """Rows of label.csv."""
        for name, number in self.numbers.items():
            within = [category for category in (*MAPS, "scene") if (category, name) in self.images]
            yield {
                "number": number,
                "name": name,
                "category": ";".join(f"{category}({self.images[category, name]})" for category in within),
                "frequency": sum(self.images[category, name] for category in within),
                "coverage": f"{sum(self.coverage[category, name] for category in within):.4f}",
                "syns": "",
            }

    def categories(self) -> Iterable[dict[str, object]]:
        """Rows of category.csv."""
        for category in (*MAPS, "scene"):
            within = [self.numbers[name] for kind, name in self.images if kind == category]
            yield {
                "name": category,
                "first": min(within),
                "last": max(within),
                "count": len(within),
                "frequency": sum(count for (kind, _), count in self.images.items() if kind == category),
            }


def write(scenes: Path, root: Path, classes: Sequence[str]) -> Labels:
    """Turn what `build` rendered into a data set.

    Args:
        scenes: folder with a folder per class: NNNNNN.jpg and NNNNNN.npz.
        root: of the data set, created.
        classes: names of the folders; every second picture of each goes to the split "val".
    """
    labels, rows, listed = Labels(), [], []
    for name in classes:
        for place, picture in enumerate(sorted((scenes / name).glob("*.jpg"))):
            row = _picture(picture, root, name, labels)
            rows.append({**row, "split": SPLITS[place % 2]})
            listed.append({"image": row["image"], "class": name})
    columns = ("image", "split", "ih", "iw", "sh", "sw", *MAPS, "scene")
    _table(root / "index.csv", columns, rows)
    _table(root / "label.csv", ("number", "name", "category", "frequency", "coverage", "syns"), labels.rows())
    _table(root / "category.csv", ("name", "first", "last", "count", "frequency"), labels.categories())
    _table(root / "classes.csv", ("image", "class"), listed)
    return labels


def _picture(picture: Path, root: Path, name: str, labels: Labels) -> dict[str, object]:
    annotation = np.load(picture.with_suffix(".npz"))
    folder = root / "images" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / picture.name).write_bytes(picture.read_bytes())
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    height, width = annotation["object"].shape
    colours = np.array(COLOUR_NAMES)[name_indices(shrink(pixels, (height, width)))]
    row: dict[str, object] = {
        "image": f"{name}/{picture.name}",
        "ih": pixels.shape[0],
        "iw": pixels.shape[1],
        "sh": height,
        "sw": width,
        "scene": labels.note("scene", str(annotation["setting"]).replace("_", " "), 1.0),
    }
    for category in MAPS:
        names = colours if category == "color" else annotation[category]
        mask = f"{name}/{picture.stem}_{category}.png"
        _save(root / "images" / mask, labels.plane(category, names))
        row[category] = mask
    return row


def _save(path: Path, numbers: NDArray[np.uint16]) -> None:
    """The label numbers themselves as grey, of 8 bits where they fit."""
    small = int(numbers.max()) <= np.iinfo(np.uint8).max
    Image.fromarray(numbers.astype(np.uint8) if small else numbers).save(path, optimize=True)


def _table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Write a data set of all the classes in a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", type=Path)
    parser.add_argument("root", type=Path)
    options = parser.parse_args()
    classes = sorted(path.name for path in options.scenes.iterdir() if path.is_dir())
    labels = write(options.scenes, options.root, classes)
    counts = Counter(category for category, _ in labels.images)
    print(", ".join(f"{category}: {counts[category]} labels" for category in (*MAPS, "scene")))


if __name__ == "__main__":
    main()
