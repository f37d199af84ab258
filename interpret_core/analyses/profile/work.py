"""The passes of a profile as work for any process: what each is given, what it gives, how that adds up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from interpret_core.analyses.profile import passes
from interpret_core.analyses.profile.material import Material
from interpret_core.analyses.profile.passes import Counted, MaskPlan, Outline, Tallied
from interpret_core.datasets import Survey
from interpret_core.measures.dissection.bands import Largest
from interpret_core.measures.dissection.counts import Counts, Windows
from interpret_core.measures.dissection.listed import ListedResponses
from interpret_core.measures.dissection.tally import Tally
from interpret_core.measures.dissection.widths import narrowed, widened
from interpret_core.runtime.executors.base import Found, Work
from interpret_core.runtime.openings import NetworkOnData, opening_name
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import Shard, apart
from interpret_core.store.records import Arrays


@dataclass(frozen=True, eq=False)
class MaterialOpening:
    """The material of a run.

    Attributes:
        pair: network and data set.
        survey: of the data set, without its lists of images, which no pass reads.
        categories, batch_size, positions: as asked.
        tally: which kernels count.
    """

    pair: NetworkOnData
    survey: Survey
    categories: tuple[str, ...]
    batch_size: int
    positions: str
    tally: str

    @classmethod
    def of(cls, material: Material) -> MaterialOpening:
        """That of a run which has it open."""
        nothing = np.zeros(0, np.int32)
        return cls(
            NetworkOnData.of(material.network, material.dataset),
            replace(material.survey, presence_image=nothing, presence_pixels=nothing),
            material.table.categories,
            material.batch_size,
            material.positions,
            material.tally,
        )

    @property
    def name(self) -> str:
        """Equal ones open the same; a survey is that of its data set and categories."""
        pair = self.pair
        return opening_name(
            {
                "pair": [pair.network_digest, pair.dataset_digest, pair.device],
                "categories": list(self.categories),
                "batch_size": self.batch_size,
                "positions": self.positions,
                "tally": self.tally,
            },
        )

    @property
    def device(self) -> str:
        """Type of the device that computes."""
        return self.pair.device

    def open(self) -> Material:
        """In this process."""
        network, dataset = self.pair.open()
        table = dataset.concepts(self.categories)
        asked = (self.batch_size, self.positions, self.tally)
        return Material(network, dataset, table, self.survey, *asked)


@dataclass(frozen=True, eq=False)
class Passes:
    """Makes the work of each pass over a run's images."""

    opening: MaterialOpening
    material: Material

    def count(self, windows: Mapping[str, Windows]) -> Work[Material, Shard]:
        """A round of counting."""
        return self._work(_count, dict(windows), _joined_counts)

    def tally(self, outlines: Mapping[str, Outline]) -> Work[Material, Shard]:
        """Masks against annotations."""
        return self._work(_tally, dict(outlines), _joined_tallies)

    def masks(self, plans: Mapping[str, MaskPlan]) -> Work[Material, Shard]:
        """Exact masks."""
        return self._work(_masks, dict(plans), passes.joined)

    def _work(
        self,
        task: Callable[[Material, Any, Shard, Reporter], Found],
        given: Mapping[str, Any],
        join: Callable[[list[Arrays]], Arrays],
    ) -> Work[Material, Shard]:
        return Work(self.opening, task, given, apart, ByLayer(join), self.material)


@dataclass(frozen=True)
class ByLayer:
    """Adds up what several pieces found, layer by layer."""

    join: Callable[[list[Arrays]], Arrays]

    def __call__(self, found: Sequence[Found]) -> Found:
        """The sum, whatever their order."""
        return {name: self.join([one[name] for one in found]) for name in found[0]}


def _count(material: Material, windows: Mapping[str, Windows], shard: Shard, reporter: Reporter) -> Found:
    found = passes.count(material, windows, material.fed(shard), reporter)
    return {name: counted_arrays(counted) for name, counted in found.items()}


def _tally(material: Material, outlines: Mapping[str, Outline], shard: Shard, reporter: Reporter) -> Found:
    found = passes.tally(material, outlines, material.fed(shard, annotations=True), reporter)
    return {name: tallied_arrays(tallied) for name, tallied in found.items()}


def _masks(material: Material, plans: Mapping[str, MaskPlan], shard: Shard, reporter: Reporter) -> Found:
    return passes.masks(material, plans, material.fed(shard), reporter)


def _joined_counts(parts: list[Arrays]) -> Arrays:
    counted = counted_of(parts[0])
    for part in parts[1:]:
        counted.merge(counted_of(part))
    return counted_arrays(counted)


def _joined_tallies(parts: list[Arrays]) -> Arrays:
    return tallied_arrays(Tallied.joined(map(tallied_of, parts)))


def counted_arrays(counted: Counted) -> Arrays:
    """A layer's counts as arrays."""
    counts = counted.counts
    return {
        "histogram": narrowed(counts.histogram),
        "above": counts.above,
        "minimum": counts.minimum,
        "maximum": counts.maximum,
        "positions": np.array([counts.positions], np.int64),
        "top_response": counted.top_response,
        "top_image": counted.top_image,
    }


def counted_of(arrays: Arrays) -> Counted:
    """The inverse of `counted_arrays`; the copies may be added to."""
    histogram = widened(arrays["histogram"])
    above, minimum, maximum = (arrays[name].copy() for name in ("above", "minimum", "maximum"))
    counts = Counts(histogram, above, minimum, maximum, int(arrays["positions"][0]))
    return Counted(counts, arrays["top_response"], arrays["top_image"])


def tallied_arrays(tallied: Tallied) -> Arrays:
    """A layer's tally, and what is listed for later, as arrays."""
    counts = {field.name: narrowed(getattr(tallied.tally, field.name)) for field in fields(Tally)}
    listed = {
        f"listed_{field.name}": getattr(tallied.listed, field.name) for field in fields(ListedResponses)
    }
    largest = {
        f"largest_{field.name}": np.atleast_1d(getattr(tallied.largest, field.name))
        for field in fields(Largest)
    }
    return counts | listed | largest | {"histogram": narrowed(tallied.histogram)}


def tallied_of(arrays: Arrays) -> Tallied:
    """The inverse of `tallied_arrays`; the copies may be added to."""
    # Only the largest table begins narrow: the others are added to without a look at what they hold.
    counts: dict[str, Any] = {field.name: arrays[field.name].astype(np.int64) for field in fields(Tally)[1:]}
    counts["intersection"] = widened(arrays["intersection"])
    start, *kept = (arrays[f"largest_{field.name}"] for field in fields(Largest))
    return Tallied(
        Tally(**counts), listed_of(arrays), Largest(int(start[0]), *kept), widened(arrays["histogram"])
    )


def listed_of(arrays: Arrays) -> ListedResponses:
    """What a layer's tally lists for later."""
    return ListedResponses(*(arrays[f"listed_{field.name}"] for field in fields(ListedResponses)))
