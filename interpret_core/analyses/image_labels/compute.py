"""Labels of whole images for units: one pass over the images, then layer by layer chance, kept at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from interpret_core import datasets
from interpret_core.analyses.image_labels.plan import IMAGES, LabelKeys, find_labels, keys_by_name, label_keys
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.image_labels.result import UnitsByImageLabel
from interpret_core.analyses.image_labels.work import LOOK, STAGE, AskedMaxima
from interpret_core.classes.image_labels import FEWEST, ImageLabels, image_labels
from interpret_core.datasets import Dataset
from interpret_core.errors import DatasetError, StoreError
from interpret_core.measures.assessment.scenes import scenes
from interpret_core.measures.image_labels.evidence import LabelledUnits, label_evidence
from interpret_core.measures.image_labels.exchange import joined
from interpret_core.networks import Network
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import Load, Shards, Stage, split, sweep
from interpret_core.runtime.subjects import identify, loaded
from interpret_core.runtime.texts import texts_of
from interpret_core.store.records import Array, Arrays, Record
from interpret_core.store.store import Store

CHANCE = "chance"
KEPT = 1000  # labels left out whose names are kept: a column of remarks has as many as images
NAMED = 2  # in a message


def run_image_labels(
    request: ImageLabelsRequest, store: Store, execution: Execution | None = None
) -> UnitsByImageLabel:
    """Label the units of some layers, or read what was found before.

    Args:
        request: what to label.
        store: where responses and labels are kept.
        execution: device, executor, shards, progress and cancellation.

    Raises:
        UserError: unknown names, no label of whole images, or none that enough images bear.
        NonFiniteError: NaN or infinity in a response.
        Cancelled: the user stopped it; finished parts are kept.
    """
    execution = execution or Execution()
    start = time.perf_counter()
    reporter = execution.reporter()
    dataset = datasets.open_dataset(request.dataset)
    labels = image_labels(dataset, request.columns, FEWEST)
    _frequent(labels, np.ones(len(dataset), np.bool_), dataset)  # before anything is computed
    reporter.tell("reading the data set's digest", 0, 0)
    dataset.compute_digest(cancelled=execution.cancelled)
    subject = identify(request.network, store, execution.device)
    keys = label_keys(request, store, subject, dataset)
    found = None if keys is None else find_labels(request, store, keys)
    if found is not None:
        return found.told(computed=False, seconds=time.perf_counter() - start)
    subject = loaded(subject, store)
    # What was loaded decides, whatever was known of the name before.
    keys = label_keys(request, store, subject, dataset)
    if keys is None:
        raise ValueError(f"{request.network} has not been loaded.")
    run = _LabelRun(request, store, keys, execution, reporter)
    sweep(store, keys.run)

    def waiting() -> bool:  # asked only while somebody else holds the lock
        reporter.tell("waiting for another run of the same request to end", 0, 0)
        return execution.cancelled()

    with store.lock(keys.run, waiting):
        run.all(subject.required, dataset, labels)
    found = find_labels(request, store, keys)
    if found is None:
        raise StoreError("The cache does not keep what is written to it; check the disk.")
    return found.told(computed=True, seconds=time.perf_counter() - start)


class _LabelRun:
    """One run; `all` is the order of events."""

    def __init__(
        self,
        request: ImageLabelsRequest,
        store: Store,
        keys: LabelKeys,
        execution: Execution,
        reporter: Reporter,
    ) -> None:
        self.request, self.store, self.keys = request, store, keys
        self.execution, self.reporter = execution, reporter

    def all(self, network: Network, dataset: Dataset, labels: ImageLabels) -> None:
        missing, unseen = self.keys.missing(self.store), self.keys.unseen(self.store)
        passing = len(dataset) if unseen else 0
        self.reporter.total = passing + len(missing) * self.request.permutations
        if unseen:
            self._see(network, dataset, unseen)
        facts = self._kept(IMAGES)
        images = LabelledImageSet(dataset, labels, facts)
        for name in missing:
            self.store.put(self.keys.labels[name], self._labelled(network, dataset, name, images))

    def _see(self, network: Network, dataset: Dataset, unseen: tuple[str, ...]) -> None:
        """The pass over the images."""
        asked = AskedMaxima(unseen, len(dataset), self.request.batch_size)
        pieces = split(range(asked.batches), self.execution.shards)
        kind = self.execution.executor.kind(network.device).name
        records = [self.keys.maxima[name] for name in unseen]
        shards = Shards(self.store, self.keys.run, self.execution, kind, self.reporter, records)
        stage = Stage(
            "maxima",
            unseen,
            lambda piece: self.reporter.advance(STAGE, asked.size(piece)),
            asked.work(network, dataset),
        )
        loads = shards.all(stage, pieces)
        for name in unseen:
            told = {"dataset": _of_dataset(dataset)}
            told |= {} if name == IMAGES else {"network": _of_network(network)}
            self.store.put(self.keys.maxima[name], Record(_joined(loads, name, len(dataset)), told))
        shards.forget()

    def _kept(self, name: str) -> Record:
        record = self.store.get(self.keys.maxima[name])
        if record is None:
            raise StoreError(
                f"The stored responses ({name}) were damaged and are deleted; run the same request again."
            )
        return record

    def _labelled(self, network: Network, dataset: Dataset, name: str, images: LabelledImageSet) -> Record:
        """The record of a layer."""
        found = label_evidence(
            images.of_units(self._kept(name)["response"]),
            self.request.seed,
            self.request.permutations,
            lambda done: self.reporter.advance(CHANCE, done),
        )
        layer = network.layer(name)
        arrays = {
            "auc": found.auc,
            "average_precision": found.average_precision,
            "z": found.z,
            "best": found.best,
            "null_maximum": found.null_maximum,
            "p_value": found.p_value,
            "q_value": found.q_value,
            "positive": images.shows.sum(0).astype(np.int64),
            "images": images.known.sum(0).astype(np.int64)[images.column],
        }
        metadata = {
            "network": _of_network(network),
            "dataset": _of_dataset(dataset),
            "layer": {"name": layer.name, "units": layer.units},
            **images.told(),
            "permutations": self.request.permutations,
            "seed": self.request.seed,
            "batch_size": self.request.batch_size,
        }
        return Record(arrays, metadata)


def _joined(loads: Sequence[Load], name: str, images: int) -> Arrays:
    """What the pieces of a pass tell of a layer; of the widest array one copy, and one piece beside it."""
    if name != IMAGES:
        return {"response": _rows(loads, name, images)}
    parts = [load(name) for load in loads]
    return {array: np.concatenate([part[array] for part in parts]) for array in parts[0]}


def _rows(loads: Sequence[Load], name: str, images: int) -> Array:
    """(N, U) float32 responses, put together in place."""
    found, row = np.empty((images, 0), np.float32), 0
    for load in loads:
        part = load(name)["response"]
        if not row:
            found = np.empty((images, part.shape[1]), np.float32)
        found[row : row + len(part)] = part
        row += len(part)
    return found


def _of_network(network: Network) -> dict[str, Any]:
    return {
        "name": network.spec.name,
        "title": network.spec.title,
        "digest": network.digest,
        "evidence": network.evidence,
        "note": network.note,
    }


def _of_dataset(dataset: Dataset) -> dict[str, Any]:
    return {"name": dataset.name, "digest": dataset.digest, "images": len(dataset)}


class LabelledImageSet:
    """The images that count, their labels and which of them belong together.

    Args:
        dataset, labels: whose.
        facts: of the images, as the pass over them has left them.

    Attributes:
        images: (n,) indices into the data set: those that can be read and of which a column knows something.
        shows, known, group, column: as of `LabelledUnits`.
        names: (T,) of the labels.
        columns: names of their columns.
        left_out: (label, why) of the others.
        skipped: (image, why) of images that cannot be read.

    Raises:
        DatasetError: no label is borne by enough of them.
    """

    def __init__(self, dataset: Dataset, labels: ImageLabels, facts: Record) -> None:
        valid = facts["valid"].astype(np.bool_)
        kept, self.left_out = _frequent(labels, valid, dataset)
        columns = np.unique(labels.column[kept])
        self.images = np.flatnonzero(valid & labels.known[:, columns].any(1))
        self.shows = csr_array(labels.shows[:, kept])[self.images]
        self.known = labels.known[np.ix_(self.images, columns)]
        self.column = np.searchsorted(columns, labels.column[kept])
        self.names = [labels.names[one] for one in kept]
        self.columns = [labels.columns[one] for one in columns]
        alike = scenes(np.ascontiguousarray(facts["look"][self.images]), LOOK)
        _, told = np.unique(labels.group[self.images], return_inverse=True)
        self.group = joined(alike, told.astype(np.int64))
        self.skipped = [
            (dataset.records[index].image, problem)
            for index, problem in enumerate(texts_of(facts["letters"], facts["problems"]))
            if problem
        ]

    def of_units(self, responses: Array) -> LabelledUnits:
        """What is asked about a layer of these responses, (N, U) float32 to all images of the data set."""
        own = responses if len(self.images) == len(responses) else responses[self.images]
        return LabelledUnits(own, self.shows, self.column, self.known, self.group)

    def told(self) -> dict[str, Any]:
        """As a record's metadata."""
        return {
            "labels": self.names,
            "columns": self.columns,
            "column": self.column.tolist(),
            "labelled": len(self.images),
            "groups": int(self.group.max(initial=-1)) + 1,
            "left_out": [list(one) for one in self.left_out[:KEPT]],
            "left_out_in_all": len(self.left_out),
            "skipped": [list(one) for one in self.skipped],
        }


def asked_of(dataset: Dataset, request: ImageLabelsRequest, store: Store) -> LabelledImageSet | None:
    """The images that a request has asked about, where they have been read before."""
    facts = store.get(keys_by_name(request, store).maxima[IMAGES])
    return (
        None
        if facts is None
        else LabelledImageSet(dataset, image_labels(dataset, request.columns, FEWEST), facts)
    )


def _frequent(
    labels: ImageLabels, valid: NDArray[np.bool_], dataset: Dataset
) -> tuple[NDArray[np.int64], list[tuple[str, str]]]:
    """Labels that enough of the valid images bear, and why the others are left out.

    Raises:
        DatasetError: there is none.
    """
    kept: list[int] = []
    left_out = [(name, _few(count)) for name, count in labels.rare]
    bearing = csr_array(labels.shows)[np.flatnonzero(valid)].sum(0).tolist()
    among = (labels.known & valid[:, None]).sum(0)[labels.column].tolist()
    for at, (name, positive, images) in enumerate(zip(labels.names, bearing, among, strict=True)):
        if positive < FEWEST:
            left_out.append((name, _few(positive)))
        elif positive == images:
            left_out.append((name, f"all {images} images"))
        else:
            kept.append(at)
    if not kept:
        shown = ", ".join(f"{name!r} has {why}" for name, why in left_out[-NAMED:])
        raise DatasetError(
            f"Data set {dataset.name} has no label of whole images that tells {FEWEST} of them from others, "
            f"expected at least one ({shown}): label more images, or group rare labels into a further column "
            "of classes.csv."
        )
    return np.array(kept), left_out


def _few(images: int) -> str:
    return f"{images} {'image' if images == 1 else 'images'}, fewer than {FEWEST}"
