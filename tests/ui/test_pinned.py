"""A pinned unit beside the chosen one: from the address, across layers, and what cannot be pinned."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.test_pages import open_page, words
from tests.ui.test_relevance_pages import component
from ui.session import results
from ui.shell.sidebar import Ask
from ui.units import pinned

pytestmark = pytest.mark.usefixtures("full")
HERE = {"network": "small", "dataset": "planted", "layer": "conv2", "unit": "3"}
UNITS = "pages/units.py"


def drawn(app: AppTest) -> str:
    return "".join(str(part.value) for part in app.get("html"))


def parameter(app: AppTest, name: str) -> str:
    value = app.query_params.get(name, "")
    return str(value[-1] if isinstance(value, list) else value)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


@pytest.mark.parametrize("layer", ["conv2", "conv1"])
def test_two_units_stand_beside_each_other(layer: str) -> None:
    app = open_page(UNITS, **HERE, pin=f"{layer}:5")
    assert not app.exception
    assert not app.warning
    text = drawn(app)
    assert "conv2 · unit 3" in text
    assert f"{layer} · unit 5" in text
    view = results.layer(Ask("small", "planted"), layer)
    assert view is not None
    shown = component(app, "pinned_gallery")
    assert shown["unit"].endswith("/5")
    assert [one["image"] for one in shown["images"]] == view.record["top_image"][5][:6].tolist()
    assert any(one["mask"] for one in shown["images"])
    assert component(app, "gallery")["unit"].endswith("/3"), "the panel itself is the chosen unit's"
    assert f"{view.overlap(5, view.told(5)).iou:.4f}" in text
    assert "Pin this one instead" in labels(app)


def test_pin_and_unpin() -> None:
    app = open_page(UNITS, **HERE)
    assert "Unpin" not in labels(app)
    app.button(key="pin").click().run()
    assert parameter(app, "pin") == "conv2:3"
    assert labels(app).count("Unpin") == 1
    assert not [node for node in app.get("bidi_component") if node.proto.id.endswith("-pinned_gallery")]
    app.button(key="next").click().run()
    assert parameter(app, "pin") == "conv2:3"
    assert parameter(app, "unit") != "3"
    assert component(app, "pinned_gallery")["unit"].endswith("/3")
    app.button(key="unpin").click().run()
    assert not parameter(app, "pin")
    assert "Unpin" not in labels(app)


def test_swap() -> None:
    app = open_page(UNITS, **HERE, pin="conv1:5")
    app.button(key="swap").click().run()
    assert not app.exception
    assert (parameter(app, "layer"), parameter(app, "unit")) == ("conv1", "5")
    assert parameter(app, "pin") == "conv2:3"


def test_a_dead_unit_has_words() -> None:
    app = open_page(UNITS, **HERE, pin="conv1:0")
    assert not app.exception
    assert "it has no photographs to show" in words(app)


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("conv2:99", "numbered 0 to 31"),
        ("conv2", "expected layer:unit"),
        ("conv9:1", "did you mean"),
        ("conv1:1,conv2:2", "one unit can be pinned at a time"),
        ("conv1:-1", "no number of a unit"),
        ("<b>x</b>:1", "no layer"),
        (",", "one unit"),
    ],
)
def test_what_cannot_be_pinned_is_said(pin: str, why: str) -> None:
    app = open_page(UNITS, **HERE, pin=pin)
    assert not app.exception
    assert why in words(app)
    assert "nothing is pinned" in words(app)
    assert not parameter(app, "pin")
    assert component(app, "gallery")["unit"].endswith("/3")


def test_an_enlarged_photograph_of_the_pinned_unit() -> None:
    view = results.layer(Ask("small", "planted"), "conv2")
    assert view is not None
    image = int(view.record["top_image"][5][1])
    app = open_page(UNITS, **HERE, pin="conv2:5", pin_image=str(image))
    assert not app.warning
    assert component(app, "pinned_gallery")["open"] == image
    assert component(app, "gallery")["open"] is None
    app = open_page(UNITS, **HERE, pin="conv2:5", pin_image="99999")
    assert "not among the pinned unit’s" in words(app)
    assert not parameter(app, pinned.IMAGE)
    assert parameter(app, "pin") == "conv2:5"
