"""Tables and records as CSV and JSON, with what the evidence is written into each."""

from __future__ import annotations

from typing import Any

from interpret_core.analyses.profile.table import assessment_facts
from interpret_core.measures.dissection.bands import BANDS
from interpret_core.numbers import known
from interpret_core.privacy import number_of
from interpret_core.provenance import MADE_WITH, made_with, signed
from interpret_core.tables import csv_text
from ui.session import photos
from ui.session.photos import Source
from ui.session.view import STATE_WORDS, LayerView


def layer_csv(view: LayerView) -> str:
    """One row per unit: label, IoU, ceiling, chance, state, assessment; the evidence in every row."""
    rows = (unit_row(view, unit) for unit in range(view.layer.units))
    return csv_text(list(signed(rows)))


def layer_json(view: LayerView, *, named: bool = True) -> dict[str, Any]:
    """The layer's facts and all its units.

    Args:
        view: the layer.
        named: whether files of pictures are named; else they have their numbers alone.
    """
    return {
        **_heading(view, named),
        "detectors": view.detectors(),
        "unique_detectors": view.summary.unique_detectors(),
        "detectors_by_category": {
            name: {"detectors": n, "unique": u}
            for name, (n, u) in view.summary.detectors_by_category().items()
        },
        "expected_by_chance": view.expected,
        "mean_top_iou": list(view.summary.mean_top_iou()),
        "units": [unit_row(view, unit) for unit in range(view.layer.units)],
    }


def unit_json(view: LayerView, unit: int, source: Source, *, named: bool = True) -> dict[str, Any]:
    """Everything the unit's panel shows.

    Args:
        view: the layer.
        unit: 0-based.
        source: knows the images' names and which contain a concept.
        named: whether files of pictures are named; else they have their numbers alone.
    """
    if not named:
        source = source._replace(names=lambda images: [number_of(image) for image in images])
    summary, record = view.summary, view.record
    categories = zip(view.categories, summary.category_concept[unit], summary.category_iou[unit], strict=True)
    shade = view.nearest_shade(unit)
    images = record["top_image"][unit]
    shown = images[images >= 0].tolist()
    return {
        **_heading(view, named),
        **unit_row(view, unit),
        "top_concepts": [
            {"concept": view.concepts[c].name, "category": view.concepts[c].category, "iou": float(v)}
            for c, v in zip(summary.top_concept[unit], summary.top_iou[unit], strict=True)
            if c >= 0
        ],
        "best_per_category": {
            name: {"concept": view.concepts[c].name, "iou": float(v)} for name, c, v in categories if c >= 0
        },
        "mean_colour": view.colour(unit),
        "nearest_shade": {"name": shade[0], "rgb": shade[1], "iou": shade[2]} if shade else None,
        "top_images": [
            {"image": image, "name": name, "response": float(response)}
            for image, name, response in zip(
                shown, source.names(shown), record["top_response"][unit][: len(shown)], strict=True
            )
        ],
        "bands": _bands(view, unit, source),
        "fires_in_images": photos.fires_anywhere(view, unit),
        "firing": _firing(view, unit, source),
        "histogram": record["histogram"][unit].tolist(),
        "histogram_edges": [known(v) for v in record["histogram_edges"][unit]],
    }


def _bands(view: LayerView, unit: int, source: Source) -> dict[str, Any]:
    """The images kept of each tenth of the ranking by largest response."""
    profile = view.summary.profile
    fires = profile.fires_in(unit)
    return {
        "ranked_images": int(view.metadata["band_images"]),
        "tenths": [
            [
                {"image": image, "name": name, "response": float(response), "fires": bool(fires[image])}
                for image, name, response in zip(images, source.names(images), responses, strict=True)
            ]
            for images, responses in (
                (images.tolist(), responses)
                for images, responses in (profile.band(unit, band) for band in range(BANDS))
            )
        ],
    }


def _firing(view: LayerView, unit: int, source: Source) -> list[dict[str, Any]]:
    """In how many of the images that contain each of its best concepts the unit fires."""
    rows = []
    for number in view.best_concepts(unit):
        present = source.present(number)
        if present is not None:
            found = photos.firing(view, unit, present)
            concept = view.concepts[number]
            counts = {"images": found.images, "fires": found.fires}
            rows.append({"concept": concept.name, "category": concept.category, **counts})
    return rows


def unit_row(view: LayerView, unit: int) -> dict[str, Any]:
    """One unit as a flat record; what was not computed is None."""
    summary, record = view.summary, view.record
    best = int(view.best[unit])
    ceiling = float(summary.ceiling[unit])
    return {
        "network": view.facts.network,
        "evidence": view.facts.evidence,
        "dataset": view.facts.dataset,
        "layer": view.layer.name,
        "unit": unit,
        "concept": view.concepts[best].name if best >= 0 else "",
        "category": view.concepts[best].category if best >= 0 else "",
        "iou": float(view.iou[unit]),
        "ceiling": ceiling,
        "iou_over_ceiling": float(view.iou[unit]) / ceiling if ceiling > 0 else None,
        "intersection": int(record["intersection"][unit, best]) if best >= 0 else 0,
        "threshold": known(record["threshold"][unit]),
        "tail_mass": float(view.firing[unit]),
        "mask_area": float(summary.profile.mask_area[unit]),
        "strongest_response": known(record["maximum"][unit]),
        "state": STATE_WORDS.get(int(view.state[unit]), "live"),
        "p_value": known(summary.p_value[unit]),
        "q_value": known(summary.q_value[unit]),
        "z": known(summary.z[unit]),
        "detector": bool(view.detector[unit]),
        "significant": bool(summary.significant[unit]) if view.permutations else None,
        **assessment_facts(summary, unit),
    }


def _heading(view: LayerView, named: bool) -> dict[str, Any]:
    return {
        MADE_WITH: made_with(),
        # Whoever computed a stored result may have called it by a folder of their own.
        "network": {**view.metadata["network"], "name": view.facts.network},
        "dataset": _dataset(view, named),
        "layer": view.metadata["layer"],
        "quantile": view.quantile,
        "cutoff": view.cutoff,
        "min_images": view.summary.settings.min_images,
        "positions": view.positions,
        "permutations": view.permutations,
        "chance_images": view.chance_images,
    }


def _dataset(view: LayerView, named: bool) -> dict[str, Any]:
    told = {**view.metadata["dataset"], "name": view.facts.dataset}
    return told if named else {**told, "skipped": len(told["skipped"])}
