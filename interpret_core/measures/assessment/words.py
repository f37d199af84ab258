"""From the numbers to a statement: what a unit responds to, as far as the images tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.assessment.contest import BEATS
from interpret_core.measures.dissection.chance import FALSE_DISCOVERY_RATE
from interpret_core.measures.dissection.thresholds import State

FEWEST_IMAGES = 5  # independent ones: copies and frames of a scene are one
UNSPECIFIC = (0.8, 1.25)  # in which a lift's interval has to lie
# Parts of the better score: a difference that is certain may still be too small to mean anything.
APART = 0.1  # by which colour has to be ahead; the annotation with its interval, or few images would do
ADDED = 0.25  # that knowing both has to add
# Below the first, as average precision, most of a mask lies where nothing known tells of it; unless the
# second, a share of the mask, lies inside one label or shade that is fired in three times as often as
# elsewhere: a unit that sees a part of a large thing, or edges of one colour, has that alone.
CLEAR, INSIDE, LIFTED = 0.1, 0.4, 3.0


class Assessment(IntEnum):
    """What a unit responds to."""

    DEAD = 0
    SATURATED = 1
    BY_CHANCE = 2
    UNSPECIFIC = 3
    COLOUR = 4
    OBJECT = 5
    COLOUR_AND_OBJECT = 6
    UNDECIDED = 7
    NEITHER = 8
    TOO_FEW_IMAGES = 9
    UNEXPLAINED = 10  # never found by `assessed`: stands for a faint one where people read


# Words that say what a unit responds to; only such a one can rest on much or on little.
TELLING = (Assessment.COLOUR, Assessment.OBJECT, Assessment.COLOUR_AND_OBJECT, Assessment.UNDECIDED)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the statements rest on, by unit; intervals are (U, 2), NaN where nothing is known.

    Attributes:
        base_rate: (U,) share of active pixels.
        precision: (U, 3) average precision of colour, annotation and both.
        difference: of colour − annotation; NaN where the images are too few scenes to hold some out.
        together: of both − the better of the two.
        lift: of the label's lift.
        firing: (U,) scenes in which the mask has a pixel.
        rare: (U,) bool, a label that could explain the mask is shown in fewer than FEWEST_IMAGES scenes.
    """

    base_rate: NDArray[np.float64]
    precision: NDArray[np.float64]
    difference: NDArray[np.float64]
    together: NDArray[np.float64]
    lift: NDArray[np.float64]
    firing: NDArray[np.int64]
    rare: NDArray[np.bool_]


def assessed(evidence: Evidence, state: NDArray[np.uint8], q_value: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The Assessment of each unit: the first rule that holds.

    Args:
        evidence: of U units.
        state: (U,) of their thresholds.
        q_value: (U,) of their best IoU, NaN where no chance level was taken.
    """
    colour, annotation, both = (evidence.precision > BEATS * evidence.base_rate[:, None]).T
    better = evidence.precision[:, :2].max(1)
    difference = evidence.precision[:, 0] - evidence.precision[:, 1]
    lift, (low, high) = evidence.lift, evidence.difference.T
    together = evidence.together[:, 0] > ADDED * better
    few = evidence.firing < FEWEST_IMAGES
    # Chance and lift are of the label: they say nothing against a colour that tells on images held out.
    coloured = colour & (low > 0) & (difference > APART * better) & ~evidence.rare & ~few
    rules = (
        (Assessment.DEAD, state == State.DEAD),
        (Assessment.SATURATED, state == State.TIED),
        (Assessment.TOO_FEW_IMAGES, np.isnan(low)),
        (Assessment.COLOUR, coloured & (q_value > FALSE_DISCOVERY_RATE)),
        (Assessment.BY_CHANCE, q_value > FALSE_DISCOVERY_RATE),
        (Assessment.UNSPECIFIC, (lift[:, 0] >= UNSPECIFIC[0]) & (lift[:, 1] <= UNSPECIFIC[1]) & ~coloured),
        (Assessment.TOO_FEW_IMAGES, few),
        (Assessment.COLOUR_AND_OBJECT, colour & annotation & together),
        (Assessment.OBJECT, annotation & (high < -APART * better)),
        (Assessment.TOO_FEW_IMAGES, evidence.rare),
        (Assessment.COLOUR, coloured),
        (Assessment.UNDECIDED, colour | annotation | both),
    )
    found = np.full(len(state), Assessment.NEITHER, np.uint8)
    for word, holds in reversed(rules):
        found[holds] = word
    return found


def faint(
    words: NDArray[np.uint8], precision: NDArray[np.float64], inside: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(U,) whether a unit's word rests on little: most of its mask lies where nothing known tells of it.

    Args:
        words: (U,) as `assessed` finds them.
        precision: (U, 3) of the evidence.
        inside: (U, 2) share of the mask inside the label and inside the nearest shade, 0 where that is fired
            in less than LIFTED times as often as elsewhere.
    """
    label, shade = (inside >= INSIDE).T
    either = (Assessment.COLOUR_AND_OBJECT, Assessment.UNDECIDED)
    held = np.select(
        [words == Assessment.COLOUR, words == Assessment.OBJECT, np.isin(words, either)],
        [shade, label, shade | label],
        default=True,
    )
    return ~(held | (precision.max(1) >= CLEAR))
