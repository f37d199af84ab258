"""A profile request from start to end: survey, count, tally, masks, chance; finished parts are kept."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core import datasets
from interpret_core.analyses.profile import artefacts, passes
from interpret_core.analyses.profile.assembly import layer_metadata, mask_arrays, shown_images
from interpret_core.analyses.profile.assessment import Assessor
from interpret_core.analyses.profile.chance import Lottery, Sample
from interpret_core.analyses.profile.material import Material
from interpret_core.analyses.profile.outcome import Outcome
from interpret_core.analyses.profile.plan import LayerKeys, resolve_layers, resolved
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.analyses.profile.tallies import Passing, profile_layers
from interpret_core.analyses.profile.work import MaterialOpening, Passes
from interpret_core.datasets import Dataset, Survey
from interpret_core.errors import DatasetError, StoreError
from interpret_core.measures.assessment.evidence import steps
from interpret_core.measures.dissection.chance import sample_images
from interpret_core.measures.dissection.sums import temporary_bytes
from interpret_core.measures.dissection.thresholds import wanted_positions
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import Load, Shards, Stage, split, sweep
from interpret_core.runtime.subjects import Subject, identify, loaded
from interpret_core.runtime.survey import surveyed
from interpret_core.sizes import written
from interpret_core.store.records import Arrays, Record
from interpret_core.store.store import Store


def run_profile(request: ProfileRequest, store: Store, execution: Execution | None = None) -> Outcome:
    """Compute what is missing of a profile and keep it.

    Args:
        request: what to compute.
        store: where results and finished shards are kept.
        execution: device, shards, progress and cancellation.
    Returns:
        Where the results are; read them with `analyses.profile.plan.find_profiles`.
    Raises:
        UserError: unknown names, a damaged file under `strict`, an unwritable store.
        NonFiniteError: NaN or infinity in a response.
        Cancelled: the user stopped it; finished shards are kept.
    """
    execution = execution or Execution()
    reporter = execution.reporter()
    dataset = datasets.open_dataset(request.dataset)
    reporter.tell("reading the data set's digest", 0, 0)
    digest = dataset.compute_digest(cancelled=execution.cancelled)
    subject = identify(request.network, store, execution.device)
    keys = resolve_layers(request, store, subject, digest)
    known = store.get(keys.survey) if keys is not None and not keys.missing(store) else None
    if keys is not None and known is not None:
        _refuse_damage(request, Survey.from_record(known.arrays, known.metadata))
        return Outcome(keys, keys.layers, 0, reporter.seconds)
    run = _ProfileRun(request, store, execution, reporter, loaded(subject, store), dataset)
    sweep(store, run.keys.run)

    def waiting() -> bool:  # asked only while somebody else holds the lock
        reporter.tell("waiting for another run of the same request to end", 0, 0)
        return execution.cancelled()

    with store.lock(run.keys.run, waiting):
        return run.all()


class _Missing(NamedTuple):
    """Layers that have to be profiled, given a chance level, assessed."""

    profile: tuple[str, ...]
    chance: tuple[str, ...]
    assessment: tuple[str, ...]


class _ProfileRun:
    """One run's state; `all` is the order of events."""

    def __init__(
        self,
        request: ProfileRequest,
        store: Store,
        execution: Execution,
        reporter: Reporter,
        subject: Subject,
        dataset: Dataset,
    ) -> None:
        self.request, self.store, self.execution, self.reporter = request, store, execution, reporter
        self.network, self.dataset = subject.required, dataset
        # What was loaded decides, whatever was known of the name before.
        self.keys = resolved(request, store, subject, dataset.digest)

    def all(self) -> Outcome:
        keys = self.keys
        material = self._material()
        # The layers are part of the run's key: a run that was cut off while it kept its results must find its
        # shards again, although by then fewer layers are missing.
        missing = self._remembered(keys)
        self._expect(missing)
        self._announce(material, missing.profile)
        kind = self.execution.executor.kind(self.network.device).name
        records = (*keys.profile.values(), *keys.chance.values(), *keys.assessment.values())
        shards = Shards(self.store, keys.run, self.execution, kind, self.reporter, records)
        arrays = self._profile(material, missing.profile, shards) if missing.profile else {}
        self._masks_and_after(material, keys, arrays, missing, shards)
        shards.forget()
        self.store.delete_json(keys.run)
        problems = tuple((problem.image, problem.reason) for problem in material.survey.problems)
        return Outcome(
            keys,
            keys.layers,
            shards.computed,
            self.reporter.seconds,
            problems,
            self.network.evidence,
            self.network.note,
            self.network,
        )

    def _remembered(self, keys: LayerKeys) -> _Missing:
        """What an interrupted run had to do, and what is missing now: damage may have come in between."""
        now = {
            "profile": keys.without_profile(self.store),
            "chance": keys.without_chance(self.store),
            "assessment": keys.without_assessment(self.store),
        }
        known = self.store.get_json(keys.run) or {}
        found = {
            part: [layer for layer in keys.layers if layer in {*known.get(part, ()), *names}]
            for part, names in now.items()
        }
        self.store.put_json(keys.run, found)
        return _Missing(**{part: tuple(names) for part, names in found.items()})

    def _material(self) -> Material:
        table, survey = surveyed(
            self.dataset, self.store, self.reporter, self.request.categories, self.execution
        )
        _refuse_damage(self.request, survey)
        asked = (self.request.batch_size, self.request.positions, self.execution.tally)
        return Material(self.network, self.dataset, table, survey, *asked)

    def _expect(self, missing: _Missing) -> None:
        images = len(self.dataset)
        masks = images if any(missing) else 0
        weighed = sum(steps(self.network.layer(name).units) for name in missing.assessment)
        after = self._lots() * len(missing.chance) + weighed
        self.reporter.total = (2 * images if missing.profile else 0) + masks + after

    def _announce(self, material: Material, layers: Sequence[str]) -> None:
        """How much of the disk the run takes before its results are there."""
        if layers:
            units = [self.network.layer(name).units for name in layers]
            shards = len(split(range(len(material.batches)), self.execution.shards))
            most = written(temporary_bytes(units, material.columns, shards))
            self.reporter.tell(f"counting, with at most {most} of temporary files", 0, 0)

    def _lots(self) -> int:
        """Steps of a layer's chance level: its permutations and the observation itself."""
        return self.request.permutations + 1 if self.request.permutations else 0

    def _profile(self, material: Material, layers: Sequence[str], shards: Shards) -> dict[str, Arrays]:
        """Thresholds and tallies; by layer the record's arrays without its masks."""
        batches = split(range(len(material.batches)), self.execution.shards)

        def largest(name: str, image: NDArray[np.int32], response: NDArray[np.float32]) -> None:
            artefacts.keep_largest(self.store, self.keys.profile[name], image, response)

        passing = Passing(
            material, self._work(material), shards, self.reporter, batches, self.request.quantile, largest
        )
        return profile_layers(passing, layers)

    def _work(self, material: Material) -> Passes:
        return Passes(MaterialOpening.of(material), material)

    def _masks_and_after(
        self,
        material: Material,
        keys: LayerKeys,
        arrays: Mapping[str, Arrays],
        missing: _Missing,
        shards: Shards,
    ) -> None:
        """Exact masks, then layer by layer the record, chance level and assessment, each kept at once."""
        images = sample_images(material.survey.valid, self.request.seed)
        sampled = np.zeros(len(self.dataset), np.bool_)
        sampled[images] = True
        after = {*missing.chance, *missing.assessment}
        wanted = tuple(layer for layer in keys.layers if layer in {*arrays, *after})
        # Another rule for the chance level needs no network where the masks were kept.
        made = {name for name in wanted if name not in arrays and self._stored_masks(keys, name) is not None}
        plans = {
            name: self._plan(keys, name, arrays, sampled if name in after else np.zeros_like(sampled))
            for name in wanted
            if name not in made
        }
        start = time.perf_counter()
        parts = self._masks(material, plans, shards)
        self.reporter.seconds["masks"] = time.perf_counter() - start
        sample = Sample.read(material, images, self.request.min_images) if after and len(images) else None
        lottery = Lottery.prepared(sample, self.request) if missing.chance and sample else None
        assessor = (
            Assessor.prepared(material, self.request, sample) if missing.assessment and sample else None
        )
        for name in wanted:
            found = self._stored_masks(keys, name) if name in made else None
            masks = passes.joined([load(name) for load in parts]) if found is None else found
            if name in arrays:
                self.store.put(keys.profile[name], self._record(material, name, arrays[name], masks))
                artefacts.keep_thresholds(self.store, keys.profile[name], arrays[name])
            if name in missing.chance and lottery is not None:
                self._keep_chance(keys, name, lottery, masks)
            if name in missing.assessment and assessor is not None:
                self._keep_assessment(keys, name, assessor, masks)
        # At last: shards are named by all that is wanted, so a run that goes on must want as much again.
        for name in (one for one in plans if one in after):
            masks = passes.joined([load(name) for load in parts])
            threshold = self._stored(keys, name)["threshold"]
            artefacts.keep_masks(self.store, self._masks_key(keys, name), masks, threshold)

    def _masks_key(self, keys: LayerKeys, name: str) -> str:
        return artefacts.masks_key(keys.profile[name], self.request.seed)

    def _stored_masks(self, keys: LayerKeys, name: str) -> Arrays | None:
        threshold = self._stored(keys, name)["threshold"]
        return artefacts.find_masks(self.store, self._masks_key(keys, name), threshold)

    def _record(self, material: Material, name: str, arrays: Arrays, masks: Arrays) -> Record:
        """A layer's record: its arrays, its masks, its metadata."""
        layer = self.network.layer(name)
        positions = int(material.survey.valid.sum()) * layer.grid[0] * layer.grid[1]
        wanted = wanted_positions(self.request.quantile, positions)
        shown = mask_arrays(masks, arrays, material.dataset.annotation_size)
        return Record({**arrays, **shown}, layer_metadata(material, layer, self.request, wanted))

    def _keep_chance(self, keys: LayerKeys, name: str, lottery: Lottery, masks: Arrays) -> None:
        start = time.perf_counter()
        state = self._stored(keys, name)["state"]
        record = lottery.record(masks, state, lambda lots: self.reporter.advance("chance", lots))
        self.store.put(keys.chance[name], record)
        spent = self.reporter.seconds.get("chance", 0.0)
        self.reporter.seconds["chance"] = spent + time.perf_counter() - start

    def _keep_assessment(self, keys: LayerKeys, name: str, assessor: Assessor, masks: Arrays) -> None:
        start = time.perf_counter()
        record = self.store.get(keys.profile[name])
        if record is None:
            raise _damaged(name)
        profile = LayerProfile(record.arrays, record.metadata)
        found = assessor.record(masks, profile, lambda done: self.reporter.advance("assessment", done))
        self.store.put(keys.assessment[name], found)
        spent = self.reporter.seconds.get("assessment", 0.0)
        self.reporter.seconds["assessment"] = spent + time.perf_counter() - start

    def _stored(self, keys: LayerKeys, name: str) -> Record:
        """The layer's stored thresholds and states.

        Raises:
            StoreError: its profile was damaged since the run began; the next run computes it again.
        """
        record = artefacts.find_thresholds(self.store, keys.profile[name])
        if record is None:
            raise _damaged(name)
        return record

    def _plan(
        self, keys: LayerKeys, name: str, arrays: Mapping[str, Arrays], sampled: NDArray[np.bool_]
    ) -> passes.MaskPlan:
        if name in arrays:
            return passes.MaskPlan(arrays[name]["threshold"], shown_images(arrays[name]), sampled)
        record = self._stored(keys, name)
        nothing = np.full((len(record["threshold"]), 1), -1, np.int32)
        return passes.MaskPlan(record["threshold"], nothing, sampled)

    def _masks(self, material: Material, plans: Mapping[str, passes.MaskPlan], shards: Shards) -> list[Load]:
        if not plans:
            self.reporter.total = max(0, self.reporter.total - len(self.dataset))
            return []
        needed = np.any([plan.needs() for plan in plans.values()], axis=0)
        chosen = [number for number, batch in enumerate(material.batches) if needed[list(batch)].any()]
        self.reporter.total -= len(self.dataset) - material.size(chosen)
        # What is wanted is part of the shards' names: a run that goes on after a stored profile was damaged
        # wants more masks than the shards of its first attempt hold.
        wanted = hashlib.sha256(b"".join(plan.digest() for plan in plans.values())).hexdigest()[:16]
        stage = Stage(
            f"masks-{wanted}",
            tuple(plans),
            lambda shard: self.reporter.advance("masks", material.size(shard)),
            self._work(material).masks(plans),
            last=True,
        )
        return shards.all(stage, split(chosen, self.execution.shards))


def _damaged(name: str) -> StoreError:
    return StoreError(f"The stored profile of {name} was damaged and is deleted; run the same request again.")


def _refuse_damage(request: ProfileRequest, survey: Survey) -> None:
    """Under `strict`, a damaged file stops the run, also where the answer lies on disk already."""
    if request.strict and survey.problems:
        first = survey.problems[0]
        raise DatasetError(
            f"{first.image} of {request.dataset}: {first.reason} ({len(survey.problems)} damaged in all). "
            "Repair it, or run without --strict to skip and count it."
        )
