"""One layer as the pages see it: the record, its summary and what is derived from them for drawing.

No Streamlit in here. The integers come from the record; each ratio is divided once, in the core's summary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.request import Settings
from interpret_core.analyses.profile.summary import LayerSummary, sensitivity
from interpret_core.figures.colours import badge_of_all
from interpret_core.measures.assessment.words import Assessment
from interpret_core.positions import GridLines
from interpret_core.runtime.names import NamesNow
from ui.shell.names import unlike

LIVE, DEAD, TIED = 0, 1, 2  # as in the record's `state`
STATE_WORDS = {LIVE: "live", DEAD: "dead", TIED: "tied"}
CUTOFFS_KEPT = 16  # of a view: a slider being dragged asks for many
SHADE = "shade"  # in place of a category


class Concept(NamedTuple):
    """A concept under the name that no other of the profile has (`ConceptTable.names`)."""

    number: int
    name: str
    category: str


class Overlap(NamedTuple):
    """Of a mask with a concept or a shade: IoU, pixels of both, of either, the largest possible IoU."""

    iou: float
    both: int
    union: int
    ceiling: float


class Facts(NamedTuple):
    """Who was profiled on what."""

    network: str
    network_title: str
    evidence: str
    note: str
    dataset: str
    dataset_digest: str
    images: int
    skipped: int

    @property
    def badge(self) -> str:
        """Whose a figure is, and what the evidence is."""
        return whose([self])


def whose(every: Sequence[Facts]) -> str:
    """Of which networks a figure is, on which data set, and what the evidence is."""
    return badge_of_all([(one.network_title, one.evidence) for one in every], every[0].dataset)


class Place(NamedTuple):
    """The layer within the network."""

    name: str
    path: str
    number: int
    units: int
    grid: tuple[int, int]
    receptive_field: int | None
    stride: int | None
    sort: str = ""  # what it is made by, empty for a convolution
    lines: GridLines | None = None  # where its positions lie; None where they are spread evenly

    @property
    def placed(self) -> GridLines:
        """Where its positions lie in the picture."""
        return self.lines or GridLines.evenly(self.grid)


@dataclass(frozen=True)
class LayerView:
    """One layer of one network on one data set under given settings.

    Attributes:
        key: digest of the layer's record; part of every picture's address.
        summary: the core's labels, detectors and chance; every ratio was divided there, once.
        network, dataset: registered names; the record may have been made under others.
        survey: key of the data set's survey in the store.
        names: what network and data set are called now; without, as the record calls them.
    """

    key: str
    summary: LayerSummary
    network: str
    dataset: str
    survey: str = ""
    names: NamesNow | None = None

    def at(self, cutoff: float) -> LayerView:
        """The same layer under another cut-off; labels and chance do not depend on it: nothing is sorted."""
        summary = self.summary
        if cutoff == summary.settings.cutoff:
            return self
        found = self._others.get(cutoff)
        if found is None:
            settings = Settings(summary.settings.min_images, cutoff)
            found = replace(
                self, summary=replace(summary, settings=settings, detector=summary.best_iou > cutoff)
            )
            # What no cut-off changes is not found out again.
            vars(found).update(
                metadata=self.metadata, facts=self.facts, layer=self.layer, concepts=self.concepts
            )
            if len(self._others) >= CUTOFFS_KEPT:
                self._others.clear()
            self._others[cutoff] = found
        return found

    @cached_property
    def _others(self) -> dict[float, LayerView]:
        """The last few cut-offs under which the layer was looked at."""
        return {}

    @property
    def identity(self) -> tuple[object, ...]:
        """Tells apart what follows from a view: record, chance level and settings, and under which names."""
        stages = self.permutations, self.summary.assessment is not None
        return self.key, self.summary.settings, *stages, self.network, self.dataset, self.names

    @property
    def record(self) -> Mapping[str, NDArray[Any]]:
        """Arrays by their contract names (docs/architecture.md)."""
        return self.summary.profile.arrays

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """The record's metadata, in today's words: whoever asked first may have called things otherwise."""
        told = self.summary.profile.metadata
        return told if self.names is None else self.names.told(told)

    @cached_property
    def facts(self) -> Facts:
        """Who was profiled on what."""
        network, dataset = self.metadata["network"], self.metadata["dataset"]
        return Facts(
            self.network,
            network.get("title") or self.network,
            network.get("evidence", ""),
            network.get("note", ""),
            self.dataset,
            dataset["digest"],
            int(dataset["images"]),
            len(dataset.get("skipped", ())),
        )

    @cached_property
    def layer(self) -> Place:
        """The layer within the network."""
        layer = self.metadata["layer"]
        height, width = layer["grid"]
        return Place(
            layer["name"],
            layer["path"],
            int(layer["index"]),
            int(layer["units"]),
            (int(height), int(width)),
            layer.get("receptive_field"),
            layer.get("stride"),
            layer.get("sort", ""),
            GridLines.from_note(layer["lines"]) if "lines" in layer else None,
        )

    @property
    def annotation_size(self) -> tuple[int, int]:
        """(H, W) of the annotation grid."""
        return self.summary.profile.annotation_size

    @property
    def quantile(self) -> float:
        """The tail mass asked for."""
        return float(self.metadata["quantile"])

    @property
    def positions(self) -> int:
        """Grid positions over all images."""
        return int(self.metadata["positions"])

    @property
    def annotated(self) -> bool:
        """Whether the photographs have any concept; without, there are colours and shades alone."""
        return len(self.summary.included) > 0

    @property
    def cutoff(self) -> float:
        """A unit is a detector above this IoU."""
        return self.summary.settings.cutoff

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories in the record's order."""
        return self.summary.profile.categories

    @cached_property
    def concepts(self) -> tuple[Concept, ...]:
        """The concepts under names of their own."""
        table = self.summary.profile.table
        return tuple(
            Concept(concept.number, name, concept.category)
            for concept, name in zip(table.concepts, table.names, strict=True)
        )

    @cached_property
    def drawn(self) -> tuple[Concept, ...]:
        """What can be drawn over photographs: the concepts, then the shades, under names of their own."""
        taken = {concept.name for concept in self.concepts}
        shades = self.metadata.get("shade_names") or ()
        return self.concepts + tuple(
            Concept(number, unlike(f"shade: {name}", taken), SHADE) for number, name in enumerate(shades)
        )

    def shade_of(self, drawn: int) -> int | None:
        """The shade that an index into `drawn` means; None for a concept or for nothing."""
        number = drawn - len(self.concepts)
        return number if number >= 0 else None

    def overlap(self, unit: int, drawn: int) -> Overlap:
        """Of the unit's mask with what is drawn; all 0 for nothing (-1)."""
        profile, shade = self.summary.profile, self.shade_of(drawn)
        if drawn < 0:
            return Overlap(0.0, 0, 0, 0.0)
        if shade is not None:
            both = int(self.record["shade_intersection"][unit, shade])
            active, area = int(self.record["active_total"][unit]), int(self.record["shade_pixels"][shade])
            ceiling = min(active, area) / max(active, area, 1)
            return Overlap(float(profile.shade_iou[unit, shade]), both, active + area - both, ceiling)
        category = int(profile.concept_category[drawn])
        both = int(self.record["intersection"][unit, drawn])
        union = int(self.record["active"][unit, category] + self.record["concept_pixels"][drawn]) - both
        table = profile.table_of_iou
        return Overlap(table.at(unit, drawn), both, union, float(table.ceiling(unit, drawn)))

    @property
    def iou(self) -> NDArray[np.float64]:
        """(U,) IoU with the best concept."""
        return self.summary.best_iou

    @property
    def best(self) -> NDArray[np.int64]:
        """(U,) the best concept, -1 for none."""
        return self.summary.best_concept

    @property
    def detector(self) -> NDArray[np.bool_]:
        """(U,) best IoU above the cut-off."""
        return self.summary.detector

    @property
    def state(self) -> NDArray[np.uint8]:
        """(U,) 0 live, 1 dead, 2 tied."""
        return np.asarray(self.record["state"])

    @property
    def firing(self) -> NDArray[np.float64]:
        """(U,) share of grid positions above the threshold."""
        return self.summary.profile.tail_mass

    @cached_property
    def expected(self) -> float | None:
        """Detectors expected by chance; None while chance has not been computed."""
        return self.summary.expected_by_chance()

    @property
    def permutations(self) -> int:
        """Permutations behind the p-values, 0 without chance."""
        return int(self.summary.chance.metadata["permutations"]) if self.summary.chance else 0

    @property
    def chance_images(self) -> int:
        """Images behind the p-values, 0 without chance."""
        return int(self.summary.chance.metadata["images"]) if self.summary.chance else 0

    @property
    def p_floor(self) -> float:
        """The smallest p the permutations can give: 1/(1 + K·U), U the units that are not dead."""
        return 1 / (1 + self.permutations * max(1, int((self.state != DEAD).sum())))

    def detectors(self) -> int:
        """Units whose best IoU exceeds the cut-off."""
        return int(self.detector.sum())

    def concept_counts(self) -> dict[int, list[int]]:
        """Concept -> its detectors, best first; concepts with most detectors first."""
        units: dict[int, list[int]] = {}
        for unit in np.argsort(-self.iou, kind="stable"):
            if self.detector[unit]:
                units.setdefault(int(self.best[unit]), []).append(int(unit))
        return dict(sorted(units.items(), key=lambda item: (-len(item[1]), item[0])))

    def sensitivity(self, cutoffs: NDArray[np.float64]) -> NDArray[np.int64]:
        """Number of units whose best IoU exceeds each cut-off."""
        return sensitivity(self.iou, cutoffs.tolist())

    def find(self, name: str) -> int:
        """Index of the concept that a name means, -1 if there is none or there are several."""
        found = self.summary.profile.table.named(name)
        return found[0] if len(found) == 1 else -1

    def meant(self, name: str) -> list[str]:
        """The concepts that a name may mean, each under a name of its own."""
        return [self.concepts[index].name for index in self.summary.profile.table.named(name)]

    def word(self, unit: int) -> str:
        """`dead`, `tied` or nothing."""
        state = int(self.state[unit])
        return "" if state == LIVE else STATE_WORDS.get(state, "")

    def assessment(self, unit: int) -> Assessment | None:
        """What is said that the unit responds to; None where that was not computed."""
        return self.summary.said(unit)

    def label(self, unit: int) -> str:
        """Unique name of the unit's best concept, empty when it overlaps with none."""
        best = int(self.best[unit])
        return self.concepts[best].name if best >= 0 and self.iou[unit] > 0 else ""

    def category(self, unit: int) -> str:
        """Category of the unit's best concept."""
        best = int(self.best[unit])
        return self.concepts[best].category if best >= 0 and self.iou[unit] > 0 else ""

    def best_concepts(self, unit: int) -> list[int]:
        """The unit's best concepts, overall and then of each category, each once."""
        numbers = [*self.summary.top_concept[unit], *self.summary.category_concept[unit]]
        return list(dict.fromkeys(int(c) for c in numbers if c >= 0))

    def colour(self, unit: int) -> tuple[int, int, int] | None:
        """Mean RGB inside the unit's mask; None for a unit whose mask is empty."""
        mean = self.summary.profile.mean_colour[unit]
        return None if np.isnan(mean).any() else (round(mean[0]), round(mean[1]), round(mean[2]))

    def best_shade(self, unit: int) -> int | None:
        """The shade with the best IoU with the unit's mask; None where it overlaps with none."""
        best = int(self.summary.profile.nearest_shade[unit])
        return best if best >= 0 else None

    def nearest_shade(self, unit: int) -> tuple[str, tuple[int, int, int], float] | None:
        """The same with its name, RGB and IoU."""
        best = self.best_shade(unit)
        if best is None:
            return None
        return *self.shade(best), float(self.summary.profile.shade_iou[unit, best])

    def held(self, unit: int, drawn: int) -> float:
        """Share of the unit's whole mask that lies on what is drawn, 0 to 1."""
        active = int(self.record["active_total"][unit])
        return self.overlap(unit, drawn).both / active if active else 0.0

    def shade(self, number: int) -> tuple[str, tuple[int, int, int]]:
        """Name and RGB of a shade."""
        red, green, blue = (int(value) for value in self.record["shade_rgb"][number])
        return str(self.metadata["shade_names"][number]), (red, green, blue)

    def told(self, unit: int) -> int:
        """Index into `drawn` of what the unit is best explained by: its shade where it is a colour, else its
        label; -1 where it overlaps with nothing."""
        shade = self.best_shade(unit) if self.assessment(unit) is Assessment.COLOUR else None
        if shade is not None:
            return len(self.concepts) + shade
        return int(self.best[unit]) if self.label(unit) else -1


Views = Mapping[str, LayerView]  # layer -> view, in forward order
Identity = tuple[tuple[object, ...], ...]


def identity_of(views: Views) -> Identity:
    """Tells apart what follows from a network's layers."""
    return tuple((name, *view.identity) for name, view in views.items())
