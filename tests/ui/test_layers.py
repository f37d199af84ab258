"""A network's layers are loaded on use; the picker lives on the outline, the home page on sketches too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from interpret_core.analyses.profile.outline import outline_key
from interpret_core.errors import StoreError, UserError
from interpret_core.store.store import Store
from tests.ui.test_pages import open_page
from ui.session import memory, results
from ui.session.profiles import stored_layers
from ui.session.profiles.stored_layers import StoredLayers
from ui.session.view import LayerView
from ui.shell.sidebar import Ask

ASK = Ask("small", "planted", cutoff=0.01)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the layers that are read whole, in order."""
    seen: list[str] = []
    real = stored_layers._made

    def noted(*arguments: Any) -> LayerView:
        view = real(*arguments)
        seen.append(view.layer.name)
        return view

    monkeypatch.setattr(stored_layers, "_made", noted)
    return seen


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("cutoff", [0.0, 0.01, 0.3])
def test_counts_are_those_of_the_layers(cutoff: float) -> None:
    views = results.layers(ASK._replace(cutoff=cutoff))
    assert views is not None
    assert list(views) == ["conv1", "conv2"]
    for name, count in views.counts.items():
        view = views[name]
        assert count == (view.layer.units, view.detectors(), view.summary.unique_detectors())


@pytest.mark.usefixtures("full")
def test_what_is_small_is_kept_so_that_a_page_loads_one_layer(loaded: list[str]) -> None:
    views = results.layers(ASK)
    assert views is not None
    assert views.counts
    assert views.sketches
    memory.forget()  # another start of the server
    loaded.clear()
    app = open_page("pages/units.py", network="small", dataset="planted", layer="conv1", unit="5")
    assert not app.exception
    assert set(loaded) == {"conv1"}
    picker = next(box for box in app.selectbox if box.label == "Layer")
    assert picker.options[0].endswith("/24 · conv1")
    memory.forget()
    loaded.clear()
    app = open_page("pages/home.py", network="small", dataset="planted")
    assert not app.exception
    counts = views.counts
    assert loaded == [max(counts, key=lambda name: counts[name].concepts)], "whose units are in the pictures"


def test_another_rule_has_another_outline() -> None:
    assert outline_key(["a", "b"], 1) != outline_key(["a", "b"], 10)
    assert outline_key(["a", "b"], 1) != outline_key(["b", "a"], 1)


def test_outline_that_cannot_be_kept_is_done_without(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(Store, "put", full_disk)
    views = results.layers(ASK._replace(min_images=4))
    assert views is not None
    assert views.counts["conv1"].units == 24


@pytest.mark.usefixtures("full")
def test_damage_found_on_use_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    views = results.layers(ASK)
    assert views is not None
    monkeypatch.setattr(StoredLayers, "layer", lambda own, name: None)
    with pytest.raises(UserError, match="layer conv1 was damaged and has been set aside"):
        views["conv1"]
    with pytest.raises(KeyError):
        views["conv9"]
