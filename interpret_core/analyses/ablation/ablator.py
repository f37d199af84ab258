"""Answers of a network with units silenced: on growing subsets of the images, until all are done."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.ablation.means import mean_responses, ranking_images
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.errors import StoreError
from interpret_core.measures.ablation.answers import Answers, joined
from interpret_core.measures.ablation.settings import Setting
from interpret_core.networks.layers.layer import read_at
from interpret_core.options import Value
from interpret_core.runtime.silenced import SilencedImages, batches_of
from interpret_core.runtime.silencer import MEMORY, Silencer
from interpret_core.store.keys import content_key
from interpret_core.store.records import Record

logger = logging.getLogger(__name__)

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


@dataclass(frozen=True, eq=False)
class Resolved:
    """A setting with the units it silences, by image, and the key of its answers."""

    setting: Setting
    parts: tuple[SilencedImages, ...]
    key: str


def resolved(plan: AblationPlan, setting: Setting | Resolved) -> Resolved:
    """What a setting silences: rankings are read and sorted once for all that follows.

    Raises:
        NotRanked, ParameterError, LayerError: as `AblationPlan.parts`.
    """
    if isinstance(setting, Resolved):
        return setting
    parts = tuple(plan.parts(setting))
    return Resolved(setting, parts, answers_key(plan, parts, setting.value))


def stored_answers(plan: AblationPlan, setting: Resolved) -> Answers | None:
    """The answers to all images, if they were computed before."""
    record = plan.store.get(setting.key)
    return None if record is None else Answers.from_arrays(record.arrays)


class Ablator(Silencer):
    """Evaluates settings of one plan; several threads may use it at the same time."""

    def __init__(self, plan: AblationPlan, memory: int = MEMORY) -> None:
        """Nothing is computed yet.

        Args:
            plan: network, images, rankings.
            memory: bytes that kept prefixes may take.
        """
        super().__init__(plan, memory)
        self.plan = plan

    def answers(self, setting: Setting | Resolved) -> Answers:
        """The answers to all images, computed or found."""
        *_, last = self.estimates(setting)
        return last.answers

    def estimates(
        self, setting: Setting | Resolved, pace: float = PACE, glimpse: int = 0
    ) -> Iterator[Estimate]:
        """Answers to more and more of the images, and at last to all of them; those are kept.

        Whoever stops asking stops the computation.

        Args:
            setting: what to silence.
            pace: seconds between two estimates, at least one batch.
            glimpse: images that are evaluated beforehand, evenly spread over those with the same units
                silenced (the most of them), for a first estimate that does not wait for a whole batch; they
                are evaluated again in theirs, so that kept answers do not depend on who was in a hurry.

        Raises:
            NotRanked, ParameterError, LayerError: as `AblationPlan.parts`.
            NonFiniteError: NaN or infinity in an output.
            DamagedFileError: an image cannot be read.
        """
        asked = resolved(self.plan, setting)
        found = self.find(asked)
        if found is None:
            if 2 * glimpse <= len(self.plan.images) and glimpse:
                yield self._glimpse(asked, glimpse)
            yield from self._computed(asked, pace)
        else:
            yield Estimate(np.arange(len(found)), found, len(found))

    def find(self, setting: Setting | Resolved) -> Answers | None:
        """The answers to all images, if they were computed before; the grid's points are not among them.

        Raises:
            NotRanked, ParameterError, LayerError: as `AblationPlan.parts`.
        """
        return stored_answers(self.plan, resolved(self.plan, setting))

    def _glimpse(self, asked: Resolved, count: int) -> Estimate:
        part = max(asked.parts, key=lambda one: len(one.rows))
        places = np.linspace(0, len(part.rows) - 1, min(count, len(part.rows))).round().astype(np.int64)
        rows = part.rows[places]
        found = self.evaluate(rows, part.selection, self._means(asked))
        return _estimate([rows], [found], len(self.plan.images))

    def _means(self, asked: Resolved) -> dict[str, NDArray[np.float64]]:
        silenced = {layer for part in asked.parts for layer in part.selection}
        mean = asked.setting.value == Value.MEAN and any(part.selection for part in asked.parts)
        return mean_responses(self.plan, silenced) if mean else {}

    def _computed(self, asked: Resolved, pace: float) -> Iterator[Estimate]:
        total = len(self.plan.images)
        rows: list[NDArray[np.int64]] = []
        answers: list[Answers] = []
        shown = time.monotonic()
        for chunk, found in self._evaluated(asked):
            answers.append(found)
            rows.append(chunk)
            done = sum(map(len, rows))
            if done < total and time.monotonic() - shown >= pace:
                yield _estimate(rows, answers, total)
                shown = time.monotonic()
        last = _estimate(rows, answers, total)
        try:
            self.plan.store.put(asked.key, Record(last.answers.to_arrays()))
        except StoreError as error:  # whoever looks on still gets the numbers
            logger.warning("An ablation could not be kept: %s", error)
        yield last

    def _evaluated(self, asked: Resolved) -> Iterator[tuple[NDArray[np.int64], Answers]]:
        """Batch by batch, its rows and the answers; pictures are decoded ahead of the network."""
        means = self._means(asked)
        chunks = batches_of(asked.parts)
        for at, (number, chunk) in enumerate(chunks):
            following = [
                rows
                for behind, rows in chunks[at + 1 : at + 2]
                if self.unread(rows, asked.parts[behind].selection)
            ]
            wanted = self.plan.images[following[0]].tolist() if following else []
            # Only while this batch is at work: whoever stops asking leaves nothing behind.
            with self.plan.loader.warm(wanted):
                found = self.evaluate(chunk, asked.parts[number].selection, means)
            yield chunk, found


def answers_key(plan: AblationPlan, parts: Sequence[SilencedImages], value: str = Value.ZERO) -> str:
    """Where the answers with some units silenced are kept: equal units, equal answers, whoever chose them.

    Args:
        plan: network and images.
        parts: units, by image.
        value: what their responses become.
    """
    content = plan.content() | {
        "silenced": [
            [part.rows.tolist(), {name: list(units) for name, units in sorted(part.selection.items())}]
            for part in parts
        ],
        "value": value if any(part.selection for part in parts) else Value.ZERO,
    }
    silenced = {name for part in parts for name in part.selection}
    further = {layer.name: read_at(layer.sort) for layer in plan.network.further if layer.name in silenced}
    if further:
        content["further"] = further
    if content["value"] == Value.MEAN:
        content["ranking"] = ranking_images(plan)
    return content_key("answers", content)


def _estimate(rows: Sequence[NDArray[np.int64]], answers: Sequence[Answers], total: int) -> Estimate:
    places = np.concatenate(rows)
    order = np.argsort(places)
    return Estimate(places[order], joined(answers)[order], total)
