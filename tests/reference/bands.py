"""Where units fire, the tenths of the images, and where concepts are: literally, image by image.

Axes and annotations as in `tests.reference.profile`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.reference.profile import Annotation, Concept

TENTHS, SHOWN = 10, 6


def fires(responses: np.ndarray, cuts: np.ndarray, valid: Sequence[bool] | None = None) -> np.ndarray:
    """(U, N) bool: some position of the (N, U, h, w) responses exceeds the unit's threshold (U,)."""
    out = np.zeros((responses.shape[1], len(responses)), bool)
    for image in range(len(responses)):
        if valid is not None and not valid[image]:
            continue
        for unit in range(responses.shape[1]):
            for value in responses[image, unit].ravel():
                if value > cuts[unit]:
                    out[unit, image] = True
    return out


def shown_of(ranked: Sequence[int]) -> list[int]:
    """At most six of a tenth's images (strongest first): all, or evenly spaced from the first to the last."""
    if len(ranked) <= SHOWN:
        return list(ranked)
    return [ranked[(len(ranked) - 1) * place // (SHOWN - 1)] for place in range(SHOWN)]


def bands(
    responses: np.ndarray, valid: Sequence[bool] | None = None, ranked: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Images (U, 10, 6), −1 for none, and largest responses (U, 10, 6), 0 for none.

    Args:
        responses: (N, U, h, w).
        valid: (N,); none given means all.
        ranked: the images to rank; none given means all valid ones.
    """
    units = responses.shape[1]
    image = np.full((units, TENTHS, SHOWN), -1, np.int32)
    response = np.zeros((units, TENTHS, SHOWN), np.float32)
    candidates = range(len(responses)) if ranked is None else ranked
    candidates = [index for index in candidates if valid is None or valid[index]]
    for unit in range(units):
        largest = {index: float(responses[index, unit].max()) for index in candidates}
        order = sorted(candidates, key=lambda index: (-largest[index], index))
        for tenth in range(TENTHS):
            start, end = tenth * len(order) // TENTHS, (tenth + 1) * len(order) // TENTHS
            for place, index in enumerate(shown_of(order[start:end])):
                image[unit, tenth, place] = index
                response[unit, tenth, place] = largest[index]
    return image, response


def presence(
    annotations: Sequence[Annotation], concepts: Sequence[Concept], valid: Sequence[bool] | None = None
) -> list[list[tuple[int, int]]]:
    """For each concept (label number, category) the images that hold it and its pixels, one pixel once."""
    found: list[list[tuple[int, int]]] = []
    for number, category in concepts:
        held = []
        for image, annotation in enumerate(annotations):
            if valid is not None and not valid[image]:
                continue
            places = set()
            for name, labels in annotation:
                if name == category:
                    places |= {tuple(place) for place in np.argwhere(labels == number).tolist()}
            if places:
                held.append((image, len(places)))
        found.append(held)
    return found
