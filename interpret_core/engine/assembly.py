"""From the passes' sums to the record of a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.engine.material import Material
from interpret_core.engine.passes import Counted
from interpret_core.engine.shards import Arrays
from interpret_core.networks import Layer
from interpret_core.profile.histogram import display_edges
from interpret_core.profile.masks import TOP
from interpret_core.profile.tally import Tally
from interpret_core.profile.thresholds import Thresholds
from interpret_core.results.requests import ProfileRequest


def layer_arrays(
    material: Material, counted: Counted, thresholds: Thresholds, tally: Tally, histogram: NDArray[np.int64]
) -> Arrays:
    """The record's arrays, all but the gallery (docs/architecture.md)."""
    survey, concepts = material.survey, len(material.table)
    counts = counted.counts
    return {
        "threshold": thresholds.value,
        "state": thresholds.state,
        "exceeding": tally.exceeding,
        "maximum": counts.maximum,
        "intersection": tally.intersection[:, 1 : 1 + concepts],
        "active": tally.active,
        "active_total": tally.active_total,
        "concept_pixels": survey.concept_pixels,
        "concept_images": survey.concept_images,
        "category_images": survey.category_images,
        "colour_sum": tally.colour_sum,
        "shade_intersection": tally.intersection[:, 1 + concepts :],
        "shade_pixels": survey.shade_pixels,
        "shade_rgb": survey.shades.rgb,
        "top_image": counted.top_image,
        "top_response": np.where(counted.top_image < 0, np.float32(0), counted.top_response),
        "histogram": histogram,
        "histogram_edges": display_edges(counts.minimum, counts.maximum),
    }


def gallery_arrays(parts: Arrays, top_image: NDArray[np.int32], size: tuple[int, int]) -> Arrays:
    """Run-length masks of each unit's strongest images, in the order of their ranks.

    Args:
        parts: gallery_* arrays of `passes.masks`, joined over shards.
        top_image: (U, TOP) int32.
        size: (H, W) of the annotation grid.
    """
    units = len(top_image)
    rank_of = {
        (unit, int(image)): rank
        for unit in range(units)
        for rank, image in enumerate(top_image[unit])
        if image >= 0
    }
    pairs = zip(parts["gallery_unit"].tolist(), parts["gallery_image"].tolist(), strict=True)
    place = np.array([unit * TOP + rank_of[unit, image] for unit, image in pairs], np.int64)
    length = np.zeros(units * TOP, np.int64)
    length[place] = parts["gallery_length"]
    peak = np.zeros(units * TOP, np.int32)
    peak[place] = parts["gallery_peak"]
    row = np.repeat(place, parts["gallery_length"])
    kind = np.uint16 if size[0] * size[1] <= np.iinfo(np.uint16).max else np.uint32
    return {
        "top_peak": peak.reshape(units, TOP),
        "mask_offsets": np.concatenate([[0], np.cumsum(length)]).astype(np.int64),
        "mask_runs": parts["gallery_runs"][np.argsort(row, kind="stable")].astype(kind),
    }


def layer_metadata(material: Material, layer: Layer, request: ProfileRequest, wanted: int) -> dict[str, Any]:
    """The record's metadata (docs/architecture.md)."""
    network, dataset = material.network, material.dataset
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
            "skipped": [[problem.image, problem.reason] for problem in material.survey.problems],
        },
        "layer": {
            "name": layer.name,
            "path": layer.path,
            "index": layer.index,
            "units": layer.units,
            "grid": list(layer.grid),
            "receptive_field": layer.receptive_field,
            "stride": layer.stride,
        },
        "quantile": request.quantile,
        "categories": list(material.table.categories),
        "concepts": [[concept.number, concept.name, concept.category] for concept in material.table.concepts],
        "shade_names": list(material.survey.shades.names),
        "batch_size": request.batch_size,
        "positions": positions,
        "wanted": wanted,
        "annotation_size": list(dataset.annotation_size),
    }
