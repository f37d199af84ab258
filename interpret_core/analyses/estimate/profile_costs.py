"""What a profile takes, from what its sample measured and from how much there is to compute."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from interpret_core.analyses.estimate.extents import Extent
from interpret_core.analyses.estimate.paces import Measured, Pace
from interpret_core.analyses.estimate.profile_sizes import BAND, GALLERY, PASSES
from interpret_core.analyses.estimate.result import AnalysisCost, Bytes, PartCost, shared
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.datasets.loader import MEMORY, WORKERS
from interpret_core.datasets.shades import COUNT as SHADES
from interpret_core.measures.dissection.chance import MAX_IMAGES
from interpret_core.runtime.shards import BATCHES_PER_SHARD, MOST_SHARDS

MOST_LISTED = 100e6  # bytes that a layer lists (`brackets.LISTED`)
SURE = 10  # times the sample's images: beyond, counting may take another round


@dataclass(frozen=True)
class ProfileWork:
    """What is missing of a profile.

    Attributes:
        passes: whether they are.
        chance, assessment: the share of the units for which they are, from 0 to 1.
    """

    passes: bool = True
    chance: float = 1.0
    assessment: float = 1.0


@dataclass(frozen=True)
class ProfileCosts:
    """Costs of a profile.

    Attributes:
        request: of it.
        measured: by its sample.
        extent: of the data set.
        work: what is missing.
    """

    request: ProfileRequest
    measured: Measured
    extent: Extent
    work: ProfileWork

    def cost(self) -> AnalysisCost:
        """Part by part; what is stored is not among them."""
        parts = [
            PartCost("profile", name, pace) for name, pace in {**self._passes(), **self._after()}.items()
        ]
        size = Bytes(self._memory(), self._kept(), self._temporary(), self._traffic())
        units = round(self._size("units"))
        amount = f"{units:,} units on {self.extent.images:,} images, {self.extent.concepts:,} concepts"
        return AnalysisCost.of(parts, size, amount)

    @property
    def _sampled(self) -> int:
        return min(self.extent.images, MAX_IMAGES)

    @property
    def _batches(self) -> int:
        return -(-self.extent.images // self.request.batch_size)

    @property
    def _shards(self) -> int:
        return min(-(-self._batches // BATCHES_PER_SHARD), MOST_SHARDS)

    def _size(self, name: str) -> float:
        return self.measured.sizes.get(name, 0.0)

    @property
    def _again(self) -> int:
        """Decoded a second and third time: pictures of a large data set are not kept."""
        return 0 if self._size("picture") * self.extent.images <= MEMORY else 1

    def _decoded(self, images: float) -> Pace:
        """Pictures that the sample found decoded; other threads do it, so that it may take no time at all."""
        pace = self.measured.paces["decoding"].times(images * self._again)
        middle = pace.middle / min(WORKERS, self.extent.cores)
        return Pace(middle, 0.0, pace.high, pace.processor)

    def _passes(self) -> Mapping[str, Pace]:
        paces, images = self.measured.paces, self.extent.images
        if not self.work.passes:
            return {"masks": shared(self._masks(0.0), self.extent)} if self._later else {}
        rounds, again = self._rounds, self._rounds * max(self._size("rounds of count"), 1.0) - 1
        counted = self._counted(rounds) + self._decoded(again * images)
        tallied = paces["IoU"].times(images) + self._decoded(images)
        once = {
            name: paces[f"shard of {name}"].times(self._shards) for name in ("thresholds", "IoU", "masks")
        }
        return {
            "thresholds": shared(counted, self.extent) + once["thresholds"].times(rounds),
            "IoU": shared(tallied, self.extent) + once["IoU"],
            "masks": shared(self._masks(self._galleries), self.extent) + once["masks"],
        }

    @property
    def _rounds(self) -> float:
        """Of counting, to those of the sample: one more where a large data set crowds a bracket."""
        seen = max(self._size("rounds of count"), 1.0)
        return max(seen, 2.0 if self.extent.images >= self._size("again") else 1.0) / seen

    def _counted(self, rounds: float) -> Pace:
        """Of all rounds of counting: whether a large data set takes one more is not sure."""
        seen, images = max(self._size("rounds of count"), 1.0), self.extent.images
        pace = self.measured.paces["thresholds"].times(images)
        most = (seen + 1) / seen if images > SURE * self.measured.images else rounds
        used = pace.processor * rounds
        return Pace(pace.middle * rounds, pace.low, pace.high * max(most, rounds), used)

    @property
    def _later(self) -> bool:
        return self.work.chance > 0 or self.work.assessment > 0

    @property
    def _galleries(self) -> float:
        """Images outside the sample that some unit is shown with, if all are as likely to be."""
        rest = self.extent.images - self._sampled
        return rest * -math.expm1(-GALLERY * self._size("units") / self.extent.images)

    def _masks(self, others: float) -> Pace:
        """Of sampled images every mask is wanted; of others so few that they take what counting takes."""
        paces = self.measured.paces
        most = paces["thresholds"].times(others / max(self._size("rounds of count"), 1.0))
        shown = Pace(most.middle, 0.5 * most.low, most.high, most.processor)
        return paces["masks"].times(self._sampled) + shown + self._decoded(self._sampled + others)

    def _after(self) -> Mapping[str, Pace]:
        lots = self.request.permutations + 1 if self.request.permutations else 0
        return {
            "chance": self._sum("lot").times(lots * self.work.chance),
            "assessment": self._sum("assessment").times(self.work.assessment),
            "rest": self._sum("rest").times(max(self.work.chance, self.work.assessment))
            + (self._decoded(self._sampled) if self._later else Pace()),
        }

    def _sum(self, name: str) -> Pace:
        """What is always there grows with the concepts: it is what is done for each unit and concept."""
        paces = self.measured.paces
        always = paces[name].times(max(1.0, self.extent.concepts / max(self.measured.concepts, 1)))
        return always + paces[f"{name} on an image"].times(self._sampled)

    def _memory(self) -> float:
        """That of the sample, and what grows: pictures that are kept decoded, sampled images, tables."""
        sample, picture = self.measured.images, self._size("picture")
        pictures = min(MEMORY, picture * self.extent.images) - min(MEMORY, picture * sample)
        sampled = (self._sampled - sample) * self._size("sampled")
        more = max(0, self.extent.concepts - self.measured.concepts)
        tables = 3 * 8 * self._size("units") * more
        return self._size("peak") + max(0.0, pictures) + max(0.0, sampled) + tables

    def _kept(self) -> float:
        if not self.work.passes:
            later = self._size("kept sampled") * self._sampled if self._later else 0.0
            return later + self._size("kept permutation") * self.request.permutations * self.work.chance
        grown = {
            "always": 1,
            "concept": self.extent.concepts,
            "image": self.extent.images,
            "sampled": self._sampled,
            "permutation": self.request.permutations,
            "gallery": min(GALLERY, self.extent.images),
            "band": min(BAND, self.extent.images),
        }
        return sum(self._size(f"kept {name}") * number for name, number in grown.items())

    def _pass_bytes(self) -> float:
        """Of the shards of all passes: no more than the run announces for those that count."""
        found = {name: self._shard_bytes(name) for name in (PASSES if self.work.passes else ("masks",))}
        masks = found.pop("masks")
        columns = 1 + self.extent.concepts + SHADES
        each = self._size("bound of a shard") + columns * self._size("bound of a column")
        return min(sum(found.values()), self._shards * each + self._size("bound of all listed")) + masks

    def _shard_bytes(self, name: str) -> float:
        """Of one pass."""
        wide = max(1.0, self.extent.concepts / max(self.measured.concepts, 1)) if name == "tally" else 1.0
        images = self._sampled if name == "masks" else self.extent.images
        rounds = self._rounds if name == "count" else 1.0
        grown = self._size(f"image in {name}") * images + self._size(f"ranked in {name}") * self._sampled
        most = MOST_LISTED * self._size(f"layers of {name}")
        grown += min(self._size(f"listed in {name}") * images, most)
        return rounds * (self._size(f"shard of {name}") * wide * self._shards + grown)

    def _temporary(self) -> float:
        return self._pass_bytes() if self.work.passes or self._later else 0.0

    def _traffic(self) -> float:
        """What each pass tells every worker, and the sums of shards that come back."""
        if self.extent.workers < 2:
            return 0.0
        told = sum(self._size(f"given to {name}") for name in PASSES)
        return told * self.extent.workers + self._temporary()


def survey_cost(measured: Measured, extent: Extent) -> AnalysisCost:
    """Of every image and mask, read once."""
    pace = measured.paces["once"] + shared(measured.paces["reading"].times(extent.images), extent)
    kept = measured.sizes["kept image"] * extent.images
    size = Bytes(measured.sizes["peak"], kept, kept, kept if extent.workers > 1 else 0.0)
    amount = f"{extent.images:,} images, {extent.concepts:,} concepts"
    return AnalysisCost.of([PartCost("survey", "reading", pace)], size, amount)
