"""The labels of whole images that units tell best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core import __version__
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.numbers import known
from interpret_core.store.records import Array
from interpret_core.tables import Row

COLUMNS = (
    "layer",
    "unit",
    "label",
    "auc",
    "average_precision",
    "base_rate",
    "positive",
    "images",
    "z",
    "p_value",
    "q_value",
)
FALSE_DISCOVERIES = 0.05  # q up to which a unit's label is better than chance


@dataclass(frozen=True)
class LabelledLayer:
    """A layer's units and T labels.

    Attributes:
        arrays: auc, average_precision, z (U, T) float64 of every label; best (U,) int64, the label of largest
            z, −1 for a unit that answers all images alike; null_maximum (U, K) f32; p_value, q_value (U,) of
            the best; positive, images (T,) int64, images that bear each label, and of which its column says
            something.
        metadata: network, dataset, layer, labels (T names), columns and column (T indices), labelled
            (images), groups, left_out [[label, why]] (the first of left_out_in_all), skipped [[image, why]],
            permutations, seed, batch_size.
    """

    arrays: Mapping[str, Array]
    metadata: Mapping[str, Any]

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    @property
    def labels(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.metadata["labels"])

    @property
    def units(self) -> int:
        """U."""
        return len(self.arrays["best"])

    def strongest(self, unit: int, most: int) -> list[int]:
        """Labels of a unit, those of largest z first; none of one that answers all images alike."""
        if self.arrays["best"][unit] < 0:
            return []
        return [int(one) for one in np.argsort(-self.arrays["z"][unit], kind="stable")[:most]]

    def row(self, unit: int, label: int) -> Row:
        """What is known of a unit and a label, by the columns' names; p and q of its best label alone."""
        positive, images = int(self.arrays["positive"][label]), int(self.arrays["images"][label])
        best = label == self.arrays["best"][unit]
        return {
            "layer": self.metadata["layer"]["name"],
            "unit": unit,
            "label": self.labels[label],
            "auc": known(self.arrays["auc"][unit, label]),
            "average_precision": known(self.arrays["average_precision"][unit, label]),
            "base_rate": positive / images,
            "positive": positive,
            "images": images,
            "z": known(self.arrays["z"][unit, label]),
            "p_value": known(self.arrays["p_value"][unit]) if best else None,
            "q_value": known(self.arrays["q_value"][unit]) if best else None,
        }

    def rows(self) -> Iterator[Row]:
        """Unit by unit, its best label; one that answers all images alike has none."""
        for unit, label in enumerate(self.arrays["best"].tolist()):
            if label < 0:
                yield dict.fromkeys(COLUMNS) | {"layer": self.metadata["layer"]["name"], "unit": unit}
            else:
                yield self.row(unit, label)

    @property
    def beyond_chance(self) -> NDArray[np.bool_]:
        """(U,) whether a unit tells its best label better than chance; of no unit where that is not known."""
        return np.asarray(self.arrays["q_value"] <= FALSE_DISCOVERIES)

    @property
    def better(self) -> int:
        """Units whose label is better than chance."""
        return int(self.beyond_chance.sum())


@dataclass(frozen=True)
class UnitsByImageLabel:
    """What a request found.

    Attributes:
        request: which.
        layers: by name, in the network's order.
        computed: False where all of it was on disk.
        seconds: wall-clock seconds of the call.
    """

    request: ImageLabelsRequest
    layers: Mapping[str, LabelledLayer]
    computed: bool = False
    seconds: float = 0.0

    def told(self, *, computed: bool, seconds: float) -> UnitsByImageLabel:
        """The same, with where it comes from."""
        return replace(self, computed=computed, seconds=seconds)

    @property
    def first(self) -> LabelledLayer:
        """A layer; what is said of images and labels is the same for all."""
        return next(iter(self.layers.values()))

    def rows(self) -> Iterator[Row]:
        """A row of COLUMNS per unit."""
        for layer in self.layers.values():
            yield from layer.rows()

    def description(self) -> Row:
        """Everything beside the rows; names as they were asked for."""
        told = {name: value for name, value in self.first.metadata.items() if name != "layer"}
        renamed = {
            part: {**told[part], "name": getattr(self.request, part)} for part in ("network", "dataset")
        }
        return {"version": __version__, **told, **renamed}


@dataclass(frozen=True)
class LabelRow:
    """A label, and the unit that tells it best.

    Attributes:
        label: its name.
        images: that bear it.
        units: that tell it best, and better than chance.
        best: what is known of the best unit, by `COLUMNS`; None where no unit tells it best.
    """

    label: str
    images: int
    units: int
    best: Row | None


def by_label(layers: Mapping[str, LabelledLayer]) -> list[LabelRow]:
    """The labels of some layers, those that most units tell first; ties by name."""
    named = dict.fromkeys(label for layer in layers.values() for label in layer.labels)
    made = [_label_row(name, layers) for name in named]
    return sorted(made, key=lambda one: (-one.units, one.label))


def _label_row(name: str, layers: Mapping[str, LabelledLayer]) -> LabelRow:
    units, images, best, score = 0, 0, None, -np.inf
    for layer in layers.values():
        if name not in layer.labels:
            continue
        label = layer.labels.index(name)
        images = int(layer["positive"][label])
        those = np.flatnonzero(layer["best"] == label)
        units += int(layer.beyond_chance[those].sum())
        z = np.nan_to_num(layer["z"][those, label], nan=-np.inf)
        if z.size and z.max() > score:
            score, best = float(z.max()), layer.row(int(those[z.argmax()]), label)
    return LabelRow(name, images, units, best)
