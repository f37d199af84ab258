"""Everything that an assessment rests on, of all units of a layer at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from interpret_core.measures.assessment.contest import BEATS, Codes, Scores, codes, contest
from interpret_core.measures.assessment.label_sets import LabelSets, label_sets
from interpret_core.measures.assessment.overlaps import Areas, Overlaps, areas, overlaps
from interpret_core.measures.assessment.pixel_groups import (
    ActivePixels,
    PixelGroups,
    active_pixels,
    pixel_groups,
)
from interpret_core.measures.assessment.resamples import INTERVAL, Resamples, resamples
from interpret_core.measures.assessment.words import FEWEST_IMAGES, Evidence
from interpret_core.measures.dissection.masks import Runs

Part = TypeVar("Part", Scores, Overlaps)
BLOCK = 16  # units between two looks at progress and cancellation


@dataclass(frozen=True, eq=False)
class Ground:
    """What the pixels of some images carry: the same for every layer.

    Attributes:
        sets, groups: of the pixels.
        drawn: folds and resamples of the images.
        codes, areas: what is counted of them.
        colours: (C,) bool, concepts that name colours.
    """

    sets: LabelSets
    groups: PixelGroups
    drawn: Resamples
    codes: Codes
    areas: Areas
    colours: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        labels: NDArray[np.uint16],
        member: NDArray[np.bool_],
        shade: NDArray[np.uint8],
        scene: NDArray[np.int64],
        concepts: tuple[NDArray[np.int64], NDArray[np.bool_]],
        seed: int = 0,
    ) -> Ground:
        """Number and count what N images carry.

        Args:
            labels: (L, N, H·W) uint16: 0 unlabelled, else 1 + concept.
            member: (N, categories) bool, categories that an image annotates.
            shade: (N, H·W) uint8, the shade of each pixel.
            scene: (N,) images of one number are held out together.
            concepts: (C,) the category of each, and (C,) bool, whether it names a colour.
            seed: of folds and resamples.
        """
        category_of, colours = concepts
        (sets, of_pixel), drawn = label_sets(labels, member), resamples(scene, seed)
        groups = pixel_groups(of_pixel, shade)
        return cls(
            sets,
            groups,
            drawn,
            codes(groups, sets, colours, drawn),
            areas(groups, sets, category_of, drawn),
            colours,
        )


def evidence(
    masks: Runs,
    ground: Ground,
    labels: NDArray[np.int64],
    counted: NDArray[np.bool_],
    done: Callable[[int], None] = lambda _steps: None,
) -> tuple[Evidence, Overlaps]:
    """Weigh every unit's mask against colours and annotation.

    Where the images are too few scenes to hold some out, no interval is known.

    Args:
        masks: of N·U maps, image by image.
        ground: of the same N images.
        labels: (U, 2) each unit's label and its runner-up, −1 for none.
        counted: (C,) bool, concepts that may be a label.
        done: told the `steps` that are done; may raise Cancelled.
    """
    groups, drawn, active = ground.groups, ground.drawn, active_pixels(masks, ground.groups)
    contests, laps = [], []
    for start in range(0, len(labels), BLOCK):
        some, theirs = active.part(start, start + BLOCK), labels[start : start + BLOCK]
        contests.append(contest(some, groups, ground.codes, drawn))
        laps.append(overlaps(some, groups, ground.sets, ground.areas, theirs, counted))
        done(1)
    scores, found = _joined(contests), _joined(laps)
    colour, annotation, both = np.moveaxis(scores.resampled.astype(np.float64), 1, 0)
    scene = drawn.scene[groups.image]
    firing = [len(np.unique(scene[active.of(unit)[0]])) for unit in range(len(labels))]
    known = 1.0 if drawn.independent else np.nan
    told = Evidence(
        scores.base_rate,
        scores.precision,
        known * interval(colour - annotation),
        known * interval(both - np.maximum(colour, annotation)),
        known * interval(found.lift[:, 1:]),
        np.array(firing, np.int64),
        _rare(active, ground, scores),
    )
    return told, found


def steps(units: int) -> int:
    """How often `evidence` tells that something is done."""
    return -(-units // BLOCK)


def _joined(parts: Sequence[Part]) -> Part:
    """Of blocks of units, what it is of all."""
    kind = type(parts[0])
    return kind(*(np.concatenate([getattr(one, field.name) for one in parts]) for field in fields(kind)))


def label_intervals(
    found: Overlaps, labels: NDArray[np.int64], ground: Ground
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intervals of the label's IoU and of its difference to the runner-up's, both (U, 2).

    NaN where the images are too few scenes, or too few of them show the label (or the runner-up).
    """
    again = found.iou[:, :, 1:].astype(np.float64)
    shown = np.append(ground.areas.scenes, 0)  # the last one is that of no label, −1
    enough: NDArray[np.bool_] = shown[labels] >= FEWEST_IMAGES
    both = enough.all(1, keepdims=True)
    known = 1.0 if ground.drawn.independent else np.nan
    return (
        known * np.where(enough[:, :1], interval(again[:, 0]), np.nan),
        known * np.where(both, interval(again[:, 0] - again[:, 1]), np.nan),
    )


def interval(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """(…, 2) the middle 95 % of the last axis; NaN where any is not known."""
    low, high = np.percentile(values.astype(np.float64), INTERVAL, axis=-1, method="inverted_cdf")
    return np.stack([low, high], -1)


def _rare(active: ActivePixels, ground: Ground, scores: Scores) -> NDArray[np.bool_]:
    """(U,) whether a label of too few scenes guesses the mask as well as the colour does, and beats chance.

    "Inside the label" as a guess has the precision p inside and the base rate outside: with a share r of the
    mask inside, its average precision is r·p + (1 − r)·base.
    """
    shape = (len(active.offsets) - 1, len(ground.groups))
    counts = csr_array((active.pixels, active.group, active.offsets), shape=shape)
    sets, groups = ground.sets, ground.groups
    holds = csr_array(
        (np.ones(len(sets.concepts), np.int64), sets.concepts, sets.offsets),
        shape=(len(sets), len(ground.colours)),
    )
    inside = (counts @ holds[groups.label_set]).toarray().astype(np.float64)
    total = np.asarray(counts.sum(1)).reshape(-1, 1)
    base = scores.base_rate[:, None]
    share = inside / np.maximum(total, 1)
    precise = inside / np.maximum(ground.areas.concept[:, 0], 1)
    guess = share * precise + (1 - share) * base
    few = (ground.areas.scenes < FEWEST_IMAGES) & ~ground.colours
    return np.asarray((few & (guess > np.maximum(BEATS * base, scores.precision[:, :1]))).any(1))
