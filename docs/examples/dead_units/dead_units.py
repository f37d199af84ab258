"""Which units of a network are dead: their response is zero everywhere, on every picture of a data set.

Responses are those of `network.layers`: after the ReLU where there is one, else also below zero. So the
largest one is told as an absolute value: a unit is dead if it is never anything but zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from interpret_core import datasets
from interpret_core.analyses.base import Analysis, Cost, Entry, Plan
from interpret_core.datasets import Dataset, Loader
from interpret_core.errors import DatasetError, NonFiniteError
from interpret_core.networks import Layer
from interpret_core.networks import Network as LoadedNetwork
from interpret_core.options import ALL, BATCH_SIZE, BatchSize, Data, Layers, Network, Request
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.subjects import Subject, identify, loaded
from interpret_core.store import Record, Store
from interpret_core.store.keys import content_key
from interpret_core.tables import Row, Table

NAME = "dead-units"


@dataclass(frozen=True)
class DeadUnitsRequest(Request):
    """What is asked: each field is an option of the command, with its default, help and checks."""

    analysis: ClassVar[str] = NAME

    network: Network
    dataset: Data
    layers: Layers = ALL
    batch_size: BatchSize = BATCH_SIZE


class DeadUnits(Analysis[DeadUnitsRequest, Record]):
    """How the request is answered."""

    def plan(self, request: DeadUnitsRequest, store: Store) -> Plan:
        """What would be computed, and what that costs; computes nothing."""
        dataset = datasets.open_dataset(request.dataset)
        key = _key(request, identify(request.network, store), dataset)
        missing = () if store.has(key) else ("largest responses",)
        cost = f"runs the network over {len(dataset):,} images" if missing else ""
        return Plan({"largest responses": key}, missing, Cost(cost))

    def run(self, request: DeadUnitsRequest, store: Store, execution: Execution) -> Record:
        """The result: read from the store, or computed and kept there."""
        dataset = datasets.open_dataset(request.dataset)
        dataset.compute_digest(cancelled=execution.cancelled)
        subject = identify(request.network, store, execution.device)
        record = store.get(_key(request, subject, dataset))
        if record is None:  # only now is the network loaded; what was loaded decides the key
            subject, reporter = loaded(subject, store), execution.reporter()
            record = store.compute(
                _key(request, subject, dataset),
                lambda: _measured(request, subject.required, dataset, reporter),
                execution.cancelled,
            )
        return _told(request, record)

    def find(self, request: DeadUnitsRequest, store: Store) -> Record | None:
        """The result if it is there; computes nothing."""
        dataset = datasets.open_dataset(request.dataset)
        record = store.get(_key(request, identify(request.network, store), dataset))
        return None if record is None else _told(request, record)

    def columns(self, found: Record) -> Sequence[str]:
        """Of the table that `--out` writes."""
        return ("layer", "unit", "largest", "dead")

    def rows(self, found: Record) -> Iterator[Row]:
        """A row for each unit."""
        for layer in found.metadata["layers"]:
            for unit, largest in enumerate(found[layer].tolist()):
                yield {"layer": layer, "unit": unit, "largest": largest, "dead": largest == 0}

    def description(self, found: Record) -> Row:
        """What `--out x.json` says beside the rows: every option, and what the numbers are of."""
        return {name: found.metadata[name] for name in ("request", "images", "skipped")}

    def report(self, found: Record, verbose: bool) -> Iterator[str | Table]:
        """What the command prints: a line for each layer, and how many pictures that is of."""
        told = found.metadata
        cells = [(name, len(found[name]), int((found[name] == 0).sum())) for name in told["layers"]]
        yield Table("Dead units", ("layer", "units", "dead"), cells, ("units", "dead"))
        dataset, skipped = told["request"]["dataset"], len(told["skipped"])
        yield f"On {told['images']:,} images of {dataset}; {skipped} could not be read."


def _key(request: DeadUnitsRequest, subject: Subject, dataset: Dataset) -> str:
    """Where the result lies: everything that changes a number is part of it, by digest and not by name."""
    content = {
        "network": subject.digest,
        "dataset": dataset.digest,
        "layers": request.layers,
        "batch_size": request.batch_size,
    }
    return content_key("dead_units", content)


def _told(request: DeadUnitsRequest, record: Record) -> Record:
    """With the names that are asked for now: the same content may have borne others."""
    return Record(record.arrays, {**record.metadata, "request": request.to_json()})


def _measured(
    request: DeadUnitsRequest, network: LoadedNetwork, dataset: Dataset, reporter: Reporter
) -> Record:
    """The largest absolute response of each unit, over all positions of all pictures."""
    names = [one.name for one in network.layers] if request.layers == ALL else list(request.layers)
    layers = [network.layer(name) for name in names]
    largest = {layer.name: np.zeros(layer.units, np.float32) for layer in layers}

    def see(layer: Layer, response: torch.Tensor) -> None:
        """`response` is (N, units, height, width)."""
        found = response.abs().amax((0, 2, 3)).cpu().numpy()
        if not np.isfinite(found).all():
            raise NonFiniteError(f"Layer {layer.name} of {network.name} gives NaN or infinity: check it.")
        largest[layer.name] = np.maximum(largest[layer.name], found)

    pieces = [list(part) for part in _cut(range(len(dataset)), request.batch_size)]
    reporter.total, skipped = len(dataset), []
    loader = Loader(dataset, reduce=network.preprocessing.reduced)
    for batch in loader.batches(pieces):
        seen = [image for image, valid in zip(batch.images, batch.valid, strict=True) if valid]
        if seen:
            network.stream(network.batch(seen), layers, see)
        skipped += [problem for problem in batch.problems if problem]
        reporter.advance("looking for dead units", len(batch.indices))  # progress; stops where cancelled
    if len(skipped) == len(dataset):
        raise DatasetError(f"No image of {dataset.name} can be read. The first: {skipped[0]}")
    told = {
        "layers": [layer.name for layer in layers],
        "images": len(dataset) - len(skipped),
        "skipped": skipped,
    }
    return Record(dict(largest), told)


def _cut(indices: range, size: int) -> Iterator[range]:
    return (indices[at : at + size] for at in range(0, len(indices), size))


ENTRY = Entry(NAME, "Which units answer nothing, on any picture.", DeadUnitsRequest, DeadUnits)
