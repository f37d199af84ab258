"""Weaker responses and silence: what is kept of every image's largest response, and what follows from it.

A unit fires in an image when its largest response there exceeds the threshold. Like a pixel, a largest
response above the bracket fires and one at or below it is silent whatever the threshold; the few inside it
are listed until the threshold is exact. So a bit per image and unit is exact without another pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.dissection.brackets import Brackets

BANDS = 10  # tenths of the ranked images
SHOWN = 6  # images kept of each
SEED = 0  # draws the ranked images; a request's own seed is not part of a profile's key


@dataclass(frozen=True)
class Largest:
    """The largest response of every unit in each of some images, as far as it is needed later.

    Attributes:
        start: image number of the first bit, a multiple of eight.
        above: (U, bytes) uint8, one bit per image from `start`: the response lies above the bracket.
        near_image, near_unit, near_value: (M,) int32, int32, float32: responses inside their unit's bracket.
        image: (n,) int32, the ranked ones among the images; value: (n, U) float32, their responses.
    """

    start: int
    above: NDArray[np.uint8]
    near_image: NDArray[np.int32]
    near_unit: NDArray[np.int32]
    near_value: NDArray[np.float32]
    image: NDArray[np.int32]
    value: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        maxima: NDArray[np.float32],
        images: NDArray[np.int64],
        valid: NDArray[np.bool_],
        brackets: Brackets,
        ranked: NDArray[np.bool_],
    ) -> Largest:
        """What to keep of one batch.

        Args:
            maxima: (n, U) float32.
            images: (n,) their numbers, ascending.
            valid: (n,) bool; the others are silent and not ranked.
            brackets: of the layer.
            ranked: (N,) bool, images whose responses are kept as they are.
        """
        start = int(images[0]) // 8 * 8
        flags = np.zeros((maxima.shape[1], int(images[-1]) + 1 - start), np.bool_)
        flags[:, images - start] = ((maxima >= brackets.high) & valid[:, None]).T
        row, unit = np.nonzero((maxima > brackets.low) & (maxima < brackets.high) & valid[:, None])
        kept = ranked[images] & valid
        return cls(
            start,
            np.packbits(flags, axis=1),
            images[row].astype(np.int32),
            unit.astype(np.int32),
            maxima[row, unit],
            images[kept].astype(np.int32),
            maxima[kept],
        )

    @classmethod
    def joined(cls, parts: list[Largest]) -> Largest:
        """Several sets of images as one; what is read off it does not depend on their order."""
        start = min(part.start for part in parts)
        places = [slice(first := (part.start - start) // 8, first + part.above.shape[1]) for part in parts]
        above = np.zeros((len(parts[0].above), max(place.stop for place in places)), np.uint8)
        for place, part in zip(places, parts, strict=True):
            above[:, place] |= part.above
        names = ("near_image", "near_unit", "near_value", "image", "value")
        return cls(start, above, *(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def fires(self, threshold: NDArray[np.float32], length: int) -> NDArray[np.uint8]:
        """(U, ceil(length/8)) uint8, one bit per image: its largest response is strictly above T.

        Args:
            threshold: (U,) float32, exact.
            length: images of the data set.
        """
        out = np.zeros((len(threshold), -(-length // 8)), np.uint8)
        first = self.start // 8
        out[:, first : first + self.above.shape[1]] = self.above
        above = self.near_value > threshold[self.near_unit]
        image, unit = self.near_image[above], self.near_unit[above]
        np.bitwise_or.at(out, (unit, image // 8), (128 >> image % 8).astype(np.uint8))
        return out

    def bands(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The images shown of each tenth of the ranked ones, strongest first.

        Returns:
            (U, BANDS, SHOWN) int32 images, −1 for none, and float32 responses, 0 for none.
        """
        order = np.argsort(self.image)
        # One place more than there are images, for −1: no image, no response.
        image = np.append(self.image[order], np.int32(-1))
        value = np.pad(self.value[order], ((0, 1), (0, 0)))
        # A stable sort leaves ties in the order of the images.
        ranking = np.pad(np.argsort(-value[:-1], axis=0, kind="stable"), ((0, 1), (0, 0)), constant_values=-1)
        chosen = np.moveaxis(ranking[tenths(len(order))], 2, 0)
        return image[chosen], value[chosen, np.arange(len(chosen))[:, None, None]]


def tenths(count: int) -> NDArray[np.int64]:
    """(BANDS, SHOWN) the ranks shown of `count` ranked images, −1 for none.

    Tenth b holds the ranks from ⌊b·n/10⌋ up to ⌊(b+1)·n/10⌋. Of its m ranks all are shown if there are no
    more than SHOWN, else those at ⌊j·(m − 1)/(SHOWN − 1)⌋: evenly spaced, the first and the last among them.
    """
    out = np.full((BANDS, SHOWN), -1, np.int64)
    for band in range(BANDS):
        start, end = band * count // BANDS, (band + 1) * count // BANDS
        most = min(SHOWN, end - start)
        for place in range(most):
            out[band, place] = start + place * (end - start - 1) // max(most - 1, 1)
    return out
