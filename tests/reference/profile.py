"""Thresholds, masks and tallies, literally as the method says and as slowly as that takes.

Axes: N images, U units, C concepts, h×w activation grid, H×W annotation grid.

Annotations: one list per image, of pairs (category, (H, W) array of label numbers); a category may
occur in several pairs (Broden separates such maps by `;`), label number 0 is "no label". An image-wide
label is a map that is filled with its number. A concept is a pair (label number, category): the same
word as an object and as a part is two concepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Annotation = Sequence[tuple[str, np.ndarray]]
# Of positions along a side: how many steps fill it, and how much of one precedes the first centre.
Line = Sequence[float]
Concept = tuple[int, str]

NO_IMAGE = -1


def positions_above(count: int, quantile: float) -> int:
    """k = round(q·n); a product that ends in .5 goes to the even neighbour (Python's `round`)."""
    return round(quantile * count)


def threshold(values: np.ndarray, quantile: float) -> tuple[np.float32, str, int]:
    """The threshold of one unit from ALL its responses: (T, state, positions strictly above T).

    T is the midpoint of the k-th and the (k+1)-th largest value. It is rounded to float32; where that
    gives the upper value (neighbouring floats) the lower one is taken, so that strict `>` always leaves
    exactly k positions. Where both are the same value v the unit is `tied`: T = v, hence fewer than k
    positions exceed it; but if v is the unit's maximum (saturation), T = the next lower distinct value,
    hence more than k exceed it, and if no lower value exists (constant unit), T = v and none does.
    All zero: `dead`, T = 0. k = 0: T = the maximum, nothing exceeds it. k = n: T = the next float below
    the minimum, everything exceeds it. Neither of these two has a cut between values, so both are `live`.
    Negative zero counts as zero.
    """
    values = np.asarray(values, dtype=np.float32).ravel() + np.float32(0)
    if not np.isfinite(values).all():
        raise ValueError("a response is not finite")
    descending = np.sort(values)[::-1]
    n, k = len(values), positions_above(len(values), quantile)
    if not descending.any():
        return np.float32(0), "dead", 0
    state = "live"
    if k <= 0:
        cut = descending[0]
    elif k >= n:
        cut = np.nextafter(descending[-1], np.float32(-np.inf))
    else:
        upper, lower = descending[k - 1], descending[k]
        if upper > lower:
            cut = np.float32((float(upper) + float(lower)) / 2)
            if cut >= upper:
                cut = lower
        else:
            state, cut = "tied", upper
            if upper == descending[0] and descending[-1] < upper:
                cut = descending[descending < upper][0]
    cut = np.float32(cut) + np.float32(0)
    return cut, state, int((values > cut).sum())


def thresholds(
    responses: np.ndarray, quantile: float, valid: Sequence[bool] | None = None
) -> dict[str, np.ndarray]:
    """`threshold` of every unit of (N, U, h, w) responses, over the valid images only."""
    found = [
        threshold(responses[_valid(responses, valid), unit], quantile) for unit in range(responses.shape[1])
    ]
    return {
        "threshold": np.array([cut for cut, _, _ in found], dtype=np.float32),
        "state": np.array([state for _, state, _ in found]),
        "exceeding": np.array([count for _, _, count in found], dtype=np.int64),
        "maximum": responses[_valid(responses, valid)].max(axis=(0, 2, 3)) + np.float32(0),
    }


def source(size: int, target: int, line: Line | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along one axis, for every target pixel: lower source index, upper source index, float32 weight."""
    steps, offset = line or (size, 0.5)
    low, high, weight = [], [], []
    for index in range(target):
        position = min(max((index + 0.5) * steps / target - offset, 0.0), size - 1.0)
        first = min(int(position), size - 1)
        low.append(first)
        high.append(min(first + 1, size - 1))
        weight.append(np.float32(position - first))
    return np.array(low), np.array(high), np.array(weight, dtype=np.float32)


def bilinear(grid: np.ndarray, height: int, width: int, lines: tuple[Line, Line] | None = None) -> np.ndarray:
    """(h, w) float32 resampled to (H, W): edges clamped, never antialiased; half-pixel centres without lines.

    First down the columns, then along the row; every subtraction, product and sum is rounded to float32
    by itself (no fused multiply-add), so that a value can be compared with a threshold bit for bit.
    """
    grid = np.asarray(grid, dtype=np.float32)
    rows, columns = lines or (None, None)
    top, bottom, down = source(grid.shape[0], height, rows)
    near, far, along = source(grid.shape[1], width, columns)
    down = down[:, None]
    a, b = grid[np.ix_(top, near)], grid[np.ix_(top, far)]
    c, d = grid[np.ix_(bottom, near)], grid[np.ix_(bottom, far)]
    left = a + (c - a) * down
    right = b + (d - b) * down
    return left + (right - left) * along[None, :]


def masks(
    responses: np.ndarray, cuts: np.ndarray, size: tuple[int, int], lines: tuple[Line, Line] | None = None
) -> np.ndarray:
    """(N, U, H, W) bool: the resampled response is strictly above its unit's threshold."""
    images, units = responses.shape[:2]
    out = np.zeros((images, units, *size), dtype=bool)
    for image in range(images):
        for unit in range(units):
            out[image, unit] = bilinear(responses[image, unit], *size, lines) > np.float32(cuts[unit])
    return out


def tally(
    mask: np.ndarray,
    annotations: Sequence[Annotation],
    concepts: Sequence[Concept],
    categories: Sequence[str],
    valid: Sequence[bool] | None = None,
) -> dict[str, np.ndarray]:
    """Every pixel count an IoU needs, as int64; images that are not valid count nowhere.

    Args:
        mask: (N, U, H, W) bool.
        annotations: one per image, see the module's text.
        concepts: (label number, category), in the order of the answer's C axis.
        categories: their order in the answer; maps of any other category are not looked at.
        valid: (N,); none given means all.
    Returns:
        intersection (U, C), active (U, categories) over the images with at least one labelled pixel in
        the category, active_total (U,), concept_pixels (C,), concept_images (C,), category_images
        (categories,), category_member (N, categories) bool.
    """
    images, units = mask.shape[:2]
    result: dict[str, np.ndarray] = {
        "intersection": np.zeros((units, len(concepts)), np.int64),
        "active": np.zeros((units, len(categories)), np.int64),
        "active_total": np.zeros(units, np.int64),
        "concept_pixels": np.zeros(len(concepts), np.int64),
        "concept_images": np.zeros(len(concepts), np.int64),
        "category_images": np.zeros(len(categories), np.int64),
        "category_member": np.zeros((images, len(categories)), bool),
    }
    for image in np.flatnonzero(_valid(mask, valid)):
        active = mask[image].sum(axis=(1, 2))
        result["active_total"] += active
        for position, category in enumerate(categories):
            maps = [labels for name, labels in annotations[image] if name == category]
            _known(maps, category, concepts)
            if not any(labels.any() for labels in maps):
                continue
            result["category_member"][image, position] = True
            result["category_images"][position] += 1
            result["active"][:, position] += active
            for concept, (number, name) in enumerate(concepts):
                if name != category:
                    continue
                here = np.zeros(mask.shape[2:], bool)
                for labels in maps:
                    here |= labels == number
                if here.any():
                    result["concept_pixels"][concept] += here.sum()
                    result["concept_images"][concept] += 1
                    for unit in range(units):
                        result["intersection"][unit, concept] += (mask[image, unit] & here).sum()
    return result


def colour_sums(mask: np.ndarray, colours: np.ndarray, valid: Sequence[bool] | None = None) -> np.ndarray:
    """(U, 3) int64: sums of red, green and blue over the active pixels of (N, H, W, 3) uint8 colours."""
    sums = np.zeros((mask.shape[1], 3), np.int64)
    for image in np.flatnonzero(_valid(mask, valid)):
        for unit in range(mask.shape[1]):
            sums[unit] += colours[image][mask[image, unit]].astype(np.int64).sum(axis=0)
    return sums


def shade_tally(
    mask: np.ndarray, shades: np.ndarray, count: int, valid: Sequence[bool] | None = None
) -> dict[str, np.ndarray]:
    """shade_intersection (U, S) and shade_pixels (S,) from (N, H, W) shade indices in 0 … S−1."""
    both = np.zeros((mask.shape[1], count), np.int64)
    pixels = np.zeros(count, np.int64)
    for image in np.flatnonzero(_valid(mask, valid)):
        for shade in range(count):
            here = shades[image] == shade
            pixels[shade] += here.sum()
            for unit in range(mask.shape[1]):
                both[unit, shade] += (mask[image, unit] & here).sum()
    return {"shade_intersection": both, "shade_pixels": pixels}


def top_images(
    responses: np.ndarray, count: int, valid: Sequence[bool] | None = None
) -> dict[str, np.ndarray]:
    """The images with the largest maximum response, per unit; equal maxima go by the lower image index.

    Places beyond the number of valid images hold image −1, response 0, peak −1. The peak is y·w + x of
    the first position, row by row, that holds the maximum.
    """
    units = responses.shape[1]
    image = np.full((units, count), NO_IMAGE, np.int32)
    response = np.zeros((units, count), np.float32)
    peak = np.full((units, count), NO_IMAGE, np.int32)
    candidates = [int(index) for index in np.flatnonzero(_valid(responses, valid))]
    for unit in range(units):
        largest = {index: responses[index, unit].max() for index in candidates}
        ranked = sorted(candidates, key=lambda index: (-largest[index], index))
        for place, index in enumerate(ranked[:count]):
            image[unit, place] = index
            response[unit, place] = largest[index]
            flat = [float(value) for value in responses[index, unit].ravel()]
            peak[unit, place] = flat.index(float(largest[index]))
    return {"top_image": image, "top_response": response, "top_peak": peak}


def mask_runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """(start, length) of the runs of true pixels of an (H, W) mask, read row by row as one line."""
    runs: list[tuple[int, int]] = []
    for index, inside in enumerate(mask.ravel()):
        if inside and runs and sum(runs[-1]) == index:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif inside:
            runs.append((index, 1))
    return runs


def profile(
    responses: np.ndarray,
    annotations: Sequence[Annotation],
    concepts: Sequence[Concept],
    categories: Sequence[str],
    *,
    size: tuple[int, int],
    quantile: float = 0.005,
    valid: Sequence[bool] | None = None,
    lines: tuple[Line, Line] | None = None,
) -> dict[str, Any]:
    """Thresholds, masks (under `mask`) and tallies of one layer in one call."""
    result: dict[str, Any] = thresholds(responses, quantile, valid)
    result["mask"] = masks(responses, result["threshold"], size, lines)
    return result | tally(result["mask"], annotations, concepts, categories, valid)


def _valid(images: np.ndarray, valid: Sequence[bool] | None) -> np.ndarray:
    return np.ones(len(images), bool) if valid is None else np.asarray(valid, dtype=bool)


def _known(maps: Sequence[np.ndarray], category: str, concepts: Sequence[Concept]) -> None:
    allowed = {0} | {number for number, name in concepts if name == category}
    for labels in maps:
        unknown = set(np.unique(labels).tolist()) - allowed
        if unknown:
            raise ValueError(f"label numbers {sorted(unknown)} are no concepts of {category}")
