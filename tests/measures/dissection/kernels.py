"""Runs the profile's kernels on plain arrays, batch by batch, the way the engine does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interpret_core.analyses.profile.passes import Counted
from interpret_core.analyses.profile.tallies import Rounds, settled
from interpret_core.measures.dissection.bands import Largest
from interpret_core.measures.dissection.brackets import first_windows
from interpret_core.measures.dissection.counts import Counts, Windows
from interpret_core.measures.dissection.listed import Annotated, ListedResponses
from interpret_core.measures.dissection.masks import no_images
from interpret_core.measures.dissection.tally import Tally
from interpret_core.measures.dissection.thresholds import Thresholds


@dataclass
class Case:
    """Inputs as the reference takes them, and as the kernels do.

    Attributes:
        responses: (N, U, h, w) float32.
        planes: (N, L, H, W) uint16, 1 + concept, no concept twice at a pixel.
        colours: (N, H, W, 3) uint8.
        category_of: (C,) int.
        valid: (N,) bool.
    """

    responses: np.ndarray
    planes: np.ndarray
    colours: np.ndarray
    category_of: np.ndarray
    valid: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        return self.planes.shape[2:]

    @property
    def categories(self) -> int:
        return int(self.category_of.max()) + 1

    def member(self) -> np.ndarray:
        found = np.zeros((len(self.planes), self.categories), bool)
        for concept, category in enumerate(self.category_of):
            found[:, category] |= (self.planes == concept + 1).any((1, 2, 3))
        return found & self.valid[:, None]

    def annotated(self, images: np.ndarray) -> Annotated:
        labels = self.planes[images].reshape(len(images), self.planes.shape[1], -1).transpose(0, 2, 1)
        return Annotated(
            np.ascontiguousarray(labels),
            self.colours[images].reshape(len(images), -1, 3),
            self.member()[images],
            self.valid[images],
            self.size,
        )


@dataclass
class Result:
    thresholds: Thresholds
    tally: Tally
    counted: Counted
    rounds: int
    largest: Largest


def units_last(responses: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(responses.transpose(0, 2, 3, 1))


def run(
    case: Case,
    quantile: float,
    batches: list[list[int]],
    pilot: list[int],
    ranked: np.ndarray | None = None,
) -> Result:
    """Thresholds and tally of one layer from batches in any order; `ranked` (N,) bool, all by default."""
    ranked = np.ones(len(case.valid), bool) if ranked is None else ranked
    units = case.responses.shape[1]
    windows = _first(case, quantile, pilot)
    rounds = Rounds()
    turns = 0
    following: Windows | None = windows
    while following is not None:
        sums = _count(case, following, batches)
        following = rounds.take("layer", sums, following, quantile, spread=1.0)
        turns += 1
        assert turns <= 8, "the search for the threshold does not end"
    tally = Tally.empty(units, 1 + len(case.category_of), case.categories)
    listed, largest = [], []
    for batch in batches:
        images = np.array(batch)
        responses = units_last(case.responses[images])
        maxima, brackets = responses.max((1, 2)) + np.float32(0), rounds.brackets["layer"]
        listed.append(tally.add(responses, maxima, brackets, case.annotated(images)))
        largest.append(Largest.of(maxima, images, case.valid[images], brackets, ranked))
    thresholds = settled(
        rounds.counted["layer"], rounds.brackets["layer"], tally, ListedResponses.joined(listed), quantile
    )
    return Result(thresholds, tally, rounds.counted["layer"], turns, Largest.joined(largest))


def _first(case: Case, quantile: float, pilot: list[int]) -> Windows:
    counts = Counts.empty(case.responses.shape[1])
    responses = units_last(case.responses[pilot])
    valid = case.valid[pilot]
    flat = responses.reshape(len(pilot), -1, responses.shape[-1])
    counts.see(flat.min(1)[valid], flat.max(1)[valid])
    windows = Windows.whole(counts.minimum)
    counts.add(flat, valid, windows)
    return first_windows(counts, windows, quantile)


def _count(case: Case, windows: Windows, batches: list[list[int]]) -> Counted:
    units = case.responses.shape[1]
    total = Counted(Counts.empty(units), *no_images(units))
    for batch in batches:
        images = np.array(batch)
        responses = units_last(case.responses[images])
        flat, valid = responses.reshape(len(images), -1, units), case.valid[images]
        part = Counted(Counts.empty(units), *no_images(units))
        part.counts.see(flat.min(1)[valid], flat.max(1)[valid])
        part.counts.add(flat, valid, windows)
        chosen = images[valid].astype(np.int32)
        part.add_strongest(flat.max(1)[valid].T, np.broadcast_to(chosen, (units, len(chosen))))
        total.merge(part)
    return total
