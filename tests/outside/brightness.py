"""How bright the pictures of a data set are: what an installed package adds to Unitscope, in one module."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np

from interpret_core import datasets
from interpret_core.analyses.base import Analysis, Cost, Entry, Plan
from interpret_core.datasets import Dataset
from interpret_core.errors import DatasetError
from interpret_core.options import Data, Option, Request
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors.base import Found, Work, only, whole
from interpret_core.runtime.openings import place_of
from interpret_core.runtime.parts import WHOLE, Parts, Pieces, record_of
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import Shard
from interpret_core.store import Record, Store
from interpret_core.store.keys import content_key
from interpret_core.tables import Row


class Channel(StrEnum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


@dataclass(frozen=True)
class BrightnessRequest(Request):
    analysis: ClassVar[str] = "brightness"

    dataset: Data
    channel: Annotated[str, Option("Of red, green and blue.", choices=Channel)] = Channel.GREEN


@dataclass(frozen=True)
class PicturesOpening:
    """How any process finds the pictures."""

    place: str
    digest: str
    device = "cpu"

    @property
    def name(self) -> str:
        return f"brightness of {self.digest}"

    def open(self) -> Dataset:
        dataset = datasets.open_dataset(self.place)
        if dataset.compute_digest() != self.digest:
            raise DatasetError(f"{self.place} holds other pictures here.")
        return dataset


def brightness(dataset: Dataset, channel: Channel, piece: Shard, reporter: Reporter) -> Found:
    """Of one picture, in any process."""
    (index,) = piece
    with Path(os.environ.get("BRIGHTNESS_LOG", os.devnull)).open("a") as log:
        log.write(f"{index}\n")
    time.sleep(float(os.environ.get("BRIGHTNESS_PAUSE", "0")))
    mean = dataset.read_image(index)[..., list(Channel).index(channel)].mean(keepdims=True).ravel()
    reporter.advance("brightness", 1)
    return {WHOLE: {"mean": mean}}


class Brightness(Analysis[BrightnessRequest, Record]):
    def _key(self, request: BrightnessRequest) -> str:
        digest = datasets.open_dataset(request.dataset).digest
        return content_key("brightness", {"dataset": digest, "channel": request.channel})

    def plan(self, request: BrightnessRequest, store: Store) -> Plan:
        images, key = len(datasets.open_dataset(request.dataset)), self._key(request)
        missing = () if store.has(key) else ("pictures",)
        return Plan({"pictures": key}, missing, Cost(f"reads {images:,} images" if missing else ""))

    def run(self, request: BrightnessRequest, store: Store, execution: Execution) -> Record:
        dataset, reporter = datasets.open_dataset(request.dataset), execution.reporter()
        reporter.total = len(dataset)
        opening = PicturesOpening(place_of(dataset), dataset.compute_digest())
        work = Work(opening, brightness, Channel(request.channel), whole, only, dataset)

        def made(parts: Parts) -> Record:
            each = [(index,) for index in range(len(dataset))]
            pieces = Pieces("pictures", "brightness", work, each, len, exact=True)
            return Record({"mean": np.concatenate([one["mean"] for one in parts.of(pieces)])})

        return record_of(store, self._key(request), made, execution, reporter)

    def find(self, request: BrightnessRequest, store: Store) -> Record | None:
        return store.get(self._key(request))

    def columns(self, found: Record) -> Sequence[str]:
        return ("image", "brightness")

    def rows(self, found: Record) -> Iterator[Row]:
        yield from ({"image": at, "brightness": float(mean)} for at, mean in enumerate(found["mean"]))


ENTRY = Entry("brightness", "How bright the pictures of a data set are.", BrightnessRequest, Brightness)
