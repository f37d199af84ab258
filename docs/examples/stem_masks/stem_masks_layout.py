"""A layout: `names.csv` (value, name), pictures `<stem>.png`, and beside each a grey `<stem>.mask.png`.

All masks of a folder have one size; a grey value is the number of a label, 0 is no label.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from interpret_core.datasets.layouts.base import Layout
from interpret_core.datasets.tables import ImageRecord, Label, Tables
from interpret_core.errors import DatasetError

TABLE, MASK, CATEGORY = "names.csv", ".mask", "object"


class StemMasksLayout(Layout):
    """Reads such a folder in place."""

    expects = f"{TABLE} (pictures with grey masks beside them)"
    version = "1"  # raise it where the same files are read as other numbers: it is part of every digest

    def recognises(self, root: Path) -> bool:
        """By its table; no picture is read."""
        return (root / TABLE).is_file()

    def read(self, root: Path) -> Tables:
        """What the folder says: pictures, labels, and for each picture its masks."""
        content = (root / TABLE).read_bytes()
        pictures = [path for path in sorted(root.glob("*.png")) if not path.stem.endswith(MASK)]
        if not pictures:
            raise DatasetError(f"{root} holds no picture, expected <stem>.png beside {TABLE}: add some.")
        records = tuple(
            ImageRecord(path.name, "", None, {CATEGORY: (f"{path.stem}{MASK}.png",)}) for path in pictures
        )
        with Image.open(root / f"{pictures[0].stem}{MASK}.png") as first:
            grid = (first.height, first.width)
        return Tables(
            records=records,
            labels=_labels(content.decode("utf-8-sig"), root / TABLE),
            categories=(CATEGORY,),
            annotation_size=grid,
            digests={TABLE: hashlib.sha256(content).hexdigest()},
            images="",  # pictures lie in the folder itself
            numbers=_numbers,
        )


def _labels(text: str, place: Path) -> dict[int, Label]:
    found: dict[int, Label] = {}
    for line, row in enumerate(csv.DictReader(text.splitlines()), 2):
        if not (row.get("value") or "").isdigit() or not 1 <= int(row["value"]) <= 255:
            raise DatasetError(f"{place} line {line}: value {row.get('value')!r}, expected 1 to 255.")
        number, name = int(row["value"]), row["name"]
        found[number] = Label(number, name, name, {CATEGORY: 0})
    return found


def _numbers(mask: Image.Image) -> np.ndarray:
    """(H, W) label numbers of a decoded mask."""
    return np.asarray(mask.convert("L"))


LAYOUT = StemMasksLayout()
