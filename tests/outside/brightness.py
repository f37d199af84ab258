"""How bright the pictures of a data set are: what an installed package adds to Unitscope, in one module."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np

from interpret_core import datasets
from interpret_core.analyses.base import Analysis, Cost, Entry, Plan
from interpret_core.options import Data, Option, Request
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.parts import Part, record_of
from interpret_core.store import Record, Store
from interpret_core.store.keys import content_key
from interpret_core.store.records import Arrays
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


class Brightness(Analysis[BrightnessRequest, Record]):
    def _key(self, request: BrightnessRequest) -> str:
        digest = datasets.open_dataset(request.dataset).digest
        return content_key("brightness", {"dataset": digest, "channel": request.channel})

    def plan(self, request: BrightnessRequest, store: Store) -> Plan:
        images, key = len(datasets.open_dataset(request.dataset)), self._key(request)
        missing = () if store.has(key) else ("pictures",)
        return Plan({"pictures": key}, missing, Cost(f"reads {images:,} images" if missing else ""))

    def run(self, request: BrightnessRequest, store: Store, execution: Execution) -> Record:
        images, reporter = len(datasets.open_dataset(request.dataset)), execution.reporter()
        reporter.total = images

        def mean(index: int) -> Arrays:
            picture = datasets.open_dataset(request.dataset).read_image(index)
            with Path(os.environ.get("BRIGHTNESS_LOG", os.devnull)).open("a") as log:
                log.write(f"{index}\n")
            time.sleep(float(os.environ.get("BRIGHTNESS_PAUSE", "0")))
            reporter.advance("brightness", 1)
            return {"mean": picture[..., list(Channel).index(Channel(request.channel))].mean(keepdims=True)}

        def join(found: list[Arrays]) -> Record:
            return Record({"mean": np.concatenate([one["mean"].ravel() for one in found])})

        parts = [Part(str(index), 1, partial(mean, index)) for index in range(images)]
        return record_of(store, self._key(request), parts, join, reporter, "brightness")

    def find(self, request: BrightnessRequest, store: Store) -> Record | None:
        return store.get(self._key(request))

    def columns(self, found: Record) -> Sequence[str]:
        return ("image", "brightness")

    def rows(self, found: Record) -> Iterator[Row]:
        yield from ({"image": at, "brightness": float(mean)} for at, mean in enumerate(found["mean"]))


ENTRY = Entry("brightness", "How bright the pictures of a data set are.", BrightnessRequest, Brightness)
