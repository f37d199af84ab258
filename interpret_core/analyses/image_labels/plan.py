"""What labelling units by whole images amounts to: layers, labels and keys, before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from interpret_core import datasets
from interpret_core.analyses.base import Cost
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.image_labels.result import LabelledLayer, UnitsByImageLabel
from interpret_core.classes.image_labels import FEWEST, NoImageLabelsError, image_labels
from interpret_core.datasets import Dataset
from interpret_core.runtime.known_layers import KnownLayers
from interpret_core.runtime.names import NamesNow
from interpret_core.runtime.parts import run_of
from interpret_core.runtime.subjects import Subject, identify, layers_of, loaded
from interpret_core.store.keys import content_key
from interpret_core.store.store import Store

LABELS, MAXIMA, COLUMNS = "image_labels", "maxima", "label_columns"
IMAGES = "~images"  # beside layers: what is known of the images, whatever the network
RECIPE = 1  # of how labels are read and chance is taken: raise it where the same files give other numbers


@dataclass(frozen=True)
class LabelKeys:
    """Where a request's results lie.

    Attributes:
        layers: names asked for, in the network's order.
        labels: by layer, its units' labels.
        maxima: by layer and for IMAGES, what they are read off.
        run: of the pieces of the pass.
        names: of network and data set, for what is told of the results.
    """

    layers: tuple[str, ...]
    labels: Mapping[str, str]
    maxima: Mapping[str, str]
    run: str
    names: NamesNow

    def missing(self, store: Store) -> tuple[str, ...]:
        """Layers whose units' labels are not in the store."""
        there = store.present(list(self.labels.values()))
        return tuple(name for name, key in self.labels.items() if key not in there)

    def unseen(self, store: Store) -> tuple[str, ...]:
        """Of these, the ones whose responses are not there either; IMAGES, where that is missing."""
        there = store.present(list(self.maxima.values()))
        return tuple(name for name in (*self.missing(store), IMAGES) if self.maxima[name] not in there)


def label_keys(
    request: ImageLabelsRequest, store: Store, subject: Subject, dataset: Dataset
) -> LabelKeys | None:
    """Keys of a request; None where no run has loaded the network.

    Raises:
        LayerError: an unknown layer.
    """
    known = layers_of(subject, store)
    if known is None:
        return None
    names = NamesNow.of((request.network, request.dataset), subject.spec, subject.digest, store)
    return _keys(request, known, (subject.digest, dataset.digest), names)


def keys_by_name(request: ImageLabelsRequest, store: Store) -> LabelKeys:
    """The same by names alone; builds the network only the first time it is seen.

    Raises:
        UserError: unknown names, or no label of whole images.
    """
    dataset = datasets.open_dataset(request.dataset)
    image_labels(dataset, request.columns)
    subject = identify(request.network, store)
    found = label_keys(request, store, subject, dataset)
    if found is None:
        found = label_keys(request, store, loaded(subject, store), dataset)
    if found is None:
        raise ValueError(f"{request.network} has not been loaded.")
    return found


def _keys(
    request: ImageLabelsRequest, known: KnownLayers, digests: tuple[str, str], names: NamesNow
) -> LabelKeys:
    network, dataset = digests
    layers = known.chosen(request.layers, request.network)
    pair = {"network": network, "dataset": dataset, "batch_size": request.batch_size}
    asked = {
        "recipe": RECIPE,
        "columns": request.columns if isinstance(request.columns, str) else list(request.columns),
        "permutations": request.permutations,
        "seed": request.seed,
    }
    labels = {name: content_key(LABELS, {**pair, **asked, "layer": name}) for name in layers}
    maxima = {name: content_key(MAXIMA, {**pair, "layer": name}) for name in layers}
    maxima[IMAGES] = content_key(MAXIMA, {"dataset": dataset})
    run = run_of(content_key(MAXIMA, {**pair, "layers": list(layers)}))
    return LabelKeys(layers, labels, maxima, run, names)


def telling_columns(dataset: Dataset, store: Store) -> tuple[str, ...]:
    """Columns of labels by which a data set's images differ, kept: reading 63,000 rows takes seconds.

    Raises:
        DatasetError: a row of classes.csv contradicts another one or the pictures.
    """
    key = content_key(COLUMNS, {"dataset": dataset.digest, "recipe": RECIPE, "fewest": FEWEST})
    found = store.get_json(key)
    if found is None:
        try:
            found = image_labels(dataset, fewest=FEWEST).telling
        except NoImageLabelsError:
            found = ()
        store.put_json(key, found, needed=False)
    return tuple(found)


def cost(keys: LabelKeys, images: int, store: Store) -> Cost:
    """Of what is missing, on a data set of so many images."""
    if keys.unseen(store):
        return Cost(f"runs the network once over {images:,} images")
    return Cost("permutes the labels of the images" if keys.missing(store) else "")


def find_labels(request: ImageLabelsRequest, store: Store, keys: LabelKeys) -> UnitsByImageLabel | None:
    """The result, if it is in the store."""
    found = {}
    for name in keys.layers:
        record = store.get(keys.labels[name])
        if record is None:
            return None
        found[name] = LabelledLayer(record.arrays, keys.names.told(record.metadata))
    return UnitsByImageLabel(request, found)
