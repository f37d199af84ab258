"""An estimate from start to end: per analysis the sample, unless it was measured before, and what follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from interpret_core import datasets, machine
from interpret_core.analyses import registry
from interpret_core.analyses.estimate.attributions import measure_relevance, relevance_cost
from interpret_core.analyses.estimate.extents import Extent
from interpret_core.analyses.estimate.labelled import image_labels_cost, measure_image_labels
from interpret_core.analyses.estimate.paces import Measured, Pace
from interpret_core.analyses.estimate.plan import find_measured, profile_work, sample_key
from interpret_core.analyses.estimate.profile_costs import ProfileCosts, ProfileWork, survey_cost
from interpret_core.analyses.estimate.profiles import measure_profile, measure_survey
from interpret_core.analyses.estimate.request import EstimateRequest
from interpret_core.analyses.estimate.result import MEASURED, THERE, AnalysisCost, Estimated, PartCost
from interpret_core.analyses.estimate.silences import (
    ablation_cost,
    effects_cost,
    evaluation_cost,
    measure_effects,
    measure_silence,
)
from interpret_core.analyses.estimate.situation import Situation
from interpret_core.analyses.estimate.trials import Sampling, threads
from interpret_core.analyses.image_labels.plan import label_keys
from interpret_core.analyses.profile.plan import resolved
from interpret_core.analyses.relevance.plan import plan_from
from interpret_core.errors import DatasetError, UserError
from interpret_core.measures.ablation.selection import DIRECTIONS, FRACTIONS, SEEDS
from interpret_core.options import Request
from interpret_core.runtime.evaluated import BATCH
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors.kind import ProcessorKind
from interpret_core.runtime.subjects import identify, layers_of, lent, loaded
from interpret_core.runtime.survey import survey_key
from interpret_core.store.store import Store

STEPS = len(FRACTIONS) - 1
OF_CLASS, OF_CONTROLS = len(DIRECTIONS) * STEPS, 1 + SEEDS * STEPS  # settings of an ablation's grid
WHOLE_WORK = ProfileWork()


def run_estimate(request: EstimateRequest, store: Store, execution: Execution) -> Estimated:
    """Measure what was not measured before, and say what each analysis takes.

    Args:
        request: what to estimate.
        store: where paces are kept, and what is there already.
        execution: device, progress, cancellation.

    Raises:
        UserError: unknown names, a device that is not there.
        Cancelled: the user stopped it; paces that were measured are kept.
    """
    execution.tell("reading the data set's digest", 0, 0)
    dataset = datasets.open_dataset(request.dataset)
    if request.concepts is not None and not dataset.annotated:
        raise DatasetError(
            f"concepts is {request.concepts}, but nothing in data set {dataset.name} is annotated, so that a "
            "sample of it tells nothing of what concepts take: estimate on an annotated data set, or leave "
            "--concepts out."
        )
    dataset.compute_digest(cancelled=execution.cancelled)
    began = time.perf_counter(), time.process_time()
    subject = loaded(identify(request.network, store, execution.device), store)
    wall, used = time.perf_counter() - began[0], time.process_time() - began[1]
    cores = machine.cores()
    extent = Extent.of(request, dataset, cores)
    situation = Situation(request, store, execution, subject, dataset, extent)
    number = None if request.workers is None else max(1, cores // request.workers)
    with threads(number), lent(request.network, subject.required):
        run = _EstimateRun(situation, Pace(wall, wall, wall, used))
        costs = [run.cost(name, asked) for name, asked in request.asked().items()]
        facts = run.facts()
    return Estimated(request, costs, facts)


@dataclass
class _EstimateRun:
    """One estimate's state."""

    situation: Situation
    loading: Pace

    def __post_init__(self) -> None:
        self.kind = ProcessorKind.here(self.situation.network.device)
        self.whole = not self.situation.request.hypothetical
        self._of: dict[str, Callable[[Any], AnalysisCost]] = {
            "survey": self._survey,
            "profile": self._profile,
            "image-labels": self._image_labels,
            "relevance": self._relevance,
            "ablation": self._ablation,
            "effects": self._effects,
            "evaluation": self._evaluation,
        }

    def facts(self) -> dict[str, Any]:
        """What the figures are of."""
        situation = self.situation
        return {
            "network": {"name": situation.network.name, "digest": situation.network.digest},
            "dataset": {"name": situation.dataset.name, "digest": situation.dataset.digest},
            "images": situation.extent.images,
            "concepts": situation.extent.concepts,
            "device": self.kind.device,
            "threads": self.kind.threads,
            "workers": situation.request.workers,
        }

    def cost(self, name: str, asked: Request) -> AnalysisCost:
        """Of one analysis; where it cannot be computed at all, why."""
        try:
            found = self._of[name](asked)
        except UserError as error:
            return AnalysisCost(name, str(error))
        if found.state != MEASURED or name == "survey":
            return found
        return replace(found, parts=[PartCost(name, "loading", self.loading), *found.parts])

    def _measured(
        self, asked: Request, layers: Sequence[str], measure: Callable[[Sampling], Measured]
    ) -> Measured:
        """What was measured before, or now."""
        situation = self.situation
        key = sample_key(asked, situation.digests, self.kind, tuple(layers))
        found = find_measured(situation.store, key)
        if found is None:
            situation.execution.tell(f"measuring a sample: {asked.analysis}", 0, 0)
            found = measure(self._sampling())
            situation.store.put_json(key, found.to_json(), needed=False)
        return found

    def _sampling(self) -> Sampling:
        situation = self.situation
        return Sampling(situation.network, situation.dataset, situation.execution, situation.request.seconds)

    def _extent(self, name: str) -> Extent:
        """With workers only where they share the images."""
        extent = self.situation.extent
        return extent if registry.find(name).spread else replace(extent, workers=1)

    def _survey(self, asked: Any) -> AnalysisCost:
        key = survey_key(self.situation.dataset.digest, asked.categories)
        if self.whole and self.situation.store.has(key):
            return AnalysisCost("survey", THERE)
        measured = self._measured(asked, (), lambda sampling: measure_survey(sampling, asked))
        return survey_cost(measured, self._extent("survey"))

    def _profile(self, asked: Any) -> AnalysisCost:
        situation = self.situation
        keys = resolved(asked, situation.store, situation.subject, situation.dataset.digest)
        units = {layer.name: layer.units for layer in (*situation.network.layers, *situation.network.further)}
        layers, work = profile_work(keys, situation.store, units) if self.whole else (keys.layers, WHOLE_WORK)
        if not layers:
            return AnalysisCost("profile", THERE)
        measured = self._measured(asked, layers, lambda sampling: measure_profile(sampling, asked, layers))
        return ProfileCosts(asked, measured, self._extent("profile"), work).cost()

    def _image_labels(self, asked: Any) -> AnalysisCost:
        situation = self.situation
        keys = label_keys(asked, situation.store, situation.subject, situation.dataset)
        if keys is None:
            raise ValueError(f"{asked.network} has not been loaded.")
        store = situation.store
        layers = keys.missing(store) if self.whole else keys.layers
        if not layers:
            return AnalysisCost("image-labels", THERE)
        measured = self._measured(
            asked, layers, lambda sampling: measure_image_labels(sampling, asked, layers)
        )
        seen = self.whole and not keys.unseen(store)
        return image_labels_cost(measured, self._extent("image-labels"), asked, seen)

    def _relevance(self, asked: Any) -> AnalysisCost:
        situation, classed = self.situation, self.situation.classed
        known = layers_of(situation.subject, situation.store)
        plan = plan_from(asked, classed.dataset, situation.subject, classed.plan, known)
        plan.require()
        names = [one.name for one in plan.classes]
        if self.whole and not classed.sampled:
            names = list(plan.missing(situation.store))
        if not names:
            return AnalysisCost("relevance", THERE)
        counts = situation.class_images(asked.split, asked.images)
        images = sum(counts.get(name, 0) for name in names)
        measured = self._measured(
            asked,
            plan.layers,
            lambda sampling: measure_relevance(
                replace(sampling, dataset=classed.dataset), asked, plan.classes
            ),
        )
        return relevance_cost(measured, self._extent("relevance"), images, len(names))

    def _there(self, asked: Request) -> tuple[str, ...] | None:
        """What is missing by names; None where it is about another data set, or a survey has to tell."""
        if not self.whole or self.situation.classed.sampled:
            return None
        return registry.find(asked.analysis).load().plan(asked, self.situation.store).missing

    def _silence(self, asked: Any) -> Measured:
        images = self.situation.evaluated(asked.split)
        return self._measured(asked, (), lambda sampling: measure_silence(sampling, images))

    def _ablation(self, asked: Any) -> AnalysisCost:
        missing, chosen = self._there(asked), self.situation.classed.plan.chosen(asked.classes)
        if missing == ():
            return AnalysisCost("ablation", THERE)
        classes = [one.name for one in chosen if missing is None or one.name in missing]
        controls = missing is None or len(missing) > len(classes)
        settings = OF_CLASS * len(classes) + OF_CONTROLS * controls
        images = sum(self.situation.class_images(asked.split).values())
        return ablation_cost(self._silence(asked), self._extent("ablation"), settings, images)

    def _effects(self, asked: Any) -> AnalysisCost:
        if self._there(asked) == ():
            return AnalysisCost("effects", THERE)
        images = self.situation.evaluated(asked.split)
        some = sorted(images.images[: 2 * BATCH].tolist())
        measured = self._measured(
            asked,
            (),
            lambda sampling: measure_effects(replace(sampling, dataset=images.dataset), asked, some),
        )
        counts = self.situation.class_images(asked.split)
        units = sum(layer.units for layer in self.situation.network.layers)
        return effects_cost(measured, self._extent("effects"), sum(counts.values()), units, len(counts))

    def _evaluation(self, asked: Any) -> AnalysisCost:
        if self._there(asked) == ():
            return AnalysisCost("evaluation", THERE)
        counts = self.situation.class_images(asked.split)
        measured = self._silence(asked)
        return evaluation_cost(measured, self._extent("evaluation"), sum(counts.values()), len(counts))
