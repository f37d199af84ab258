"""BMP and TGA: how many bits a colour has, and what Pillow reads wrongly.

Pillow (13.0) scales colours of five bits to eight, and does not say so. A BMP whose palette is black and
white alone, or a ramp of greys, loses it on the way in, and its 4 or 8 bits a pixel are taken for 1 or 8.
"""

from __future__ import annotations

import struct
from typing import Any

from PIL import Image, ImagePalette

BMP = ("BMP", "DIB")
_FILE_HEADER = 14  # bytes, which a DIB lacks
_OLD = 12  # length of the header whose width and height have two bytes each
_RAW = {4: "P;4", 8: "P"}


def colour_bits(image: Image.Image, content: bytes) -> int:
    """Bits of one colour of a BMP or a TGA without a palette; 8 where it has another depth than 16."""
    depth = _depth(image, content) if image.format in BMP else content[16]
    return 5 if depth == 16 and image.mode in ("RGB", "RGBA") else 8


def coarse_palette(image: Image.Image, content: bytes) -> bool:
    """Whether the colours of a TGA's palette have five bits."""
    return image.format == "TGA" and content[7] == 16


def mend(image: Any, content: bytes) -> None:
    """Prepare an opened, not yet loaded image so that Pillow reads it right; nothing to do for most."""
    if image.format not in BMP or image.mode not in ("1", "L"):
        return
    depth = _depth(image, content)
    if depth not in _RAW or (depth == 8 and image.mode == "L"):
        return
    greys = (0, 255) if image.mode == "1" else range(1 << depth)
    image._mode = "P"
    image.palette = ImagePalette.raw("RGB", bytes(grey for grey in greys for _ in range(3)))
    image.tile = [tile._replace(args=(_RAW[depth], *tile.args[1:])) for tile in image.tile]


def _depth(image: Image.Image, content: bytes) -> int:
    """Bits of a BMP's pixel."""
    at = 0 if image.format == "DIB" else _FILE_HEADER
    (length,) = struct.unpack_from("<I", content, at)
    return int(struct.unpack_from("<H", content, at + (10 if length == _OLD else 14))[0])
