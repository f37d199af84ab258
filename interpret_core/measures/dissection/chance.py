"""How good would the best IoU be by chance? Annotations permuted among the images of a category.

Source: docs/method.md, "Is an IoU good?". The statistic is a unit's largest IoU over the concepts; each unit
is standardised by its own permutations, then all units of a layer are pooled: own quantiles alone stop at
1/(K + 1), and raw pooling is wrong since null quantiles differ several-fold between units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.dissection.masks import Runs

MAX_IMAGES = 2000
FALSE_DISCOVERY_RATE = 0.05


@dataclass(frozen=True)
class Annotations:
    """The annotations of the chance images.

    Attributes:
        labels: (L, N, H·W) uint16: 0 unlabelled, else 1 + concept.
        map_category: (L,) int64, the category of each map.
        member: (N, categories) bool.
        concept_category: (C,) int64.
        included: (C,) bool, concepts with enough images.
    """

    labels: NDArray[np.uint16]
    map_category: NDArray[np.int64]
    member: NDArray[np.bool_]
    concept_category: NDArray[np.int64]
    included: NDArray[np.bool_]


@dataclass(frozen=True)
class Chance:
    """Chance level of one layer.

    Attributes:
        observed: (U,) float64, largest IoU on the same images, unpermuted.
        null_maximum: (U, K) float32.
        z, p_value, q_value: (U,) float64; NaN for dead units.
    """

    observed: NDArray[np.float64]
    null_maximum: NDArray[np.float32]
    z: NDArray[np.float64]
    p_value: NDArray[np.float64]
    q_value: NDArray[np.float64]


def sample_images(valid: NDArray[np.bool_], seed: int, most: int = MAX_IMAGES) -> NDArray[np.int64]:
    """Sorted indices of at most `most` valid images, drawn by seed."""
    images = np.flatnonzero(valid)
    if len(images) <= most:
        return images
    return np.sort(np.random.default_rng(seed).choice(images, most, replace=False))


def permutations(member: NDArray[np.bool_], seed: int, number: int) -> NDArray[np.int64]:
    """Where each image takes its annotation from: (number, categories, N), −1 outside a category.

    The members of a category change places among themselves; all units share the permutations.
    """
    images, categories = member.shape
    source = np.full((number, categories, images), -1, np.int64)
    rng = np.random.default_rng(seed)
    for k in range(number):
        for category in range(categories):
            among = np.flatnonzero(member[:, category])
            source[k, category, among] = rng.permutation(among)
    return source


def null_maxima(masks: Runs, annotations: Annotations, sources: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each unit's largest IoU under each assignment of annotations to images.

    Args:
        masks: of N·U maps, image by image.
        annotations: of the same N images.
        sources: (K, categories, N) int64, as `permutations` gives.
    Returns:
        (U, K) float64.
    """
    images = annotations.labels.shape[1]
    if not len(annotations.included):  # nothing is annotated: no IoU, whatever is exchanged
        return np.zeros(((len(masks.offsets) - 1) // max(images, 1), len(sources)), np.float64)
    units = (len(masks.offsets) - 1) // images
    concepts = len(annotations.included)
    totals = _concept_totals(annotations.labels, concepts)
    out = np.zeros((units, len(sources)), np.float64)
    _null(
        (masks.offsets, masks.runs),
        (annotations.labels, annotations.map_category),
        sources,
        (annotations.member, annotations.concept_category, annotations.included, totals),
        out,
    )
    return out


def _concept_totals(labels: NDArray[np.uint16], concepts: int) -> NDArray[np.int64]:
    counts = np.zeros(concepts + 1, np.int64)
    for one in labels.reshape(labels.shape[0] * labels.shape[1], -1):
        counts += np.bincount(one, minlength=concepts + 1)
    return counts[1:]


@nb.njit(parallel=True, cache=True)
def _null(masks, maps, sources, facts, out):  # type: ignore[no-untyped-def]
    labels, map_category = maps
    member, concept_category, included, totals = facts
    for u in nb.prange(out.shape[0]):
        counts = np.zeros(totals.shape[0] + 1, np.int64)
        active = _active(masks, u, out.shape[0], member)
        for k in range(sources.shape[0]):
            counts[:] = 0
            for plane in range(labels.shape[0]):
                _overlap(masks, (u, out.shape[0]), labels[plane], sources[k, map_category[plane]], counts)
            best = 0.0
            for c in range(totals.shape[0]):
                if included[c] and counts[c + 1] > 0:
                    union = active[concept_category[c]] + totals[c] - counts[c + 1]
                    best = max(best, counts[c + 1] / union)
            out[u, k] = best


@nb.njit(inline="always")
def _active(masks, u, units, member):  # type: ignore[no-untyped-def]
    """Active pixels of a unit in the images of each category."""
    offsets, runs = masks
    active = np.zeros(member.shape[1], np.int64)
    for n in range(member.shape[0]):
        pixels = 0
        for r in range(offsets[n * units + u], offsets[n * units + u + 1]):
            pixels += runs[r, 1]
        for category in range(member.shape[1]):
            if member[n, category]:
                active[category] += pixels
    return active


@nb.njit(inline="always")
def _overlap(masks, unit, labels, source, counts):  # type: ignore[no-untyped-def]
    """Count the labels under a unit's masks, image n taking its annotation from image source[n]."""
    offsets, runs = masks
    u, units = unit
    for n in range(source.shape[0]):
        if source[n] < 0:
            continue
        row = labels[source[n]]
        for r in range(offsets[n * units + u], offsets[n * units + u + 1]):
            for pixel in range(runs[r, 0], runs[r, 0] + runs[r, 1]):
                counts[row[pixel]] += 1


def assess(observed: NDArray[np.float64], null: NDArray[np.float64], live: NDArray[np.bool_]) -> Chance:
    """p- and q-values of the live units of one layer.

    Args:
        observed: (U,) largest IoU of each unit.
        null: (U, K) the same under permutation.
        live: (U,) bool, units that are not dead.
    Returns:
        z = (observed − own null mean)/own null deviation; p = (1 + #{pooled null z ≥ z})/(1 + K·live units);
        q after Benjamini and Hochberg. Where a unit's null does not vary, z is 0, or ∞ if it lies above.
    """
    # A constant's mean may be off by a rounding, so whether the null varies is asked of its values.
    varies = null.max(1) > null.min(1)
    mean = np.where(varies, _mean(null), null[:, 0])
    deviation = np.where(varies, np.sqrt(_mean((null - mean[:, None]) ** 2)), 0.0)
    z = _standardised(observed, mean, deviation)
    pooled = _standardised(null, mean[:, None], deviation[:, None])
    null_z = np.sort(pooled[live].ravel())
    at_least = len(null_z) - np.searchsorted(null_z, z, side="left")
    p_value = np.where(live, (1 + at_least) / (1 + len(null_z)), np.nan)
    q_value = np.full(len(z), np.nan)
    if live.any():
        from scipy.stats import false_discovery_control  # takes most of a second, and no page asks for it

        q_value[live] = false_discovery_control(p_value[live], method="bh")
    return Chance(observed, null.astype(np.float32), np.where(live, z, np.nan), p_value, q_value)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(U,) mean of each row, summed without rounding: p counts z at or above others, to the last bit."""
    return np.array([math.fsum(row) for row in values.tolist()]) / values.shape[1]


def _standardised(
    value: NDArray[np.float64], mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float64]:
    spread = deviation > 0
    ratio = (value - mean) / np.where(spread, deviation, 1)
    return np.where(spread, ratio, np.where(value > mean, np.inf, 0.0))


def expected_detectors(null_maximum: NDArray[np.float32], cutoff: float) -> float:
    """Detectors expected by chance in a layer: null maxima above the cut-off, divided by K."""
    return float((null_maximum > cutoff).sum() / null_maximum.shape[1])
