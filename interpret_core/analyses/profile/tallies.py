"""Thresholds and tallies of some layers: rounds of counting until all is bracketed, then one tally."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile import passes
from interpret_core.analyses.profile.assembly import layer_arrays
from interpret_core.analyses.profile.material import Material, feed
from interpret_core.analyses.profile.passes import Counted, Tallied
from interpret_core.analyses.profile.work import Passes, counted_of, listed_of, tallied_of
from interpret_core.measures.dissection.brackets import Brackets, first_windows, locate
from interpret_core.measures.dissection.counts import Windows
from interpret_core.measures.dissection.histogram import display_edges
from interpret_core.measures.dissection.listed import ListedResponses
from interpret_core.measures.dissection.sums import counted_bytes, grouped, tallied_bytes
from interpret_core.measures.dissection.tally import Tally
from interpret_core.measures.dissection.thresholds import Thresholds, settle, wanted_positions
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import Load, Shard, Shards, Stage
from interpret_core.store.records import Arrays


@dataclass(frozen=True)
class Passing:
    """What the passes over the images have in common.

    Attributes:
        material, work, shards, reporter: of the run.
        batches: batch numbers of every shard.
        quantile: tail mass.
        largest: takes a layer's name, the ranked images (n,) and the largest responses there (n, U).
    """

    material: Material
    work: Passes
    shards: Shards
    reporter: Reporter
    batches: Sequence[tuple[int, ...]]
    quantile: float
    largest: Callable[[str, NDArray[np.int32], NDArray[np.float32]], None]

    def counted(self, stage: str) -> Callable[[Shard], None]:
        """Reports the images of shards that are there, and were not computed in this process."""
        return lambda shard: self.reporter.advance(stage, self.material.size(shard))


@dataclass
class Rounds:
    """Rounds of counting so far, by layer.

    Attributes:
        counted: counts of the first round.
        brackets: as known so far.
        asked: (U,) bool, units not bracketed yet.
    """

    counted: dict[str, Counted] = field(default_factory=dict)
    brackets: dict[str, Brackets] = field(default_factory=dict)
    asked: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def take(
        self, name: str, sums: Counted, windows: Windows, quantile: float, spread: float
    ) -> Windows | None:
        """Learn from one layer's round; the windows of the next one, if it needs any.

        `spread` is the number of annotation pixels per grid position.
        """
        wanted = wanted_positions(quantile, sums.counts.positions)
        asked = self.asked.get(name, np.ones(len(sums.top_image), np.bool_))
        located = locate(sums.counts, windows, wanted, asked, spread)
        self.counted.setdefault(name, sums).counts.histogram = np.zeros((len(asked), 0), np.int64)
        self.brackets[name] = self.brackets.get(name, located.brackets).updated(located.brackets, asked)
        self.asked[name] = located.again
        return located.windows if located.again.any() else None

    def outline(self, name: str) -> passes.Outline:
        """What the tally needs to know of a layer."""
        counts = self.counted[name].counts
        return passes.Outline(self.brackets[name], display_edges(counts.minimum, counts.maximum))


def profile_layers(passing: Passing, layers: Sequence[str]) -> dict[str, Arrays]:
    """By layer, the arrays of its record without its masks."""
    start = time.perf_counter()
    rounds = _bracket(passing, layers)
    passing.reporter.seconds["thresholds"] = time.perf_counter() - start
    start = time.perf_counter()
    result = {}
    for name, tallied, parts in _tally(passing, {name: rounds.outline(name) for name in layers}):
        counted = rounds.counted[name]
        brackets, tally = rounds.brackets[name], tallied.tally
        thresholds = _thresholds(counted, brackets, tally, tallied.listed, passing.quantile)
        for part in parts():  # again, one at a time: what is listed beside the responses is large
            tally.settle(part, thresholds.value)
        result[name] = layer_arrays(passing.material, counted, thresholds, tallied)
        passing.largest(name, tallied.largest.image, tallied.largest.value)
    passing.reporter.seconds["IoU"] = time.perf_counter() - start
    return result


def settled(
    counted: Counted, brackets: Brackets, tally: Tally, listed: ListedResponses, quantile: float
) -> Thresholds:
    """Exact thresholds of one layer; what was listed is counted into `tally`."""
    thresholds = _thresholds(counted, brackets, tally, listed, quantile)
    tally.settle(listed, thresholds.value)
    return thresholds


def _thresholds(
    counted: Counted, brackets: Brackets, tally: Tally, listed: ListedResponses, quantile: float
) -> Thresholds:
    """The same, with nothing counted yet; needs the listed responses, not the pixels."""
    counts = counted.counts
    return settle(
        brackets,
        (counts.minimum, counts.maximum),
        (listed.unit, listed.value),
        tally.exceeding,
        wanted_positions(quantile, counts.positions),
    )


def _bracket(passing: Passing, layers: Sequence[str]) -> Rounds:
    """Count until every unit's threshold is bracketed; one round is the rule."""
    material = passing.material
    pilot = passes.look_around(material, layers, feed(material, [material.pilot()], annotations=False))
    windows = {name: first_windows(*seen, passing.quantile) for name, seen in pilot.items()}
    rounds = Rounds()
    turn = 0
    while windows:
        if turn:
            passing.reporter.total += len(material.dataset)
        following = {
            name: rounds.take(name, counted, windows[name], passing.quantile, material.spread(name))
            for name, counted in _count(passing, windows, turn)
        }
        windows = {name: window for name, window in following.items() if window is not None}
        turn += 1
    return rounds


def _count(passing: Passing, windows: Mapping[str, Windows], turn: int) -> Iterator[tuple[str, Counted]]:
    """Sums layer by layer, so that one layer's histograms are in memory at a time."""
    for names in _groups(passing, {name: counted_bytes(len(one.low)) for name, one in windows.items()}):
        group = {name: windows[name] for name in names}
        named = _named(f"count{turn}", [passes.windows_digest(one) for one in group.values()])
        stage = Stage(named, names, passing.counted("thresholds"), passing.work.count(group))
        loads = passing.shards.all(stage, passing.batches)
        for name in names:
            first, *others = loads
            counted = counted_of(first(name))
            for load in others:
                counted.merge(counted_of(load(name)))
            yield name, counted


Parts = Callable[[], Iterator[ListedResponses]]


def _tally(passing: Passing, outlines: Mapping[str, passes.Outline]) -> Iterator[tuple[str, Tallied, Parts]]:
    """Sums layer by layer, of what is listed the responses alone; all that shards list is read again."""
    shape = passing.material.columns, len(passing.batches)
    sizes = {name: tallied_bytes(len(one.edges), *shape) for name, one in outlines.items()}
    for names in _groups(passing, sizes):
        group = {name: outlines[name] for name in names}
        named = _named("tally", [outline.digest() for outline in group.values()])
        stage = Stage(named, names, passing.counted("IoU"), passing.work.tally(group))
        loads = passing.shards.all(stage, passing.batches)
        for name in names:
            sums = Tallied.joined(tallied_of(load(name)).without_pixels() for load in loads)
            yield name, sums, partial(_listed, name, loads)


def _listed(name: str, loads: Sequence[Load]) -> Iterator[ListedResponses]:
    return (listed_of(load(name)) for load in loads)


def _groups(passing: Passing, sizes: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Layers that are counted in one pass; every pass beyond the first is told the reporter."""
    groups = grouped(sizes)
    passing.reporter.total += (len(groups) - 1) * len(passing.material.dataset)
    return groups


def _named(stage: str, digests: Sequence[bytes]) -> str:
    """A stage's name with what its shards were counted with.

    A run may go on on another processor or device, whose first look at the responses differs in a last bit,
    and with it the windows: counts taken with others do not add up with its own.
    """
    return f"{stage}-{hashlib.sha256(b''.join(digests)).hexdigest()[:16]}"
