"""From the passes' sums to the record of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.material import Material
from interpret_core.analyses.profile.passes import Counted, Tallied
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.measures.dissection.histogram import display_edges
from interpret_core.measures.dissection.thresholds import Thresholds
from interpret_core.networks import Layer
from interpret_core.networks.layers.layer import Sort
from interpret_core.positions import Placing
from interpret_core.store.records import Arrays


def layer_arrays(material: Material, counted: Counted, thresholds: Thresholds, tallied: Tallied) -> Arrays:
    """The record's arrays, all but the masks (docs/architecture.md)."""
    survey, concepts = material.survey, len(material.table)
    counts, tally = counted.counts, tallied.tally
    band_image, band_response = tallied.largest.bands()
    return {
        "threshold": thresholds.value,
        "state": thresholds.state,
        "exceeding": tally.exceeding,
        "maximum": counts.maximum,
        "intersection": tally.intersection[:, 1 : 1 + concepts].astype(np.int64),
        "active": tally.active,
        "active_total": tally.active_total,
        "concept_pixels": survey.concept_pixels,
        "concept_images": survey.concept_images,
        "category_images": survey.category_images,
        "colour_sum": tally.colour_sum,
        "shade_intersection": tally.intersection[:, 1 + concepts :].astype(np.int64),
        "shade_pixels": survey.shade_pixels,
        "shade_rgb": survey.shades.rgb,
        "top_image": counted.top_image,
        "top_response": np.where(counted.top_image < 0, np.float32(0), counted.top_response),
        "fires": tallied.largest.fires(thresholds.value, len(material.dataset)),
        "band_image": band_image,
        "band_response": band_response,
        "histogram": tallied.histogram.astype(np.int64),
        "histogram_edges": display_edges(counts.minimum, counts.maximum),
    }


def shown_images(arrays: Arrays) -> NDArray[np.int32]:
    """(U, K) int32, every image whose mask a layer's record holds, −1 for none."""
    return np.concatenate([arrays["top_image"], _flat(arrays["band_image"])], 1)


def mask_arrays(parts: Arrays, arrays: Arrays, size: tuple[int, int]) -> Arrays:
    """Run-length masks of each unit's strongest images and of the images of its tenths.

    Args:
        parts: gallery_* arrays of `passes.masks`, joined over shards.
        arrays: the record's other arrays.
        size: (H, W) of the annotation grid.
    """
    kind = np.uint16 if size[0] * size[1] <= np.iinfo(np.uint16).max else np.uint32
    top = _Masks.of(parts, arrays["top_image"])
    band = _Masks.of(parts, _flat(arrays["band_image"]))
    return {
        "top_peak": top.peaks,
        "mask_offsets": top.offsets,
        "mask_runs": top.runs.astype(kind),
        "band_mask_offsets": band.offsets,
        "band_mask_runs": band.runs.astype(kind),
    }


@dataclass(frozen=True)
class _Masks:
    """Masks of a gallery of U·K images, unit by unit: peaks (U, K) int32, offsets (U·K + 1,), runs (M, 2)."""

    peaks: NDArray[np.int32]
    offsets: NDArray[np.int64]
    runs: NDArray[Any]

    @classmethod
    def of(cls, parts: Arrays, images: NDArray[np.int32]) -> _Masks:
        """Pick the masks of `images` (U, K), −1 for none, in whatever order the shards found them."""
        found = _pair(parts["gallery_unit"], parts["gallery_image"])
        order = np.argsort(found)
        unit, place = np.nonzero(images >= 0)
        wanted = _pair(unit, images[unit, place])
        at = order[np.searchsorted(found, wanted, sorter=order)]
        length = np.zeros(images.shape, np.int64)
        length[unit, place] = parts["gallery_length"][at]
        peaks = np.zeros(images.shape, np.int32)
        peaks[unit, place] = parts["gallery_peak"][at]
        offsets = np.concatenate([[0], np.cumsum(length.ravel())])
        # Run j of a mask lies j places after that mask's first one, here as there.
        first = np.cumsum(parts["gallery_length"]) - parts["gallery_length"]
        shift = first[at] - offsets[:-1].reshape(images.shape)[unit, place]
        rows = np.arange(offsets[-1]) + np.repeat(shift, parts["gallery_length"][at])
        return cls(peaks, offsets, parts["gallery_runs"][rows])


def _flat(images: NDArray[np.int32]) -> NDArray[np.int32]:
    """(U, bands, k) images of the tenths as (U, bands·k)."""
    return images.reshape(len(images), -1)


def _pair(unit: NDArray[np.integer], image: NDArray[np.integer]) -> NDArray[np.int64]:
    """One sortable number for a unit and an image."""
    return (unit.astype(np.int64) << 32) | image.astype(np.int64)


def _unlisted(material: Material) -> dict[str, Any]:
    """Labels not listed in the category of their map, with what label.csv says of them; nothing for none."""
    labels = material.dataset.labels
    found = [
        [category, number, labels[number].name, list(labels[number].categories), pixels]
        for category, number, pixels in material.survey.unlisted
    ]
    return {"unlisted": found} if found else {}


def layer_metadata(material: Material, layer: Layer, request: ProfileRequest, wanted: int) -> dict[str, Any]:
    """The record's metadata (docs/architecture.md)."""
    network, dataset = material.network, material.dataset
    # Stretched positions need no word: records were so before there was a choice.
    placing = {} if request.positions == Placing.STRETCHED else {"placing": request.positions}
    positions = int(material.survey.valid.sum()) * layer.grid[0] * layer.grid[1]
    return {
        "network": {
            "name": network.name,
            "title": network.spec.title,
            "digest": network.digest,
            "evidence": network.evidence,
            "note": network.note,
            "traced": network.traced,
        },
        "dataset": {
            "name": dataset.name,
            "digest": dataset.digest,
            "images": int(material.survey.valid.sum()),
            "length": len(dataset),
            "skipped": [[problem.image, problem.reason] for problem in material.survey.problems],
            **_unlisted(material),
            **({"resampling": dataset.resampling} if dataset.resampling else {}),
            **({"repetition": dataset.repetition} if dataset.repetition else {}),
        },
        "layer": {
            "name": layer.name,
            "path": layer.path,
            "index": layer.index,
            "units": layer.units,
            "grid": list(layer.grid),
            **({} if layer.sort is Sort.CONVOLUTION else {"sort": layer.sort.value}),
            "receptive_field": layer.receptive_field,
            "stride": layer.stride,
            **({"lines": material.lines(layer.name).note()} if placing else {}),
        },
        **placing,
        "quantile": request.quantile,
        "categories": list(material.table.categories),
        "concepts": [[concept.number, concept.name, concept.category] for concept in material.table.concepts],
        "shade_names": list(material.survey.shades.names),
        "batch_size": request.batch_size,
        "positions": positions,
        "wanted": wanted,
        "annotation_size": list(dataset.annotation_size),
        "band_images": int(material.ranked.sum()),
    }
