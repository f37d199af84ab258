"""What a notebook shows of a result: plain HTML that needs nothing else, its pictures within it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.datasets import Dataset
from interpret_core.errors import DatasetError
from interpret_core.tables import Table, cell

SIDE = 112  # pixels, of the longer side
DIM = 0.35  # light outside of a mask
ROWS = 40  # of a table


@dataclass(frozen=True)
class Picture:
    """A picture and its words.

    Attributes:
        words: below it.
        data: its address, the picture itself; empty where it cannot be read.
    """

    words: str
    data: str


def document(facts: Sequence[str], tables: Sequence[Table], pictures: Iterable[Picture]) -> str:
    """Facts, tables and pictures, one after the other."""
    lines = "<br>".join(escape(fact) for fact in facts)
    shown = "".join(_figure(one) for one in pictures)
    row = f'<div style="display:flex;flex-wrap:wrap;gap:8px">{shown}</div>' if shown else ""
    return f"<div><p>{lines}</p>{''.join(map(_table, tables))}{row}</div>"


def picture_of(
    of: tuple[Dataset, str], image: int, words: str, mask: NDArray[np.bool_] | None = None
) -> Picture:
    """A picture of a data set, small, and dark outside of a mask.

    Args:
        of: the data set, and the digest that the result knows it by: of another one nothing is shown.
        image: index into its records.
        words: below it.
        mask: (H, W) bool on the annotation grid.
    """
    dataset, digest = of
    try:
        if dataset.digest != digest:
            return Picture(f"{words} (the data set has changed since)", "")
        pixels = dataset.read_image(image)
    except DatasetError as error:  # a file that is gone is no reason to show no result
        return Picture(f"{words} ({error})", "")
    return Picture(words, _address(_lit(pixels, mask)))


def _lit(pixels: NDArray[np.uint8], mask: NDArray[np.bool_] | None) -> Image.Image:
    picture = Image.fromarray(pixels)
    picture.thumbnail((SIDE, SIDE))
    if mask is None:
        return picture
    lit = Image.fromarray(mask.astype(np.uint8) * 255).resize(picture.size, Image.Resampling.NEAREST)
    light = np.where(np.asarray(lit) > 0, 1.0, DIM)[..., None]
    return Image.fromarray((np.asarray(picture) * light).astype(np.uint8))


def _address(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _figure(picture: Picture) -> str:
    words = escape(picture.words)
    image = f'<img src="{picture.data}" alt="{words}">' if picture.data else ""
    return (
        f'<figure style="margin:0;width:{SIDE}px">{image}'
        f'<figcaption style="font-size:smaller">{words}</figcaption></figure>'
    )


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell(value))}</td>' for value in row)}</tr>"
        for row in list(table.cells)[:ROWS]
    )
    more = len(table.cells) - ROWS
    rest = f"<p>… and {more:,} more rows: to_frame() has all.</p>" if more > 0 else ""
    title = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"
