"""Reading one image file as (h, w, 3) uint8 RGB, upright; every failure names the file and the reason.

Grey is repeated, CMYK, YCbCr and palettes are converted, an alpha channel is dropped (the stored colours
count). Samples of more than eight bits keep the highest eight of as many as the file states, see `samples`;
where nothing says what white is (floating point, 32 or signed bits), the image is refused. The orientation
that a file states (EXIF or XMP) is applied once, as viewers do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.datasets import bitmaps, tiffs
from interpret_core.datasets.contents import UNKNOWN, read_content
from interpret_core.datasets.decoder import NotReadError, decode
from interpret_core.datasets.samples import FLOAT, SIGNED, Samples, samples_of, wide_png
from interpret_core.errors import DamagedFileError

_S = TypeVar("_S", bound=np.generic)
_ORIENTATION = 0x0112
_WIDE = ("PNG", "TIFF", "PPM", "JPEG2000")  # formats that state how many bits their numbers have
_BAND = 1 << 20  # pixels
_AS_8_BITS = "save it with 8 bits a colour, as PNG or JPEG"


def read_rgb(path: Path, size: tuple[int, int] | None, known: bytes = UNKNOWN) -> NDArray[np.uint8]:
    """One image as RGB.

    Args:
        path: the file.
        size: (height, width) that index.csv states, after any rotation; None takes any.
        known: what the data set's digest knows of the file, see `contents.read_content`.

    Returns:
        (height, width, 3) uint8 in [0, 255].

    Raises:
        DamagedFileError: missing, undecodable, truncated, of another size, or without a stated white.
        ChangedFileError, DatasetError, MemoryError: as `contents.read_content` and `decoding.decode`.
    """
    content = read_content("image", path, known)

    def convert(image: Image.Image) -> NDArray[np.uint8]:
        colours = _rgb(image, content)
        return upright(_pixels(colours), image)

    pixels = decode("image", path, content, convert)
    if size is not None:
        check_size("image", path, pixels.shape, size)
    return pixels


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """(h, w, 3) of an RGB image: of a large one band by band, since Pillow hands out what it is asked for in
    two copies."""
    rows = max(1, _BAND // image.width)
    if image.height <= rows:
        return np.asarray(image)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, rows):
        end = min(top + rows, image.height)
        pixels[top:end] = np.asarray(image.crop((0, top, image.width, end)))
    pixels.flags.writeable = False
    return pixels


def upright(pixels: NDArray[_S], image: Image.Image) -> NDArray[_S]:
    """Pixels turned as their image's orientation says; Pillow has turned those of a TIFF as it loaded them.

    Args:
        pixels: (h, w, …) of the image, as Pillow gives them once it is loaded.
        image: loaded: what states the orientation may stand behind the pixels.

    Returns:
        An array of its own, which may be read-only.
    """
    return turned(pixels, orientation_of(image))


def turned(pixels: NDArray[_S], orientation: int) -> NDArray[_S]:
    """Pixels (h, w, …) turned upright from an orientation (EXIF's, 1 to 8); an array of its own.

    What needs no turn and is read-only is given back as it is: Pillow's copy of what a picture holds, of
    which another one would take as much memory again.
    """
    if orientation not in range(2, 9) and not pixels.flags.writeable:
        return pixels
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.array(pixels)


def shrink(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The mean colour of the pixels whose centres each annotation cell covers.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        size: (H, W) of the annotation grid.

    Returns:
        (H, W, 3) uint8: a box filter, correctly rounded where h and w are multiples of H and W, otherwise
        within one level (Pillow rounds after each direction).
    """
    image = Image.fromarray(pixels)
    if pixels.shape[0] % size[0] == 0 and pixels.shape[1] % size[1] == 0:
        return np.asarray(image.reduce((pixels.shape[1] // size[1], pixels.shape[0] // size[0])))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BOX))


def check_size(kind: str, path: Path, shape: tuple[int, ...], size: tuple[int, int]) -> None:
    """Refuse what is not as large as index.csv says."""
    if shape[:2] != size:
        raise DamagedFileError(
            f"{kind} {path} is {shape[0]}×{shape[1]} pixels, expected {size[0]}×{size[1]} as index.csv says: "
            f"scale the {kind}, or correct the row."
        )


def orientation_of(image: Image.Image) -> int:
    """The stated orientation; 1 (upright) without one, or where it is garbled and the pixels still good."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Warning:  # as an error: see `decoder`
        raise
    except Exception:
        return 1


def _rgb(image: Image.Image, content: bytes) -> Image.Image:
    """The loaded image in RGB."""
    samples = samples_of(image, content)
    _refuse(image, samples)
    tiffs.mend(image)
    bitmaps.mend(image, content)
    image.load()
    if samples.significant:
        return _significant(image, content, samples)
    if image.mode.startswith("I"):
        return Image.fromarray(_eight_bits(np.asarray(image), image, samples)).convert("RGB")
    if image.mode == "La":
        return image.convert("LA").convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        return image.convert("RGBA").convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _refuse(image: Image.Image, samples: Samples) -> None:
    """Samples of which nothing says what they look like."""
    if samples.kind == FLOAT or image.mode == "F":
        raise NotReadError(
            f"holds floating-point numbers, and nothing says which of them is white: {_AS_8_BITS}"
        )
    if samples.kind == SIGNED:
        raise NotReadError(
            f"holds signed {samples.bits}-bit numbers, and nothing says which is white: {_AS_8_BITS}"
        )
    if image.mode.startswith("I") and (image.format not in _WIDE or samples.bits > 16):
        raise NotReadError(
            f"holds numbers of more than 16 bits, or of an unknown range, and nothing says which is white: "
            f"{_AS_8_BITS}"
        )
    if image.mode in ("LAB", "HSV"):
        raise NotReadError(f"holds {image.mode} colours, which are not read: {_AS_8_BITS}")


def _eight_bits(values: NDArray[np.generic], image: Image.Image, samples: Samples) -> NDArray[np.uint8]:
    """Grey of more than eight bits as its highest eight."""
    # Pillow scales a PGM's or a JPEG 2000's numbers to 16 bits, whatever the file has.
    bits = samples.bits if image.format in ("PNG", "TIFF") else 16
    high = (values.astype(np.uint32) >> np.uint32(bits - 8)).astype(np.uint8)
    return ~high if samples.white_is_zero else high


def _significant(image: Image.Image, content: bytes, samples: Samples) -> Image.Image:
    """A PNG that says how many of its bits are its own."""
    values = wide_png(content) if samples.bits == 16 else np.atleast_3d(np.asarray(image))
    colours = values[..., : 3 if values.shape[2] >= 3 else 1].astype(np.uint32)
    own = np.array(samples.significant[: colours.shape[2]], np.uint32)
    if _bare(colours, own, samples.bits):
        eight = np.round(colours * (255 / ((1 << own) - 1))).astype(np.uint8)
    else:
        eight = (colours >> np.uint32(samples.bits - 8)).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(eight, (*eight.shape[:2], 3))))


def _bare(values: NDArray[np.uint32], own: NDArray[np.uint32], bits: int) -> bool:
    """Whether samples are the bare numbers of their own bits.

    The standard has them scaled up to all bits; many writers leave them as they are, and a picture would come
    out nearly black. Scaled numbers that are small enough to be bare have low bits of 0, or of 1 by rounding.
    """
    if (values.max((0, 1)) >= 1 << own).any():
        return False
    unused = bits - own
    low = values & ((1 << unused) - 1)
    return bool((low > (unused > 1)).any() or values.max() < (1 << bits) // 8)
