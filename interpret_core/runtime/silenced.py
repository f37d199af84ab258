"""Answers to images with units silenced, one setting beside the other, as work for any process.

All settings are evaluated on one batch after the other: what the network computes before the first silenced
layer serves all of them, and one batch's is in memory at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpret_core.measures.ablation.answers import Answers
from interpret_core.measures.ablation.selection import Selection
from interpret_core.runtime.evaluated import BATCH, LabelledImages
from interpret_core.runtime.executors.base import Found
from interpret_core.runtime.openings import Opened
from interpret_core.runtime.parts import (
    WHOLE,
    Parts,
    Pieces,
    SideBySide,
    batches_in_pieces,
    in_batches,
)
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.shards import Shard
from interpret_core.runtime.silencer import Silencer
from interpret_core.store.records import Arrays, canonical_json

ALONG = SideBySide(dict.fromkeys(("best", "best_probability", "probability", "in_top"), 1))
Means = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class SilencedImages:
    """Images that are evaluated with the same units silenced.

    Attributes:
        rows: (n,) places among the evaluated images, ascending.
        selection: layer -> units.
    """

    rows: NDArray[np.int64]
    selection: Selection


Batches = Sequence[tuple[int, NDArray[np.int64]]]  # which part of the images, and places among them


def batches_of(parts: Sequence[SilencedImages]) -> Batches:
    """Batches in the order of their first images, so that no class waits until all others are done."""
    found = [
        (number, part.rows[start : start + BATCH])
        for number, part in enumerate(parts)
        for start in range(0, len(part.rows), BATCH)
    ]
    return sorted(found, key=lambda batch: int(batch[1][0]))


@dataclass(frozen=True, eq=False)
class SilencedSettings:
    """What every piece is given.

    Attributes:
        stage: what the progress calls it.
        images, labels, outputs: as of `LabelledImages`.
        batches: all of them.
        settings: each one's selection by part of the images; no two alike.
        stand_for: how many of those asked for each of them is.
        means: by layer, (U,) what silenced units become; 0 for layers that are not there.
    """

    stage: str
    images: NDArray[np.int64]
    labels: NDArray[np.int64]
    outputs: tuple[tuple[int, ...], ...]
    batches: Batches
    settings: tuple[tuple[Selection, ...], ...]
    stand_for: tuple[int, ...]
    means: Means

    def digest(self) -> str:
        """Of what is not the images and the network."""
        told = [[sorted((name, list(units)) for name, units in part.items()) for part in one]
                for one in self.settings]  # fmt: skip
        content = hashlib.sha256(canonical_json(told).encode())
        for name, values in sorted(self.means.items()):
            content.update(name.encode() + values.tobytes())
        for _, rows in self.batches:
            content.update(rows.tobytes() + b"|")
        return content.hexdigest()[:16]


def silenced_answers(
    parts: Parts,
    images: LabelledImages,
    settings: Sequence[Sequence[SilencedImages]],
    stage: str,
    means: Means | None = None,
) -> list[Answers]:
    """The answers to all images under each setting; settings with equal units are computed once.

    Args:
        parts: of the record that the answers are for.
        images: and the network.
        settings: of each, which units are silenced for which images; all divide the images alike.
        stage: what the progress calls it; a step is an image under a setting.
        means: by layer, (U,) what silenced units become; 0 for layers that are not there.

    Raises:
        ValueError: settings that divide the images in different ways.
        NonFiniteError: NaN or infinity in an output; names the image.
        Cancelled: the user stopped it; finished parts are kept.
    """
    selections = [tuple(part.selection for part in one) for one in settings]
    if len({tuple(part.rows.tobytes() for part in one) for one in settings}) != 1:
        raise ValueError("Expected settings that all divide the images alike, but got several divisions.")
    names = [tuple(tuple(sorted(part.items())) for part in one) for one in selections]
    first = {name: place for place, name in reversed(list(enumerate(names)))}
    different = sorted(first.values())
    asked = SilencedSettings(
        stage,
        images.images,
        images.labels,
        images.outputs,
        batches_of(settings[0]),
        tuple(selections[place] for place in different),
        tuple(names.count(names[place]) for place in different),
        means or {},
    )
    found = ALONG.arrays(list(parts.of(_pass(images, asked))))
    rows = np.concatenate([rows for _, rows in asked.batches])
    order = np.argsort(rows)
    places = [different.index(first[name]) for name in names]
    return [
        Answers.from_arrays({name: values[place][order] for name, values in found.items()})
        for place in places
    ]


def _pass(images: LabelledImages, asked: SilencedSettings) -> Pieces[Opened]:
    work = in_batches((images.network, images.dataset), _answered, asked, ALONG)

    def steps(piece: Shard) -> int:
        return sum(asked.stand_for) * sum(len(asked.batches[number][1]) for number in piece)

    pieces = batches_in_pieces(len(asked.batches))
    return Pieces(f"answers-{asked.digest()}", asked.stage, work, pieces, steps)


def _answered(opened: Opened, asked: SilencedSettings, piece: Shard, reporter: Reporter) -> Found:
    """(S, n) arrays of the answers to a few batches, the images in the batches' order."""
    images = LabelledImages(*opened, asked.images, asked.labels, asked.outputs)
    found = []
    for number, following in zip(piece, [*piece[1:], None], strict=True):
        wanted = [] if following is None else images.images[asked.batches[following][1]].tolist()
        with images.loader.warm(wanted):
            found.append(_of_batch(images, asked, asked.batches[number], reporter))
    return {WHOLE: ALONG.arrays(found)}


def _of_batch(
    images: LabelledImages,
    asked: SilencedSettings,
    batch: tuple[int, NDArray[np.int64]],
    reporter: Reporter,
) -> Arrays:
    part, rows = batch
    silencer = Silencer(images)  # its prefixes serve all settings, and no other batch
    answers = []
    for setting, count in zip(asked.settings, asked.stand_for, strict=True):
        answers.append(silencer.evaluate(rows, setting[part], asked.means).to_arrays())
        reporter.advance(asked.stage, count * len(rows))
    return {name: np.stack([one[name] for one in answers]) for name in answers[0]}
