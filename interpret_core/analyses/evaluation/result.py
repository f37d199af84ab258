"""What an evaluation found, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from interpret_core import __version__
from interpret_core.measures.ablation.evaluation import Evaluation
from interpret_core.numbers import known
from interpret_core.runtime.names import NamesNow
from interpret_core.store.records import Record
from interpret_core.tables import Row

COLUMNS = (
    "class",
    "images",
    "right",
    "accuracy",
    "top5_right",
    "top5",
    "others",
    "others_rejected",
    "balanced_accuracy",
    "mean_recall",
    "probability",
)
ALL_CLASSES = "*"  # the class of the last row, which is about all of them


@dataclass(frozen=True)
class Evaluated:
    """An evaluation and where it comes from.

    Attributes:
        evaluation: counts by class, in the order of `classes`.
        metadata: network (name, title, digest, evidence, note, outputs), dataset (name, digest), split,
            batch_size, classes (names), images (evaluated), skipped [[image, reason]],
            left_out [[class, reason]], source (of the images of a class), matches [[class, how, numbers of
            its outputs, their names]], few (classes with so few images that either split has all of them).
        computed: False where the answer was on disk.
        seconds: wall-clock seconds of this call.
    """

    evaluation: Evaluation
    metadata: dict[str, Any]
    computed: bool
    seconds: float

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that were evaluated, in alphabetical order."""
        return tuple(self.metadata["classes"])


def evaluated(record: Record, names: NamesNow, computed: bool, seconds: float) -> Evaluated:
    """A record as the answer to a request: the same content may have borne other names."""
    evaluation = Evaluation(
        record.arrays["confusion"], record.arrays.get("in_top"), record.arrays["probability_sum"]
    )
    return Evaluated(evaluation, names.told(record.metadata), computed, seconds)


def rows(found: Evaluated) -> Iterator[Row]:
    """A row of COLUMNS per class, then one for all; what is not known is None."""
    one = found.evaluation
    top, top_share = one.in_top, one.top_accuracy
    for at, name in enumerate(found.classes):
        yield dict.fromkeys(COLUMNS) | {
            "class": name,
            "images": int(one.images[at]),
            "right": int(one.right[at]),
            "accuracy": known(one.accuracy[at]),
            "top5_right": None if top is None else int(top[at]),
            "top5": None if top_share is None else known(top_share[at]),
            "others": int(one.others[at]),
            "others_rejected": int(one.rejected[at]),
            "balanced_accuracy": known(one.balanced_accuracy[at]),
            "probability": known(one.probability[at]),
        }
    yield dict.fromkeys(COLUMNS) | {
        "class": ALL_CLASSES,
        "images": int(one.images.sum()),
        "right": int(one.right.sum()),
        "accuracy": known(one.overall_accuracy),
        "top5_right": None if top is None else int(top.sum()),
        "top5": None if one.overall_top_accuracy is None else known(one.overall_top_accuracy),
        "mean_recall": known(one.mean_recall),
        "probability": known(one.overall_probability),
    }


def description(found: Evaluated) -> Row:
    """Everything beside the rows: what was evaluated, and the confusion matrix with a row per true class."""
    metadata = {name: value for name, value in found.metadata.items() if name != "classes"}
    confusion = {
        "rows": list(found.classes),
        "columns": [*found.classes, None],  # the last one is any other output of the network
        "counts": found.evaluation.confusion.tolist(),
    }
    return {"version": __version__, **metadata, "confusion": confusion}
