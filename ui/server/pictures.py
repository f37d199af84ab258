"""Pictures and masks for the browser: JPEG bytes, patches around a peak, run-length masks."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.positions import GridLines

THUMBNAIL = 112
PHOTO = 448


def jpeg(pixels: NDArray[np.uint8], longest: int | None = None, quality: int = 86) -> bytes:
    """JPEG bytes of an (h, w, 3) image, made no larger than `longest`."""
    image = Image.fromarray(pixels)
    if longest and max(image.size) > longest:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def patch_box(
    peak: int, grid: tuple[int, int], size: tuple[int, int], share: float, lines: GridLines | None = None
) -> tuple[int, int, int, int]:
    """The square around a unit's peak, pushed back inside the photograph.

    Args:
        peak: y·w + x on the activation grid.
        grid: (h, w) of the activation grid.
        size: (height, width) of the photograph.
        share: side of the patch over the photograph's shorter side.
        lines: where the grid lies in the photograph; without them it is spread evenly.

    Returns:
        left, upper, right, lower in pixels.
    """
    height, width = size
    row, column = divmod(max(0, peak), grid[1])
    side = max(1, round(min(height, width) * share))
    lines = lines or GridLines.evenly(grid)
    centre_y, centre_x = lines.rows.share(row) * height, lines.columns.share(column) * width
    left = round(min(max(0.0, centre_x - side / 2), width - side))
    upper = round(min(max(0.0, centre_y - side / 2), height - side))
    return left, upper, left + side, upper + side


def patch_share(receptive_field: int | None, input_side: int) -> float:
    """How much of the photograph a tile shows: the receptive field, but a fifth at least and 60 % at most.

    A smaller patch would be a blur of a few pixels, a larger one no longer says where the unit looked.
    """
    field = input_side if receptive_field is None else receptive_field
    return min(0.6, max(0.2, field / max(1, input_side)))


def thumbnail(pixels: NDArray[np.uint8], box: tuple[int, int, int, int]) -> bytes:
    """JPEG of a patch at the tile's size."""
    image = Image.fromarray(pixels).crop(box).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
