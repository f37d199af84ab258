"""Palette files: which value or colour of a mask is which label.

Either a table with a header, separated by commas,

    number,name[,category]              for masks of one channel or with a palette
    r,g,b,name[,category]               for colours (also red,green,blue; in any order)

or lines of `R G B name` (CamVid's label_colors.txt), or of names alone, numbered from 0 (codes.txt).
Names that say that nothing is labelled stand for 0: void, unlabelled, background, ignore, other.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from interpret_core.datasets.sheets import numbered_rows, read_text
from interpret_core.datasets.tables import MAX_LABEL
from interpret_core.errors import DatasetError
from interpret_core.importers.base import OBJECT, NewLabel
from interpret_core.importers.values import Colour

NOTHING = frozenset(
    {"void", "unlabelled", "unlabeled", "background", "ignore", "ignored", "other", "unknown", "_background_"}
)
_CHANNELS = (("r", "red"), ("g", "green"), ("b", "blue"))
_NUMBERED = re.compile(r"\d+\s*[\s,;:|=].*|.*[,;:|=\t]\s*\d+\s*,?")  # a number, and a name beside it
_CELLS, _HEADS = re.compile(r"[;\t|]"), frozenset({"name", "names", "label", "labels", "class"})
_COLOUR_LINE = re.compile(r"\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)[\s,]+(.*\S)\s*")


def means_nothing(name: str) -> bool:
    """Whether a label's name says that nothing is labelled: `void`, `__background__`."""
    return name.strip().lower() in NOTHING or name.strip(" _").lower() in NOTHING


@dataclass(frozen=True)
class Palette:
    """What the values of a mask mean.

    Attributes:
        labels: in the file's order; those of nothing are left away.
        numbers: value of a mask -> label number, 0 for nothing; empty where colours tell.
        colours: colour -> label number, 0 for nothing; empty where values tell.
        nothing: names that stand for 0.
    """

    labels: Sequence[NewLabel]
    numbers: dict[int, int]
    colours: dict[Colour, int]
    nothing: Sequence[str]


@dataclass(frozen=True)
class _Row:
    line: int
    name: str
    category: str
    value: int | None = None
    colour: Colour | None = None


def read_palette(path: Path) -> Palette:
    """A palette file.

    Raises:
        DatasetError: missing, of another form, or with a value, colour or number twice.
    """
    if not path.is_file():
        raise DatasetError(f"{path} is missing, expected the file that names the labels: check the path.")
    text = read_text(path, {})
    rows = _table(path, text) if _has_header(text) else _lines(path, text)
    if not rows:
        raise DatasetError(f"{path} names no label, expected at least one: add them.")
    return _palette(path, rows)


def _has_header(text: str) -> bool:
    first = next((line for line in text.splitlines() if line.strip()), "")
    cells = [cell.strip().lower() for cell in next(csv.reader([first]), [])]
    return "name" in cells and len(cells) > 1


def _table(path: Path, text: str) -> list[_Row]:
    header, rows = numbered_rows(path, text, ())
    at = {name.lower(): place for place, name in enumerate(header)}
    channels = [next((at[name] for name in names if name in at), None) for names in _CHANNELS]
    number = next((at[name] for name in ("number", "value", "id", "index") if name in at), None)
    coloured = [place for place in channels if place is not None]
    if (len(coloured) != 3) == (number is None):
        raise DatasetError(
            f"{path} has the columns {', '.join(header)}, expected either number,name or r,g,b,name: keep "
            "those that say how the masks are coded."
        )
    found = []
    for line, row in rows:
        where = f"{path} line {line}"
        name = row[at["name"]].strip()
        category = row[at["category"]].strip() if "category" in at else OBJECT
        if number is not None:
            found.append(_Row(line, name, category, value=_whole(where, row[number], MAX_LABEL)))
        else:
            red, green, blue = (_whole(where, row[place], 255) for place in coloured)
            found.append(_Row(line, name, category, colour=(red, green, blue)))
    return found


def _lines(path: Path, text: str) -> list[_Row]:
    lines = [(line, one.strip()) for line, one in enumerate(text.splitlines(), 1)]
    filled = [(line, one) for line, one in lines if one and not one.startswith("#")]
    matches = [(line, _COLOUR_LINE.fullmatch(one)) for line, one in filled]
    if not any(match for _, match in matches):
        _require_names(path, filled)
        return [_Row(line, name, OBJECT, value=value) for value, (line, name) in enumerate(filled)]
    found = []
    for line, match in matches:
        where = f"{path} line {line}"
        if match is None:
            raise DatasetError(f"{where} is no line `R G B name` as the others are: correct it.")
        red, green, blue = (_whole(where, match[channel], 255) for channel in (1, 2, 3))
        found.append(_Row(line, match[4], OBJECT, colour=(red, green, blue)))
    return found


def _require_names(path: Path, filled: Sequence[tuple[int, str]]) -> None:
    """Refuse what would be taken for names and is something else: each would get its line's number."""
    rows = [(line, one) for line, one in filled if _NUMBERED.fullmatch(one)]
    heads = [{cell.strip().lower() for cell in _CELLS.split(one)} for _, one in filled[:1]]
    several = any(len(cells) > 1 and cells & _HEADS for cells in heads)
    if several or (rows and len(rows) >= len(filled) - 1) or any(one[0] in "{[<" for _, one in filled):
        line, one = (rows or list(filled))[0]
        raise DatasetError(
            f"{path} line {line} is {one!r}, which looks like more than a name, expected names alone, or a "
            "table with commas: write number,name (or r,g,b,name) as its first line."
        )


def _whole(where: str, text: str, most: int) -> int:
    stripped = text.strip()
    value = int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) < 10 else -1
    if not 0 <= value <= most:
        raise DatasetError(f"{where} has {text!r}, expected a whole number from 0 to {most}: correct it.")
    return value


def _palette(path: Path, rows: list[_Row]) -> Palette:
    """Label numbers: a mask's own values, one more where 0 is a label; of colours, the place in the file."""
    named = [row for row in rows if row.name.lower() not in NOTHING and row.category]
    shift = int(any(row.value == 0 for row in named))
    numbers: dict[int, int] = {}
    colours: dict[Colour, int] = {}
    labels, by_name = [], dict[tuple[str, str], int]()
    for row in rows:
        told = row.value if row.colour is None else row.colour
        if told in (numbers if row.colour is None else colours):
            raise DatasetError(
                f"{path} line {row.line}: {told} is listed twice, expected once: remove one of the lines."
            )
        number = 0
        if row in named:
            # Several colours may be one label. Several values of one name stay apart, by their numbers.
            own = len(by_name) + 1 if row.value is None else row.value + shift
            number = own if row.value is not None else by_name.setdefault((row.name, row.category), own)
            if number == own:
                labels.append(NewLabel(number, row.name, row.category))
        if row.colour is not None:
            colours[row.colour] = number
        elif row.value is not None:
            numbers[row.value] = number
    if not labels:
        raise DatasetError(f"{path} names no label beside {', '.join(row.name for row in rows)}: add them.")
    nothing = [row.name for row in rows if row not in named]
    return Palette(labels, numbers, colours, nothing)
