"""What `profile` reports: facts in words, a table of layers, and what stands beside the rows of its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from interpret_core import __version__
from interpret_core.analyses.profile.outcome import Outcome, Profiled
from interpret_core.analyses.profile.summary import LayerSummary
from interpret_core.concepts import PREDICTED_LABELS, is_predicted
from interpret_core.measures.assessment.words import Assessment
from interpret_core.measures.dissection.thresholds import State
from interpret_core.store.schema import SCHEMA
from interpret_core.tables import Row, Table, some

UNANNOTATED = (
    "Nothing in them is annotated: units have photographs, tenths, colours and shades, and no concepts."
)
REST = "loading the network and the rest"  # of the seconds that no stage counts
LATER = ("expected_by_chance", "significant", "colours", "objects")  # of stages that may not have run


def description(found: Profiled) -> Row:
    """Everything beside the rows: what was profiled, how, and what each layer shows, as JSON takes it."""
    request, summaries = found.request, found.summaries
    metadata = summaries[0].profile.metadata
    dataset = dict(metadata["dataset"])
    skipped = dataset.pop("skipped")
    dataset.pop("unlisted", None)
    profile = summaries[0].profile
    of_model = sum(is_predicted(one.name) for one in profile.table.concepts)
    return {
        "version": __version__,
        "schema": SCHEMA,
        "network": {**metadata["network"], "name": request.network},
        "evidence": metadata["network"]["evidence"],
        "dataset": {**dataset, "name": request.dataset},
        "parameters": {
            "quantile": request.quantile,
            "positions": request.positions,
            "min_images": request.min_images,
            "cutoff": request.cutoff,
            "categories": list(metadata["categories"]),
            "batch_size": request.batch_size,
            "permutations": request.permutations,
            "seed": request.seed,
        },
        "skipped": skipped,
        "unlisted": [{**label._asdict(), "listed": list(label.listed)} for label in profile.unlisted],
        "unlisted_share": profile.unlisted_share,
        "concepts": len(summaries[0].included),
        "left_out": _left_out(summaries[0]),
        **({"predicted": of_model} if of_model else {}),
        "layers": [layer_facts(summary) for summary in summaries],
        "all_layers": network_facts(summaries),
    }


def _left_out(summary: LayerSummary) -> list[str]:
    names = summary.profile.concept_names
    return [names[concept] for concept in np.flatnonzero(~summary.included)]


def layer_facts(summary: LayerSummary) -> Row:
    """Counts of one layer; what chance would tell is None without it."""
    state = summary.profile.arrays["state"]
    counts = {kind.name.lower(): int((state == kind).sum()) for kind in State}
    return {
        "layer": summary.profile.layer,
        "units": summary.profile.units,
        **counts,
        "detectors": int(summary.detector.sum()),
        "unique": summary.unique_detectors(),
        "expected_by_chance": summary.expected_by_chance(),
        "significant": int(summary.significant.sum()) if summary.chance is not None else None,
        "colours": summary.detectors_assessed(Assessment.COLOUR),
        "objects": summary.detectors_assessed(Assessment.OBJECT),
        **{f"q{t}": value for t, value in enumerate(summary.mean_top_iou(), 1)},
    }


def network_facts(summaries: Sequence[LayerSummary]) -> Row:
    """The same over all layers: a concept counts once, and the mean IoU is that of all units."""
    layers = [layer_facts(summary) for summary in summaries]
    units = sum(layer["units"] for layer in layers)
    added = ("units", "live", "dead", "tied", "detectors")
    concepts = [np.unique(summary.best_concept[summary.detector]) for summary in summaries]
    return {
        "layer": "all",
        **{name: sum(layer[name] for layer in layers) for name in added},
        "unique": len(np.unique(np.concatenate(concepts))),
        **{name: _all_of([layer[name] for layer in layers]) for name in LATER},
        **{
            name: sum(layer[name] * layer["units"] for layer in layers) / units for name in ("q1", "q2", "q3")
        },
    }


def _all_of(counts: Sequence[float | None]) -> float | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def facts_in_words(described: Row, verbose: bool) -> Iterator[str]:
    """Evidence, images and what was left out, a line each."""
    network, dataset, parameters = described["network"], described["dataset"], described["parameters"]
    how = f"quantile {parameters['quantile']:g}, {parameters['positions']} positions"
    yield f"{network['name']} on {dataset['name']}, {how}"
    yield f"evidence: {network['evidence']}. {network['note']}".rstrip()
    categories = ", ".join(parameters["categories"])
    if described["concepts"]:
        yield f"{dataset['images']:,} images, {described['concepts']:,} concepts of {categories}"
    else:
        yield f"{dataset['images']:,} images. {UNANNOTATED}"
    if described.get("predicted"):
        yield f"{described['predicted']:,} of them {PREDICTED_LABELS}"
    yield from (dataset[told] for told in ("resampling", "repetition") if dataset.get(told))
    skipped = [reason if image in reason else f"{image}: {reason}" for image, reason in described["skipped"]]
    if skipped:
        yield f"{len(skipped):,} skipped as damaged: {some(skipped, verbose)}"
    unlisted = described["unlisted"]
    if unlisted:
        pixels = sum(label["pixels"] for label in unlisted)
        yield (
            f"{pixels:,} pixels ({100 * described['unlisted_share']:.1f} % of those labelled) count as "
            "unlabelled, since label.csv does not list their label under the map's category: "
            f"{some([_unlisted(label) for label in unlisted], verbose)}"
        )
    left_out = described["left_out"]
    if left_out:
        least = parameters["min_images"]
        yield f"{len(left_out):,} concepts left out (fewer than {least} images): {some(left_out, verbose)}"


def _unlisted(label: Row) -> str:
    listed = ", ".join(label["listed"])
    return f"{label['number']} {label['name']} in {label['category']} (listed under {listed})"


def layers_table(summaries: Sequence[LayerSummary]) -> Table:
    """A row per layer, and one for all where there are several; colours and objects are detectors."""
    if not len(summaries[0].included):
        return _states(summaries)
    names = (
        "units",
        "live",
        "dead",
        "tied",
        "detectors",
        "unique",
        "by chance",
        "significant",
        "colours",
        "objects",
    )
    numbers = (*names, "Q1", "Q2", "Q3")
    cutoff = summaries[0].settings.cutoff
    facts = [layer_facts(summary) for summary in summaries]
    every = [*facts, network_facts(summaries)] if len(facts) > 1 else facts
    cells = [tuple(row.values()) for row in every]
    return Table(f"Detectors: IoU > {cutoff:g}", ("layer", *numbers), cells, numbers)


def _states(summaries: Sequence[LayerSummary]) -> Table:
    """The same where no unit can be a detector: units, and those that respond to a colour."""
    names = ("units", "live", "dead", "tied")
    cells = []
    for summary in summaries:
        facts = layer_facts(summary)
        said = [summary.said(unit) for unit in range(summary.profile.units)]
        colours = None if summary.assessed is None else sum(word is Assessment.COLOUR for word in said)
        cells.append((summary.profile.layer, *(facts[name] for name in names), colours))
    numbers = (*names, "colours")
    return Table("Units", ("layer", *numbers), cells, numbers)


def report(found: Profiled, verbose: bool) -> Iterator[str | Table]:
    """Lines and tables."""
    yield from facts_in_words(description(found), verbose)
    yield layers_table(found.summaries)
    yield _spent(found.outcome, found.seconds)


def _spent(outcome: Outcome, seconds: float) -> str:
    if not outcome.computed and not outcome.seconds:
        return f"All found in the cache, {seconds:.2f} s."
    # Digests, loading and examining the network, writing and reading results: so that it adds up.
    rest = seconds - sum(outcome.seconds.values())
    stages = {**outcome.seconds, **({REST: rest} if rest >= 0.05 else {})}
    parts = ", ".join(f"{stage} {spent:.1f} s" for stage, spent in stages.items())
    return f"{outcome.computed} shards computed in {seconds:.1f} s: {parts}."
