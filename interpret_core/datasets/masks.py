"""Reading one annotation map as label numbers; every failure names the file and the reason.

    one channel   the value, an alpha channel beside it ignored (bits or grey of 8, 12, 16 or 32 bits)
    palette       the index
    RGB, RGBA     R + 256·G + 65536·B, as in Broden and COCO

A palette may also have been made of a Broden mask by a program that recompresses without loss, and then its
colours are the numbers; grey of 2 or 4 bits may have been made of grey of 8. Such a mask is read the other
way where the first way gives a number that label.csv does not list, and refused where both are possible and
differ. What does not keep numbers, or does not say whether it did (JPEG and its kin, JPEG 2000), or has no
place for them (floating point, CMYK, 5 or 16 bits a colour) is refused. Masks are turned upright like images.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.datasets import bitmaps, tiffs
from interpret_core.datasets.contents import UNKNOWN, read_content
from interpret_core.datasets.decoder import NotReadError, decode
from interpret_core.datasets.pictures import check_size, upright
from interpret_core.datasets.samples import FLOAT, SIGNED, Samples, samples_of, stored_pgm, wide_png
from interpret_core.datasets.tables import MAX_LABEL, Numbers
from interpret_core.errors import DamagedFileError

_LOSSLESS = frozenset({"PNG", "TIFF", "BMP", "DIB", "GIF", "WEBP", "PPM", "TGA", "PCX", "QOI"})
_LOSSY_IN_TIFF = frozenset({"tiff_jpeg", "jpeg", "webp"})
_VOID = (255, 65535)  # numbers that often stand for "not to be counted"
_LOSSLESSLY = "expected PNG: save it losslessly"
_ONE_CHANNEL = (
    "expected one channel, a palette, or RGB of 8 bits each: save the label numbers with one channel"
)


@dataclass(frozen=True, eq=False)
class ListedLabels:
    """The label numbers of label.csv."""

    numbers: Collection[int]

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """(65536,) whether a mask may hold a number; 0 is unlabelled."""
        known = np.zeros(MAX_LABEL + 1, np.bool_)
        known[[0, *self.numbers]] = True
        return known

    def unknown(self, numbers: NDArray[np.int64]) -> int | None:
        """The first number of a mask that is not listed, None where all are."""
        inside = (numbers >= 0) & (numbers <= MAX_LABEL)
        fine = inside if not inside.all() else self.known[numbers]
        return None if fine.all() else int(numbers[~fine][0])

    def refusal(self, where: str, number: int, remedy: str = "") -> DamagedFileError:
        """The line for a number that is not listed."""
        if not remedy and not 0 < number <= MAX_LABEL:
            remedy = f"give its labels numbers from 1 to {MAX_LABEL}"
        elif not remedy:
            remedy = "add it there, or correct it"
            if number in _VOID:
                remedy += f" (a row `{number},void,`, without a category, makes it count as unlabelled)"
        return DamagedFileError(
            f"{where} has label number {number}, expected one of label.csv "
            f"(1 … {max(self.numbers, default=0)}): {remedy}."
        )


class _Reading(NamedTuple):
    """Label numbers (H, W) int64, how they were read, and a remedy where they are likely to be mistaken."""

    how: str
    numbers: NDArray[np.int64]
    remedy: str = ""


def read_mask(
    path: Path,
    size: tuple[int, int],
    listed: ListedLabels,
    known: bytes = UNKNOWN,
    numbers: Numbers | None = None,
) -> NDArray[np.uint16]:
    """One annotation map as label numbers.

    Args:
        path: the file.
        size: (H, W) that index.csv states.
        listed: the numbers that a mask may hold.
        known: what the data set's digest knows of the file, see `contents.read_content`.
        numbers: the layout's own rule, where it is not Broden's.

    Returns:
        (H, W) uint16 label numbers, 0 = unlabelled.

    Raises:
        DamagedFileError: missing, undecodable, truncated, lossy, of another size, with a number that is not
            listed, or of two meanings.
        ChangedFileError, DatasetError, MemoryError: as `contents.read_content` and `decoding.decode`.
    """
    content = read_content("mask", path, known)
    if numbers is not None:
        found = decode("mask", path, content, lambda image: np.asarray(numbers(image), np.int64))
        check_size("mask", path, found.shape, size)
        foreign = listed.unknown(found)
        if foreign is not None:
            raise listed.refusal(f"mask {path}", foreign)
        return found.astype(np.uint16)
    readings = decode("mask", path, content, lambda image: _readings(image, content, listed))
    check_size("mask", path, readings[0].numbers.shape, size)
    return _decided(path, readings, listed)


def resampled(numbers: NDArray[np.uint16], size: tuple[int, int]) -> NDArray[np.uint16]:
    """A mask on a grid of another size: each cell has the number of the pixel that its centre lies in.

    Args:
        numbers: (h, w).
        size: (H, W) of the grid; cell r of a side has pixel ⌊(2r + 1)·h / 2H⌋.
    """
    if numbers.shape == size:
        return numbers
    rows, columns = (
        (2 * np.arange(cells) + 1) * pixels // (2 * cells)
        for cells, pixels in zip(size, numbers.shape, strict=True)
    )
    return numbers[rows[:, None], columns]


def _decided(path: Path, readings: list[_Reading], listed: ListedLabels) -> NDArray[np.uint16]:
    """The one reading whose numbers are all listed."""
    possible = [one for one in readings if listed.unknown(one.numbers) is None]
    if not possible:
        first = readings[0]
        number = listed.unknown(first.numbers)
        where = f"mask {path}" + (f", read {first.how}," if first.how else "")
        raise listed.refusal(where, number if number is not None else 0, first.remedy)
    first, *others = possible
    for other in others:
        if not np.array_equal(first.numbers, other.numbers):
            raise DamagedFileError(
                f"mask {path} can be read in two ways, {first.how} with labels {_some(first.numbers)} or "
                f"{other.how} with labels {_some(other.numbers)}, and label.csv lists all of them: save the "
                "label numbers with one channel of 8 or 16 bits, or as RGB."
            )
    return first.numbers.astype(np.uint16)


def _some(numbers: NDArray[np.int64]) -> str:
    found = np.unique(numbers[numbers > 0]).tolist()
    return ", ".join(map(str, found[:4])) + (" …" if len(found) > 4 else "") or "none"


def _readings(image: Image.Image, content: bytes, listed: ListedLabels) -> list[_Reading]:
    """What a mask may say, the first reading before the others."""
    samples = samples_of(image, content)
    _refuse_lossy(image, content)
    _refuse(image, samples)
    tiffs.mend(image)
    bitmaps.mend(image, content)
    image.load()
    found = _unturned(image, content, samples, listed)
    return [one._replace(numbers=upright(one.numbers, image)) for one in found]


def _unturned(image: Image.Image, content: bytes, samples: Samples, listed: ListedLabels) -> list[_Reading]:
    mode = image.mode
    if mode in ("P", "PA"):
        return _of_palette(image, listed, not bitmaps.coarse_palette(image, content))
    if samples.grey and samples.bits == 16:
        return [_Reading("", wide_png(content)[..., 0].astype(np.int64))]
    if mode in ("RGB", "RGBA", "RGBX"):
        return [_of_colours(np.asarray(image)[..., :3])]
    if mode == "LA":
        return [_Reading("", np.asarray(image)[..., 0].astype(np.int64))]
    values = np.asarray(image).astype(np.int64)
    if samples.bits == 32 and samples.kind != SIGNED:
        values &= 0xFFFFFFFF  # Pillow's are signed
    if samples.bits == 8 and samples.kind == SIGNED:
        values = (values + 128) % 256 - 128  # Pillow's are not
    if image.format == "PPM" and samples.start is not None:
        return [_Reading("", stored_pgm(content, image.size, samples))]
    if image.format == "PPM" and samples.largest is not None:
        return [_Reading("", _unscaled(values, 65535 if mode == "I" else 255, samples.largest))]
    if image.format in ("PNG", "TIFF") and samples.bits in (2, 4):
        own = _unscaled(values, 255, (1 << samples.bits) - 1)
        return [_Reading(f"by its {samples.bits}-bit values", own), _Reading("as grey of 8 bits", values)]
    return [_Reading("", values)]


def _unscaled(values: NDArray[np.int64], white: int, largest: int) -> NDArray[np.int64]:
    """Numbers as they are stored; Pillow has scaled `largest` to `white`."""
    return (2 * values * largest + white) // (2 * white)


def _of_palette(image: Image.Image, listed: ListedLabels, exact: bool) -> list[_Reading]:
    """By index; by colour too, where colours are `exact` and every entry of the palette is a label number."""
    indices = np.asarray(image)
    indices = indices[..., 0] if image.mode == "PA" else indices
    colours = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    by_index = _Reading("by palette index", indices.astype(np.int64))
    numbers = _number(colours)
    if not exact or not len(numbers) or indices.max() >= len(numbers) or listed.unknown(numbers) is not None:
        return [by_index]
    return [by_index, _Reading("by palette colour (R + 256·G)", numbers[indices])]


def _of_colours(colours: NDArray[np.uint8]) -> _Reading:
    numbers = _number(colours)
    grey = numbers.max() > MAX_LABEL and bool((colours == colours[..., :1]).all())
    cause = "it looks like a grey mask that was stored as RGB, so save it with one channel" if grey else ""
    return _Reading("as R + 256·G + 65536·B", numbers, cause)


def _number(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(…,) numbers of (…, 3) colours."""
    numbers = colours[..., 2].astype(np.int64)
    for channel in (1, 0):  # in place: a mask may be large
        numbers <<= 8
        numbers |= colours[..., channel]
    return numbers


def _refuse_lossy(image: Image.Image, content: bytes) -> None:
    """What alters label numbers, or may have done so."""
    compression = str(image.info.get("compression", ""))
    if image.format in ("JPEG", "MPO"):
        raise NotReadError(f"is a JPEG, which alters label numbers; {_LOSSLESSLY}")
    if image.format == "TIFF" and compression in _LOSSY_IN_TIFF:
        kind = "WebP" if compression == "webp" else "JPEG"
        raise NotReadError(f"is a TIFF compressed as {kind}, which alters label numbers; {_LOSSLESSLY}")
    if image.format == "WEBP" and _lossy_webp(content):
        raise NotReadError(f"is a lossy WebP, which alters label numbers; {_LOSSLESSLY}")
    if image.format == "JPEG2000":
        # Its reversible transform says nothing: a rate limit leaves layers of it out.
        cause = "which may have altered label numbers and does not say so"
        raise NotReadError(f"is a JPEG 2000, {cause}; {_LOSSLESSLY}")
    if image.format not in _LOSSLESS:
        raise NotReadError(f"is of format {image.format}, which may alter label numbers; {_LOSSLESSLY}")


def _lossy_webp(content: bytes) -> bool:
    """Whether the (first) picture of a WebP is in its lossy format."""
    at = 12
    while at + 8 <= len(content):
        name, (size,) = content[at : at + 4], struct.unpack("<I", content[at + 4 : at + 8])
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8 "
        at += 8 + (16 if name == b"ANMF" else size + size % 2)
    return True


def _refuse(image: Image.Image, samples: Samples) -> None:
    """Samples that are no label numbers."""
    mode, bits = image.mode, samples.bits
    if samples.kind == FLOAT or mode == "F":
        raise NotReadError(f"holds floating-point numbers; {_ONE_CHANNEL}")
    if mode in ("CMYK", "LAB", "HSV") or samples.ycbcr:
        raise NotReadError(f"holds {'YCbCr' if samples.ycbcr else mode} colours; {_ONE_CHANNEL}")
    colours = mode in ("RGB", "RGBA", "RGBX") and not samples.grey
    if colours and (bits != 8 or samples.largest not in (None, 255)):
        raise NotReadError(f"holds {bits} bits a colour; {_ONE_CHANNEL}")
    if samples.associated or mode in ("La", "RGBa"):
        raise NotReadError(f"has its values multiplied by its alpha channel; {_ONE_CHANNEL}")
    if samples.white_is_zero and bits > 1:
        raise NotReadError("is a TIFF in which 0 is white; expected 0 to be black: save it again as PNG")
