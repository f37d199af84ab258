"""How well a unit's mask can be guessed from the colour of a pixel, from its annotation, and from both.

A pixel's guess is the share of active pixels among those of the same code in the other folds of images,
smoothed towards a parent's guess; the score is the average precision over all pixels, each guessed from
images that it does not lie in. Everything follows from counts by image, label set and shade, and so do the
scores of resampled images. Source: docs/method.md, "What a unit responds to".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from interpret_core.measures.assessment.label_sets import LabelSets
from interpret_core.measures.assessment.pixel_groups import ActivePixels, PixelGroups
from interpret_core.measures.assessment.resamples import FOLDS, Resamples

SMOOTHING = 50.0  # pixels that a parent's guess counts as
BEATS = 3.0  # times the base rate


@dataclass(frozen=True, eq=False)
class Code:
    """What a guess may know of a pixel, as a number. Pixels of one number in one fold are a bin.

    Attributes:
        bin_of: (E,) int32, the bin of each group of pixels.
        name: (B,) int32, the number of each bin, from 0 on; fold: (B,) int32, its fold.
        pixels: (B,) int64; elsewhere: (B,) int64, pixels of the same number in the other folds.
        resampled: (B, R) int32, pixels in each resample.
    """

    bin_of: NDArray[np.int32]
    name: NDArray[np.int32]
    fold: NDArray[np.int32]
    pixels: NDArray[np.int64]
    elsewhere: NDArray[np.int64]
    resampled: NDArray[np.int32]

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """In the order in which the kernel takes them."""
        return self.bin_of, self.name, self.fold, self.pixels, self.elsewhere, self.resampled


def code(
    number: NDArray[np.int64], groups: PixelGroups, resamples: Resamples
) -> tuple[Code, NDArray[np.int64]]:
    """Bins of the groups' pixels.

    Args:
        number: (E,) what is known of each group.
        groups: E groups of pixels.
        resamples: of their images.
    Returns:
        The bins, and the number behind each `name`.
    """
    fold = resamples.fold[groups.image]
    bins, bin_of = np.unique(number * FOLDS + fold, return_inverse=True)
    numbers, name = np.unique(bins // FOLDS, return_inverse=True)
    count = csr_array((groups.pixels, (bin_of, groups.image)), shape=(len(bins), len(resamples.fold)))
    pixels = np.asarray(count.sum(1)).ravel().astype(np.int64)
    everywhere = np.bincount(name, pixels, len(numbers)).astype(np.int64)
    return Code(
        bin_of.astype(np.int32),
        name.astype(np.int32),
        (bins % FOLDS).astype(np.int32),
        pixels,
        everywhere[name] - pixels,
        (count @ resamples.weights).astype(np.int32),
    ), numbers


@dataclass(frozen=True, eq=False)
class Codes:
    """What the three contestants know.

    Attributes:
        colour, annotation, both: their bins.
        offsets, concepts: the concepts of each of the annotation's names, as in `LabelSets`.
        elsewhere: (C, FOLDS) int64, pixels of a concept outside a fold.
    """

    colour: Code
    annotation: Code
    both: Code
    offsets: NDArray[np.int64]
    concepts: NDArray[np.int32]
    elsewhere: NDArray[np.int64]


def codes(groups: PixelGroups, sets: LabelSets, left_out: NDArray[np.bool_], resamples: Resamples) -> Codes:
    """The codes of some images' pixels.

    Args:
        groups: of the pixels.
        sets: their label sets.
        left_out: (C,) bool, concepts that name colours: the annotation must not know them.
        resamples: of the images.
    """
    members = [tuple(one for one in several if not left_out[one]) for several in sets.members()]
    known: dict[tuple[int, ...], int] = {}
    told = np.array([known.setdefault(one, len(known)) for one in members], np.int64)[groups.label_set]
    colour, _ = code(groups.shade.astype(np.int64), groups, resamples)
    annotation, numbers = code(told, groups, resamples)
    both, _ = code(told * 256 + groups.shade, groups, resamples)
    named = list(known)
    kept = [named[number] for number in numbers]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in kept])]).astype(np.int64)
    concepts = np.array([one for several in kept for one in several], np.int32)
    inside = np.zeros((len(left_out), FOLDS), np.int64)
    for name, fold, pixels in zip(annotation.name, annotation.fold, annotation.pixels, strict=True):
        inside[concepts[offsets[name] : offsets[name + 1]], fold] += pixels
    return Codes(colour, annotation, both, offsets, concepts, inside.sum(1)[:, None] - inside)


@dataclass(frozen=True, eq=False)
class Scores:
    """Average precision of each contestant, by unit.

    Attributes:
        base_rate: (U,) float64, the share of active pixels: what knowing nothing gives.
        precision: (U, 3) float64, of colour, annotation and both; 0 for a unit that is never active.
        resampled: (U, 3, R) float32, the same of resampled images; of both NaN where one of the two alone
            does not beat the base rate.
    """

    base_rate: NDArray[np.float64]
    precision: NDArray[np.float64]
    resampled: NDArray[np.float32]


def contest(active: ActivePixels, groups: PixelGroups, found: Codes, resamples: Resamples) -> Scores:
    """Let colour, annotation and both guess every unit's mask.

    Args:
        active: active pixels of U units by group.
        groups: of the pixels.
        found: what each contestant knows of a group.
        resamples: folds and resamples of the images.
    """
    units = len(active.offsets) - 1
    base, precision = np.zeros(units), np.zeros((units, 3))
    resampled = np.full((units, 3, resamples.weights.shape[1]), np.nan, np.float32)
    _contest(
        (active.offsets, active.group, active.pixels),
        (groups.image, groups.pixels, resamples.fold, resamples.weights),
        found.colour.arrays + found.annotation.arrays + found.both.arrays,
        (found.offsets, found.concepts, found.elsewhere),
        (base, precision, resampled),
    )
    return Scores(base, precision, resampled)


@nb.njit(parallel=True, cache=True)
def _contest(active, images, codes, meaning, out):  # type: ignore[no-untyped-def]
    offsets, group, pixels = active
    base_rate, precision, resampled = out[0], out[1], out[2]  # unpacked, numba would drop the store
    total = images[1].sum()
    for u in nb.prange(precision.shape[0]):
        there = group[offsets[u] : offsets[u + 1]], pixels[offsets[u] : offsets[u + 1]]
        base_rate[u] = there[1].sum() / total
        _unit(there, images, codes, meaning, (precision[u], resampled[u]))


@nb.njit
def _unit(active, images, codes, meaning, out):  # type: ignore[no-untyped-def]
    """One unit's three scores."""
    precision, resampled = out
    base = _base(active, images)
    rate = active[1].sum() / images[1].sum()
    colour, annotation, both = codes[:6], codes[6:12], codes[12:]
    colour_hits, annotation_hits = _hits(active, colour), _hits(active, annotation)
    both_hits = _hits(active, both)
    by_colour = _guess(colour, colour_hits, base[colour[2]])
    parent = base[annotation[2]]
    _fall_back(annotation, annotation_hits, meaning, base, parent)
    by_annotation = _guess(annotation, annotation_hits, parent)
    precision[0] = _precision(by_colour, colour, colour_hits, active, images, resampled[0])
    precision[1] = _precision(by_annotation, annotation, annotation_hits, active, images, resampled[1])
    parent = np.empty(both[1].shape[0])
    for e in range(both[0].shape[0]):
        parent[both[0][e]] = max(by_colour[colour[0][e]], by_annotation[annotation[0][e]])
    by_both = _guess(both, both_hits, parent)
    close = min(precision[0], precision[1]) > BEATS * rate
    row = resampled[2] if close else resampled[2, :0]
    precision[2] = _precision(by_both, both, both_hits, active, images, row)


@nb.njit
def _base(active, images):  # type: ignore[no-untyped-def]
    """Share of active pixels outside each fold."""
    group, pixels = active
    image, total, fold, _ = images
    hits, all_pixels = np.zeros(FOLDS, np.int64), np.zeros(FOLDS, np.int64)
    for i in range(group.shape[0]):
        hits[fold[image[group[i]]]] += pixels[i]
    for e in range(image.shape[0]):
        all_pixels[fold[image[e]]] += total[e]
    return (hits.sum() - hits) / np.maximum(all_pixels.sum() - all_pixels, 1)


@nb.njit
def _hits(active, code):  # type: ignore[no-untyped-def]
    """Active pixels of each bin."""
    group, pixels = active
    hits = np.zeros(code[1].shape[0], np.int64)
    for i in range(group.shape[0]):
        hits[code[0][group[i]]] += pixels[i]
    return hits


@nb.njit
def _guess(code, hits, parent):  # type: ignore[no-untyped-def]
    """Of each bin: the share of active pixels of the same number in the other folds, smoothed."""
    _, name, _, _, elsewhere, _ = code
    everywhere = np.zeros(name.max() + 1, np.int64)
    for b in range(name.shape[0]):
        everywhere[name[b]] += hits[b]
    return (everywhere[name] - hits + SMOOTHING * parent) / (elsewhere + SMOOTHING)


@nb.njit
def _fall_back(code, hits, meaning, base, parent):  # type: ignore[no-untyped-def]
    """Label sets that no other fold has are guessed by the most telling of their concepts."""
    _, name, fold, _, elsewhere, _ = code
    offsets, concepts, pixels_elsewhere = meaning
    inside = np.zeros(pixels_elsewhere.shape, np.int64)
    for b in range(name.shape[0]):
        for c in concepts[offsets[name[b]] : offsets[name[b] + 1]]:
            inside[c, fold[b]] += hits[b]
    for b in range(name.shape[0]):
        if elsewhere[b] > 0:
            continue
        best = 0.0
        for c in concepts[offsets[name[b]] : offsets[name[b] + 1]]:
            outside = inside[c].sum() - inside[c, fold[b]]
            guess = (outside + SMOOTHING * base[fold[b]]) / (pixels_elsewhere[c, fold[b]] + SMOOTHING)
            best = max(best, guess)
        if best > 0:
            parent[b] = best


@nb.njit
def _precision(guess, code, hits, active, images, resampled):  # type: ignore[no-untyped-def]
    """Average precision; pixels guessed alike share one. The same of all resamples there is room for."""
    pixels, again = code[3], code[5]
    count = resampled.shape[0]
    row, hits_again = _resampled_hits(code, hits, active, images, count)
    seen_again, found_again = np.zeros(count, np.int64), np.zeros(count, np.int64)
    here_again, score_again = np.zeros(count, np.int64), np.zeros(count)
    order = np.argsort(-guess, kind="mergesort")
    wanted, seen, found, score, at = hits.sum(), 0, 0, 0.0, 0
    while found < wanted:
        end, here = at, 0
        here_again[:] = 0
        while end < order.shape[0] and guess[order[end]] == guess[order[at]]:
            b = order[end]
            seen += pixels[b]
            for r in range(count):
                seen_again[r] += again[b, r]
            if hits[b] > 0:
                here += hits[b]
                for r in range(count):
                    here_again[r] += hits_again[row[b], r]
            end += 1
        if here > 0:
            found += here
            score += here * (found / seen)
            for r in range(count):
                found_again[r] += here_again[r]
                score_again[r] += here_again[r] * (found_again[r] / max(seen_again[r], 1))
        at = end
    for r in range(count):
        resampled[r] = score_again[r] / max(found_again[r], 1)
    return score / max(wanted, 1)


@nb.njit
def _resampled_hits(code, hits, active, images, count):  # type: ignore[no-untyped-def]
    """Active pixels in each resample of the bins that have any: a row per such bin, and whose it is."""
    group, pixels = active
    image, weights = images[0], images[3]
    row = np.full(hits.shape[0], -1, np.int64)
    rows = 0
    for b in range(hits.shape[0]):
        if hits[b] > 0:
            row[b] = rows
            rows += 1
    out = np.zeros((rows if count else 0, count), np.int32)
    for i in range(group.shape[0] if count else 0):
        at, n = row[code[0][group[i]]], image[group[i]]
        for r in range(count):
            out[at, r] += pixels[i] * weights[n, r]
    return row, out
