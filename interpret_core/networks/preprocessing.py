"""From photographs to a network's input; travels with the network's spec, nobody else normalises."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from interpret_core.errors import ParameterError

LUMA = (0.299, 0.587, 0.114)  # ITU-R 601-2
_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
LARGEST = 1e6  # of a mean, a deviation or one divided by it


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes input: the whole image resized to `size`, then (x / 255 − mean) / std.

    With one mean and one std, the image is made grey first: ITU-R 601's luma, rounded, as Pillow's mode L.

    The whole image is resized, its aspect ratio notwithstanding, and nothing is cropped: annotations cover
    the whole image too, so masks and concepts stay aligned. (The usual evaluation crops the centre after
    resizing the shorter side; accuracies measured here can differ from published ones for that reason.)

    Attributes:
        size: (H, W) of the network's input, pixels.
        mean: per RGB channel, or one of grey, on the scale 0 to 1.
        std: as many, on the scale 0 to 1, positive.
        interpolation: "bilinear", "bicubic" or "nearest"; antialiased when shrinking, as Pillow does.
    """

    size: tuple[int, int] = (224, 224)
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        # One spelling of equal numbers, whatever library they are from: they are part of every key.
        size = _numbers(self.size, operator.index)
        if len(size) != 2 or min(size) <= 0:
            raise ParameterError(f"Input size is {self.size!r}, expected (H, W) in whole pixels above 0.")
        object.__setattr__(self, "size", size)
        for name in ("mean", "std"):
            values = _numbers(given := getattr(self, name), float)
            if len(values) not in (1, 3) or not all(math.isfinite(value) for value in values):
                raise ParameterError(
                    f"{name} is {given!r}, expected three finite numbers, one per channel, or one for a "
                    "network of grey pictures. Networks of other channels (RGB-D, infrared) need pictures "
                    "that have them, which data sets cannot hold yet."
                )
            object.__setattr__(self, name, values)
        if len(self.mean) != len(self.std):
            raise ParameterError(f"mean is {self.mean!r} and std {self.std!r}, expected as many numbers.")
        if min(self.std) <= 0:
            raise ParameterError(f"std is {self.std!r}, expected numbers above 0.")
        if min(self.std) < 1 / LARGEST or max(map(abs, (*self.mean, *self.std))) > LARGEST:
            raise ParameterError(
                f"mean is {self.mean!r} and std {self.std!r}, expected numbers on the scale of pixels from 0 "
                "to 1: pictures prepared with these would leave single precision's range."
            )
        if self.interpolation not in _RESAMPLING:
            raise ParameterError(
                f"interpolation is {self.interpolation!r}, expected one of {', '.join(_RESAMPLING)}."
            )

    @property
    def channels(self) -> int:
        """C of the network's input: 3 (RGB) or 1 (grey)."""
        return len(self.mean)

    def grey(self) -> Preprocessing:
        """The same for one channel: means and deviations averaged with the weights of luma."""
        if self.channels == 1:
            return self
        mean, std = (
            sum(w * one for w, one in zip(LUMA, values, strict=True)) for values in (self.mean, self.std)
        )
        return replace(self, mean=(mean,), std=(std,))

    def batch(self, images: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
        """The network's input for a list of images.

        Args:
            images: (h, w, 3) uint8 RGB arrays, at least one; sizes may differ.

        Returns:
            (N, C, H, W) float32 on the CPU, channels_last. Equal to the two-step formula up to the last bit:
            x·(1/(255·std)) − mean/std is computed in one pass.

        Raises:
            ParameterError: no image, or one that is not (h, w, 3) uint8; the message gives its number.
        """
        if len(images) == 0:
            raise ParameterError("The list of images is empty, expected at least one.")
        height, width = self.size
        channels = self.channels
        pixels = np.empty((len(images), height, width, channels), np.float32)
        for number, image in enumerate(images):
            resized = self._resized(image, number)
            pixels[number] = resized if channels == 3 else _luma(resized)
        # One row of W·3 numbers broadcasts fast; three numbers at the innermost axis do not.
        scale = torch.tensor([1 / (255 * s) for s in self.std], dtype=torch.float64).float().repeat(width)
        shift = torch.tensor([-m / s for m, s in zip(self.mean, self.std, strict=True)], dtype=torch.float64)
        rows = torch.from_numpy(pixels).view(len(images), height, width * channels)
        torch.addcmul(shift.float().repeat(width), rows, scale, out=rows)
        return rows.view(len(images), height, width, channels).permute(0, 3, 1, 2)

    def reduced(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The image as small as it may be kept: `batch` makes the same numbers of it.

        Args:
            image: (h, w, 3) uint8 RGB.

        Returns:
            (H, W, 3) uint8, resized, where the image has more pixels; the image itself where it has not.

        Raises:
            ParameterError: it is not (h, w, 3) uint8.
        """
        height, width = self.size
        larger = image.shape[0] * image.shape[1] > height * width
        return self._resized(image, 0) if larger else image

    def _resized(self, image: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
        shape, dtype = getattr(image, "shape", None), getattr(image, "dtype", None)
        if shape is None or len(shape) != 3 or shape[2] != 3 or 0 in shape or dtype != np.uint8:
            raise ParameterError(
                f"Image {number} has shape {shape} and type {dtype}, expected (h, w, 3) and uint8: "
                "convert it to RGB first."
            )
        if shape[:2] == self.size:
            return image
        resized = Image.fromarray(image).resize(self.size[::-1], _RESAMPLING[self.interpolation])
        return np.asarray(resized)

    def record(self) -> dict[str, Any]:
        """What the digest holds of it: plain numbers and texts."""
        return {
            "size": list(self.size),
            "mean": list(self.mean),
            "std": list(self.std),
            "interpolation": self.interpolation,
        }


def _luma(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) RGB as (H, W, 1) grey."""
    return np.asarray(Image.fromarray(image).convert("L"))[:, :, None]


def _numbers(values: Any, kind: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Numbers of Python's own kind; none where they are no numbers of this kind."""
    try:
        return tuple(kind(value) for value in values)
    except (TypeError, ValueError):
        return ()
