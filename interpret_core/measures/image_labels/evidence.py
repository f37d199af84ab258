"""Which label of whole images a unit tells best, and whether that is more than chance.

The label is the one of largest z: the largest AUC would pick the rarest. Its p is that of a maximum over
labels, by permutations, standardised and pooled over the layer's units much as the chance level of an IoU.
Units are ranked some at a time, so that what is held beside responses and labels does not grow with them.
Axes: N images, U units, T labels in columns, K permutations.
Source: docs/method.md, "Labels of whole images".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from interpret_core.measures.image_labels.exchange import exchanges
from interpret_core.measures.image_labels.separation import (
    Borne,
    RankedResponses,
    average_precision,
    separation,
)

_ROUNDED = 1e-12  # z that differ by less are one
SLICE = 10  # permutations between two looks at progress and cancellation
ROOM = 1 << 27  # bytes that the ranks of some units, and what is made of them, may take


@dataclass(frozen=True, eq=False)
class LabelledUnits:
    """What N images, U units and T labels are asked about.

    Attributes:
        responses: (N, U) float32, largest response of each unit in each image.
        shows: (N, T) bool, dense or sparse, which image bears which label.
        column: (T,) int64, the column that each label is of.
        known: (N, columns) bool, whether a column says anything of an image.
        group: (N,) int64, images whose labels go together.
    """

    responses: NDArray[np.float32]
    shows: Borne
    column: NDArray[np.int64]
    known: NDArray[np.bool_]
    group: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LabelEvidence:
    """What was found of one layer.

    Attributes:
        auc, average_precision, z: (U, T) float64 of every label, among the images of which its column says
            anything.
        best: (U,) int64, the label of largest z; −1 for a unit that answers all images alike.
        null_maximum: (U, K) float32, largest z under each permutation.
        p_value, q_value: (U,) float64; NaN for such units, and without permutations.
    """

    auc: NDArray[np.float64]
    average_precision: NDArray[np.float64]
    z: NDArray[np.float64]
    best: NDArray[np.int64]
    null_maximum: NDArray[np.float32]
    p_value: NDArray[np.float64]
    q_value: NDArray[np.float64]


def label_evidence(
    asked: LabelledUnits,
    seed: int,
    permutations: int,
    done: Callable[[int], None] = lambda _: None,
    room: int = ROOM,
) -> LabelEvidence:
    """The label of every unit of a layer, and whether chance explains it.

    Args:
        asked: images, units and labels; every label is borne by some image of which its column knows, and
            not by all of them.
        seed: of the chance level.
        permutations: of the chance level.
        done: told the number of permutations finished, every few of them; may raise Cancelled.
        room: bytes for the units that are ranked at a time, at least one; changes no number.
    """
    units, labels = asked.responses.shape[1], asked.shows.shape[1]
    auc, precision = np.full((2, units, labels), np.nan)
    z = np.zeros((units, labels))
    null = np.zeros((units, permutations))
    progress = _SlicedPermutations(units, done)
    parts = _parts(asked)
    for some in _slices(units, parts, room):
        ranked = [RankedResponses.of(asked.responses[part.images, some]) for part in parts]
        for part, one in zip(parts, ranked, strict=True):
            auc[some, part.labels], z[some, part.labels] = separation(one, part.shows, part.images)
            responses = asked.responses[part.images, some]
            precision[some, part.labels] = average_precision(responses, part.shows[part.images])
        for number, source in enumerate(exchanges(asked.group, asked.known, seed, permutations)):
            null[some, number] = _largest(parts, ranked, source)
            progress.advance(some.stop - some.start, number == permutations - 1)
    alive = ~_constant(asked.responses)
    p_value = _pooled(z.max(1), null, alive)
    q_value = np.full(units, np.nan)
    known = ~np.isnan(p_value)
    if known.any():
        from scipy.stats import false_discovery_control  # takes most of a second, and no page asks for it

        q_value[known] = false_discovery_control(p_value[known], method="bh")
    best = np.where(alive, z.argmax(1), -1)
    return LabelEvidence(auc, precision, z, best, null.astype(np.float32), p_value, q_value)


@dataclass(eq=False)
class _SlicedPermutations:
    """Permutations of all units, told as whole ones: of half of the units, two are one."""

    units: int
    done: Callable[[int], None]
    finished: int = 0  # permutations times units
    told: int = 0
    since: int = 0

    def advance(self, units: int, last: bool) -> None:
        """One more permutation of some units; the last one of these is always told."""
        self.finished, self.since = self.finished + units, self.since + 1
        if self.since == SLICE or last:
            whole = self.finished // self.units
            self.done(whole - self.told)
            self.told, self.since = whole, 0


@dataclass(frozen=True, eq=False)
class _LabelledPart:
    """Labels of columns that know the same images, which are ranked once.

    Attributes:
        labels: (t,) their numbers among all.
        images: (n,) the images that are known.
        shows: (N, t) bool, sparse, which image bears which of these labels.
    """

    labels: NDArray[np.int64]
    images: NDArray[np.int64]
    shows: csr_array


def _parts(asked: LabelledUnits) -> list[_LabelledPart]:
    """The labels by what their columns know."""
    found: dict[bytes, list[int]] = {}
    for label, column in enumerate(asked.column.tolist()):
        found.setdefault(asked.known[:, column].tobytes(), []).append(label)
    shows = csr_array(asked.shows)
    return [
        _LabelledPart(
            np.array(labels), np.flatnonzero(np.frombuffer(members, np.bool_)), shows[:, np.array(labels)]
        )
        for members, labels in found.items()
    ]


def _slices(units: int, parts: Sequence[_LabelledPart], room: int) -> Iterator[slice]:
    """Units whose ranks (8 bytes an image, and 4 of its response) and AUC, z and what both are made of
    (about eight numbers a label) fit into some room."""
    images, labels = sum(len(part.images) for part in parts), max(len(part.labels) for part in parts)
    step = max(1, room // (12 * images + 64 * labels))
    return (slice(first, min(first + step, units)) for first in range(0, units, step))


def _largest(
    parts: Sequence[_LabelledPart], ranked: Sequence[RankedResponses], source: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(units,) largest z over the labels; one that no image bears, or all do, says nothing.

    A column knows as much of an image as of the one whose labels it takes, so a part takes its own.
    """
    largest = [
        separation(one, part.shows, source[part.images])[1].max(1, initial=-np.inf)
        for part, one in zip(parts, ranked, strict=True)
    ]
    return np.max(largest, axis=0)


def _pooled(
    observed: NDArray[np.float64], null: NDArray[np.float64], alive: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(U,) p of each unit's largest z among those of all permutations and units that are alive.

    Each unit is standardised by all its values, what was observed among them: by its permutations alone,
    it alone would be judged by a mean and a deviation that it had no part in, and of units that tell nothing
    twice as many would have a p below 0.001 (of 100 permutations).

    Args:
        observed: (U,).
        null: (U, K).
        alive: (U,) bool; others have no p, NaN, and none has where K is 0.
    """
    found = np.full(len(observed), np.nan)
    if not null.shape[1] or not alive.any():
        return found
    values = np.concatenate([observed[:, None], null], 1)[alive]
    values -= np.array([math.fsum(row.tolist()) for row in values])[:, None] / values.shape[1]
    deviation = np.array([math.sqrt(math.fsum((row**2).tolist())) for row in values])[:, None]
    same = values.max(1) - values.min(1) <= _ROUNDED
    values = np.where(same[:, None], 0.0, values / np.where(same[:, None], 1.0, deviation))
    pool = np.sort(values[:, 1:].ravel())
    at_least = len(pool) - np.searchsorted(pool, values[:, 0], side="left")
    found[alive] = (1 + at_least) / (1 + len(pool))
    return found


def _constant(responses: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(responses.max(0) == responses.min(0))
