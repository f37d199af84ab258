"""What an image file says of its samples, where Pillow's mode does not tell: bits, sign, scale.

Pillow gives most of what has more than eight bits in one of two ways: grey as numbers whose range the mode
does not state, colours by their high byte alone. Both are right only together with what the file itself says.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from interpret_core.datasets import bitmaps

UNSIGNED, SIGNED, FLOAT = "unsigned", "signed", "floating-point"
_TIFF_KINDS = {1: UNSIGNED, 2: SIGNED, 3: FLOAT, 4: UNSIGNED}
_ASSOCIATED, _YCBCR = 1, 6
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by a PNG's colour type; of a palette, sBIT means its colours
# PNG's colour type -> Pillow's mode and the raw modes that give the high and the low byte of 16-bit samples;
# those of grey with alpha are read as four bytes.
_WIDE_PNG = {
    2: ("RGB", ("RGB;16B", "RGB;16L")),
    4: ("RGBA", ("RGBA",)),
    6: ("RGBA", ("RGBA;16B", "RGBA;16L")),
}


@dataclass(frozen=True)
class Samples:
    """What a file says of its samples.

    Attributes:
        bits: of a sample, as stored.
        kind: UNSIGNED, SIGNED or FLOAT.
        largest: the number that stands for white, None for 2^bits − 1.
        start: of a binary PGM or PPM, where its numbers begin in the file.
        significant: bits of each channel that a PNG of 8 or 16 says are its own (sBIT), () where it says
            nothing, or nothing less.
        white_is_zero: 0 is white; Pillow turns that round for up to eight bits.
        associated: colours multiplied by their alpha, which Pillow divides again.
        ycbcr: a TIFF's YCbCr colours, which Pillow gives as RGB.
        grey: a PNG's grey, with or without alpha; Pillow gives 16-bit grey with alpha as RGBA.
    """

    bits: int = 8
    kind: str = UNSIGNED
    largest: int | None = None
    start: int | None = None
    significant: tuple[int, ...] = ()
    white_is_zero: bool = False
    associated: bool = False
    ycbcr: bool = False
    grey: bool = False


def samples_of(image: Image.Image, content: bytes) -> Samples:
    """What the file says.

    Args:
        image: opened, not loaded.
        content: the file's bytes.
    """
    if image.format == "PNG":
        return _of_png(content)
    if image.format == "TIFF":
        return _of_tiff(image)
    if image.format == "PPM":
        return _of_ppm(image)
    if image.format == "JPEG2000":
        return _of_jpeg2000(content)
    if image.format in (*bitmaps.BMP, "TGA"):
        return Samples(bitmaps.colour_bits(image, content))
    return Samples()


def wide_png(content: bytes) -> NDArray[np.uint16]:
    """(h, w, channels) samples of a 16-bit PNG with all their bits; Pillow keeps the high byte of colours."""
    colour = content[25]
    if colour not in _WIDE_PNG:
        with Image.open(BytesIO(content)) as image:
            return np.asarray(image).astype(np.uint16)[..., None]
    mode, rawmodes = _WIDE_PNG[colour]
    parts = []
    for rawmode in rawmodes:
        with Image.open(BytesIO(content)) as image:
            image._mode = mode
            image.tile = [tile._replace(args=rawmode) for tile in image.tile]
            parts.append(np.asarray(image).astype(np.uint16))
    if len(parts) == 1:
        return parts[0][..., 0::2] << np.uint16(8) | parts[0][..., 1::2]
    return parts[0] << np.uint16(8) | parts[1]


def stored_pgm(content: bytes, size: tuple[int, int], samples: Samples) -> NDArray[np.int64]:
    """(h, w) numbers of a binary PGM as they are stored; Pillow scales them, and clips those above `largest`.

    Args:
        content: the file's bytes.
        size: (width, height).
        samples: what the file says, with `start` and `largest`.

    Raises:
        ValueError: it breaks off.
    """
    kind = np.dtype("u1" if (samples.largest or 0) < 256 else ">u2")
    numbers = np.frombuffer(content, kind, size[0] * size[1], samples.start or 0)
    return numbers.reshape(size[1], size[0]).astype(np.int64)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and body of a PNG's chunks before its pixels."""
    at = 8
    while at + 8 <= len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        if name == b"IDAT":
            return
        yield name, content[at + 8 : at + 8 + length]
        at += 12 + length


def _of_png(content: bytes) -> Samples:
    bits, colour = content[24], content[25]
    stated = tuple(next((body for name, body in _chunks(content) if name == b"sBIT"), b""))
    sound = len(stated) == _CHANNELS.get(colour) and all(1 <= own <= bits for own in stated)
    fewer = sound and bits in (8, 16) and min(stated) < bits
    return Samples(bits, significant=stated if fewer else (), grey=colour in (0, 4))


def _of_tiff(image: Any) -> Samples:
    tags: Mapping[int, Any] = image.tag_v2
    bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    kinds = tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))
    colours = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0)
    return Samples(
        max(bits),
        next((kind for kind in (FLOAT, SIGNED) if kind in {_TIFF_KINDS.get(one) for one in kinds}), UNSIGNED),
        white_is_zero=colours == 0,
        ycbcr=colours == _YCBCR,
        associated=_ASSOCIATED in tags.get(TiffImagePlugin.EXTRASAMPLES, ()),
    )


def _of_ppm(image: Any) -> Samples:
    (decoder, _, start, args), *_ = image.tile
    if image.mode in ("1", "F"):
        return Samples(1 if image.mode == "1" else 32, UNSIGNED if image.mode == "1" else FLOAT)
    largest = args[-1] if isinstance(args, tuple) else 65535 if image.mode == "I" else 255
    begins = None if decoder == "ppm_plain" else start
    return Samples(int(largest).bit_length(), largest=int(largest), start=begins)


def _of_jpeg2000(content: bytes) -> Samples:
    """From the codestream's SIZ marker: the precision of each component."""
    at = content.find(b"\xff\x4f\xff\x51") + 2
    (components,) = struct.unpack(">H", content[at + 38 : at + 40])
    stated = content[at + 40 : at + 40 + 3 * components : 3]
    return Samples(max((one & 0x7F) + 1 for one in stated), SIGNED if stated[0] & 0x80 else UNSIGNED)
