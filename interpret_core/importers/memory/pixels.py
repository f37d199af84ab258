"""What somebody calls a picture or a label map, as arrays of one kind; no library of tensors is imported."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.datasets.tables import MAX_PIXELS
from interpret_core.errors import DatasetError

WIDTHS = (1, 3)  # channels of a picture
_MODES = ("RGB", "L")
_MAP_MODES = ("1", "L", "P", "I", "I;16")


def pixels_of(given: object, where: str) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 of a picture.

    Args:
        given: a PIL image, RGB or grey; an array or tensor (h, w, 3), (3, h, w), (h, w, 1), (1, h, w) or
            (h, w), of uint8 or floating in [0, 1], which is rounded to 8 bits.
        where: for messages.

    Raises:
        DatasetError: anything else; the message says what is wrong and what is expected.
    """
    if isinstance(given, Image.Image):
        if given.mode not in _MODES:
            raise DatasetError(
                f'{where} is a picture of mode {given.mode}, expected RGB or grey (L): use .convert("RGB").'
            )
        return _three(np.asarray(given)[..., None] if given.mode == "L" else np.asarray(given))
    array = array_of(given)
    if array is None:
        raise DatasetError(
            f"{where} is {type(given).__name__}, expected a picture: a PIL image, or an array or tensor of "
            "(h, w, 3) or (3, h, w)."
        )
    return _three(_bytes(_last_channels(array, where), where))


def numbers_of(given: object, where: str) -> NDArray[np.int64] | None:
    """(h, w) int64 of a label map; None for what is none.

    Raises:
        DatasetError: an array that looks like one and holds no whole numbers.
    """
    if isinstance(given, Image.Image):
        if given.mode not in _MAP_MODES:
            raise DatasetError(
                f"{where} is a label map of mode {given.mode}, expected one channel of numbers (L, P or I)."
            )
        return np.asarray(given).astype(np.int64)
    array = array_of(given)
    if array is not None and array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array is None or array.ndim < 2:
        return None
    if array.ndim != 2 or 0 in array.shape:
        raise DatasetError(f"{where} is a label map of {array.shape}, expected (h, w).")
    if array.dtype.kind not in "iub":
        raise DatasetError(
            f"{where} is a label map of {array.dtype}, expected whole numbers: a mask of probabilities needs "
            "a threshold first."
        )
    if array.dtype.kind == "u" and array.max(initial=0) > np.iinfo(np.int64).max:
        raise DatasetError(f"{where} holds {int(array.max())}, expected numbers below 2^63.")
    return array.astype(np.int64)


def array_of(given: object) -> NDArray[Any] | None:
    """An array or a tensor as an array; None for anything else."""
    if isinstance(given, np.ndarray):
        return given
    if hasattr(given, "detach") and hasattr(given, "numpy"):
        tensor = given.detach().cpu()
        return np.asarray((tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy())
    return None


def _last_channels(array: NDArray[Any], where: str) -> NDArray[Any]:
    """(h, w, channels), whichever side they are on."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or 0 in array.shape:
        raise DatasetError(f"{where} is a picture of {array.shape}, expected (h, w, 3) or (3, h, w).")
    first, last = array.shape[0] in WIDTHS, array.shape[2] in WIDTHS
    if first and last:
        raise DatasetError(
            f"{where} is a picture of {array.shape}, whose channels may be on either side: expected one "
            "larger than 3 pixels, or a PIL image."
        )
    if not first and not last:
        raise DatasetError(
            f"{where} is a picture of {array.shape}, expected 3 channels or 1, first or last: leave others "
            "out."
        )
    return np.moveaxis(array, 0, 2) if first else array


def _bytes(array: NDArray[Any], where: str) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind != "f":
        raise DatasetError(
            f"{where} is a picture of {array.dtype}, expected uint8 from 0 to 255, or floating from 0 to 1."
        )
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DatasetError(f"{where} holds a value that is no number, expected finite ones from 0 to 1.")
    if low < 0 or high > 1:
        raise DatasetError(
            f"{where} holds values from {low:.4g} to {high:.4g}, expected floating ones from 0 to 1: give "
            "the picture before it is normalised (the network's own mean and std are applied later), or "
            "uint8."
        )
    return np.rint(array.astype(np.float64) * 255).astype(np.uint8)


def _three(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise DatasetError(
            f"A picture has {array.shape[0]}×{array.shape[1]} pixels, expected up to {MAX_PIXELS:,}: scale "
            "it down."
        )
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))
