"""TIFF and PNG files written byte by byte, in layouts and depths that Pillow does not write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

GREY, INVERTED, RGB, PALETTE, CMYK, YCBCR, LAB = 1, 0, 2, 3, 5, 6, 8  # photometric interpretations
UNSIGNED, SIGNED, FLOAT = 1, 2, 3  # sample formats
SHORT, LONG, BYTES, LONG8 = 3, 4, 7, 16

# What turns an upright picture into the one that is stored with an orientation.
UNTURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def unturned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(h, w, …) pixels as they are stored with an orientation, by Pillow's own turns of their indices."""
    places = np.arange(pixels.shape[0] * pixels.shape[1], dtype=np.int32).reshape(pixels.shape[:2])
    image = Image.fromarray(places)
    stored = np.asarray(image.transpose(UNTURN[orientation]) if orientation in UNTURN else image)
    return pixels.reshape(-1, *pixels.shape[2:])[stored]


@dataclass(frozen=True)
class Tiff:
    """How a TIFF is stored.

    Attributes:
        bits: of each sample; 1, 2, 4, 10, 12 are packed, the highest bit first.
        colours: photometric interpretation.
        kind: sample format.
        order: "<" or ">".
        tile: (height, width) of tiles; None for strips of `rows` rows.
        planar: whether each channel is stored by itself.
        deflate: whether strips or tiles are compressed.
        extra: of each extra channel, what it is (0 unspecified, 1 associated, 2 unassociated alpha).
        tags: further ones: number -> (type, values) or bytes.
    """

    bits: int = 8
    colours: int = GREY
    kind: int = UNSIGNED
    order: str = "<"
    big: bool = False
    tile: tuple[int, int] | None = None
    rows: int = 1 << 20
    planar: bool = False
    deflate: bool = False
    extra: tuple[int, ...] = ()
    tags: tuple[tuple[int, int, tuple[int, ...] | bytes], ...] = ()

    def write(self, samples: np.ndarray, orientation: int | None = None) -> bytes:
        """(h, w) or (h, w, channels) numbers as a file."""
        planes = samples[..., None] if samples.ndim == 2 else samples
        height, width, channels = planes.shape
        parts = [planes[..., at : at + 1] for at in range(channels)] if self.planar else [planes]
        pieces = [self._packed(piece) for part in parts for piece in self._pieces(part)]
        tags: list[tuple[int, int, Any]] = [
            (256, LONG, (width,)),
            (257, LONG, (height,)),
            (258, SHORT, (self.bits,) * channels),
            (259, SHORT, (8 if self.deflate else 1,)),
            (262, SHORT, (self.colours,)),
            (277, SHORT, (channels,)),
            (284, SHORT, (2 if self.planar else 1,)),
            (339, SHORT, (self.kind,) * channels),
            *self.tags,
        ]
        if orientation is not None:
            tags.append((274, SHORT, (orientation,)))
        if self.extra:
            tags.append((338, SHORT, self.extra))
        if self.tile is None:
            tags += [(278, LONG, (min(self.rows, height),)), (279, LONG, [len(piece) for piece in pieces])]
        else:
            tags += [(322, LONG, (self.tile[1],)), (323, LONG, (self.tile[0],))]
            tags.append((325, LONG, [len(piece) for piece in pieces]))
        return self._file(tags, pieces, 273 if self.tile is None else 324)

    def _pieces(self, part: np.ndarray) -> list[np.ndarray]:
        if self.tile is None:
            return [part[at : at + self.rows] for at in range(0, len(part), self.rows)]
        high, wide = self.tile
        padding = ((0, -part.shape[0] % high), (0, -part.shape[1] % wide), (0, 0))
        whole = np.pad(part, padding)
        return [
            whole[y : y + high, x : x + wide]
            for y in range(0, whole.shape[0], high)
            for x in range(0, whole.shape[1], wide)
        ]

    def _packed(self, piece: np.ndarray) -> bytes:
        if self.bits in (8, 16, 32):
            letter = "f" if self.kind == FLOAT else "i" if self.kind == SIGNED else "u"
            content = piece.astype(f"{self.order}{letter}{self.bits // 8}").tobytes()
        else:
            numbers = piece.reshape(len(piece), -1).astype(np.uint32)
            shifts = np.arange(self.bits - 1, -1, -1, dtype=np.uint32)
            digits = (numbers[..., None] >> shifts & 1).astype(np.uint8)
            content = np.packbits(digits.reshape(len(piece), -1), axis=1).tobytes()
        return zlib.compress(content) if self.deflate else content

    def _file(self, tags: list[tuple[int, int, Any]], pieces: Sequence[bytes], places: int) -> bytes:
        order, head = self.order, 16 if self.big else 8
        body, offsets = b"", []
        for piece in pieces:
            offsets.append(head + len(body))
            body += piece + b"\0" * (len(piece) % 2)
        tags = sorted([*tags, (places, LONG, offsets)])
        count, entry, word = ("Q", 20, "Q") if self.big else ("H", 12, "I")
        start = head + len(body)
        after = start + struct.calcsize(order + count) + entry * len(tags) + struct.calcsize(order + word)
        table, values = b"", b""
        for number, kind, given in tags:
            letter = {SHORT: "H", LONG: "I", BYTES: "B"}[kind]
            content = bytes(given) if kind == BYTES else struct.pack(f"{order}{len(given)}{letter}", *given)
            room = struct.calcsize(order + word)
            if len(content) > room:
                field = struct.pack(order + word, after + len(values))
                values += content + b"\0" * (len(content) % 2)
            else:
                field = content.ljust(room, b"\0")
            table += struct.pack(f"{order}HH{word}", number, kind, len(given)) + field
        mark = b"II" if order == "<" else b"MM"
        if self.big:
            header = mark + struct.pack(f"{order}HHHQ", 43, 8, 0, start)
        else:
            header = mark + struct.pack(f"{order}HI", 42, start)
        return (
            header
            + body
            + struct.pack(order + count, len(tags))
            + table
            + struct.pack(order + word, 0)
            + values
        )


def png(
    samples: np.ndarray,
    bits: int,
    before: Sequence[tuple[bytes, bytes]] = (),
    after: Sequence[tuple[bytes, bytes]] = (),
) -> bytes:
    """A PNG of (h, w) grey, or (h, w, 2 to 4) grey with alpha, RGB or RGBA, with chunks around its pixels."""
    planes = samples[..., None] if samples.ndim == 2 else samples
    height, width, channels = planes.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    if bits == 16:
        rows = [row.astype(">u2").tobytes() for row in planes]
    elif bits == 8:
        rows = [row.astype(np.uint8).tobytes() for row in planes]
    else:
        shifts = np.arange(bits - 1, -1, -1)
        rows = [
            np.packbits((row[..., None] >> shifts & 1).astype(np.uint8).ravel()).tobytes() for row in planes
        ]
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *before, (b"IDAT", pixels), *after, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def bmp(numbers: np.ndarray, bits: int, greys: Sequence[int]) -> bytes:
    """(h, w) indices into a palette of greys, or with 16 bits the pixels themselves; the lowest row first."""
    height, width = numbers.shape
    digits = (numbers[::-1, :, None] >> np.arange(bits - 1, -1, -1) & 1).astype(np.uint8)
    if bits == 16:
        digits = np.roll(digits, 8, 2)  # the low byte first
    rows = np.packbits(digits.reshape(height, -1), axis=1)
    pixels = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4))).tobytes()
    palette = bytes(part for grey in greys for part in (grey, grey, grey, 0))
    start = 54 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, len(pixels), 0, 0, len(greys), 0)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + palette + pixels
