"""Decoding one image or mask file, every failure as a DamagedFileError that names the file and the reason.

Images become (h, w, 3) uint8 RGB: grey is repeated, CMYK and palettes are converted, 16-bit grey keeps its
high byte, an alpha channel is dropped (the stored colours count), and an EXIF orientation is applied, as
viewers do. Masks are R + 256·G of an RGB(A) PNG, as in Broden (a palette is looked up first, so that
losslessly recompressed masks read the same), or the plain value of an 8- or 16-bit single channel. A lossy
JPEG mask is refused: its label numbers are noise. Pillow's LOAD_TRUNCATED_IMAGES stays off.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.datasets.contents import UNKNOWN, read_content
from interpret_core.datasets.tables import MAX_PIXELS
from interpret_core.errors import DamagedFileError

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_rgb(path: Path, size: tuple[int, int] | None, known: bytes = UNKNOWN) -> NDArray[np.uint8]:
    """One image as RGB.

    Args:
        path: the file.
        size: (height, width) that index.csv states, after any EXIF rotation; None takes any.
        known: what the data set's digest knows of the file, see `contents.read_content`.

    Returns:
        (height, width, 3) uint8 in [0, 255].

    Raises:
        DamagedFileError: missing, undecodable, truncated, or of another size.
        ChangedFileError, DatasetError: as `contents.read_content`.
    """
    content = read_content("image", path, known)
    try:
        with Image.open(BytesIO(content)) as image:
            _check_pixels(image)
            pixels = np.array(_upright(_as_rgb(image), _orientation(image)))
    except DamagedFileError:
        raise
    except Exception as error:
        # Pillow's decoders raise OSError, SyntaxError, struct.error, ValueError and more on damaged bytes.
        raise _damaged("image", path, error) from error
    if size is not None:
        _check_size("image", path, pixels.shape, size)
    return pixels


def read_mask(path: Path, size: tuple[int, int], known: bytes = UNKNOWN) -> NDArray[np.uint16]:
    """One annotation map as label numbers.

    Args:
        path: the file.
        size: (H, W) that index.csv states.
        known: what the data set's digest knows of the file, see `contents.read_content`.

    Returns:
        (H, W) uint16 label numbers, 0 = unlabelled.

    Raises:
        DamagedFileError: missing, undecodable, truncated, lossy, or of another size.
        ChangedFileError, DatasetError: as `contents.read_content`.
    """
    content = read_content("mask", path, known)
    try:
        with Image.open(BytesIO(content)) as image:
            _check_pixels(image)
            if image.format == "JPEG":
                raise DamagedFileError(
                    f"mask {path} is a JPEG, which alters label numbers; expected PNG: save it losslessly."
                )
            numbers = encoded_labels(image)
    except DamagedFileError:
        raise
    except Exception as error:
        raise _damaged("mask", path, error) from error
    _check_size("mask", path, numbers.shape, size)
    return numbers


def encoded_labels(image: Image.Image) -> NDArray[np.uint16]:
    """The label numbers that a mask encodes: R + 256·G, or the value of a single channel.

    Args:
        image: an opened mask.

    Returns:
        (H, W) uint16.
    """
    if image.mode in ("1", "L") or image.mode.startswith("I"):
        values = np.asarray(image)
        if values.dtype.itemsize > 2 and (values.min() < 0 or values.max() > np.iinfo(np.uint16).max):
            raise ValueError(f"a label of {int(values.max())}, expected at most 65535")
        return values.astype(np.uint16)
    channels = np.asarray(image if image.mode in ("RGB", "RGBA") else _as_rgb(image))
    return channels[..., 0] + (channels[..., 1].astype(np.uint16) << np.uint16(8))


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


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):
        # Pillow clips wide greys at 255 instead of scaling them.
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "P" and "transparency" in image.info:
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1 (upright) without EXIF, or where it is garbled and the pixels still good."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return 1


def _check_pixels(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{image.height}×{image.width} pixels, expected at most {MAX_PIXELS:,} in all")


def _check_size(kind: str, path: Path, shape: tuple[int, ...], size: tuple[int, int]) -> None:
    if shape[:2] != size:
        raise DamagedFileError(
            f"{kind} {path} is {shape[0]}×{shape[1]} pixels, expected {size[0]}×{size[1]} as index.csv says: "
            f"scale the {kind}, or correct the row."
        )


def _damaged(kind: str, path: Path, error: Exception) -> DamagedFileError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return DamagedFileError(
        f"{kind} {path} cannot be decoded ({reason}): restore it, or remove it from the table."
    )
