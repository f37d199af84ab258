"""What the study found of one network, as rows: results hold every unit's counts, rows what is compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.ablation.report import Ablated
from interpret_core.analyses.ablation.report import rows as ablation_rows
from interpret_core.analyses.ablation.table import Point, spread
from interpret_core.analyses.agreement.result import EVERY, Answer, left_out_cells
from interpret_core.analyses.agreement.result import rows as agreement_rows
from interpret_core.analyses.profile.outcome import Profiled
from interpret_core.analyses.profile.report import layer_facts, network_facts
from interpret_core.analyses.profile.request import CUTOFF, Settings
from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.analyses.profile.summary import LayerSummary, sensitivity, summarise
from interpret_core.analyses.relevance.outcome import Related
from interpret_core.measures.ablation.settings import RANDOM
from interpret_core.measures.agreement import Cell
from interpret_core.numbers import known, mean, share
from interpret_core.tables import Row

LABELLED = 0.0  # the paper's cut-off: every unit with any overlap has its label
CUTOFFS = (LABELLED, CUTOFF)
PUBLISHED_CUTOFFS = (0.03, 0.04, 0.05, 0.06)  # of Network Dissection's numbers
Reasons = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class NetworkFindings:
    """One network's part of the study.

    Attributes:
        name: as it is shown; it names no folder.
        title: the paper's; empty where the paper's numbers are of another network.
        facts: digest, evidence, note, layers, images, concepts, skipped, classes (name -> images), right,
            flagged, pairs, evaluated (class -> images).
        detectors: rows of network, layer, category, cutoff, units, detectors, unique.
        layers: rows of counts and mean top-t IoU by layer, EVERY for the network.
        relevance: rows by layer and class.
        agreement: rows of the cells, and one for the network.
        ablation: rows by setting and class.
        curves: rows by class, rank and fraction.
        last: facts of the last layer that are published of AlexNet's conv5.
        labels: (layer, unit) -> (label, IoU) of units that the paper names.
        left_out: (what, why).
    """

    name: str
    title: str
    facts: Mapping[str, Any]
    detectors: tuple[Row, ...]
    layers: tuple[Row, ...]
    relevance: tuple[Row, ...]
    agreement: tuple[Row, ...]
    ablation: tuple[Row, ...]
    curves: tuple[Row, ...]
    last: Mapping[str, Any]
    labels: Mapping[tuple[str, int], tuple[str, float]]
    left_out: Reasons

    @property
    def whole(self) -> Row:
        """The network's row of Table I."""
        return self.agreement[-1]

    def counted(self, cutoff: float, layer: str = EVERY, category: str = EVERY) -> Row:
        """The row of detectors of one layer and category, or of all."""
        asked = (layer, category, cutoff)
        return next(row for row in self.detectors if (row["layer"], row["category"], row["cutoff"]) == asked)


def detector_rows(name: str, summaries: Sequence[LayerSummary]) -> Iterator[Row]:
    """Detectors and unique detectors by layer and category, at the paper's cut-off and at the house's.

    A concept counts once in a layer, and once in the network.
    """
    for cutoff in CUTOFFS:
        settings = Settings(summaries[0].settings.min_images, cutoff)
        again = [summarise(one.profile, None, settings) for one in summaries]
        for one in again:
            yield from _category_rows(name, one.profile.layer, cutoff, [one])
        yield from _category_rows(name, EVERY, cutoff, again)


def _category_rows(name: str, layer: str, cutoff: float, summaries: Sequence[LayerSummary]) -> Iterator[Row]:
    """A row per category over some layers, then one for all categories."""
    units = sum(one.profile.units for one in summaries)
    concepts = np.concatenate([one.best_concept[one.detector] for one in summaries])
    categories = np.concatenate([one.best_category[one.detector] for one in summaries])
    for at, category in enumerate((*summaries[0].profile.categories, EVERY)):
        of_it = concepts if category == EVERY else concepts[categories == at]
        yield {
            "network": name,
            "layer": layer,
            "category": category,
            "cutoff": cutoff,
            "units": units,
            "detectors": len(of_it),
            "unique": len(np.unique(of_it)),
        }


def layer_rows(name: str, summaries: Sequence[LayerSummary]) -> Iterator[Row]:
    """Counts at the house's cut-off, and mean top-t IoU, by layer and for the network."""
    for facts in (*map(layer_facts, summaries), network_facts(summaries)):
        layer = EVERY if facts["layer"] == "all" else facts["layer"]
        yield {"network": name, **facts, "layer": layer}


def relevance_rows(name: str, related: Related) -> Iterator[Row]:
    """Relevance of whole layers for each class: raw sum (Fig. 4), mass, share within the class."""
    for one in related.classes.values():
        flagged = one.flagged.sum(0)
        mass = {shape.name: one.mass(shape.name) for shape in one.layers}
        for at, shape in enumerate(one.layers):
            yield {
                "network": name,
                "layer": shape.name,
                "class": one.name,
                "units": shape.units,
                "raw_sum": float(one.layer(shape.name).relevance.sum()),
                "relevance_mass": mass[shape.name],
                "share_within_class": known(share(mass[shape.name], sum(mass.values()))),
                "images": len(one.images),
                "flagged": int(flagged[at]),
            }


def curve_rows(name: str, found: Ablated, classes: Sequence[str]) -> Iterator[Row]:
    """Figs. 5 and 6: a class, and the mean of the others, over the fraction of units silenced.

    Args:
        name: of the network.
        found: the ablation.
        classes: of the study; "others" are these without the one whose units are silenced, each counting
            alike, "all_others" every other class that the network knows.
    """
    every = [one.name for one in found.plan.classes]
    for ablated in found.names:
        target = every.index(ablated)
        others = [at for at, one in enumerate(every) if one in classes and at != target]
        for rank, fraction in _settings(found):
            points = _points(found, ablated, rank, fraction)
            yield {
                "network": name,
                "ablated_class": ablated,
                "rank": rank,
                "fraction": fraction,
                "units": points[0].silenced,
                "seeds": len(points) if rank == RANDOM else None,
                **_spreads("accuracy", [float(one.evaluation.accuracy[target]) for one in points]),
                **_spreads("others", [mean(one.evaluation.accuracy[others]) for one in points]),
                **_spreads(
                    "all_others", [mean(np.delete(one.evaluation.accuracy, target)) for one in points]
                ),
                **_spreads("probability", [float(one.evaluation.probability[target]) for one in points]),
                "images": int(points[0].evaluation.images[target]),
                "other_classes": len(others),
            }


def _settings(found: Ablated) -> list[tuple[str, float]]:
    """Ranks and fractions, in the order of the points."""
    return list(dict.fromkeys((_rank(one), one.setting.fraction) for one in found.points))


def _rank(point: Point) -> str:
    return RANDOM if point.setting.by == RANDOM else point.setting.direction


def _points(found: Ablated, ablated: str, rank: str, fraction: float) -> list[Point]:
    """The point of a ranking, or the random controls, which no class ranks."""
    return [
        one
        for one in found.points
        if (_rank(one), one.setting.fraction) == (rank, fraction) and one.setting.of in (ablated, "")
    ]


def _spreads(name: str, values: Sequence[float]) -> Row:
    centre, deviation = spread(values)
    return {name: known(centre), f"{name}_sd": known(deviation)}


def ablated_rows(name: str, found: Ablated) -> Iterator[Row]:
    """The rows of `ablate --out`, under the name that is shown."""
    return ({**row, "network": name} for row in ablation_rows(found))


def table_rows(name: str, answer: Answer) -> Iterator[Row]:
    """The rows of `agreement --out`."""
    return ({"network": name, **row} for row in agreement_rows(answer.agreement))


def last_layer(summaries: Sequence[LayerSummary]) -> Row:
    """What is published of AlexNet's conv5, of the last layer."""
    summary = summaries[-1]
    best = summary.best_iou
    strongest = int(np.argmax(best))
    found = {
        "layer": summary.profile.layer,
        "units": summary.profile.units,
        "detectors": int(summary.detector.sum()),
        "unique": summary.unique_detectors(),
        "best": float(best[strongest]),
        "best_label": summary.concept_name(int(summary.best_concept[strongest])),
        "median": float(np.median(best)),
    }
    counts: NDArray[np.int64] = sensitivity(best, PUBLISHED_CUTOFFS)
    at = {f"detectors at {cut:.2f}": int(n) for cut, n in zip(PUBLISHED_CUTOFFS, counts, strict=True)}
    return found | at


def labels_of(summaries: Sequence[LayerSummary], wanted: Sequence[tuple[str, int]]) -> dict[Any, Any]:
    """(layer, unit) -> (label, IoU) of the units asked for that are there."""
    by_layer = {one.profile.layer: one for one in summaries}
    return {
        (layer, unit): (one.concept_name(int(one.best_concept[unit])), float(one.best_iou[unit]))
        for layer, unit in wanted
        if (one := by_layer.get(layer)) is not None and unit < one.profile.units
    }


def facts_of(profiled: Profiled, related: Related, answer: Answer, ablated: Ablated | None) -> Row:
    """What stands beside the rows."""
    profile: LayerProfile = profiled.summaries[0].profile
    network, dataset = profile.metadata["network"], profile.metadata["dataset"]
    classes = related.classes.values()
    whole = answer.agreement.network
    plan = None if ablated is None else ablated.plan
    return {
        "digest": network["digest"],
        "evidence": network["evidence"],
        "layers": [one.profile.layer for one in profiled.summaries],
        "images": dataset["images"],
        "skipped": len(dataset["skipped"]),
        "concepts": int(profiled.summaries[0].included.sum()),
        "rare_concepts": int((~profiled.summaries[0].included).sum()),
        "unlisted_share": profile.unlisted_share,
        "classes": {one.name: len(one.images) for one in classes},
        "right": {one.name: int(one.right.sum()) for one in classes},
        "flagged": int(sum(one.flagged.sum() for one in classes)),
        "pairs": int(sum(one.flagged.size for one in classes)),
        "cells": whole.cells(Cell.KEPT),
        "cells_left_out": len(left_out_cells(answer.agreement)),
        "class_source": related.plan.class_plan.source,
        "evaluated": {}
        if plan is None
        else {one.name: int(n) for one, n in zip(plan.classes, plan.population, strict=True)},
    }
