"""Units in the order of labels of whole images where nothing is annotated, and the labels of all layers."""

from __future__ import annotations

import numpy as np
import pytest

from interpret_core.analyses.image_labels.compute import run_image_labels
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.image_labels.result import FALSE_DISCOVERIES, LabelledLayer, by_label
from interpret_core.store.store import Store
from tests.ui.test_image_labels import NETWORK, cache, labelled, markup, page  # noqa: F401 - fixtures
from tests.ui.test_pages import words
from ui.components.unit_grid.unit_grid import tiles
from ui.session import results
from ui.session.labels import found
from ui.session.view import LayerView
from ui.shell.sidebar import Ask
from ui.units.selection import Filters, choose


@pytest.fixture
def layer(cache: object) -> tuple[LayerView, LabelledLayer]:  # noqa: F811
    """A layer of photographs that bear labels as a whole, and what its units tell."""
    run_image_labels(ImageLabelsRequest(NETWORK, "photographs"), Store(str(cache)))
    view = results.layers(Ask(NETWORK, "photographs"))["conv2"]
    told = found.find(view)
    assert told is not None
    return view, told


def test_units_stand_in_the_order_of_what_they_tell(layer: tuple[LayerView, LabelledLayer]) -> None:
    view, told = layer
    order = choose(view, Filters(sort="label"), None, told)
    best = told["best"][order]
    z = np.where(best < 0, -np.inf, told["z"][order, np.maximum(best, 0)])
    assert sorted(order.tolist()) == list(range(view.layer.units))
    assert (np.diff(z[best >= 0]) <= 0).all()
    assert (best[: (best >= 0).sum()] >= 0).all()
    for name in told.labels:
        those = choose(view, Filters(sort="label", label=name), None, told)
        assert set(those.tolist()) == set(np.flatnonzero(told["best"] == told.labels.index(name)).tolist())


def test_tiles_name_the_label_and_say_where_chance_explains_it(
    layer: tuple[LayerView, LabelledLayer],
) -> None:
    view, told = layer
    for unit, name, auc, weak, *_ in tiles(view, range(view.layer.units), told):
        assert isinstance(unit, int)
        best = int(told["best"][unit])
        assert name == (told.labels[best] if best >= 0 else "")
        assert auc == (f"{told['auc'][unit, best]:.3f}" if best >= 0 else "—")
        assert weak == (best < 0 or not told["q_value"][unit] <= FALSE_DISCOVERIES)


def test_a_label_has_the_unit_of_largest_z_over_all_layers(layer: tuple[LayerView, LabelledLayer]) -> None:
    views = results.layers(Ask(NETWORK, "photographs"))
    layers = {name: told for name, view in views.items() if (told := found.find(view)) is not None}
    assert set(layers) == set(views)
    for one in by_label(layers):
        score, units = [], 0
        for told in layers.values():
            label = told.labels.index(one.label)
            those = np.flatnonzero(told["best"] == label)
            score += told["z"][those, label].tolist()
            units += int((told["q_value"][those] <= FALSE_DISCOVERIES).sum())
        assert one.units == units
        assert (one.best["z"] if one.best else None) == (max(score) if score else None)


@pytest.mark.usefixtures("layer")
def test_pages_show_labels_in_place_of_concepts() -> None:
    app = page("units", "photographs", layer="conv2")
    assert "tell a label of whole images" in words(app) or "tells a label of whole images" in words(app)
    labels = [one.label for one in app.sidebar.selectbox]
    assert "Label of the image" in labels
    assert "Concept" not in labels
    chosen = page("units", "photographs", layer="conv2", label="no such label")
    assert not chosen.exception
    assert "Labels of whole images" in markup(page("units", "photographs", layer="conv2"))
    assert "of whole images better than chance" in words(page("concepts", "photographs"))
