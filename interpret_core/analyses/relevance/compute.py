"""A relevance request from start to end: class by class, a few images at a time; finished parts are kept."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core import datasets
from interpret_core.analyses.relevance.outcome import Related
from interpret_core.analyses.relevance.plan import RelevancePlan, plan_from
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.analyses.relevance.work import AskedClass, mask_of
from interpret_core.classes.known import OBJECT, KnownClass
from interpret_core.datasets import DEFAULT_CATEGORIES, ConceptTable, Dataset, Loader
from interpret_core.errors import DatasetError
from interpret_core.networks import Network
from interpret_core.positions import GridLines, Placing
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.parts import Parts, record_of
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.rounds import Postponed
from interpret_core.runtime.subjects import Subject, identify, layers_of, loaded
from interpret_core.runtime.survey import planned
from interpret_core.store.records import Arrays, Record
from interpret_core.store.store import Store
from interpret_core.tables import many


class NoUsableImageError(DatasetError):
    """No image of a class can be read and shows its object; the message is the end of a sentence."""


def run_relevance(request: RelevanceRequest, store: Store, execution: Execution | None = None) -> Related:
    """Compute what is missing of a relevance request and keep it.

    Args:
        request: what to compute.
        store: where results and finished parts are kept.
        execution: device, executor, progress and cancellation; its shards do not matter here.

    Raises:
        UserError: unknown names, a class that is not mapped or has no image.
        NonFiniteError: NaN or infinity in an attribution; names the layer and the image.
        Cancelled: the user stopped it; finished parts are kept.
    """
    execution = execution or Execution()
    start = time.perf_counter()
    reporter = execution.reporter()
    dataset = datasets.open_dataset(request.dataset)
    reporter.tell("reading the data set's digest", 0, 0)
    dataset.compute_digest(cancelled=execution.cancelled)
    subject = identify(request.network, store, execution.device)
    plan = _plan(request, dataset, subject, store, (execution, reporter))
    missing = plan.missing(store)
    if missing:
        # What was loaded decides, whatever was known of the name before.
        subject = loaded(subject, store)
        subject.required.require_classes()
        plan = _plan(request, dataset, subject, store, (execution, reporter))
        missing = plan.missing(store)
        _RelevanceRun(plan, subject.required, store, execution, reporter).classes(missing)
    found, left_out = plan.find(store), plan.left_out(store)
    if not found:
        raise DatasetError(
            f"No class of {dataset.name} can be used, expected at least one whose images can be read and "
            f"show its object. {'; '.join(f'{name}: {why}' for name, why in left_out[:4])}."
        )
    return Related(plan, found, missing, left_out, time.perf_counter() - start)


def _plan(
    request: RelevanceRequest,
    dataset: Dataset,
    subject: Subject,
    store: Store,
    how: tuple[Execution, Reporter],
) -> RelevancePlan:
    execution, reporter = how
    classes = planned(dataset, subject.spec, store, reporter, execution)
    plan = plan_from(request, dataset, subject, classes, layers_of(subject, store))
    plan.require()
    return plan


class _RelevanceRun:
    """One run's state."""

    def __init__(
        self, plan: RelevancePlan, network: Network, store: Store, execution: Execution, reporter: Reporter
    ) -> None:
        self.plan, self.store, self.execution, self.reporter = plan, store, execution, reporter
        self.dataset: Dataset = plan.dataset
        self.network = network
        self.layers = list(plan.layers) or [layer.name for layer in network.layers]

    @cached_property
    def _table(self) -> ConceptTable:
        return self.dataset.concepts(DEFAULT_CATEGORIES)

    @cached_property
    def _loader(self) -> Loader:
        annotated = any(one.concepts for one in self.plan.classes)
        table = self._table if annotated else None
        return Loader(self.dataset, table, reduce=self.network.preprocessing.reduced)

    def classes(self, names: Sequence[str]) -> None:
        images = sum(len(self.plan.images[name]) for name in names)
        self.reporter.total = images * len(self.layers)
        amount = f"{many(images, 'image', 'images')} of {many(len(names), 'class', 'classes')}"
        layers = many(len(self.layers), "layer", "layers")
        self.reporter.tell(f"integrating gradients: {amount}, {layers}", 0, self.reporter.total)
        postponed = Postponed()
        # Those with most images first: whoever looks before the end, or stops, has what says most.
        for one in sorted(self.plan.classes, key=lambda one: -len(one.of(self.plan.request.split))):
            if one.name in names:
                try:
                    with postponed:
                        self._compute(one)
                except NoUsableImageError as error:  # the other classes have some
                    self.plan.note_unusable(self.store, one.name, str(error))
                    self.reporter.total -= len(self.plan.images[one.name]) * len(self.layers)
        postponed.end()

    def _compute(self, known: KnownClass) -> None:
        """A class's record from its parts, each computed or found."""
        images, left_out = self._readable(known)
        asked = AskedClass(self.plan.request, known, images, tuple(self.layers))
        pieces = asked.pieces(self.network, self.dataset)

        def made(parts: Parts) -> Record:
            return Record(_joined(images, list(parts.of(pieces))), self._metadata(known, images, left_out))

        record_of(self.store, self.plan.keys[known.name], made, self.execution, self.reporter)

    def _readable(self, known: KnownClass) -> tuple[NDArray[np.int64], list[tuple[str, str]]]:
        """The class's images that can be read and show its object, and the others with the reason."""
        kept, left_out = [], []
        indices = self.plan.images[known.name].tolist()
        height, width = self.dataset.annotation_size
        where = f" of the grid of {height}×{width}" if self.dataset.resampling else ""
        loaded = self._loader.ahead(indices, annotations=bool(known.concepts))
        for index, one in zip(indices, loaded, strict=True):
            name = self.dataset.records[index].image
            if one.problem:
                left_out.append((name, one.problem))
            elif mask_of(known, self.dataset, one).any():
                kept.append(index)
            else:
                left_out.append((name, f"no pixel{where} is annotated as {known.name}"))
        if not kept:
            name, why = left_out[0]
            raise NoUsableImageError(
                f"none of its {len(left_out)} images can be used; the first, {name}: {why}"
            )
        return np.array(kept, np.int64), left_out

    def _placing(self) -> dict[str, Any]:
        """How positions are placed, for the metadata; stretched ones need no word."""
        placing = self.plan.request.positions
        if placing == Placing.STRETCHED:
            return {}
        return {"placing": placing, "lines": {name: self._lines(name).note() for name in self.layers}}

    def _lines(self, layer: str) -> GridLines:
        """Where a layer's grid lies in the picture."""
        return self.network.layer(layer).lines_for(self.plan.request.positions)

    def _metadata(
        self, known: KnownClass, images: NDArray[np.int64], left_out: Sequence[tuple[str, str]]
    ) -> dict[str, Any]:
        request, network = self.plan.request, self.network
        return {
            "network": {
                "name": network.name,
                "title": network.spec.title,
                "digest": network.digest,
                "evidence": network.evidence,
                "note": network.note,
            },
            "dataset": {
                "name": self.dataset.name,
                "digest": self.dataset.digest,
                "images": len(self.dataset),
            },
            "class": known.name,
            "outputs": list(known.outputs),
            "output_names": list(known.output_names),
            "split": request.split,
            "method": request.method,
            "baseline": request.baseline,
            "output": request.output,
            "tolerance": request.tolerance,
            "first_points": request.points,
            "most_points": request.most_points,
            "objects": [[self._table.concepts[at].number, self._table.names[at]] for at in known.concepts],
            "objects_apart": self.dataset.apart(OBJECT),
            "masked": bool(known.concepts),
            "annotation_size": list(self.dataset.annotation_size),
            "layers": [
                [layer.name, layer.units, list(layer.grid)] for layer in map(network.layer, self.layers)
            ],
            **self._placing(),
            "image_names": [self.dataset.records[index].image for index in images.tolist()],
            "candidates": len(known.of(request.split)),
            "of_class": len(known.images),
            "left_out": [list(pair) for pair in left_out],
        }


def _joined(images: NDArray[np.int64], parts: Sequence[Mapping[str, NDArray[Any]]]) -> Arrays:
    """The record's arrays: images one below the other, means over them, taken in double precision."""
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    means = {name: whole[name].mean(0).astype(np.float32) for name in ("positive", "negative", "total")}
    return whole | means | {"images": images, "relevance": whole["relevance"].astype(np.float32)}
