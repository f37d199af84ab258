"""Reading the tables of a Broden-layout folder: index.csv, label.csv, category.csv and c_*.csv.

Layout (Bau et al. 2017, as their release documents it):
    index.csv     image,split,ih,iw,sh,sw, then one column per category. A cell holds nothing, or items
                  separated by `;`: a mask file below images/, or a number that labels the whole image.
                  sh,sw are the size of the row's masks; where rows differ, all are read on one grid.
    label.csv     number,name,category[,frequency,coverage,syns]; category is `object(12);part(3)`.
    category.csv  optional here: where it exists, index.csv's other columns (notes, say) are no categories.
    c_*.csv       optional: one dense list of labels per category; it may add a label to its category.

Every mistake raises DatasetError with one line: the file and line, the value, what was expected, the remedy.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median_low

from interpret_core.datasets.image_records import ImageRecords
from interpret_core.datasets.layouts.base import Layout
from interpret_core.datasets.layouts.names import DiskNames
from interpret_core.datasets.sheets import numbered_rows, read_text, whole_number
from interpret_core.datasets.tables import (
    CATEGORY_ORDER,
    CLASSES,
    IMAGES,
    INDEX,
    MAX_LABEL,
    MAX_PIXELS,
    ImageRecord,
    Label,
    Tables,
)
from interpret_core.errors import DatasetError

LARGEST = 4_000_000  # pixels of a grid: counting on more would take more memory than most machines have
GRID = 112  # at most, of a side of the grid for masks of several sizes
DIGITS = 18  # of a number that fits into 64 bits; label numbers have at most five
PADDED = 10  # digits of a number, zeros in front included, that was once cut off
_SIZES = ("ih", "iw", "sh", "sw")
_NOT_CATEGORIES = frozenset({"image", "split", *_SIZES})
_CATEGORY = re.compile(r"\s*([^();]+?)\s*(?:\(\s*(\d+)\s*\))?\s*")
# Broden marks colours `grey-c` and scenes `street-s` to keep them apart from objects of the same name.
_SUFFIXES = {"color": "-c", "scene": "-s"}


class BrodenLayout(Layout):
    """Tables, and masks below images/."""

    expects = f"{INDEX} (annotated, Broden's layout: {INDEX}, label.csv, images/)"

    def recognises(self, root: Path) -> bool:
        """By its index."""
        return (root / INDEX).is_file()

    def read(self, root: Path) -> Tables:
        """All tables."""
        return read_tables(root)


def read_tables(root: Path) -> Tables:
    """Read and check every table below `root`.

    Raises:
        DatasetError: a missing table, or a value that contradicts the layout.
    """
    digests: dict[str, str] = {}
    texts = {name: read_text(root / name, digests) for name in (INDEX, "label.csv")}
    optional = [root / "category.csv", root / CLASSES, *sorted(root.glob("c_*.csv"))]
    texts |= {path.name: read_text(path, digests) for path in optional if path.is_file()}
    dense = {name[2:-4]: text for name, text in texts.items() if name.startswith("c_")}
    labels = _labels(root / "label.csv", texts["label.csv"], dense)
    listed = (
        _listed_categories(root / "category.csv", texts["category.csv"]) if "category.csv" in texts else None
    )
    categories, rows, records = _index(root / "index.csv", texts["index.csv"], listed)
    grid = rows.masks.grid()
    own = None
    if rows.padded:
        digests[f"numbers of {INDEX}"] = "1"  # read as they stand; others keep their digest
    if len(rows.masks.rows) > 1 or grid != rows.masks.first:
        own = rows.masks.first
        digests["masks"] = f"nearest pixels on {grid[0]}×{grid[1]}"
    return Tables(records, labels, categories, grid, digests, classes=texts.get(CLASSES), mask_size=own)


def _labels(path: Path, text: str, dense: Mapping[str, str]) -> dict[int, Label]:
    header, rows = numbered_rows(path, text, ("number", "name", "category"))
    at = {name: header.index(name) for name in ("number", "name", "category")}
    found: dict[int, tuple[str, dict[str, int]]] = {}
    for line, row in rows:
        where = f"{path} line {line}"
        number = whole_number(where, row[at["number"]], "number", MAX_LABEL)
        name = row[at["name"]].strip()
        if not name:
            raise DatasetError(f"{where}: label {number} has no name, expected one: fill the name column.")
        if number in found:
            raise DatasetError(
                f"{where}: label {number} is listed twice, expected once: remove one of the rows."
            )
        found[number] = (name, _label_categories(where, row[at["category"]]))
    if not found:
        raise DatasetError(f"{path} lists no label, expected at least one row: add the labels of the masks.")
    for category, table in dense.items():
        _add_dense(path.parent / f"c_{category}.csv", table, category, found)
    return {
        number: Label(number, _display(name, categories), name, categories)
        for number, (name, categories) in sorted(found.items())
    }


def _label_categories(where: str, cell: str) -> dict[str, int]:
    categories: dict[str, int] = {}
    for part in filter(str.strip, cell.split(";")):
        match = _CATEGORY.fullmatch(part)
        if match is None:
            raise DatasetError(
                f"{where}: category is {cell!r}, expected the form object(12);part(3): correct it."
            )
        categories[match[1]] = int(match[2] or 0)
    return categories


def _add_dense(path: Path, text: str, category: str, found: dict[int, tuple[str, dict[str, int]]]) -> None:
    header, rows = numbered_rows(path, text, ("number",))
    column = header.index("number")
    for line, row in rows:
        number = whole_number(f"{path} line {line}", row[column], "number", MAX_LABEL)
        if number not in found:
            raise DatasetError(
                f"{path} line {line}: label {number} is not in label.csv, "
                "expected one of its numbers: add it there."
            )
        found[number][1].setdefault(category, 0)


def _display(name: str, categories: Mapping[str, int]) -> str:
    for category, suffix in _SUFFIXES.items():
        if category in categories and name.endswith(suffix) and len(name) > len(suffix):
            return name.removesuffix(suffix)
    return name


def _listed_categories(path: Path, text: str) -> frozenset[str]:
    header, rows = numbered_rows(path, text, ("name",))
    column = header.index("name")
    return frozenset(row[column].strip() for _, row in rows)


def _index(
    path: Path, text: str, listed: frozenset[str] | None
) -> tuple[tuple[str, ...], _RowParser, ImageRecords]:
    """Categories of index.csv, what its rows have in common, and its records."""
    header, rows = numbered_rows(path, text, ("image", *_SIZES))
    columns = {name: at for at, name in enumerate(header) if name not in _NOT_CATEGORIES and name}
    categories = tuple(c for c in CATEGORY_ORDER if c in columns) + tuple(
        c for c in columns if c not in CATEGORY_ORDER and (listed is None or c in listed)
    )
    if not categories:
        raise DatasetError(
            f"{path} has no category column, expected at least one "
            "(object, part, material, color …): add one."
        )
    parser = _RowParser(path, header, [(category, columns[category]) for category in categories])
    records = ImageRecords.of(parser.record(line, row) for line, row in rows)
    if not parser.masks.rows:
        raise DatasetError(
            f"{path} lists no image, expected at least one row: add the images of the data set."
        )
    return categories, parser, records


class _MaskSizes:
    """The sizes of masks that the rows state, and the grid on which all are read.

    Masks of one size, of at most `LARGEST` pixels, are read as they are. Otherwise the grid has the median of
    their heights and the median of their widths, at most `GRID` each: as Broden's masks at 224 px.

    Attributes:
        first: (height, width) of the first row's.
        rows: how many rows state each size.
    """

    def __init__(self) -> None:
        self.first = (0, 0)
        self.rows: Counter[tuple[int, int]] = Counter()

    def add(self, size: tuple[int, int]) -> tuple[int, int] | None:
        """Count a row's; gives it where it is not that of the first row."""
        if not self.rows:
            self.first = size
        self.rows[size] += 1
        return None if size == self.first else size

    def grid(self) -> tuple[int, int]:
        """(H, W)."""
        if len(self.rows) == 1 and self.first[0] * self.first[1] <= LARGEST:
            return self.first
        height, width = (
            min(GRID, median_low(size[axis] for size in self.rows.elements())) for axis in (0, 1)
        )
        return height, width


class _RowParser:
    """Rows of index.csv to records; remembers what repeats, since the full Broden has 63,305 rows."""

    def __init__(self, path: Path, header: list[str], categories: list[tuple[str, int]]) -> None:
        self.path = path
        self.masks = _MaskSizes()
        self.padded = False  # whether some number has so many digits
        self._names = DiskNames(path.parent / IMAGES)
        self._image = header.index("image")
        self._split = header.index("split") if "split" in header else None
        self._size_columns = [header.index(name) for name in _SIZES]
        self._categories = categories
        self._sizes: dict[tuple[str, ...], tuple[tuple[int, int], tuple[int, int]]] = {}

    def record(self, line: int, row: list[str]) -> ImageRecord:
        size_cells = tuple(row[at] for at in self._size_columns)
        size, masks = self._sizes.get(size_cells) or self._check_sizes(line, size_cells)
        own = self.masks.add(masks)
        maps = {category: self._items(line, row[at]) for category, at in self._categories if row[at]}
        return ImageRecord(
            image=self._image_file(line, row[self._image]),
            split="" if self._split is None else row[self._split].strip(),
            size=size,
            maps={category: items for category, items in maps.items() if items},
            mask_size=own,
        )

    def _check_sizes(self, line: int, cells: tuple[str, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
        where = f"{self.path} line {line}"
        ih, iw, sh, sw = (
            whole_number(where, cell, name, MAX_LABEL) for cell, name in zip(cells, _SIZES, strict=True)
        )
        for height, width in ((ih, iw), (sh, sw)):
            if height * width > MAX_PIXELS:
                raise DatasetError(
                    f"{where}: {height}×{width} pixels, expected at most {MAX_PIXELS:,} in all: "
                    "scale the image down."
                )
        self._sizes[cells] = (ih, iw), (sh, sw)
        return self._sizes[cells]

    def _items(self, line: int, cell: str) -> tuple[str | int, ...]:
        items: list[str | int] = []
        for item in map(str.strip, cell.split(";")):
            if item.isascii() and item.isdigit():
                self.padded |= len(item) >= PADDED
                items.append(int(item.lstrip("0")[:DIGITS] or "0"))  # zeros in front are none of them
            elif item:
                items.append(self._file(line, item))
        return tuple(item for item in items if item != 0)  # 0 is "unlabelled", as in a mask

    def _image_file(self, line: int, cell: str) -> str:
        """The picture that a cell names; spaces around its name count where a file has them."""
        name = cell.strip()
        found = self._file(line, name)
        return cell if cell != name and self._names.has(cell) and not self._names.has(found) else found

    def _file(self, line: int, name: str) -> str:
        # A table from elsewhere must not make us read outside its folder.
        absolute = name[:1] == "/" or name[1:2] == ":"
        if not name or absolute or "\\" in name or "\0" in name or ".." in name.split("/"):
            raise DatasetError(
                f"{self.path} line {line}: file {name!r}, expected a path below images/ with forward slashes "
                "and without `..`: correct the row."
            )
        return self._names.of(name)
