"""Answers of a network with units silenced: on growing subsets of the images, until all are done."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.analyses.ablation.plan import AblationPlan, Part
from interpret_core.errors import DatasetError, NonFiniteError, StoreError
from interpret_core.measures.ablation.answers import Answers, answer, joined
from interpret_core.measures.ablation.selection import Selection
from interpret_core.measures.ablation.settings import MEAN, ZERO, Setting
from interpret_core.networks import Prefix, Silence
from interpret_core.runtime.evaluated import readable
from interpret_core.store.keys import content_key
from interpret_core.store.records import Record

logger = logging.getLogger(__name__)

BATCH = 16  # images at a time: another number may change an output in its last bit
MEMORY = 2**30  # bytes of kept prefixes
PACE = 0.2  # seconds between two estimates


@dataclass(frozen=True, eq=False)
class Estimate:
    """What is known so far.

    Attributes:
        rows: (n,) places among the plan's images, ascending.
        answers: to those images.
        total: N.
    """

    rows: NDArray[np.int64]
    answers: Answers
    total: int

    @property
    def complete(self) -> bool:
        """Whether all images have been evaluated."""
        return len(self.rows) == self.total


class Ablator:
    """Evaluates settings of one plan; several threads may use it at the same time.

    What the network computes before the first silenced layer is kept, as far as the memory reaches: moving a
    slider repeats only what lies behind it.
    """

    def __init__(self, plan: AblationPlan, memory: int = MEMORY) -> None:
        """Nothing is computed yet.

        Args:
            plan: network, images, rankings.
            memory: bytes that kept prefixes may take.
        """
        self.plan = plan
        self._kept = _Kept(memory)

    def answers(self, setting: Setting) -> Answers:
        """The answers to all images, computed or found."""
        *_, last = self.estimates(setting)
        return last.answers

    def estimates(self, setting: Setting, pace: float = PACE) -> Iterator[Estimate]:
        """Answers to more and more of the images, and at last to all of them; those are kept.

        Whoever stops asking stops the computation.

        Args:
            setting: what to silence.
            pace: seconds between two estimates, at least one batch.

        Raises:
            NotRanked, ParameterError, LayerError: as `AblationPlan.parts`.
            NonFiniteError: NaN or infinity in an output.
            DamagedFileError: an image cannot be read.
        """
        found = self.find(setting)
        if found is None:
            parts = self.plan.parts(setting)
            key = answers_key(self.plan, parts, setting.value)
            yield from self._computed(parts, setting.value, key, pace)
        else:
            yield Estimate(np.arange(len(found)), found, len(found))

    def find(self, setting: Setting) -> Answers | None:
        """The answers to all images, if they were computed before; the grid's points are not among them.

        Raises:
            NotRanked, ParameterError, LayerError: as `AblationPlan.parts`.
        """
        key = answers_key(self.plan, self.plan.parts(setting), setting.value)
        record = self.plan.store.get(key)
        return None if record is None else Answers.from_arrays(record.arrays)

    def _computed(self, parts: Sequence[Part], value: str, key: str, pace: float) -> Iterator[Estimate]:
        total = len(self.plan.images)
        silent = any(part.selection for part in parts)
        means = mean_responses(self.plan) if value == MEAN and silent else {}
        rows: list[NDArray[np.int64]] = []
        answers: list[Answers] = []
        shown = time.monotonic()
        for part, chunk in _chunks(parts):
            answers.append(self.evaluate(chunk, part.selection, means))
            rows.append(chunk)
            done = sum(map(len, rows))
            if done < total and time.monotonic() - shown >= pace:
                yield _estimate(rows, answers, total)
                shown = time.monotonic()
        last = _estimate(rows, answers, total)
        try:
            self.plan.store.put(key, Record(last.answers.to_arrays()))
        except StoreError as error:  # whoever looks on still gets the numbers
            logger.warning("An ablation could not be kept: %s", error)
        yield last

    def evaluate(
        self, rows: NDArray[np.int64], selection: Selection, means: Mapping[str, NDArray[np.float64]]
    ) -> Answers:
        """The answers to a batch of the plan's images.

        Args:
            rows: places among the plan's images.
            selection: units to silence.
            means: by layer, (U,) what they become; 0 for layers that are not there.
        """
        plan = self.plan
        silenced = {
            name: Silence(units, torch.tensor(means[name], dtype=torch.float32) if name in means else 0.0)
            for name, units in selection.items()
        }
        first = plan.network.first_response(selection or plan.inner[:1])
        with plan.network.ablating(silenced) as run:
            given = run(self._prefix(rows, first)).float().cpu().numpy()
        self._check(given, rows)
        return answer(given, plan.labels[rows], plan.outputs, plan.network.head)

    def _prefix(self, rows: NDArray[np.int64], layer: str) -> Prefix:
        key = (layer, rows.tobytes())
        found = self._kept.get(key)
        if found is None:
            found = self.plan.network.prefix(batch_of(self.plan, self.plan.images[rows]), layer)
            self._kept.put(key, found)
        return found

    def _check(self, given: NDArray[np.float32], rows: NDArray[np.int64]) -> None:
        name = self.plan.request.network
        odd = ~np.isfinite(given).all(1)
        if odd.any():
            index = int(self.plan.images[rows[np.flatnonzero(odd)[0]]])
            raise NonFiniteError(
                f"The output of {name} is NaN or infinite on image {self.plan.dataset.records[index].image}; "
                "expected finite numbers. Check the weights."
            )


def mean_responses(plan: AblationPlan) -> dict[str, NDArray[np.float64]]:
    """Each unit's mean response over the ranking images of all classes and all positions, by layer.

    Returns:
        (U,) per layer; computed once and kept. Images that cannot be read are left out, as they are in the
        ranking.

    Raises:
        DatasetError: none of them can be read.
    """
    images = ranking_images(plan)
    content = {
        "network": plan.network.digest,
        "dataset": plan.dataset.digest,
        "images": images,
        "batch": BATCH,
    }

    def compute() -> Record:
        sums = {layer.name: np.zeros(layer.units) for layer in plan.layers}
        sound = [index for index in images if readable(plan.dataset, index)]
        if not images:
            raise DatasetError(
                f"No image of {plan.dataset.name} is in split {plan.request.ranked_on!r}, over which units' "
                "means are taken, expected at least one: silence units to zero, or rank on another split."
            )
        if not sound:
            raise DatasetError(
                f"None of the {len(images)} ranking images of {plan.dataset.name} can be read, expected at "
                "least one: silence units to zero, or replace the images."
            )
        for start in range(0, len(sound), BATCH):
            batch = batch_of(plan, np.array(sound[start : start + BATCH]))
            plan.network.stream(batch, plan.layers, lambda layer, response: _add(sums[layer.name], response))
        return Record({name: total / len(sound) for name, total in sums.items()})

    return dict(plan.store.compute(content_key("responses", content), compute, needed=False).arrays)


def ranking_images(plan: AblationPlan) -> list[int]:
    """Images that rank the units for any class, ascending: means are taken over them."""
    return sorted({index for indices in plan.ranking.images.values() for index in indices.tolist()})


def answers_key(plan: AblationPlan, parts: Sequence[Part], value: str = ZERO) -> str:
    """Where the answers with some units silenced are kept: equal units, equal answers, whoever chose them.

    Args:
        plan: network and images.
        parts: units, by image.
        value: what their responses become.
    """
    content = evaluated_content(plan) | {
        "silenced": [
            [part.rows.tolist(), {name: list(units) for name, units in sorted(part.selection.items())}]
            for part in parts
        ],
        "value": value if any(part.selection for part in parts) else ZERO,
    }
    if content["value"] == MEAN:
        content["ranking"] = ranking_images(plan)
    return content_key("answers", content)


def evaluated_content(plan: AblationPlan) -> dict[str, Any]:
    """What decides the answers beside the units that are silenced; part of every key of answers."""
    return {
        "network": plan.network.digest,
        "dataset": plan.dataset.digest,
        "images": plan.images.tolist(),
        "classes": [[one.name, list(one.outputs)] for one in plan.classes],
        "labels": plan.labels.tolist(),
        "batch": BATCH,
    }


def batch_of(plan: AblationPlan, images: NDArray[np.int64]) -> torch.Tensor:
    """Images of the data set, (n,) indices, as the network takes them."""
    return plan.network.batch([plan.dataset.read_image(index) for index in images.tolist()])


def _chunks(parts: Sequence[Part]) -> list[tuple[Part, NDArray[np.int64]]]:
    """Batches in the order of their first images, so that no class waits until all others are done."""
    chunks = [
        (part, part.rows[start : start + BATCH])
        for part in parts
        for start in range(0, len(part.rows), BATCH)
    ]
    return sorted(chunks, key=lambda chunk: int(chunk[1][0]))


def _estimate(rows: Sequence[NDArray[np.int64]], answers: Sequence[Answers], total: int) -> Estimate:
    places = np.concatenate(rows)
    order = np.argsort(places)
    return Estimate(places[order], joined(answers)[order], total)


def _add(sums: NDArray[np.float64], response: torch.Tensor) -> None:
    sums += response.double().mean((2, 3)).sum(0).cpu().numpy()


class _Kept:
    """Prefixes in memory. Those of a layer that nobody asked for of late make room for others.

    Within one layer none is thrown out for another: all are read in turn, so that the one thrown out would
    be the next one needed.
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._layers: OrderedDict[str, dict[bytes, Prefix]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, bytes]) -> Prefix | None:
        with self._lock:
            if key[0] in self._layers:
                self._layers.move_to_end(key[0])
            return self._layers.get(key[0], {}).get(key[1])

    def put(self, key: tuple[str, bytes], prefix: Prefix) -> None:
        with self._lock:
            if prefix.bytes > self._memory:
                return
            own = self._layers.setdefault(key[0], {})
            self._layers.move_to_end(key[0])
            while self._size() + prefix.bytes > self._memory and len(self._layers) > 1:
                self._layers.popitem(last=False)
            if self._size() + prefix.bytes <= self._memory:
                own[key[1]] = prefix

    def _size(self) -> int:
        return sum(prefix.bytes for kept in self._layers.values() for prefix in kept.values())
