"""A layer's profile: every integer that was counted, and the quotients that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.concepts import Concept, ConceptTable
from interpret_core.measures.assessment.words import Evidence
from interpret_core.measures.dissection.iou_table import EVERY, IouTable
from interpret_core.measures.dissection.masks import decode
from interpret_core.measures.dissection.thresholds import State
from interpret_core.numbers import share


class UnlistedLabel(NamedTuple):
    """Pixels that count as unlabelled: `listed` are the categories of label.csv, without the map's."""

    category: str
    number: int
    name: str
    listed: tuple[str, ...]
    pixels: int


@dataclass(frozen=True)
class LayerProfile:
    """What one layer's units do on one data set.

    Args:
        arrays: as listed in docs/architecture.md, read-only.
        metadata: JSON-able: network, dataset, layer, quantile, categories, concepts, shade_names, batch_size,
            positions, wanted, annotation_size, band_images.
    """

    arrays: Mapping[str, NDArray[Any]]
    metadata: Mapping[str, Any]

    def __getattr__(self, name: str) -> NDArray[Any]:
        try:
            return self.__dict__["arrays"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def units(self) -> int:
        """U."""
        return len(self.arrays["threshold"])

    @property
    def layer(self) -> str:
        """The layer's short name."""
        return str(self.metadata["layer"]["name"])

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories in the order of the columns of `active`."""
        return tuple(self.metadata["categories"])

    @cached_property
    def table(self) -> ConceptTable:
        """The C concepts, in the order of the columns."""
        listed = self.metadata["concepts"]
        concepts = (Concept(int(number), str(name), str(category)) for number, name, category in listed)
        return ConceptTable(self.categories, tuple(concepts))

    @property
    def concept_names(self) -> tuple[str, ...]:
        """(C,) names for display, no two alike."""
        return self.table.names

    @property
    def concept_category(self) -> NDArray[np.int64]:
        """(C,) index into `categories`."""
        return self.table.category_of

    @property
    def annotation_size(self) -> tuple[int, int]:
        """(H, W) of the annotation grid."""
        height, width = self.metadata["annotation_size"]
        return int(height), int(width)

    @cached_property
    def unlisted(self) -> tuple[UnlistedLabel, ...]:
        """Labels that label.csv does not list under the category of their map, those of most pixels first."""
        found = (
            UnlistedLabel(category, int(number), name, tuple(listed), int(pixels))
            for category, number, name, listed, pixels in self.metadata["dataset"].get("unlisted", ())
        )
        return tuple(sorted(found, key=lambda label: -label.pixels))

    @property
    def unlisted_share(self) -> float:
        """Their part of all labelled pixels; a pixel of two categories counts twice. 0/0 is 0."""
        pixels = sum(label.pixels for label in self.unlisted)
        return pixels / (pixels + int(self.arrays["concept_pixels"].sum())) if pixels else 0.0

    @cached_property
    def live(self) -> NDArray[np.bool_]:
        """(U,) units with an untied threshold."""
        return np.asarray(self.arrays["state"] == State.LIVE)

    @cached_property
    def table_of_iou(self) -> IouTable:
        """IoUs and their ceilings where they are asked for, without the whole table."""
        both, active, pixels = (self.arrays[name] for name in ("intersection", "active", "concept_pixels"))
        return IouTable(both, active, pixels, self.concept_category)

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """(U, C) intersection over union in the images that have the concept's category; 0/0 is 0.

        All of it at once, and kept: whoever needs a few reads them off `table_of_iou`.
        """
        return self.table_of_iou.rows(EVERY)

    def iou_with(self, concepts: Sequence[int]) -> NDArray[np.float64]:
        """(U,) IoU with the union of concepts of one category, of which no pixel has two; 0/0 is 0.

        Args:
            concepts: indices; of a single one, its column of `iou`.
        """
        columns = list(concepts)
        both = self.arrays["intersection"][:, columns].sum(1).astype(np.float64)
        active = self.arrays["active"][:, self.concept_category[columns[0]]]
        return share(both, active + self.arrays["concept_pixels"][columns].sum() - both, 0.0)

    @cached_property
    def shade_iou(self) -> NDArray[np.float64]:
        """(U, S) IoU with each shade over all images."""
        both = self.arrays["shade_intersection"].astype(np.float64)
        return share(both, self.arrays["active_total"][:, None] + self.arrays["shade_pixels"] - both, 0.0)

    @cached_property
    def nearest_shade(self) -> NDArray[np.int64]:
        """(U,) the shade with the largest IoU, ties to the lower index; −1 where none overlaps."""
        if not self.shade_iou.shape[1]:
            return np.full(self.units, -1)
        return np.where(self.shade_iou.max(1) > 0, self.shade_iou.argmax(1), -1)

    def best_concepts(
        self, among: NDArray[np.bool_], number: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(U, number) the concepts of largest IoU, and the IoUs; ties to the lower index, −1 and 0 where no
        other overlaps.

        Args:
            among: (C,) concepts that count.
            number: how many of each unit.
        """
        return self.table_of_iou.ranked(among, number).overall()

    @cached_property
    def mask_area(self) -> NDArray[np.float64]:
        """(U,) share of the pixels of the annotation grid that the mask covers."""
        height, width = self.annotation_size
        images = self.metadata["positions"] // int(np.prod(self.metadata["layer"]["grid"]))
        return share(self.arrays["active_total"], images * height * width, 0.0)

    @cached_property
    def tail_mass(self) -> NDArray[np.float64]:
        """(U,) share of the grid positions above the threshold, as realised."""
        return share(self.arrays["exceeding"], self.metadata["positions"], 0.0)

    @cached_property
    def mean_colour(self) -> NDArray[np.float64]:
        """(U, 3) mean RGB inside the mask, 0–255; NaN where the mask is empty."""
        active = self.arrays["active_total"][:, None].astype(np.float64)
        return np.where(active > 0, self.arrays["colour_sum"] / np.maximum(active, 1), np.nan)

    def top_images(self, unit: int) -> list[int]:
        """Indices of the unit's strongest images, strongest first."""
        return [int(image) for image in self.arrays["top_image"][unit] if image >= 0]

    def mask_runs(self, unit: int, rank: int) -> NDArray[Any]:
        """(R, 2) run lengths of the unit's mask on its rank-th strongest image."""
        place = unit * self.arrays["top_image"].shape[1] + rank
        start, end = self.arrays["mask_offsets"][place : place + 2]
        return self.arrays["mask_runs"][start:end]

    def mask(self, unit: int, rank: int) -> NDArray[np.bool_]:
        """(H, W) bool mask of the unit on its rank-th strongest image."""
        return decode(self.mask_runs(unit, rank), self.annotation_size)

    def fires_in(self, unit: int) -> NDArray[np.bool_]:
        """(N,) bool, images of the data set in which the unit's largest response exceeds its threshold."""
        length = self.metadata["dataset"]["length"]
        return np.unpackbits(self.arrays["fires"][unit], count=length).astype(np.bool_)

    def band(self, unit: int, band: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Images (k,) shown of a tenth of the images, strongest first, and the unit's largest responses (k,).

        `band` 0 is the strongest tenth; k is 0 to 6.
        """
        images = self.arrays["band_image"][unit, band]
        present = images >= 0
        return images[present], self.arrays["band_response"][unit, band][present]

    def band_runs(self, unit: int, band: int, place: int) -> NDArray[Any]:
        """(R, 2) run lengths of the unit's mask on one of the images of `band`; a silent unit has none."""
        _, bands, shown = self.arrays["band_image"].shape
        first = (unit * bands + band) * shown + place
        start, end = self.arrays["band_mask_offsets"][first : first + 2]
        return self.arrays["band_mask_runs"][start:end]


@dataclass(frozen=True)
class ChanceResult:
    """Chance level of one layer for one rule on the number of images.

    Args:
        arrays: null_maximum (U, K) float32; observed, z, p_value, q_value (U,) float64; included (C,) bool.
        metadata: min_images, seed, permutations, images.
    """

    arrays: Mapping[str, NDArray[Any]]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class AssessmentResult:
    """What the units of one layer respond to, for one rule on the number of images.

    Args:
        arrays: as listed in `analyses.profile.assessment`.
        metadata: min_images, seed, images, scenes, independent (whether those are enough to hold some out),
            label_sets.
    """

    arrays: Mapping[str, NDArray[Any]]
    metadata: Mapping[str, Any]

    @property
    def independent(self) -> bool:
        """Whether the images are scenes enough to hold some out: without, no interval is known."""
        return bool(self.metadata["independent"])

    @property
    def evidence(self) -> Evidence:
        """What the words rest on."""
        names = ("base_rate", "precision", "difference", "together", "lift_interval", "firing", "rare")
        return Evidence(*(self.arrays[name] for name in names))
