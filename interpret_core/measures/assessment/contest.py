"""How well a unit's mask can be guessed from the colour of a pixel, from its annotation, and from both.

A pixel's guess is the share of active pixels among those of the same code in the other folds of images,
smoothed towards a parent's guess; the score is the average precision over all pixels, each guessed from
images that it does not lie in. Everything follows from counts by image, label set and shade, and so do the
scores of resampled images. A large vocabulary gives a million bins, most of them of one image: pixels in each
resample are kept of the others alone, and of the rest follow from the images, so that memory is bounded.
Source: docs/method.md, "What a unit responds to".
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
KEPT = 80_000_000  # bytes of each code's pixels in each resample
FEW = 4  # images from which they are added up as fast as from what is kept


@dataclass(frozen=True, eq=False)
class Code:
    """What a guess may know of a pixel, as a number. Pixels of one number in one fold are a bin.

    Attributes:
        bin_of: (E,) int32, the bin of each group of pixels.
        name: (B,) int32, the number of each bin, from 0 on; fold: (B,) int32, its fold.
        pixels: (B,) int64; elsewhere: (B,) int64, pixels of the same number in the other folds.
        offsets: (B + 1,) int64; bin b has pixels in the images offsets[b] to offsets[b + 1].
        image: (M,) int32; inside: (M,) int32, its pixels in the bin.
        row: (B,) int32, where a bin's pixels in each resample are kept, −1 for those of few images.
        resampled: (K, R) int32, the pixels of those that are kept.
    """

    bin_of: NDArray[np.int32]
    name: NDArray[np.int32]
    fold: NDArray[np.int32]
    pixels: NDArray[np.int64]
    elsewhere: NDArray[np.int64]
    offsets: NDArray[np.int64]
    image: NDArray[np.int32]
    inside: NDArray[np.int32]
    row: NDArray[np.int32]
    resampled: NDArray[np.int32]

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """In the order in which the kernel takes them."""
        return (
            *(self.bin_of, self.name, self.fold, self.pixels, self.elsewhere),
            *(self.offsets, self.image, self.inside, self.row, self.resampled),
        )


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
    kept = _kept(np.diff(count.indptr), resamples)
    row = np.full(len(bins), -1, np.int32)
    row[kept] = np.arange(len(kept))
    return Code(
        bin_of.astype(np.int32),
        name.astype(np.int32),
        (bins % FOLDS).astype(np.int32),
        pixels,
        everywhere[name] - pixels,
        count.indptr.astype(np.int64),
        count.indices.astype(np.int32),
        count.data.astype(np.int32),
        row,
        np.asarray(count[kept] @ resamples.weights, np.int32),
    ), numbers


def _kept(images: NDArray[np.integer], resamples: Resamples) -> NDArray[np.int64]:
    """Bins, of as many images each (B,), whose pixels in each resample are kept: what there is room for."""
    room = KEPT // (resamples.weights.shape[1] * resamples.weights.itemsize)
    few = FEW
    if int((images > few).sum()) > room:
        few = int(np.partition(images, -room - 1)[-room - 1])
    return np.flatnonzero(images > few)


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
    members_of = csr_array(
        (np.ones(len(concepts), np.int64), concepts, offsets), shape=(len(kept), len(left_out))
    )
    by_fold = np.zeros((len(kept), FOLDS), np.int64)
    by_fold[annotation.name, annotation.fold] = annotation.pixels
    inside = members_of.T @ by_fold
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
    colour, annotation, both = codes[:10], codes[10:20], codes[20:]
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
    name, elsewhere = code[1], code[4]
    everywhere = np.zeros(name.max() + 1, np.int64)
    for b in range(name.shape[0]):
        everywhere[name[b]] += hits[b]
    return (everywhere[name] - hits + SMOOTHING * parent) / (elsewhere + SMOOTHING)


@nb.njit
def _fall_back(code, hits, meaning, base, parent):  # type: ignore[no-untyped-def]
    """Label sets that no other fold has are guessed by the most telling of their concepts."""
    name, fold, elsewhere = code[1], code[2], code[4]
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
    pixels, weights, count = code[3], images[3], resampled.shape[0]
    of_bin = _by_bin(code, hits, active, images, count)
    seen_again, found_again = np.zeros(count, np.int64), np.zeros(count, np.int64)
    here_again, score_again = np.zeros(count, np.int64), np.zeros(count)
    passed, met = _pending(weights.shape[0]), _pending(weights.shape[0])
    order = np.argsort(-guess, kind="mergesort")
    wanted, seen, found, score, at = hits.sum(), 0, 0, 0.0, 0
    while found < wanted:
        end, here = at, 0
        while end < order.shape[0] and guess[order[end]] == guess[order[at]]:
            b = order[end]
            seen += pixels[b]
            here += hits[b]
            if count:
                _pass(b, code, passed, seen_again)
            if count and hits[b] > 0:
                _collect(of_bin[1], of_bin[2], of_bin[0][b], of_bin[0][b + 1], met)
            end += 1
        if here > 0:
            found += here
            score += here * (found / seen)
            here_again[:] = 0
            _pour(passed, weights, seen_again)
            _pour(met, weights, here_again)
            for r in range(count):
                found_again[r] += here_again[r]
                score_again[r] += here_again[r] * (found_again[r] / max(seen_again[r], 1))
        at = end
    for r in range(count):
        resampled[r] = score_again[r] / max(found_again[r], 1)
    return score / max(wanted, 1)


@nb.njit
def _by_bin(code, hits, active, images, count):  # type: ignore[no-untyped-def]
    """Active pixels of each bin by image, as a code has its own: offsets, images, pixels."""
    group, pixels = active
    size = group.shape[0] if count else 0
    offsets = np.zeros(hits.shape[0] + 2 if count else 2, np.int64)
    image, inside = np.empty(size, np.int32), np.empty(size, np.int32)
    for i in range(size):
        offsets[code[0][group[i]] + 2] += 1
    for b in range(2, offsets.shape[0]):
        offsets[b] += offsets[b - 1]
    for i in range(size):
        b = code[0][group[i]] + 1
        image[offsets[b]], inside[offsets[b]] = images[0][group[i]], pixels[i]
        offsets[b] += 1
    return offsets, image, inside


@nb.njit
def _pending(images):  # type: ignore[no-untyped-def]
    """Pixels by image that no resample has yet: (N,), the images that have some, and how many those are."""
    return np.zeros(images, np.int64), np.empty(images, np.int64), np.zeros(1, np.int64)


@nb.njit
def _pass(b, code, pending, seen_again):  # type: ignore[no-untyped-def]
    """Add a bin's pixels: of what is kept to the resamples, of the rest to its images."""
    offsets, image, inside, row, kept = code[5], code[6], code[7], code[8], code[9]
    if row[b] < 0:
        _collect(image, inside, offsets[b], offsets[b + 1], pending)
        return
    for r in range(seen_again.shape[0]):
        seen_again[r] += kept[row[b], r]


@nb.njit
def _collect(image, inside, start, end, pending):  # type: ignore[no-untyped-def]
    """Add the pixels of some entries to their images."""
    pixels, touched, number = pending
    for i in range(start, end):
        n = image[i]
        if pixels[n] == 0:
            touched[number[0]] = n
            number[0] += 1
        pixels[n] += inside[i]


@nb.njit
def _pour(pending, weights, out):  # type: ignore[no-untyped-def]
    """Add what is pending to each resample, and forget it."""
    pixels, touched, number = pending
    for i in range(number[0] if out.shape[0] else 0):
        n = touched[i]
        for r in range(out.shape[0]):
            out[r] += pixels[n] * weights[n, r]
        pixels[n] = 0
    number[0] = 0
