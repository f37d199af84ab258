"""Labels of whole images: whether a data set has any, and what is known of a layer's units.

What is kept in memory is keyed by digests, as in `results`.
"""

from __future__ import annotations

from functools import lru_cache

from interpret_core.analyses.image_labels.plan import LabelKeys, label_keys, telling_columns
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.image_labels.result import LabelledLayer
from interpret_core.datasets import Dataset
from interpret_core.options import ALL
from ui.session import results, stored
from ui.session.memory import kept, once
from ui.session.view import LayerView
from ui.session.work import ended


def request(view: LayerView) -> ImageLabelsRequest:
    """The request of a layer: that of all usual ones, where it is one of them."""
    return _request(view.network, view.dataset, view.layer.name if view.layer.sort else ALL)


@lru_cache(maxsize=256)
def _request(network: str, dataset: str, layer: str) -> ImageLabelsRequest:
    return ImageLabelsRequest(network, dataset, layer if layer == ALL else (layer,))


@once
def columns(name: str) -> tuple[str, ...]:
    """Columns of labels of whole images by which a data set's images differ; none where there is none.

    Raises:
        UserError: it cannot be opened, or its classes.csv contradicts itself; one clear line.
    """
    dataset = results.dataset(name)
    return _columns(dataset.digest, dataset)


@kept(64, kind="")
def _columns(digest: str, _dataset: Dataset) -> tuple[str, ...]:
    return telling_columns(_dataset, stored.store())


def find(view: LayerView) -> LabelledLayer | None:
    """What is stored of a layer; computes nothing.

    Raises:
        UserError: network or data set cannot be opened; one clear line.
    """
    return _find(request(view), view.layer.name)


def keys(view: LayerView) -> LabelKeys | None:
    """Where they lie; None for a network whose layers nobody has listed yet."""
    return _keys(request(view))


@once
def _keys(asked: ImageLabelsRequest) -> LabelKeys | None:
    since = ended(asked)
    subject = results.subject(asked.network, since)
    return label_keys(asked, stored.store(), subject, results.dataset(asked.dataset, since))


@once
def _find(asked: ImageLabelsRequest, layer: str) -> LabelledLayer | None:
    keys = _keys(asked)
    key = "" if keys is None else keys.labels.get(layer, "")
    if not key:
        return None
    try:
        return _layer(key)
    except stored.Missing:
        return None


@kept(32, kind="labels")
def _layer(key: str) -> LabelledLayer:
    found = stored.record(key)
    return LabelledLayer(found.arrays, found.metadata)
