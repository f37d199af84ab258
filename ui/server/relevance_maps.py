"""Integrated gradients as pictures to lay over a photograph: see-through where nothing is."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.figures.scales import AGAINST, FOR, SIZES, lookup
from interpret_core.measures.attribution.units import upsampling
from interpret_core.positions import GridLines

LONGEST = 448  # as photographs are shown
STRONGEST = 0.88  # opacity of the largest value
PIXEL_QUANTILE = 0.995  # single pixels stand out far: the scale of a pixel map ends below them


def size_picture(grid: NDArray[np.floating], shape: tuple[int, int], lines: GridLines | None = None) -> bytes:
    """PNG of a map of sizes ≥ 0, its own largest value at full strength.

    Args:
        grid: (h, w) of the activation grid.
        shape: (H, W) of the picture; the map is resampled bilinearly, as R is computed.
        lines: where the grid lies in it; without them it is spread evenly.
    """
    table = lookup(SIZES)
    share = _over(upsampled(grid, shape, lines))
    return _png(table[np.round(255 * share).astype(np.uint8)], share)


def signed_picture(
    grid: NDArray[np.floating],
    shape: tuple[int, int],
    quantile: float = 1.0,
    lines: GridLines | None = None,
) -> bytes:
    """PNG of a map of signed values: orange speaks for the class, blue against it.

    Args:
        grid: (h, w).
        shape: (H, W) of the picture.
        quantile: of the absolute values, where the scale ends.
        lines: where the grid lies in the picture; without them it is spread evenly.
    """
    wide = upsampled(grid, shape, lines)
    share = _over(np.abs(wide), quantile)
    step = np.round(255 * share).astype(np.uint8)
    return _png(np.where((wide >= 0)[..., None], lookup(FOR)[step], lookup(AGAINST)[step]), share)


def upsampled(
    grid: NDArray[np.floating], shape: tuple[int, int], lines: GridLines | None = None
) -> NDArray[np.float32]:
    """(H, W), bilinear between the positions; a grid that is spread evenly, and finer than the picture, is
    averaged down.
    """
    if lines is not None:
        rows = upsampling(grid.shape[0], shape[0], lines.rows)
        columns = upsampling(grid.shape[1], shape[1], lines.columns)
        return np.asarray(rows @ grid @ columns.T, np.float32)
    image = Image.fromarray(np.ascontiguousarray(grid, np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR), np.float32)


def picture_shape(annotation: tuple[int, int]) -> tuple[int, int]:
    """(H, W) of a picture in the annotation's proportions, no larger than photographs are shown."""
    height, width = annotation
    scale = LONGEST / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _over(sizes: NDArray[np.float32], quantile: float = 1.0) -> NDArray[np.float64]:
    """Sizes over their largest (or a quantile), at most 1; all zeros stay zero."""
    top = float(np.quantile(sizes, quantile)) or float(sizes.max(initial=0))
    return np.clip(sizes / top, 0, 1).astype(np.float64) if top > 0 else np.zeros(sizes.shape)


def _png(colours: NDArray[np.uint8], share: NDArray[np.float64]) -> bytes:
    # The root lifts faint parts: with opacity in proportion, a tenth of the largest could not be seen.
    alpha = np.round(255 * STRONGEST * np.sqrt(share)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([colours, alpha])).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
