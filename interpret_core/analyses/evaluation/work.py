"""Answers of an intact network to some images, as work for any process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpret_core.datasets import Batch, Dataset, Loader
from interpret_core.errors import NonFiniteError
from interpret_core.measures.ablation.answers import Answers, answer
from interpret_core.networks import Network
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
from interpret_core.runtime.texts import texts_as_arrays, texts_of
from interpret_core.store.records import Arrays

STAGE = "evaluating"
ANSWERS = ("best", "best_probability", "probability", "in_top")
ROWS = SideBySide(dict.fromkeys((*ANSWERS, "valid", "letters", "problems"), 0))


@dataclass(frozen=True, eq=False)
class AnsweredBatch:
    """What became of a batch.

    Attributes:
        images: (n,) indices into the data set.
        valid: (n,) bool, those that could be read.
        answers: to these.
        problems: n texts, why an image could not be read; empty for the others.
    """

    images: NDArray[np.int64]
    valid: NDArray[np.bool_]
    answers: Answers
    problems: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class AskedImages:
    """What every piece is given.

    Attributes:
        network: its name, as asked.
        images: (N,) indices into the data set.
        labels: (N,) number of each image's class.
        outputs: C groups, the network's outputs of each class.
        batch_size: images at a time.
    """

    network: str
    images: NDArray[np.int64]
    labels: NDArray[np.int64]
    outputs: tuple[tuple[int, ...], ...]
    batch_size: int

    def rows(self, number: int) -> slice:
        """Places of a batch among the images."""
        return slice(number * self.batch_size, (number + 1) * self.batch_size)

    def batches(self, parts: Parts, network: Network, dataset: Dataset) -> Iterator[AnsweredBatch]:
        """Batch by batch, what the network answered; computed by whoever computes the parts.

        Raises:
            NonFiniteError: NaN or infinity in an output.
            Cancelled: the user stopped it; finished parts are kept.
        """
        number = 0
        for found in parts.of(self._pieces(network, dataset)):
            valid = found["valid"].astype(np.bool_)
            texts = texts_of(found["letters"], found["problems"])
            answers = Answers.from_arrays({name: found[name] for name in ANSWERS if name in found})
            after = np.cumsum(valid)
            at = 0
            while at < len(valid):
                images = self.images[self.rows(number)]
                here, first = slice(at, at + len(images)), int(after[at] - valid[at])
                own = answers[slice(first, first + int(valid[here].sum()))]
                yield AnsweredBatch(images, valid[here], own, tuple(texts[here]))
                at, number = at + len(images), number + 1

    def _pieces(self, network: Network, dataset: Dataset) -> Pieces[Opened]:
        work = in_batches((network, dataset), _answered, self, ROWS)

        def steps(piece: Shard) -> int:
            return sum(len(self.images[self.rows(number)]) for number in piece)

        pieces = batches_in_pieces(-(-len(self.images) // self.batch_size))
        return Pieces("answers", STAGE, work, pieces, steps)


def _answered(opened: Opened, asked: AskedImages, piece: Shard, reporter: Reporter) -> Found:
    """Arrays of the answers to the images that can be read; of all, whether they can, and why not."""
    network, dataset = opened
    batches = [asked.images[asked.rows(number)].tolist() for number in piece]
    found: list[Arrays] = []
    loader = Loader(dataset, reduce=network.preprocessing.reduced)
    for number, batch in zip(piece, loader.batches(batches), strict=True):
        given = _outputs(network, asked.network, dataset, batch)[batch.valid]
        labels = asked.labels[asked.rows(number)][batch.valid]
        arrays = answer(given, labels, asked.outputs, network.head).to_arrays()
        found.append(arrays | {"valid": batch.valid} | texts_as_arrays(batch.problems))
        reporter.advance(STAGE, len(batch.indices))
    return {WHOLE: ROWS.arrays(found)}


def _outputs(network: Network, name: str, dataset: Dataset, batch: Batch) -> NDArray[np.float32]:
    """(n, K) outputs of the intact network, those of damaged images included."""
    with network.ablating({}) as intact:
        found: NDArray[np.float32] = intact(network.batch(batch.images)).detach().float().cpu().numpy()
    odd = batch.valid & ~np.isfinite(found).all(1)
    if odd.any():
        image = dataset.records[int(batch.indices[np.flatnonzero(odd)[0]])].image
        raise NonFiniteError(
            f"The output of {name} is NaN or infinite on image {image}; expected finite numbers. Check the "
            "weights."
        )
    return found
