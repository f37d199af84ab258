"""TIFF: where Pillow's own reading is wrong or says nothing, and what is done about it.

Two layouts come out of Pillow (13.0) with wrong numbers and without a word. Uncompressed channels that are
stored one after the other, unless they are plain 8-bit colours: it forgets their depth, so uncompressed files
are read by libtiff like all others (`decoder` sees to it). And signed numbers of a big-endian file: libtiff
gives them in the machine's order. A third, uncompressed and turned, is wrong only where Pillow maps a file
into memory; ours are read from bytes.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import TiffImagePlugin

_NATIVE = {"I;16BS": "I;16NS", "I;32BS": "I;32NS"}


def mend(image: Any) -> None:
    """Prepare an opened, not yet loaded image so that Pillow reads it right; nothing to do for most."""
    if image.format == "TIFF":
        image.tile = [
            tile._replace(args=(_NATIVE.get(tile.args[0], tile.args[0]), *tile.args[1:]))
            for tile in image.tile
        ]


def not_read(content: bytes) -> str:
    """What a sound TIFF is that Pillow does not read, in words that go on after the file's name; else ""."""
    if content[:4] == b"MM\0+":
        return "is a BigTIFF in big-endian order, which is not read"
    try:
        TiffImagePlugin.TiffImageFile(BytesIO(content)).close()
        return ""
    except SyntaxError as error:
        if str(error) != "unknown pixel mode":
            return ""
    except Exception:  # damaged: whoever decodes it says so
        return ""
    stream = BytesIO(content)
    tags = TiffImagePlugin.ImageFileDirectory_v2(stream.read(16 if content[2] == 43 else 8))
    stream.seek(tags.next)
    tags.load(stream)
    return f"is a TIFF of {_samples(tags)}, which is not read"


def _samples(tags: TiffImagePlugin.ImageFileDirectory_v2) -> str:
    """Bits, sign, colours, alpha and byte order, as far as they are unusual."""
    bits = "+".join(str(bits) for bits in tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    kind = {2: " signed", 3: " floating-point"}.get(tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0], "")
    colours = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0)
    of = {0: " in which 0 is white,", 5: " of CMYK", 6: " of YCbCr", 8: " of CIELAB"}.get(colours, "")
    alpha = " with an alpha channel" if {1, 2} & {*tags.get(TiffImagePlugin.EXTRASAMPLES, ())} else ""
    order = " in big-endian order" if tags.prefix == b"MM" else ""
    return f"{bits}{kind} bits{of}{alpha}{order}".rstrip(",")
