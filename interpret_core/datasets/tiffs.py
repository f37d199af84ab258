"""TIFF: where Pillow's own reading is wrong or says nothing, and what is done about it.

Two layouts come out of Pillow (13.0) with wrong numbers and without a word. Uncompressed channels that are
stored one after the other, unless they are plain 8-bit colours: it forgets their depth, so uncompressed files
are read by libtiff like all others (`decoding` sees to it). And signed numbers of a big-endian file: libtiff
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


def stored(content: bytes) -> str:
    """How a TIFF that Pillow does not read stores its samples, in words that go on after the reason."""
    if content[:4] == b"MM\0+":
        return ", a big-endian BigTIFF"
    stream = BytesIO(content)
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(stream.read(16 if content[2] == 43 else 8))
        stream.seek(tags.next)
        tags.load(stream)
        if TiffImagePlugin.IMAGEWIDTH not in tags:
            return ""  # it breaks off before it says anything
        bits = "+".join(str(bits) for bits in tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
        kinds = {2: " signed", 3: " floating-point"}
        kind = kinds.get(tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0], "")
    except Exception:
        return ""
    return f", {bits}{kind} bits; expected unsigned numbers of 8 or 16 bits a colour"
