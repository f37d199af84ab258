"""What the pixels of a source's masks hold, before anybody says which label they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.datasets import bitmaps, tiffs
from interpret_core.datasets.contents import read_content
from interpret_core.datasets.decoder import NotReadError, decode
from interpret_core.datasets.pictures import upright
from interpret_core.datasets.samples import Samples, samples_of, wide_png
from interpret_core.errors import DamagedFileError

_KEEPING = ("PNG", "BMP", "DIB", "GIF", "PPM", "TIFF", "TGA")
_LOSSY_IN_TIFF = ("tiff_jpeg", "jpeg", "webp")
_COLOURS = ("RGB", "RGBA", "RGBX")
_BLOCK = 1 << 20  # pixels
_S = TypeVar("_S", bound=np.generic)
Colour = tuple[int, int, int]


def index_values(path: Path) -> NDArray[np.int64]:
    """(h, w) int64: the values of a mask with one channel, or the indices of one with a palette.

    Raises:
        DamagedFileError: missing, damaged, in a format that alters numbers, or of colours.
    """
    return _read(path, _indices)


def colour_values(path: Path) -> NDArray[np.uint8]:
    """(h, w, 3) uint8: the colours of a mask; a palette's where it has one, grey three times.

    Raises:
        DamagedFileError: missing, damaged, in a format that alters colours, or of more than 8 bits a colour.
    """
    return _read(path, _colours)


def number_values(path: Path) -> NDArray[np.int64]:
    """(h, w) int64: R + 256·G + 65536·B.

    Raises:
        DamagedFileError: as `colour_values`.
    """
    colours = colour_values(path)
    found = colours[..., 2].astype(np.int64)
    for channel in (1, 0):
        found <<= 8
        found += colours[..., channel]
    return found


def has_colours(path: Path) -> bool:
    """Whether a mask holds colours and no indices."""
    return decode("mask", path, read_content("mask", path), lambda image: image.mode in _COLOURS)


def labels_of_colours(
    colours: NDArray[np.uint8], numbers: Mapping[Colour, int], path: Path, remedy: str
) -> NDArray[np.int64]:
    """(h, w) label numbers of (h, w, 3) colours.

    Raises:
        DamagedFileError: a colour that is none of them; how many pixels, and the first.
    """
    known = np.array(sorted((r << 16) + (g << 8) + b for r, g, b in numbers), np.int64)
    of = np.array([numbers[(code >> 16, code >> 8 & 255, code & 255)] for code in known.tolist()], np.int64)
    found = np.empty(colours.shape[:2], np.int64)
    strange = np.empty(colours.shape[:2], np.bool_)
    rows = max(1, _BLOCK // colours.shape[1])
    for start in range(0, len(colours), rows):  # a mask may have as many pixels as its photograph
        block = slice(start, start + rows)
        red, green, blue = (colours[block, :, channel].astype(np.int64) for channel in range(3))
        codes = (red << 16) + (green << 8) + blue
        places = np.minimum(np.searchsorted(known, codes), len(known) - 1)
        found[block], strange[block] = of[places], known[places] != codes
    if strange.any():
        row, column = np.argwhere(strange)[0].tolist()
        colour = ", ".join(map(str, colours[row, column].tolist()))
        raise DamagedFileError(
            f"mask {path} has {int(strange.sum()):,} of {strange.size:,} pixels in colours that no label has "
            f"(the first at row {row}, column {column}: {colour}): {remedy}."
        )
    return found


def _read(path: Path, values: Callable[[Image.Image, Samples, bytes], NDArray[_S]]) -> NDArray[_S]:
    content = read_content("mask", path)

    def convert(image: Image.Image) -> NDArray[_S]:
        if image.format not in _KEEPING or str(image.info.get("compression", "")) in _LOSSY_IN_TIFF:
            raise NotReadError(
                f"is a {image.format}, which may alter label numbers; expected PNG: save it without loss"
            )
        samples = samples_of(image, content)
        tiffs.mend(image)
        bitmaps.mend(image, content)
        image.load()
        return upright(values(image, samples, content), image)

    return decode("mask", path, content, convert)


def _indices(image: Image.Image, samples: Samples, content: bytes) -> NDArray[np.int64]:
    if samples.grey and samples.bits == 16:
        return wide_png(content)[..., 0].astype(np.int64)
    pixels = np.asarray(image).astype(np.int64)
    if image.mode in ("LA", "PA"):
        return pixels[..., 0]
    if image.mode == "L" and samples.bits in (2, 4):  # Pillow has scaled them to 8 bits
        return pixels * ((1 << samples.bits) - 1) // 255
    if image.mode in _COLOURS:
        if (pixels[..., :3] == pixels[..., :1]).all():
            return pixels[..., 0]  # grey that was stored as colours
        raise NotReadError(
            "holds colours; expected one channel or a palette: name the colours in a palette file"
        )
    if image.mode not in ("1", "L", "P") and not image.mode.startswith("I"):
        raise NotReadError(f"holds {image.mode} samples; expected one channel of 8 or 16 bits, or a palette")
    return pixels


def _colours(image: Image.Image, samples: Samples, content: bytes) -> NDArray[np.uint8]:
    if image.mode not in (*_COLOURS, "P", "PA", "L", "LA", "1") or (
        image.mode in _COLOURS and samples.bits != 8
    ):
        raise NotReadError(
            f"holds {samples.bits} bits a sample ({image.mode}); expected RGB of 8 bits a colour"
        )
    colours = image if image.mode in _COLOURS else image.convert("RGBA").convert("RGB")
    return np.asarray(colours)[..., :3]
